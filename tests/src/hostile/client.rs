//! The client machine without sockets, against a written server.

use super::class;
use super::server::{PASSWORD, USER};
use super::socket_client::Wish;
use sansmtp::auth::Credentials;
use sansmtp::client::{Client, Event};
use sansmtp::config::{Config, EhloName};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::wire::path::ReversePath;
use sansmtp::wire::reply::{Class, Code};
use sansmtp::{Error, Instant, Machine};

/// What the server does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Waits for a line of the client and sends these octets. The greeting, and what comes first behind
    /// TLS that was there from the beginning, is not waited for.
    Reply(Vec<u8>),
    /// Sends these octets at once.
    Now(Vec<u8>),
    /// Sends the same octets this many times, until the client has had enough.
    Flood(Vec<u8>, usize),
    /// Sends these octets one by one, with this pause in milliseconds in front of each.
    Drip(Vec<u8>, u64),
    /// Waits for the end of the content; the next reply is its verdict.
    Content,
    /// Does the TLS handshake.
    Tls,
    /// Closes the connection.
    Close,
}

impl Act {
    /// Replies with this text.
    pub fn reply(text: impl AsRef<[u8]>) -> Self {
        Self::Reply(text.as_ref().to_vec())
    }
}

/// All that was seen of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// What the client sent.
    pub sent: Vec<u8>,
    /// How much of it went out before TLS was up.
    pub clear: usize,
    /// How it ended: one of the classes of [`class`].
    pub class: &'static str,
    /// The error that the machine failed with.
    pub error: Option<Error>,
    /// How many octets of the server were taken.
    pub taken: usize,
    /// The time that went by, in milliseconds.
    pub elapsed: u64,
    /// How often the machine was called.
    pub calls: usize,
}

impl Played {
    /// What the client sent before TLS.
    pub fn sent_clear(&self) -> &[u8] {
        &self.sent[..self.clear]
    }

    /// Whether the client sent `what`.
    pub fn has_sent(&self, what: &str) -> bool {
        contains(&self.sent, what)
    }
}

/// Whether `what` is among the octets.
pub fn contains(octets: &[u8], what: &str) -> bool {
    octets.windows(what.len()).any(|w| w == what.as_bytes())
}

const START: u64 = 1_000;

/// The same for what a program is asked for, with the time limits that it has. `None` if that can not be sent
/// by anybody.
pub fn play_wish(wish: &Wish, acts: &[Act], piece: usize, room: usize) -> Option<Played> {
    let mut config = Config::new("localhost", wish.security).ok()?;
    if wish.auth != "none" {
        config = config.credentials(Credentials::password(USER, PASSWORD).ok()?);
    }
    if wish.auth != "plain-require-tls" {
        config = config.danger_plaintext_auth();
    }
    config = config.ehlo_name(EhloName::parse(&wish.ehlo).ok()?);
    let recipients: Result<Vec<_>, _> = wish.to.iter().map(|to| Recipient::parse(to)).collect();
    let recipients = recipients.ok()?;
    let mut envelope = Envelope::new(ReversePath::parse(&wish.from).ok()?, &recipients);
    envelope.size = Some(wish.body.len() as u64);
    let body = wish.body.as_bytes();
    Some(play(&config, &envelope, body, acts, piece, room))
}

