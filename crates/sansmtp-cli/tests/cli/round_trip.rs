//! Mail sent by `sansmtp send` and stored by `sansmtp serve`.

use crate::served::Served;
use crate::support::{Ended, finish, run, sansmtp};
use serde_json::Value;

/// Sends as the user me, trusting the server's certificate.
fn send(served: &Served, url: &str, more: &[&str]) -> Ended {
    let (ca, password) = (served.path("ca.pem"), served.path("password"));
    let arguments = [
        &[
            "send",
            "--server",
            url,
            "--ca",
            &ca,
            "--user",
            "me",
            "--password-file",
            &password,
        ],
        more,
    ]
    .concat();
    run(&arguments)
}

/// What a server stored behind its trace fields, which end with Received.
fn message(stored: &[u8], expected: &[u8]) {
    let trace = &stored[..stored.len().saturating_sub(expected.len())];
    let trace = String::from_utf8_lossy(trace);
    assert!(
        stored.ends_with(expected),
        "{}\n--- is not ---\n{}",
        String::from_utf8_lossy(stored),
        String::from_utf8_lossy(expected)
    );
    assert!(trace.starts_with("Return-Path: <"), "{trace}");
    assert!(trace.contains("Received: from "), "{trace}");
}

#[test]
fn finished_mail_arrives_byte_by_byte_both_ways() {
    let served = Served::start(&[]);
    let [starttls, implicit] = &served.urls[..] else {
        panic!("{:?}", served.urls)
    };
    assert!(
        starttls.starts_with("smtp://127.0.0.1:") && implicit.starts_with("smtps://127.0.0.1:")
    );
    let eml = served.path("mail.eml");
    let header = "From: jo@example.org\r\nTo: a@example.org\r\nSubject: x\r\n";
    let body = "\r\n.\r\n..two\r\n.end Gr\u{fc}\u{df}e\r\n\r\n";
    std::fs::write(&eml, format!("{header}Bcc: b@elsewhere.example\r\n{body}")).unwrap();
    for url in [starttls, implicit] {
        let text = send(&served, url, &["--eml", &eml]).success();
        assert!(
            text.contains("accepted  a@example.org\naccepted  b@elsewhere.example\n"),
            "{text}"
        );
    }
    let mails = served.mails();
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        message(mail, format!("{header}{body}").as_bytes());
        let text = String::from_utf8_lossy(mail);
        assert!(
            text.contains("Delivered-To: b@elsewhere.example\r\n"),
            "{text}"
        );
        assert!(!text.contains("Bcc"), "{text}");
    }
}

#[test]
fn composed_mail_with_an_attachment() {
    let served = Served::start(&[]);
    let data = served.path("data.bin");
    let octets: Vec<u8> = (0..2_000_000_u32)
        .map(|n| (n.wrapping_mul(7) >> 3) as u8)
        .collect();
    std::fs::write(&data, &octets).unwrap();
    let mut command = sansmtp(&[
        "send",
        "--server",
        &served.urls[1],
        "--ca",
        &served.path("ca.pem"),
        "--user",
        "me",
        "--from",
        "Zoë <me@example.org>",
        "--to",
        "a@example.org",
        "--subject",
        "93 °C",
        "--body",
        ".hot\n",
        "--attach",
        &data,
        "--json",
    ]);
    command.env("SANSMTP_PASSWORD", "s3cret");
    let object: Value = serde_json::from_str(&finish(command, b"").success()).unwrap();
    assert_eq!(object["sent"], true);
    assert_eq!(object["recipients"][0]["outcome"], "accepted");
    assert_eq!(object["error"], Value::Null);
    let mails = served.mails();
    let text = String::from_utf8_lossy(&mails[0]);
    assert!(mails[0].len() as u64 > object["size"].as_u64().unwrap());
    assert!(text.contains(object["message_id"].as_str().unwrap()));
    assert!(text.contains("\r\n.hot\r\n"));
    assert!(text.contains("data.bin"));
    let encoded = text.rsplit("\r\n\r\n").next().unwrap();
    let encoded = encoded.split("\r\n--").next().unwrap();
    assert_eq!(decode(encoded), octets);
}

