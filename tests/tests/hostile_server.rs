//! Families of hostile input against the server machine, without sockets: every neighbour of each case.

use sansmtp::server::Config;
use sansmtp_tests::Security;
use sansmtp_tests::hostile::model::{Model, Word};
use sansmtp_tests::hostile::server::{LINE, PASSWORD, Played, Step, USER, config, play};

const WHOLE: usize = usize::MAX;
const HELLO: &str = "EHLO c.example.org\r\n";
const ENVELOPE: &str = "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n";

fn clear() -> Config<'static> {
    config(Security::DangerPlaintext).danger_plaintext_auth()
}

/// One step with these octets, in pieces of `piece`.
fn talk(config: &Config<'_>, octets: impl AsRef<[u8]>, piece: usize) -> Played {
    play(config, &[Step::send(octets)], piece)
}

/// All texts over `alphabet` with up to `longest` octets.
fn texts(alphabet: &[&str], longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..longest {
        let to = all.len();
        for at in from..to {
            for letter in alphabet {
                all.push(format!("{}{letter}", all[at]));
            }
        }
        from = to;
    }
    all
}

/// Both must answer the same and take the same messages.
fn compare_with_model(octets: &[u8], piece: usize) {
    let played = talk(&clear(), octets, piece);
    let mut model = Model::default();
    let expected = model.answer_all(octets);
    let shown = String::from_utf8_lossy(octets).into_owned();
    assert_eq!(played.all_codes(), expected, "{shown:?}, piece {piece}");
    assert_eq!(played.taken, model.taken, "{shown:?}, piece {piece}");
    assert_eq!(played.closed, model.over, "{shown:?}, piece {piece}");
}

#[test]
fn no_line_end_smuggles_a_message() {
    // What may stand in front of a dot and behind it, with each kind of line end.
    let ends = texts(&["\r", "\n"], 3);
    let others = [
        "\0", " ", "\t", "\x0b", "\x0c", "\u{85}", "\u{2028}", "\x08", "\x1a", "x", ".", "..",
    ];
    let mut before = ends.clone();
    let mut behind = ends;
    for other in others {
        for end in ["\r\n", "\n", "\r", ""] {
            before.push(format!("{end}{other}"));
            before.push(format!("{other}{end}"));
            behind.push(format!("{other}{end}"));
            behind.push(format!("{end}{other}"));
        }
    }
    let smuggled = format!("{ENVELOPE}DATA\r\nsmuggled\r\n.\r\n");
    let follow_ups = [
        "",
        &smuggled,
        "QUIT\r\n",
        "RSET\r\nNOOP\r\n",
        "x",
        ".\r\n.\r\n",
        "\n.\n",
    ];
    let plain = |text: &String| text.bytes().all(|octet| matches!(octet, b'\r' | b'\n'));
    let mut cases = 0;
    for (number, before) in before.iter().enumerate() {
        for behind in &behind {
            // All of them for line ends alone, else the first two.
            let all = plain(before) && plain(behind);
            for follow_up in follow_ups.iter().take(if all { 7 } else { 2 }) {
                let octets = format!(
                    "{HELLO}{ENVELOPE}DATA\r\nhi{before}.{behind}{follow_up}\r\n.\r\nNOOP\r\nQUIT\r\n"
                );
                compare_with_model(octets.as_bytes(), WHOLE);
                // Octet by octet for a part of them: it gives the same.
                if number % 16 == 0 {
                    compare_with_model(octets.as_bytes(), 1);
                }
                cases += 1;
            }
        }
    }
    assert!(cases > 20_000, "{cases}");
}

#[test]
fn nothing_but_a_dot_between_two_crlf_ends_the_content() {
    let mut cases = 0;
    for text in texts(&["\r", "\n", ".", "x"], 6) {
        let octets = format!("{HELLO}{ENVELOPE}DATA\r\n{text}");
        compare_with_model(octets.as_bytes(), WHOLE);
        compare_with_model(octets.as_bytes(), 1);
        cases += 1;
    }
    assert_eq!(cases, 5461);
}

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
        "BDAT 5 LAST",
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