/// Sends one message to a server that does `acts`; its octets arrive in pieces of `piece`, and the client
/// sends in pieces of `room`.
///
/// # Panics
/// If the machine breaks a promise that holds in every dialogue: it always comes to an end, it tells the fate
/// of the message once, and it fails only once.
pub fn play(
    config: &Config<'_>,
    envelope: &Envelope<'_>,
    body: &[u8],
    acts: &[Act],
    piece: usize,
    room: usize,
) -> Played {
    let mut line = vec![0; 512];
    let mut driver = Driver {
        machine: Client::new(config, &mut line, Instant::from_millis(START)),
        envelope,
        body,
        now: START,
        sent: Vec::new(),
        answered: 0,
        clear: None,
        told: Told::default(),
        error: None,
        over: false,
        taken: 0,
        calls: 0,
        piece: piece.max(1),
        room: room.max(1),
    };
    let mut first = true;
    let mut in_content = false;
    driver.work();
    for act in acts {
        if driver.over {
            break;
        }
        match act {
            Act::Reply(octets) => {
                let heard = first || in_content || driver.next_line();
                if !heard {
                    break;
                }
                (first, in_content) = (false, false);
                driver.feed(octets);
            }
            Act::Now(octets) => {
                first = false;
                driver.feed(octets);
            }
            Act::Flood(octets, count) => {
                let flood =
                    octets.repeat(count.min(&(65_536 / octets.len().max(1)).max(1)).to_owned());
                let mut left = octets.len() * count;
                while left > 0 && !driver.over {
                    let now = left.min(flood.len());
                    driver.feed(&flood[..now]);
                    left -= now;
                }
            }
            Act::Drip(octets, pause) => {
                if !(first || in_content || driver.next_line()) {
                    break;
                }
                (first, in_content) = (false, false);
                for octet in octets {
                    driver.wait(*pause);
                    if driver.over {
                        break;
                    }
                    driver.feed(&[*octet]);
                }
            }
            Act::Content => {
                if !driver.content_is_out() {
                    break;
                }
                in_content = true;
            }
            Act::Tls => {
                if !driver.tls() {
                    break;
                }
            }
            Act::Close => driver.close(),
        }
    }
    driver.finish()
}

struct Driver<'c> {
    machine: Client<'c>,
    envelope: &'c Envelope<'c>,
    body: &'c [u8],
    now: u64,
    sent: Vec<u8>,
    /// Octets of what was sent that the server has looked at.
    answered: usize,
    clear: Option<usize>,
    told: Told,
    error: Option<Error>,
    over: bool,
    taken: usize,
    calls: usize,
    piece: usize,
    room: usize,
}

/// What the events told.
#[derive(Default)]
struct Told {
    /// Whether the message was delivered, once that was told.
    verdict: Option<bool>,
    /// The refusal that counts.
    refusal: Option<Code>,
    /// Recipients that were refused.
    refused: usize,
    /// QUIT was answered.
    parted: bool,
}

impl Told {
    fn note(&mut self, event: &Event<'_>) {
        let mut keep = |code: Code| {
            if matches!(code.class(), Class::Transient | Class::Permanent) {
                self.refusal = Some(code);
                true
            } else {
                false
            }
        };
        match event {
            Event::Sender { reply } => {
                keep(reply.code);
            }
            Event::Recipient { reply, .. } if keep(reply.code) => self.refused += 1,
            Event::Delivered { .. } => {
                assert!(self.verdict.replace(true).is_none(), "told twice");
            }
            Event::NotDelivered { reply, .. } => {
                if let Some(reply) = reply {
                    keep(reply.code);
                }
                assert!(self.verdict.replace(false).is_none(), "told twice");
            }
            Event::Closed => self.parted = true,
            _ => {}
        }
    }
}