#[test]
fn who_may_send_what() {
    let served = Served::start(&["--max-size", "10K"]);
    let (url, ca) = (&served.urls[0], served.path("ca.pem"));
    let anonymous = |to: &str| {
        run(&[
            "send",
            "--server",
            url,
            "--ca",
            &ca,
            "-f",
            "x@y.example",
            "-t",
            to,
            "-b",
            "x",
        ])
    };
    anonymous("a@example.org").success();
    anonymous("a@elsewhere.example").expect(67, &["550 5.7.1"]);
    let both = anonymous("a@example.org,a@elsewhere.example");
    let both = both.expect(67, &["1 of 2 recipients was refused"]);
    assert!(
        both.stdout
            .contains("accepted  a@example.org\nrefused   a@elsewhere.example: 550")
    );
    let envelope = ["-f", "x@y.example", "-t", "a@elsewhere.example", "-b", "x"];
    send(&served, url, &envelope).success();
    let large = "x ".repeat(10_000);
    let envelope = ["-f", "x@y.example", "-t", "a@example.org", "-b", &large];
    send(&served, url, &envelope).expect(65, &["larger than the server takes"]);
    assert_eq!(served.mails().len(), 3);
}

#[test]
fn certificates_and_passwords_are_checked() {
    let served = Served::start(&[]);
    let wrong = served.path("wrong");
    std::fs::write(&wrong, "wr0ng").unwrap();
    let ca = served.path("ca.pem");
    for url in &served.urls {
        let message = ["-f", "x@example.org", "-t", "a@example.org", "-b", "x"];
        let untrusted = [&["send", "--server", url][..], &message].concat();
        run(&untrusted).expect(
            77,
            &["is not trusted", "trust its certificate with --ca FILE"],
        );
        let login = ["--ca", &ca, "--user", "me", "--password-file", &wrong];
        let refused = [&["send", "--server", url][..], &login, &message].concat();
        let ended = run(&refused).expect(77, &["refused AUTH: 535 5.7.8"]);
        assert!(!ended.stderr.contains("wr0ng"), "{ended:#?}");
    }
    assert!(served.mails().is_empty());
}

#[test]
fn without_tls_only_where_danger_is_said() {
    let listen = ["--listen", "smtp+danger-plaintext://127.0.0.1:0"];
    let served = Served::start_on(&listen, &["--danger-plaintext-auth"]);
    let url = served.urls[0].clone();
    assert!(
        url.starts_with("smtp+danger-plaintext://127.0.0.1:"),
        "{url}"
    );
    let plain = url.replace("smtp+danger-plaintext", "smtp");
    let password = served.path("password");
    let message = [
        "send",
        "--server",
        &plain,
        "--user",
        "me",
        "--password-file",
        &password,
        "-f",
        "x@example.org",
        "-t",
        "a@example.org",
        "-b",
        "x",
    ];
    run(&message).expect(78, &["does not offer STARTTLS"]);
    assert!(served.mails().is_empty());
    run(&[&message[..], &["--danger-plaintext"]].concat()).success();
    assert_eq!(served.mails().len(), 1);
}

/// Base64, written without the core, so that it can not share a mistake with it.
fn decode(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut octets, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text
        .bytes()
        .filter(|b| !b.is_ascii_whitespace() && *b != b'=')
    {
        let value = ALPHABET.iter().position(|b| *b == letter).expect("base64");
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    octets
}

#[test]
fn a_server_that_misbehaves_on_demand() {
    let served = Served::start(&[
        "--fault",
        "recipient=bad@example.org 550 5.1.1 No such user",
        "--fault",
        "1x message 451 4.3.0 Try again later",
    ]);
    let mail = [
        "--from",
        "a@example.org",
        "--to",
        "b@example.org,bad@example.org",
        "--subject",
        "s",
        "--body",
        "text",
    ];
    let url = &served.urls[0];
    send(&served, url, &mail).expect(75, &["451 4.3.0 Try again later"]);
    assert_eq!(served.mails().len(), 0);
    let ended = send(&served, url, &mail).expect(67, &["1 of 2 recipients was refused"]);
    let results = "accepted  b@example.org\nrefused   bad@example.org: 550 5.1.1 No such user\n";
    assert!(ended.stdout.starts_with(results), "{ended:#?}");
    assert_eq!(served.mails().len(), 1);
    run(&["serve", "--maildir", "x", "--fault", "rcpt close"]).expect(
        64,
        &["`rcpt` is no step of a session; take connect, auth, mail"],
    );
}
