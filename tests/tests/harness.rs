//! The harness against itself: clients of other makers deliver to servers of other makers, so that a
//! failure in another test points at sansmtp and not at the harness.

use sansmtp_tests::certs::Certs;
use sansmtp_tests::clients::{Client, Target};
use sansmtp_tests::mail::{Mail, SENDER, samples};
use sansmtp_tests::peers::{
    Aiosmtpd, BUSY, MAILBOXES, PASSWORD, Peer, Postfix, REFUSED, USER, UTF8_MAILBOX,
};
use sansmtp_tests::{Error, Mechanism, SECURITIES, Security};

#[test]
fn every_client_delivers_every_sample_to_postfix() {
    let certs = Certs::new().unwrap();
    every_sample_arrives(&Postfix::start(&certs.server).unwrap());
}

#[test]
fn every_client_delivers_every_sample_to_aiosmtpd() {
    let certs = Certs::new().unwrap();
    every_sample_arrives(&Aiosmtpd::start(&certs.server).unwrap());
}

#[test]
fn every_client_logs_in_at_postfix() {
    let certs = Certs::new().unwrap();
    let peer = Postfix::start(&certs.server).unwrap();
    let offered = [Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5];
    every_log_in_works(&peer, &certs, &offered);
}

#[test]
fn every_client_logs_in_at_aiosmtpd() {
    let certs = Certs::new().unwrap();
    let peer = Aiosmtpd::start(&certs.server).unwrap();
    every_log_in_works(&peer, &certs, &[Mechanism::Plain, Mechanism::Login]);
}

#[test]
fn peers_refuse_what_they_should() {
    let certs = Certs::new().unwrap();
    let peers: [&dyn Peer; 2] = [
        &Postfix::start(&certs.server).unwrap(),
        &Aiosmtpd::start(&certs.server).unwrap(),
    ];
    for peer in peers {
        let open = Target::plaintext(peer.port(Security::DangerPlaintext));
        for (recipient, code) in [(REFUSED, "550"), (BUSY, "450"), ("who@other.test", "5")] {
            let mail = Mail::new("Never stored.\r\n").to([recipient]);
            let report = Client::Smtplib.send(&open, &mail).unwrap();
            assert!(!report.accepted, "{}: {}", peer.name(), report.output);
            let said = format!("({code}");
            assert!(
                report.output.contains(&said),
                "{}: {}",
                peer.name(),
                report.output
            );
        }

        let wrong = open.clone().login(Mechanism::Plain, USER, "wrong");
        let report = Client::Smtplib.send(&wrong, &Mail::new("")).unwrap();
        assert!(!report.accepted, "{}", peer.name());
        assert!(
            report.output.contains("535"),
            "{}: {}",
            peer.name(),
            report.output
        );

        let submission = peer.submission_port();
        let mail = Mail::new("Never stored.\r\n");
        let report = Client::Smtplib
            .send(&Target::plaintext(submission), &mail)
            .unwrap();
        assert!(!report.accepted, "{}: {}", peer.name(), report.output);
        let tls = Target::new(submission, Security::StartTls, &certs.ca);
        let report = Client::Smtplib.send(&tls, &mail).unwrap();
        assert!(!report.accepted, "{}: {}", peer.name(), report.output);
        let tls = tls.login(Mechanism::Plain, USER, PASSWORD);
        let last = Mail::new("Stored.\r\n");
        let report = Client::Smtplib.send(&tls, &last).unwrap();
        assert!(report.accepted, "{}: {}", peer.name(), report.output);
        peer.wait_for(&last.marker, 1).unwrap();
        assert_eq!(peer.stored(&mail.marker).unwrap(), [], "{}", peer.name());
    }
}

#[test]
fn one_refused_recipient_does_not_stop_the_others() {
    let certs = Certs::new().unwrap();
    let peers: [&dyn Peer; 2] = [
        &Postfix::start(&certs.server).unwrap(),
        &Aiosmtpd::start(&certs.server).unwrap(),
    ];
    let [alice, bob, _] = MAILBOXES;
    for peer in peers {
        let target = Target::plaintext(peer.port(Security::DangerPlaintext));
        let mail = Mail::new("For two.\r\n").to([alice, REFUSED, bob]);
        let report = Client::Smtplib.send(&target, &mail).unwrap();
        assert!(report.accepted, "{}", report.output);
        assert!(report.output.contains(&format!("refused: {REFUSED} 550")));
        let mut reached: Vec<String> = peer
            .wait_for(&mail.marker, 2)
            .unwrap()
            .into_iter()
            .flat_map(|stored| stored.recipients)
            .collect();
        reached.sort();
        assert_eq!(reached, [alice, bob], "{}", peer.name());
    }
}

