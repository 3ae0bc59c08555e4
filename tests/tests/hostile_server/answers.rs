//! What the driver answers: no verdict and no text of a handler can break the dialogue.

use super::*;
use sansmtp::server::Query;
use sansmtp::wire::reply::Reply;
use sansmtp_tests::hostile::server::play_answering;

/// A dialogue in which every question comes up, one in each step.
const QUESTIONS: [(&str, &str); 9] = [
    ("Connect", ""),
    ("Authenticate", "AUTH PLAIN AHVzZXIAczNjcmV0LXB3\r\n"),
    ("Verify", "VRFY root\r\n"),
    ("Expand", "EXPN all\r\n"),
    ("Help", "HELP\r\n"),
    ("Mail", "MAIL FROM:<a@example.org>\r\n"),
    ("Recipient", "RCPT TO:<b@example.org>\r\n"),
    ("Data", "DATA\r\n"),
    ("Message", "hi\r\n.\r\n"),
];

fn is(query: &Query<'_>, name: &str) -> bool {
    format!("{query:?}").starts_with(name)
}

#[test]
fn every_code_as_the_answer_to_every_question() {
    let config = clear();
    let mut cases = 0;
    for code in 200..600 {
        for (number, (name, _)) in QUESTIONS.into_iter().enumerate() {
            let mut steps = vec![Step::send(HELLO)];
            steps.extend(QUESTIONS[1..].iter().map(|(_, line)| Step::send(line)));
            // Only up to the question, and then NOOP.
            steps.truncate(1 + number);
            if number == 0 {
                steps.clear();
            }
            steps.push(Step::send("NOOP\r\n"));
            let reply = Reply::new(code, None, "text").unwrap();
            let played = play_answering(&config, &steps, WHOLE, |query| {
                is(query, name).then_some(reply)
            });
            let expected = match (name, code) {
                ("Connect", 200..300) => 220,
                ("Authenticate", 200..300) => 235,
                ("Data", 200..400) => 354,
                (_, 300..400) => 451,
                _ => code,
            };
            let told = &played.codes[played.codes.len() - 2];
            assert_eq!(told, &[expected], "{name} {code}: {}", played.said);
            let last = played.last_codes();
            match (name, code) {
                (_, 421) => assert!(
                    last.is_empty() && played.closed,
                    "{name} {code}: {}",
                    played.said
                ),
                // NOOP is content now.
                ("Data", 200..400) => assert!(last.is_empty(), "{name} {code}: {}", played.said),
                ("Connect", 300..) => assert_eq!(last, [503], "{name} {code}"),
                _ => assert_eq!(last, [250], "{name} {code}: {}", played.said),
            }
            assert!(played.taken.is_empty(), "{name} {code}");
            cases += 1;
        }
    }
    assert_eq!(cases, 400 * 9);
}

/// A handler may repeat what a client said, so no text may begin a reply of its own.
#[test]
fn no_text_of_an_answer_makes_a_second_reply() {
    let config = clear();
    for end in [
        "\r\n", "\n", "\r", "\n\n", "\r\r\n", "\0", "\x0b", "\x7f", "\u{85}", "\u{2028}", "\t",
    ] {
        for text in [
            format!("no{end}250 ok"),
            format!("{end}250 ok"),
            format!("no{end}"),
            format!("no{end}250-ok{end}"),
        ] {
            // What can not be said is refused where it is made.
            let Ok(reply) = Reply::new(550, None, &text) else {
                continue;
            };
            let steps = [
                Step::send(HELLO),
                Step::send("VRFY x\r\n"),
                Step::send("NOOP\r\n"),
            ];
            let played = play_answering(&config, &steps, WHOLE, |query| {
                is(query, "Verify").then_some(reply)
            });
            assert_eq!(played.codes[2], [550], "{text:?}: {}", played.said);
            assert_eq!(played.codes[3], [250], "{text:?}: {}", played.said);
        }
    }
}
