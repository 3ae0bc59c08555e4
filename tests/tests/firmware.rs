//! The firmware of `no_std_demo/` in QEMU against our server and servers of other makers: what they stored, byte by
//! byte, and what the device reported. `cargo xtask firmware` builds the images and runs these tests.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use sansmtp_tests::Security;
use sansmtp_tests::capture::{Segment, segments};
use sansmtp_tests::certs::{Certs, Identity};
use sansmtp_tests::clients::{Client, Login, Target};
use sansmtp_tests::cutting_proxy::{Cut, CuttingProxy};
use sansmtp_tests::emulator::{
    Emulator, Network, Run, SERVER_ADDRESS, SERVER_PORT, Time, Variant, free_port,
};
use sansmtp_tests::mail::{Mail, compare};
use sansmtp_tests::peers::{Aiosmtpd, BUSY, Ours, PASSWORD, Peer, Postfix, REFUSED, USER};

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
        self.emulator
            .run(network, time, &self.settings, None)
            .unwrap()
    }

    /// The same, with what went over the cable.
    fn run_and_watch(&self, port: u16, capture: &std::path::Path) -> (Run, Vec<Segment>) {
        let network = Network::Server(port);
        let run = self
            .emulator
            .run(network, Time::Real, &self.settings, Some(capture));
        (run.unwrap(), segments(capture).unwrap())
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

/// A file that is kept: beside the others of `cargo xtask firmware`.
fn artefact(name: &str) -> PathBuf {
    let directory = std::env::var_os("SANSMTP_FIRMWARE_ARTEFACTS").unwrap();
    PathBuf::from(directory).join(name)
}

/// Writes down how much RAM a run used, for the table of `cargo xtask firmware`.
fn note_memory(variant: &str, run: &Run) {
    let number = |what: &str| {
        let line = run.log.lines().find_map(|line| line.strip_prefix(what));
        line.and_then(|line| line.split(' ').next().map(str::to_owned))
            .unwrap_or_else(|| panic!("{}", run.log))
    };
    let line = format!("{variant} {} {}\n", number("stack: "), number("statics: "));
    let file = OpenOptions::new().append(true).open(artefact("figures"));
    file.unwrap().write_all(line.as_bytes()).unwrap();
}

#[test]
fn the_alert_arrives_byte_by_byte() {
    let certs = Certs::new().unwrap();
    let peers: [&dyn Peer; 3] = [
        &Ours::start(&certs.server).unwrap(),
        &Aiosmtpd::start(&certs.server).unwrap(),
        &Postfix::start(&certs.server).unwrap(),
    ];
    let emulator = Emulator::new(Variant::Plain).unwrap();
    for peer in peers {
        let device = Device::new(&emulator, "plain", "alice@mx.test,bob@mx.test");
        let run = device.run(peer.port(Security::DangerPlaintext));
        assert_ends(&run, DELIVERED, "alert: delivered");
        note_memory("plain", &run);
        let stored = peer.wait_for(&device.from, 2).unwrap();
        for mail in &stored {
            compare(&device.written(), &mail.message).unwrap();
            assert_eq!(mail.reverse_path, device.from);
        }
        let recipients = stored.iter().flat_map(|mail| &mail.recipients);
        let mut recipients: Vec<&String> = recipients.collect();
        recipients.sort();
        let to = ["alice@mx.test", "bob@mx.test"];
        assert_eq!(recipients, to, "{}", peer.name());
    }
}

/// Its settings are built in, so it writes no copy: what it wrote is what went over the cable.
#[test]
fn the_smallest_build_sends_its_alert() {
    let emulator = Emulator::new(Variant::Brief).unwrap();
    let certs = Certs::new().unwrap();
    let peers: [&dyn Peer; 2] = [
        &Ours::start(&certs.server).unwrap(),
        &Postfix::start(&certs.server).unwrap(),
    ];
    for peer in peers {
        let mut device = Device::new(&emulator, "plain", "alice@mx.test");
        device.from = "pump7@client.test".to_owned();
        let capture = emulator.directory().join("brief.pcap");
        let port = peer.port(Security::DangerPlaintext);
        let (run, segments) = device.run_and_watch(port, &capture);
        assert_ends(&run, DELIVERED, "alert: delivered");
        note_memory("brief", &run);
        let dialogue = String::from_utf8(said(&segments, false)).unwrap();
        let (_, content) = dialogue.split_once("DATA\r\n").unwrap();
        let content = content.strip_suffix(".\r\nQUIT\r\n").unwrap();
        let written = content.replace("\r\n..", "\r\n.");
        assert!(
            written.contains("93.") || written.contains("90."),
            "{written}"
        );
        let stored = peer.wait_for(&device.from, 1).unwrap();
        assert_eq!(stored[0].recipients, ["alice@mx.test"]);
        compare(written.as_bytes(), &stored[0].message).unwrap();
    }
}

#[test]
fn each_recipient_is_accounted_for() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Ours::start(&certs.server).unwrap();
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
    let peers: [&dyn Peer; 2] = [
        &Ours::start(&certs.server).unwrap(),
        &Postfix::start(&certs.server).unwrap(),
    ];
    for peer in peers {
        let port = peer.port(Security::DangerPlaintext);
        let (lines, octets, content) = dialogue(&emulator, port);
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
            let what = format!("{} {cut:?}", peer.name());
            unknown += usize::from(!is_delivered_once(&device, &proxy, peer, &what));
        }
        assert!(unknown > 0);
    }
}

