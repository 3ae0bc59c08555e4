//! The server for tests, well-behaved and not, as the mailer sees it.
#![cfg(all(feature = "client", feature = "server"))]

use sansmtp_tokio::client::{Error, Report};
use sansmtp_tokio::sansmtp::config::{OwnedCredentials, Security};
use sansmtp_tokio::sansmtp::envelope::Outcome;
use sansmtp_tokio::sansmtp::error::Stage;
use sansmtp_tokio::sansmtp::message::Mail;
use sansmtp_tokio::testing::TestServer;
use std::time::Duration;

fn mail() -> Mail {
    Mail::new("me@example.org")
        .to("a@example.org")
        .to("b@example.org")
        .subject("s")
        .text("text\n")
}

/// What a mail meets at a server with these faults, and how often it was stored.
async fn send(faults: &[&str]) -> (Result<Report, Error>, usize) {
    let mut builder = TestServer::builder();
    for fault in faults {
        builder = builder.fault(fault.parse().unwrap());
    }
    let server = builder.start().await.unwrap();
    let mailer = server.mailer().unwrap();
    let result = mailer.send_mail(&mail()).await;
    mailer.close().await;
    (result, server.messages().len())
}

#[tokio::test]
async fn a_mail_is_kept_with_its_envelope() {
    for security in [
        Security::DangerPlaintext,
        Security::StartTls,
        Security::ImplicitTls,
    ] {
        let server = TestServer::builder()
            .security(security)
            .user("me", "pw")
            .start()
            .await
            .unwrap();
        let mailer = server.mailer().unwrap();
        let report = mailer.send_mail(&mail()).await.unwrap();
        assert!(report.all_delivered());
        let received = server.next_message().await;
        assert!(server.messages().is_empty());
        assert_eq!(received.envelope.reverse_path, "me@example.org");
        let to = received.envelope.recipients.iter();
        let to: Vec<_> = to.map(|recipient| &recipient.address).collect();
        assert_eq!(to, ["a@example.org", "b@example.org"]);
        assert_eq!(received.session.user.as_deref(), Some("me"));
        let encrypted = security != Security::DangerPlaintext;
        assert_eq!(received.session.tls.is_some(), encrypted);
        assert!(received.text().ends_with("\r\n\r\ntext\r\n"));

        // Nobody else may send.
        let mut config = server.config();
        config.credentials = Some(OwnedCredentials::password("me", "wrong").unwrap());
        let tls = sansmtp_tokio::client::Tls::pem(server.certificate().as_bytes()).unwrap();
        let stranger = sansmtp_tokio::Mailer::builder(config)
            .tls(tls)
            .build()
            .unwrap();
        let error = stranger.send_mail(&mail()).await.unwrap_err();
        assert_eq!(error.code().unwrap().get(), 535, "{error}");
    }
}

#[tokio::test]
async fn a_reply_at_each_step() {
    for (fault, stage, code) in [
        ("connect 554 5.3.2 Go away", Stage::Greeting, 554),
        ("mail 550 5.7.1 Not you", Stage::Mail, 550),
        ("mail=ME@example.org 451 Later", Stage::Mail, 451),
        ("recipient 550 5.1.1 No such user", Stage::Rcpt, 550),
        ("data 554 5.6.0 No", Stage::Content, 554),
        ("content 452 4.3.1 Full", Stage::Content, 452),
        ("message 554 5.7.1 Spam", Stage::Content, 554),
    ] {
        let (result, stored) = send(&[fault]).await;
        let error = result.unwrap_err();
        assert_eq!(error.code().unwrap().get(), code, "{fault}: {error}");
        assert_eq!(error.stage(), Some(stage), "{fault}: {error}");
        assert!(!error.outcome_unknown(), "{fault}: {error}");
        assert_eq!(stored, 0, "{fault}");
    }
    // What the client hears is not what happened.
    let (result, stored) = send(&["stored 451 4.3.0 Who knows"]).await;
    assert_eq!(result.unwrap_err().code().unwrap().get(), 451);
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn one_recipient_is_refused() {
    let (result, stored) = send(&["recipient=B@example.org 550 5.1.1 No such user"]).await;
    let report = result.unwrap();
    assert_eq!(report.recipients[0].outcome, Outcome::Delivered);
    assert!(matches!(
        report.recipients[1].outcome,
        Outcome::Refused { .. }
    ));
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn the_connection_is_lost_at_each_step() {
    for (fault, unknown, expected) in [
        ("connect close", false, 0),
        ("mail close", true, 0),
        ("recipient close", true, 0),
        ("data close", true, 0),
        ("content close", true, 0),
        ("message close", true, 0),
        ("stored close", true, 1),
    ] {
        let (result, stored) = send(&[fault]).await;
        let error = result.unwrap_err();
        // The whole message had left with its envelope, so nobody knows.
        assert_eq!(error.outcome_unknown(), unknown, "{fault}: {error}");
        assert_eq!(stored, expected, "{fault}");
    }
}

#[tokio::test]
async fn a_fault_is_played_so_many_times() {
    let server = TestServer::builder()
        .fault("2x mail 451 4.3.0 Try again later".parse().unwrap())
        .start()
        .await
        .unwrap();
    let mailer = server.mailer().unwrap();
    for attempt in 0..4 {
        let result = mailer.send_mail(&mail()).await;
        assert_eq!(result.is_ok(), attempt >= 2, "{attempt}");
    }
    assert_eq!(server.messages().len(), 2);
}

#[tokio::test]
async fn credentials_are_refused() {
    let server = TestServer::builder()
        .user("me", "pw")
        .fault("1x auth=me 454 4.7.0 Temporary failure".parse().unwrap())
        .start()
        .await
        .unwrap();
    let mailer = server.mailer().unwrap();
    let error = mailer.send_mail(&mail()).await.unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Auth));
    assert!(error.is_temporary());
    mailer.send_mail(&mail()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_waits() {
    let server = TestServer::builder()
        .fault("connect wait 200".parse().unwrap())
        .start()
        .await
        .unwrap();
    let mut config = server.config();
    config.timeouts.greeting = 100_000;
    let mailer = sansmtp_tokio::Mailer::new(config.clone()).unwrap();
    let error = mailer.send_mail(&mail()).await.unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Greeting), "{error}");
    config.timeouts.greeting = 300_000;
    let begin = tokio::time::Instant::now();
    let mailer = sansmtp_tokio::Mailer::new(config).unwrap();
    mailer.send_mail(&mail()).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(200));
}
