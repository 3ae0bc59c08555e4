//! Addresses and parameters.

use super::*;

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
            let good = upper(high) && upper(low) && (0x20..0x7f).contains(&value);
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
