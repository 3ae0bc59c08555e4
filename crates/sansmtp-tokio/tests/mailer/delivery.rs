//! Messages that are delivered, to all or to some.

use super::peer::{Certificates, Listener, Notes, ONE};
use super::{MESSAGE, envelope, recipients};
use sansmtp_tokio::Mailer;
use sansmtp_tokio::client::{Content, Error, Finding};
use sansmtp_tokio::sansmtp::config::{OwnedConfig, OwnedCredentials, Security};
use sansmtp_tokio::sansmtp::envelope::Outcome;
use sansmtp_tokio::sansmtp::error::Stage;
use sansmtp_tokio::sansmtp::message::{Address, Attachment, Builder, Content as Part, Date, Mail};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn plain() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        let content = peer.take_message().await;
        assert_eq!(content, "Subject: t\r\n\r\n..dot\r\nend");
        peer.quit().await;
    };
    let client = async {
        let report = mailer
            .send(&envelope, "Subject: t\n\n.dot\nend")
            .await
            .unwrap();
        assert!(report.all_delivered());
        assert_eq!(report.delivered().count(), 1);
        assert_eq!(report.recipients[0].address(), "a@example.org");
        let reply = report.recipients[0].reply.as_ref().unwrap();
        assert_eq!(reply.to_string(), "250 2.1.5 recipient ok");
        assert_eq!(report.reply.unwrap().text(), "queued as 42");
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_mail_of_parts() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let mail = Mail::new("Anna <anna@example.org>")
        .to("a@example.org")
        .bcc("b@example.org")
        .subject("t")
        .text("Hello\n.\n")
        .attach("a.txt", "text/plain", "octets");
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.expect("MAIL FROM:<anna@example.org>").await;
        peer.say("250 2.1.0 ok").await;
        for recipient in ["a", "b"] {
            peer.expect(&format!("RCPT TO:<{recipient}@example.org>"))
                .await;
            peer.say("250 2.1.5 ok").await;
        }
        peer.expect("DATA").await;
        peer.say("354 go ahead").await;
        let content = peer.content().await;
        assert!(
            content.contains("\r\nFrom: Anna <anna@example.org>\r\n"),
            "{content}"
        );
        assert!(content.starts_with("Date: "), "{content}");
        assert!(content.contains("\r\n\r\nHello\r\n..\r\n"), "{content}");
        assert!(content.contains("b2N0ZXRz"), "{content}");
        assert!(!content.contains("b@example.org"), "{content}");
        peer.say("250 2.0.0 queued").await;
        peer.quit().await;
    };
    let client = async {
        let report = mailer.send_mail(&mail).await.unwrap();
        assert_eq!(report.delivered().count(), 2);
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_mail_with_a_mistake_needs_no_server() {
    let config = OwnedConfig::new("mail.invalid", Security::DangerPlaintext).unwrap();
    let mailer = Mailer::new(config).unwrap();
    for (mail, text) in [
        (
            Mail::new("anna@example.org").to("ben"),
            "To \"ben\": the mailbox has no @; write user@domain",
        ),
        (
            Mail::new("anna@example.org"),
            "nobody is to get it; add a recipient",
        ),
        (
            Mail::new("anna@example.org")
                .to("b@example.org")
                .subject("a\r\nBcc: x"),
            "Subject: has a line break; remove it",
        ),
    ] {
        let error = mailer.send_mail(&mail).await.unwrap_err();
        assert_eq!(error.to_string(), text);
        assert!(matches!(error, Error::Mail(_)));
        assert_eq!(
            error.next_step(),
            "correct that part of the mail; nothing was sent"
        );
    }
}

#[tokio::test]
async fn starttls_with_password() {
    let listener = Listener::bind().await;
    let certificates = Certificates::good();
    let credentials = OwnedCredentials::password("me", "pw").unwrap();
    let config = listener
        .config(Security::StartTls)
        .with_credentials(credentials);
    let mailer = certificates.mailer(config);
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let peer = listener.accept_session("STARTTLS").await;
        let mut peer = peer.starttls(&certificates).await;
        peer.hello("AUTH PLAIN LOGIN").await;
        peer.expect("AUTH PLAIN AG1lAHB3").await;
        peer.say("235 2.7.0 welcome").await;
        peer.take_message().await;
        peer.quit().await;
    };
    let client = async {
        let report = mailer.send(&envelope, MESSAGE).await.unwrap();
        assert!(report.all_delivered());
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn implicit_tls() {
    let listener = Listener::bind().await;
    let certificates = Certificates::good();
    let mailer = certificates.mailer(listener.config(Security::ImplicitTls));
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept().await.tls(&certificates).await.unwrap();
        peer.say("220 hi").await;
        peer.hello("").await;
        peer.take_message().await;
        peer.quit().await;
    };
    let client = async {
        assert!(
            mailer
                .send(&envelope, MESSAGE)
                .await
                .unwrap()
                .all_delivered()
        );
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn each_flight_is_one_write_and_a_message_takes_two_round_trips() {
    let listener = Listener::bind().await;
    let notes = Arc::new(Notes::default());
    let mailer = Mailer::builder(listener.config(Security::DangerPlaintext))
        .pool(ONE)
        .tap(notes.clone())
        .build()
        .unwrap();
    let addresses: Vec<String> = (0..50).map(|n| format!("r{n}@example.org")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let to = recipients(&addresses);
    let envelope = envelope(&to);
    let content = format!("Subject: t\r\n\r\n{}\r\n", "x".repeat(70).repeat(14));
    let server = async {
        let mut peer = listener.accept_session("PIPELINING,SIZE 1000000").await;
        for _ in 0..2 {
            let commands = peer.flight().await;
            let size = format!("MAIL FROM:<me@example.org> SIZE={}\r\n", content.len());
            assert!(commands.starts_with(&size), "{commands}");
            assert!(commands.ends_with("RCPT TO:<r49@example.org>\r\nDATA\r\n"));
            peer.write(format!("{}354 go\r\n", "250 ok\r\n".repeat(51)).as_bytes())
                .await;
            assert_eq!(peer.flight().await, format!("{content}.\r\n"));
            peer.say("250 ok").await;
        }
        peer.quit().await;
    };
    let client = async {
        mailer.send(&envelope, &content).await.unwrap();
        notes.clear();
        mailer.send(&envelope, &content).await.unwrap();
        assert_eq!(notes.sent().len(), 2, "{:?}", notes.sent());
        assert_eq!(notes.round_trips(), 2);
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn with_chunking_a_small_message_is_one_write_and_one_round_trip() {
    let listener = Listener::bind().await;
    let notes = Arc::new(Notes::default());
    let mailer = Mailer::builder(listener.config(Security::DangerPlaintext))
        .pool(ONE)
        .tap(notes.clone())
        .build()
        .unwrap();
    let to = recipients(&["a@example.org", "b@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener
            .accept_session("PIPELINING,CHUNKING,SIZE 1000000")
            .await;
        for _ in 0..2 {
            assert_eq!(
                peer.flight().await,
                "MAIL FROM:<me@example.org> SIZE=20\r\nRCPT TO:<a@example.org>\r\n\
                 RCPT TO:<b@example.org>\r\nBDAT 18\r\nSubject: t\r\n\r\n.endBDAT 2 LAST\r\n\r\n"
            );
            peer.write("250 ok\r\n".repeat(5).as_bytes()).await;
        }
        peer.quit().await;
    };
    let client = async {
        let content = "Subject: t\n\n.end";
        mailer.send(&envelope, content).await.unwrap();
        notes.clear();
        let report = mailer.send(&envelope, content).await.unwrap();
        assert!(report.all_delivered());
        assert_eq!(notes.sent().len(), 1, "{:?}", notes.sent());
        assert_eq!(notes.round_trips(), 1);
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_lost_connection_behind_the_last_chunk_is_not_tried_again() {
    let listener = Listener::bind().await;
    let mailer = Mailer::builder(listener.config(Security::DangerPlaintext))
        .pool(ONE)
        .build()
        .unwrap();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING,CHUNKING").await;
        peer.flight().await;
        peer.write("250 ok\r\n".repeat(4).as_bytes()).await;
        // The second message is read whole; then the connection ends.
        assert!(peer.flight().await.contains("LAST"));
    };
    let client = async {
        mailer.send(&envelope, MESSAGE).await.unwrap();
        let error = mailer.send(&envelope, MESSAGE).await.unwrap_err();
        let report = error.report().expect("a report");
        assert_eq!(report.recipients[0].outcome, Outcome::Unknown);
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_large_message_goes_out_in_large_writes() {
    let listener = Listener::bind().await;
    let notes = Arc::new(Notes::default());
    let mailer = Mailer::builder(listener.config(Security::DangerPlaintext))
        .tap(notes.clone())
        .build()
        .unwrap();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let line = format!("{}\r\n", "y".repeat(76));
    let content = line.repeat(1_000_000 / line.len());
    let server = async {
        let mut peer = listener.accept_session("").await;
        assert_eq!(peer.take_message().await + "\r\n", content);
        peer.quit().await;
    };
    let client = async {
        // A reader gives small pieces; they are gathered.
        let reader = Content::reader(content.as_bytes()).with_length(content.len() as u64);
        mailer.send(&envelope, reader).await.unwrap();
        let sent = notes.sent();
        let largest = sent.iter().map(String::len).max().unwrap();
        assert!(largest > 32 * 1024, "{largest}");
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_composed_message_with_a_streamed_attachment() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let file: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let parts = |content| {
        [Attachment::new(
            "a.bin",
            "application/octet-stream",
            content,
        )]
    };
    let in_memory = parts(Part::Bytes(&file));
    let streamed = parts(Part::Streamed {
        size: Some(file.len()),
    });
    let from = [Address::parse("me@example.org").unwrap()];
    let message = |attachments| {
        Builder::new()
            .from(&from)
            .date(Date::from_unix(1_750_000_000, 0).unwrap())
            .entropy([7; 16])
            .text("See the file.")
            .attachments(attachments)
            .build()
            .unwrap()
    };
    let expected = message(&in_memory).to_vec().unwrap();
    let composed = message(&streamed);
    let server = async {
        let mut peer = listener.accept_session("SIZE").await;
        let mail = format!("MAIL FROM:<me@example.org> SIZE={}", expected.len());
        peer.expect(&mail).await;
        peer.say("250 ok").await;
        peer.expect("RCPT TO:<a@example.org>").await;
        peer.say("250 ok").await;
        peer.expect("DATA").await;
        peer.say("354 go").await;
        let content = peer.content().await + "\r\n";
        assert!(content.as_bytes() == expected);
        peer.say("250 ok").await;
        peer.quit().await;
    };
    let client = async {
        let content = Content::message(&composed).attachment(0, &file[..]);
        let report = mailer.send(&envelope, content).await.unwrap();
        assert!(report.all_delivered());
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn one_recipient_is_refused() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org", "no@example.org", "c@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.say("250 ok").await;
        peer.say("250 ok").await;
        peer.say("550-5.1.1 no such user;").await;
        peer.say("550 5.1.1 ask \x1b[31mthe postmaster").await;
        peer.say("251 2.1.5 will forward").await;
        peer.say("354 go").await;
        peer.content().await;
        peer.say("250 ok").await;
        peer.quit().await;
    };
    let client =
        async {
            let report = mailer.send(&envelope, MESSAGE).await.unwrap();
            assert!(!report.all_delivered());
            assert_eq!(
                (report.delivered().count(), report.refused().count()),
                (2, 1)
            );
            let refused = report.refused().next().unwrap();
            assert_eq!(refused.address(), "no@example.org");
            let Outcome::Refused { code, enhanced } = refused.outcome else {
                panic!("{refused:?}");
            };
            assert_eq!(
                (code.get(), enhanced.unwrap().to_string()),
                (550, "5.1.1".into())
            );
            let reply = refused.reply.as_ref().unwrap();
            assert_eq!(reply.text(), "no such user;\nask \\u{1b}[31mthe postmaster");
            assert_eq!(reply.lines().count(), 2);
            let explanation = report.explanation(refused).unwrap();
            assert!(!explanation.next_step.is_empty());
            assert!(report.explanation(&report.recipients[0]).is_none());
            let line = report.to_string();
            assert!(line.starts_with(
                "delivered to 2 of 3 recipients; no@example.org was refused: 550 5.1.1"
            ));
            mailer.close().await;
        };
    tokio::join!(server, client);
}

#[tokio::test]
async fn the_message_is_delivered_although_quit_fails() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.take_message().await;
        // Gone, without waiting for QUIT.
        drop(peer);
    };
    let client = async {
        assert!(
            mailer
                .send(&envelope, MESSAGE)
                .await
                .unwrap()
                .all_delivered()
        );
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn the_transcript_shows_no_password() {
    let listener = Listener::bind().await;
    let certificates = Certificates::good();
    let credentials = OwnedCredentials::password("me", "pw").unwrap();
    let config = listener
        .config(Security::StartTls)
        .with_credentials(credentials);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    let mailer = Mailer::builder(config)
        .tls(certificates.trusted())
        .transcript(move |_, entry| sink.lock().unwrap().push(entry.to_string()))
        .build()
        .unwrap();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let peer = listener.accept_session("STARTTLS").await;
        let mut peer = peer.starttls(&certificates).await;
        peer.hello("AUTH PLAIN").await;
        peer.line().await;
        peer.say("235 welcome").await;
        peer.take_message().await;
        peer.quit().await;
    };
    let client = async {
        mailer.send(&envelope, MESSAGE).await.unwrap();
        mailer.close().await;
    };
    tokio::join!(server, client);
    let expected = "\
S: 220 mx.example.org ESMTP
C: EHLO [127.0.0.1]
S: 250-mx.example.org
S: 250-STARTTLS
S: 250 HELP
C: STARTTLS
S: 220 2.0.0 go on
-- TLS --
C: EHLO [127.0.0.1]
S: 250-mx.example.org
S: 250-AUTH PLAIN
S: 250 HELP
C: AUTH PLAIN ****
S: 235 welcome
C: MAIL FROM:<me@example.org>
S: 250 2.1.0 sender ok
C: RCPT TO:<a@example.org>
S: 250 2.1.5 recipient ok
C: DATA
S: 354 go on
C: [21 octets of content]
S: 250 2.0.0 queued as 42
C: QUIT
S: 221 2.0.0 bye";
    assert_eq!(lines.lock().unwrap().join("\n"), expected);
}

#[tokio::test]
async fn check_of_a_good_server() {
    let listener = Listener::bind().await;
    let certificates = Certificates::good();
    let credentials = OwnedCredentials::password("me", "pw").unwrap();
    let config = listener
        .config(Security::ImplicitTls)
        .with_credentials(credentials);
    let mailer = certificates.mailer(config);
    let server = async {
        let mut peer = listener.accept().await.tls(&certificates).await.unwrap();
        peer.say("220 hi").await;
        peer.hello("AUTH PLAIN,SIZE 1000").await;
        peer.line().await;
        peer.say("235 welcome").await;
        peer.quit().await;
    };
    let (_, check) = tokio::join!(server, mailer.check());
    assert!(check.is_ok(), "{check:?}");
    let names: Vec<&str> = check.steps.iter().map(|s| s.name.as_str()).collect();
    let expected = [
        "name look-up",
        "connect",
        "TLS",
        "greeting",
        "EHLO",
        "AUTH",
        "QUIT",
    ];
    assert_eq!(names, expected);
    let findings: Vec<&Finding> = check.steps.iter().map(|s| &s.finding).collect();
    let [
        Finding::Addresses(addresses),
        Finding::Connected { address, .. },
        Finding::Tls(tls),
        Finding::Greeting(greeting),
        Finding::Capabilities(offered),
        Finding::Authenticated(mechanism),
        Finding::Closed,
    ] = findings[..]
    else {
        panic!("{findings:?}");
    };
    assert_eq!(
        (addresses, *address),
        (&vec![listener.address()], listener.address())
    );
    assert_eq!(tls.version, "TLSv1_3");
    assert!(tls.cipher_suite.starts_with("TLS13_"), "{tls:?}");
    assert_eq!(tls.certificates, check.certificates);
    assert_eq!(greeting.text(), "hi");
    assert_eq!(offered.max_size, 1000);
    assert_eq!(mechanism.name(), "PLAIN");
}

#[tokio::test]
async fn check_names_each_step() {
    let listener = Listener::bind().await;
    let certificates = Certificates::good();
    let credentials = OwnedCredentials::password("me", "pw").unwrap();
    let config = listener
        .config(Security::StartTls)
        .with_credentials(credentials);
    let mailer = certificates.mailer(config);
    let server = async {
        let peer = listener.accept_session("STARTTLS").await;
        let mut peer = peer.starttls(&certificates).await;
        peer.hello("AUTH LOGIN,SIZE 1000").await;
        peer.expect("AUTH LOGIN").await;
        peer.say("334 VXNlcm5hbWU6").await;
        peer.line().await;
        peer.say("334 UGFzc3dvcmQ6").await;
        peer.line().await;
        peer.say("535 5.7.8 wrong password").await;
        peer.quit().await;
    };
    let client = async {
        let check = mailer.check().await;
        let names: Vec<String> = check.steps.iter().map(|s| s.name.to_string()).collect();
        let expected = [
            "name look-up",
            "connect",
            "greeting",
            "EHLO",
            "STARTTLS",
            "TLS",
            "EHLO",
        ];
        assert_eq!(names, expected);
        assert_eq!(check.certificates.len(), 1);
        let failure = check.failure.unwrap();
        assert_eq!(failure.name.as_str(), "AUTH");
        assert_eq!(failure.error.stage(), Some(Stage::Auth));
        assert_eq!(failure.error.code().unwrap().get(), 535);
        assert_eq!(
            failure.error.to_string(),
            "127.0.0.1 refused AUTH: 535 5.7.8 wrong password"
        );
        assert!(!failure.error.is_temporary());
    };
    tokio::join!(server, client);
}
