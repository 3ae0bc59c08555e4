//! Messages that are not delivered, or nobody knows.

use super::peer::{Certificates, Listener};
use super::{MESSAGE, envelope, recipients};
use sansmtp_tokio::Mailer;
use sansmtp_tokio::client::{Content, Error};
use sansmtp_tokio::sansmtp::config::{OwnedConfig, Security, Timeouts};
use sansmtp_tokio::sansmtp::envelope::Outcome;
use sansmtp_tokio::sansmtp::error::Stage;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

#[tokio::test]
async fn every_recipient_is_refused() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org", "b@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.line().await;
        peer.say("250 ok").await;
        peer.line().await;
        peer.say("550 5.1.1 no such user").await;
        peer.line().await;
        peer.say("450 4.2.1 try later").await;
        peer.expect("QUIT").await;
        peer.say("221 bye").await;
    };
    let client = async {
        let error = mailer.send(&envelope, MESSAGE).await.unwrap_err();
        let Error::NotDelivered(report) = &error else {
            panic!("{error}");
        };
        assert_eq!(report.refused().count(), 2);
        assert_eq!(error.stage(), Some(Stage::Rcpt));
        assert_eq!(error.code().unwrap().get(), 550);
        assert_eq!(error.enhanced().unwrap().to_string(), "5.1.1");
        assert_eq!(error.reply().unwrap().text(), "no such user");
        assert!(error.is_temporary(), "the second one may work later");
        assert!(error.explanation().is_some());
        assert_eq!(
            error.to_string(),
            "delivered to 0 of 2 recipients; a@example.org was refused: 550 5.1.1 no such user"
        );
        // The session is as good as before.
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn the_sender_is_refused() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.say("530 5.7.0 authentication required").await;
        peer.say("503 5.5.1 need MAIL").await;
        peer.say("503 5.5.1 need RCPT").await;
        peer.quit().await;
    };
    let client = async {
        let error = mailer.send(&envelope, MESSAGE).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server refused MAIL: 530 5.7.0 authentication required"
        );
        assert_eq!(error.stage(), Some(Stage::Mail));
        let recipient = &error.report().unwrap().recipients[0];
        let Outcome::Refused { code, .. } = recipient.outcome else {
            panic!("{recipient:?}");
        };
        // Not what RCPT got, which means nothing without a sender.
        let reply = recipient.reply.as_ref().unwrap();
        assert_eq!((code.get(), reply.code().get()), (530, 530));
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn the_connection_is_lost_behind_the_final_dot() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org", "b@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.write(b"250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n")
            .await;
        peer.content().await;
        drop(peer);
    };
    let client = async {
        let error = mailer.send(&envelope, MESSAGE).await.unwrap_err();
        assert!(error.outcome_unknown());
        assert!(error.to_string().contains("unknown"), "{error}");
        assert!(
            error
                .next_step()
                .contains("check whether the message arrived")
        );
        let report = error.report().unwrap();
        assert_eq!(report.recipients[0].outcome, Outcome::Unknown);
        assert!(matches!(
            report.recipients[1].outcome,
            Outcome::Refused { .. }
        ));
    };
    tokio::join!(server, client);
    // And nobody tries again.
    let again = tokio::time::timeout(std::time::Duration::ZERO, listener.accept());
    assert!(again.await.is_err());
}

#[tokio::test]
async fn the_connection_is_lost_in_the_middle_of_the_content() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.write(b"250 ok\r\n250 ok\r\n354 go\r\n").await;
        peer.flight().await;
        drop(peer);
    };
    let client = async {
        let endless = Content::reader(tokio::io::repeat(b'x'));
        let error = mailer.send(&envelope, endless).await.unwrap_err();
        assert!(matches!(error, Error::Dialogue(_)), "{error}");
        assert!(!error.outcome_unknown(), "{error}");
        assert_eq!(
            error.report().unwrap().recipients[0].outcome,
            Outcome::NotSent
        );
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn the_server_refuses_while_the_content_is_on_its_way() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let content = "0123456789abcdef\r\n".repeat(50_000_000 / 18);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.write(b"250 ok\r\n250 ok\r\n354 go\r\n").await;
        peer.flight().await;
        // The server reads no more: only who listens while writing gets on.
        peer.say("552 5.3.4 message too big").await;
        peer
    };
    let client = mailer.send(&envelope, &content);
    let (peer, result) = tokio::join!(server, client);
    let error = result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused the message: 552 5.3.4 message too big"
    );
    assert_eq!(error.stage(), Some(Stage::Content));
    assert!(!error.outcome_unknown() && !error.is_temporary());
    drop(peer);
}

#[tokio::test]
async fn content_that_ends_early_is_not_delivered() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.write(b"250 ok\r\n250 ok\r\n354 go\r\n").await;
        let content = peer.rest().await;
        assert!(!content.contains("\r\n.\r\n"), "{content}");
    };
    let client = async {
        let reader = tokio::io::repeat(b'x').take(1000);
        let content = Content::reader(reader).with_length(2000);
        let error = mailer.send(&envelope, content).await.unwrap_err();
        let Error::Content(error) = error else {
            panic!("{error}");
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn the_server_turns_us_away() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept().await;
        peer.say("554-5.7.1 go").await;
        peer.say("554 5.7.1 away").await;
        peer.quit().await;
    };
    let client = async {
        let error = mailer.send(&envelope, MESSAGE).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "127.0.0.1 refused the greeting: 554 5.7.1 go away"
        );
        assert_eq!(error.stage(), Some(Stage::Greeting));
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn nobody_listens() {
    let listener = Listener::bind().await;
    let (mailer, address) = (listener.mailer(), listener.address());
    listener.stop();
    let to = recipients(&["a@example.org"]);
    let error = mailer.send(&envelope(&to), MESSAGE).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "can not connect to 127.0.0.1 port {}: {address} connection refused",
            address.port()
        )
    );
    assert!(error.next_step().contains("check host and port"));
}