#[test]
fn malformed_parameters_are_refused() {
    let xtext_101 = "a".repeat(101);
    let long = "9".repeat(21);
    let mail: &[(&str, &[&str])] = &[
        (
            "SIZE",
            &[
                "",
                "-1",
                "+1",
                "0x10",
                "1e3",
                "1.0",
                "1,000",
                "18446744073709551616",
                "18446744073709551617",
                "4294967297",
                "340282366920938463463374607431768211457",
                "1048577",
                "99999999",
                "\u{661}",
                "1K",
                "=1",
                "1;",
                "\"1\"",
                &long,
                "NaN",
                "00000000000000000000001",
            ],
        ),
        (
            "BODY",
            &[
                "",
                "9BIT",
                "8BIT",
                "7",
                "7BIT,8BITMIME",
                "BINARYMIMEX",
                "8BITMIME=",
                "\u{e9}",
            ],
        ),
        ("SMTPUTF8", &["", "1", "YES"]),
        ("RET", &["", "FULL,HDRS", "ALL", "HDR", "FULLX"]),
        (
            "ENVID",
            &[
                "", "+", "+4", "+4g", "+0D+0A", "+00", "+7F", "+1F", "a=b", "+2b", "+ZZ", "\u{e9}",
                &xtext_101,
            ],
        ),
        ("AUTH", &["", "+0D", "+", "a=b", "+3d"]),
        ("FOO", &["", "BAR"]),
        ("X-", &["1"]),
        ("", &["", "x"]),
        ("REQUIRETLSX", &["1"]),
        ("NOTIFY", &["NEVER"]),
    ];
    let rcpt: &[(&str, &[&str])] = &[
        (
            "NOTIFY",
            &[
                "",
                "NEVER,SUCCESS",
                "SUCCESS,NEVER",
                "NEVER,NEVER",
                "SUCCESS,SUCCESS",
                ",",
                "SUCCESS,",
                ",SUCCESS",
                "ALWAYS",
                "SUCCESS;DELAY",
                "SUCCESS,,DELAY",
            ],
        ),
        (
            "ORCPT",
            &[
                "",
                "rfc822",
                ";",
                "rfc822;",
                ";b",
                "rfc822;b+Z9",
                "rfc822;b+0A",
                "rfc822;b+",
                "rfc822;\u{e9}",
                "rf c;b",
                "r=;b",
                "rfc822;b=c",
                "rfc822;+00",
            ],
        ),
        ("SIZE", &["1"]),
        ("FOO", &["", "BAR"]),
    ];
    let config = clear();
    let mut cases = 0;
    for (command, setup, keywords, friends) in [
        (
            "MAIL FROM:<a@example.org>",
            HELLO.to_owned(),
            mail,
            ["SIZE=5", "BODY=7BIT", "RET=FULL", ""],
        ),
        (
            "RCPT TO:<b@example.org>",
            format!("{HELLO}MAIL FROM:<a@example.org>\r\n"),
            rcpt,
            ["NOTIFY=DELAY", "ORCPT=rfc822;b", "NOTIFY=NEVER", ""],
        ),
    ] {
        for (keyword, values) in keywords {
            for value in *values {
                for friend in friends {
                    for front in [false, true] {
                        for equals in ["=", " =", "= "] {
                            if friend.starts_with(keyword) && !keyword.is_empty() {
                                continue;
                            }
                            let bad = format!("{keyword}{equals}{value}");
                            let row = if front {
                                format!("{friend} {bad}")
                            } else {
                                format!("{bad} {friend}")
                            };
                            let line = format!("{command} {row}\r\n");
                            let played =
                                play(&config, &[Step::send(&setup), Step::send(&line)], WHOLE);
                            let codes = played.last_codes();
                            assert_eq!(codes.len(), 1, "{line:?}");
                            assert!((500..=555).contains(&codes[0]), "{line:?}: {codes:?}");
                            cases += 1;
                        }
                    }
                }
            }
        }
        // Twice the same keyword, whatever its value.
        for friend in friends.into_iter().filter(|friend| !friend.is_empty()) {
            let line = format!("{command} {friend} {friend}\r\n");
            let played = play(&config, &[Step::send(&setup), Step::send(&line)], WHOLE);
            assert_eq!(played.last_codes(), [501], "{line:?}");
            cases += 1;
        }
    }
    assert!(cases > 1_500, "{cases}");
}

