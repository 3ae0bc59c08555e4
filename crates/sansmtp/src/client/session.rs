//! What the client remembers, and how its time runs.

use super::chunks::Chunks;
use super::event::{Query, Told};
#[cfg(feature = "mta")]
use super::limits::Tally;
#[cfg(feature = "auth")]
use crate::auth::{Exchange, Material};
use crate::capability::{Capabilities, Extension};
use crate::config::{Config, Security};
use crate::envelope::Envelope;
use crate::error::{Error, Fault, Stage};
use crate::machine::Instant;
use crate::state::{State, Step};
use crate::wire::dot;
use crate::wire::line::Framing;

/// All that a [`Client`](super::Client) remembers, as plain data: what is left
/// of it when it is put aside between two calls or two messages.
///
/// What is looked at most stands first: the nearer a field is to the front, the
/// shorter are the instructions that reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Session {
    /// The first place of the row of commands that is being worked on.
    pub(super) row: Place,
    pub(super) state: State,
    pub(super) content: Content,
    pub(super) dot: dot::Encoder,
    pub(super) tls: bool,
    /// The last transaction was left open: RSET comes before the next one.
    pub(super) dirty: bool,
    /// The transaction has failed at this stage.
    pub(super) failed_at: Option<Stage>,
    /// The failure of the transaction is still to be told.
    pub(super) tell_failure: bool,
    /// Bytes of the command at `sent` that were sent.
    pub(super) offset: u16,
    /// The code of the reply whose lines are coming in; 0 between two replies.
    pub(super) code: u16,
    /// Lines of that reply so far.
    pub(super) lines: u16,
    /// The transaction was begun while the verdict on the message before was due:
    /// that is the first reply.
    #[cfg(feature = "overlap")]
    pub(super) overlaps: bool,
    #[cfg(feature = "extensions")]
    pub(super) smtputf8: bool,
    /// The error that the machine failed with, if it has.
    pub(super) result: Result<(), Error>,
    /// Commands of the row that were sent and that were answered.
    pub(super) sent: u32,
    pub(super) answered: u32,
    pub(super) framing: Framing,
    /// When the last step was done: the time for the next one runs from here.
    pub(super) since: Instant,
    pub(super) capabilities: Capabilities,
    pub(super) chunks: Chunks,
    #[cfg(feature = "mta")]
    pub(super) tally: Tally,
    #[cfg(feature = "auth")]
    pub(super) exchange: Option<Exchange>,
    #[cfg(feature = "auth")]
    pub(super) material: Material,
}

/// What stands at a place in the row of commands. First what is sent with a name and at
/// most one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Place {
    Ehlo,
    Helo,
    #[cfg(feature = "starttls")]
    StartTls,
    Quit,
    Rset,
    /// MAIL, which also stands for the row of a transaction.
    Mail,
    Rcpt,
    Data,
    /// The end of the content.
    Content,
    /// The chunk that ends the content.
    #[cfg(feature = "chunking")]
    LastChunk,
    /// The AUTH line or a response.
    #[cfg(feature = "auth")]
    Auth,
    #[cfg(feature = "query")]
    Query,
    /// The end of the message before, whose verdict opens the row.
    #[cfg(feature = "overlap")]
    Earlier,
    /// A chunk of the content, which the driver pushes.
    #[cfg(feature = "chunking")]
    Chunk,
    /// The server speaks first.
    Greeting,
    /// The driver does a TLS handshake.
    Handshake,
    /// Nothing: the session is ready, or the row is at its end.
    Idle,
    Closed,
}

/// How far the content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Not asked for yet.
    None,
    /// The driver pushes it.
    Open,
    /// It is complete; its terminator is due or out.
    Complete,
}

/// A session together with what the caller lends: all of the client but the
/// line buffer, so that a line in the buffer can be looked at while the session
/// changes.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Dialogue<'c> {
    pub(super) session: Session,
    pub(super) config: &'c Config<'c>,
    pub(super) envelope: Option<&'c Envelope<'c>>,
    pub(super) query: Option<Query<'c>>,
}

/// Why the client fails in the middle of the dialogue.
#[derive(Clone, Copy)]
pub(super) enum Cause {
    Fault(Fault),
    Timeout,
    Closed,
}

impl Place {
    pub(super) const fn is_earlier(self) -> bool {
        #[cfg(feature = "overlap")]
        return matches!(self, Self::Earlier);
        #[cfg(not(feature = "overlap"))]
        false
    }

