//! What the table of providers shows.

use crate::support::{run, sansmtp};
use serde_json::Value;

#[test]
fn the_table_lists_everything() {
    let text = run(&["providers"]).success();
    let line = |id: &str| {
        let mut lines = text.lines();
        lines
            .find(|line| line.split_whitespace().next() == Some(id))
            .unwrap_or_else(|| panic!("no {id} in\n{text}"))
            .to_owned()
    };
    assert!(line("gmail").contains("smtp.gmail.com:465"));
    assert!(line("gmail").contains("app password"));
    assert!(line("microsoft365").contains("smtp.office365.com:587"));
    assert!(line("microsoft365").contains("STARTTLS"));
    for id in [
        "outlook", "yahoo", "icloud", "gmx", "fastmail", "zoho", "sendgrid", "mailgun",
    ] {
        line(id);
    }
}

#[test]
fn one_is_shown_with_all_a_person_needs() {
    for name in [
        "gmail",
        "Google Mail",
        "someone@googlemail.com",
        "smtp.gmail.com",
    ] {
        let text = run(&["providers", name]).success();
        for part in [
            "Gmail (gmail)",
            "smtp.gmail.com:465 (implicit TLS)",
            "smtp.gmail.com:587 (STARTTLS)",
            "imap.gmail.com:993",
            "pop.gmail.com:995",
            "app password",
            "the whole mail address",
            "myaccount.google.com/apppasswords",
            "https://support.google.com/",
        ] {
            assert!(text.contains(part), "no {part:?} for {name} in\n{text}");
        }
    }
}

#[test]
fn a_slip_of_the_hand_is_noticed() {
    run(&["providers", "gmial"]).expect(
        64,
        &[
            "error: unknown provider `gmial`",
            "next: did you mean `gmail` (Gmail)?",
        ],
    );
    run(&["providers", "someone@gmial.com"]).expect(64, &["did you mean `gmail`"]);
    run(&["providers", "no such thing at all"])
        .expect(64, &["next: give the server with --server"]);
}

#[test]
fn as_json() {
    let all: Value = serde_json::from_str(&run(&["providers", "--json"]).success()).unwrap();
    assert!(all.as_array().unwrap().len() > 30);
    let one: Value = serde_json::from_str(&run(&["providers", "gmx", "--json"]).success()).unwrap();
    assert_eq!(one["id"], "gmx");
    assert_eq!(one["smtp"][0]["port"], 465);
    assert_eq!(one["smtp"][0]["security"], "tls");
    assert!(one["imap"][0]["host"].as_str().unwrap().contains("imap"));
}

/// What nobody got is no success, unless the reader has seen enough.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    for arguments in [
        &["providers"][..],
        &["providers", "gmail"],
        &[
            "send",
            "--dry-run",
            "--server",
            "smtps://mail.example.org",
            "--from",
            "a@example.org",
            "--to",
            "b@example.org",
            "--body",
            "x",
        ],
    ] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let mut command = sansmtp(arguments);
        let output = command.stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(74), "{arguments:?}: {said}");
        assert!(
            said.contains("error: the output can not be written"),
            "{said}"
        );

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = sansmtp(arguments).stdout(writer).status().unwrap();
        assert!(status.success(), "{arguments:?}: {status}");
    }
}
