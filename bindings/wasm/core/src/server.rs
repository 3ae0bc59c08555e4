//! The server machine.

use crate::client::{mechanisms, security};
use crate::codec::{Answer, Arguments};
use crate::driver::{self, OWN, RECEIVE};
use crate::failure::{Refused, failure};
use alloc::vec::Vec;
use sansmtp::capability::{Capabilities, Extension};
use sansmtp::config::EhloName;
use sansmtp::server::{self, Config, Event, Query, Session};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::param::{MailParameters, RcptParameters};
use sansmtp::wire::reply::Reply;
use sansmtp::{Instant, Machine};
use zeroize::Zeroize;

/// The longest line with an AUTH response (RFC 4954, section 4).
const LINE: usize = 12_288;
/// Room for the text of a reply with several lines.
const REPLY: usize = 4096;

/// The server: its session, and what the core borrows, as it crossed the border.
#[derive(Debug)]
pub(crate) struct Server {
    settings: Vec<u8>,
    session: Session,
    line: Vec<u8>,
    reply: Vec<u8>,
    /// Input that the machine did not take yet.
    input: Vec<u8>,
}

impl Server {
    /// A server on a fresh connection.
    pub(crate) fn new(
        settings: Vec<u8>,
        now: Instant,
        answer: &mut Answer,
    ) -> Result<Self, Refused> {
        let (mut line, mut reply) = (alloc::vec![0; LINE], alloc::vec![0; REPLY]);
        let session = {
            let config = config(&settings, answer)?;
            server::Server::new(&config, &mut line, &mut reply, now).suspend()
        };
        Ok(Self {
            settings,
            session,
            line,
            reply,
            input: Vec::new(),
        })
    }

    /// Takes the session up, carries an operation out, and puts it aside.
    pub(crate) fn call(
        &mut self,
        operation: u8,
        now: Instant,
        mut given: Vec<u8>,
        answer: &mut Answer,
    ) -> Result<(), Refused> {
        const ACCEPT: u8 = OWN;
        const ANSWER: u8 = OWN + 1;
        const SHUTDOWN: u8 = OWN + 2;
        const STATUS: u8 = OWN + 3;

        let config = config(&self.settings, answer)?;
        let mut machine =
            server::Server::resume(self.session, &config, &mut self.line, &mut self.reply);
        let mut result = Ok(());
        match operation {
            RECEIVE => {
                self.input.extend_from_slice(&given);
                let taken = receive(&mut machine, now, &self.input, answer);
                // A password may have been among it.
                given.zeroize();
                driver::drop_front(&mut self.input, taken);
            }
            ACCEPT => result = machine.accept(),
            ANSWER => {
                if let Ok(reply) = reply(&mut Arguments::new(&given), answer) {
                    result = machine.answer(&reply);
                }
            }
            SHUTDOWN => machine.shutdown(),
            STATUS => {
                answer.byte(machine.state() as u8);
                answer.flag(machine.is_tls());
                answer.flag(machine.is_authenticated());
                answer.flag(machine.is_asking());
                answer.flag(machine.wants_tls());
                answer.flag(machine.is_closed());
            }
            _ => result = driver::call(&mut machine, operation, now, &mut self.input, answer),
        }
        self.session = machine.suspend();
        answer.called(result)
    }
}

/// The configuration: name, security, whether MAIL needs AUTH, whether passwords may go in the clear,
/// octets of the largest message, recipients of one message, refused commands, octets of a line of the
/// content, milliseconds for each step (0 for the usual ones), the mechanisms, then perhaps what EHLO
/// announces.
fn config<'a>(settings: &'a [u8], answer: &mut Answer) -> Result<Config<'a>, Refused> {
    let mut settings = Arguments::new(settings);
    let name = answer.checked(EhloName::parse(settings.text()))?;
    let mut config = Config::new(name, security(settings.byte()));
    config.require_auth = settings.flag();
    config.danger_plaintext_auth = settings.flag();
    config.capabilities.max_size = settings.number() as u64;
    config.limits.recipients = settings.number() as u16;
    config.limits.errors = settings.number() as u16;
    config.limits.text_line = settings.number() as u32;
    let step = settings.number() as u32;
    if step > 0 {
        config.timeouts.command = step;
        config.timeouts.content = step;
        config.timeouts.handshake = step;
    }
    config.mechanisms = mechanisms(&mut settings, answer)?;
    if let Some(settings) = settings.some() {
        let mut capabilities = Capabilities::NONE;
        for _ in settings.list() {
            let keyword = settings.text();
            let extension = Extension::ALL
                .into_iter()
                .find(|extension| extension.keyword().eq_ignore_ascii_case(keyword))
                .ok_or_else(|| answer.refuse("this SMTP extension is not known"))?;
            capabilities = capabilities.with(extension);
        }
        capabilities.max_size = config.capabilities.max_size;
        config.capabilities = capabilities;
    }
    Ok(config)
}