    pub(super) const fn stage(self) -> Stage {
        match self {
            Self::Idle | Self::Closed => Stage::Idle,
            Self::Greeting => Stage::Greeting,
            Self::Ehlo | Self::Helo => Stage::Hello,
            Self::Handshake => Stage::StartTls,
            #[cfg(feature = "starttls")]
            Self::StartTls => Stage::StartTls,
            #[cfg(feature = "auth")]
            Self::Auth => Stage::Auth,
            #[cfg(feature = "overlap")]
            Self::Earlier => Stage::Content,
            Self::Rset => Stage::Rset,
            Self::Mail => Stage::Mail,
            Self::Rcpt => Stage::Rcpt,
            Self::Data => Stage::Data,
            Self::Content => Stage::Content,
            #[cfg(feature = "chunking")]
            Self::Chunk | Self::LastChunk => Stage::Content,
            #[cfg(feature = "query")]
            Self::Query => Stage::Query,
            Self::Quit => Stage::Quit,
        }
    }
}

impl Session {
    pub(super) fn new(security: Security, now: Instant) -> Self {
        Self {
            state: State::Opening,
            row: match security {
                Security::ImplicitTls => Place::Handshake,
                _ => Place::Greeting,
            },
            content: Content::None,
            dot: dot::Encoder::LineStart,
            tls: false,
            dirty: false,
            #[cfg(feature = "overlap")]
            overlaps: false,
            #[cfg(feature = "extensions")]
            smtputf8: false,
            failed_at: None,
            tell_failure: false,
            // The greeting answers the connection itself.
            sent: 1,
            answered: 0,
            offset: 0,
            code: 0,
            lines: 0,
            chunks: Chunks::NONE,
            #[cfg(feature = "mta")]
            tally: Tally::NONE,
            #[cfg(feature = "auth")]
            exchange: None,
            #[cfg(feature = "auth")]
            material: Material::default(),
            capabilities: Capabilities::NONE,
            framing: Framing::default(),
            since: now,
            result: Ok(()),
        }
    }

    /// Starts a new row of commands.
    pub(super) fn begin(&mut self, row: Place) {
        self.row = row;
        self.sent = 0;
        self.answered = 0;
        self.offset = 0;
    }

    /// Whether the server offers the extension and this build makes use of it. What
    /// a feature leaves out counts as not offered, so that a message or
    /// configuration that needs it is refused in the usual way.
    pub(super) const fn offers(&self, extension: Extension) -> bool {
        extension.is_used() && self.capabilities.has(extension)
    }

    /// Ends the session, wherever it is.
    pub(super) fn close(&mut self) {
        #[cfg(test)]
        if self.state != State::Closed {
            crate::state::taken::note(self.state, Step::Close);
        }
        self.state = Step::Close.target();
        self.row = Place::Closed;
    }

    /// Whether a reply is due.
    pub(super) fn is_awaiting(&self) -> bool {
        self.answered != self.sent
    }

    /// Whether the verdict on the message before the current one is due.
    #[cfg(feature = "overlap")]
    pub(super) fn awaits_earlier(&self) -> bool {
        self.row == Place::Mail && self.overlaps && self.answered == 0
    }

    /// Whether the final dot or the last chunk was sent, at least in part, and
    /// the verdict is open.
    pub(super) fn outcome_unknown(&self) -> bool {
        #[cfg(feature = "overlap")]
        if self.awaits_earlier() {
            return true;
        }
        let sent = match self.chunks.are_used() {
            true => self.chunks.last_was_sent(),
            false => self.is_awaiting(),
        };
        self.content == Content::Complete && self.failed_at.is_none() && (self.offset > 0 || sent)
    }

    /// Whether the machine has failed.
    pub(super) const fn has_failed(&self) -> bool {
        self.result.is_err()
    }
}

impl Dialogue<'_> {
    /// What the dialogue is at: what is awaited next.
    pub(super) fn stage(&self) -> Stage {
        self.place(self.session.answered).stage()
    }

    /// Until when what is awaited must have come.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let timeouts = &self.config.timeouts;
        let limit = match self.stage() {
            Stage::Idle => return None,
            _ if self.session.has_failed() => return None,
            Stage::Greeting | Stage::StartTls => timeouts.greeting,
            Stage::Rcpt => timeouts.rcpt,
            Stage::Data => timeouts.data,
            Stage::Content if self.session.content == Content::Open => timeouts.data_block,
            Stage::Content => timeouts.data_end,
            Stage::Quit => timeouts.quit,
            _ => timeouts.command,
        };
        Some(self.session.since.after(limit))
    }

    /// Fails for good.
    // Called from many places.
    #[inline(never)]
    pub(super) fn fail(&mut self, cause: Cause) -> Told {
        let (stage, outcome_unknown) = (self.stage(), self.session.outcome_unknown());
        self.session.result = Err(match cause {
            Cause::Fault(fault) => Error::Peer {
                stage,
                outcome_unknown,
                fault,
            },
            Cause::Timeout => Error::Timeout {
                stage,
                outcome_unknown,
            },
            Cause::Closed => Error::Closed {
                stage,
                outcome_unknown,
            },
        });
        Told::Failed
    }

    /// Fails since the server broke the protocol.
    pub(super) fn misbehaved(&mut self, fault: Fault) -> Told {
        self.fail(Cause::Fault(fault))
    }
}
