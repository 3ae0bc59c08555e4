//! The mechanism of the client: lines in, commands out.
//!
//! The dialogue is a row of commands. Two counters walk along it, one for the
//! commands that were sent and one for those that were answered; which command
//! stands at a place, and what a reply means, is the matter of
//! [`super::submission`]. PIPELINING is nothing but a larger distance between
//! the two counters.

use super::session::{Content, Dialogue, Plan, Session};
use super::{Event, Query};
use crate::capability::{Capabilities, Extension};
use crate::config::Config;
use crate::envelope::Envelope;
use crate::error::{Error, Fault, Misuse, Requirement, Stage};
use crate::machine::{Instant, Machine};
use crate::state::{State, Step};
use crate::wire::param::Body;
use crate::wire::reply::ReplyLine;
use crate::wire::window::Window;

/// The client machine.
///
/// It borrows its configuration, the envelope, and a line buffer of at least
/// 128 bytes (512 are better: the text of a longer reply line is cut off).
#[derive(Debug)]
pub struct Client<'c> {
    pub(super) dialogue: Dialogue<'c>,
    line: &'c mut [u8],
}

impl<'c> Client<'c> {
    /// A client on a fresh connection. With implicit TLS it wants TLS first, else
    /// it waits for the greeting.
    pub fn new(config: &'c Config<'c>, line: &'c mut [u8], now: Instant) -> Self {
        let mut client = Self::resume(Session::new(config.security), config, line, None, None);
        client.dialogue.arm(now);
        client
    }

    /// Takes up a session that was put aside with [`Client::suspend`].
    ///
    /// `config` must be the same as before, and so must the content of `line`
    /// and, while a transaction or query is under way, `envelope` and `query`.
    pub fn resume(
        session: Session,
        config: &'c Config<'c>,
        line: &'c mut [u8],
        envelope: Option<&'c Envelope<'c>>,
        query: Option<Query<'c>>,
    ) -> Self {
        Self {
            dialogue: Dialogue {
                config,
                envelope,
                query,
                session,
            },
            line,
        }
    }

    /// Puts the client aside: gives back what it remembers and frees what it
    /// borrowed.
    pub fn suspend(self) -> Session {
        self.dialogue.session
    }

    /// Hands in 18 random octets, which must not come up a second time: the nonce
    /// of SCRAM. Without them SCRAM is not used. They are wanted before the answer
    /// to EHLO arrives.
    #[cfg(feature = "scram")]
    pub fn set_entropy(&mut self, entropy: [u8; 18]) {
        self.dialogue.session.material.entropy = Some(entropy);
    }

    /// Hands in what ties AUTH to the TLS connection, right after
    /// [`Machine::tls_established`]. Without it the -PLUS mechanisms are not used.
    #[cfg(feature = "scram")]
    pub fn set_channel_binding(&mut self, binding: crate::auth::ChannelBinding) {
        self.dialogue.session.material.binding = Some(binding);
    }

    /// Sends a message: opens a transaction for `envelope`. The events tell how it
    /// goes.
    ///
    /// # Errors
    /// [`Error::Misuse`] unless [`Client::is_ready`]; [`Error::Unmet`] if the
    /// envelope asks for what the server does not offer. Neither harms the
    /// session: another envelope may be submitted.
    pub fn submit(&mut self, envelope: &'c Envelope<'c>, now: Instant) -> Result<(), Error> {
        self.check_ready()?;
        let session = &mut self.dialogue.session;
        let max_size = if session.offers(Extension::Size) {
            session.capabilities.max_size
        } else {
            0
        };
        let binary = envelope.body == Some(Body::BinaryMime);
        let chunking = (self.dialogue.config.chunking || binary)
            && session.offers(Extension::Chunking)
            && session.offers(Extension::Pipelining);
        let requirement = if envelope.recipients.is_empty() || envelope.recipients.len() > 65_000 {
            Some(Requirement::Recipient)
        } else if max_size > 0 && envelope.size.is_some_and(|size| size > max_size) {
            Some(Requirement::Size)
        } else if envelope.body == Some(Body::EightBitMime)
            && !session.offers(Extension::EightBitMime)
        {
            Some(Requirement::EightBitMime)
        } else if envelope.body == Some(Body::BinaryMime)
            && !(chunking && session.offers(Extension::BinaryMime))
        {
            Some(Requirement::BinaryMime)
        } else if envelope.needs_smtputf8() && !session.offers(Extension::SmtpUtf8) {
            Some(Requirement::SmtpUtf8)
        } else if envelope.needs_dsn() && !session.offers(Extension::Dsn) {
            Some(Requirement::Dsn)
        } else {
            #[cfg(feature = "mta")]
            {
                session.unmet_handling(&envelope.handling)
            }
            #[cfg(not(feature = "mta"))]
            None
        };
        if let Some(requirement) = requirement {
            return Err(Error::Unmet(requirement));
        }
        session.smtputf8 = envelope.needs_smtputf8();
        session.accepted = 0;
        session.failed_at = None;
        session.begin_content(chunking, binary, envelope.size);
        self.dialogue.envelope = Some(envelope);
        self.dialogue.begin(Plan::Transaction, now);
        Ok(())
    }

