//! The server machine.

use crate::client::{instant, transmit};
use crate::failure::{argument, done, failure, told};
use crate::record::{Array, Record, bytes};
use crate::{event, names};
use alloc::string::String;
use alloc::vec::Vec;
use sansmtp::Machine;
use sansmtp::capability::Capabilities;
use sansmtp::config::{EhloName, Security};
use sansmtp::server::{self, Config, Event, Session};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::Reply;
use wasm_bindgen::prelude::*;
use zeroize::Zeroize;

/// The longest line with an AUTH response (RFC 4954, section 4).
const LINE: usize = 12_288;
/// Room for the text of a reply with several lines.
const REPLY: usize = 4096;

/// The server: configuration, session, and what the core borrows.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Server {
    hostname: String,
    security: Security,
    capabilities: Capabilities,
    mechanisms: sansmtp::capability::Mechanisms,
    require_auth: bool,
    danger_plaintext_auth: bool,
    limits: server::Limits,
    timeouts: server::Timeouts,
    session: Session,
    line: Vec<u8>,
    reply: Vec<u8>,
    /// Input that the machine did not take yet.
    input: Vec<u8>,
}

#[wasm_bindgen]
impl Server {
    /// A server on a fresh connection.
    #[wasm_bindgen(constructor)]
    pub fn new(hostname: String, security: &str, now: f64) -> Result<Server, JsError> {
        let security = names::security_from(security)?;
        let (mut line, mut reply) = (alloc::vec![0; LINE], alloc::vec![0; REPLY]);
        let (session, capabilities, limits, timeouts) = {
            let name = EhloName::parse(&hostname).map_err(argument)?;
            let config = Config::new(name, security);
            let machine = server::Server::new(&config, &mut line, &mut reply, instant(now));
            let session = machine.suspend();
            (session, config.capabilities, config.limits, config.timeouts)
        };
        Ok(Self {
            hostname,
            security,
            capabilities,
            mechanisms: sansmtp::capability::Mechanisms::NONE,
            require_auth: false,
            danger_plaintext_auth: false,
            limits,
            timeouts,
            session,
            line,
            reply,
            input: Vec::new(),
        })
    }

    /// What EHLO announces besides STARTTLS and AUTH, by keyword.
    pub fn set_extensions(&mut self, keywords: Vec<String>) -> Result<(), JsError> {
        let mut capabilities = Capabilities::NONE;
        for keyword in &keywords {
            capabilities = capabilities.with(names::extension_from(keyword)?);
        }
        capabilities.max_size = self.capabilities.max_size;
        self.capabilities = capabilities;
        Ok(())
    }

    /// The largest message in octets; 0 for no limit.
    pub fn set_max_size(&mut self, octets: f64) {
        self.capabilities.max_size = octets as u64;
    }

    /// The SASL mechanisms by name, and whether MAIL needs AUTH.
    pub fn set_auth(&mut self, mechanisms: Vec<String>, required: bool) -> Result<(), JsError> {
        self.mechanisms = names::mechanisms_from(&mechanisms)?;
        self.require_auth = required;
        Ok(())
    }

    /// Takes passwords without TLS.
    pub fn set_danger_plaintext_auth(&mut self, allowed: bool) {
        self.danger_plaintext_auth = allowed;
    }

    /// Recipients of one message, refused commands, octets of a line of the content.
    pub fn set_limits(&mut self, recipients: u16, errors: u16, text_line: u32) {
        self.limits.recipients = recipients;
        self.limits.errors = errors;
        self.limits.text_line = text_line;
    }

    /// Milliseconds for a command, a stretch of the content, and the TLS handshake.
    pub fn set_timeouts(&mut self, command: u32, content: u32, handshake: u32, now: f64) {
        self.timeouts.command = command;
        self.timeouts.content = content;
        self.timeouts.handshake = handshake;
        if let Ok(name) = EhloName::parse(&self.hostname) {
            // The first deadline is set when the machine is made.
            let config = Config::new(name, self.security).timeouts(self.timeouts);
            let machine =
                server::Server::new(&config, &mut self.line, &mut self.reply, instant(now));
            self.session = machine.suspend();
        }
    }

    /// Takes input and gives the events that follow from it and from earlier input, up to a question.
    pub fn receive(&mut self, now: f64, bytes: &[u8]) -> JsValue {
        self.input.extend_from_slice(bytes);
        let mut input = core::mem::take(&mut self.input);
        let events = Array::new();
        let taken = self.with(|machine| take_all(machine, now, &input, &events));
        // A password may have been among it.
        let taken = taken.min(input.len());
        if let Some(gone) = input.get_mut(..taken) {
            gone.zeroize();
        }
        input.drain(..taken);
        self.input = input;
        events.into()
    }

