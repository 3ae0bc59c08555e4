//! The client machine.

use crate::envelope::OwnedEnvelope;
use crate::failure::{argument, done, failure, told};
use crate::record::{Array, Record, list};
use crate::{event, names};
use alloc::string::String;
use alloc::vec::Vec;
use sansmtp::client::{self, Query, Session};
use sansmtp::config::{OwnedConfig, OwnedCredentials, Timeouts};
use sansmtp::{Instant, Machine};
use wasm_bindgen::prelude::*;

/// Octets of a reply line that are shown; longer ones are cut off.
const LINE: usize = 1024;
/// Octets that one call of `transmit` gives at most.
const FLIGHT: usize = 64 * 1024;

/// The client: configuration, session, and what the core borrows.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    config: OwnedConfig,
    session: Session,
    line: Vec<u8>,
    /// Input that the machine did not take yet.
    input: Vec<u8>,
    envelope: Option<OwnedEnvelope>,
    query: Option<(Kind, String)>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Noop,
    Rset,
    Vrfy,
    Expn,
    Help,
}

#[wasm_bindgen]
impl Client {
    /// A client on a fresh connection.
    #[wasm_bindgen(constructor)]
    pub fn new(host: &str, security: &str, now: f64) -> Result<Client, JsError> {
        let config = OwnedConfig::new(host, names::security_from(security)?).map_err(argument)?;
        let mut line = alloc::vec![0; LINE];
        let session = {
            let borrowed = config.as_config();
            client::Client::new(&borrowed, &mut line, instant(now)).suspend()
        };
        Ok(Self {
            config,
            session,
            line,
            input: Vec::new(),
            envelope: None,
            query: None,
        })
    }

    /// User and password, or an OAuth2 access token.
    pub fn set_credentials(
        &mut self,
        user: &str,
        secret: &str,
        oauth2: bool,
    ) -> Result<(), JsError> {
        let credentials = if oauth2 {
            OwnedCredentials::oauth2(user, secret)
        } else {
            OwnedCredentials::password(user, secret)
        };
        self.config.credentials = Some(credentials.map_err(argument)?);
        Ok(())
    }

    /// What the client calls itself in EHLO.
    pub fn set_name(&mut self, name: &str) -> Result<(), JsError> {
        self.config = self.config.clone().with_ehlo_name(name).map_err(argument)?;
        Ok(())
    }

    /// Sends a password without TLS.
    pub fn set_danger_plaintext_auth(&mut self, allowed: bool) {
        self.config.danger_plaintext_auth = allowed;
    }

    /// Milliseconds for the greeting and for every later step.
    pub fn set_timeouts(&mut self, greeting: u32, step: u32, now: f64) {
        let mut timeouts = Timeouts::all(step);
        timeouts.greeting = greeting;
        timeouts.quit = Timeouts::default().quit.min(step);
        self.config.timeouts = timeouts;
        // The first deadline is set when the machine is made.
        let fresh =
            client::Client::new(&self.config.as_config(), &mut self.line, instant(now)).suspend();
        self.session = fresh;
    }

    /// The most octets of a reply line and the most lines of a reply.
    pub fn set_limits(&mut self, reply_line: u32, reply_lines: u16) {
        self.config.limits.reply_line = reply_line;
        self.config.limits.reply_lines = reply_lines;
    }

    /// Takes input and gives the events that follow from it and from earlier input. What the machine does
    /// not take now is kept for the next call.
    pub fn receive(&mut self, now: f64, bytes: &[u8]) -> JsValue {
        self.input.extend_from_slice(bytes);
        let input = core::mem::take(&mut self.input);
        let events = Array::new();
        let taken = self.with(|machine| take_all(machine, now, &input, &events));
        self.input = input;
        self.input.drain(..taken.min(self.input.len()));
        events.into()
    }

    /// Tells that the peer will send nothing more; gives the failure if the dialogue was not over.
    pub fn receive_eof(&mut self) -> JsValue {
        told(self.with(|machine| machine.receive_eof().err()))
    }

    /// What is to be sent now; empty if nothing is.
    pub fn transmit(&mut self, now: f64) -> Vec<u8> {
        self.with(|machine| transmit(machine, now))
    }

