//! The policy of the client: which command comes next, and what a reply means.

use super::session::{Content, Dialogue, Plan};
use super::{Event, Query};
use crate::auth::Exchange;
use crate::capability::{Capabilities, Extension};
use crate::config::Security;
use crate::error::{Error, Fault, Misuse, Requirement, Stage};
use crate::machine::Instant;
use crate::state::{State, Step};
use crate::wire::command::Command;
use crate::wire::dot;
use crate::wire::ehlo;
use crate::wire::param::{Body, MailParameters};
use crate::wire::reply::{Class, ReplyLine};
use crate::wire::window::Window;

/// What stands at a place in the row of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing: the row is at its end.
    End,
    Greeting,
    Handshake,
    Ehlo,
    Helo,
    StartTls,
    /// The AUTH line or a response.
    Auth,
    Rset,
    Mail,
    /// The recipient of this number.
    Rcpt(u32),
    Data,
    /// A chunk of the content, which the driver pushes.
    Chunk,
    /// The chunk that ends the content.
    LastChunk,
    /// The end of the content.
    Content,
    Query,
    Quit,
}

impl Place {
    const fn stage(self) -> Stage {
        match self {
            Self::End => Stage::Idle,
            Self::Greeting => Stage::Greeting,
            Self::Ehlo | Self::Helo => Stage::Hello,
            Self::Handshake | Self::StartTls => Stage::StartTls,
            Self::Auth => Stage::Auth,
            Self::Rset => Stage::Rset,
            Self::Mail => Stage::Mail,
            Self::Rcpt(_) => Stage::Rcpt,
            Self::Data => Stage::Data,
            Self::Chunk | Self::LastChunk | Self::Content => Stage::Content,
            Self::Query => Stage::Query,
            Self::Quit => Stage::Quit,
        }
    }
}