/// Lines of the server, octets of the device, and octets of the mail in a dialogue that nothing disturbs.
fn dialogue(emulator: &Emulator, port: u16) -> (usize, usize, usize) {
    let whole = CuttingProxy::start(port, Cut::Never).unwrap();
    let device = Device::new(emulator, "plain", "alice@mx.test");
    assert_ends(&device.run(whole.port()), DELIVERED, "alert: delivered");
    let (lines, octets) = whole.seen();
    assert!(
        lines > 10 && octets > 1000,
        "{lines} lines, {octets} octets"
    );
    (lines, octets, device.written().len())
}

#[test]
fn a_server_that_falls_silent_at_any_step_is_given_up() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Ours::start(&certs.server).unwrap();
    let port = peer.port(Security::DangerPlaintext);
    let (lines, octets, _) = dialogue(&emulator, port);
    let mut unknown = 0;
    for cut in (0..lines)
        .map(Cut::HoldServerLines)
        .chain([octets / 2, octets - 6].map(Cut::HoldClientOctets))
    {
        let proxy = CuttingProxy::start(port, cut).unwrap();
        let device = Device::new(&emulator, "plain", "alice@mx.test").with("timeout", "1000");
        unknown += usize::from(!is_delivered_once(
            &device,
            &proxy,
            &peer,
            &format!("{cut:?}"),
        ));
    }
    // Its verdict did not come.
    assert!(unknown > 0);
}

#[test]
fn segments_of_one_octet_carry_the_alert() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Ours::start(&certs.server).unwrap();
    let device = Device::new(&emulator, "plain", "alice@mx.test").with("window", "1");
    let capture = emulator.directory().join("one.pcap");
    let port = peer.port(Security::DangerPlaintext);
    let (run, segments) = device.run_and_watch(port, &capture);
    assert_ends(&run, DELIVERED, "alert: delivered");
    let stored = peer.wait_for(&device.from, 1).unwrap();
    compare(&device.written(), &stored[0].message).unwrap();
    let data: Vec<&Segment> = segments
        .iter()
        .filter(|it| !it.payload.is_empty())
        .collect();
    assert!(data.iter().all(|segment| segment.payload.len() == 1));
    let from_server = data.iter().filter(|it| it.source_port == SERVER_PORT);
    assert!(from_server.count() > 100, "the server said too little");
    assert!(data.len() > device.written().len());
}

/// What one side sent, put together; a segment that came twice counts once.
fn said(segments: &[Segment], by_server: bool) -> Vec<u8> {
    let mut next = None;
    let mut said = Vec::new();
    for segment in segments {
        let from_server = segment.source_port == SERVER_PORT;
        if from_server != by_server || segment.payload.is_empty() {
            continue;
        }
        if next.is_none_or(|next| next == segment.sequence) {
            said.extend(&segment.payload);
            next = Some(segment.sequence.wrapping_add(segment.payload.len() as i32));
        }
    }
    said
}