    /// Opens a transaction. The addresses are checked before.
    #[allow(clippy::too_many_arguments, reason = "the boundary has no structs")]
    pub fn submit(
        &mut self,
        now: f64,
        sender: String,
        recipients: Vec<String>,
        size: Option<f64>,
        eight_bit: bool,
        smtputf8: bool,
        ret: Option<String>,
        notify: Option<String>,
        envid: Option<String>,
        orcpt: Option<String>,
    ) -> Result<(), JsValue> {
        let mut envelope = OwnedEnvelope::new(sender, recipients)?;
        envelope.ask_for_reports(ret.as_deref(), notify.as_deref(), envid, orcpt)?;
        envelope.size = size.map(|size| size as u64);
        envelope.eight_bit = eight_bit;
        envelope.smtputf8 = smtputf8;
        let result = {
            let config = self.config.as_config();
            let recipients = envelope.recipients();
            let borrowed = envelope.as_envelope(&recipients);
            let mut machine =
                client::Client::resume(self.session, &config, &mut self.line, None, None);
            let result = machine.submit(&borrowed, instant(now));
            self.session = machine.suspend();
            result
        };
        done(result.err())?;
        self.envelope = Some(envelope);
        Ok(())
    }

    /// Asks something between two messages: `noop`, `rset`, `vrfy`, `expn` or `help`.
    pub fn query(&mut self, now: f64, kind: &str, argument: String) -> Result<(), JsValue> {
        let kind = match kind {
            "noop" => Kind::Noop,
            "rset" => Kind::Rset,
            "vrfy" => Kind::Vrfy,
            "expn" => Kind::Expn,
            "help" => Kind::Help,
            _ => return Err(JsError::new("no such query").into()),
        };
        let result = {
            let config = self.config.as_config();
            let query = query_of(kind, &argument).map_err(crate::failure::argument)?;
            let mut machine =
                client::Client::resume(self.session, &config, &mut self.line, None, None);
            let result = machine.query(query, instant(now));
            self.session = machine.suspend();
            result
        };
        done(result.err())?;
        self.query = Some((kind, argument));
        Ok(())
    }

    /// Says goodbye.
    pub fn quit(&mut self, now: f64) -> Result<(), JsValue> {
        done(self.with(|machine| machine.quit(instant(now)).err()))
    }

    /// Whether the server waits for the content.
    pub fn wants_content(&mut self) -> bool {
        self.with(|machine| machine.body().is_some())
    }

    /// Encodes a chunk of the content; none if the server does not wait for it.
    pub fn content(&mut self, now: f64, chunk: &[u8]) -> Option<Vec<u8>> {
        self.with(|machine| {
            let mut body = machine.body()?;
            // Every octet can become two: a dot is doubled, a lone CR or LF is completed.
            let mut out = alloc::vec![0; chunk.len().saturating_mul(2).saturating_add(2)];
            let (_, written) = body.write(instant(now), chunk, &mut out);
            out.truncate(written);
            Some(out)
        })
    }

    /// Ends the content; false if the server does not wait for it.
    pub fn finish(&mut self, now: f64) -> bool {
        self.with(|machine| match machine.body() {
            Some(body) => {
                body.finish(instant(now));
                true
            }
            None => false,
        })
    }

    /// When `handle_timeout` is due.
    pub fn poll_timeout(&mut self) -> Option<f64> {
        self.with(|machine| machine.poll_timeout())
            .map(|deadline| deadline.millis() as f64)
    }

    /// Tells the time; gives the failure if the peer took too long.
    pub fn handle_timeout(&mut self, now: f64) -> JsValue {
        told(self.with(|machine| machine.handle_timeout(instant(now)).err()))
    }

    /// Whether the driver has to do the TLS handshake.
    pub fn wants_tls(&mut self) -> bool {
        self.with(|machine| machine.wants_tls())
    }

    /// Tells that TLS is up; gives the failure if something had come in the clear behind the agreement.
    pub fn tls_established(&mut self, now: f64) -> Result<JsValue, JsValue> {
        let input = core::mem::take(&mut self.input);
        if self.wants_tls()
            && !input.is_empty()
            && let Some(error) = self.with(|machine| machine.receive(instant(now), &input).err())
        {
            return Ok(failure(&error));
        }
        done(self.with(|machine| machine.tls_established(instant(now)).err()))
            .map(|()| JsValue::UNDEFINED)
    }