/// A reply: its code, its enhanced code or nothing, its text with `\n` between lines.
fn reply<'a>(given: &mut Arguments<'a>, answer: &mut Answer) -> Result<Reply<'a>, Refused> {
    let code = given.number() as u16;
    let enhanced = given.octets();
    let enhanced = match EnhancedCode::parse_prefix(enhanced) {
        Some((code, [])) => Some(code),
        _ if enhanced.is_empty() => None,
        _ => return Err(answer.refuse("an enhanced code is written as 5.7.8")),
    };
    answer.checked(Reply::new(code, enhanced, given.text()))
}

/// The numbers of the events besides requests.
const CONTENT: u8 = 20;
const HELLO: u8 = 21;
const RESET: u8 = 22;
const START_TLS: u8 = 23;
const FAILED: u8 = 24;

fn receive(
    machine: &mut server::Server<'_>,
    now: Instant,
    input: &[u8],
    answer: &mut Answer,
) -> usize {
    let mut taken = 0_usize;
    // Stretches of the content that follow one another make one event.
    let mut content: Vec<u8> = Vec::new();
    loop {
        let rest = input.get(taken..).unwrap_or_default();
        let received = machine.receive(now, rest);
        if let Ok((used, event)) = &received {
            taken = taken.saturating_add(*used);
            if let Some(Event::Content(stretch)) = event {
                content.extend_from_slice(stretch);
                continue;
            }
            if *used > 0 && event.is_none() {
                continue;
            }
        }
        if !content.is_empty() {
            answer.byte(CONTENT);
            answer.octets(&core::mem::take(&mut content));
        }
        match received {
            Ok((_, None)) => return taken,
            Ok((_, Some(said))) => event(answer, said),
            Err(error) => {
                answer.byte(FAILED);
                failure(answer, &error);
                return input.len();
            }
        }
    }
}

fn event(answer: &mut Answer, event: Event<'_>) {
    match event {
        Event::Request(request) => asked(answer, request.query()),
        Event::Hello { name, extended } => {
            answer.byte(HELLO);
            answer.text(name);
            answer.flag(extended);
        }
        Event::StartTls => answer.byte(START_TLS),
        _ => answer.byte(RESET),
    }
}

/// A request: its number, then its fields.
fn asked(answer: &mut Answer, query: Query<'_>) {
    match query {
        Query::Connect => texts(answer, 0, &[]),
        Query::Authenticate(login) => {
            let password = login.password.reveal();
            let mechanism = login.mechanism.name();
            let fields = [mechanism, login.authorization, login.user, password];
            texts(answer, 1, &fields);
        }
        Query::Bearer(bearer) => {
            let token = bearer.token.reveal();
            texts(answer, 2, &[bearer.mechanism.name(), bearer.user, token]);
        }
        Query::Authorize(identity) => {
            let mechanism = identity.mechanism.name();
            texts(
                answer,
                3,
                &[mechanism, identity.authorization, identity.user],
            );
        }
        Query::Mail {
            reverse_path,
            parameters,
        } => {
            texts(answer, 4, &[reverse_path.as_str()]);
            mail_parameters(answer, parameters);
        }
        Query::Recipient {
            forward_path,
            parameters,
        } => {
            texts(answer, 5, &[forward_path.as_str()]);
            rcpt_parameters(answer, parameters);
        }
        Query::Data => texts(answer, 6, &[]),
        Query::Message { size } => {
            answer.byte(7);
            answer.number(size as f64);
        }
        Query::Verify(name) => texts(answer, 8, &[name]),
        Query::Expand(name) => texts(answer, 9, &[name]),
        Query::Help(subject) => texts(answer, 10, &[subject]),
        // A new question needs a number here and a name in the TypeScript layer.
        _ => texts(answer, 11, &[""]),
    }
}

#[inline(never)]
fn texts(answer: &mut Answer, kind: u8, texts: &[&str]) {
    answer.byte(kind);
    for text in texts {
        answer.text(text);
    }
}

/// Size if declared, body, SMTPUTF8, RET, then ENVID and AUTH in plain form, if there.
pub(crate) fn mail_parameters(answer: &mut Answer, parameters: MailParameters<'_>) {
    if let Some(size) = answer.some(parameters.size) {
        answer.number(size as f64);
    }
    answer.byte(parameters.body.map_or(u8::MAX, |body| body as u8));
    answer.flag(parameters.smtputf8);
    answer.byte(parameters.ret.map_or(u8::MAX, |ret| ret as u8));
    for text in [parameters.envid, parameters.auth] {
        if let Some(text) = answer.some(text) {
            answer.decoded(text);
        }
    }
}

/// NOTIFY in bits (255 if not declared), then the parts of ORCPT, if there.
pub(crate) fn rcpt_parameters(answer: &mut Answer, parameters: RcptParameters<'_>) {
    answer.byte(parameters.notify.map_or(u8::MAX, |notify| {
        u8::from(notify.success) | u8::from(notify.failure) << 1 | u8::from(notify.delay) << 2
    }));
    if let Some(orcpt) = answer.some(parameters.orcpt) {
        answer.text(orcpt.addr_type());
        answer.decoded(orcpt.address());
    }
}