    /// Asks the server something between two messages.
    ///
    /// # Errors
    /// [`Error::Misuse`] unless [`Client::is_ready`].
    #[cfg(feature = "query")]
    pub fn query(&mut self, query: Query<'c>, now: Instant) -> Result<(), Error> {
        self.check_ready()?;
        self.dialogue.query = Some(query);
        self.dialogue.begin(Plan::Query, now);
        Ok(())
    }

    /// Says goodbye: sends QUIT. Allowed when the client is ready, and after the
    /// server refused the session.
    ///
    /// # Errors
    /// [`Error::Misuse`] in the middle of something else; close the connection
    /// then. Any other error that the machine failed with.
    pub fn quit(&mut self, now: Instant) -> Result<(), Error> {
        let session = &mut self.dialogue.session;
        match (session.plan, session.error) {
            (_, Some(error)) if !matches!(error, Error::Refused { .. } | Error::Unmet(_)) => {
                return Err(error);
            }
            (Plan::Idle, _) => session.error = None,
            (Plan::Closed, _) => return Err(Error::Misuse(Misuse::Over)),
            _ => return Err(Error::Misuse(Misuse::Busy)),
        }
        self.dialogue.begin(Plan::Quit, now);
        Ok(())
    }

    /// Gives access to the content when it is due. That is behind
    /// [`Event::Content`]; with CHUNKING and a small message of known size already
    /// when `transmit` has written the envelope, so that all can leave in one
    /// write.
    pub fn body(&mut self) -> Option<super::Body<'_, 'c>> {
        let open = self.dialogue.takes_content();
        open.then_some(super::Body {
            dialogue: &mut self.dialogue,
        })
    }

    /// Whether the session is set up and no command is under way, so that
    /// [`Client::submit`], [`Client::query`] or [`Client::quit`] may be called.
    pub fn is_ready(&self) -> bool {
        let session = &self.dialogue.session;
        session.plan == Plan::Idle && session.error.is_none() && !session.tell_failure
    }

    /// What the server offers, as of the latest EHLO.
    pub fn capabilities(&self) -> &Capabilities {
        &self.dialogue.session.capabilities
    }

    /// Whether everything goes through TLS.
    pub fn is_tls(&self) -> bool {
        self.dialogue.session.tls
    }

    /// The SASL mechanism that is or was used.
    pub fn mechanism(&self) -> Option<crate::capability::Mechanism> {
        self.dialogue.session.exchange.map(|e| e.mechanism)
    }

    /// Where the session stands, by the replies that came in.
    pub fn state(&self) -> State {
        self.dialogue.session.state
    }

    /// What the dialogue is at: what is awaited next, or [`Stage::Idle`].
    pub fn stage(&self) -> Stage {
        self.dialogue.stage()
    }

    /// Whether the server may have taken the message without having said so: its
    /// final dot was sent, at least in part, and the verdict is open.
    pub fn outcome_unknown(&self) -> bool {
        self.dialogue.session.outcome_unknown()
    }

    /// The error that the machine failed with.
    pub fn error(&self) -> Option<Error> {
        self.dialogue.session.error
    }

    fn check_ready(&self) -> Result<(), Error> {
        match self.dialogue.session.error {
            Some(error) => Err(error),
            None if self.is_ready() => Ok(()),
            None => Err(Error::Misuse(Misuse::Busy)),
        }
    }
}