#[test]
fn what_goes_over_the_cable_is_what_is_meant() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Ours::start(&certs.server).unwrap();
    let device = Device::new(&emulator, "plain", "alice@mx.test,bob@mx.test");
    let capture = artefact("alert.pcap");
    let port = peer.port(Security::DangerPlaintext);
    let (run, segments) = device.run_and_watch(port, &capture);
    assert_ends(&run, DELIVERED, "alert: delivered");

    let (device_said, server_said) = (said(&segments, false), said(&segments, true));
    assert!(server_said.starts_with(b"220 "));
    let dialogue = String::from_utf8(device_said).unwrap();
    assert!(dialogue.starts_with("EHLO "), "{dialogue}");
    assert!(dialogue.ends_with("\r\n.\r\nQUIT\r\n"), "{dialogue}");
    // Dots at the beginning of a line are doubled.
    let carried = dialogue.replace("\r\n..", "\r\n.");
    let content = String::from_utf8(device.written()).unwrap();
    assert!(carried.contains(&content));
    // The envelope is one segment, and each flight waits once: EHLO, envelope, content, QUIT.
    let envelope = segments.iter().find(|it| it.payload.starts_with(b"MAIL "));
    let envelope = String::from_utf8_lossy(&envelope.unwrap().payload);
    assert!(
        envelope.contains("alice") && envelope.contains("bob") && envelope.ends_with("DATA\r\n"),
        "{envelope}"
    );
    let sides = segments.iter().filter(|it| !it.payload.is_empty());
    let mut sides: Vec<bool> = sides.map(|it| it.source_port == SERVER_PORT).collect();
    sides.dedup();
    assert_eq!(sides.iter().filter(|by_server| !**by_server).count(), 4);
    // Nothing was lost on the way, so nothing may have been sent twice.
    let mut places: Vec<(u16, i32)> = segments
        .iter()
        .filter(|it| !it.payload.is_empty())
        .map(|it| (it.source_port, it.sequence))
        .collect();
    let all = places.len();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), all, "a segment was sent twice");
    assert!(!segments.iter().any(|it| it.is_reset));
}

/// Alerts that could not be sent are kept over a warm reset.
#[test]
fn a_dead_server_loses_no_alert() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Ours::start(&certs.server).unwrap();
    let port = peer.port(Security::DangerPlaintext);
    // The first connection is cut, so that the first boot delivers none of three.
    let proxy = CuttingProxy::start(port, Cut::ServerLines(1)).unwrap();
    let device = Device::new(&emulator, "plain", "alice@mx.test")
        .with("alerts", "3")
        .with("attempts", "1")
        .with("resets", "1");
    let run = device.run(proxy.port());
    assert_ends(&run, DELIVERED, "alerts: 3 kept");
    assert_ends(&run, DELIVERED, "boot: 2");
    assert_ends(&run, DELIVERED, "alerts: 3 found");
    assert_eq!(
        run.log.matches("alert: delivered").count(),
        3,
        "{}",
        run.log
    );
    let stored = peer.wait_for(&device.from, 3).unwrap();
    assert_eq!(stored.len(), 3);
    let mut sizes: Vec<usize> = stored.iter().map(|mail| mail.message.len()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    assert_eq!(sizes.len(), 3, "each has a log of its own");

    // More than there is room for.
    let full = Device::new(&emulator, "plain", "alice@mx.test").with("alerts", "14");
    let run = full.run(port);
    assert_ends(&run, DELIVERED, "alert: no room, not kept");
    assert_eq!(peer.wait_for(&full.from, 12).unwrap().len(), 12);
}

#[test]
fn a_missing_cable_keeps_the_alert() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let device = Device::new(&emulator, "plain", "alice@mx.test").with("resets", "1");
    let run = device.run_in(Network::Unplugged, Time::Jumping);
    assert_ends(&run, NO_NETWORK, "no address: is the cable in?");
    assert_ends(&run, NO_NETWORK, "alerts: 1 kept");
    assert_ends(&run, NO_NETWORK, "alerts: 1 found");
}

/// Somebody presses the reset button at any moment.
#[test]
fn a_reset_at_any_step_never_delivers_twice() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Ours::start(&certs.server).unwrap();
    let port = peer.port(Security::DangerPlaintext);
    let (lines, octets, content) = dialogue(&emulator, port);
    let (mut unknown, mut delivered) = (0, 0);
    for cut in [0, 1, lines / 2, lines - 3]
        .map(Cut::HoldServerLines)
        .into_iter()
        .chain([1, 30, octets - content / 2, octets - 12, octets - 6].map(Cut::HoldClientOctets))
    {
        let proxy = CuttingProxy::start(port, cut).unwrap();
        let device = Device::new(&emulator, "plain", "alice@mx.test");
        let network = Network::Server(proxy.port());
        let running = emulator.start(network, &device.settings).unwrap();
        assert!(proxy.wait_until_held(), "{cut:?}");
        running.reset().unwrap();
        let run = running.wait().unwrap();
        assert_ends(&run, run.code, "boot: 2");
        match run.code {
            DELIVERED => {
                assert_ends(&run, DELIVERED, "alerts: 1 found");
                delivered += 1;
            }
            _ => {
                assert_ends(&run, UNKNOWN, "unknown whether it arrived before the reset");
                assert_eq!(proxy.connections(), 1, "{cut:?}: sent again");
                unknown += 1;
            }
        }
        let stored = peer.stored(&device.from).unwrap();
        assert!(stored.len() <= 1, "{cut:?}: {}", run.log);
        assert!(stored.len() == 1 || run.code == UNKNOWN, "{cut:?}");
        for mail in stored {
            compare(&device.written(), &mail.message).unwrap();
        }
    }
    assert!(unknown >= 2 && delivered >= 5, "{unknown}, {delivered}");
}

