//! Plays a scenario, connection after connection.

use crate::check::{Property, Sabotage, Violation, hold};
use crate::client::ClientSide;
use crate::network::Pipe;
use crate::scenario::{Faults, Loss, Mail, PASSWORD, Scenario, TOKEN};
use crate::server::ServerSide;
use crate::{Choices, client};
use sansmtp::Instant;
use sansmtp::capability::Mechanisms;
use sansmtp::config::{Config, EhloName, Security, Timeouts};
use std::fmt::Write;

/// What happened in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Connections.
    pub connections: u64,
    /// Octets that were sent, by both sides.
    pub octets: u64,
    /// Mails that were delivered.
    pub delivered: u64,
    /// Mails that failed for certain.
    pub failed: u64,
    /// Mails whose outcome is unknown.
    pub unknown: u64,
    /// Mails of unknown outcome that had been taken.
    pub unknown_taken: u64,
    /// Connections that were lost.
    pub lost: u64,
    /// Times that a deadline passed.
    pub timeouts: u64,
    /// Connections over TLS.
    pub tls: u64,
    /// Connections on which somebody authenticated.
    pub authenticated: u64,
    /// Connections on which plain text was put behind STARTTLS.
    pub injected: u64,
    /// Mails whose envelope went out before the verdict on the one before.
    pub early: u64,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.connections, other.connections),
            (&mut self.octets, other.octets),
            (&mut self.delivered, other.delivered),
            (&mut self.failed, other.failed),
            (&mut self.unknown, other.unknown),
            (&mut self.unknown_taken, other.unknown_taken),
            (&mut self.lost, other.lost),
            (&mut self.timeouts, other.timeouts),
            (&mut self.tls, other.tls),
            (&mut self.authenticated, other.authenticated),
            (&mut self.injected, other.injected),
            (&mut self.early, other.early),
        ] {
            *sum += more;
        }
    }
}

/// What became of a mail, as far as the client knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is still to be sent, perhaps once more.
    #[default]
    Open,
    Delivered,
    Failed,
    Unknown,
}

/// What both sides know of a mail.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Record {
    pub(crate) fate: Fate,
    /// How often it was handed over to the server's driver.
    pub(crate) stored: u32,
    /// For how many recipients, the last time.
    pub(crate) recipients: u32,
    /// In LMTP: for which recipients of the envelope, and who of them was told so.
    pub(crate) kept: u128,
    pub(crate) told: u128,
    /// Octets that the server had sent when it was handed over.
    pub(crate) stored_at: u64,
}

/// The buffers of a session, to be used again for the next; and its transcript.
#[derive(Debug, Default)]
pub struct World {
    pub(crate) to_server: Pipe,
    pub(crate) to_client: Pipe,
    pub(crate) records: Vec<Record>,
    pub(crate) content: Vec<u8>,
    /// The mail that the client sends, and the one before whose verdict is open.
    pub(crate) current: Option<usize>,
    pub(crate) earlier: Option<usize>,
    /// What the client sent before TLS.
    clear: Vec<u8>,
    transcript: Option<String>,
    now: u64,
}

impl World {
    /// A world that keeps a transcript.
    pub fn with_transcript() -> Self {
        Self {
            transcript: Some(String::new()),
            ..Self::default()
        }
    }

    /// What was said and done.
    pub fn into_transcript(self) -> String {
        self.transcript.unwrap_or_default()
    }

    /// Adds a line to the transcript, if there is one.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(transcript) = &mut self.transcript {
            // Writing to a string does not fail.
            let _ = writeln!(transcript, "{now:>9} ms  {}", text());
        }
    }

    /// The octets of one side go on their way.
    pub(crate) fn send(&mut self, by_client: bool, octets: &[u8]) {
        let side = if by_client { "C" } else { "S" };
        self.note(|| format!("{side}: {}", octets.escape_ascii()));
        if by_client {
            self.to_server.put(octets);
        } else {
            self.to_client.put(octets);
        }
    }
}

