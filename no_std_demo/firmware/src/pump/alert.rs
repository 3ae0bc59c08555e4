//! The alert: what it says, and how it is sent.

use super::RECIPIENTS;
use super::mail::{self, Mail};
use super::queue::{Alert, Queue};
#[cfg(not(feature = "secure"))]
use crate::board::clock;
use crate::board::host;
use crate::board::host::{HostFile, log};
use crate::network::Network;
use crate::settings::Settings;
#[cfg(feature = "secure")]
use sansmtp::auth::Credentials;
use sansmtp::config::{Config, EhloName, Timeouts};
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::wire::path::ReversePath;
use sansmtp_smoltcp::{Content, ContentError, Delivery, Failure, Peer, Report, Retry};

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
    attempt(network, settings, queue, alert).unwrap_or_else(End::Misconfigured)
}

fn attempt(
    network: &mut Network<'_>,
    settings: Settings<'_>,
    queue: &Queue,
    alert: &Alert,
) -> Result<End, &'static str> {
    let from = settings.get("from").ok_or("no sender (from)")?;
    let to = settings.get("to").ok_or("no recipients (to)")?;
    let sender = ReversePath::parse(from).map_err(|_| "the sender (from) is no address")?;
    let first = to.split(',').next().unwrap_or_default();
    let parse = |name| Recipient::parse(name).map_err(|_| "a recipient (to) is no address");
    let mut recipients = [parse(first)?; RECIPIENTS];
    let mut count = 0;
    for name in to.split(',') {
        *recipients
            .get_mut(count)
            .ok_or("too many recipients (to)")? = parse(name)?;
        count += 1;
    }
    let config = configuration(settings)?;
    let recipients = recipients.get(..count).unwrap_or_default();
    let mut envelope = Envelope::new(sender, recipients);
    mail::with(alert, from, to, |mut mail, size| {
        keep_copy(settings, &mut mail);
        envelope.size = size;
        let content = Marked {
            content: mail,
            queue,
            alert,
        };
        deliver(network, settings, &config, &envelope, content)
    })
}

/// The content of an alert, which says in the queue when its end is under way.
struct Marked<'q> {
    content: Mail<'q>,
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
        let now = clock::now();
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
    use sansmtp_smoltcp::{Delivery, PolledClock, Report, Stack, TlsMailer, poll_once};
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
        let now = clock::now;
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

/// Writes the message to a file of the host too, if the settings name one: for tests.
fn keep_copy(settings: Settings<'_>, mail: &mut Mail<'_>) {
    let Some(file) = settings.get("copy").and_then(HostFile::create) else {
        return;
    };
    let mut out = [0; 64];
    while let Ok(length @ 1..) = mail.read(&mut out) {
        file.write(out.get(..length).unwrap_or_default());
    }
    mail.rewind();
}
