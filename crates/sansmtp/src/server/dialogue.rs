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
use crate::wire::command::{Command, CommandError, is_bdat};
use crate::wire::ehlo;
use crate::wire::param::Body;
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
            _ if self.session.holds_back() || self.session.state == State::Content => {
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
        let allowed = (self.session.came >> 10)
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
        if !offered.has(Extension::Chunking) {
            // Only BDAT can carry it.
            offered = offered.without(Extension::BinaryMime);
        }
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
        !self.mechanisms().is_empty()
    }

    /// The mechanisms that are to be had now.
    pub(super) fn mechanisms(&self) -> Mechanisms {
        let protected = self.session.tls || self.config.danger_plaintext_auth;
        let usable = |mechanism: &Mechanism| {
            // What EXTERNAL relies on comes with TLS.
            protected || !mechanism.reveals_secret() && *mechanism != Mechanism::External
        };
        self.configured().filter(usable).collect()
    }

    /// The mechanisms that are configured and can be carried out, perhaps only
    /// with TLS.
    fn configured(&self) -> impl Iterator<Item = Mechanism> {
        self.config.mechanisms.iter().filter(|mechanism| {
            #[cfg(feature = "scram")]
            {
                let hashed = &self.session.hashed;
                (!mechanism.hashes() || hashed.has_entropy())
                    && (!mechanism.binds_channel() || self.session.tls && hashed.has_binding())
            }
            #[cfg(not(feature = "scram"))]
            !mechanism.hashes()
        })
    }

    /// The reply in the outbox was sent.
    pub(super) fn sent(&mut self, now: Instant) {
        let session = &mut self.session;
        session.outbox = Outbox::Empty;
        session.offset = 0;
        session.eating = false;
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
            self.session.came = 0;
        }
        self.arm(now);
    }

    /// Says a last word and closes.
    fn part(&mut self, last_word: Reply<'static>) {
        let session = &mut self.session;
        session.asked = None;
        session.outbox = Outbox::Fixed(last_word);
        session.offset = 0;
        session.eating = false;
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
        if silent || self.session.has_reply() {
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
        session.came = session.size;
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
        session.say(if too_large {
            TOO_LARGE
        } else if session.line_too_long {
            LINE_TOO_LONG
        } else {
            BARE_IN_CONTENT
        });
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
        let offered = self.offered();
        if length > room || bare {
            self.session.secret = true;
            let start = storage.get(..length).unwrap_or(storage);
            let chunk = offered.has(Extension::Chunking) && is_bdat(start);
            let refusal = if bare {
                BARE_LINE_END
            } else {
                Reply::fixed(500, (5, 5, 2), "Line too long")
            };
            if chunk {
                self.part(refusal);
            } else {
                self.session.say(refusal);
            }
            return Ok((used, None));
        }
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
            Ok(Command::Bdat { size, last }) => Ok((used, self.take_bdat(now, size, last, reply))),
            Ok(command) => Ok((used, self.take_command(command, leftover, reply))),
            Err(CommandError::Chunk { size: Some(size) }) => {
                self.refuse_chunk(now, size, complaint(CommandError::Arguments));
                Ok((used, None))
            }
            Err(error) => {
                let chunk = offered.has(Extension::Chunking) && is_bdat(text);
                if chunk {
                    // What follows may be content, and must not be carried out.
                    self.part(complaint(error));
                } else {
                    self.session.say(complaint(error));
                }
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
        let in_transaction = matches!(
            session.state,
            State::Mail | State::Recipients | State::Chunking
        );
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
            Command::Auth { .. } | Command::Bdat { .. } => return None,
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
                    Some(TOO_LARGE)
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
                session.binary = parameters.body == Some(Body::BinaryMime);
                Query::Mail {
                    reverse_path,
                    parameters,
                }
            }
            Command::Rcpt {
                forward_path,
                parameters,
            } => {
                let refusal = if session.state == State::Chunking {
                    Some(out_of_order(session.state))
                } else if !in_transaction {
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
                State::Chunking => {
                    session.say(out_of_order(session.state));
                    return None;
                }
                State::Mail | State::Recipients if session.binary => {
                    // RFC 3030, section 3
                    session.say(Reply::fixed(503, (5, 5, 1), "BINARYMIME needs BDAT"));
                    return None;
                }
                State::Recipients => {
                    session.chunked = false;
                    Query::Data
                }
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

    /// Takes a BDAT command: the chunk follows, whatever is answered.
    fn take_bdat<'a>(
        &'a mut self,
        now: Instant,
        size: u64,
        last: bool,
        buffer: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let limit = self.config.capabilities.max_size;
        let session = &mut self.session;
        let first = match session.state {
            State::Recipients => true,
            State::Chunking => false,
            state => {
                let refusal = match state {
                    State::Closing => Reply::fixed(503, (5, 5, 1), "Only QUIT is left"),
                    _ => Reply::fixed(503, (5, 5, 1), "MAIL and RCPT come first"),
                };
                self.refuse_chunk(now, size, refusal);
                return None;
            }
        };
        let before = if first { 0 } else { session.size };
        // A sum that can not be counted is too large even where nothing is.
        let sum = before.checked_add(size);
        if sum.is_none_or(|sum| limit > 0 && sum > limit) {
            self.void_chunks();
            self.refuse_chunk(now, size, TOO_LARGE);
            return Some(Event::Reset);
        }
        if size == 0 && last && !first && session.ends.bare_at_end() {
            self.void_chunks();
            self.session.say(BARE_IN_CONTENT);
            return Some(Event::Reset);
        }
        session.chunked = true;
        session.chunk_left = size;
        session.chunk_last = last;
        session.began = now;
        session.came = 0;
        if first {
            return Some(self.ask(Query::Data, buffer));
        }
        session.step(Step::GoAhead);
        self.arm(now);
        None
    }

    /// Refuses a chunk of this size. Its octets are taken and dropped first, so
    /// that they are not taken for commands (RFC 3030, section 2); if they are too
    /// many, the session ends.
    fn refuse_chunk(&mut self, now: Instant, size: u64, reply: Reply<'static>) {
        if size > self.config.limits.refused_chunk {
            self.part(reply);
            return;
        }
        let session = &mut self.session;
        session.say(reply);
        session.eating = true;
        session.chunk_left = size;
        session.began = now;
        session.came = 0;
        self.arm(now);
    }

    /// Ends a chunk that is complete, and takes the time of one that the driver
    /// has just given leave for.
    pub(super) fn settle_chunk(&mut self, now: Instant) {
        let session = &mut self.session;
        if !session.is_in_chunk() || session.error.is_some() {
            return;
        }
        if session.chunk_left > 0 {
            if session.deadline.is_none() {
                session.began = now;
                self.arm(now);
            }
            return;
        }
        if !session.chunk_last {
            session.step(Step::Chunk);
            session.say(Reply::fixed(250, (2, 0, 0), "Chunk taken"));
            self.arm(now);
            return;
        }
        session.step(Step::Complete);
        session.asked = Some(Asked::Message);
        session.told = false;
        session.deadline = None;
    }

    /// Takes a stretch of a chunk, which is not at its end.
    pub(super) fn take_chunk<'a>(
        &mut self,
        now: Instant,
        input: &'a [u8],
    ) -> (usize, Option<Event<'a>>) {
        let text_limit = self.config.limits.text_line;
        let session = &mut self.session;
        let room = usize::try_from(session.chunk_left).unwrap_or(usize::MAX);
        let stretch = input.get(..room).unwrap_or(input);
        let used = stretch.len();
        session.chunk_left = session.chunk_left.saturating_sub(used as u64);
        session.came = session.came.saturating_add(used as u64);
        if session.eating {
            self.arm(now);
            return (used, None);
        }
        session.size = session.size.saturating_add(used as u64);
        if !session.binary {
            session.ends.look(stretch);
            if text_limit > 0 {
                session.measure_lines(stretch, text_limit);
            }
        }
        let ended = session.chunk_left == 0;
        let bare = session.ends.bare() || ended && session.chunk_last && session.ends.bare_at_end();
        let void = bare || session.line_too_long;
        if void && ended {
            let reply = if bare { BARE_IN_CONTENT } else { LINE_TOO_LONG };
            self.void_chunks();
            self.session.say(reply);
        }
        self.arm(now);
        match (void, ended) {
            (true, true) => (used, Some(Event::Reset)),
            (true, false) => (used, None),
            (false, _) => {
                self.settle_chunk(now);
                (used, Some(Event::Content(stretch)))
            }
        }
    }

    /// Ends a transaction whose chunks can not be taken.
    fn void_chunks(&mut self) {
        let session = &mut self.session;
        if session.state != State::Content {
            session.step(Step::GoAhead);
        }
        session.step(Step::Complete);
        session.end_transaction(Step::Judge);
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
        let usable = self.mechanisms();
        let nothing = self.configured().next().is_none();
        let mechanism = mechanism.filter(|wanted| self.configured().any(|m| m == *wanted));
        let needs_tls = |mechanism| !usable.has(mechanism);
        let session = &mut self.session;
        let refusal = if nothing {
            Reply::fixed(502, (5, 5, 1), "AUTH is not available")
        } else if session.authenticated {
            Reply::fixed(503, (5, 5, 1), "Already authenticated")
        } else if session.state != State::Ready {
            out_of_order(session.state)
        } else if usable.is_empty() || mechanism.is_some_and(needs_tls) {
            Reply::fixed(538, (5, 7, 11), "TLS is required first: use STARTTLS")
        } else if let Some(mechanism) = mechanism {
            return self.begin(mechanism, response, line, reply);
        } else {
            Reply::fixed(504, (5, 5, 4), "Mechanism is not available")
        };
        session.say(refusal);
        None
    }

    /// Begins an exchange.
    fn begin<'a>(
        &'a mut self,
        mechanism: Mechanism,
        response: Option<(usize, usize)>,
        line: &'a mut [u8],
        reply: &'a mut [u8],
    ) -> Option<Event<'a>> {
        let session = &mut self.session;
        session.mechanism = Some(mechanism);
        session.held = 0;
        session.token_refused = false;
        #[cfg(feature = "scram")]
        session.hashed.forget();
        match (mechanism, response) {
            #[cfg(feature = "scram")]
            (Mechanism::CramMd5, None) => self.begin_cram_md5(line, reply),
            // The server speaks first.
            (Mechanism::CramMd5, Some(_)) => self.deny(MALFORMED),
            (Mechanism::Login, None) => self.challenge(USER_NAME),
            (_, None) => self.challenge(""),
            (_, Some((start, length))) => {
                let end = start.saturating_add(length).min(line.len());
                line.copy_within(start.min(end)..end, 0);
                self.take_response(line, length, reply)
            }
        }
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
        if core::mem::take(&mut self.session.token_refused) {
            return self.deny(Reply::fixed(535, (5, 7, 8), "The token is not valid"));
        }
        #[cfg(feature = "scram")]
        match mechanism {
            Mechanism::CramMd5 => return self.take_cram_md5(line, length, reply),
            _ if mechanism.hashes() => return self.take_scram(mechanism, line, length, reply),
            _ => {}
        }
        let held = usize::from(self.session.held);
        let query = match take_response(mechanism, line, held, length) {
            Progress::Malformed => return self.deny(MALFORMED),
            Progress::User(length) => {
                self.session.held = length;
                return self.challenge(PASSWORD);
            }
            Progress::Login(login) => Query::Authenticate(login),
            Progress::Bearer(bearer) => Query::Bearer(bearer),
            Progress::External(identity) => Query::Authorize(identity),
        };
        self.session.held = 0;
        Some(self.ask(query, reply))
    }

    fn challenge<'a>(&mut self, text: &'static str) -> Option<Event<'a>> {
        self.session.step(Step::Challenge);
        self.session.say(Reply::bare(334, text));
        None
    }

    /// Ends an AUTH exchange without asking anybody.
    pub(super) fn deny<'a>(&mut self, reply: Reply<'static>) -> Option<Event<'a>> {
        let session = &mut self.session;
        session.held = 0;
        session.token_refused = false;
        #[cfg(feature = "scram")]
        session.hashed.forget();
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

    pub(super) fn ask<'a>(&'a mut self, query: Query<'a>, buffer: &'a mut [u8]) -> Event<'a> {
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
const NOT_CARRIED_OUT: [Extension; 6] = [
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

const TOO_LARGE: Reply<'static> =
    Reply::fixed(552, (5, 3, 4), "Message is larger than this server takes");
const LINE_TOO_LONG: Reply<'static> =
    Reply::fixed(550, (5, 6, 0), "A line of the message is too long");
const BARE_IN_CONTENT: Reply<'static> = Reply::fixed(
    550,
    (5, 6, 0),
    "The message holds a CR or LF alone; lines end with CR LF",
);
const SHUTTING_DOWN: Reply<'static> =
    Reply::fixed(421, (4, 3, 2), "Service shutting down, closing");
const BARE_LINE_END: Reply<'static> = Reply::fixed(
    500,
    (5, 5, 2),
    "Lines end with CR LF; a CR or LF alone is no line end",
);
pub(super) const MALFORMED: Reply<'static> = Reply::fixed(501, (5, 5, 2), "Malformed response");
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
            State::Chunking => "The message has begun: only BDAT or RSET",
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
        CommandError::TooLarge => TOO_LARGE,
        CommandError::Chunk { .. } => Reply::fixed(
            501,
            (5, 5, 4),
            "The size of the chunk can not be read, closing",
        ),
    }
}
