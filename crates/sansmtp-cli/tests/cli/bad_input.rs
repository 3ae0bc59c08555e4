//! Each kind of bad input has an error of its own: what was wrong, what to do.

use crate::support::{finish, run, run_with, sansmtp};

const GOOD: [&str; 9] = [
    "send",
    "--server",
    "smtp://server.invalid",
    "--from",
    "a@example.org",
    "--to",
    "b@example.org",
    "--body",
    "x",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&GOOD[..], more].concat()
}

/// Replaces the value of an option of [`GOOD`].
fn replaced<'a>(option: &str, value: &'a str) -> Vec<&'a str> {
    let mut arguments = GOOD.to_vec();
    let at = arguments.iter().position(|word| *word == option).unwrap();
    arguments[at + 1] = value;
    arguments
}

#[test]
fn malformed_addresses() {
    for (address, says) in [
        ("bob", "`bob`: the mailbox has no @"),
        ("", "``: the mailbox has no @"),
        ("a b@example.org", "the part before the @ is not valid"),
        ("a@-x", "the part after the @ is not a domain name"),
        ("Jo <a@example.org", "the angle brackets do not match"),
        ("a@example.org\r\nRCPT TO:<evil@example.org>", "line break"),
        ("Jo\r\nBcc: evil@example.org <a@example.org>", "line break"),
        ("ä@example.org", "outside ASCII"),
    ] {
        for option in ["--from", "--to"] {
            let ended = run(&replaced(option, address)).expect(65, &[says, option, "\nnext: "]);
            assert_eq!(ended.stderr.lines().count(), 2, "{ended:#?}");
        }
        for option in ["--cc", "--bcc", "--reply-to"] {
            run(&with(&[option, address])).expect(65, &[says, option]);
        }
    }
    run(&with(&["--envelope-from", "x y"])).expect(65, &["--envelope-from"]);
}

#[test]
fn line_breaks_in_any_field() {
    run(&with(&["--subject", "a\r\nBcc: x@example.org"]))
        .expect(65, &["error: Subject: has a line break", "next: remove it"]);
    run(&with(&["--subject", "a\nb"])).expect(65, &["line break"]);
    run(&with(&["--header", "X-A: b\r\nBcc: c@example.org"])).expect(65, &["line break"]);
    run(&with(&["--header", "X A: b"])).expect(65, &["no header name can have"]);
    run(&with(&["--header", "Subject: b"])).expect(65, &["written from other fields"]);
    run(&with(&["--header", "X-A"])).expect(64, &["has no colon", "write --header 'Name: value'"]);
    run(&with(&["--in-reply-to", "<a@b>\r\nX: y"])).expect(65, &["In-Reply-To"]);
    run(&with(&["--ehlo", "a\r\nMAIL FROM:<>"])).expect(64, &["EHLO name"]);
    run(&replaced("--server", "smtp://a\r\nb")).expect(64, &["no valid host name"]);
    run(&with(&["--user", "a\r\nb", "--password", "x"])).expect(78, &["control character"]);
}

#[test]
fn servers_and_providers() {
    for url in [
        "mail.example.org",
        "http://x",
        "smtps://",
        "smtps://h:99999",
    ] {
        run(&replaced("--server", url))
            .expect(64, &["server URL", "next: write --server smtps://"]);
    }
    let message = [
        "--from",
        "a@example.org",
        "--to",
        "b@example.org",
        "--body",
        "x",
    ];
    let unknown = [&["send", "--provider", "gmial"][..], &message].concat();
    run(&unknown).expect(64, &["unknown provider `gmial`", "did you mean `gmail`"]);
    let none = [&["send"][..], &message].concat();
    run(&none).expect(
        78,
        &[
            "no server given, and none is known for example.org",
            "--provider",
        ],
    );
    let both = with(&["--provider", "gmail"]);
    run(&both).expect(64, &["cannot be used with"]);
    let closed = [
        "send",
        "--from",
        "a@tuta.com",
        "--to",
        "b@example.org",
        "--body",
        "x",
    ];
    run(&closed).expect(69, &["offers no SMTP"]);
    let tls = [
        &["send", "--server", "smtps://h", "--danger-plaintext"][..],
        &message,
    ]
    .concat();
    run(&tls).expect(64, &["--danger-plaintext goes with"]);
}

