//! The mechanism of the server: lines and content in, replies out.

use super::config::Config;
use super::dialogue::Dialogue;
use super::event::Event;
use super::session::{Asked, Outbox, Session};
use crate::error::{Error, Fault, Misuse, Stage};
use crate::machine::{Instant, Machine};
use crate::octets;
use crate::state::{State, Step};
use crate::wire::reply::Reply;
use crate::wire::window::Window;
use zeroize::Zeroize;

/// The server machine.
///
/// It borrows its configuration, a line buffer (the longest command line it
/// takes; RFC 5321 wants 512 bytes, AUTH up to 12,288) and a reply buffer for the
/// text of the driver's replies (512 bytes are enough for any single line).
pub struct Server<'c> {
    dialogue: Dialogue<'c>,
    line: &'c mut [u8],
    reply: &'c mut [u8],
    suspended: bool,
}

impl<'c> Server<'c> {
    /// A server on a fresh connection. With implicit TLS it wants TLS first, else
    /// it asks whether to greet.
    pub fn new(
        config: &'c Config<'c>,
        line: &'c mut [u8],
        reply: &'c mut [u8],
        now: Instant,
    ) -> Self {
        #[allow(unused_mut, reason = "of some features")]
        let mut session = Session::new(config.security);
        #[cfg(feature = "mta")]
        {
            session.lmtp = config.lmtp;
        }
        let mut server = Self::resume(session, config, line, reply);
        server.dialogue.arm(now);
        server
    }

    /// Takes up a session that was put aside with [`Server::suspend`]. The
    /// configuration and the content of both buffers must be the same as before.
    pub fn resume(
        session: Session,
        config: &'c Config<'c>,
        line: &'c mut [u8],
        reply: &'c mut [u8],
    ) -> Self {
        Self {
            dialogue: Dialogue { config, session },
            line,
            reply,
            suspended: false,
        }
    }

    /// Puts the server aside: gives back what it remembers. The line buffer may
    /// hold credentials until the session goes on.
    pub fn suspend(mut self) -> Session {
        self.suspended = true;
        self.dialogue.session
    }

    /// Says yes to the open question in the usual words. For drivers that can not
    /// keep the [`Request`](super::Request).
    ///
    /// # Errors
    /// [`Misuse::NothingToAnswer`] if no question is open.
    pub fn accept(&mut self) -> Result<(), Error> {
        self.check_asked()?;
        self.dialogue.session.accept();
        Ok(())
    }

    /// Answers the open question, as [`Request::answer`](super::Request::answer) does.
    ///
    /// # Errors
    /// [`Misuse::NothingToAnswer`] if no question is open.
    pub fn answer(&mut self, reply: &Reply<'_>) -> Result<(), Error> {
        self.check_asked()?;
        self.dialogue.session.answer(reply, self.reply);
        Ok(())
    }

    /// Answers [`Query::Keys`](super::Query::Keys), as
    /// [`Request::answer_with_keys`](super::Request::answer_with_keys) does.
    ///
    /// # Errors
    /// [`Misuse::NothingToAnswer`] if no keys were asked for.
    #[cfg(feature = "scram")]
    pub fn answer_with_keys(&mut self, keys: &crate::auth::StoredKeys) -> Result<(), Error> {
        self.check_asked()?;
        let session = &mut self.dialogue.session;
        if session.asked != Some(Asked::Keys) {
            return Err(Error::Misuse(Misuse::NothingToAnswer));
        }
        let held = self.line.get(..usize::from(session.held));
        let nonce = super::hashed::client_nonce(held.unwrap_or_default());
        session.answer_with_keys(nonce, keys, self.reply);
        Ok(())
    }

    /// Hands in 32 random octets, which must not come up a second time: what the
    /// nonces of SCRAM and CRAM-MD5 are made of. Without them neither is offered.
    #[cfg(feature = "scram")]
    pub fn set_entropy(&mut self, entropy: [u8; 32]) {
        self.dialogue.session.hashed.set_entropy(entropy);
    }

