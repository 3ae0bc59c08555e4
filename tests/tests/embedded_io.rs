//! The adapter for microcontrollers over a transport of embedded-io-async, here sockets of tokio: mail to real
//! servers, byte by byte.

use std::cell::Cell;
use std::future::Future;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use embedded_io_adapters::tokio_1::FromTokio;
use sansmtp::Instant;
use sansmtp::auth::Credentials;
use sansmtp::config::{Config, Timeouts};
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::wire::path::ReversePath;
use sansmtp_smoltcp::tls::{CertificateError, Tls, TlsFailure, Trust, rand_core};
use sansmtp_smoltcp::{Clock, Connect, Delivery, InMemory, Reason, Report, Retry, send};
use sansmtp_tests::Security;
use sansmtp_tests::certs::Certs;
use sansmtp_tests::cutting_proxy::{Cut, CuttingProxy};
use sansmtp_tests::mail::compare;
use sansmtp_tests::peers::{Aiosmtpd, Ours, PASSWORD, Peer, Postfix, REFUSED, USER};
use tokio::net::TcpStream;

/// The clock of tokio.
struct Tokio {
    start: tokio::time::Instant,
    /// Seconds since 1970.
    unix_time: u64,
}

impl Tokio {
    fn new() -> Self {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Self {
            start: tokio::time::Instant::now(),
            unix_time: since.as_secs(),
        }
    }
}

impl Clock for Tokio {
    fn now(&self) -> Instant {
        Instant::from_millis(self.start.elapsed().as_millis() as u64)
    }

    fn until(&self, at: Instant) -> impl Future<Output = ()> {
        tokio::time::sleep_until(self.start + Duration::from_millis(at.millis()))
    }

    fn unix_time(&self) -> u64 {
        self.unix_time
    }
}

/// Connects by tokio; the first attempts find nobody.
struct Connector {
    deaf: u8,
    made: Cell<u8>,
}

impl Connect for Connector {
    type Transport<'t> = FromTokio<TcpStream>;

    async fn connect(&mut self, host: &str, port: u16) -> Result<FromTokio<TcpStream>, Reason> {
        self.made.set(self.made.get() + 1);
        if self.made.get() <= self.deaf {
            return Err(Reason::NotConnected);
        }
        let stream = TcpStream::connect((host, port)).await;
        stream.map(FromTokio::new).map_err(|_| Reason::NotConnected)
    }
}

const RETRY: Retry = Retry {
    attempts: 3,
    first_pause: 1,
    longest_pause: 10,
};

struct Mail {
    from: String,
    message: Vec<u8>,
}

fn mail() -> Mail {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let from = format!("embedded{number}@client.test");
    let mut message = format!("From: {from}\r\nSubject: hot\r\n\r\n.\r\n..dots\r\n").into_bytes();
    message.extend(b"93 degrees, and so on and on\r\n".repeat(500));
    Mail { from, message }
}

