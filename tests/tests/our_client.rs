//! Our client against Postfix, aiosmtpd and our own server: what they stored is what was sent, byte by
//! byte, and what goes wrong is told apart.

use sansmtp::client::Session;
use sansmtp::config::{OwnedConfig, OwnedCredentials};
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::error::{Requirement, Stage};
use sansmtp::wire::path::ReversePath;
use sansmtp_tests::certs::{Certs, Identity};
use sansmtp_tests::mail::{Mail, compare, samples};
use sansmtp_tests::peers::{
    Aiosmtpd, BUSY, MAILBOXES, Ours, PASSWORD, Peer, Postfix, REFUSED, USER, UTF8_MAILBOX,
};
use sansmtp_tests::{SECURITIES, Security};
use sansmtp_tokio::client::{Error, Mailer, Report, Tls, TlsFault};
use std::path::Path;
use tokio::runtime::Runtime;

/// Starts each kind of peer in turn and hands it to `test`.
fn at_every_peer(test: impl Fn(&dyn Peer, &Certs)) {
    let certs = Certs::new().unwrap();
    test(&Postfix::start(&certs.server).unwrap(), &certs);
    test(&Aiosmtpd::start(&certs.server).unwrap(), &certs);
    test(&Ours::start(&certs.server).unwrap(), &certs);
}

fn config(port: u16, security: Security) -> OwnedConfig {
    OwnedConfig::new("localhost", security)
        .unwrap()
        .with_port(port)
}

fn with_login(mut config: OwnedConfig, password: &str) -> OwnedConfig {
    config.danger_plaintext_auth = config.security == Security::DangerPlaintext;
    config.with_credentials(OwnedCredentials::password(USER, password).unwrap())
}

/// Sends `mail` over a mailer of its own.
fn send(config: OwnedConfig, ca: &Path, mail: &Mail) -> Result<Report, Error> {
    let tls = Tls::pem(&std::fs::read(ca).unwrap()).unwrap();
    let mailer = Mailer::builder(config).tls(tls).build().unwrap();
    Runtime::new().unwrap().block_on(async {
        let result = send_with(&mailer, mail).await;
        mailer.close().await;
        result
    })
}

async fn send_with(mailer: &Mailer, mail: &Mail) -> Result<Report, Error> {
    let recipients: Vec<Recipient<'_>> = mail
        .recipients
        .iter()
        .map(|recipient| Recipient::parse(recipient).unwrap())
        .collect();
    let sender = ReversePath::parse(&mail.reverse_path).unwrap();
    let envelope = Envelope::new(sender, &recipients);
    mailer.send(&envelope, &mail.message[..]).await
}

#[test]
fn every_sample_arrives_byte_by_byte() {
    at_every_peer(|peer, certs| {
        for security in SECURITIES {
            let tls = Tls::pem(&std::fs::read(&certs.ca).unwrap()).unwrap();
            let config = config(peer.port(security), security);
            let mailer = Mailer::builder(config).tls(tls).build().unwrap();
            let samples = samples();
            // All over one mailer, so that connections are used again.
            Runtime::new().unwrap().block_on(async {
                for (name, mail) in &samples {
                    let report = send_with(&mailer, mail).await;
                    let report = report
                        .unwrap_or_else(|e| panic!("{} {security:?} {name}: {e}", peer.name()));
                    assert!(report.all_delivered(), "{} {name}: {report:?}", peer.name());
                }
                mailer.close().await;
            });
            for (name, mail) in &samples {
                for stored in peer.wait_for(&mail.marker, mail.recipients.len()).unwrap() {
                    compare(&mail.message, &stored.message)
                        .unwrap_or_else(|e| panic!("{} {security:?} {name}: {e}", peer.name()));
                    assert_eq!(stored.reverse_path, mail.reverse_path);
                }
            }
        }
    });
}

#[test]
fn log_in_works_with_every_protection() {
    at_every_peer(|peer, certs| {
        for security in SECURITIES {
            let config = with_login(config(peer.port(security), security), PASSWORD);
            let mail = Mail::new("After AUTH.\r\n");
            send(config, &certs.ca, &mail)
                .unwrap_or_else(|e| panic!("{} {security:?}: {e}", peer.name()));
            peer.wait_for(&mail.marker, 1).unwrap();
        }
        // Where nothing is taken before TLS and AUTH.
        let config = config(peer.submission_port(), Security::StartTls);
        let mail = Mail::new("Submitted.\r\n");
        send(with_login(config, PASSWORD), &certs.ca, &mail).unwrap();
        peer.wait_for(&mail.marker, 1).unwrap();
    });
}

#[test]
fn a_wrong_password_is_said_to_be_one() {
    at_every_peer(|peer, certs| {
        let config = with_login(
            config(peer.port(Security::StartTls), Security::StartTls),
            "wrong",
        );
        let error = send(config, &certs.ca, &Mail::new("")).unwrap_err();
        assert_eq!(error.stage(), Some(Stage::Auth), "{}: {error}", peer.name());
        assert_eq!(error.code().map(|code| code.get()), Some(535), "{error}");
        assert!(
            error.next_step().contains("password"),
            "{}",
            error.next_step()
        );
        assert!(
            !format!("{error} {error:?}").contains("wrong\""),
            "no secret in an error"
        );
    });
}