    /// Whether the dialogue is over.
    pub fn is_closed(&mut self) -> bool {
        self.with(|machine| machine.is_closed())
    }

    /// Whether `submit`, `query` or `quit` may be called.
    pub fn is_ready(&mut self) -> bool {
        self.with(|machine| machine.is_ready())
    }

    /// Whether the message may have been accepted without a word of it.
    pub fn outcome_unknown(&mut self) -> bool {
        self.with(|machine| machine.outcome_unknown())
    }

    /// What the session is at, in one object.
    pub fn status(&mut self) -> JsValue {
        self.with(|machine| {
            let capabilities = machine.capabilities();
            let extensions = list(capabilities.iter().map(|extension| extension.keyword()));
            let mechanisms = list(capabilities.mechanisms.iter().map(|m| m.name()));
            Record::new()
                .set("state", names::state(machine.state()))
                .set("stage", names::stage(machine.stage()))
                .set("tls", machine.is_tls())
                .set_some("mechanism", machine.mechanism().map(|m| m.name()))
                .set("extensions", extensions)
                .set("mechanisms", mechanisms)
                .set("maxSize", capabilities.max_size as f64)
                .set_some("failure", machine.error().as_ref().map(failure))
                .done()
        })
    }
}

impl Client {
    /// Takes the session up, lets `work` use it, and puts it aside.
    fn with<R: Default>(&mut self, work: impl for<'c> FnOnce(&mut client::Client<'c>) -> R) -> R {
        let mut result = R::default();
        let mut work = Some(work);
        self.work(&mut |machine| {
            if let Some(work) = work.take() {
                result = work(machine);
            }
        });
        result
    }

    /// The part of `with` that there is only once in the module.
    #[inline(never)]
    fn work(&mut self, work: &mut dyn FnMut(&mut client::Client<'_>)) {
        let config = self.config.as_config();
        let recipients = self
            .envelope
            .as_ref()
            .map(OwnedEnvelope::recipients)
            .unwrap_or_default();
        let envelope = self
            .envelope
            .as_ref()
            .map(|envelope| envelope.as_envelope(&recipients));
        let query = self
            .query
            .as_ref()
            .and_then(|(kind, argument)| query_of(*kind, argument).ok());
        let mut machine = client::Client::resume(
            self.session,
            &config,
            &mut self.line,
            envelope.as_ref(),
            query,
        );
        work(&mut machine);
        self.session = machine.suspend();
    }
}

fn query_of(kind: Kind, argument: &str) -> Result<Query<'_>, client::InvalidQuery> {
    match kind {
        Kind::Noop => Ok(Query::NOOP),
        Kind::Rset => Ok(Query::RSET),
        Kind::Vrfy => Query::vrfy(argument),
        Kind::Expn => Query::expn(argument),
        Kind::Help => Query::help(Some(argument).filter(|text| !text.is_empty())),
    }
}

fn take_all(machine: &mut client::Client<'_>, now: f64, input: &[u8], events: &Array) -> usize {
    let mut taken = 0_usize;
    loop {
        let rest = input.get(taken..).unwrap_or_default();
        match machine.receive(instant(now), rest) {
            Ok((0, None)) => return taken,
            Ok((used, event)) => {
                taken = taken.saturating_add(used);
                if let Some(event) = event {
                    events.push(&event::client(event));
                }
            }
            Err(error) => {
                events.push(&Record::of("failed").set("failure", failure(&error)).done());
                return input.len();
            }
        }
    }
}

pub(crate) fn transmit(machine: &mut impl Machine, now: f64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut piece = [0; 1024];
    while out.len() < FLIGHT {
        let written = machine.transmit(instant(now), &mut piece);
        if written == 0 {
            break;
        }
        out.extend_from_slice(piece.get(..written).unwrap_or_default());
    }
    out
}

/// Milliseconds of a JavaScript clock; the fraction does not count.
pub(crate) fn instant(now: f64) -> Instant {
    Instant::from_millis(now as u64)
}