#[test]
fn missing_passwords() {
    let ended = run(&with(&["--user", "me"])).expect(
        78,
        &[
            "error: no password for me: the environment variable SANSMTP_PASSWORD is not set",
            "next: set SANSMTP_PASSWORD, or name a file with --password-file",
        ],
    );
    assert_eq!(ended.stdout, "");
    let gmail = [
        "send",
        "--from",
        "a@gmail.com",
        "--to",
        "b@example.org",
        "--body",
        "x",
    ];
    run(&gmail).expect(
        78,
        &[
            "no password",
            "meaning: Your ordinary Google password is refused",
            "see: https://",
        ],
    );
    run(&with(&[
        "--user",
        "me",
        "--password-env",
        "NO_SUCH_VARIABLE",
    ]))
    .expect(78, &["NO_SUCH_VARIABLE is not set"]);
    run(&with(&["--user", "me", "--password-file", "/no/such/file"]))
        .expect(66, &["can not read /no/such/file", "next: check the path"]);
    run(&with(&[
        "--user",
        "me",
        "--oauth2-token-env",
        "NO_SUCH_VARIABLE",
    ]))
    .expect(78, &["no OAuth2 token"]);
    run(&with(&["--password", "x"])).expect(64, &["no user name"]);
    let outlook = [
        "send",
        "--from",
        "a@outlook.com",
        "--to",
        "b@example.org",
        "--body",
        "x",
    ];
    run(&outlook).expect(78, &["takes no password", "OAuth2 access token"]);
}

#[test]
fn secret_files() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    run(&with(&["--user", "me", "--password-file", path])).expect(78, &["is empty"]);
    std::fs::write(path, vec![b'x'; 100_000]).unwrap();
    run(&with(&["--user", "me", "--password-file", path])).expect(65, &["no file of secrets"]);
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret\n").unwrap();
    let path = file.path().to_str().unwrap();
    let address = closed();
    let server = format!("smtp://{address}");
    let send = |server: &str, more: &[&str]| {
        let message = ["-f", "a@example.org", "-t", "b@example.org", "-b", "x"];
        run(&[&["send", "--server", server][..], more, &message].concat())
    };
    let login = ["--user", "me", "--password-file", path];
    let mode = |mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o644);
    send(&server, &login).expect(69, &["warning: other users can read", "chmod 600"]);
    mode(0o600);
    let ended = send(&server, &login).expect(69, &[]);
    assert!(!ended.stderr.contains("warning"), "{ended:#?}");
    let ended = send(&server, &["--user", "me", "--password", "s3cret"]);
    let ended = ended.expect(69, &["warning: a password on the command line"]);
    assert!(!ended.stderr.contains("s3cret"));
    let ended = send(&format!("smtp://me:s3cret@{address}"), &[]);
    let ended = ended.expect(69, &["warning: a password in a URL"]);
    assert!(!ended.stderr.contains("s3cret"));
}

/// An address where nothing listens: a listener there has just been closed.
fn closed() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn texts_and_files() {
    let message = [
        "send",
        "--server",
        "smtp://server.invalid",
        "-f",
        "a@example.org",
        "-t",
        "b@example.org",
    ];
    let with = |more: &[&'static str]| [&message[..], more].concat();
    run(&with(&["--body-file", "/no/such/file"])).expect(
        66,
        &["can not read /no/such/file: no such file", "check the path"],
    );
    run(&with(&["-b", "x", "--attach", "/no/such/file"]))
        .expect(66, &["can not read /no/such/file"]);
    run(&with(&["-b", "x", "--attach", "/"])).expect(66, &["is a directory"]);
    run(&with(&["-b", "x", "--ca", "/no/such/file"])).expect(66, &["can not read"]);
    run_with(&with(&[]), b"\xff\xfe").expect(65, &["standard input is not UTF-8", "iconv"]);
    run(&["send", "-f", "a@example.org", "--body", "x"]).expect(64, &["the mail has no recipient"]);
    run(&["send", "-t", "a@example.org", "--body", "x"]).expect(64, &["--from"]);
}

#[test]
fn finished_messages_that_can_not_be_sent() {
    let eml = |text: &[u8]| {
        run_with(
            &["send", "--server", "smtp://server.invalid", "--eml", "-"],
            text,
        )
    };
    eml(b"Hello there\n").expect(65, &["line 1 is no header", "begin with headers"]);
    eml(b"To: a@example.org\n\nx").expect(65, &["names no sender", "--from"]);
    eml(b"From: a@example.org\n\nx").expect(65, &["names no recipient", "--to"]);
    eml(b"From: a@example.org\nTo: bob\n\nx").expect(65, &["`bob`", "name@example.org"]);
    run(&["send", "--eml", "/no/such/file"]).expect(66, &["can not read"]);
    run(&["send", "--eml", "x", "--subject", "y"]).expect(64, &["cannot be used with"]);
}

#[test]
fn unreachable_hosts() {
    run(&replaced("--server", "smtp://nosuch.invalid")).expect(
        68,
        &[
            "the host nosuch.invalid could not be looked up",
            "next: check the spelling",
        ],
    );
    let address = closed();
    run(&replaced("--server", &format!("smtp://{address}"))).expect(
        69,
        &[
            "can not connect to 127.0.0.1",
            "connection refused",
            "next: check host and port",
        ],
    );
}

#[test]
fn failures_are_json_too() {
    let mut command = sansmtp(&replaced("--to", "bob"));
    command.arg("--json");
    let ended = finish(command, b"").expect(65, &["no @"]);
    let object: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(object["sent"], false);
    assert_eq!(object["error"]["exit_code"], 65);
    assert!(object["error"]["what"].as_str().unwrap().contains("no @"));
}
