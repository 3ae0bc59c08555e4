//! The server role: who knows the password may change a setting of the device by mail, from any mail client.
//!
//! The subject is the command: `limit 85` sets the temperature in degrees at which the alarm is raised. The device
//! has no TLS as a server, so it belongs into a network of its own.

use crate::board::clock;
use crate::board::host::{decimal, log};
use crate::network::Network;
use crate::settings::Settings;
use crate::{exit, with_network};
use sansmtp::auth::Secret;
use sansmtp::capability::{Mechanism, Mechanisms};
use sansmtp::config::{EhloName, Security};
use sansmtp::server::{Config, Query};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::Reply;
use sansmtp_smoltcp::{Dialogue, Handler, Reception, exchange};
use smoltcp::socket::tcp;

/// Where the device listens.
const PORT: u16 = 25;
/// Octets of the largest mail: the command stands in its header.
const LARGEST: u64 = 16 * 1024;
/// Milliseconds that a client may take to end its connection after the goodbye.
const LINGER: u32 = 2_000;
/// Degrees that the alarm can be set to.
const LIMITS: core::ops::RangeInclusive<u32> = 40..=120;

/// Takes commands, as many as the settings say.
pub(crate) fn run(settings: Settings<'_>) -> u32 {
    with_network(settings, |network| match serve(network, settings) {
        Ok(()) => exit::DELIVERED,
        Err(why) => {
            log(&["server: settings: ", why]);
            exit::MISCONFIGURED
        }
    })
}

fn serve(network: &mut Network<'_>, settings: Settings<'_>) -> Result<(), &'static str> {
    let count = settings.number("mails").unwrap_or(1);
    let name = settings.get("name").unwrap_or("pump7.example.org");
    let name = EhloName::parse(name).map_err(|_| "the name is no domain")?;
    let (Some(user), Some(password)) = (settings.get("user"), settings.get("password")) else {
        return Err("no user and password: anybody could give commands");
    };
    let config = Config::new(name, Security::DangerPlaintext)
        .mechanisms(Mechanisms::NONE.with(Mechanism::Plain))
        .danger_plaintext_auth()
        .require_auth()
        .max_size(LARGEST);
    let mut desk = Desk {
        user,
        password: Secret::new(password),
        mailbox: settings.get("to").unwrap_or("command"),
        header: Header::new(),
        taken: 0,
    };
    let (mut line, mut reply) = ([0; 512], [0; 128]);
    while desk.taken < count {
        let socket = network.sockets.get_mut::<tcp::Socket<'_>>(network.tcp);
        socket.abort();
        socket
            .listen(PORT)
            .map_err(|_| "the socket can not listen")?;
        log(&["server: listening"]);
        // Many replies are short: each flight leaves at once.
        socket.set_nagle_enabled(false);
        while !network
            .sockets
            .get::<tcp::Socket<'_>>(network.tcp)
            .may_send()
        {
            network.poll();
        }
        let now = clock::now();
        let mut reception = Reception::new(&config, &mut line, &mut reply, &mut desk, now);
        let mut end = None;
        loop {
            network.poll();
            let now = clock::now();
            let socket = network.sockets.get_mut::<tcp::Socket<'_>>(network.tcp);
            if !reception.is_over() {
                exchange(&mut reception, now, socket);
            } else if !socket.is_active() || end.is_some_and(|end| now >= end) {
                break;
            } else if end.is_none() {
                socket.close();
                end = Some(now.after(LINGER));
            }
        }
        if reception.failure().is_some() {
            log(&["server: a connection failed"]);
        }
    }
    network.poll();
    Ok(())
}

/// Decides what is taken.
struct Desk<'s> {
    user: &'s str,
    password: Secret<'s>,
    /// The local part that commands are for.
    mailbox: &'s str,
    header: Header,
    taken: u32,
}

impl Handler for &mut Desk<'_> {
    fn decide(&mut self, query: Query<'_>) -> Option<Reply<'_>> {
        match query {
            Query::Connect | Query::Mail { .. } | Query::Data | Query::Help(_) => None,
            Query::Authenticate(login) => {
                // Both are compared, whatever the first says.
                let user = Secret::new(login.user) == Secret::new(self.user);
                let good = login.password == self.password;
                match user & good {
                    true => None,
                    false => refuse(535, (7, 8), "user or password is wrong"),
                }
            }
            Query::Recipient { forward_path, .. } => {
                let local = forward_path.as_str().split('@').next();
                match local.is_some_and(|local| local.eq_ignore_ascii_case(self.mailbox)) {
                    true => None,
                    false => refuse(550, (1, 1), "this device takes commands only"),
                }
            }
            Query::Message { .. } => {
                let header = core::mem::replace(&mut self.header, Header::new());
                match header.command() {
                    Some(limit) if LIMITS.contains(&limit) => {
                        self.taken += 1;
                        // A product would keep it where its pump looks.
                        let mut digits = [0; 10];
                        log(&["command: limit ", decimal(limit, &mut digits)]);
                        None
                    }
                    Some(_) => refuse(554, (6, 0), "the limit must be from 40 to 120 degrees"),
                    None => refuse(554, (6, 0), "the subject is no command; try: limit 85"),
                }
            }
            _ => refuse(502, (5, 1), "not here"),
        }
    }

    fn content(&mut self, octets: &[u8]) {
        for octet in octets {
            self.header.take(*octet);
        }
    }

    fn reset(&mut self) {
        self.header = Header::new();
    }
}

fn refuse(code: u16, (subject, detail): (u16, u16), text: &str) -> Option<Reply<'_>> {
    Reply::new(code, EnhancedCode::new(5, subject, detail), text).ok()
}

/// The header of a message as it comes in; only its subject is kept.
struct Header {
    line: [u8; 64],
    length: usize,
    over: bool,
    subject: Option<u32>,
}

impl Header {
    fn new() -> Self {
        Self {
            line: [0; 64],
            length: 0,
            over: false,
            subject: None,
        }
    }

    /// The limit that the subject names.
    fn command(self) -> Option<u32> {
        self.subject
    }

    fn take(&mut self, octet: u8) {
        if self.over {
            return;
        }
        if octet != b'\n' {
            // The rest of a long line is no part of a command.
            if let Some(place) = self.line.get_mut(self.length) {
                *place = octet;
                self.length += 1;
            }
            return;
        }
        let line = self.line.get(..self.length).unwrap_or_default();
        let line = core::str::from_utf8(line).unwrap_or("?").trim_ascii_end();
        self.length = 0;
        self.over = line.is_empty();
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("subject")
        {
            self.subject = value
                .trim_ascii_start()
                .strip_prefix("limit ")
                .and_then(|limit| limit.parse().ok());
        }
    }
}
