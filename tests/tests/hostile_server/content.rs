//! The content of messages: its end, its size, its cost.

use super::*;

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