    /// Hands in what ties AUTH to the TLS connection, right after
    /// [`Machine::tls_established`]; once for each type that there is. Without any
    /// the -PLUS mechanisms are not offered.
    #[cfg(feature = "scram")]
    pub fn set_channel_binding(&mut self, binding: crate::auth::ChannelBinding) {
        self.dialogue.session.hashed.set_binding(binding);
    }

    /// Ends the session with 421 as soon as no transaction is open (RFC 5321,
    /// section 3.8).
    pub fn shutdown(&mut self) {
        self.dialogue.session.shutdown = true;
        self.dialogue.shut_down_if_idle();
    }

    /// Ends the session with 421 at once, whatever goes on; an open transaction is
    /// void, without an [`Event::Reset`]. Where nothing can be said, the session is
    /// just over.
    pub fn shutdown_now(&mut self) {
        self.dialogue.shut_down_now();
    }

    /// Where the session stands.
    pub fn state(&self) -> State {
        self.dialogue.session.state
    }

    /// Whether everything goes through TLS.
    pub fn is_tls(&self) -> bool {
        self.dialogue.session.tls
    }

    /// Whether the client has authenticated.
    pub fn is_authenticated(&self) -> bool {
        self.dialogue.session.authenticated
    }

    /// Whether a question waits for its answer.
    pub fn is_asking(&self) -> bool {
        self.dialogue.session.asked.is_some()
    }

    /// Whether the line buffer and the reply buffer hold nothing that is needed
    /// later, so that after [`Server::suspend`] the session may be resumed with
    /// others. A driver of many sessions then lends buffers only to those that have
    /// something to do.
    pub fn buffers_are_idle(&self) -> bool {
        let session = &self.dialogue.session;
        session.framing.pending() == 0
            && session.held == 0
            && session.asked.is_none()
            && !session.secret
            && session.state != State::Authenticating
            && !matches!(session.outbox, Outbox::Custom { .. })
    }

    fn check_asked(&self) -> Result<(), Error> {
        let session = &self.dialogue.session;
        if session.asked.is_some() && session.told {
            Ok(())
        } else {
            Err(Error::Misuse(Misuse::NothingToAnswer))
        }
    }

    fn take<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a>>), Error> {
        let dialogue = &mut self.dialogue;
        dialogue.settle_chunk(now);
        // Even if the session has failed: the last reply goes out first.
        if dialogue.session.has_reply() {
            return Ok((0, None));
        }
        if let Some(error) = dialogue.session.error {
            return Err(error);
        }
        if dialogue.session.asked.is_some() {
            return Ok((0, dialogue.tell(self.reply)));
        }
        if input.is_empty() {
            return Ok((0, None));
        }
        if dialogue.session.is_in_chunk() {
            return Ok(dialogue.take_chunk(now, input));
        }
        if dialogue.wants_tls() {
            return Err(dialogue.fail(Error::Peer {
                stage: Stage::StartTls,
                fault: Fault::PlaintextAfterStartTls,
                outcome_unknown: false,
            }));
        }
        match dialogue.session.state {
            State::Closed => Ok((0, None)),
            State::Content => {
                let (used, content) = dialogue.take_content(now, input);
                let event = match content {
                    Some([]) => None,
                    Some(stretch) => Some(Event::Content(stretch)),
                    None => Some(Event::Reset),
                };
                Ok((used, event))
            }
            _ => dialogue.take_line(now, input, self.line, self.reply),
        }
    }

    fn put(&mut self, now: Instant, out: &mut [u8]) -> usize {
        if self.dialogue.session.asked.is_none() {
            self.wipe();
        }
        let dialogue = &mut self.dialogue;
        dialogue.settle_chunk(now);
        let mut written = 0_usize;
        // Nearly always: a reply of the core that fits.
        if cfg!(feature = "memchr")
            && let Outbox::Fixed(words) = dialogue.session.outbox
            && dialogue.session.offset == 0
            && !dialogue.session.holds_back()
            && words.len() <= out.len()
        {
            written = octets::copy(words.as_bytes(), out);
            dialogue.sent(now);
        }
        while let Some(room) = out.get_mut(written..)
            && !room.is_empty()
            && dialogue.session.has_reply()
        {
            let mut window = Window::new(usize::from(dialogue.session.offset), room);
            dialogue.render(self.reply, &mut window);
            written = written.wrapping_add(window.written());
            if window.finished() {
                dialogue.sent(now);
            } else {
                let part = u16::try_from(window.written()).unwrap_or(u16::MAX);
                dialogue.session.offset = dialogue.session.offset.saturating_add(part);
                // The client has to take the rest.
                dialogue.arm(now);
            }
        }
        written
    }

    /// Wipes credentials from the line buffer. The user name of a LOGIN exchange
    /// that still goes on stays.
    fn wipe(&mut self) {
        let session = &mut self.dialogue.session;
        if core::mem::take(&mut session.secret)
            && let Some(used) = self.line.get_mut(usize::from(session.held)..)
        {
            used.zeroize();
        }
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if !self.suspended {
            self.line.zeroize();
        }
    }
}