#[tokio::test]
async fn the_name_does_not_exist() {
    // No resolver asks the network for it.
    let config = OwnedConfig::new("fffff::1", Security::DangerPlaintext).unwrap();
    let mailer = Mailer::new(config).unwrap();
    let to = recipients(&["a@example.org"]);
    let error = mailer.send(&envelope(&to), MESSAGE).await.unwrap_err();
    assert!(matches!(error, Error::Lookup(_)), "{error}");
    assert!(!error.is_temporary() && error.next_step().contains("spelling"));
    assert!(
        error
            .to_string()
            .starts_with("the host fffff::1 could not be looked up")
    );
}

#[tokio::test]
async fn a_server_that_never_answers() {
    let listener = Listener::bind().await;
    let config = listener.config(Security::DangerPlaintext);
    let mailer = Mailer::new(config.with_timeouts(Timeouts::RFC_5321)).unwrap();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        peer.line().await;
        tokio::time::pause();
        (peer, tokio::time::Instant::now())
    };
    let ((peer, since), result) = tokio::join!(server, mailer.send(&envelope, MESSAGE));
    let error = result.unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Mail));
    assert!(
        error.to_string().contains("took too long at MAIL"),
        "{error}"
    );
    assert!(error.is_temporary() && !error.outcome_unknown());
    let waited = since.elapsed().as_secs();
    assert!((299..=301).contains(&waited), "{waited}");
    drop(peer);
}

#[tokio::test]
async fn a_tls_handshake_that_gets_no_answer() {
    let listener = Listener::bind().await;
    let certificates = Certificates::good();
    let mailer = certificates.mailer(listener.config(Security::ImplicitTls));
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept().await;
        // Takes the ClientHello and is silent.
        peer.flight_octets().await;
        tokio::time::pause();
        peer
    };
    let (peer, result) = tokio::join!(server, mailer.send(&envelope, MESSAGE));
    let error = result.unwrap_err();
    assert_eq!(error.stage(), Some(Stage::StartTls));
    assert!(error.to_string().contains("took too long"), "{error}");
    drop(peer);
}

/// Content without end. The clock is stopped when it is first asked for.
struct Endless {
    stopped: bool,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !std::mem::replace(&mut self.stopped, true) {
            tokio::time::pause();
        }
        out.put_slice(&[b'x'; 1024]);
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_server_that_stops_reading_the_content() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        peer.flight().await;
        peer.write(b"250 ok\r\n250 ok\r\n354 go\r\n").await;
        peer
    };
    let endless = Content::reader(Endless { stopped: false });
    let (peer, result) = tokio::join!(server, mailer.send(&envelope, endless));
    let error = result.unwrap_err();
    assert_eq!(error.stage(), Some(Stage::Content));
    assert!(error.to_string().contains("took too long"), "{error}");
    assert!(!error.outcome_unknown());
    drop(peer);
}

/// Nobody has seen what a reader gives: to a server without 8BITMIME it is ASCII, or not
/// delivered (RFC 6152, section 3).
#[tokio::test]
async fn eight_bits_from_a_reader_are_not_sent_to_who_takes_seven() {
    for (extensions, yes) in [
        ("PIPELINING", "250 ok\r\n250 ok\r\n354 go\r\n"),
        ("PIPELINING,CHUNKING", "250 ok\r\n250 ok\r\n"),
    ] {
        let listener = Listener::bind().await;
        let mailer = listener.mailer();
        let to = recipients(&["a@example.org"]);
        let envelope = envelope(&to);
        let server = async {
            let mut peer = listener.accept_session(extensions).await;
            peer.flight().await;
            peer.write(yes.as_bytes()).await;
            let content = peer.rest().await;
            assert!(!content.contains("\r\n.\r\n"), "{content}");
            assert!(!content.contains("LAST"), "{content}");
            assert!(!content.contains('\u{e9}'), "{content}");
        };
        let client = async {
            let text = format!("{}caf\u{e9}\n", "ASCII so far\n".repeat(5_000));
            let content = Content::reader(text.as_bytes());
            let error = mailer.send(&envelope, content).await.unwrap_err();
            assert!(!error.outcome_unknown());
            let Error::Content(error) = error else {
                panic!("{error}");
            };
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        };
        tokio::join!(server, client);
    }
}

/// A reader is declared as what it may be, where the server takes that.
#[tokio::test]
async fn a_reader_is_declared_as_eight_bits_where_they_are_taken() {
    for (extensions, text, declared) in [
        ("8BITMIME", "caf\u{e9}", " BODY=8BITMIME"),
        ("", "ASCII", ""),
    ] {
        let listener = Listener::bind().await;
        let mailer = listener.mailer();
        let to = recipients(&["a@example.org"]);
        let envelope = envelope(&to);
        let server = async {
            let mut peer = listener.accept_session(extensions).await;
            peer.expect(&format!("MAIL FROM:<me@example.org>{declared}"))
                .await;
            assert_eq!(peer.finish_message().await, text);
            peer.quit().await;
        };
        let client = async {
            let content = Content::reader(text.as_bytes());
            mailer.send(&envelope, content).await.unwrap();
            mailer.close().await;
        };
        tokio::join!(server, client);
    }
}
