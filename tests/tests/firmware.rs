//! The firmware of `no_std_demo/` in QEMU against servers of other makers: what they stored, byte by byte,
//! and what the device reported. `cargo xtask firmware` builds the image and runs these tests.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use sansmtp_tests::Security;
use sansmtp_tests::certs::{Certs, Identity};
use sansmtp_tests::cutting_proxy::{Cut, CuttingProxy};
use sansmtp_tests::emulator::{Emulator, Network, Run, SERVER_ADDRESS, SERVER_PORT, Time, Variant};
use sansmtp_tests::mail::compare;
use sansmtp_tests::peers::{Aiosmtpd, BUSY, PASSWORD, Peer, Postfix, REFUSED, USER};

/// Exit codes of the firmware.
const DELIVERED: i32 = 0;
const FAILED: i32 = 1;
const UNKNOWN: i32 = 2;
const NO_NETWORK: i32 = 3;

/// A device whose mail can be told from that of all others.
struct Device<'a> {
    emulator: &'a Emulator,
    from: String,
    settings: Vec<String>,
}

impl<'a> Device<'a> {
    fn new(emulator: &'a Emulator, security: &str, to: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let from = format!("pump{number}@client.test");
        let mut device = Self {
            emulator,
            settings: Vec::new(),
            from,
        };
        for (key, value) in [
            ("host", "localhost"),
            ("address", SERVER_ADDRESS),
            ("port", &SERVER_PORT.to_string()),
            ("security", security),
            ("to", to),
            ("from", &device.from.clone()),
            ("copy", &device.copy().display().to_string()),
            ("pause", "50"),
        ] {
            device = device.with(key, value);
        }
        device
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.push(format!("{key}={value}"));
        self
    }

    fn copy(&self) -> std::path::PathBuf {
        self.emulator.directory().join(&self.from)
    }

    fn run(&self, port: u16) -> Run {
        self.run_in(Network::Server(port), Time::Real)
    }

    fn run_in(&self, network: Network, time: Time) -> Run {
        self.emulator.run(network, time, &self.settings).unwrap()
    }

    /// The mail as the device wrote it.
    fn written(&self) -> Vec<u8> {
        fs::read(self.copy()).unwrap()
    }
}

#[track_caller]
fn assert_ends(run: &Run, code: i32, said: &str) {
    assert_eq!(run.code, code, "{}", run.log);
    assert!(run.log.contains(said), "{}", run.log);
}

#[test]
fn the_alert_arrives_byte_by_byte() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let certs = Certs::new().unwrap();
    let peers: [&dyn Peer; 2] = [
        &Aiosmtpd::start(&certs.server).unwrap(),
        &Postfix::start(&certs.server).unwrap(),
    ];
    for peer in peers {
        let device = Device::new(&emulator, "plain", "alice@mx.test,bob@mx.test");
        let run = device.run(peer.port(Security::DangerPlaintext));
        assert_ends(&run, DELIVERED, "alert: delivered");
        let stored = peer.wait_for(&device.from, 2).unwrap();
        for mail in &stored {
            compare(&device.written(), &mail.message).unwrap();
            assert_eq!(mail.reverse_path, device.from);
        }
        let mut recipients: Vec<&String> =
            stored.iter().flat_map(|mail| &mail.recipients).collect();
        recipients.sort();
        assert_eq!(
            recipients,
            ["alice@mx.test", "bob@mx.test"],
            "{}",
            peer.name()
        );
    }
}

#[test]
fn each_recipient_is_accounted_for() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Aiosmtpd::start(&certs.server).unwrap();
    let port = peer.port(Security::DangerPlaintext);
    let to = format!("alice@mx.test,{REFUSED}");
    let device = Device::new(&emulator, "plain", &to);
    let run = device.run(port);
    assert_ends(&run, DELIVERED, "recipient alice@mx.test: delivered");
    assert_ends(&run, DELIVERED, &format!("recipient {REFUSED}: refused"));
    let stored = peer.wait_for(&device.from, 1).unwrap();
    assert_eq!(stored[0].recipients, ["alice@mx.test"]);

    let nobody = Device::new(&emulator, "plain", REFUSED);
    let run = nobody.run(port);
    assert_ends(&run, FAILED, "attempts: 1");
    assert_ends(&run, FAILED, "refused RCPT with 550");
    let later = Device::new(&emulator, "plain", BUSY).with("attempts", "3");
    let run = later.run(port);
    assert_ends(&run, FAILED, "attempts: 3");
    assert_ends(&run, FAILED, "refused RCPT with 450");
    for device in [&nobody, &later] {
        assert_eq!(peer.stored(&device.from).unwrap(), []);
    }
}