#[test]
fn xtext_is_taken_only_in_its_one_form() {
    let config = clear();
    let mut cases = 0;
    for high in b'!'..=b'~' {
        for low in b'!'..=b'~' {
            let (high, low) = (char::from(high), char::from(low));
            let line = format!("{HELLO}MAIL FROM:<a@example.org> ENVID=x+{high}{low}\r\n");
            let upper = |c: char| c.is_ascii_digit() || ('A'..='F').contains(&c);
            let value = u8::from_str_radix(&format!("{high}{low}"), 16).unwrap_or(0);
            let good = upper(high) && upper(low) && value >= 0x20 && value != 0x7f;
            let expected = if good { 250 } else { 501 };
            assert_eq!(
                talk(&config, &line, WHOLE).all_codes(),
                [250, expected],
                "{line:?}"
            );
            cases += 1;
        }
    }
    assert_eq!(cases, 94 * 94);
}

#[test]
fn nothing_is_relayed() {
    let config = clear();
    let locals = [
        "x",
        "\"x\"",
        "\"x@example.org\"",
        "x%example.org",
        "example.org!x",
        "\"x y\"",
        "x+example.org",
        "\"\\@\"",
    ];
    let domains = [
        "relay.invalid",
        "relay.invalid.",
        "example.org.relay.invalid",
        "xexample.org",
        "example.orgx",
        "example.or",
        "[192.0.2.1]",
        "[IPv6:::1]",
        "[example.org]",
        "EXAMPLE.ORG.relay.invalid",
        "a.example.org",
        "org",
        "relay.invalid\0.example.org",
        "relay.invalid@example.org@x.invalid",
        "relay.invalid>.example.org",
        "relay.invalid,example.org",
        "relay.invalid example.org",
        "relay.invalid\t.example.org",
        "\u{ff45}xample.org",
    ];
    let routes = [
        "",
        "@example.org:",
        "@example.org,@relay.invalid:",
        "@relay.invalid:",
    ];
    let mut cases = 0;
    for local in locals {
        for domain in domains {
            for route in routes {
                for frame in [
                    "<{}>",
                    "{}",
                    "<{}",
                    "{}>",
                    "<<{}>>",
                    "< {} >",
                    "\"b@example.org\" <{}>",
                ] {
                    for parameters in ["", " NOTIFY=NEVER", " ORCPT=rfc822;b@example.org"] {
                        let path = frame.replace("{}", &format!("{route}{local}@{domain}"));
                        let line = format!("RCPT TO:{path}{parameters}\r\n");
                        let steps = [
                            HELLO,
                            "MAIL FROM:<a@example.org> SMTPUTF8\r\n",
                            &line,
                            "DATA\r\n",
                        ]
                        .map(Step::send);
                        let played = play(&config, &steps, WHOLE);
                        let codes = &played.codes[3];
                        assert!(codes.len() == 1 && codes[0] >= 500, "{line:?}: {codes:?}");
                        assert_eq!(played.last_codes(), [554], "{line:?}");
                        cases += 1;
                    }
                }
            }
        }
    }
    assert!(cases > 12_000, "{cases}");
}

