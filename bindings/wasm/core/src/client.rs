//! The client machine.

use crate::codec::{Answer, Arguments};
use crate::driver::{self, OWN, RECEIVE};
use crate::envelope::envelope;
use crate::failure::{Refused, failure};
use alloc::vec::Vec;
use sansmtp::auth::Credentials;
use sansmtp::capability::{Mechanism, Mechanisms};
use sansmtp::client::{self, Event, Query, Session};
use sansmtp::config::{Config, EhloName, Security, Timeouts};
use sansmtp::error::Stage;
use sansmtp::wire::reply::{Escaped, ReplyLine};
use sansmtp::{Instant, Machine};
use zeroize::Zeroizing;

/// Octets of a reply line that are shown; longer ones are cut off.
const LINE: usize = 1024;

/// The client: its session, and what the core borrows, as it crossed the border.
#[derive(Debug)]
pub(crate) struct Client {
    settings: Zeroizing<Vec<u8>>,
    session: Session,
    line: Vec<u8>,
    /// Input that the machine did not take yet.
    input: Vec<u8>,
    envelope: Vec<u8>,
    query: Vec<u8>,
}

impl Client {
    /// A client on a fresh connection.
    pub(crate) fn new(
        settings: Vec<u8>,
        now: Instant,
        answer: &mut Answer,
    ) -> Result<Self, Refused> {
        let settings = Zeroizing::new(settings);
        let mut line = alloc::vec![0; LINE];
        let session = {
            let config = config(&settings, answer)?;
            client::Client::new(&config, &mut line, now).suspend()
        };
        Ok(Self {
            settings,
            session,
            line,
            input: Vec::new(),
            envelope: Vec::new(),
            query: Vec::new(),
        })
    }

    /// Takes the session up, carries an operation out, and puts it aside.
    pub(crate) fn call(
        &mut self,
        operation: u8,
        now: Instant,
        given: Vec<u8>,
        answer: &mut Answer,
    ) -> Result<(), Refused> {
        const SUBMIT: u8 = OWN;
        const QUERY: u8 = OWN + 1;
        const QUIT: u8 = OWN + 2;
        const CONTENT: u8 = OWN + 3;
        const FINISH: u8 = OWN + 4;
        const FLAGS: u8 = OWN + 5;
        const STATUS: u8 = OWN + 6;

        // What is submitted or asked is borrowed from now on, if it is taken.
        let mut recipients = Vec::new();
        let submitted = if operation == SUBMIT {
            &given
        } else {
            &self.envelope
        };
        let envelope = envelope(Arguments::new(submitted), &mut recipients, answer)?;
        let asked = if operation == QUERY {
            &given
        } else {
            &self.query
        };
        let query = query(Arguments::new(asked), answer)?;

        let config = config(&self.settings, answer)?;
        let mut machine = client::Client::resume(
            self.session,
            &config,
            &mut self.line,
            Some(&envelope),
            Some(query),
        );
        let mut result = Ok(());
        match operation {
            RECEIVE => {
                self.input.extend_from_slice(&given);
                let taken = receive(&mut machine, now, &self.input, answer);
                driver::drop_front(&mut self.input, taken);
            }
            SUBMIT => result = machine.submit(&envelope, now),
            QUERY => result = machine.query(query, now),
            QUIT => result = machine.quit(now),
            CONTENT => {
                if let Some(mut body) = answer.some(machine.body()) {
                    // Every octet can become two: a dot is doubled, a lone CR or LF is completed. A chunk
                    // has a command before it.
                    let mut out = alloc::vec![0; given.len().saturating_mul(2).saturating_add(32)];
                    let (_, written) = body.write(now, &given, &mut out);
                    answer.raw(out.get(..written).unwrap_or_default());
                }
            }
            FINISH => {
                if let Some(body) = answer.some(machine.body()) {
                    body.finish(now);
                }
            }
            FLAGS => {
                answer.flag(machine.wants_tls());
                answer.flag(machine.is_closed());
                answer.flag(machine.is_ready());
                answer.flag(machine.outcome_unknown());
                answer.flag(machine.body().is_some());
            }
            STATUS => status(&machine, answer),
            _ => result = driver::call(&mut machine, operation, now, &mut self.input, answer),
        }
        self.session = machine.suspend();
        answer.called(result)?;
        match operation {
            SUBMIT => self.envelope = given,
            QUERY => self.query = given,
            _ => {}
        }
        Ok(())
    }
}

