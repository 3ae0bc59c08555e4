//! What became of a mail, as scripted servers decide.

use crate::support::{Do, Ended, Scripted, agreeable, finish, run, sansmtp};
use serde_json::Value;

fn send(server: &Scripted, more: &[&str]) -> Ended {
    let url = server.url();
    let arguments = [
        &[
            "send",
            "--server",
            &url,
            "--from",
            "a@example.org",
            "--to",
            "b@example.org",
            "--subject",
            "s",
            "--body",
            "text",
        ][..],
        more,
    ]
    .concat();
    run(&arguments)
}

#[test]
fn accepted() {
    let server = Scripted::start(|verb, _| agreeable(verb));
    let text = send(&server, &["--bcc", "c@example.org"]).success();
    assert!(
        text.contains("accepted  b@example.org\naccepted  c@example.org\n"),
        "{text}"
    );
    assert!(text.contains("Message-ID <"), "{text}");
    let log = server.log();
    assert!(
        log.contains(&"RCPT TO:<c@example.org>".to_owned()),
        "{log:?}"
    );
    assert!(!log.iter().any(|line| line.starts_with("Bcc")), "{log:?}");
    assert_eq!(log.last().unwrap(), "QUIT");
}

#[test]
fn some_recipients_are_refused() {
    let server = Scripted::start(|verb, line| match line {
        "RCPT TO:<c@example.org>" => Do::Say("550 5.1.1 no such \x1b[2Juser"),
        "RCPT TO:<d@example.org>" => Do::Say("451 4.7.1 greylisted"),
        _ => agreeable(verb),
    });
    let ended = send(&server, &["--cc", "c@example.org,d@example.org"])
        .expect(67, &["error: 2 of 3 recipients were refused", "next: "]);
    assert!(
        ended.stdout.contains("accepted  b@example.org\n"),
        "{ended:#?}"
    );
    assert!(
        ended
            .stdout
            .contains("refused   c@example.org: 550 5.1.1 no such \\u{1b}[2Juser\n"),
        "{ended:#?}"
    );
    assert!(
        ended
            .stdout
            .contains("refused   d@example.org: 451 4.7.1 greylisted\n"),
        "{ended:#?}"
    );

    let ended = send(&server, &["--cc", "d@example.org", "--json"])
        .expect(75, &["1 of 2 recipients was refused"]);
    let object: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(object["sent"], false);
    assert_eq!(object["recipients"][0]["outcome"], "accepted");
    assert_eq!(object["recipients"][1]["outcome"], "refused");
    assert_eq!(object["recipients"][1]["code"], 451);
    assert_eq!(object["recipients"][1]["enhanced"], "4.7.1");
    assert_eq!(object["error"]["exit_code"], 75);
}

#[test]
fn refused_for_everybody() {
    for (verb, reply, code, says) in [
        ("RCPT", "550 5.1.1 unknown", 67, "550 5.1.1 unknown"),
        ("RCPT", "450 4.2.0 later", 75, "450 4.2.0 later"),
        ("MAIL", "553 5.7.1 not yours", 77, "553 5.7.1 not yours"),
        ("DATA", "554 5.6.0 no", 65, "554 5.6.0 no"),
        (".", "554 5.7.1 spam", 65, "554 5.7.1 spam"),
        (".", "452 4.3.1 full", 75, "452 4.3.1 full"),
        ("CONNECT", "554 5.3.2 go away", 69, "554 5.3.2 go away"),
        ("CONNECT", "421 4.3.2 busy", 75, "421 4.3.2 busy"),
        ("CONNECT", "HTTP/1.1 400 Bad Request", 76, "no SMTP reply"),
    ] {
        let server = Scripted::start(move |said, _| match said == verb {
            true => Do::Say(reply),
            false => agreeable(said),
        });
        let ended = send(&server, &[]).expect(code, &["error: ", says, "next: "]);
        assert!(!ended.stdout.contains("accepted"), "{ended:#?}");
        if verb != "CONNECT" {
            // The reply that the recipient's outcome rests on.
            assert!(ended.stdout.contains(says), "{ended:#?}");
        }
        let contents = server.log().iter().filter(|line| *line == ".").count();
        assert!(contents <= 1, "sent again: {:?}", server.log());
    }
}

