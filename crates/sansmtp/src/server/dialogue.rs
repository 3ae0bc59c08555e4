//! The policy of the server: what a command asks for, and in which order
//! commands may come.

use super::auth::{Progress, take_response};
use super::config::Config;
use super::event::{Event, Query, Request};
use super::session::{Asked, Outbox, Session};
use crate::capability::{Capabilities, Extension, Mechanism, Mechanisms};
use crate::config::Security;
use crate::error::{Error, Fault, Stage};
use crate::machine::Instant;
use crate::state::{State, Step};
use crate::wire::command::{Command, CommandError};
use crate::wire::ehlo;
use crate::wire::reply::{Code, Reply, begin_line};
use crate::wire::window::Window;

/// A session together with its configuration: all of the server but its
/// buffers.
#[derive(Debug)]
pub(super) struct Dialogue<'c> {
    pub(super) config: &'c Config<'c>,
    pub(super) session: Session,
}

type Taken<'a> = Result<(usize, Option<Event<'a>>), Error>;

impl Dialogue<'_> {
    /// Sets the deadline for what the client has to do next.
    pub(super) fn arm(&mut self, now: Instant) {
        let timeouts = &self.config.timeouts;
        let limit = match self.session.state {
            _ if self.session.error.is_some() => return,
            State::Closed => {
                self.session.deadline = None;
                return;
            }
            State::Content => {
                self.session.deadline = Some(self.content_deadline(now));
                return;
            }
            _ if self.wants_tls() => timeouts.handshake,
            _ => timeouts.command,
        };
        self.session.deadline = Some(now.after(limit));
    }

    /// When the content is given up: if nothing comes for a while, or if it comes
    /// too slowly.
    fn content_deadline(&self, now: Instant) -> Instant {
        let timeouts = &self.config.timeouts;
        let next = now.after(timeouts.content);
        if timeouts.content_per_kib == u32::MAX {
            return next;
        }
        let allowed = (self.session.size >> 10)
            .saturating_mul(u64::from(timeouts.content_per_kib))
            .saturating_add(u64::from(timeouts.content));
        let all = self.session.began.millis().saturating_add(allowed);
        next.min(Instant::from_millis(all))
    }

    /// Whether the TLS handshake is next.
    pub(super) fn wants_tls(&self) -> bool {
        let session = &self.session;
        match session.state {
            State::Opening => self.config.security == Security::ImplicitTls && !session.tls,
            State::Handshake => session.outbox == Outbox::Empty && session.error.is_none(),
            _ => false,
        }
    }

    /// Fails for good.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        self.session.error = Some(error);
        self.session.deadline = None;
        error
    }

    /// What EHLO announces now.
    fn offered(&self) -> Capabilities {
        let mut offered = NOT_CARRIED_OUT
            .into_iter()
            .fold(self.config.capabilities, Capabilities::without);
        if self.config.security == Security::StartTls && !self.session.tls {
            offered = offered.with(Extension::StartTls);
        } else {
            offered = offered.without(Extension::StartTls);
        }
        if self.may_authenticate() {
            offered = offered.with(Extension::Auth);
            offered.mechanisms = self.mechanisms();
        } else {
            offered = offered.without(Extension::Auth);
        }
        offered
    }

    fn may_authenticate(&self) -> bool {
        let protected = self.session.tls || self.config.danger_plaintext_auth;
        protected && !self.mechanisms().is_empty()
    }

    /// The mechanisms that are configured and can be carried out.
    fn mechanisms(&self) -> Mechanisms {
        [Mechanism::Plain, Mechanism::Login]
            .into_iter()
            .filter(|mechanism| self.config.mechanisms.has(*mechanism))
            .collect()
    }

    /// The reply in the outbox was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        let session = &mut self.session;
        session.outbox = Outbox::Empty;
        session.offset = 0;
        let limit = self.config.limits.errors;
        // 421 and 221 were the last word.
        if session.state == State::Closing && session.shutdown {
            session.close();
        } else if limit > 0 && session.errors >= limit {
            self.part(Reply::fixed(421, (4, 7, 0), "Too many errors, closing"));
        }
        self.shut_down_if_idle();
        if self.session.state == State::Content {
            self.session.began = now;
        }
        self.arm(now);
    }

    /// Says a last word and closes.
    fn part(&mut self, last_word: Reply<'static>) {
        let session = &mut self.session;
        session.asked = None;
        session.outbox = Outbox::Fixed(last_word);
        session.offset = 0;
        session.shutdown = true;
        if session.state != State::Closing {
            session.step(Step::Part);
        }
    }

    pub(super) fn shut_down_if_idle(&mut self) {
        let session = &self.session;
        // In Closing the client was turned away and has only QUIT left.
        let idle = matches!(
            session.state,
            State::Greeted | State::Ready | State::Closing
        ) && session.asked.is_none()
            && session.outbox == Outbox::Empty;
        if session.shutdown && idle {
            self.part(SHUTTING_DOWN);
        }
    }

    pub(super) fn shut_down_now(&mut self) {
        let silent = self.wants_tls();
        let session = &mut self.session;
        session.shutdown = true;
        session.asked = None;
        session.deadline = None;
        let cut = silent || session.offset > 0;
        match session.state {
            State::Closed => {}
            State::Closing | State::Handshake => session.close(),
            _ if cut => session.close(),
            _ => self.part(SHUTTING_DOWN),
        }
    }

    /// The client took too long.
    pub(super) fn time_out(&mut self, now: Instant) -> Result<(), Error> {
        let state = self.session.state;
        let silent = self.wants_tls() || state == State::Closing || state == State::Handshake;
        if silent || self.session.outbox != Outbox::Empty {
            // Nothing can be said, or it would not be read.
            self.session.close();
            return Err(self.fail(Error::Timeout {
                stage: Stage::Idle,
                outcome_unknown: false,
            }));
        }
        self.part(Reply::fixed(421, (4, 4, 2), "Timeout, closing"));
        self.arm(now);
        Ok(())
    }

    /// Renders the reply in the outbox.
    pub(super) fn render(&self, reply: &[u8], out: &mut Window<'_>) {
        let hostname = self.config.hostname.as_str();
        let named = |code: u16, before: &str, after: &str, out: &mut Window<'_>| {
            begin_line(Code::new(code).unwrap_or(Code::OK), true, out);
            for part in [before, hostname, after, "\r\n"] {
                out.put(part.as_bytes());
            }
        };
        match self.session.outbox {
            Outbox::Empty => {}
            Outbox::Greeting => named(220, "", " ESMTP ready", out),
            Outbox::Hello => named(250, "", "", out),
            Outbox::Goodbye => named(221, "2.0.0 ", " closing, goodbye", out),
            Outbox::Ehlo => ehlo::render(hostname, &self.offered(), out),
            Outbox::Fixed(reply) => reply.render(out),
            Outbox::Custom {
                code,
                enhanced,
                length,
            } => {
                let text = reply.get(..usize::from(length)).unwrap_or_default();
                let text = core::str::from_utf8(text).unwrap_or_default();
                Reply::custom(code, enhanced, text).render(out);
            }
        }
    }

    /// Takes a stretch of the content. `None` says that the message is refused and
    /// void.
    pub(super) fn take_content<'a>(
        &mut self,
        now: Instant,
        input: &'a [u8],
    ) -> (usize, Option<&'a [u8]>) {
        let limit = self.config.capabilities.max_size;
        let text_limit = self.config.limits.text_line;
        let session = &mut self.session;
        let (used, stretch) = session.dot.decode(input);
        session.size = session.size.saturating_add(stretch.len() as u64);
        if text_limit > 0 {
            session.measure_lines(stretch, text_limit);
        }
        let too_large = limit > 0 && session.size > limit;
        let void = too_large || session.dot.bare() || session.line_too_long;
        if !session.dot.ended() {
            self.arm(now);
            return (used, Some(if void { &[] } else { stretch }));
        }
        session.step(Step::Complete);
        if !void {
            session.asked = Some(Asked::Message);
            session.told = false;
            return (used, Some(stretch));
        }
        let reply = if too_large {
            Reply::fixed(552, (5, 3, 4), "Message is larger than this server takes")
        } else if session.line_too_long {
            Reply::fixed(550, (5, 6, 0), "A line of the message is too long")
        } else {
            Reply::fixed(
                550,
                (5, 6, 0),
                "The message holds a CR or LF alone; lines end with CR LF",
            )
        };
        session.say(reply);
        session.end_transaction(Step::Judge);
        (used, None)
    }

    /// Takes the next line: a command, or a response within AUTH.
    pub(super) fn take_line<'a>(
        &'a mut self,
        now: Instant,
        input: &[u8],
        line: &'a mut [u8],
        reply: &'a mut [u8],
    ) -> Taken<'a> {
        let held = usize::from(self.session.held);
        let storage = line.get_mut(held..).unwrap_or_default();
        let (used, framed) = self.session.framing.take_into(storage, input);
        let Some((length, bare)) = framed else {
            return Ok((used, None));
        };
        self.arm(now);
        let room = storage.len();
        let length = length as usize;
        if self.session.state == State::Authenticating {
            self.session.secret = true;
            let event = if bare {
                self.deny(BARE_LINE_END)
            } else if length > room {
                self.deny(Reply::fixed(500, (5, 5, 6), "Response is too long"))
            } else if storage.get(..length) == Some(b"*".as_slice()) {
                self.deny(Reply::fixed(501, (5, 7, 0), "Authentication cancelled"))
            } else {
                self.take_response(line, length, reply)
            };
            return Ok((used, event));
        }
        if length > room || bare {
            self.session.secret = true;
            self.session.say(if bare {
                BARE_LINE_END
            } else {
                Reply::fixed(500, (5, 5, 2), "Line too long")
            });
            return Ok((used, None));
        }
        let offered = self.offered();
        // AUTH first: its argument is decoded where it lies.
        let text = line.get(..length).unwrap_or_default();
        let command = Command::parse(text, &offered);
        // What was meant as AUTH may be no command.
        self.session.secret = matches!(command, Ok(Command::Auth { .. }) | Err(_));
        if let Ok(Command::Auth {
            mechanism,
            initial_response,
        }) = command
        {
            let mechanism = Mechanism::from_name(mechanism.as_bytes());
            let response = initial_response.map(|response| {
                let end = text.trim_ascii_end().len();
                let length = if response == "=" { 0 } else { response.len() };
                (end.wrapping_sub(response.len()), length)
            });
            return Ok((used, self.take_auth(mechanism, response, line, reply)));
        }
        let text = line.get(..length).unwrap_or_default();
        let leftover = used < input.len();
        match Command::parse(text, &offered) {
            Ok(command) => Ok((used, self.take_command(command, leftover, reply))),
            Err(error) => {
                self.session.say(complaint(error));
                Ok((used, None))
            }
        }
    }

    fn take_command<'a>(
        &'a mut self,
        command: Command<'a>,
        leftover: bool,
        buffer: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let session = &mut self.session;
        if session.state == State::Closing && command != Command::Quit {
            session.say(Reply::fixed(503, (5, 5, 1), "Only QUIT is left"));
            return None;
        }
        let in_transaction = matches!(session.state, State::Mail | State::Recipients);
        let query = match command {
            Command::Ehlo(name) | Command::Helo(name) => {
                let extended = matches!(command, Command::Ehlo(_));
                session.end_transaction(Step::Hello);
                session.outbox = if extended {
                    Outbox::Ehlo
                } else {
                    Outbox::Hello
                };
                return Some(Event::Hello { name, extended });
            }
            Command::StartTls => return self.take_starttls(leftover),
            // Taken before.
            Command::Auth { .. } => return None,
            Command::Mail {
                reverse_path,
                parameters,
            } => {
                let limit = self.config.capabilities.max_size;
                let refusal = if session.state.next(Step::Mail).is_none() {
                    Some(out_of_order(session.state))
                } else if self.config.require_auth && !session.authenticated {
                    Some(Reply::fixed(530, (5, 7, 0), "Authentication required"))
                } else if limit > 0 && parameters.size.is_some_and(|size| size > limit) {
                    Some(Reply::fixed(
                        552,
                        (5, 3, 4),
                        "Message is larger than this server takes",
                    ))
                } else if !reverse_path.as_str().is_ascii() && !parameters.smtputf8 {
                    Some(NEEDS_SMTPUTF8)
                } else {
                    None
                };
                if let Some(refusal) = refusal {
                    session.say(refusal);
                    return None;
                }
                session.smtputf8 = parameters.smtputf8;
                Query::Mail {
                    reverse_path,
                    parameters,
                }
            }
            Command::Rcpt {
                forward_path,
                parameters,
            } => {
                let refusal = if !in_transaction {
                    Some(Reply::fixed(503, (5, 5, 1), "MAIL comes first"))
                } else if session.recipients >= self.config.limits.recipients {
                    Some(Reply::fixed(452, (4, 5, 3), "Too many recipients"))
                } else if !forward_path.as_str().is_ascii() && !session.smtputf8 {
                    Some(NEEDS_SMTPUTF8)
                } else {
                    None
                };
                if let Some(refusal) = refusal {
                    session.say(refusal);
                    return None;
                }
                Query::Recipient {
                    forward_path,
                    parameters,
                }
            }
            Command::Data => match session.state {
                State::Recipients => Query::Data,
                State::Mail => {
                    session.say(Reply::fixed(554, (5, 5, 1), "No valid recipients"));
                    return None;
                }
                _ => {
                    session.say(Reply::fixed(503, (5, 5, 1), "MAIL and RCPT come first"));
                    return None;
                }
            },
            Command::Rset => {
                session.end_transaction(Step::Reset);
                session.say(Reply::fixed(250, (2, 0, 0), "Reset"));
                return in_transaction.then_some(Event::Reset);
            }
            Command::Noop => {
                session.say(Reply::fixed(250, (2, 0, 0), "Ok"));
                return None;
            }
            Command::Quit => {
                if session.state != State::Closing {
                    session.step(Step::Part);
                }
                session.shutdown = true;
                session.outbox = Outbox::Goodbye;
                return in_transaction.then_some(Event::Reset);
            }
            Command::Vrfy(name) => Query::Verify(name),
            Command::Expn(name) => Query::Expand(name),
            Command::Help(subject) => Query::Help(subject),
        };
        Some(self.ask(query, buffer))
    }

    fn take_starttls<'a>(&mut self, leftover: bool) -> Option<Event<'a>> {
        let session = &mut self.session;
        let refusal = if session.tls {
            Some(Reply::fixed(503, (5, 5, 1), "TLS is up already"))
        } else if self.config.security != Security::StartTls {
            Some(Reply::fixed(502, (5, 5, 1), "STARTTLS is not available"))
        } else if session.state.next(Step::AgreeTls).is_none() {
            Some(out_of_order(session.state))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            session.say(refusal);
            return None;
        }
        session.step(Step::AgreeTls);
        session.say(Reply::fixed(220, (2, 0, 0), "Go ahead with TLS"));
        if leftover {
            // Somebody may have put it there (RFC 3207, section 6). The dialogue
            // goes as if it had come later; TLS is not wanted any more.
            self.fail(Error::Peer {
                stage: Stage::StartTls,
                fault: Fault::PlaintextAfterStartTls,
                outcome_unknown: false,
            });
        }
        Some(Event::StartTls)
    }

    /// Takes an AUTH command; `response` tells where in `line` the initial
    /// response begins and how long it is.
    fn take_auth<'a>(
        &'a mut self,
        mechanism: Option<Mechanism>,
        response: Option<(usize, usize)>,
        line: &'a mut [u8],
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let mechanisms = self.mechanisms();
        let mechanism = mechanism.filter(|mechanism| mechanisms.has(*mechanism));
        let protected = self.session.tls || self.config.danger_plaintext_auth;
        let session = &mut self.session;
        let refusal = if mechanisms.is_empty() {
            Reply::fixed(502, (5, 5, 1), "AUTH is not available")
        } else if session.authenticated {
            Reply::fixed(503, (5, 5, 1), "Already authenticated")
        } else if session.state != State::Ready {
            out_of_order(session.state)
        } else if !protected {
            Reply::fixed(538, (5, 7, 11), "TLS is required first: use STARTTLS")
        } else if let Some(mechanism) = mechanism {
            session.mechanism = Some(mechanism);
            session.held = 0;
            let Some((start, length)) = response else {
                return self.challenge(if mechanism == Mechanism::Login {
                    USER_NAME
                } else {
                    ""
                });
            };
            let end = start.saturating_add(length).min(line.len());
            line.copy_within(start.min(end)..end, 0);
            return self.take_response(line, length, reply);
        } else {
            Reply::fixed(504, (5, 5, 4), "Mechanism is not available")
        };
        session.say(refusal);
        None
    }

    /// Takes a response, which lies in `line` behind the octets held from before.
    fn take_response<'a>(
        &'a mut self,
        line: &'a mut [u8],
        length: usize,
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let Some(mechanism) = self.session.mechanism else {
            return self.deny(MALFORMED);
        };
        let held = usize::from(self.session.held);
        match take_response(mechanism, line, held, length) {
            Progress::Malformed => self.deny(MALFORMED),
            Progress::User(length) => {
                self.session.held = length;
                self.challenge(PASSWORD)
            }
            Progress::Login(login) => {
                self.session.held = 0;
                Some(self.ask(Query::Authenticate(login), reply))
            }
        }
    }

    fn challenge<'a>(&mut self, text: &'static str) -> Option<Event<'a>> {
        self.session.step(Step::Challenge);
        self.session.say(Reply::bare(334, text));
        None
    }

    /// Ends an AUTH exchange without asking anybody.
    fn deny<'a>(&mut self, reply: Reply<'static>) -> Option<Event<'a>> {
        let session = &mut self.session;
        session.held = 0;
        session.step(Step::DenyAuthentication);
        session.say(reply);
        None
    }

    /// Puts the open question to the driver, once. `Connect` and `Message` come
    /// up by themselves, all others with their command.
    pub(super) fn tell<'a>(&'a mut self, buffer: &'a mut [u8]) -> Option<Event<'a>> {
        let session = &self.session;
        if session.told {
            return None;
        }
        let query = match session.asked {
            Some(Asked::Message) => Query::Message { size: session.size },
            _ => Query::Connect,
        };
        Some(self.ask(query, buffer))
    }

    fn ask<'a>(&'a mut self, query: Query<'a>, buffer: &'a mut [u8]) -> Event<'a> {
        let session = &mut self.session;
        session.asked = Some(query.asked());
        session.told = true;
        session.deadline = None;
        Event::Request(Request {
            query,
            session,
            buffer,
        })
    }
}