/// What holds for a whole connection, for both sides.
pub(crate) struct Setting<'s> {
    pub(crate) scenario: &'s Scenario,
    pub(crate) faults: Faults,
    pub(crate) sabotage: Sabotage,
    pub(crate) client: &'s Config<'s>,
    pub(crate) server: &'s sansmtp::server::Config<'s>,
}

/// No session takes that many turns, and no machine that many calls.
pub(crate) const TURNS: u32 = 400_000;

/// Plays a scenario and checks it.
///
/// # Errors
/// The property that does not hold.
pub fn run(
    world: &mut World,
    scenario: &Scenario,
    choices: &mut Choices<'_>,
    sabotage: Sabotage,
) -> Result<Tally, Violation> {
    world.records.clear();
    world
        .records
        .resize(scenario.mails.len(), Record::default());
    world.now = 0;
    let timeouts = Timeouts::RFC_5321;
    let mut config = Config::new("mx.example.org", scenario.security)
        .expect("a host")
        .timeouts(timeouts)
        .chunking(scenario.chunking);
    config.credentials = scenario.login.credentials();
    config.danger_plaintext_auth = scenario.danger;
    config.mechanisms = Mechanisms::ALL;
    config.lmtp = scenario.lmtp;
    let hostname = EhloName::parse("mx.example.org").expect("a name");
    let mut server_config =
        sansmtp::server::Config::new(hostname, scenario.security).mechanisms(scenario.mechanisms);
    server_config.capabilities = scenario.offered;
    server_config.danger_plaintext_auth = scenario.danger;
    server_config.require_auth = scenario.require_auth;
    server_config.lmtp = scenario.lmtp;
    server_config.limits.recipients = scenario.most_recipients;
    server_config.limits.messages = scenario.most_mails;
    let mut tally = Tally::default();
    for (number, faults) in scenario.connections.iter().enumerate() {
        world.note(|| format!("-- connection {number}: {faults:?}"));
        let setting = Setting {
            scenario,
            faults: *faults,
            sabotage,
            client: &config,
            server: &server_config,
        };
        let mut connection = Connection::new(&setting);
        connection.run(world, choices)?;
        tally.connections += 1;
        tally.octets += world.to_server.sent + world.to_client.sent;
        tally.lost += u64::from(connection.lost.is_some());
        tally.timeouts += connection.timeouts;
        tally.tls += u64::from(connection.tls);
        tally.authenticated += u64::from(connection.server.authenticated);
        tally.injected += u64::from(connection.injected);
        tally.early += connection.client.early;
        if world.records.iter().all(|it| it.fate != Fate::Open) {
            break;
        }
        world.now += 60_000;
    }
    for (number, record) in world.records.iter().enumerate() {
        check_record(number, record)?;
        match record.fate {
            Fate::Delivered => tally.delivered += 1,
            Fate::Unknown => {
                tally.unknown += 1;
                tally.unknown_taken += u64::from(record.stored > 0);
            }
            Fate::Failed | Fate::Open => tally.failed += 1,
        }
    }
    Ok(tally)
}

fn check_record(number: usize, record: &Record) -> Result<(), Violation> {
    let stored = record.stored;
    let seen = || format!("mail {number}: {record:?}");
    match record.fate {
        Fate::Delivered => hold(stored == 1, Property::ExactlyOnce, seen),
        Fate::Unknown => hold(stored <= 1, Property::ExactlyOnce, seen),
        Fate::Failed | Fate::Open => hold(stored == 0, Property::NoFalseFailure, seen),
    }
}

/// One connection.
struct Connection<'s> {
    setting: &'s Setting<'s>,
    client: ClientSide,
    server: ServerSide,
    tls: bool,
    lost: Option<Loss>,
    injected: bool,
    timeouts: u64,
    shut_down: bool,
}

