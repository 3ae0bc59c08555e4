//! The alert: what it says, and how it is sent.

use super::queue::{Alert, Queue};
use super::sensor::{self, Log};
#[cfg(not(feature = "secure"))]
use crate::board::clock;
use crate::board::host;
use crate::board::host::{HostFile, decimal, log};
use crate::network::Network;
use crate::settings::Settings;
#[cfg(feature = "secure")]
use sansmtp::auth::Credentials;
use sansmtp::config::{Config, EhloName, Timeouts};
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::message::{Address, Attachment, Builder, Content as Octets, Date, Message};
use sansmtp::wire::path::ReversePath;
#[cfg(not(feature = "secure"))]
use sansmtp_smoltcp::core_instant;
use sansmtp_smoltcp::{Composed, Content, ContentError, Delivery, Failure, Peer, Report, Retry};

/// The most recipients of an alert.
const RECIPIENTS: usize = 4;

/// What became of the alert.
pub(super) enum End {
    Delivered,
    /// The settings can not work.
    Misconfigured(&'static str),
    /// It was not delivered.
    Failed(Report, Failure),
}

/// Writes the alert and sends it. In `queue` it says how far it is.
pub(super) fn send(
    network: &mut Network<'_>,
    settings: Settings<'_>,
    queue: &Queue,
    alert: &Alert,
) -> End {
    let readings = Log {
        readings: alert.readings,
    };
    let Some(from) = settings.get("from") else {
        return End::Misconfigured("no sender (from)");
    };
    let (Ok(author), Ok(reverse_path)) = (Address::parse(from), ReversePath::parse(from)) else {
        return End::Misconfigured("the sender (from) is no address");
    };
    let Some((recipients, to)) = recipients(settings) else {
        return End::Misconfigured("the recipients (to) are no addresses, or too many");
    };
    let (recipients, to) = (recipients.as_slice(), to.as_slice());

    let text = Text::new(&readings);
    let attachments = [Attachment::new(
        "temperature.csv",
        "text/csv",
        Octets::Streamed {
            size: Some(readings.size()),
        },
    )];
    let Ok(date) = Date::from_unix(i64::from(alert.time), 0) else {
        return End::Misconfigured("the clock is not set");
    };
    let authors = [author];
    let message = Builder::new()
        .from(&authors)
        .to(to)
        .subject("Pump 7: bearing too hot, above 90 \u{b0}C")
        .date(date)
        .entropy(alert.entropy)
        .text(text.as_str())
        .attachments(&attachments)
        .build();
    let Ok(message) = message else {
        return End::Misconfigured("the message can not be written");
    };
    let mut envelope = Envelope::new(reverse_path, recipients);
    envelope.size = message.exact_len();

    let config = match configuration(settings) {
        Ok(config) => config,
        Err(why) => return End::Misconfigured(why),
    };
    keep_copy(settings, &message, &readings);
    let content = Marked {
        content: Composed::new(&message, &readings),
        queue,
        alert,
    };
    deliver(network, settings, &config, &envelope, content)
}

/// The content of an alert, which says in the queue when its end is under way.
struct Marked<'q> {
    content: Composed<'q, &'q Log>,
    queue: &'q Queue,
    alert: &'q Alert,
}

impl Content for Marked<'_> {
    fn rewind(&mut self) {
        self.queue.mark(self.alert, false);
        self.content.rewind();
    }

    fn read(&mut self, out: &mut [u8]) -> Result<usize, ContentError> {
        let length = self.content.read(out)?;
        if length == 0 {
            self.queue.mark(self.alert, true);
        }
        Ok(length)
    }
}