#[test]
fn addresses_that_break_the_grammar() {
    let config = clear();
    let bad = [
        "",
        "@",
        "a",
        "a@",
        "@example.org",
        "a@@example.org",
        "a@b@example.org",
        "a..b@example.org",
        ".a@example.org",
        "a.@example.org",
        "a@example..org",
        "a@.example.org",
        "a@-example.org",
        "a@example-.org",
        "a b@example.org",
        "a@exam ple.org",
        "\"a@example.org",
        "a\"b\"@example.org",
        "\"a\"b@example.org",
        "a\\@example.org",
        "\"\\",
        "a@[",
        "a@[]",
        "a@[1.2.3]",
        "a@[1.2.3.256]",
        "a@[1.2.3.4",
        "a@[1.2.3.4]x",
        "a@[IPv6:]",
        "a@[IPv6:::::]",
        "a@[IPv6:1:2:3:4:5:6:7:8:9]",
        "a@[IPv6:g::]",
        "a@[IPv6:1::2::3]",
        "a@[x]",
        "a@[:x]",
        "(c)a@example.org",
        "a(c)@example.org",
        "a@example.org(c)",
        "a@(c)example.org",
        ";sleep 66;",
        "|id",
        "a@example.org;id",
        "a@example.org:25",
        "a@example.org/x",
        "a,b@example.org",
        "a:b@example.org",
        "a;b@example.org",
        "a<b@example.org",
        "a>b@example.org",
        "a[b@example.org",
        "a]b@example.org",
        "@x:@y:a@example.org:",
        "@:a@example.org",
        "@x,y:a@example.org",
        "a@example.org,b@example.org",
        "a@\"example.org\"",
    ];
    let mut cases = 0;
    for address in bad {
        for (command, setup) in [("MAIL FROM:", ""), ("RCPT TO:", "MAIL FROM:<>\r\n")] {
            for (open, close) in [
                ("<", ">"),
                ("<", ""),
                ("", ">"),
                ("", ""),
                (" <", "> SIZE=1"),
                ("<", ">x"),
            ] {
                if address.is_empty()
                    && command == "MAIL FROM:"
                    && close.starts_with('>')
                    && open.ends_with('<')
                    && close != ">x"
                {
                    // The null reverse-path.
                    continue;
                }
                let line = format!("{command}{open}{address}{close}\r\n");
                let steps = [HELLO, setup, &line].map(Step::send);
                let played = play(&config, &steps, WHOLE);
                let codes = played.last_codes();
                assert!(codes.len() == 1 && codes[0] >= 500, "{line:?}: {codes:?}");
                cases += 1;
            }
        }
    }
    assert!(cases > 500, "{cases}");
    // Bombs: as deep as a line can be.
    for unit in [
        "(", "\"", "\"(", "\\", "<", "@", "@x,", "[", "\"\\\"", "a.", ".", "[IPv6:", ":", "\u{e9}",
        "((()", "a@",
    ] {
        for count in [1, 60, 200, 254, 255, 256, 1000, 4000] {
            for close in ["@example.org>", ")@example.org>", ">", ""] {
                let line = format!(
                    "{HELLO}MAIL FROM:<{}{close}\r\nNOOP\r\n",
                    unit.repeat(count)
                );
                let played = talk(&config, &line, WHOLE);
                let codes = played.all_codes();
                assert!(
                    codes.len() == 3 && codes[2] == 250,
                    "{unit:?} {count}: {codes:?}"
                );
                assert!(
                    codes[1] >= 500 || unit == "a." || unit == "\u{e9}",
                    "{unit:?} {count} {close}: {codes:?}"
                );
            }
        }
    }
}

/// Only one text authenticates.
#[test]
fn no_neighbour_of_the_credentials_gets_in() {
    let good = b"AHVzZXIAczNjcmV0LXB3";
    let config = clear();
    let try_one = |response: &[u8]| {
        let line = [HELLO.as_bytes(), b"AUTH PLAIN ", response, b"\r\n"].concat();
        let played = talk(&config, line, WHOLE);
        assert_eq!(played.authenticated, played.all_codes()[1] == 235);
        played.authenticated
    };
    assert!(try_one(good));
    let mut cases = 0;
    for at in 0..good.len() {
        assert!(!try_one(&good[..at]), "cut off at {at}");
        for octet in (0..=u8::MAX).filter(|octet| !matches!(octet, b'\r' | b'\n')) {
            let mut changed = good.to_vec();
            changed[at] = octet;
            assert!(changed == good || !try_one(&changed), "{changed:?}");
            let mut longer = good.to_vec();
            longer.insert(at, octet);
            // Leading spaces separate words.
            assert!(
                (at == 0 && octet == b' ') || !try_one(&longer),
                "{longer:?}"
            );
            cases += 2;
        }
    }
    for behind in ["=", "==", "A", "AAAA", "AA==", "A===", "\0", "!", "\t"] {
        let longer = [good, behind.as_bytes()].concat();
        assert!(behind == "\t" || !try_one(&longer), "{behind:?}");
    }
    for other in [
        "",
        "=",
        "*",
        "====",
        "AA==",
        "AAA=",
        "AAAA",
        "AHVzZXIA",
        "dXNlcgBzM2NyZXQtcHc=",
        "AHVzZXIAczNjcmV0LXB3AA==",
        "AABzM2NyZXQtcHc=",
        "cm9vdAB1c2VyAHMzY3JldC1wdw==",
    ] {
        assert!(!try_one(other.as_bytes()), "{other}");
    }
    assert!(cases > 10_000, "{cases}");
    assert_eq!((USER, PASSWORD), ("user", "s3cret-pw"));
}

