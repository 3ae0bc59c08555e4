//! LMTP: a verdict for each recipient.

use crate::support::{Client, soon};
use sansmtp::config::Security;
use sansmtp::wire::handling::{Handling, Hold};
use sansmtp::wire::param::RcptParameters;
use sansmtp::wire::path::ForwardPath;
use sansmtp_tokio::server::{
    Body, Handler, MailEnvelope, MailRecipient, OwnedReply, Refusal, Server, ServerConfig,
    SessionInfo, Verdict,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// Takes all recipients, and the content only for some.
#[derive(Clone, Default)]
struct Mailboxes {
    seen: Arc<Mutex<Option<MailEnvelope>>>,
}

struct Content;

impl Handler for Mailboxes {
    type Body = Content;

    async fn recipient(
        &self,
        _: &SessionInfo,
        _: ForwardPath<'_>,
        _: &RcptParameters<'_>,
    ) -> Verdict {
        Verdict::Accept
    }

    async fn data(
        &self,
        session: &SessionInfo,
        envelope: &MailEnvelope,
    ) -> Result<Content, Refusal> {
        assert_eq!(
            session.protocol(false),
            if session.lmtp { "LMTP" } else { "ESMTP" }
        );
        *self.seen.lock().await = Some(envelope.clone());
        Ok(Content)
    }

    async fn etrn(&self, _: &SessionInfo, node: &str) -> Verdict {
        match node {
            "@example.org" => Verdict::Accept,
            _ => OwnedReply::not_queued().into(),
        }
    }
}

impl Body for Content {
    async fn write(&mut self, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    async fn finish(self) -> Verdict {
        Verdict::Accept
    }

    async fn finish_each(self, recipients: &[MailRecipient]) -> Vec<Verdict> {
        let full = |recipient: &MailRecipient| recipient.address.starts_with("full");
        let verdict = |recipient| match full(recipient) {
            true => OwnedReply::insufficient_storage().into(),
            false => Verdict::Accept,
        };
        recipients.iter().map(verdict).collect()
    }
}

#[tokio::test]
async fn each_recipient_gets_a_verdict() {
    let server = Server::builder(
        ServerConfig::new("mx.example.org").unwrap(),
        Mailboxes::default(),
    )
    .listen_lmtp("127.0.0.1:0", Security::DangerPlaintext)
    .listen("127.0.0.1:0", Security::DangerPlaintext)
    .bind()
    .await
    .unwrap();
    let [lmtp, smtp] = server.endpoints()[..] else {
        panic!("two listeners")
    };
    assert!(lmtp.lmtp && !smtp.lmtp);
    let handle = server.shutdown_handle();
    let served = tokio::spawn(server.serve());

    let mut client = Client::new(TcpStream::connect(lmtp.address).await.unwrap());
    assert_eq!(client.reply().await, "220 mx.example.org LMTP ready");
    client.expect("EHLO c", "500").await;
    client.expect("LHLO c", "250-mx.example.org").await;
    client.expect("MAIL FROM:<a@example.org>", "250").await;
    for name in ["b", "full", "c"] {
        let command = format!("RCPT TO:<{name}@example.org>");
        client.expect(&command, "250").await;
    }
    client.expect("DATA", "354").await;
    client.say("x\r\n.\r\n").await;
    assert_eq!(client.reply().await, "250 2.1.5 Delivered");
    assert_eq!(
        client.reply().await,
        "452 4.3.1 Insufficient system storage"
    );
    assert_eq!(client.reply().await, "250 2.1.5 Delivered");
    client.expect("QUIT", "221").await;

    let mut client = Client::new(TcpStream::connect(smtp.address).await.unwrap());
    client.greeted().await;
    client.until_content().await;
    client.say("x\r\n.\r\n").await;
    assert_eq!(client.reply().await, "250 2.0.0 Message accepted");
    handle.shutdown(Duration::ZERO);
    soon(served).await.unwrap();
}

#[tokio::test]
async fn the_handler_sees_how_a_message_is_to_be_handled() {
    let handler = Mailboxes::default();
    let config = ServerConfig::new("mx.example.org")
        .unwrap()
        .require_tls()
        .deliver_by(60)
        .future_release(86_400)
        .priorities()
        .etrn()
        .max_messages(2);
    let server = Server::builder(config, handler.clone())
        .listen("127.0.0.1:0", Security::DangerPlaintext)
        .bind()
        .await
        .unwrap();
    let address = server.local_addrs()[0];
    let handle = server.shutdown_handle();
    let served = tokio::spawn(server.serve());

    let mut client = Client::new(TcpStream::connect(address).await.unwrap());
    client.reply().await;
    let offer = client.command("EHLO client.example.org").await;
    for line in [
        "250-DELIVERBY 60\r\n",
        "250-FUTURERELEASE 86400 20",
        "250-MT-PRIORITY\r\n",
        "250-LIMITS RCPTMAX=1000 MAILMAX=2\r\n",
        "250 ETRN",
    ] {
        assert!(offer.contains(line), "{offer}");
    }
    assert!(!offer.contains("REQUIRETLS"), "without TLS: {offer}");
    client.expect("ETRN @example.org", "250").await;
    client.expect("ETRN example.net", "459 4.7.1").await;
    client
        .expect("MAIL FROM:<a@example.org> HOLDFOR=86401", "501")
        .await;
    client
        .expect(
            "MAIL FROM:<a@example.org> HOLDFOR=3600 BY=7200;N MT-PRIORITY=4",
            "250",
        )
        .await;
    client.expect("RCPT TO:<b@example.org>", "250").await;
    client.expect("DATA", "354").await;
    client.say("x\r\n.\r\n").await;
    client.reply().await;
    let seen = handler.seen.lock().await.take().unwrap().handling;
    assert_eq!(seen.hold, Some(Hold::For(3600)));
    assert_eq!(seen.deliver_by.unwrap().seconds(), 7200);
    assert_eq!(seen.priority.unwrap().get(), 4);
    assert_ne!(seen, Handling::NONE);
    handle.shutdown(Duration::ZERO);
    soon(served).await.unwrap();
}