impl Driver<'_> {
    fn instant(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn feed(&mut self, octets: &[u8]) {
        for piece in octets.chunks(self.piece) {
            let mut rest = piece;
            while !self.over {
                self.calls += 1;
                let now = self.instant();
                let (used, event) = match self.machine.receive(now, rest) {
                    Ok(received) => received,
                    Err(error) => return self.fail(error),
                };
                let quiet = used == 0 && event.is_none();
                self.taken += used;
                rest = &rest[used..];
                let content = matches!(event, Some(Event::Content));
                let ready = matches!(event, Some(Event::Ready));
                if let Some(event) = event {
                    self.told.note(&event);
                }
                if ready {
                    self.submit();
                }
                if content {
                    self.push();
                }
                self.over |= self.told.parted;
                if self.told.verdict.is_some() && self.machine.is_ready() {
                    // Nothing is left to do.
                    let _ = self.machine.quit(now);
                }
                if quiet {
                    break;
                }
            }
            self.work();
            if self.over {
                return;
            }
        }
    }

    fn submit(&mut self) {
        let now = self.instant();
        if let Err(error) = self.machine.submit(self.envelope, now) {
            self.error = Some(error);
            let _ = self.machine.quit(now);
        }
    }

    fn push(&mut self) {
        let now = self.instant();
        let mut out = vec![0; self.room];
        let Some(mut body) = self.machine.body() else {
            panic!("the content was asked for");
        };
        let mut rest = self.body;
        loop {
            let (read, written) = body.write(now, rest, &mut out);
            self.sent.extend_from_slice(&out[..written]);
            rest = &rest[read..];
            if read == 0 && written == 0 {
                break;
            }
        }
        body.finish(now);
    }

    /// Lets the machine send what it can.
    fn work(&mut self) {
        let mut out = vec![0; self.room];
        while !self.over {
            let written = self.machine.transmit(self.instant(), &mut out);
            if written == 0 {
                break;
            }
            self.sent.extend_from_slice(&out[..written]);
        }
        self.over |= self.machine.is_closed();
    }

    fn fail(&mut self, error: Error) {
        if self.error.is_none() {
            self.error = Some(error);
        }
        if self.machine.quit(self.instant()).is_ok() {
            self.work();
        } else {
            self.over = true;
        }
    }

    fn wait(&mut self, millis: u64) {
        let until = self.now + millis;
        match self.machine.poll_timeout() {
            Some(deadline) if deadline.millis() <= until => {
                self.now = self.now.max(deadline.millis());
                if let Err(error) = self.machine.handle_timeout(self.instant()) {
                    self.fail(error);
                }
                self.over = true;
            }
            _ => self.now = until,
        }
    }

    /// Whether the client has sent another line.
    fn next_line(&mut self) -> bool {
        let fresh = &self.sent[self.answered..];
        match fresh.windows(2).position(|w| w == b"\r\n") {
            Some(at) => {
                self.answered += at + 2;
                true
            }
            None => false,
        }
    }

    fn content_is_out(&mut self) -> bool {
        let fresh = &self.sent[self.answered..];
        let framed = [b"\r\n", fresh].concat();
        match framed.windows(5).position(|w| w == b"\r\n.\r\n") {
            Some(at) => {
                self.answered += at + 3;
                true
            }
            None => false,
        }
    }

    fn tls(&mut self) -> bool {
        self.work();
        if !self.machine.wants_tls() {
            return false;
        }
        self.clear = Some(self.sent.len());
        self.answered = self.sent.len();
        self.machine
            .tls_established(self.instant())
            .expect("TLS is wanted");
        self.work();
        true
    }

    fn close(&mut self) {
        if let Err(error) = self.machine.receive_eof() {
            self.fail(error);
        }
        self.over = true;
    }

    fn finish(mut self) -> Played {
        // A server that says nothing more: the machine must end by itself.
        let mut steps = 0;
        while !self.over && self.machine.poll_timeout().is_some() {
            steps += 1;
            assert!(steps < 10, "the machine does not end");
            self.wait(u64::from(u32::MAX));
        }
        let class = match (self.told.verdict, self.error) {
            (Some(true), _) if self.told.refused > 0 => class::PARTIAL,
            (Some(true), _) => class::NONE,
            (_, Some(error)) => class::of_core(&error),
            (Some(false), None) => match self.told.refusal {
                Some(code) => class::refusal(code.class() == Class::Transient),
                None => class::OTHER,
            },
            (None, None) => match self.machine.error() {
                Some(error) => class::of_core(&error),
                None => class::OTHER,
            },
        };
        Played {
            clear: self.clear.unwrap_or(self.sent.len()),
            sent: self.sent,
            class,
            error: self.error,
            taken: self.taken,
            elapsed: self.now - START,
            calls: self.calls,
        }
    }
}