#[test]
fn a_connection_cut_at_any_step_never_delivers_twice() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Aiosmtpd::start(&certs.server).unwrap();
    let port = peer.port(Security::DangerPlaintext);

    let whole = CuttingProxy::start(port, Cut::Never).unwrap();
    let device = Device::new(&emulator, "plain", "alice@mx.test");
    assert_ends(&device.run(whole.port()), DELIVERED, "alert: delivered");
    let (lines, octets) = whole.seen();
    assert!(
        lines > 10 && octets > 1000,
        "{lines} lines, {octets} octets"
    );

    let content = device.written().len();
    let inside = octets.saturating_sub(content / 2);
    // The last are the final dot and QUIT.
    let octets = [0, 1, 10, 40, 90, inside]
        .into_iter()
        .chain(octets - 12..=octets);
    let cuts = (0..=lines).map(Cut::ServerLines);
    let mut unknown = 0;
    for cut in cuts.chain(octets.map(Cut::ClientOctets)) {
        let proxy = CuttingProxy::start(port, cut).unwrap();
        let device = Device::new(&emulator, "plain", "alice@mx.test").with("timeout", "3000");
        unknown += usize::from(!is_delivered_once(
            &device,
            &proxy,
            &peer,
            &format!("{cut:?}"),
        ));
    }
    assert!(unknown > 0);
}

#[test]
fn a_silent_server_is_given_up() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    // It accepts connections and never says anything.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let device = Device::new(&emulator, "plain", "alice@mx.test")
        .with("attempts", "2")
        .with("timeout", "60000");
    let run = device.run_in(Network::Server(port), Time::Jumping);
    assert_ends(&run, FAILED, "attempts: 2");
    assert_ends(&run, FAILED, "time out at the greeting");
}

#[test]
fn a_missing_cable_is_reported() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let device = Device::new(&emulator, "plain", "alice@mx.test");
    let run = device.run_in(Network::Unplugged, Time::Jumping);
    assert_ends(&run, NO_NETWORK, "no address: is the cable in?");
}

/// A device with TLS that trusts the authority of `certs` and logs in.
fn secure<'a>(emulator: &'a Emulator, certs: &Certs, security: &str) -> Device<'a> {
    Device::new(emulator, security, "alice@mx.test")
        .with("ca", &certs.ca_der.display().to_string())
        .with("user", USER)
        .with("password", PASSWORD)
}

#[test]
fn the_alert_goes_through_verified_tls() {
    let emulator = Emulator::new(Variant::Tls).unwrap();
    let certs = Certs::new().unwrap();
    let peers: [&dyn Peer; 2] = [
        &Aiosmtpd::start(&certs.server).unwrap(),
        &Postfix::start(&certs.server).unwrap(),
    ];
    for peer in peers {
        for (security, port) in [
            ("tls", peer.port(Security::ImplicitTls)),
            ("starttls", peer.submission_port()),
        ] {
            let device = secure(&emulator, &certs, security);
            let run = device.run(port);
            assert_ends(&run, DELIVERED, "alert: delivered");
            let stored = peer.wait_for(&device.from, 1).unwrap();
            compare(&device.written(), &stored[0].message).unwrap();
        }
        let mut device = secure(&emulator, &certs, "starttls");
        device
            .settings
            .retain(|setting| !setting.starts_with("password="));
        let run = device.with("password", "wrong").run(peer.submission_port());
        assert_ends(&run, FAILED, "refused AUTH with 535");
        assert_ends(&run, FAILED, "attempts: 1");
    }
}