impl Session {
    /// Looks for lines of the content over the limit.
    fn measure_lines(&mut self, stretch: &[u8], limit: u32) {
        for &byte in stretch {
            self.text_line = match byte {
                b'\n' => 0,
                b'\r' => self.text_line,
                _ => self.text_line.saturating_add(1),
            };
            self.line_too_long |= self.text_line > limit;
        }
    }
}

/// Extensions that go beyond what this core does.
const NOT_CARRIED_OUT: [Extension; 8] = [
    Extension::Chunking,
    Extension::BinaryMime,
    Extension::RequireTls,
    Extension::DeliverBy,
    Extension::FutureRelease,
    Extension::MtPriority,
    Extension::Limits,
    Extension::Etrn,
];

/// "Username:" and "Password:", which is what LOGIN clients expect.
const USER_NAME: &str = "VXNlcm5hbWU6";
const PASSWORD: &str = "UGFzc3dvcmQ6";

const SHUTTING_DOWN: Reply<'static> =
    Reply::fixed(421, (4, 3, 2), "Service shutting down, closing");
const BARE_LINE_END: Reply<'static> = Reply::fixed(
    500,
    (5, 5, 2),
    "Lines end with CR LF; a CR or LF alone is no line end",
);
const MALFORMED: Reply<'static> = Reply::fixed(501, (5, 5, 2), "Malformed response");
const NEEDS_SMTPUTF8: Reply<'static> = Reply::fixed(
    553,
    (5, 6, 7),
    "The address is not ASCII: SMTPUTF8 is needed",
);

fn out_of_order(state: State) -> Reply<'static> {
    Reply::fixed(
        503,
        (5, 5, 1),
        match state {
            State::Greeted => "EHLO comes first",
            State::Mail | State::Recipients => "Not within a transaction",
            _ => "Bad sequence of commands",
        },
    )
}

fn complaint(error: CommandError) -> Reply<'static> {
    match error {
        CommandError::Unrecognized => Reply::fixed(500, (5, 5, 1), "Command not recognized"),
        CommandError::Control => Reply::fixed(500, (5, 5, 2), "Control character in command"),
        CommandError::Arguments => Reply::fixed(501, (5, 5, 4), "Syntax error in arguments"),
        CommandError::Address => Reply::fixed(501, (5, 1, 3), "Bad address syntax"),
        CommandError::UnknownParameter => {
            Reply::fixed(555, (5, 5, 4), "Parameter not known or not offered")
        }
        CommandError::TooLarge => {
            Reply::fixed(552, (5, 3, 4), "Message is larger than this server takes")
        }
    }
}
