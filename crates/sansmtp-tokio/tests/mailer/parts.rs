//! Messages that need more than one transaction, and LMTP.

use super::peer::{Listener, Peer};
use super::{MESSAGE, envelope, recipients};
use sansmtp_tokio::Mailer;
use sansmtp_tokio::client::{Content, Error};
use sansmtp_tokio::sansmtp::config::Security;
use sansmtp_tokio::sansmtp::envelope::Outcome;
use sansmtp_tokio::sansmtp::error::{Error as CoreError, Requirement, Stage};
use sansmtp_tokio::sansmtp::wire::handling::Hold;

/// Takes one message for these recipients; a name that begins with `over` is one
/// too many, one with `no` is unknown.
async fn take(peer: &mut Peer, names: &[&str]) {
    peer.expect("MAIL FROM:<me@example.org>").await;
    peer.say("250 2.1.0 ok").await;
    for name in names {
        peer.expect(&format!("RCPT TO:<{name}>")).await;
        peer.say(match name {
            name if name.starts_with("over") => "452 4.5.3 too many",
            name if name.starts_with("no") => "550 5.1.1 unknown",
            _ => "250 2.1.5 ok",
        })
        .await;
    }
    peer.expect("DATA").await;
    peer.say("354 go").await;
    assert_eq!(peer.content().await, MESSAGE.trim_end());
    peer.say("250 2.0.0 taken").await;
}

fn unmet(error: &Error) -> Option<CoreError> {
    match error {
        Error::Dialogue(error) => Some(error.error),
        _ => None,
    }
}

#[tokio::test]
async fn more_recipients_than_one_transaction_may_have() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@b.org", "no@b.org", "c@b.org", "d@b.org", "e@b.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("LIMITS RCPTMAX=2").await;
        take(&mut peer, &["a@b.org", "no@b.org"]).await;
        take(&mut peer, &["c@b.org", "d@b.org"]).await;
        take(&mut peer, &["e@b.org"]).await;
        peer.quit().await;
    };
    let client = async {
        let report = mailer.send(&envelope, MESSAGE).await.unwrap();
        assert_eq!(report.delivered().count(), 4);
        assert_eq!(report.recipients.len(), 5);
        assert_eq!(report.recipients[1].address(), "no@b.org");
        assert!(matches!(
            report.recipients[1].outcome,
            Outcome::Refused { .. }
        ));
        assert_eq!(report.reply.unwrap().text(), "taken");
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn more_domains_and_messages_than_one_session_may_have() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@one.org", "b@two.org", "c@ONE.org", "d@three.org"]);
    let envelope = envelope(&to);
    let server = async {
        let limits = "LIMITS RCPTDOMAINMAX=1 MAILMAX=1";
        for names in [
            &["a@one.org", "c@ONE.org"][..],
            &["b@two.org"],
            &["d@three.org"],
        ] {
            let mut peer = listener.accept_session(limits).await;
            take(&mut peer, names).await;
            peer.quit().await;
        }
    };
    let client = async {
        let report = mailer.send(&envelope, MESSAGE).await.unwrap();
        assert!(report.all_delivered(), "{report}");
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_session_that_has_had_all_its_messages_is_not_used_again() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        for _ in 0..2 {
            let mut peer = listener.accept_session("LIMITS MAILMAX=1").await;
            peer.take_message().await;
            peer.quit().await;
        }
    };
    let client = async {
        for _ in 0..2 {
            mailer.send(&envelope, MESSAGE).await.unwrap();
        }
        mailer.close().await;
    };
    tokio::join!(server, client);
}