impl<'s> Connection<'s> {
    fn new(setting: &'s Setting<'s>) -> Self {
        Self {
            client: ClientSide::new(setting),
            server: ServerSide::new(setting),
            setting,
            tls: false,
            lost: None,
            injected: false,
            timeouts: 0,
            shut_down: false,
        }
    }

    fn run(&mut self, world: &mut World, choices: &mut Choices<'_>) -> Result<(), Violation> {
        world.to_server.clear();
        world.to_client.clear();
        world.content.clear();
        world.current = None;
        world.earlier = None;
        world.clear.clear();
        for _ in 0..TURNS {
            if self.client.over && self.server.over {
                return self.end(world);
            }
            let mut progress = self.flip(world);
            let now = Instant::from_millis(world.now);
            self.shut_down_if_due(world);
            let room = self.until_lost(world);
            progress |= self.server.turn(self.setting, world, now, room, choices)?;
            self.inject(world);
            self.lose_if_due(world);
            let room = self.until_lost(world);
            progress |= self.client.turn(self.setting, world, now, room, choices)?;
            if !self.tls {
                self.look_at_clear(world)?;
            }
            self.inject(world);
            self.lose_if_due(world);
            world.now += 1;
            if !progress {
                self.wait(world)?;
            }
        }
        hold(false, Property::Ends, || {
            format!("{TURNS} turns were not enough")
        })
    }

    /// TLS comes up when both want it and nothing is on its way.
    fn flip(&mut self, world: &mut World) -> bool {
        let quiet = world.to_server.is_empty() && world.to_client.is_empty();
        let keep = self.setting.sabotage == Sabotage::KeepPlaintext;
        let reached = !world.to_server.frozen && !world.to_client.frozen && self.lost.is_none();
        let both = self.client.wants_tls && self.server.wants_tls && !self.client.over;
        if !(both && reached && (quiet || keep)) {
            return false;
        }
        let now = Instant::from_millis(world.now);
        world.note(|| "-- TLS is up".into());
        self.tls = true;
        self.client.tls_established(self.setting, now);
        self.server.tls_established(self.setting, now);
        true
    }

    /// How many octets may pass until the connection is lost.
    fn until_lost(&self, world: &World) -> usize {
        let passed = world.to_server.taken + world.to_client.taken;
        match self.setting.faults.lost {
            Some((at, _)) if self.lost.is_none() => u64::from(at).saturating_sub(passed) as usize,
            _ => usize::MAX,
        }
    }

    fn lose_if_due(&mut self, world: &mut World) {
        let Some((_, loss)) = self.setting.faults.lost else {
            return;
        };
        if self.lost.is_some() || self.until_lost(world) > 0 {
            return;
        }
        world.note(|| format!("-- the network: {loss:?}"));
        self.lost = Some(loss);
        let (to_server, to_client) = (&mut world.to_server, &mut world.to_client);
        match loss {
            Loss::Cut | Loss::Reset => {
                if loss == Loss::Reset {
                    to_server.lose();
                    to_client.lose();
                }
                to_server.closed = true;
                to_client.closed = true;
            }
            Loss::Stall => (to_server.frozen, to_client.frozen) = (true, true),
            Loss::ClientMute => to_server.frozen = true,
            Loss::ServerMute => to_client.frozen = true,
        }
    }

    fn shut_down_if_due(&mut self, world: &mut World) {
        let passed = world.to_server.taken + world.to_client.taken;
        if let Some((at, at_once)) = self.setting.faults.shutdown
            && !self.shut_down
            && passed >= u64::from(at)
        {
            self.shut_down = true;
            world.note(|| format!("-- the server is told to shut down, at once: {at_once}"));
            self.server.shut_down(self.setting, at_once);
        }
    }