/// Sends the message, and says in the log what happens.
fn deliver(
    network: &mut Network<'_>,
    settings: Settings<'_>,
    config: &Config<'_>,
    envelope: &Envelope<'_>,
    content: Marked<'_>,
) -> End {
    let mut line = [0; 256];
    let mut outcomes = [Outcome::NotSent; RECIPIENTS];
    let outcomes = outcomes
        .get_mut(..envelope.recipients.len())
        .unwrap_or_default();
    let peer = match settings.get("address").map(str::parse) {
        Some(Ok(address)) => Peer::Address(core::net::Ipv4Addr::into(address)),
        Some(Err(_)) => return End::Misconfigured("the address of the server is none"),
        #[cfg(feature = "dns")]
        None => Peer::Dns(network.dns),
        #[cfg(not(feature = "dns"))]
        None => return End::Misconfigured("no address of the server (address)"),
    };
    let retry = Retry {
        attempts: settings.number("attempts").map_or(3, |n| n.min(255) as u8),
        first_pause: settings.number("pause").unwrap_or(1_000),
        longest_pause: 60_000,
    };
    let mut random = [0; 2];
    host::entropy(&mut random);
    let link = Link {
        peer,
        retry,
        port: u16::from_le_bytes(random),
    };
    let mut delivery = Delivery::new(config, envelope, content, &mut line, outcomes);
    #[cfg(feature = "secure")]
    let report = secure::send(network, settings, &link, &mut delivery);
    #[cfg(not(feature = "secure"))]
    let report = in_the_clear(network, &link, &mut delivery);
    // The end of the connection leaves the device too.
    network.poll();
    for (recipient, outcome) in envelope.recipients.iter().zip(delivery.outcomes()) {
        let word = match outcome {
            Outcome::Delivered => "delivered",
            Outcome::Refused { .. } => "refused",
            Outcome::NotSent => "not sent",
            _ => "unknown",
        };
        log(&["recipient ", recipient.forward_path.as_str(), ": ", word]);
    }
    match report {
        None => End::Misconfigured("the trust anchor (ca) can not be read"),
        Some(Report { result: Ok(()), .. }) => End::Delivered,
        Some(
            report @ Report {
                result: Err(failure),
                ..
            },
        ) => End::Failed(report, failure),
    }
}

/// How the server is reached.
struct Link {
    peer: Peer,
    retry: Retry,
    port: u16,
}

#[cfg(not(feature = "secure"))]
fn in_the_clear(
    network: &mut Network<'_>,
    link: &Link,
    delivery: &mut Delivery<'_, Marked<'_>>,
) -> Option<Report> {
    let mut mailer =
        sansmtp_smoltcp::Mailer::new(delivery, link.peer, network.tcp, link.retry, link.port);
    let mut report = None;
    while !mailer.is_idle() {
        network.poll();
        let now = core_instant(clock::now());
        report = report.or(mailer.poll(now, &mut network.interface, &mut network.sockets));
    }
    report
}

/// Implicit TLS and STARTTLS.
#[cfg(feature = "secure")]
mod secure {
    use super::{Link, Marked};
    use crate::board::{clock, host};
    use crate::network::Network;
    use crate::settings::Settings;
    use core::cell::RefCell;
    use core::pin::pin;
    use core::task::Poll;
    use sansmtp_smoltcp::tls::rand_core::{CryptoRng, Error, RngCore, impls};
    use sansmtp_smoltcp::tls::{Tls, Trust};
    use sansmtp_smoltcp::{
        Delivery, PolledClock, Report, Stack, TlsMailer, core_instant, poll_once,
    };
    use smoltcp::iface::{Interface, SocketSet};

    /// Octets of the longest trust anchor.
    const ANCHOR: usize = 1024;
    /// The largest TLS record of a server.
    const RECORD: usize = 16_640;

    pub(super) fn send(
        network: &mut Network<'_>,
        settings: Settings<'_>,
        link: &Link,
        delivery: &mut Delivery<'_, Marked<'_>>,
    ) -> Option<Report> {
        let mut anchor = [0; ANCHOR];
        let anchors: &[&[u8]] = match settings.get("ca") {
            None => &[],
            Some(path) => &[host::read_named(path, &mut anchor)?],
        };
        let (mut read, mut write) = ([0; RECORD], [0; 1024]);
        let mut tls = Tls::new(Trust::anchors(anchors), HostRandom, &mut read, &mut write);
        let time = settings.number("time");
        let now = || core_instant(clock::now());
        let clock = PolledClock(now, || u64::from(time.unwrap_or_else(host::unix_time)));
        let tcp = network.tcp;
        let stack = RefCell::new(network);
        let mut mailer = TlsMailer::new(&stack, tcp, link.peer, link.retry, link.port);
        let mut sending = pin!(mailer.send(delivery, &mut tls, &clock));
        loop {
            // The mailer borrows it only while it is polled.
            if let Ok(mut network) = stack.try_borrow_mut() {
                network.poll();
            }
            if let Poll::Ready(report) = poll_once(sending.as_mut()) {
                return Some(report);
            }
        }
    }