impl Dialogue<'_> {
    /// What the dialogue is at: what is awaited next.
    pub(super) fn stage(&self) -> Stage {
        self.place(self.session.answered).stage()
    }

    /// What stands at place `number` of the current row.
    fn place(&self, number: u32) -> Place {
        match self.session.plan {
            Plan::Greeting => Place::Greeting,
            Plan::Handshake => Place::Handshake,
            Plan::Ehlo => Place::Ehlo,
            Plan::Helo => Place::Helo,
            Plan::StartTls => Place::StartTls,
            Plan::Auth => Place::Auth,
            Plan::Query => Place::Query,
            Plan::Quit => Place::Quit,
            Plan::Idle | Plan::Closed => Place::End,
            Plan::Transaction => {
                let mut number = number;
                if self.session.dirty {
                    if number == 0 {
                        return Place::Rset;
                    }
                    number = number.wrapping_sub(1);
                }
                let Some(index) = number.checked_sub(1) else {
                    return Place::Mail;
                };
                let session = &self.session;
                match index.checked_sub(self.recipients()) {
                    None => Place::Rcpt(index),
                    Some(0) if !session.chunked => Place::Data,
                    Some(_) if !session.chunked => Place::Content,
                    Some(chunk) if chunk > session.chunks => Place::End,
                    Some(chunk)
                        if chunk == session.chunks && session.content == Content::Complete =>
                    {
                        Place::LastChunk
                    }
                    Some(_) => Place::Chunk,
                }
            }
        }
    }

    fn recipients(&self) -> u32 {
        self.envelope.map_or(0, |e| e.recipients.len()) as u32
    }

    /// Whether the driver may push content now.
    pub(super) fn takes_content(&self) -> bool {
        let session = &self.session;
        session.content == Content::Open
            && session.error.is_none()
            && (!session.chunked
                || self.place(session.sent) == Place::Chunk
                    // A chunk that was begun must be ended, even for nobody.
                    && (session.failed_at.is_none() || session.chunk_size > 0))
    }

    /// Ends the content; nothing more is pushed.
    pub(super) fn finish_content(&mut self) {
        if self.session.chunk_size > 0 {
            // The server would wait for the rest of the chunk.
            self.fail(Error::Misuse(Misuse::ContentCutShort));
            return;
        }
        self.session.tell_content = false;
        self.session.content = Content::Complete;
        self.settle();
    }

    /// Whether the next command may go out now.
    pub(super) fn may_send(&self) -> bool {
        let session = &self.session;
        if session.error.is_some() {
            return false;
        }
        if session.offset > 0 {
            return true;
        }
        let place = self.place(session.sent);
        match place {
            Place::End | Place::Greeting | Place::Handshake => false,
            Place::Content => session.content == Content::Complete && !session.is_awaiting(),
            // The driver writes it.
            Place::Chunk => false,
            Place::LastChunk => session.failed_at.is_none(),
            _ if !session.is_awaiting() => true,
            // DATA is the last of a group (RFC 2920, section 3.1), and nothing is
            // added to a transaction that has failed.
            Place::Mail | Place::Rcpt(_) | Place::Data => {
                session.offers(Extension::Pipelining) && session.failed_at.is_none()
            }
            _ => false,
        }
    }

    /// Renders the command that is to be sent next.
    pub(super) fn render(&self, out: &mut Window<'_>) {
        let command = match self.place(self.session.sent) {
            Place::End | Place::Greeting | Place::Handshake => return,
            Place::Ehlo => Command::Ehlo(self.config.ehlo_name.as_str()),
            Place::Helo => Command::Helo(self.config.ehlo_name.as_str()),
            Place::StartTls => Command::StartTls,
            Place::Auth => {
                if let (Some(exchange), Some(credentials)) =
                    (&self.session.exchange, &self.config.credentials)
                {
                    exchange.render(credentials, out);
                }
                return;
            }
            Place::Rset => Command::Rset,
            Place::Mail => {
                let Some(envelope) = self.envelope else {
                    return;
                };
                let offers_size = self.session.offers(Extension::Size);
                let offers_8bit = self.session.offers(Extension::EightBitMime)
                    || envelope.body == Some(Body::BinaryMime);
                Command::Mail {
                    reverse_path: envelope.reverse_path,
                    parameters: MailParameters {
                        size: envelope.size.filter(|_| offers_size),
                        // What is left out stands for 7BIT.
                        body: envelope.body.filter(|_| offers_8bit),
                        smtputf8: self.session.smtputf8,
                        ret: envelope.ret,
                        envid: envelope.envid,
                        auth: None,
                        #[cfg(feature = "mta")]
                        handling: envelope.handling,
                    },
                }
            }
            Place::Rcpt(index) => {
                let Some(recipient) = self
                    .envelope
                    .and_then(|envelope| envelope.recipients.get(index as usize))
                else {
                    return;
                };
                Command::Rcpt {
                    forward_path: recipient.forward_path,
                    parameters: recipient.parameters(),
                }
            }
            Place::Data => Command::Data,
            Place::Chunk => return,
            Place::LastChunk => {
                let completion = self.session.encoder.completion();
                let size = completion.len() as u64;
                Command::Bdat { size, last: true }.render(out);
                return out.put(completion);
            }
            Place::Content => return out.put(self.session.dot.terminator()),
            Place::Query => match self.query {
                Some(query) => query.command(),
                None => Command::Noop,
            },
            Place::Quit => Command::Quit,
        };
        command.render(out);
    }

    /// Takes one line of a reply.
    pub(super) fn take_reply<'a>(
        &mut self,
        now: Instant,
        reply: ReplyLine<'a>,
    ) -> Result<Event<'a>, Error> {
        let place = self.place(self.session.answered);
        let stage = place.stage();
        if place == Place::Ehlo && reply.is_positive() {
            self.take_ehlo_line(reply);
        }
        if !self.session.is_awaiting() && !self.may_come_unasked(reply) {
            return Err(self.misbehaved(Fault::Unsolicited));
        }
        if !reply.last {
            return Ok(Event::Reply { stage, reply });
        }
        self.session.lines = 0;
        let is_content = matches!(place, Place::Content | Place::Chunk | Place::LastChunk);
        if reply.code.get() == 421 && !is_content && place != Place::Quit {
            // The server closes, whatever was asked (RFC 5321, section 3.8).
            return Ok(self.refuse(stage, reply));
        }
        let awaited = self.session.is_awaiting();
        if awaited {
            self.session.answered = self.session.answered.wrapping_add(1);
        }
        // The reply to a chunk is no verdict yet, but one that comes before its
        // end is.
        let goes_on = place == Place::Chunk && awaited && reply.code.get() != 421;
        let event = if is_content && !goes_on {
            self.take_verdict(awaited, reply)?
        } else {
            self.take_answer(now, place, reply)?
        };
        if self.session.error.is_none() {
            self.arm(now);
        }
        Ok(event)
    }

    /// Whether a reply may come while none is due: 421 at any time, and a refusal
    /// while the content is on its way.
    fn may_come_unasked(&self, reply: ReplyLine<'_>) -> bool {
        let negative = matches!(reply.code.class(), Class::Transient | Class::Permanent);
        let in_content = self.session.content != Content::None
            && self.place(self.session.answered).stage() == Stage::Content;
        reply.code.get() == 421 || negative && in_content
    }

    /// Takes the answer to the command at `place`.
    fn take_answer<'a>(
        &mut self,
        now: Instant,
        place: Place,
        reply: ReplyLine<'a>,
    ) -> Result<Event<'a>, Error> {
        let stage = place.stage();
        let class = reply.code.class();
        let negative = matches!(class, Class::Transient | Class::Permanent);
        match (place, reply.code.get()) {
            (Place::Greeting, 220) => {
                self.step(Step::Greet);
                self.begin(Plan::Ehlo, now);
            }
            (Place::Ehlo | Place::Helo, 250) => {
                self.step(Step::Hello);
                return self.choose_next(now, stage, reply);
            }
            // No ESMTP: RFC 5321, section 3.2 wants HELO. Without extensions
            // there is no STARTTLS either.
            (Place::Ehlo, _) if class == Class::Permanent => {
                if self.config.security == Security::StartTls && !self.session.tls {
                    return Err(self.unmet(Requirement::StartTls));
                }
                self.begin(Plan::Helo, now);
            }
            (Place::StartTls, 220) => {
                self.step(Step::AgreeTls);
                self.session.plan = Plan::Handshake;
                return Ok(Event::StartTls);
            }
            (Place::Auth, 334) => {
                self.step(Step::Challenge);
                let exchange = self.session.exchange.as_mut();
                let answer = exchange.zip(self.config.credentials.as_ref());
                if !answer.is_some_and(|(exchange, credentials)| {
                    exchange.challenge(credentials, self.config, reply.text)
                }) {
                    let fault = Fault::BadChallenge;
                    return Err(self.broken(stage, fault));
                }
                self.begin(Plan::Auth, now);
            }
            (Place::Auth, 235) => {
                if !(self.session.exchange.as_mut()).is_some_and(Exchange::succeed) {
                    return Err(self.broken(stage, Fault::ServerNotProven));
                }
                self.step(Step::Authenticate);
                self.session.plan = Plan::Idle;
                return Ok(Event::Ready);
            }
            (Place::Greeting | Place::Ehlo | Place::Helo | Place::StartTls | Place::Auth, _)
                if negative =>
            {
                return Ok(self.refuse(stage, reply));
            }
            (Place::Rset, _) if class == Class::Positive => {
                self.step(Step::Reset);
            }
            (Place::Mail, _) if class == Class::Positive || negative => {
                if negative {
                    self.session.failed_at = Some(Stage::Mail);
                } else {
                    self.step(Step::Mail);
                }
                self.settle();
                return Ok(Event::Sender { reply });
            }
            (Place::Rcpt(index), _) if class == Class::Positive || negative => {
                if class == Class::Positive && self.session.failed_at.is_none() {
                    self.step(Step::Recipient);
                    self.session.accepted = self.session.accepted.saturating_add(1);
                }
                let session = &self.session;
                if index.saturating_add(1) >= self.recipients() && session.failed_at.is_none() {
                    if session.accepted == 0 {
                        self.session.failed_at = Some(Stage::Rcpt);
                    } else if session.chunked && session.content == Content::None {
                        self.session.content = Content::Open;
                        self.session.tell_content = true;
                    }
                }
                self.settle();
                return Ok(Event::Recipient {
                    index: index as usize,
                    reply,
                });
            }
            (Place::Data, 354) if self.session.failed_at != Some(Stage::Mail) => {
                self.step(Step::GoAhead);
                self.session.dot = dot::Encoder::LineStart;
                if self.session.failed_at.is_none() {
                    self.session.content = Content::Open;
                    return Ok(Event::Content);
                }
                // Nobody is to get it: an empty message (RFC 2920, section 3.1).
                self.session.content = Content::Complete;
            }
            (Place::Data, _) if negative => {
                if self.session.failed_at.is_none() {
                    self.session.failed_at = Some(Stage::Data);
                    self.end_transaction();
                    return Ok(Event::NotDelivered {
                        stage,
                        reply: Some(reply),
                    });
                }
                self.settle();
            }
            (Place::Chunk, _) if class == Class::Positive || negative => {
                let first = self.session.failed_at.is_none();
                if negative && first {
                    self.session.failed_at = Some(Stage::Content);
                    self.settle();
                    return Ok(Event::ChunkRefused { reply });
                }
                if first {
                    self.step(Step::GoAhead);
                    self.step(Step::Chunk);
                }
                self.settle();
            }
            (Place::Query, _) => {
                if self.query == Some(Query::RSET) && class == Class::Positive {
                    self.step(Step::Reset);
                    self.session.dirty = false;
                }
                self.session.plan = Plan::Idle;
                return Ok(Event::Answer { reply });
            }
            (Place::Quit, _) => {
                self.close();
                return Ok(Event::Closed);
            }
            _ => return Err(self.unexpected(stage)),
        }
        Ok(Event::Reply { stage, reply })
    }

    /// Reads one line of a positive EHLO reply.
    fn take_ehlo_line(&mut self, reply: ReplyLine<'_>) {
        let session = &mut self.session;
        if session.lines == 1 {
            // The first line holds the server's name.
            session.capabilities = Capabilities::NONE;
        } else {
            ehlo::parse_line(reply.text, &mut session.capabilities);
        }
    }

    /// After EHLO or HELO: TLS, then AUTH, then work.
    fn choose_next<'a>(
        &mut self,
        now: Instant,
        stage: Stage,
        reply: ReplyLine<'a>,
    ) -> Result<Event<'a>, Error> {
        if self.config.security == Security::StartTls && !self.session.tls {
            if !self.session.offers(Extension::StartTls) {
                return Err(self.unmet(Requirement::StartTls));
            }
            self.begin(Plan::StartTls, now);
            return Ok(Event::Reply { stage, reply });
        }
        let Some(credentials) = &self.config.credentials else {
            self.session.plan = Plan::Idle;
            return Ok(Event::Ready);
        };
        if !self.session.offers(Extension::Auth) {
            return Err(self.unmet(Requirement::Auth));
        }
        let (config, session) = (self.config, &self.session);
        let mechanisms = session.capabilities.mechanisms;
        let (tls, material) = (session.tls, &session.material);
        match Exchange::choose(credentials, mechanisms, config, tls, material) {
            Err(requirement) => Err(self.unmet(requirement)),
            Ok(exchange) => {
                self.session.exchange = Some(exchange);
                self.begin(Plan::Auth, now);
                Ok(Event::Reply { stage, reply })
            }
        }
    }

    /// Fails since the code of the reply that was just counted does not fit.
    fn unexpected(&mut self, stage: Stage) -> Error {
        self.broken(stage, Fault::UnexpectedCode)
    }

    /// Fails since the server lacks something; QUIT is still polite.
    fn unmet(&mut self, requirement: Requirement) -> Error {
        self.session.plan = Plan::Idle;
        self.fail(Error::Unmet(requirement))
    }

    /// Takes the verdict on the content. If it was not awaited, the server
    /// refuses in the middle of the content, and what is still on its way would
    /// be taken for commands.
    fn take_verdict<'a>(
        &mut self,
        awaited: bool,
        reply: ReplyLine<'a>,
    ) -> Result<Event<'a>, Error> {
        let stage = Stage::Content;
        if reply.code.class() == Class::Intermediate {
            return Err(self.fail(Error::Peer {
                stage,
                fault: Fault::UnexpectedCode,
                outcome_unknown: awaited && self.session.failed_at.is_none(),
            }));
        }
        let wanted = self.session.failed_at.is_none();
        if wanted && self.session.chunked {
            self.step(Step::GoAhead);
        }
        if wanted || !self.session.chunked {
            self.step(Step::Complete);
            self.step(Step::Judge);
        }
        self.end_transaction();
        if !awaited || reply.code.get() == 421 {
            self.refuse(stage, reply);
            self.close();
        }
        Ok(if reply.is_positive() && wanted {
            Event::Delivered { reply }
        } else {
            Event::NotDelivered {
                stage: self.session.failed_at.unwrap_or(stage),
                reply: Some(reply).filter(|_| wanted),
            }
        })
    }

    /// Ends a failed transaction once nothing of it is under way.
    fn settle(&mut self) {
        let session = &mut self.session;
        let quiet = !session.is_awaiting() && session.offset == 0 && session.chunk_size == 0;
        if session.failed_at.is_some() && quiet {
            session.tell_failure = true;
            self.end_transaction();
        }
    }

    fn end_transaction(&mut self) {
        let session = &mut self.session;
        // A transaction that the server has open must be reset before the next.
        session.dirty = matches!(
            session.state,
            State::Mail | State::Recipients | State::Chunking
        );
        session.content = Content::None;
        session.tell_content = false;
        session.plan = Plan::Idle;
        session.sent = 0;
        session.answered = 0;
        session.offset = 0;
    }

    /// The server wants no more of this session.
    fn refuse<'a>(&mut self, stage: Stage, reply: ReplyLine<'a>) -> Event<'a> {
        self.fail(Error::Refused {
            stage,
            code: reply.code,
            enhanced: reply.enhanced,
        });
        // After 421 the server closes; else QUIT is still polite.
        if reply.code.get() == 421 {
            self.close();
        } else {
            match stage {
                Stage::Greeting => self.step(Step::TurnAway),
                Stage::Auth => self.step(Step::DenyAuthentication),
                _ => {}
            }
            self.session.plan = Plan::Idle;
        }
        Event::Refused { stage, reply }
    }

    pub(super) fn close(&mut self) {
        if self.session.state != State::Closed {
            self.step(Step::Close);
        }
        self.session.plan = Plan::Closed;
        self.session.deadline = None;
    }

    /// Moves the session along the transition table.
    pub(super) fn step(&mut self, step: Step) {
        match self.session.state.next(step) {
            Some(state) => self.session.state = state,
            None => debug_assert!(false, "{step:?} in {:?}", self.session.state),
        }
    }
}