    /// An attacker puts plain text behind STARTTLS.
    fn inject(&mut self, world: &mut World) {
        if self.injected || self.setting.scenario.security != Security::StartTls {
            return;
        }
        let both = self.client.wants_tls && self.server.wants_tls;
        if self.setting.sabotage == Sabotage::KeepPlaintext && !both {
            // Held back until TLS is wanted, and let through then.
            return;
        }
        match self.setting.faults.inject {
            Some(true) if self.server.agreed_tls => {
                world.send(false, b"250-evil\r\n250 AUTH PLAIN LOGIN\r\n");
            }
            Some(false) if self.client.asked_tls => {
                world.send(true, b"EHLO evil\r\nMAIL FROM:<poison@example.net>\r\n");
            }
            _ => return,
        }
        world.note(|| "-- that was an attacker".into());
        self.injected = true;
        self.client.injected = true;
        self.server.injected = true;
    }

    /// Keeps what the client sends in the clear, and looks for secrets.
    fn look_at_clear(&mut self, world: &mut World) -> Result<(), Violation> {
        if self.client.sent.is_empty() || self.setting.scenario.danger {
            return Ok(());
        }
        let known = world.clear.len().saturating_sub(32);
        world.clear.extend_from_slice(&self.client.sent);
        let clear = &world.clear;
        let shown = || clear.escape_ascii().to_string();
        for secret in [
            PASSWORD.as_bytes(),
            TOKEN.as_bytes(),
            // `\0user\0` and the password; the password alone.
            b"AHVzZXIAczNjcmV0LXB3",
            b"czNjcmV0LXB3",
        ] {
            let found = clear[known..].windows(secret.len()).any(|it| it == secret);
            hold(!found, Property::NoSecretInClear, shown)?;
        }
        if self.setting.scenario.security == Security::StartTls && !self.injected {
            let proper = clear.split_inclusive(|&b| b == b'\n').all(|line| {
                let hello: &[u8] = match self.setting.scenario.lmtp {
                    true => b"LHLO [127.0.0.1]\r\n",
                    false => b"EHLO [127.0.0.1]\r\n",
                };
                [hello, b"STARTTLS\r\n", b"QUIT\r\n"]
                    .iter()
                    .any(|command| command.starts_with(line))
            });
            hold(proper, Property::NoSecretInClear, shown)?;
        }
        Ok(())
    }

    /// Nothing moves: the clock goes on to the next deadline.
    fn wait(&mut self, world: &mut World) -> Result<(), Violation> {
        let deadlines = [self.client.deadline(), self.server.deadline()];
        let next = deadlines.into_iter().flatten().min();
        let seen = || {
            format!(
                "nothing moves and nobody waits; client {:?}, server {:?}",
                self.client, self.server
            )
        };
        let blind = self.setting.sabotage == Sabotage::NoClock;
        let Some(next) = next.filter(|_| !blind) else {
            return hold(false, Property::Ends, seen);
        };
        world.now = world.now.max(next.millis());
        world.note(|| "-- a deadline passes".into());
        self.timeouts += 1;
        let now = Instant::from_millis(world.now);
        self.client.time_passes(self.setting, world, now)?;
        self.server.time_passes(self.setting, world, now);
        Ok(())
    }

    fn end(&mut self, world: &mut World) -> Result<(), Violation> {
        client::end(&mut self.client, self.setting, world)
    }
}

/// The content that must arrive.
pub(crate) fn arrives(mail: &Mail, content: &[u8]) -> bool {
    use sansmtp::wire::param::Body;
    if mail.envelope.body == Some(Body::BinaryMime) {
        return content == mail.body;
    }
    let body = &mail.body;
    let mut at = 0;
    let mut next = |octets: &[u8]| {
        let fits = content.get(at..at + octets.len()) == Some(octets);
        at += octets.len();
        fits
    };
    let mut previous = 0;
    for (place, &octet) in body.iter().enumerate() {
        let fits = match octet {
            b'\r' => next(b"\r\n"),
            b'\n' if previous == b'\r' => true,
            b'\n' => next(b"\r\n"),
            _ => next(&body[place..=place]),
        };
        if !fits {
            return false;
        }
        previous = octet;
    }
    if !matches!(previous, 0 | b'\r' | b'\n') && !next(b"\r\n") {
        return false;
    }
    at == content.len()
}