#[test]
fn a_second_board_boots_and_sends() {
    let emulator = Emulator::new(Variant::CortexM7).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Ours::start(&certs.server).unwrap();
    let device = secure(&emulator, &certs, "tls");
    let run = device.run(peer.port(Security::ImplicitTls));
    assert_ends(&run, DELIVERED, "alert: delivered");
    note_memory("m7", &run);
    let stored = peer.wait_for(&device.from, 1).unwrap();
    compare(&device.written(), &stored[0].message).unwrap();
}

#[test]
fn a_device_takes_commands_by_mail() {
    let emulator = Emulator::new(Variant::Server).unwrap();
    let port = free_port().unwrap();
    let settings = ["user=owner", "password=secret", "to=command", "mails=4"]
        .map(str::to_owned)
        .to_vec();
    let running = emulator.start(Network::Client(port), &settings).unwrap();
    running.wait_for("server: listening").unwrap();
    let target = |password: Option<&str>| Target {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::DangerPlaintext,
        ca: None,
        login: password.map(|password| Login {
            mechanism: sansmtp_tests::Mechanism::Plain,
            user: "owner".to_owned(),
            password: password.to_owned(),
        }),
    };
    // It has one socket: the next client comes when the one before is gone.
    let mut connections = 0;
    let mut give = |client: Client, to: &str, subject: &str, password: Option<&str>| {
        connections += 1;
        running
            .wait_for_times("server: listening", connections)
            .unwrap();
        let mail = command(to, subject);
        client.send(&target(password), &mail).unwrap()
    };
    let secret = Some("secret");
    let owner = "command@pump7.example.org";
    // Python's smtplib and swaks show what they are told.
    for (client, to, subject, password, told) in [
        (Client::Smtplib, owner, "limit 85", None, "530"),
        (Client::Smtplib, owner, "limit 85", Some("wrong"), "535"),
        (
            Client::Swaks,
            "root@pump7.example.org",
            "limit 85",
            secret,
            "550",
        ),
        (Client::Swaks, owner, "hello", secret, "try: limit 85"),
        (Client::Swaks, owner, "limit 1000", secret, "from 40 to 120"),
    ] {
        let report = give(client, to, subject, password);
        assert!(!report.accepted, "{subject}: {}", report.output);
        assert!(report.output.contains(told), "{told}: {}", report.output);
    }
    for (client, limit) in [
        (Client::Swaks, 85),
        (Client::Smtplib, 86),
        (Client::Curl, 87),
        (Client::Msmtp, 88),
    ] {
        let report = give(client, owner, &format!("limit {limit}"), secret);
        assert!(report.accepted, "{}: {}", client.name(), report.output);
        running
            .wait_for(&format!("command: limit {limit}"))
            .unwrap();
    }
    let run = running.wait().unwrap();
    assert_eq!(run.code, DELIVERED, "{}", run.log);
    assert_eq!(run.log.matches("command: ").count(), 4, "{}", run.log);
    note_memory("server", &run);
}

/// A mail whose subject is the command; long enough to come in many segments.
fn command(to: &str, subject: &str) -> Mail {
    let mut mail = Mail::new("text\r\nSubject: limit 99\r\n".repeat(40)).to([to]);
    let header = String::from_utf8(mail.message.clone()).unwrap();
    let end = header.find("\r\n\r\n").unwrap();
    let others = header[..end]
        .split("\r\n")
        .filter(|line| !line.starts_with("Subject:"));
    let mut message: String = others.map(|line| format!("{line}\r\n")).collect();
    message.push_str(&format!("Subject: {subject}{}", &header[end..]));
    mail.message = message.into_bytes();
    mail
}

