//! Command lines: octets, order, splits.

use super::*;

#[test]
fn every_octet_at_every_place_of_every_command() {
    let lines = [
        "EHLO c.example.org",
        "HELO c",
        "MAIL FROM:<a@example.org> SIZE=100 BODY=8BITMIME",
        "MAIL FROM:<\"a b\"@[192.0.2.1]> RET=HDRS ENVID=x+20y",
        "RCPT TO:<b@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@x",
        "AUTH PLAIN AHVzZXIAczNjcmV0LXB3",
        "VRFY root",
        "NOOP x",
        "RSET",
        "STARTTLS",
        "HELP",
        "QUIT",
    ];
    let mut cases = 0;
    for line in lines {
        let setup = match line {
            _ if line.starts_with("RCPT") => format!("{HELLO}MAIL FROM:<a@example.org>\r\n"),
            _ => HELLO.to_owned(),
        };
        for at in 0..=line.len() {
            for octet in 0..=u8::MAX {
                let mut bad = line.as_bytes().to_vec();
                bad.insert(at, octet);
                let complete = [&bad[..], b"\r\n"].concat();
                let steps = [
                    Step::send(&setup),
                    Step::Send(complete),
                    Step::send("NOOP\r\n"),
                ];
                let played = play(&clear(), &steps, WHOLE);
                let codes = &played.codes[2];
                let shown = String::from_utf8_lossy(&bad).into_owned();
                assert_eq!(codes.len(), 1, "{shown:?}: {codes:?}");
                if octet.is_ascii_control() && octet != b'\t' {
                    assert!((500..600).contains(&codes[0]), "{shown:?}: {codes:?}");
                }
                if !matches!(codes[0], 221 | 334) {
                    assert_eq!(played.last_codes(), [250], "{shown:?}: {}", played.said);
                }
                cases += 1;
            }
        }
    }
    assert!(cases > 60_000, "{cases}");
}

#[test]
fn a_cr_or_lf_alone_never_starts_a_command() {
    let mut cases = 0;
    for first in Word::ALL {
        for second in Word::ALL {
            for end in [
                "\n", "\r", "\n\n", "\r\r", "\n\r", "\0\n", "\x0b", "\x0c", "\u{85}", "\u{2028}",
            ] {
                for end_of_all in ["\r\n", "\r\r\n", "\n\r\n"] {
                    let octets =
                        format!("{HELLO}{}{end}{}{end_of_all}", first.line(), second.line());
                    let played = talk(&clear(), &octets, WHOLE);
                    let codes = played.all_codes();
                    assert_eq!(codes.len(), 2, "{octets:?}: {codes:?}");
                    // HELP, VRFY and the like take any printable text.
                    let control =
                        (end.bytes().any(|b| b.is_ascii_control())) || end_of_all != "\r\n";
                    assert!(!control || codes[1] >= 500, "{octets:?}: {codes:?}");
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 19 * 19 * 10 * 3);
}

/// Every row of up to four commands, which is every wrong order of them.
#[test]
fn every_order_of_commands() {
    let config = clear();
    let mut cases = 0;
    let mut row = Vec::new();
    fn walk(row: &mut Vec<Word>, depth: usize, run: &mut impl FnMut(&[Word])) {
        run(row);
        if depth == 0 || row.last() == Some(&Word::Quit) {
            return;
        }
        for word in Word::ALL {
            row.push(word);
            walk(row, depth - 1, run);
            row.pop();
        }
    }
    let message = "Subject: t\r\n\r\nhi\r\n";
    let mut run = |row: &[Word]| {
        let mut model = Model::default();
        let mut octets = String::new();
        let mut expected = Vec::new();
        for word in row {
            octets.push_str(word.line());
            octets.push_str("\r\n");
            let code = model.answer(*word);
            expected.push(code);
            if code == 354 {
                octets.push_str(message);
                octets.push_str(".\r\n");
                expected.push(model.judge(message.as_bytes()));
            }
        }
        let played = talk(&config, &octets, WHOLE);
        assert_eq!(played.all_codes(), expected, "{octets}");
        assert_eq!(played.taken, model.taken, "{octets}");
        cases += 1;
    };
    walk(&mut row, 4, &mut run);
    // The same behind EHLO and behind a transaction that was begun.
    for start in [
        vec![Word::Ehlo, Word::Mail],
        vec![Word::Ehlo, Word::Mail, Word::Rcpt],
        vec![Word::Ehlo, Word::Auth],
        vec![Word::Ehlo, Word::Mail, Word::Rcpt, Word::Data],
    ] {
        let mut row = start;
        walk(&mut row, 3, &mut run);
    }
    assert!(cases > 130_000, "{cases}");
}

#[test]
fn every_split_gives_the_same_dialogue() {
    let dialogues = [
        format!("{HELLO}{ENVELOPE}DATA\r\nSubject: t\r\n\r\nhi\r\n..\r\n.x\r\n.\r\nQUIT\r\n"),
        format!("{HELLO}{ENVELOPE}DATA\r\nhi\n.\nMAIL FROM:<e@x>\r\n.\r\nRSET\r\nNOOP\r\n"),
        format!("{HELLO}AUTH PLAIN\r\nAHVzZXIAczNjcmV0LXB3\r\nAUTH LOGIN\r\nVRFY x\r\nQUIT\r\n"),
        format!("{HELLO}AUTH LOGIN\r\ndXNlcg==\r\nczNjcmV0LXB3\r\nAUTH PLAIN =\r\nMAIL\r\n"),
        "NO\0OP\r\nRSET\nRSET\r\n\r\nEHLO \r\n\r\r\nEHLO x\r\nMAIL FROM:<a\r>\r\n".to_owned(),
    ];
    let config = clear();
    let mut cases = 0;
    for dialogue in &dialogues {
        let octets = dialogue.as_bytes();
        let whole = talk(&config, octets, WHOLE);
        for piece in 1..octets.len() {
            let other = talk(&config, octets, piece);
            assert_eq!(
                (&other.said, &other.taken),
                (&whole.said, &whole.taken),
                "{dialogue:?} {piece}"
            );
            cases += 1;
        }
        for first in 1..octets.len() {
            for second in first..octets.len() {
                let steps =
                    [&octets[..first], &octets[first..second], &octets[second..]].map(Step::send);
                // A piece that ends within a reply's step is judged as a whole.
                let other = play(&config, &steps, WHOLE);
                assert_eq!(
                    (&other.said, &other.taken),
                    (&whole.said, &whole.taken),
                    "{first} {second}"
                );
                cases += 1;
            }
        }
    }
    assert!(cases > 20_000, "{cases}");
}
