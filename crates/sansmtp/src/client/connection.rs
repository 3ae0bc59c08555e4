//! The mechanism of the client: lines in, commands out.
//!
//! The dialogue is a row of commands. Two counters walk along it, one for the
//! commands that were sent and one for those that were answered; which command
//! stands at a place, and what a reply means, is the matter of
//! [`super::submission`]. PIPELINING is nothing but a larger distance between
//! the two counters.

use super::session::{Cause, Content, Dialogue, Place, Session};
use super::{Event, Query};
use crate::capability::Capabilities;
use crate::config::{Config, Security};
use crate::envelope::Envelope;
use crate::error::{Error, Fault, Misuse, Stage};
use crate::machine::{Instant, Machine};
use crate::state::{State, Step};
use crate::wire::reply::ReplyLine;
use crate::wire::window::Window;

/// The client machine.
///
/// It borrows its configuration, the envelope, and a line buffer of at least
/// 128 bytes (512 are better: the text of a longer reply line is cut off).
#[derive(Debug)]
#[repr(C)]
pub struct Client<'c> {
    pub(super) dialogue: Dialogue<'c>,
    line: &'c mut [u8],
}

impl<'c> Client<'c> {
    /// A client on a fresh connection. With implicit TLS it wants TLS first, else
    /// it waits for the greeting.
    pub fn new(config: &'c Config<'c>, line: &'c mut [u8], now: Instant) -> Self {
        Self::resume(Session::new(config.security, now), config, line, None, None)
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
    /// With the feature `overlap` it may be called early, while
    /// [`Client::awaits_verdict`] holds: the commands then go out before the reply to
    /// the content of the message before has come (RFC 2920, section 3.1), which
    /// saves a round trip. The first [`Event::Delivered`] or
    /// [`Event::NotDelivered`] is that of the message before. Until it comes,
    /// [`Client::outcome_unknown`] and the errors speak of that message; nothing of
    /// the new one can have been taken.
    ///
    /// # Errors
    /// [`Error::Misuse`] unless the client is ready, or awaits a verdict;
    /// [`Error::Unmet`] if the envelope asks for what the server does not offer.
    /// Neither harms the session: another envelope may be submitted.
    pub fn submit(&mut self, envelope: &'c Envelope<'c>, now: Instant) -> Result<(), Error> {
        if !self.awaits_verdict() {
            self.check_ready()?;
        }
        self.dialogue.begin_transaction(envelope)?;
        self.dialogue.envelope = Some(envelope);
        self.dialogue.session.since = now;
        Ok(())
    }

    /// Asks the server something between two messages.
    ///
    /// # Errors
    /// [`Error::Misuse`] unless [`Client::is_ready`]; [`Error::Unmet`] if the server does
    /// not offer what ETRN or XCLIENT need.
    #[cfg(feature = "query")]
    pub fn query(&mut self, query: Query<'c>, now: Instant) -> Result<(), Error> {
        self.check_ready()?;
        #[cfg(feature = "mta")]
        if let Some((extension, requirement)) = query.requires()
            && !self.dialogue.session.offers(extension)
        {
            return Err(Error::Unmet(requirement));
        }
        self.dialogue.query = Some(query);
        self.dialogue.session.begin(Place::Query);
        self.dialogue.session.since = now;
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
        match session.result {
            Err(Error::Refused { .. } | Error::Unmet(_)) | Ok(()) => {}
            failed => return failed,
        }
        match session.row {
            Place::Idle => {}
            Place::Closed => return Err(Error::Misuse(Misuse::Over)),
            _ => return Err(Error::Misuse(Misuse::Busy)),
        }
        session.result = Ok(());
        session.begin(Place::Quit);
        self.dialogue.session.since = now;
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
        session.row == Place::Idle && !session.has_failed() && !session.tell_failure
    }

    /// Whether a message went out by DATA, to its final dot, the server's verdict is
    /// all that is missing, and the server offers PIPELINING: then
    /// [`Client::submit`] may be called for the next message. Never without the
    /// feature `overlap`.
    pub fn awaits_verdict(&self) -> bool {
        #[cfg(feature = "overlap")]
        return self.dialogue.may_overlap();
        #[cfg(not(feature = "overlap"))]
        false
    }

    /// Whether the next [`Event::Delivered`] or [`Event::NotDelivered`] is that of
    /// the message before the one that was submitted last.
    #[cfg(feature = "overlap")]
    pub fn awaits_earlier_verdict(&self) -> bool {
        self.dialogue.session.awaits_earlier()
    }

    /// Which recipients one more transaction of this session may have, by the limits
    /// that the server states (LIMITS, RFC 9422). [`Client::submit`] refuses an envelope
    /// with others: split it, and take a new connection where nobody is admitted any
    /// more.
    #[cfg(feature = "mta")]
    pub fn allowance(&self) -> super::Allowance {
        self.dialogue.session.allowance(self.dialogue.config.lmtp)
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
        #[cfg(feature = "auth")]
        return self.dialogue.session.exchange.map(|e| e.mechanism);
        #[cfg(not(feature = "auth"))]
        None
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
        let session = &self.dialogue.session;
        let unknown = |error: Error| error.outcome_unknown();
        session
            .result
            .map_or_else(unknown, |()| session.outcome_unknown())
    }

    /// The error that the machine failed with.
    pub fn error(&self) -> Option<Error> {
        self.dialogue.session.result.err()
    }

    // Two callers.
    #[inline(never)]
    fn check_ready(&self) -> Result<(), Error> {
        let session = &self.dialogue.session;
        if self.is_ready() || session.has_failed() {
            session.result
        } else {
            Err(Error::Misuse(Misuse::Busy))
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
        let session = &mut dialogue.session;
        if core::mem::take(&mut session.tell_failure) {
            let stage = session.failed_at.unwrap_or(Stage::Mail);
            return Ok((0, Some(Event::NotDelivered { stage, reply: None })));
        }
        #[cfg(feature = "chunking")]
        if session.chunks.tell_content && dialogue.takes_content() {
            dialogue.session.chunks.tell_content = false;
            return Ok((0, Some(Event::Content)));
        }
        let (used, reply) = dialogue.next_reply(self.line, input);
        let mut event = None;
        if let Some(reply) = reply {
            let number = dialogue.session.answered;
            let place = dialogue.place(number);
            let told = dialogue.take_reply(place, &reply);
            let session = &mut dialogue.session;
            if reply.last {
                // A reply of many lines has no more time than another.
                session.since = now;
                session.lines = 0;
            }
            event = told.event(place.stage(), session.failed_at, number, reply);
            #[cfg(feature = "starttls")]
            if session.row == Place::Handshake && used < input.len() {
                // Told by the next call, as if it had come later; TLS is not wanted
                // any more.
                dialogue.misbehaved(Fault::PlaintextAfterStartTls);
            }
        }
        match dialogue.session.result {
            Err(error) if event.is_none() => Err(error),
            _ => Ok((used, event)),
        }
    }

    fn receive_eof(&mut self) -> Result<(), Error> {
        let dialogue = &mut self.dialogue;
        // The server may close instead of answering QUIT; the mail is safe.
        let over = matches!(dialogue.session.row, Place::Quit | Place::Closed);
        if !over && !dialogue.session.has_failed() {
            dialogue.fail(Cause::Closed);
        }
        dialogue.session.close();
        dialogue.session.result
    }

    fn transmit(&mut self, now: Instant, out: &mut [u8]) -> usize {
        let dialogue = &mut self.dialogue;
        let mut written = 0_usize;
        while let Some(room) = out.get_mut(written..)
            && let part @ 1.. = dialogue.send(room)
        {
            written = written.wrapping_add(part);
            dialogue.session.since = now;
        }
        written
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.dialogue.deadline()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        let dialogue = &mut self.dialogue;
        if dialogue.deadline().is_some_and(|deadline| now >= deadline) {
            if dialogue.session.row == Place::Quit {
                dialogue.session.close();
            } else {
                dialogue.fail(Cause::Timeout);
            }
        }
        dialogue.session.result
    }

    fn wants_tls(&self) -> bool {
        self.dialogue.session.row == Place::Handshake && !self.dialogue.session.has_failed()
    }

    fn tls_established(&mut self, now: Instant) -> Result<(), Error> {
        if !self.wants_tls() {
            return Err(Error::Misuse(Misuse::TlsNotWanted));
        }
        let dialogue = &mut self.dialogue;
        let session = &mut dialogue.session;
        session.tls = true;
        if dialogue.config.security == Security::ImplicitTls {
            session.begin(Place::Greeting);
            session.sent = 1;
        } else {
            session.step(Step::TlsUp);
            // What was said in the clear counts no more (RFC 3207, section 4.2).
            session.capabilities = Capabilities::NONE;
            session.begin(Place::Ehlo);
        }
        dialogue.session.since = now;
        Ok(())
    }

    fn is_closed(&self) -> bool {
        self.dialogue.session.row == Place::Closed
    }
}

impl Dialogue<'_> {
    /// Writes as much of the next command as fits, if it may go out.
    // Alone it has enough registers.
    #[cfg_attr(feature = "memchr", inline(never))]
    fn send(&mut self, out: &mut [u8]) -> usize {
        let place = self.place(self.session.sent);
        if out.is_empty() || !self.may_send(place) {
            return 0;
        }
        let mut window = Window::new(usize::from(self.session.offset), out);
        self.render(place, &mut window);
        let written = window.written();
        let session = &mut self.session;
        if window.finished() {
            session.offset = 0;
            session.sent = session.sent.wrapping_add(1);
            #[cfg(feature = "chunking")]
            if session.content == Content::Complete {
                session.chunks.last_sent = true;
            }
        } else {
            session.offset = session.offset.wrapping_add(written as u16);
        }
        written
    }

    /// Frames and parses the next line, if one is to be read. Without a line, the
    /// machine may have failed.
    fn next_reply<'a>(
        &mut self,
        buffer: &'a mut [u8],
        input: &'a [u8],
    ) -> (usize, Option<ReplyLine<'a>>) {
        if input.is_empty() || self.session.has_failed() || self.session.row == Place::Closed {
            return (0, None);
        }
        if self.session.row == Place::Handshake {
            self.misbehaved(Fault::PlaintextAfterStartTls);
            return (0, None);
        }
        let limits = &self.config.limits;
        let session = &mut self.session;
        // No look beyond the first octet over the limit, so that the same fault is
        // found however the line is split. A CR there may be the end.
        let over = limits.reply_line.saturating_add(1);
        let room = over.saturating_sub(session.framing.pending()).max(1);
        let input = input.get(..room as usize).unwrap_or(input);
        let (used, line) = session.framing.take(buffer, input);
        let fault = match line {
            _ if line.map_or(session.framing.bare(), |line| line.bare) => Fault::BareLineEnd,
            None if session.framing.content() >= over => Fault::LineTooLong,
            None => return (used, None),
            Some(line) => match ReplyLine::parse(line.bytes) {
                None => Fault::NotAReply,
                Some(reply) => {
                    let code = reply.code.get();
                    let changed = session.code != 0 && session.code != code;
                    session.code = if reply.last { 0 } else { code };
                    session.lines = session.lines.wrapping_add(1);
                    if changed {
                        Fault::CodeChanged
                    } else if session.lines > limits.reply_lines {
                        Fault::TooManyLines
                    } else {
                        return (used, Some(reply));
                    }
                }
            },
        };
        self.misbehaved(fault);
        (used, None)
    }
}