#[test]
fn no_password_is_taken_in_the_clear() {
    for security in [Security::DangerPlaintext, Security::StartTls] {
        let config = config(security);
        for line in [
            "AUTH PLAIN AHVzZXIAczNjcmV0LXB3",
            "AUTH PLAIN",
            "AUTH LOGIN",
            "AUTH LOGIN dXNlcg==",
            "AUTH FOO",
            "AUTH",
            "auth plain =",
            "AUTH CRAM-MD5",
            "AUTH EXTERNAL =",
        ] {
            for hello in ["", HELLO, "HELO c\r\n"] {
                let steps = [
                    Step::send(hello),
                    Step::send(format!("{line}\r\n")),
                    Step::send("NOOP\r\n"),
                ];
                let played = play(&config, &steps, WHOLE);
                assert!(
                    played.codes[2].len() == 1 && played.codes[2][0] >= 500,
                    "{line}"
                );
                assert_eq!(played.last_codes(), [250], "{line}");
                assert!(
                    !played.authenticated && !played.said.contains(" AUTH"),
                    "{line}: {}",
                    played.said
                );
            }
        }
    }
}

/// What is put behind STARTTLS in the clear is never answered, neither before the handshake nor behind it.
#[test]
fn nothing_in_the_clear_survives_starttls() {
    let config = config(Security::StartTls);
    let mut cases = 0;
    for word in Word::ALL {
        for injected in [
            format!("{}\r\n", word.line()),
            word.line().to_owned(),
            format!("\r\n{}\r\n", word.line()),
        ] {
            let octets = format!("STARTTLS\r\n{injected}");
            for cut in 0..=octets.len() {
                let steps = [
                    Step::send(HELLO),
                    Step::send(&octets[..cut]),
                    Step::send(&octets[cut..]),
                    Step::Tls,
                    Step::send(HELLO),
                ];
                let played = play(&config, &steps, WHOLE);
                let during: Vec<u16> = played.codes[2..4].concat();
                assert_eq!(during, [220], "{octets:?} {cut}");
                // Either the session is over, or nothing came behind the agreement.
                assert!(played.error.is_some(), "{octets:?} {cut}");
                assert!(
                    played.codes[4].is_empty() && played.codes[5].is_empty(),
                    "{octets:?} {cut}"
                );
                cases += 1;
            }
        }
    }
    // The other way: what is known from before TLS is void.
    for word in Word::ALL {
        let steps = [
            Step::send(HELLO),
            Step::send("STARTTLS\r\n"),
            Step::Tls,
            Step::send(format!("{}\r\n", word.line())),
        ];
        let played = play(&config, &steps, WHOLE);
        let code = played.last_codes()[0];
        assert!(
            !matches!(word, Word::Mail | Word::MailNull | Word::Rcpt | Word::Auth) || code == 503,
            "{word:?} {code}"
        );
    }
    let list = play(
        &config,
        &[
            Step::send(HELLO),
            Step::send("STARTTLS\r\n"),
            Step::Tls,
            Step::send(HELLO),
            Step::send("STARTTLS\r\n"),
        ],
        WHOLE,
    );
    assert!(
        list.said.matches("STARTTLS").count() == 1 && list.said.matches(" AUTH").count() <= 1,
        "{}",
        list.said
    );
    assert_eq!(list.last_codes(), [503]);
    assert!(cases > 1_500, "{cases}");
}