/// RFC 5321, section 4.5.3.1.10: those who were too many get it all the same.
#[tokio::test]
async fn a_server_that_says_452_in_the_middle() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@b.org", "over@b.org", "over2@b.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("").await;
        take(&mut peer, &["a@b.org", "over@b.org", "over2@b.org"]).await;
        // They are too many once more: nobody got it, so that it ends.
        peer.expect("MAIL FROM:<me@example.org>").await;
        peer.say("250 2.1.0 ok").await;
        peer.expect("RCPT TO:<over@b.org>").await;
        peer.say("250 2.1.5 ok").await;
        peer.expect("RCPT TO:<over2@b.org>").await;
        peer.say("452 4.5.3 too many").await;
        peer.expect("DATA").await;
        peer.say("354 go").await;
        peer.content().await;
        peer.say("250 2.0.0 taken").await;
        peer.expect("MAIL FROM:<me@example.org>").await;
        peer.say("250 2.1.0 ok").await;
        peer.expect("RCPT TO:<over2@b.org>").await;
        peer.say("452 4.5.3 too many").await;
        peer.quit().await;
    };
    let client = async {
        let report = mailer.send(&envelope, MESSAGE).await.unwrap();
        assert_eq!(report.delivered().count(), 2);
        let last = report.recipients[2].outcome;
        assert!(last.wants_another_transaction(), "{last:?}");
        mailer.close().await;
    };
    tokio::join!(server, client);
}

/// A reader can not be read twice, so that nothing is sent.
#[tokio::test]
async fn a_reader_is_refused_where_it_would_be_read_twice() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@b.org", "b@b.org"]);
    let envelope = envelope(&to);
    let server = async {
        let peer = listener.accept_session("LIMITS RCPTMAX=1").await;
        peer.quit().await;
    };
    let client = async {
        let content = Content::reader(MESSAGE.as_bytes());
        let error = mailer.send(&envelope, content).await.unwrap_err();
        let expected = CoreError::Unmet(Requirement::Recipients);
        assert_eq!(unmet(&error), Some(expected));
        mailer.close().await;
    };
    tokio::join!(server, client);
}

/// A session that was used before may have had its domains; a new one takes them all.
#[tokio::test]
async fn a_reader_goes_over_a_session_that_still_admits_it() {
    for series in [false, true] {
        let listener = Listener::bind().await;
        let mailer = listener.mailer();
        let (one, two) = (recipients(&["a@one.org"]), recipients(&["b@two.org"]));
        let server = async {
            for names in [&["a@one.org"], &["b@two.org"]] {
                let mut peer = listener.accept_session("LIMITS RCPTDOMAINMAX=1").await;
                take(&mut peer, names).await;
                peer.quit().await;
            }
        };
        let client = async {
            let messages =
                [&one, &two].map(|to| (envelope(to), Content::reader(MESSAGE.as_bytes())));
            if series {
                let told = |_, result: Result<_, Error>| drop(result.unwrap());
                mailer.send_all(messages, told).await;
            } else {
                for (envelope, content) in messages {
                    mailer.send(&envelope, content).await.unwrap();
                }
            }
            mailer.close().await;
        };
        tokio::join!(server, client);
    }
}

