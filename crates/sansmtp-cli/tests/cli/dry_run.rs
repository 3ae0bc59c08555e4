//! Dry runs: what would be sent, to whom, and how.

use crate::support::{run, run_with};
use serde_json::Value;

const SERVER: [&str; 4] = [
    "send",
    "--server",
    "smtps://me@mail.example.org",
    "--dry-run",
];

fn send(arguments: &[&str]) -> Vec<String> {
    [&SERVER, arguments]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn dry_run(arguments: &[&str], stdin: &[u8]) -> String {
    let arguments = send(arguments);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    run_with(&arguments, stdin).success()
}

#[test]
fn envelope_security_and_message_are_shown_without_a_password() {
    let text = dry_run(
        &[
            "--from",
            "Zoë <me@example.org>",
            "--to",
            "a@example.org, \"Doe, Jo\" <b@example.org>",
            "--cc",
            "c@example.org",
            "--bcc",
            "hidden@example.org",
            "--to",
            "a@example.org",
            "--subject",
            "93 °C",
            "--body",
            "hot\n.\n",
        ],
        b"",
    );
    for part in [
        "smtps://mail.example.org:465 (implicit TLS)",
        "sign-in    me\n",
        "MAIL FROM  <me@example.org>",
        "RCPT TO    <hidden@example.org>",
        "\r\nSubject: =?utf-8?B?OTMgwrBD?=\r\n",
        "\r\nCc: c@example.org\r\n",
        "\"Doe, Jo\" <b@example.org>",
        "\r\n\r\nhot\r\n.\r\n",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert_eq!(text.matches("RCPT TO    <a@example.org>").count(), 1);
    let (_, message) = text.split_once("\n\n").unwrap();
    assert!(
        !message.contains("hidden"),
        "Bcc is not in the message:\n{message}"
    );
}

#[test]
fn the_provider_follows_from_the_address() {
    let ended = run(&[
        "send",
        "--from",
        "me@gmail.com",
        "--to",
        "you@example.org",
        "--body",
        "x",
        "--dry-run",
    ])
    .expect(
        0,
        &["note: me@gmail.com is at Gmail: using smtps://smtp.gmail.com:465"],
    );
    assert!(ended.stdout.contains("sign-in    me@gmail.com"));
}

#[test]
fn attachments_are_streamed_with_guessed_and_given_types() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("pump 7.csv"), "t,c\r\n1,93\r\n").unwrap();
    std::fs::write(path("raw"), vec![b'x'; 200_000]).unwrap();
    let typed = format!("{}:application/x-raw", path("raw"));
    let text = dry_run(
        &[
            "-f",
            "a@b.example",
            "-t",
            "c@d.example",
            "-b",
            "see",
            "-a",
            &path("pump 7.csv"),
            "-a",
            &typed,
            "--header",
            "X-Device: pump 7",
        ],
        b"",
    );
    assert!(text.contains("Content-Type: text/csv"), "{text}");
    assert!(text.contains("\"pump 7.csv\""), "{text}");
    assert!(text.contains("Content-Type: application/x-raw"), "{text}");
    assert!(text.contains("\r\nX-Device: pump 7\r\n"), "{text}");
    assert!(text.contains("dCxjDQoxLDkzDQo="), "{text}");
    // 200,000 octets of x.
    assert_eq!(text.matches("eHh4").count(), 200_000 / 3);
}

#[test]
fn texts_come_from_files_and_standard_input() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "<p>Grüße</p>").unwrap();
    let html = file.path().to_str().unwrap();
    let envelope = ["-f", "a@b.example", "-t", "c@d.example"];
    let text = dry_run(&envelope, b"from a pipe\n");
    assert!(text.ends_with("\r\n\r\nfrom a pipe\r\n"), "{text}");
    let both = [&envelope[..], &["--body-file", "-", "--html-file", html]].concat();
    let text = dry_run(&both, b"plain\n");
    assert!(
        text.contains("multipart/alternative") && text.contains("plain"),
        "{text}"
    );
    let only = [&envelope[..], &["--html-file", html]].concat();
    let text = dry_run(&only, b"");
    assert!(
        text.contains("text/html") && !text.contains("multipart"),
        "{text}"
    );
}

#[test]
fn finished_messages_lose_bcc_and_keep_the_rest() {
    let eml = b"From: Jo <jo@example.org>\nTo: a@example.org\nBcc: b@example.org\nSubject: x\n\n.dot\nend";
    let text = dry_run(&["--eml", "-"], eml);
    assert!(text.contains("MAIL FROM  <jo@example.org>"), "{text}");
    assert!(
        text.contains("RCPT TO    <a@example.org>\nRCPT TO    <b@example.org>"),
        "{text}"
    );
    let (_, message) = text.split_once("\n\n").unwrap();
    assert_eq!(
        message,
        "From: Jo <jo@example.org>\r\nTo: a@example.org\r\nSubject: x\r\n\r\n.dot\r\nend\r\n"
    );
    let text = dry_run(
        &[
            "--eml",
            "-",
            "--from",
            "other@example.org",
            "--to",
            "z@example.org",
        ],
        eml,
    );
    assert!(text.contains("MAIL FROM  <other@example.org>"), "{text}");
    assert_eq!(text.matches("RCPT TO").count(), 1, "{text}");
    let text = dry_run(&["--eml", "-", "--envelope-from", ""], eml);
    assert!(text.contains("MAIL FROM  <>"), "{text}");
}

#[test]
fn as_json() {
    let text = dry_run(
        &[
            "-f",
            "a@b.example",
            "-t",
            "c@d.example",
            "-b",
            "x",
            "--json",
        ],
        b"",
    );
    let object: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(object["server"], "smtps://mail.example.org:465");
    assert_eq!(object["mail_from"], "a@b.example");
    assert_eq!(object["rcpt_to"][0], "c@d.example");
    let message = object["message"].as_str().unwrap();
    assert_eq!(object["size"], message.len());
    assert!(message.contains(object["message_id"].as_str().unwrap()));
}

#[test]
fn texts_may_begin_with_a_hyphen() {
    let text = dry_run(
        &[
            "-f",
            "a@b.example",
            "-t",
            "c@d.example",
            "-s",
            "-5 degrees",
            "-b",
            "- one\n- two\n",
        ],
        b"",
    );
    assert!(text.contains("\r\nSubject: -5 degrees\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n- one\r\n- two\r\n"), "{text}");
}