#[test]
fn bounds_hold_to_the_octet() {
    let config = clear();
    // The command line.
    for (verb, code) in [
        ("NOOP ", 250),
        ("VRFY ", 252),
        ("HELP ", 214),
        ("XXXX ", 500),
    ] {
        for length in LINE - 3..LINE + 5 {
            let line = format!("{verb}{}\r\nNOOP\r\n", "A".repeat(length - verb.len()));
            for piece in [1, 7, WHOLE] {
                let expected = if length <= LINE { code } else { 500 };
                let played = talk(&config, format!("{HELLO}{line}"), piece);
                assert_eq!(played.all_codes(), [250, expected, 250], "{verb}{length}");
            }
        }
    }
    // What is cut off from a long line is never a command of its own.
    for length in [LINE - 5, LINE, LINE + 1, 8190, 100_000] {
        let line = format!("{HELLO}NOOP {}RSET\r\nRSET\r\n", "A".repeat(length));
        assert_eq!(talk(&config, line, WHOLE).all_codes().len(), 3, "{length}");
    }
    // The size of a message, with and without dots that do not count.
    let mut small = config;
    for limit in [1_u64, 2, 3, 10, 100] {
        small.capabilities.max_size = limit;
        for size in 2..=limit + 3 {
            for line in ["x", ".."] {
                let body = if line == "x" {
                    "x".repeat(size as usize - 2)
                } else {
                    ".".repeat(size as usize - 2)
                };
                let stuffed = if body.starts_with('.') {
                    format!(".{body}")
                } else {
                    body
                };
                let octets = format!("{HELLO}{ENVELOPE}DATA\r\n{stuffed}\r\n.\r\nNOOP\r\n");
                let expected = if size <= limit { 250 } else { 552 };
                for piece in [1, WHOLE] {
                    let played = talk(&small, &octets, piece);
                    assert_eq!(
                        played.all_codes()[4..],
                        [expected, 250],
                        "{limit} {octets:?}"
                    );
                    assert_eq!(played.taken.len(), usize::from(expected == 250));
                }
            }
            let declared = format!("{HELLO}MAIL FROM:<a@example.org> SIZE={size}\r\n");
            let expected = if size <= limit { 250 } else { 552 };
            assert_eq!(talk(&small, declared, WHOLE).all_codes(), [250, expected]);
        }
    }
    // Recipients.
    let mut few = config;
    few.limits.recipients = 3;
    let many = format!(
        "{HELLO}MAIL FROM:<>\r\n{}",
        "RCPT TO:<b@example.org>\r\n".repeat(5)
    );
    assert_eq!(
        talk(&few, many, WHOLE).all_codes()[2..],
        [250, 250, 250, 452, 452]
    );
    // Lines of the content.
    let mut lines = config;
    lines.limits.text_line = 998;
    for (length, expected) in [(997, 250), (998, 250), (999, 550), (100_000, 550)] {
        let octets = format!("{HELLO}{ENVELOPE}DATA\r\n{}\r\n.\r\n", "x".repeat(length));
        assert_eq!(
            talk(&lines, octets, WHOLE).last_codes().last(),
            Some(&expected),
            "{length}"
        );
    }
    // Errors.
    let mut strict = config;
    strict.limits.errors = 5;
    let wrong = talk(&strict, format!("{HELLO}{}", "BAD\r\n".repeat(50)), WHOLE);
    assert_eq!(wrong.all_codes(), [250, 500, 500, 500, 500, 500, 421]);
    assert!(wrong.closed);
    // Addresses.
    for domain in 1..=70 {
        let label = "d".repeat(domain);
        for labels in [1, 3, 4] {
            let path = format!("a@{}", vec![label.as_str(); labels].join("."));
            let code =
                talk(&config, format!("{HELLO}MAIL FROM:<{path}>\r\n"), WHOLE).all_codes()[1];
            let good = domain <= 63 && path.len() <= 254;
            assert_eq!(code, if good { 250 } else { 501 }, "{path}");
        }
    }
}

/// What a session costs grows with the octets, whatever they say: counted in calls of the machine.
#[test]
fn work_is_linear() {
    let config = clear();
    let cost = |unit: &str, count: usize, end: &str| {
        let octets = format!("{HELLO}{ENVELOPE}DATA\r\n{}{end}", unit.repeat(count));
        talk(&config, octets, 4096).calls
    };
    for (unit, end) in [
        ("x", "\r\n.\r\n"),
        ("X-H: 1\r\n", ".\r\n"),
        ("..\r\n", ".\r\n"),
        ("\n.", "\r\n.\r\n"),
        ("\r", "\r\n.\r\n"),
        (".\r\nNOOP\r\n", ""),
        (".\r\nRSET\r\n", ""),
        ("\r\n.\r", "\r\n.\r\n"),
        ("\0", "\r\n.\r\n"),
    ] {
        let (small, large) = (cost(unit, 2_000, end), cost(unit, 20_000, end));
        assert!(large <= 11 * small + 50, "{unit:?}: {small} {large}");
        assert!(large <= 4 * unit.len() * 20_000, "{unit:?}: {large}");
    }
}

#[test]
fn a_message_that_breaks_off_is_never_taken() {
    let octets = format!("{HELLO}{ENVELOPE}DATA\r\nSubject: t\r\n\r\nhi\r\n..\r\n.\r\n");
    let config = clear();
    for cut in 0..octets.len() {
        let played = play(
            &config,
            &[Step::send(&octets[..cut]), Step::HalfClose],
            WHOLE,
        );
        assert!(played.taken.is_empty(), "{cut}");
        assert!(!played.all_codes().ends_with(&[354, 250]), "{cut}");
        assert!(played.closed, "{cut}");
    }
}