/// The configuration: host, security, EHLO name, kind of credentials, user, secret, whether the password may go
/// in the clear, whether BDAT may be used, the mechanisms, and milliseconds for the greeting and for each later step (0 for the usual ones).
fn config<'a>(settings: &'a [u8], answer: &mut Answer) -> Result<Config<'a>, Refused> {
    let mut settings = Arguments::new(settings);
    let mut config = answer.checked(Config::new(settings.text(), security(settings.byte())))?;
    if let Some(name) = settings.text_if_any() {
        config.ehlo_name = answer.checked(EhloName::parse(name))?;
    }
    let kind = settings.byte();
    let (user, secret) = (settings.text(), settings.text());
    config.credentials = match kind {
        0 => None,
        1 => Some(answer.checked(Credentials::password(user, secret))?),
        _ => Some(answer.checked(Credentials::oauth2(user, secret))?),
    };
    config.danger_plaintext_auth = settings.flag();
    config.chunking = settings.flag();
    let wanted = mechanisms(&mut settings, answer)?;
    if !wanted.is_empty() {
        config.mechanisms = wanted;
    }
    let (greeting, step) = (settings.number() as u32, settings.number() as u32);
    if step > 0 {
        let quit = config.timeouts.quit;
        config.timeouts = Timeouts::all(step);
        config.timeouts.greeting = greeting;
        config.timeouts.quit = quit.min(step);
    }
    Ok(config)
}

pub(crate) fn security(number: u8) -> Security {
    match number {
        0 => Security::ImplicitTls,
        1 => Security::StartTls,
        _ => Security::DangerPlaintext,
    }
}

/// A list of SASL mechanisms by name.
#[inline(never)]
pub(crate) fn mechanisms(
    arguments: &mut Arguments<'_>,
    answer: &mut Answer,
) -> Result<Mechanisms, Refused> {
    let mut mechanisms = Mechanisms::NONE;
    for _ in arguments.list() {
        let mechanism = Mechanism::from_name(arguments.octets())
            .ok_or_else(|| answer.refuse("this SASL mechanism is not known"))?;
        mechanisms = mechanisms.with(mechanism);
    }
    Ok(mechanisms)
}

/// A query: its kind, then its argument. Empty for none.
fn query<'a>(mut arguments: Arguments<'a>, answer: &mut Answer) -> Result<Query<'a>, Refused> {
    let kind = arguments.byte();
    let text = arguments.text();
    answer.checked(match kind {
        1 => Ok(Query::RSET),
        2 => Query::vrfy(text),
        3 => Query::expn(text),
        4 => Query::help(Some(text).filter(|text| !text.is_empty())),
        _ => Ok(Query::NOOP),
    })
}

fn receive(
    machine: &mut client::Client<'_>,
    now: Instant,
    input: &[u8],
    answer: &mut Answer,
) -> usize {
    let mut taken = 0_usize;
    loop {
        let rest = input.get(taken..).unwrap_or_default();
        match machine.receive(now, rest) {
            Ok((0, None)) => return taken,
            Ok((used, said)) => {
                taken = taken.saturating_add(used);
                if let Some(said) = said {
                    event(answer, said);
                }
            }
            Err(error) => {
                answer.byte(FAILED);
                failure(answer, &error);
                return input.len();
            }
        }
    }
}

/// The number of the event that no event of the core is.
const FAILED: u8 = 12;

/// An event: its number, then its stage, its index, and whether a reply follows.
fn event(answer: &mut Answer, event: Event<'_>) {
    let (kind, stage, index, reply) = match event {
        Event::Reply { stage, reply } => (0, stage, 0, Some(reply)),
        Event::StartTls => (1, Stage::StartTls, 0, None),
        Event::Ready => (2, Stage::Idle, 0, None),
        Event::Refused { stage, reply } => (3, stage, 0, Some(reply)),
        Event::Sender { reply } => (4, Stage::Mail, 0, Some(reply)),
        Event::Recipient { index, reply } => (5, Stage::Rcpt, index, Some(reply)),
        Event::Content => (6, Stage::Content, 0, None),
        Event::ChunkRefused { reply } => (7, Stage::Content, 0, Some(reply)),
        Event::Delivered { reply } => (8, Stage::Content, 0, Some(reply)),
        Event::NotDelivered { stage, reply } => (9, stage, 0, reply),
        Event::Answer { reply } => (10, Stage::Query, 0, Some(reply)),
        // A new event needs a number here and a name in the TypeScript layer.
        Event::Closed | _ => (11, Stage::Quit, 0, None),
    };
    answer.byte(kind);
    answer.byte(stage as u8);
    answer.number(index as f64);
    if let Some(line) = answer.some(reply) {
        reply_line(answer, line);
    }
}

/// A line of a reply. The text is escaped, so that it can be shown anywhere.
#[inline(never)]
pub(crate) fn reply_line(answer: &mut Answer, line: ReplyLine<'_>) {
    answer.number(f64::from(line.code.get()));
    if let Some(enhanced) = answer.some(line.enhanced) {
        answer.shown(&enhanced);
    }
    answer.shown(&Escaped(line.text));
    answer.flag(line.last);
}

fn status(machine: &client::Client<'_>, answer: &mut Answer) {
    answer.byte(machine.state() as u8);
    answer.byte(machine.stage() as u8);
    answer.flag(machine.is_tls());
    answer.text(machine.mechanism().map_or("", Mechanism::name));
    let capabilities = machine.capabilities();
    answer.number(capabilities.max_size as f64);
    if let Some(error) = answer.some(machine.error()) {
        failure(answer, &error);
    }
    for mechanism in capabilities.mechanisms.iter() {
        answer.flag(true);
        answer.text(mechanism.name());
    }
    answer.flag(false);
    for extension in capabilities.iter() {
        answer.text(extension.keyword());
    }
}