    /// Tells that the peer will send nothing more; gives the failure if a transaction was open.
    pub fn receive_eof(&mut self) -> JsValue {
        told(self.with(|machine| machine.receive_eof().err()))
    }

    /// What is to be sent now; empty if nothing is.
    pub fn transmit(&mut self, now: f64) -> Vec<u8> {
        self.with(|machine| transmit(machine, now))
    }

    /// Says yes to the open question in the usual words.
    pub fn accept(&mut self) -> Result<(), JsValue> {
        done(self.with(|machine| machine.accept().err()))
    }

    /// Answers the open question. The text may hold `\n` between lines.
    pub fn answer(
        &mut self,
        code: u16,
        enhanced: Option<String>,
        text: &str,
    ) -> Result<(), JsValue> {
        let enhanced = match enhanced.as_deref() {
            None => None,
            Some(code) => match EnhancedCode::parse_prefix(code.as_bytes()) {
                Some((code, [])) => Some(code),
                _ => return Err(JsError::new("an enhanced code is written as 5.7.8").into()),
            },
        };
        let reply = Reply::new(code, enhanced, text).map_err(argument)?;
        done(self.with(|machine| machine.answer(&reply).err()))
    }

    /// Ends the session with 421 as soon as no transaction is open.
    pub fn shutdown(&mut self) {
        self.with(|machine| machine.shutdown());
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

    /// What the session is at, in one object.
    pub fn status(&mut self) -> JsValue {
        self.with(|machine| {
            Record::new()
                .set("state", names::state(machine.state()))
                .set("tls", machine.is_tls())
                .set("authenticated", machine.is_authenticated())
                .set("asking", machine.is_asking())
                .done()
        })
    }
}

impl Server {
    /// Takes the session up, lets `work` use it, and puts it aside.
    fn with<R: Default>(&mut self, work: impl for<'c> FnOnce(&mut server::Server<'c>) -> R) -> R {
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
    fn work(&mut self, work: &mut dyn FnMut(&mut server::Server<'_>)) {
        // The name was checked when it came in; the fallback is never taken.
        let name = EhloName::parse(&self.hostname).unwrap_or(EhloName::LOOPBACK);
        let mut config = Config::new(name, self.security)
            .mechanisms(self.mechanisms)
            .limits(self.limits)
            .timeouts(self.timeouts);
        config.capabilities = self.capabilities;
        config.require_auth = self.require_auth;
        config.danger_plaintext_auth = self.danger_plaintext_auth;
        let mut machine =
            server::Server::resume(self.session, &config, &mut self.line, &mut self.reply);
        work(&mut machine);
        self.session = machine.suspend();
    }
}

fn take_all(machine: &mut server::Server<'_>, now: f64, input: &[u8], events: &Array) -> usize {
    let mut taken = 0_usize;
    // Stretches of the content that follow one another make one event.
    let mut content: Vec<u8> = Vec::new();
    let flush = |content: &mut Vec<u8>| {
        if !content.is_empty() {
            let data = bytes(content);
            events.push(&Record::of("content").set("data", data).done());
            content.clear();
        }
    };
    loop {
        let rest = input.get(taken..).unwrap_or_default();
        match machine.receive(instant(now), rest) {
            Ok((0, None)) => {
                flush(&mut content);
                return taken;
            }
            Ok((used, None)) => taken = taken.saturating_add(used),
            Ok((used, Some(Event::Content(stretch)))) => {
                taken = taken.saturating_add(used);
                content.extend_from_slice(stretch);
            }
            Ok((used, Some(event))) => {
                taken = taken.saturating_add(used);
                flush(&mut content);
                events.push(&match event {
                    Event::Request(request) => event::request(request.query()),
                    Event::Hello { name, extended } => Record::of("hello")
                        .set("name", name)
                        .set("extended", extended)
                        .done(),
                    Event::Reset => Record::of("reset").done(),
                    Event::StartTls => Record::of("starttls").done(),
                    _ => Record::of("other").done(),
                });
            }
            Err(error) => {
                flush(&mut content);
                events.push(&Record::of("failed").set("failure", failure(&error)).done());
                return input.len();
            }
        }
    }
}
