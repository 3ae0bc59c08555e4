//! Clients of other makers against our server: what it stored is what they were told to send, byte by byte.

use sansmtp_tests::certs::Certs;
use sansmtp_tests::clients::{Client, Target};
use sansmtp_tests::mail::{Mail, samples};
use sansmtp_tests::peers::{BUSY, MAILBOXES, Ours, PASSWORD, Peer, REFUSED, USER, UTF8_MAILBOX};
use sansmtp_tests::{Mechanism, SECURITIES, Security};

#[test]
fn every_client_delivers_every_sample() {
    let certs = Certs::new().unwrap();
    let server = Ours::start(&certs.server).unwrap();
    for security in SECURITIES {
        for client in Client::ALL {
            for (name, _) in samples() {
                // Each attempt has a message of its own, by which it is found again.
                let (_, mail) = samples().into_iter().find(|(n, _)| *n == name).unwrap();
                let target = Target::new(server.port(security), security, &certs.ca);
                if !client.can_do(&target, &mail) {
                    continue;
                }
                let what = format!("{} {security:?} {name}", client.name());
                let report = client.send(&target, &mail).unwrap();
                assert!(report.accepted, "{what}: {}", report.output);
                let stored = server
                    .wait_for(&mail.marker, mail.recipients.len())
                    .unwrap();
                let [stored] = &stored[..] else {
                    panic!("{what}: stored {} times", stored.len());
                };
                assert_eq!(stored.recipients, mail.recipients, "{what}");
                report
                    .compare(&stored.message)
                    .unwrap_or_else(|e| panic!("{what}: {e}"));
            }
        }
    }
}

#[test]
fn every_client_logs_in() {
    let certs = Certs::new().unwrap();
    let server = Ours::start(&certs.server).unwrap();
    let ports = SECURITIES
        .map(|security| (server.port(security), security))
        .into_iter()
        .chain([(server.submission_port(), Security::StartTls)]);
    for (port, security) in ports {
        for client in Client::ALL.into_iter().filter(|c| c.can_log_in()) {
            for mechanism in [Mechanism::Plain, Mechanism::Login] {
                let what = format!("{} {security:?} {mechanism}", client.name());
                let target = Target::new(port, security, &certs.ca);
                let mail = Mail::new("After AUTH.\r\n");
                let report = client
                    .send(&target.clone().login(mechanism, USER, PASSWORD), &mail)
                    .unwrap();
                assert!(report.accepted, "{what}: {}", report.output);
                server.wait_for(&mail.marker, 1).unwrap();

                let mail = Mail::new("Never stored.\r\n");
                let report = client
                    .send(&target.login(mechanism, USER, "wrong"), &mail)
                    .unwrap();
                assert!(!report.accepted, "{what}: {}", report.output);
                assert_eq!(server.stored(&mail.marker).unwrap(), [], "{what}");
            }
        }
    }
}

#[test]
fn refusals_reach_the_client() {
    let certs = Certs::new().unwrap();
    let server = Ours::start(&certs.server).unwrap();
    let open = Target::plaintext(server.port(Security::DangerPlaintext));
    for (recipient, code) in [
        (REFUSED, "(550"),
        (BUSY, "(450"),
        ("who@other.test", "(550"),
    ] {
        let mail = Mail::new("Never stored.\r\n").to([recipient]);
        let report = Client::Smtplib.send(&open, &mail).unwrap();
        assert!(
            !report.accepted && report.output.contains(code),
            "{}",
            report.output
        );
        assert_eq!(server.stored(&mail.marker).unwrap(), []);
    }
    // Nothing is taken before TLS and AUTH where both are demanded.
    let mail = Mail::new("Never stored.\r\n");
    let submission = Target::new(server.submission_port(), Security::StartTls, &certs.ca);
    let report = Client::Smtplib.send(&submission, &mail).unwrap();
    assert!(
        !report.accepted && report.output.contains("530"),
        "{}",
        report.output
    );
    // One refused recipient does not stop the others.
    let [alice, bob, _] = MAILBOXES;
    let mail = Mail::new("For two.\r\n").to([alice, REFUSED, bob]);
    let report = Client::Smtplib.send(&open, &mail).unwrap();
    assert!(report.accepted, "{}", report.output);
    let stored = server.wait_for(&mail.marker, 2).unwrap();
    assert_eq!(stored[0].recipients, [alice, bob]);
    // Addresses outside ASCII.
    let mail = Mail::new("Grüße\r\n").to([UTF8_MAILBOX]);
    let report = Client::Smtplib.send(&open, &mail).unwrap();
    assert!(report.accepted, "{}", report.output);
    assert_eq!(
        server.wait_for(&mail.marker, 1).unwrap()[0].recipients,
        [UTF8_MAILBOX]
    );
}
