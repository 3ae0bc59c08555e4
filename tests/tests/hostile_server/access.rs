//! TLS and AUTH.

use super::*;

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