#[test]
fn addresses_outside_ascii_reach_their_mailbox() {
    let certs = Certs::new().unwrap();
    let peers: [&dyn Peer; 2] = [
        &Postfix::start(&certs.server).unwrap(),
        &Aiosmtpd::start(&certs.server).unwrap(),
    ];
    for peer in peers {
        let target = Target::plaintext(peer.port(Security::DangerPlaintext));
        let mail = Mail::new("Grüße\r\n").to([UTF8_MAILBOX]);
        let report = Client::Smtplib.send(&target, &mail).unwrap();
        assert!(report.accepted, "{}", report.output);
        let stored = peer.wait_for(&mail.marker, 1).unwrap();
        assert_eq!(stored[0].recipients, [UTF8_MAILBOX], "{}", peer.name());
        report.compare(&stored[0].message).unwrap();
    }
}

#[test]
fn clients_refuse_bad_certificates_and_take_good_ones() {
    let certs = Certs::new().unwrap();
    let identities = [
        ("good", &certs.server),
        ("untrusted", &certs.untrusted),
        ("wrong host", &certs.wrong_host),
        ("expired", &certs.expired),
    ];
    for (kind, identity) in identities {
        let peer = Aiosmtpd::start(identity).unwrap();
        for client in Client::ALL {
            if !client.can_log_in() || kind == "wrong host" && !client.checks_host_name() {
                continue;
            }
            for security in [Security::StartTls, Security::ImplicitTls] {
                let target = Target::new(peer.port(security), security, &certs.ca);
                let report = client.send(&target, &Mail::new("Hello.\r\n")).unwrap();
                assert_eq!(
                    report.accepted,
                    kind == "good",
                    "{} with the {kind} certificate and {security:?}:\n{}",
                    client.name(),
                    report.output
                );
            }
        }
        assert_eq!(
            peer.stored("").unwrap().is_empty(),
            kind != "good",
            "{kind}"
        );
    }
}

#[test]
fn a_stopped_peer_leaves_nothing_behind() {
    let certs = Certs::new().unwrap();
    let peers: [Box<dyn Peer>; 2] = [
        Box::new(Postfix::start(&certs.server).unwrap()),
        Box::new(Aiosmtpd::start(&certs.server).unwrap()),
    ];
    for peer in peers {
        let port = peer.port(Security::DangerPlaintext);
        drop(peer);
        let address = (std::net::Ipv4Addr::LOCALHOST, port);
        std::net::TcpListener::bind(address).expect("the port is free again");
    }
}

/// Without log-in and TLS: what arrives is what was sent.
fn every_sample_arrives(peer: &dyn Peer) {
    let mut failures = Vec::new();
    for client in Client::ALL {
        for (name, mail) in samples() {
            let target = Target::plaintext(peer.port(Security::DangerPlaintext));
            if client.can_do(&target, &mail)
                && let Err(error) = arrives(client, &target, &mail, peer)
            {
                failures.push(format!(
                    "{} -> {}: {name}: {error}",
                    client.name(),
                    peer.name()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Each protection with each mechanism that the peer offers.
fn every_log_in_works(peer: &dyn Peer, certs: &Certs, offered: &[Mechanism]) {
    let mut failures = Vec::new();
    for client in Client::ALL.into_iter().filter(|client| client.can_log_in()) {
        for security in SECURITIES {
            for &mechanism in offered {
                let mail = Mail::new("Logged in.\r\n");
                let target = Target::new(peer.port(security), security, &certs.ca)
                    .login(mechanism, USER, PASSWORD);
                if let Err(error) = arrives(client, &target, &mail, peer) {
                    failures.push(format!(
                        "{} -> {}: {security:?} {mechanism:?}: {error}",
                        client.name(),
                        peer.name()
                    ));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Sends one mail and compares what each recipient got with what the client was told to send.
fn arrives(client: Client, target: &Target, mail: &Mail, peer: &dyn Peer) -> Result<(), Error> {
    let report = client.send(target, mail)?;
    if !report.accepted {
        return Err(Error::new(format!("not sent:\n{}", report.output)));
    }
    let mut reached = Vec::new();
    for copy in peer.wait_for(&mail.marker, mail.recipients.len())? {
        report.compare(&copy.message)?;
        if copy.reverse_path != SENDER {
            return Err(Error::new(format!("reverse-path {:?}", copy.reverse_path)));
        }
        reached.extend(copy.recipients);
    }
    reached.sort();
    if reached != mail.recipients {
        return Err(Error::new(format!("it reached {reached:?}")));
    }
    Ok(())
}