#[test]
fn only_a_verified_server_gets_the_alert() {
    let emulator = Emulator::new(Variant::Tls).unwrap();
    let certs = Certs::new().unwrap();
    let cases: [(&Identity, Result<(), &str>); 8] = [
        (&certs.fourth_name, Ok(())),
        (&certs.sent_twice, Ok(())),
        (&certs.chained, Ok(())),
        (&certs.untrusted, Err("issued by nobody that is trusted")),
        (&certs.wrong_host, Err("for another host")),
        (&certs.common_name_only, Err("for another host")),
        (&certs.expired, Err("has expired")),
        (&certs.issued_by_nobody, Err("somebody who may not do that")),
    ];
    for (identity, expected) in cases {
        let peer = Aiosmtpd::start(identity).unwrap();
        for (security, port) in [
            ("tls", peer.port(Security::ImplicitTls)),
            ("starttls", peer.port(Security::StartTls)),
        ] {
            let device = secure(&emulator, &certs, security);
            let run = device.run(port);
            match expected {
                Ok(()) => assert_ends(&run, DELIVERED, "alert: delivered"),
                Err(why) => {
                    assert_ends(&run, FAILED, why);
                    assert_ends(&run, FAILED, "attempts: 1");
                }
            }
            let stored = peer.stored(&device.from).unwrap().len();
            assert_eq!(stored, usize::from(expected.is_ok()), "{identity:?}");
        }
    }
    // The same server at another time: before its certificate is valid.
    let peer = Aiosmtpd::start(&certs.server).unwrap();
    let device = secure(&emulator, &certs, "tls").with("time", "86400");
    let run = device.run(peer.port(Security::ImplicitTls));
    assert_ends(&run, FAILED, "not valid yet");
}

#[test]
fn a_server_without_starttls_gets_nothing() {
    let emulator = Emulator::new(Variant::Tls).unwrap();
    let certs = Certs::new().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        stream.write_all(b"220 mx.test\r\n").unwrap();
        for line in BufReader::new(stream.try_clone().unwrap()).lines() {
            let Ok(line) = line else { break };
            if line.starts_with("EHLO") {
                stream
                    .write_all(b"250-mx.test\r\n250 AUTH PLAIN\r\n")
                    .unwrap();
            }
            heard.push(line);
        }
        heard
    });
    let run = secure(&emulator, &certs, "starttls").run(port);
    assert_ends(&run, FAILED, "the server lacks what is required");
    let heard = server.join().unwrap();
    assert!(
        heard.iter().all(|line| line.starts_with("EHLO")),
        "{heard:?}"
    );
}

#[test]
fn a_connection_cut_in_the_middle_of_tls_is_made_again() {
    let emulator = Emulator::new(Variant::Tls).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Aiosmtpd::start(&certs.server).unwrap();
    let port = peer.port(Security::ImplicitTls);
    let whole = CuttingProxy::start(port, Cut::Never).unwrap();
    let run = secure(&emulator, &certs, "tls").run(whole.port());
    assert_ends(&run, DELIVERED, "alert: delivered");
    let (_, octets) = whole.seen();
    // Inside the ClientHello, then anywhere.
    let early = [0, 1, 100, 200];
    for cut in early
        .into_iter()
        .chain((1..8).map(|eighth| octets * eighth / 8))
    {
        let proxy = CuttingProxy::start(port, Cut::ClientOctets(cut)).unwrap();
        let device = secure(&emulator, &certs, "tls").with("timeout", "5000");
        let what = format!("{cut} of {octets}");
        let delivered = is_delivered_once(&device, &proxy, &peer, &what);
        assert!(delivered || !early.contains(&cut), "{what}");
    }
}

/// Runs the device: the alert is stored exactly once, or is said to be unknown and was not sent again.
#[track_caller]
fn is_delivered_once(
    device: &Device<'_>,
    proxy: &CuttingProxy,
    peer: &dyn Peer,
    what: &str,
) -> bool {
    let run = device.run(proxy.port());
    let delivered = match run.code {
        DELIVERED => true,
        UNKNOWN => false,
        _ => panic!("{what}: {}", run.log),
    };
    let stored = if delivered {
        peer.wait_for(&device.from, 1).unwrap()
    } else {
        assert_eq!(proxy.connections(), 1, "{what}: sent again");
        peer.stored(&device.from).unwrap()
    };
    assert!(stored.len() <= 1, "{what}: {}", run.log);
    for mail in stored {
        compare(&device.written(), &mail.message).unwrap();
    }
    delivered
}