/// A server that ends the session behind one transaction, and had not said that it would.
#[tokio::test]
async fn a_connection_ends_between_two_parts() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@b.org", "b@b.org", "c@b.org"]);
    let envelope = envelope(&to);
    let server = async {
        for name in ["a@b.org", "b@b.org", "c@b.org"] {
            let mut peer = listener.accept_session("LIMITS RCPTMAX=1").await;
            take(&mut peer, &[name]).await;
            if name != "c@b.org" {
                // The next part is on its way, and is not heard.
                peer.line().await;
            } else {
                peer.quit().await;
            }
        }
    };
    let client = async {
        let report = mailer.send(&envelope, MESSAGE).await.unwrap();
        assert!(report.all_delivered(), "{report}");
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_wish_that_is_not_met_is_refused_before_anything_is_sent() {
    let listener = Listener::bind().await;
    let mailer = listener.mailer();
    let to = recipients(&["a@b.org"]);
    let mut envelope = envelope(&to);
    envelope.handling.hold = Some(Hold::For(60));
    let server = async {
        let peer = listener.accept_session("").await;
        peer.quit().await;
    };
    let client = async {
        let error = mailer.send(&envelope, MESSAGE).await.unwrap_err();
        let expected = CoreError::Unmet(Requirement::FutureRelease);
        assert_eq!(unmet(&error), Some(expected));
        mailer.close().await;
    };
    tokio::join!(server, client);
}

fn lmtp(listener: &Listener) -> Mailer {
    let config = listener.config(Security::DangerPlaintext).with_lmtp();
    Mailer::new(config).unwrap()
}

async fn lmtp_session(listener: &Listener) -> Peer {
    let mut peer = listener.accept().await;
    peer.say("220 mda.example.org LMTP").await;
    peer.expect("LHLO [127.0.0.1]").await;
    peer.say("250 mda.example.org").await;
    peer
}

#[tokio::test]
async fn lmtp_tells_of_each_recipient() {
    let listener = Listener::bind().await;
    let mailer = lmtp(&listener);
    let to = recipients(&["a@b.org", "no@b.org", "full@b.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = lmtp_session(&listener).await;
        take(&mut peer, &["a@b.org", "no@b.org", "full@b.org"]).await;
        peer.say("452 4.2.2 mailbox full").await;
        peer.quit().await;
    };
    let client = async {
        let report = mailer.send(&envelope, MESSAGE).await.unwrap();
        let texts: Vec<String> = report
            .recipients
            .iter()
            .map(|recipient| recipient.reply.as_ref().unwrap().to_string())
            .collect();
        assert_eq!(
            texts,
            [
                "250 2.0.0 taken",
                "550 5.1.1 unknown",
                "452 4.2.2 mailbox full"
            ]
        );
        assert_eq!(report.delivered().count(), 1);
        assert!(report.is_temporary());
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn lmtp_delivers_to_nobody() {
    let listener = Listener::bind().await;
    let mailer = lmtp(&listener);
    let to = recipients(&["full@b.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = lmtp_session(&listener).await;
        peer.expect("MAIL FROM:<me@example.org>").await;
        peer.say("250 ok").await;
        peer.expect("RCPT TO:<full@b.org>").await;
        peer.say("250 ok").await;
        peer.expect("DATA").await;
        peer.say("354 go").await;
        peer.content().await;
        peer.say("452 4.2.2 mailbox full").await;
        peer.quit().await;
    };
    let client = async {
        let error = mailer.send(&envelope, MESSAGE).await.unwrap_err();
        let Error::NotDelivered(report) = &error else {
            panic!("{error}")
        };
        assert_eq!(report.failed_at(), Some(Stage::Content));
        assert!(error.to_string().contains("mailbox full"), "{error}");
        mailer.close().await;
    };
    tokio::join!(server, client);
}

/// What was delivered is told, also if the connection is lost before the rest is.
#[tokio::test]
async fn lmtp_is_cut_off_between_two_verdicts() {
    let listener = Listener::bind().await;
    let mailer = lmtp(&listener);
    let to = recipients(&["a@b.org", "c@b.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = lmtp_session(&listener).await;
        take(&mut peer, &["a@b.org", "c@b.org"]).await;
    };
    let client = async {
        let error = mailer.send(&envelope, MESSAGE).await.unwrap_err();
        assert!(error.outcome_unknown());
        let report = error.report().unwrap();
        assert_eq!(report.recipients[0].outcome, Outcome::Delivered);
        assert_eq!(report.recipients[1].outcome, Outcome::Unknown);
        mailer.close().await;
    };
    tokio::join!(server, client);
}

/// The server closes before everybody has a verdict: what was delivered is no error.
#[tokio::test]
async fn lmtp_is_closed_between_two_verdicts() {
    let listener = Listener::bind().await;
    let mailer = lmtp(&listener);
    let to = recipients(&["a@b.org", "c@b.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = lmtp_session(&listener).await;
        take(&mut peer, &["a@b.org", "c@b.org"]).await;
        peer.say("421 4.3.2 closing").await;
    };
    let client = async {
        let report = mailer.send(&envelope, MESSAGE).await.unwrap();
        assert_eq!(report.recipients[0].outcome, Outcome::Delivered);
        let second = &report.recipients[1];
        let reply = second.reply.as_ref().unwrap().to_string();
        assert_eq!(reply, "421 4.3.2 closing");
        assert!(matches!(second.outcome, Outcome::Refused { .. }));
        assert!(report.is_temporary());
        mailer.close().await;
    };
    tokio::join!(server, client);
}