#[test]
fn a_name_that_nobody_knows_is_reported() {
    let emulator = Emulator::new(Variant::Plain).unwrap();
    let mut device = Device::new(&emulator, "plain", "alice@mx.test").with("attempts", "1");
    device
        .settings
        .retain(|setting| !setting.starts_with("address=") && !setting.starts_with("host="));
    let device = device.with("host", "mx.test").with("timeout", "5000");
    // Nobody answers in this network.
    let run = device.run_in(Network::Server(free_port().unwrap()), Time::Jumping);
    assert_ends(&run, FAILED, "reason: name not resolved");
    assert_ends(&run, FAILED, "alerts: 1 kept");
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

/// A device with TLS that trusts the authority of `certs` and logs in.
fn secure<'a>(emulator: &'a Emulator, certs: &Certs, security: &str) -> Device<'a> {
    Device::new(emulator, security, "alice@mx.test")
        .with("ca", &certs.ca_der.display().to_string())
        .with("user", USER)
        .with("password", PASSWORD)
}

/// The firmware for this kind of protection, and how the settings call it.
fn secured(security: Security) -> (Emulator, &'static str) {
    let (variant, name) = match security {
        Security::StartTls => (Variant::StartTls, "starttls"),
        _ => (Variant::ImplicitTls, "tls"),
    };
    (Emulator::new(variant).unwrap(), name)
}

#[test]
fn the_alert_goes_through_verified_tls() {
    let certs = Certs::new().unwrap();
    let peers: [&dyn Peer; 3] = [
        &Ours::start(&certs.server).unwrap(),
        &Aiosmtpd::start(&certs.server).unwrap(),
        &Postfix::start(&certs.server).unwrap(),
    ];
    for security in [Security::ImplicitTls, Security::StartTls] {
        let (emulator, name) = secured(security);
        for peer in peers {
            let port = match security {
                Security::StartTls => peer.submission_port(),
                _ => peer.port(security),
            };
            let device = secure(&emulator, &certs, name);
            let capture = emulator.directory().join("tls.pcap");
            let (run, segments) = device.run_and_watch(port, &capture);
            assert_ends(&run, DELIVERED, "alert: delivered");
            note_memory(if name == "tls" { "implicit-tls" } else { name }, &run);
            let stored = peer.wait_for(&device.from, 1).unwrap();
            compare(&device.written(), &stored[0].message).unwrap();
            // Nothing of the mail can be read on the way.
            let clear = String::from_utf8_lossy(&said(&segments, false)).into_owned();
            assert!(clear.len() > device.written().len());
            for word in ["MAIL", "AUTH", "Pump", &device.from] {
                assert!(!clear.contains(word), "{word}: {}", peer.name());
            }
            let mut device = secure(&emulator, &certs, name);
            device
                .settings
                .retain(|setting| !setting.starts_with("password="));
            let run = device.with("password", "wrong").run(port);
            assert_ends(&run, FAILED, "refused AUTH with 535");
            assert_ends(&run, FAILED, "attempts: 1");
        }
    }
}

#[test]
fn only_a_verified_server_gets_the_alert() {
    let certs = Certs::new().unwrap();
    let implicit = secured(Security::ImplicitTls);
    let starttls = secured(Security::StartTls);
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
        let peers: [&dyn Peer; 2] = [
            &Ours::start(identity).unwrap(),
            &Postfix::start(identity).unwrap(),
        ];
        for peer in peers {
            for ((emulator, name), port) in [
                (&implicit, peer.port(Security::ImplicitTls)),
                (&starttls, peer.port(Security::StartTls)),
            ] {
                let device = secure(emulator, &certs, name);
                let run = device.run(port);
                let stored = match expected {
                    Ok(()) => {
                        assert_ends(&run, DELIVERED, "alert: delivered");
                        peer.wait_for(&device.from, 1).unwrap().len()
                    }
                    Err(why) => {
                        assert_ends(&run, FAILED, why);
                        assert_ends(&run, FAILED, "attempts: 1");
                        peer.stored(&device.from).unwrap().len()
                    }
                };
                let what = format!("{} {name} {identity:?}", peer.name());
                assert_eq!(stored, usize::from(expected.is_ok()), "{what}");
            }
        }
    }
    // The same server at another time: before its certificate is valid.
    let peer = Ours::start(&certs.server).unwrap();
    let device = secure(&implicit.0, &certs, "tls").with("time", "86400");
    let run = device.run(peer.port(Security::ImplicitTls));
    assert_ends(&run, FAILED, "not valid yet");
}

#[test]
fn a_server_without_starttls_gets_nothing() {
    let emulator = Emulator::new(Variant::StartTls).unwrap();
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
    let emulator = Emulator::new(Variant::ImplicitTls).unwrap();
    let certs = Certs::new().unwrap();
    let peer = Ours::start(&certs.server).unwrap();
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