impl Machine for Client<'_> {
    type Event<'a>
        = Event<'a>
    where
        Self: 'a;

    fn receive<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a>>), Error> {
        let dialogue = &mut self.dialogue;
        if core::mem::take(&mut dialogue.session.tell_failure) {
            let stage = dialogue.session.failed_at.unwrap_or(Stage::Mail);
            return Ok((0, Some(Event::NotDelivered { stage, reply: None })));
        }
        if let Some(error) = dialogue.session.error {
            return Err(error);
        }
        if dialogue.session.tell_content && dialogue.takes_content() {
            dialogue.session.tell_content = false;
            return Ok((0, Some(Event::Content)));
        }
        match dialogue.session.plan {
            _ if input.is_empty() => return Ok((0, None)),
            Plan::Closed => return Ok((0, None)),
            Plan::Handshake => return Err(dialogue.misbehaved(Fault::PlaintextAfterStartTls)),
            _ => {}
        }
        match dialogue.next_reply_line(self.line, input) {
            Err(fault) => Err(dialogue.misbehaved(fault)),
            Ok((used, None)) => Ok((used, None)),
            Ok((used, Some(reply))) => {
                let event = dialogue.take_reply(now, reply)?;
                if dialogue.session.plan == Plan::Handshake && used < input.len() {
                    // Told by the next call, as if it had come later; TLS is not
                    // wanted any more.
                    dialogue.misbehaved(Fault::PlaintextAfterStartTls);
                }
                Ok((used, Some(event)))
            }
        }
    }

    fn receive_eof(&mut self) -> Result<(), Error> {
        let dialogue = &mut self.dialogue;
        match (dialogue.session.error, dialogue.session.plan) {
            (Some(error), _) => {
                dialogue.close();
                Err(error)
            }
            // The server may close instead of answering QUIT; the mail is safe.
            (None, Plan::Quit | Plan::Closed) => {
                dialogue.close();
                Ok(())
            }
            (None, _) => {
                let (stage, outcome_unknown) =
                    (dialogue.stage(), dialogue.session.outcome_unknown());
                dialogue.close();
                Err(dialogue.fail(Error::Closed {
                    stage,
                    outcome_unknown,
                }))
            }
        }
    }

    fn transmit(&mut self, now: Instant, out: &mut [u8]) -> usize {
        let dialogue = &mut self.dialogue;
        let mut written = 0_usize;
        while let Some(room) = out.get_mut(written..)
            && !room.is_empty()
            && dialogue.may_send()
        {
            let mut window = Window::new(usize::from(dialogue.session.offset), room);
            dialogue.render(&mut window);
            written = written.wrapping_add(window.written());
            let session = &mut dialogue.session;
            if window.finished() {
                session.offset = 0;
                session.sent = session.sent.wrapping_add(1);
                session.last_sent = session.content == Content::Complete;
            } else {
                let part = u16::try_from(window.written()).unwrap_or(u16::MAX);
                session.offset = session.offset.saturating_add(part);
            }
        }
        if written > 0 {
            dialogue.arm(now);
        }
        written
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.dialogue.session.deadline
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        let dialogue = &mut self.dialogue;
        if dialogue
            .session
            .deadline
            .is_none_or(|deadline| now < deadline)
        {
            return dialogue.session.error.map_or(Ok(()), Err);
        }
        if dialogue.session.plan == Plan::Quit {
            dialogue.close();
            return Ok(());
        }
        let (stage, outcome_unknown) = (dialogue.stage(), dialogue.session.outcome_unknown());
        Err(dialogue.fail(Error::Timeout {
            stage,
            outcome_unknown,
        }))
    }

    fn wants_tls(&self) -> bool {
        self.dialogue.session.plan == Plan::Handshake && self.dialogue.session.error.is_none()
    }

    fn tls_established(&mut self, now: Instant) -> Result<(), Error> {
        if !self.wants_tls() {
            return Err(Error::Misuse(Misuse::TlsNotWanted));
        }
        let dialogue = &mut self.dialogue;
        dialogue.session.tls = true;
        if dialogue.session.state == State::Opening {
            dialogue.begin(Plan::Greeting, now);
            dialogue.session.sent = 1;
        } else {
            dialogue.step(Step::TlsUp);
            // What was said in the clear counts no more (RFC 3207, section 4.2).
            dialogue.session.capabilities = Capabilities::NONE;
            dialogue.begin(Plan::Ehlo, now);
        }
        Ok(())
    }

    fn is_closed(&self) -> bool {
        self.dialogue.session.plan == Plan::Closed
    }
}

impl Dialogue<'_> {
    /// Frames and parses the next reply line.
    fn next_reply_line<'a>(
        &mut self,
        buffer: &'a mut [u8],
        input: &'a [u8],
    ) -> Result<(usize, Option<ReplyLine<'a>>), Fault> {
        let limits = &self.config.limits;
        let session = &mut self.session;
        // No look beyond the first octet over the limit, so that the same fault is
        // found however the line is split. A CR there may be the end.
        let over = limits.reply_line.saturating_add(1);
        let room = over.saturating_sub(session.framing.pending()).max(1);
        let input = input.get(..room as usize).unwrap_or(input);
        let (used, line) = session.framing.take(buffer, input);
        if line.map_or(session.framing.bare(), |line| line.bare) {
            return Err(Fault::BareLineEnd);
        }
        if line.is_none() && session.framing.content() >= over {
            return Err(Fault::LineTooLong);
        }
        let Some(line) = line else {
            return Ok((used, None));
        };
        let reply = ReplyLine::parse(line.bytes).ok_or(Fault::NotAReply)?;
        let code = reply.code.get();
        if session.code != 0 && session.code != code {
            return Err(Fault::CodeChanged);
        }
        session.lines = session.lines.saturating_add(1);
        if session.lines > limits.reply_lines {
            return Err(Fault::TooManyLines);
        }
        session.code = if reply.last { 0 } else { code };
        Ok((used, Some(reply)))
    }
}