#[test]
fn sign_in() {
    let server = Scripted::start(|verb, line| match line {
        "AUTH PLAIN AG1lAHJpZ2h0" => Do::Say("235 2.7.0 welcome"),
        _ if verb == "AUTH" => Do::Say("535 5.7.8 bad credentials"),
        _ => agreeable(verb),
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    std::fs::write(path, "right\nsecond line\n").unwrap();
    let ended = send(
        &server,
        &["--user", "me", "--password-file", path, "--transcript"],
    );
    let ended = ended.expect(
        0,
        &[
            "C: AUTH PLAIN ****\nS: 235 2.7.0 welcome",
            "octets of content]",
            "S: 250 2.0.0 taken",
        ],
    );
    assert!(!ended.stderr.contains("AG1lAHJ"), "{ended:#?}");
    std::fs::write(path, "wrong").unwrap();
    send(&server, &["--user", "me", "--password-file", path])
        .expect(77, &["refused AUTH: 535 5.7.8 bad credentials", "next: "]);
    let url = server.url();
    let mut command = sansmtp(&[
        "send",
        "--server",
        &url,
        "--user",
        "me",
        "-f",
        "a@example.org",
        "-t",
        "b@example.org",
        "-b",
        "x",
    ]);
    command.env("SANSMTP_PASSWORD", "right");
    finish(command, b"").success();
}

#[test]
fn a_connection_that_is_lost() {
    for verb in ["CONNECT", "EHLO", "MAIL", "DATA"] {
        let server = Scripted::start(move |said, _| match said == verb {
            true => Do::HangUp,
            false => agreeable(said),
        });
        let ended = send(&server, &[]).expect(75, &["the connection was lost", "next: "]);
        assert!(!ended.stderr.contains("unknown"), "{ended:#?}");
    }
}

#[test]
fn lost_behind_the_final_dot_is_unknown_and_not_sent_again() {
    let server = Scripted::start(|verb, _| match verb {
        "." => Do::HangUp,
        _ => agreeable(verb),
    });
    let ended = send(&server, &[]).expect(
        74,
        &[
            "it is unknown whether the message was accepted",
            "next: check whether the message arrived",
        ],
    );
    assert!(
        ended.stdout.contains("unknown   b@example.org\n"),
        "{ended:#?}"
    );
    let log = server.log();
    assert_eq!(
        log.iter().filter(|line| *line == "CONNECT").count(),
        1,
        "{log:?}"
    );
    assert_eq!(log.iter().filter(|line| *line == ".").count(), 1, "{log:?}");
    let ended = send(&server, &["--json"]).expect(74, &[]);
    let object: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(object["recipients"][0]["outcome"], "unknown");
}

#[test]
fn what_a_server_lacks() {
    let bare = Scripted::start(|verb, _| match verb {
        "EHLO" => Do::Say("250-bare\r\n250 SIZE 100"),
        _ => agreeable(verb),
    });
    send(&bare, &[]).expect(65, &["larger than the server takes"]);
    send(&bare, &["--user", "me", "--password", "x"]).expect(78, &["does not offer AUTH"]);
    let starttls = format!("smtp://{}", bare.address);
    run(&[
        "send",
        "--server",
        &starttls,
        "-f",
        "a@example.org",
        "-t",
        "b@example.org",
        "-b",
        "x",
    ])
    .expect(78, &["does not offer STARTTLS", "next: use implicit TLS"]);
    assert!(!bare.log().iter().any(|line| line.starts_with("MAIL")));
    let implicit = format!("smtps://{}", bare.address);
    run(&[
        "send",
        "--server",
        &implicit,
        "-f",
        "a@example.org",
        "-t",
        "b@example.org",
        "-b",
        "x",
    ])
    .expect(76, &["does not speak TLS", "587"]);
}

#[test]
fn large_attachments_arrive_whole() {
    let server = Scripted::start(|verb, _| match verb {
        "EHLO" => Do::Say("250-big\r\n250 PIPELINING"),
        _ => agreeable(verb),
    });
    let file = tempfile::NamedTempFile::with_suffix(".bin").unwrap();
    std::fs::write(file.path(), vec![0xA5; 3_000_000]).unwrap();
    let text = send(&server, &["--attach", file.path().to_str().unwrap()]).success();
    assert!(text.contains("3.9 MiB to "), "{text}");
    let log = server.log();
    let body: usize = log
        .iter()
        .filter(|line| line.starts_with("paWl"))
        .map(String::len)
        .sum();
    assert_eq!(body, 4_000_000);
}

#[test]
fn tokens() {
    // `user=me^Aauth=Bearer t0ken^A^A`, of which ^A is the octet 1.
    const RESPONSE: &str = "AUTH XOAUTH2 dXNlcj1tZQFhdXRoPUJlYXJlciB0MGtlbgEB";
    let server = Scripted::start(|verb, line| match (verb, line) {
        ("EHLO", _) => Do::Say("250-scripted\r\n250 AUTH PLAIN XOAUTH2"),
        ("AUTH", RESPONSE) => Do::Say("235 2.7.0 welcome"),
        ("AUTH", _) => Do::Say("535 5.7.8 bad credentials"),
        _ => agreeable(verb),
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "t0ken\n").unwrap();
    let path = file.path().to_str().unwrap();
    send(&server, &["--user", "me", "--oauth2-token-file", path]).success();
    let arguments = ["--user", "me", "--oauth2-token-env", "TOKEN"];
    let url = server.url();
    let message = ["-f", "a@example.org", "-t", "b@example.org", "-b", "x"];
    let mut command = sansmtp(&[&["send", "--server", &url], &arguments[..], &message].concat());
    command.env("TOKEN", "wrong");
    let ended = finish(command, b"").expect(77, &["535 5.7.8"]);
    assert!(!ended.stderr.contains("wrong"), "{ended:#?}");
}

#[test]
fn a_known_reply_is_explained() {
    let server = Scripted::start(|verb, _| match verb {
        "AUTH" => Do::Say(
            "534-5.7.9 Application-specific password required. Learn more at\r\n\
             534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x - gsmtp",
        ),
        _ => agreeable(verb),
    });
    let login = ["--user", "me", "--password", "x"];
    send(&server, &login).expect(
        77,
        &[
            "error: 127.0.0.1 refused AUTH: 534 5.7.9 Application-specific password required.",
            "meaning: Google wants an app password",
            "next: ",
            "myaccount.google.com/apppasswords",
            "see: https://support.google.com/",
        ],
    );
}

#[test]
fn a_silent_server_does_not_hold_the_command() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp+danger-plaintext://{}", silent.local_addr().unwrap());
    let arguments = [
        "send",
        "--server",
        &url,
        "--timeout",
        "1",
        "-f",
        "a@example.org",
        "-t",
        "b@example.org",
        "-b",
        "x",
    ];
    run(&arguments).expect(
        75,
        &["took too long at the greeting", "next: check host, port"],
    );
}