#[test]
fn bad_certificates_are_told_apart() {
    let certs = Certs::new().unwrap();
    type IsExpected = fn(&TlsFault) -> bool;
    let cases: [(&Identity, IsExpected); 3] = [
        (&certs.untrusted, |fault| *fault == TlsFault::Untrusted),
        (&certs.wrong_host, |fault| {
            matches!(fault, TlsFault::WrongHost { .. })
        }),
        (&certs.expired, |fault| *fault == TlsFault::Expired),
    ];
    for (identity, expected) in cases {
        let peers: [&dyn Peer; 3] = [
            &Postfix::start(identity).unwrap(),
            &Aiosmtpd::start(identity).unwrap(),
            &Ours::start(identity).unwrap(),
        ];
        for peer in peers {
            for security in [Security::StartTls, Security::ImplicitTls] {
                let mail = Mail::new("Never sent.\r\n");
                let config = with_login(config(peer.port(security), security), PASSWORD);
                match send(config, &certs.ca, &mail) {
                    Err(Error::Tls(error)) => {
                        assert!(expected(&error.fault), "{}: {error:?}", peer.name())
                    }
                    other => panic!("{} {security:?}: {other:?}", peer.name()),
                }
                assert_eq!(peer.stored(&mail.marker).unwrap(), []);
            }
        }
    }
}

#[test]
fn one_refused_recipient_does_not_stop_the_others() {
    at_every_peer(|peer, certs| {
        let [alice, bob, _] = MAILBOXES;
        let mail = Mail::new("For two.\r\n").to([alice, REFUSED, bob, BUSY]);
        let config = config(peer.port(Security::StartTls), Security::StartTls);
        let report = send(config, &certs.ca, &mail).unwrap();
        assert!(!report.all_delivered());
        let codes: Vec<Option<u16>> = report
            .recipients
            .iter()
            .map(|recipient| match recipient.outcome {
                Outcome::Delivered => None,
                Outcome::Refused { code, .. } => Some(code.get()),
                other => panic!("{}: {other:?}", peer.name()),
            })
            .collect();
        assert_eq!(codes, [None, Some(550), None, Some(450)], "{}", peer.name());
        let mut reached: Vec<String> = peer
            .wait_for(&mail.marker, 2)
            .unwrap()
            .into_iter()
            .flat_map(|stored| stored.recipients)
            .collect();
        reached.sort();
        assert_eq!(reached, [alice, bob], "{}", peer.name());
    });
}

#[test]
fn refused_by_everybody_is_an_error_with_a_report() {
    at_every_peer(|peer, certs| {
        let mail = Mail::new("For nobody.\r\n").to([REFUSED, BUSY]);
        let config = config(peer.port(Security::StartTls), Security::StartTls);
        match send(config, &certs.ca, &mail) {
            Err(Error::NotDelivered(report)) => {
                assert_eq!(report.failed_at(), Some(Stage::Rcpt), "{}", peer.name());
                assert_eq!(report.refused().count(), 2);
            }
            other => panic!("{}: {other:?}", peer.name()),
        }
    });
}

#[test]
fn addresses_outside_ascii_reach_their_mailbox() {
    at_every_peer(|peer, certs| {
        let mail = Mail::new("Grüße\r\n").to([UTF8_MAILBOX]);
        let config = config(peer.port(Security::StartTls), Security::StartTls);
        send(config, &certs.ca, &mail).unwrap_or_else(|e| panic!("{}: {e}", peer.name()));
        let stored = peer.wait_for(&mail.marker, 1).unwrap();
        assert_eq!(stored[0].recipients, [UTF8_MAILBOX], "{}", peer.name());
        compare(&mail.message, &stored[0].message).unwrap();
    });
}

#[test]
fn tls_that_was_asked_for_is_insisted_on() {
    at_every_peer(|peer, certs| {
        // A plain-text port answers the TLS handshake with its greeting.
        let config = config(peer.port(Security::StartTls), Security::ImplicitTls);
        match send(config, &certs.ca, &Mail::new("")) {
            Err(Error::Tls(error)) => assert_eq!(error.fault, TlsFault::NotTls, "{}", peer.name()),
            other => panic!("{}: {other:?}", peer.name()),
        }
    });
    let certs = Certs::new().unwrap();
    let plain = Aiosmtpd::start(&certs.server).unwrap();
    let mut config = config(
        plain.port(Security::DangerPlaintext),
        Security::DangerPlaintext,
    )
    .with_credentials(OwnedCredentials::password(USER, PASSWORD).unwrap());
    config.danger_plaintext_auth = false;
    match send(config, &certs.ca, &Mail::new("")) {
        Err(Error::Dialogue(error)) => {
            assert_eq!(
                error.error,
                sansmtp::Error::Unmet(Requirement::TlsForPassword)
            );
        }
        other => panic!("{other:?}"),
    }
    // A pool keeps sessions as plain data; they must stay small, with every feature too.
    assert!(size_of::<Session>() <= 576, "{}", size_of::<Session>());
}