    impl Stack for &mut Network<'_> {
        fn lend<T>(&mut self, act: impl FnOnce(&mut Interface, &mut SocketSet<'_>) -> T) -> T {
            act(&mut self.interface, &mut self.sockets)
        }
    }

    /// The random numbers of the host; a product has a hardware generator.
    struct HostRandom;

    impl RngCore for HostRandom {
        fn next_u32(&mut self) -> u32 {
            impls::next_u32_via_fill(self)
        }

        fn next_u64(&mut self) -> u64 {
            impls::next_u64_via_fill(self)
        }

        fn fill_bytes(&mut self, out: &mut [u8]) {
            if !host::entropy(out) {
                // Keys without entropy are none.
                host::exit(crate::exit::MISCONFIGURED);
            }
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
            self.fill_bytes(out);
            Ok(())
        }
    }

    impl CryptoRng for HostRandom {}
}

/// How to reach the server.
fn configuration<'a>(settings: Settings<'a>) -> Result<Config<'a>, &'static str> {
    let security = settings.security();
    let host = settings.get("host").ok_or("no server (host)")?;
    let mut config = Config::new(host, security).map_err(|_| "the server (host) is no name")?;
    if let Some(port) = settings.number("port") {
        config = config.port(port as u16);
    }
    if let Some(name) = settings.get("name") {
        config = config.ehlo_name(EhloName::parse(name).map_err(|_| "the name is no domain")?);
    }
    #[cfg(feature = "secure")]
    if let (Some(user), Some(password)) = (settings.get("user"), settings.get("password")) {
        let credentials = Credentials::password(user, password)
            .map_err(|_| "user or password can not be sent")?;
        config = config.credentials(credentials);
    }
    if let Some(limit) = settings.number("timeout") {
        config = config.timeouts(Timeouts::all(limit));
    }
    Ok(config)
}

/// A list that can not grow over the bound of the device.
struct List<T>([T; RECIPIENTS], usize);

impl<T> List<T> {
    fn as_slice(&self) -> &[T] {
        self.0.get(..self.1).unwrap_or_default()
    }
}

/// The recipients, separated by commas, for the envelope and for the header.
fn recipients(settings: Settings<'_>) -> Option<(List<Recipient<'_>>, List<Address<'_>>)> {
    let mut names = settings.get("to")?.split(',');
    let first = names.next()?;
    let mut paths = [Recipient::parse(first).ok()?; RECIPIENTS];
    let mut addresses = [Address::parse(first).ok()?; RECIPIENTS];
    let mut count = 1;
    for name in names {
        *paths.get_mut(count)? = Recipient::parse(name).ok()?;
        *addresses.get_mut(count)? = Address::parse(name).ok()?;
        count += 1;
    }
    Some((List(paths, count), List(addresses, count)))
}

/// The text of the alert, with the numbers of the day.
struct Text {
    octets: [u8; 320],
    length: usize,
}

impl Text {
    fn new(readings: &Log) -> Self {
        let mut text = Self {
            octets: [0; 320],
            length: 0,
        };
        let second = readings.readings.saturating_sub(1);
        let temperature = sensor::temperature(second);
        let mut digits = [0; 10];
        text.put("Pump 7 is too hot.\n\nAfter ");
        text.put(decimal(second, &mut digits));
        text.put(" seconds its bearing has ");
        text.put(decimal(temperature / 10, &mut digits));
        text.put(".");
        text.put(decimal(temperature % 10, &mut digits));
        text.put(" \u{b0}C; the limit is ");
        text.put(decimal(sensor::LIMIT / 10, &mut digits));
        text.put(" \u{b0}C.\n.\n.. all readings are attached\n");
        text
    }

    fn put(&mut self, part: &str) {
        let room = self.octets.get_mut(self.length..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(part.bytes()) {
            *to = from;
            self.length += 1;
        }
    }

    fn as_str(&self) -> &str {
        let octets = self.octets.get(..self.length).unwrap_or_default();
        core::str::from_utf8(octets).unwrap_or_default()
    }
}

/// Writes the message to a file of the host too, if the settings name one: for tests.
fn keep_copy(settings: Settings<'_>, message: &Message<'_>, readings: &Log) {
    let Some(file) = settings.get("copy").and_then(HostFile::create) else {
        return;
    };
    let mut content = Composed::new(message, readings);
    let mut out = [0; 64];
    while let Ok(length @ 1..) = content.read(&mut out) {
        file.write(out.get(..length).unwrap_or_default());
    }
}