/// Sends it to `to` at this port, with TLS if there is somebody to trust.
fn run(
    mail: &Mail,
    to: &[&str],
    security: Security,
    port: u16,
    login: bool,
    trust: Option<Trust<'_>>,
    deaf: u8,
) -> (Report, Vec<Outcome>) {
    let mut config = Config::new("localhost", security)
        .unwrap()
        .port(port)
        .timeouts(Timeouts::all(10_000));
    if login {
        config = config.credentials(Credentials::password(USER, PASSWORD).unwrap());
    }
    let to: Vec<Recipient<'_>> = to.iter().map(|to| Recipient::parse(to).unwrap()).collect();
    let envelope = Envelope::new(ReversePath::parse(&mail.from).unwrap(), &to);
    let (mut line, mut outcomes) = ([0; 256], vec![Outcome::NotSent; to.len()]);
    let content = InMemory::new(&mail.message);
    let mut delivery = Delivery::new(&config, &envelope, content, &mut line, &mut outcomes);
    let mut connector = Connector {
        deaf,
        made: Cell::new(0),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(async {
        let clock = Tokio::new();
        match trust {
            None => send(&mut delivery, &mut connector, RETRY, &clock).await,
            Some(trust) => {
                let (mut read, mut write) = (vec![0; 16_640], vec![0; 1024]);
                let mut tls = Tls::new(trust, rand_core::OsRng, &mut read, &mut write);
                tls.send(&mut delivery, &mut connector, RETRY, &clock).await
            }
        }
    });
    (report, outcomes)
}

#[track_caller]
fn assert_stored(peer: &dyn Peer, mail: &Mail) {
    let stored = peer.wait_for(&mail.from, 1).unwrap();
    assert_eq!(stored.len(), 1, "{}", peer.name());
    compare(&mail.message, &stored[0].message).unwrap();
}

const DELIVERED: Report = Report {
    attempts: 1,
    result: Ok(()),
};

#[test]
fn mail_arrives_with_and_without_tls() {
    let certs = Certs::new().unwrap();
    let anchor = std::fs::read(&certs.ca_der).unwrap();
    let anchors: &[&[u8]] = &[&anchor];
    let peers: [&dyn Peer; 3] = [
        &Ours::start(&certs.server).unwrap(),
        &Aiosmtpd::start(&certs.server).unwrap(),
        &Postfix::start(&certs.server).unwrap(),
    ];
    for peer in peers {
        for (security, port) in [
            (
                Security::DangerPlaintext,
                peer.port(Security::DangerPlaintext),
            ),
            (Security::ImplicitTls, peer.port(Security::ImplicitTls)),
            (Security::StartTls, peer.submission_port()),
        ] {
            let mail = mail();
            let secure = security != Security::DangerPlaintext;
            let trust = secure.then(|| Trust::anchors(anchors));
            let to = ["alice@mx.test", REFUSED];
            let (report, outcomes) = run(&mail, &to, security, port, secure, trust, 0);
            assert_eq!(report, DELIVERED, "{} {security:?}", peer.name());
            assert!(matches!(
                outcomes[..],
                [Outcome::Delivered, Outcome::Refused { code, .. }] if code.get() == 550
            ));
            assert_stored(peer, &mail);
        }
    }
}

#[test]
fn what_may_pass_is_tried_again_and_what_may_have_arrived_is_not() {
    let certs = Certs::new().unwrap();
    let peer = Ours::start(&certs.server).unwrap();
    let port = peer.port(Security::DangerPlaintext);
    let plain = Security::DangerPlaintext;
    let to = ["alice@mx.test"];
    let late = mail();
    let (report, _) = run(&late, &to, plain, port, false, None, 2);
    assert_eq!((report.attempts, report.result), (3, Ok(())));
    assert_stored(&peer, &late);

    let (report, _) = run(&mail(), &to, plain, port, false, None, 3);
    assert_eq!(report.attempts, 3);
    assert_eq!(report.result.unwrap_err().reason, Reason::NotConnected);

    let whole = CuttingProxy::start(port, Cut::Never).unwrap();
    run(&mail(), &to, plain, whole.port(), false, None, 0);
    let (lines, _) = whole.seen();
    let mut unknown = 0;
    for cut in 0..=lines {
        let proxy = CuttingProxy::start(port, Cut::ServerLines(cut)).unwrap();
        let mail = mail();
        let (report, _) = run(&mail, &to, plain, proxy.port(), false, None, 0);
        match report.result {
            Ok(()) => assert_stored(&peer, &mail),
            Err(failure) => {
                assert!(failure.outcome_unknown, "{cut}: {failure:?}");
                assert_eq!(proxy.connections(), 1, "{cut}: sent again");
                unknown += 1;
            }
        }
    }
    assert!(unknown > 0 && unknown < lines, "{unknown} of {lines}");
}

#[test]
fn a_server_that_is_not_trusted_gets_nothing() {
    let certs = Certs::new().unwrap();
    let anchor = std::fs::read(&certs.ca_der).unwrap();
    let peer = Ours::start(&certs.untrusted).unwrap();
    let mail = mail();
    let (report, _) = run(
        &mail,
        &["alice@mx.test"],
        Security::StartTls,
        peer.submission_port(),
        true,
        Some(Trust::anchors(&[&anchor])),
        0,
    );
    assert_eq!(report.attempts, 1);
    let reason = report.result.unwrap_err().reason;
    let untrusted = TlsFailure::Certificate(CertificateError::UnknownIssuer);
    assert_eq!(reason, Reason::Tls(untrusted));
    assert_eq!(peer.stored(&mail.from).unwrap(), []);
}

#[test]
fn a_silent_server_is_given_up() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let config = Config::new("localhost", Security::DangerPlaintext)
        .unwrap()
        .port(port)
        .timeouts(Timeouts::all(50));
    let to = [Recipient::parse("alice@mx.test").unwrap()];
    let envelope = Envelope::new(ReversePath::parse("a@client.test").unwrap(), &to);
    let (mut line, mut outcomes) = ([0; 128], [Outcome::NotSent]);
    let content = InMemory::new(b"a\r\n");
    let mut delivery = Delivery::new(&config, &envelope, content, &mut line, &mut outcomes);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut connector = Connector {
        deaf: 0,
        made: Cell::new(0),
    };
    let clock = Tokio::new();
    let report = runtime.block_on(send(&mut delivery, &mut connector, RETRY, &clock));
    assert_eq!(report.attempts, 3);
    assert!(matches!(
        report.result.unwrap_err().reason,
        Reason::Smtp(sansmtp::Error::Timeout { .. })
    ));
}
