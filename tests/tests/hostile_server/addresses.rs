//! Addresses that are legal, whose neighbours are not: a server that refuses everything is no safe one.

use super::*;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// The code of the reply to MAIL with this address.
fn code_of(config: &Config<'_>, path: &str) -> u16 {
    let played = talk(
        config,
        format!("{HELLO}MAIL FROM:{path}\r\nNOOP\r\n"),
        WHOLE,
    );
    let codes = played.all_codes();
    assert!(codes.len() == 3 && codes[2] == 250, "{path:?}: {codes:?}");
    codes[1]
}

#[test]
fn every_legal_form_is_taken() {
    let config = clear();
    let atext = "!#$%&'*+-/=?^_`{|}~0aZ";
    let locals = [
        "a",
        "a.b",
        "a.b.c",
        atext,
        "\"\"",
        "\"a b\"",
        "\"a@b\"",
        "\"\\\"\"",
        "\"\\\\\"",
        "\"<>\"",
        "\"a..b\"",
        "\".\"",
        "\"(c)\"",
        "\",;:\"",
        "postmaster",
    ];
    let domains = [
        "b",
        "example.org",
        "1.example",
        "1.2.3",
        "a-b.example",
        "a--b.example",
        "xn--bcher-kva.example",
        "[127.0.0.1]",
        "[255.255.255.255]",
        "[IPv6:::]",
        "[IPv6:::1]",
        "[ipv6:1::]",
        "[IPv6:1:2:3:4:5:6:7:8]",
        "[IPv6:::ffff:192.0.2.1]",
        "[IPv6:1:2:3:4:5:6:192.0.2.1]",
    ];
    let routes = ["", "@x:", "@x.example,@[192.0.2.1]:", "@a,@b,@c,@d:"];
    let behind = [
        "",
        " SIZE=1",
        " BODY=8BITMIME SIZE=0",
        " size=1 body=7bit ret=hdrs envid=x+3D",
    ];
    let mut cases = 0;
    for local in locals {
        for domain in domains {
            for route in routes {
                for parameters in behind {
                    let path = format!("<{route}{local}@{domain}>{parameters}");
                    assert_eq!(code_of(&config, &path), 250, "{path}");
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 15 * 15 * 4 * 4);
}

/// What must be taken at least (RFC 5321, section 4.5.3.1; RFC 1035 for labels).
#[test]
fn the_longest_legal_addresses_are_taken() {
    let config = clear();
    let mut domain = "d".repeat(252);
    for dot in (49..251).step_by(50) {
        domain.replace_range(dot..=dot, ".");
    }
    for path in [
        format!("<{}@b>", "a".repeat(64)),
        format!("<\"{}\"@b>", "a".repeat(62)),
        format!("<a@{}>", "d".repeat(63)),
        format!("<a@{domain}>"),
    ] {
        assert_eq!(code_of(&config, &path), 250, "{path}");
    }
}

/// Every row of the parts of an address literal is judged as the standard library judges it.
#[test]
fn ipv6_literals_are_those_that_the_standard_library_knows() {
    let config = clear();
    let parts = ["1", ":", "::", "abcd", "192.0.2.1", "g"];
    let (mut cases, mut taken) = (0, 0);
    for start in ["", "1:2:3:4:5:6", "1:2:3:4::5", "::1:2:3:4:5:6"] {
        let longest = if start.is_empty() { 5 } else { 4 };
        for end in texts(&parts, longest) {
            let text = format!("{start}{end}");
            let known = Ipv6Addr::from_str(&text).is_ok();
            // `::` stands for two groups at least in mail (RFC 5321, section 4.1.3), for one elsewhere.
            let groups = text.split(':').filter(|group| !group.is_empty());
            let groups: usize = groups
                .map(|group| 1 + usize::from(group.contains('.')))
                .sum();
            if known && text.contains("::") && groups == 7 {
                continue;
            }
            let code = code_of(&config, &format!("<a@[IPv6:{text}]>"));
            assert_eq!(code == 250, known, "{text}: {code}");
            cases += 1;
            taken += usize::from(known);
        }
    }
    assert!(cases > 10_000 && taken > 100, "{taken} of {cases}");
}

/// What a client calls itself is judged by its octets alone: a name that is none harms nobody (RFC 5321, section 4.1.4).
#[test]
fn odd_names_of_clients() {
    let config = clear();
    for verb in ["EHLO", "HELO", "ehlo", "hElO"] {
        for name in [
            "c",
            "[192.0.2.1]",
            "[IPv6:::1]",
            "localhost",
            "1.2.3.4",
            "c.",
            "-c",
            "c_d",
            "xn--e1afmkfd.xn--p1ai",
            "%s%n",
            "$(id)",
            "';--",
            "<c>",
            "a@b",
            "..",
            "[",
            "]",
        ] {
            let played = talk(
                &config,
                format!("{verb} {name}\r\n{ENVELOPE}NOOP\r\n"),
                WHOLE,
            );
            let codes = played.all_codes();
            assert!(matches!(codes[0], 250 | 501), "{verb} {name}: {codes:?}");
            let next = if codes[0] == 250 { 250 } else { 503 };
            assert_eq!(codes[1..], [next, next, 250], "{verb} {name}");
        }
        for name in ["", " ", "\t", "\u{e9}", "c\u{7f}", "c\u{1b}[2J"] {
            let played = talk(
                &config,
                format!("{verb} {name}\r\n{ENVELOPE}NOOP\r\n"),
                WHOLE,
            );
            let codes = played.all_codes();
            assert!(matches!(codes[0], 500 | 501), "{verb} {name:?}: {codes:?}");
            assert_eq!(codes[1..], [503, 503, 250], "{verb} {name:?}");
        }
    }
}
