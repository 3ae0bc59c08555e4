//! Checks: every step, its verdict, and what to do.

use crate::served::Served;
use crate::support::{Do, Scripted, agreeable, run};
use serde_json::Value;

#[test]
fn everything_works() {
    let served = Served::start(&["--hostname", "mail.example.org"]);
    for url in &served.urls {
        let ended = run(&[
            "check",
            url,
            "--ca",
            &served.path("ca.pem"),
            "--user",
            "me",
            "--password-file",
            &served.path("password"),
        ]);
        let text = ended.success();
        for part in [
            "ok     name look-up",
            "ok     connect",
            "ok     greeting",
            "220 mail.example.org",
            "ok     EHLO",
            "PIPELINING",
            "AUTH PLAIN/LOGIN",
            "ok     TLS",
            "TLSv1_3",
            "subject",
            "CN=mail.example.org",
            "127.0.0.1",
            " days left)",
            "ok     AUTH",
            "accepted with PLAIN",
            "Everything works: signed in as me; no mail was sent",
        ] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        assert!(
            !text.contains("failed") && !text.contains("s3cret"),
            "{text}"
        );
    }
    assert!(served.mails().is_empty());
}

#[test]
fn what_fails_is_shown_and_explained() {
    let served = Served::start(&[]);
    let (url, ca) = (served.urls[1].as_str(), served.path("ca.pem"));
    let untrusted = run(&["check", url]).expect(
        77,
        &["is not trusted", "--ca FILE", "the sign-in is not checked"],
    );
    assert!(untrusted.stdout.contains("failed TLS"), "{untrusted:#?}");
    assert!(
        untrusted.stdout.contains("issuer"),
        "the certificate is shown: {untrusted:#?}"
    );
    std::fs::write(served.path("wrong"), "wr0ng").unwrap();
    let refused = run(&[
        "check",
        url,
        "--ca",
        &ca,
        "--user",
        "me",
        "--password-file",
        &served.path("wrong"),
    ])
    .expect(77, &["535 5.7.8", "next: "]);
    assert!(refused.stdout.contains("failed AUTH"), "{refused:#?}");
    assert!(refused.stdout.contains("ok     TLS"), "{refused:#?}");
    let crossed = url.replace("smtps://", "smtp+danger-plaintext://");
    run(&["check", &crossed, "--timeout", "2"]).expect(75, &["next: "]);
}

#[test]
fn steps_before_tls() {
    let ended = run(&["check", "smtp://nosuch.invalid"]).expect(68, &["could not be looked up"]);
    assert!(ended.stdout.contains("failed name look-up"), "{ended:#?}");
    let server = Scripted::start(|verb, _| match verb {
        "CONNECT" => Do::Say("554 5.3.2 no service for you"),
        _ => agreeable(verb),
    });
    let ended =
        run(&["check", &server.url()]).expect(69, &["554 5.3.2 no service for you", "next: "]);
    assert!(ended.stdout.contains("failed greeting"), "{ended:#?}");
    let server = Scripted::start(|verb, _| agreeable(verb));
    let starttls = format!("smtp://{}", server.address);
    let ended = run(&["check", &starttls]).expect(78, &["does not offer STARTTLS"]);
    assert!(ended.stdout.contains("ok     greeting"), "{ended:#?}");
}

#[test]
fn as_json() {
    let served = Served::start(&[]);
    let text = run(&[
        "check",
        &served.urls[1],
        "--ca",
        &served.path("ca.pem"),
        "--json",
    ])
    .success();
    let object: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(object["ok"], true);
    assert_eq!(object["steps"][0]["step"], "name look-up");
    assert!(object["certificate"]["days_left"].as_i64().unwrap() > 300);
    let names = object["certificate"]["names"].as_array().unwrap();
    assert!(names.contains(&Value::from("localhost")), "{names:?}");
    let ended = run(&["check", &served.urls[1], "--json"]).expect(77, &[]);
    let object: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(object["ok"], false);
    assert_eq!(object["error"]["exit_code"], 77);
    let ended = run(&["check", "gmial", "--json"]).expect(64, &["did you mean `gmail`"]);
    let object: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(object["ok"], false);
}

#[test]
fn wrong_targets() {
    run(&["check"]).expect(64, &["PROVIDER|ADDRESS|URL"]);
    run(&["check", "gmial"]).expect(64, &["did you mean `gmail`"]);
    run(&["check", "http://x"]).expect(64, &["server URL must begin"]);
    run(&["check", "a@@b"]).expect(65, &["the address `a@@b`"]);
    run(&["check", "a@unknown.example"]).expect(78, &["none is known for unknown.example"]);
    run(&["check", "tuta"]).expect(69, &["offers no SMTP"]);
    run(&["check", "me@gmail.com"]).expect(78, &["no password for me@gmail.com"]);
}
