//! The alert: what it says, and how it is sent.

use crate::board::host::{HostFile, decimal, log, unix_time};
use crate::board::{clock, host};
use crate::network::Network;
use crate::sensor::{self, Log};
use crate::settings::Settings;
use core::ffi::CStr;
use sansmtp::auth::Credentials;
use sansmtp::config::{Config, EhloName, Timeouts};
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::message::{Address, Attachment, Builder, Content as Octets, Date, Message};
use sansmtp::wire::path::ReversePath;
use sansmtp_smoltcp::{
    Composed, Content, Delivery, Failure, Mailer, Peer, Report, Retry, core_instant,
};

/// The most recipients of an alert.
const RECIPIENTS: usize = 4;

/// What became of the alert.
pub(crate) enum End {
    Delivered,
    /// The settings can not work.
    Misconfigured(&'static str),
    /// It was not delivered.
    Failed(Report, Failure),
}

/// Writes the alert and sends it.
pub(crate) fn raise(network: &mut Network<'_>, settings: Settings<'_>, readings: &Log) -> End {
    let mut entropy = [0; 16];
    if !host::entropy(&mut entropy) {
        return End::Misconfigured("no random numbers");
    }
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

    let text = Text::new(readings);
    let attachments = [Attachment::new(
        "temperature.csv",
        "text/csv",
        Octets::Streamed {
            size: Some(readings.size()),
        },
    )];
    let now = settings.number("time").unwrap_or_else(unix_time);
    let Ok(date) = Date::from_unix(i64::from(now), 0) else {
        return End::Misconfigured("the clock is not set");
    };
    let authors = [author];
    let message = Builder::new()
        .from(&authors)
        .to(to)
        .subject("Pump 7: bearing too hot, above 90 \u{b0}C")
        .date(date)
        .entropy(entropy)
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
    keep_copy(settings, &message, readings);
    send(network, settings, &config, &envelope, &message, readings)
}

/// Sends the message, and says in the log what happens.
fn send(
    network: &mut Network<'_>,
    settings: Settings<'_>,
    config: &Config<'_>,
    envelope: &Envelope<'_>,
    message: &Message<'_>,
    readings: &Log,
) -> End {
    let mut line = [0; 256];
    let mut outcomes = [Outcome::NotSent; RECIPIENTS];
    let outcomes = outcomes
        .get_mut(..envelope.recipients.len())
        .unwrap_or_default();
    let content = Composed::new(message, readings);
    let peer = match settings.get("address").map(str::parse) {
        Some(Ok(address)) => Peer::Address(core::net::Ipv4Addr::into(address)),
        Some(Err(_)) => return End::Misconfigured("the address of the server is none"),
        None => Peer::Dns(network.dns),
    };
    let retry = Retry {
        attempts: settings.number("attempts").map_or(3, |n| n.min(255) as u8),
        first_pause: settings.number("pause").unwrap_or(1_000),
        longest_pause: 60_000,
    };
    let mut random = [0; 2];
    host::entropy(&mut random);
    let delivery = Delivery::new(config, envelope, content, &mut line, outcomes);
    let port = u16::from_le_bytes(random);
    let mut mailer = Mailer::new(delivery, peer, network.tcp, retry, port);
    let mut report = None;
    while !mailer.is_idle() {
        network.poll();
        let now = core_instant(clock::now());
        report = report.or(mailer.poll(now, &mut network.interface, &mut network.sockets));
    }
    // The end of the connection leaves the device too.
    network.poll();
    for (recipient, outcome) in envelope.recipients.iter().zip(mailer.outcomes()) {
        let word = match outcome {
            Outcome::Delivered => "delivered",
            Outcome::Refused { .. } => "refused",
            Outcome::NotSent => "not sent",
            _ => "unknown",
        };
        log(&["recipient ", recipient.forward_path.as_str(), ": ", word]);
    }
    match report {
        Some(Report { result: Ok(()), .. }) => End::Delivered,
        Some(
            report @ Report {
                result: Err(failure),
                ..
            },
        ) => End::Failed(report, failure),
        None => End::Misconfigured("the mailer gave no report"),
    }
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
        if let Some(room) = room.get_mut(..part.len()) {
            room.copy_from_slice(part.as_bytes());
            self.length += part.len();
        }
    }

    fn as_str(&self) -> &str {
        let octets = self.octets.get(..self.length).unwrap_or_default();
        core::str::from_utf8(octets).unwrap_or_default()
    }
}

/// Writes the message to a file of the host too, if the settings name one: for tests.
fn keep_copy(settings: Settings<'_>, message: &Message<'_>, readings: &Log) {
    let mut path = [0; 128];
    let Some(name) = settings.get("copy") else {
        return;
    };
    let Some(room) = path.get_mut(..name.len()) else {
        return;
    };
    room.copy_from_slice(name.as_bytes());
    let Some(file) = CStr::from_bytes_until_nul(&path)
        .ok()
        .and_then(HostFile::create)
    else {
        return;
    };
    let mut content = Composed::new(message, readings);
    let mut out = [0; 64];
    while let Ok(length @ 1..) = content.read(&mut out) {
        file.write(out.get(..length).unwrap_or_default());
    }
}