/// Shows the session, not the buffers: they may hold a password.
impl core::fmt::Debug for Server<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Server")
            .field(&self.dialogue.session)
            .finish()
    }
}

impl Machine for Server<'_> {
    type Event<'a>
        = Event<'a>
    where
        Self: 'a;

    #[inline]
    fn receive<'a>(
        &'a mut self,
        now: Instant,
        input: &'a [u8],
    ) -> Result<(usize, Option<Event<'a>>), Error> {
        // Every other call: a reply has to go out first.
        let session = &self.dialogue.session;
        if cfg!(feature = "memchr") && session.outbox != Outbox::Empty && !session.eating {
            return Ok((0, None));
        }
        self.take(now, input)
    }

    fn receive_eof(&mut self) -> Result<(), Error> {
        let session = &mut self.dialogue.session;
        if let Some(error) = session.error {
            session.close();
            return Err(error);
        }
        let stage = match session.state {
            State::Closed => return Ok(()),
            State::Content | State::Chunking | State::Verdict => Some(Stage::Content),
            State::Mail | State::Recipients => Some(Stage::Rcpt),
            _ => None,
        };
        session.close();
        match stage {
            None => Ok(()),
            Some(stage) => Err(self.dialogue.fail(Error::Closed {
                stage,
                outcome_unknown: false,
            })),
        }
    }

    #[inline]
    fn transmit(&mut self, now: Instant, out: &mut [u8]) -> usize {
        // Every other call: all is out.
        let session = &self.dialogue.session;
        let nothing = session.outbox == Outbox::Empty && !session.chunked && !session.secret;
        if cfg!(feature = "memchr") && nothing {
            return 0;
        }
        self.put(now, out)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.dialogue.session.deadline
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        let dialogue = &mut self.dialogue;
        if let Some(error) = dialogue.session.error {
            return Err(error);
        }
        let session = &dialogue.session;
        let passed = session.deadline.is_some_and(|deadline| now >= deadline);
        // While a question is open it is the driver's time that passes, unless a reply
        // is still to be taken before it.
        if passed && (session.asked.is_none() || session.has_reply()) {
            dialogue.time_out(now)?;
        }
        Ok(())
    }

    fn wants_tls(&self) -> bool {
        self.dialogue.wants_tls()
    }

    fn tls_established(&mut self, now: Instant) -> Result<(), Error> {
        if !self.dialogue.wants_tls() {
            return Err(Error::Misuse(Misuse::TlsNotWanted));
        }
        let session = &mut self.dialogue.session;
        session.tls = true;
        // What was learned before TLS is void (RFC 3207, section 4.2).
        session.authenticated = false;
        if session.state == State::Opening {
            session.asked = Some(Asked::Connect);
            session.told = false;
        } else {
            session.step(Step::TlsUp);
            self.dialogue.shut_down_if_idle();
        }
        self.dialogue.arm(now);
        Ok(())
    }

    fn is_closed(&self) -> bool {
        self.dialogue.session.state == State::Closed
    }
}
