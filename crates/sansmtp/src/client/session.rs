//! What the client remembers, and how its time runs.

use super::event::Query;
use crate::auth::{Exchange, Material};
use crate::capability::Capabilities;
use crate::config::{Config, Security};
use crate::envelope::Envelope;
use crate::error::{Error, Fault, Stage};
use crate::machine::Instant;
use crate::state::State;
use crate::wire::chunk;
use crate::wire::dot;
use crate::wire::line::Framing;

/// All that a [`Client`](super::Client) remembers, as plain data: what is left
/// of it when it is put aside between two calls or two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub(super) state: State,
    pub(super) plan: Plan,
    pub(super) content: Content,
    pub(super) dot: dot::Encoder,
    /// The content goes by BDAT.
    pub(super) chunked: bool,
    /// That the content may be pushed is still to be told.
    pub(super) tell_content: bool,
    pub(super) encoder: chunk::Encoder,
    /// The size of the chunk that is under way, in octets; 0 for none.
    pub(super) chunk_size: u32,
    /// How much of it is still to be pushed.
    pub(super) chunk_left: u32,
    /// Octets of its command that were written.
    pub(super) header: u8,
    /// Chunks that were sent whole.
    pub(super) chunks: u32,
    /// The last chunk was sent.
    pub(super) last_sent: bool,
    pub(super) tls: bool,
    pub(super) smtputf8: bool,
    /// The last transaction was left open: RSET comes before the next one.
    pub(super) dirty: bool,
    /// The transaction has failed at this stage.
    pub(super) failed_at: Option<Stage>,
    /// The failure of the transaction is still to be told.
    pub(super) tell_failure: bool,
    /// Commands of the plan that were sent and that were answered.
    pub(super) sent: u32,
    pub(super) answered: u32,
    /// Bytes of the command at `sent` that were sent.
    pub(super) offset: u16,
    /// Recipients that the server accepted.
    pub(super) accepted: u16,
    /// The code of the reply whose lines are coming in; 0 between two replies.
    pub(super) code: u16,
    /// Lines of that reply so far.
    pub(super) lines: u16,
    pub(super) exchange: Option<Exchange>,
    pub(super) material: Material,
    pub(super) capabilities: Capabilities,
    pub(super) framing: Framing,
    pub(super) deadline: Option<Instant>,
    pub(super) error: Option<Error>,
}

/// Which row of commands is being worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// The server speaks first.
    Greeting,
    /// The driver does a TLS handshake.
    Handshake,
    Ehlo,
    Helo,
    StartTls,
    Auth,
    Idle,
    Transaction,
    Query,
    Quit,
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
pub(super) struct Dialogue<'c> {
    pub(super) config: &'c Config<'c>,
    pub(super) envelope: Option<&'c Envelope<'c>>,
    pub(super) query: Option<Query<'c>>,
    pub(super) session: Session,
}

impl Session {
    pub(super) fn new(security: Security) -> Self {
        Self {
            state: State::Opening,
            plan: match security {
                Security::ImplicitTls => Plan::Handshake,
                _ => Plan::Greeting,
            },
            content: Content::None,
            dot: dot::Encoder::LineStart,
            chunked: false,
            tell_content: false,
            encoder: chunk::Encoder::LineStart,
            chunk_size: 0,
            chunk_left: 0,
            header: 0,
            chunks: 0,
            last_sent: false,
            tls: false,
            smtputf8: false,
            dirty: false,
            failed_at: None,
            tell_failure: false,
            // The greeting answers the connection itself.
            sent: 1,
            answered: 0,
            offset: 0,
            accepted: 0,
            code: 0,
            lines: 0,
            exchange: None,
            material: Material::default(),
            capabilities: Capabilities::NONE,
            framing: Framing::default(),
            deadline: None,
            error: None,
        }
    }

    /// Whether a reply is due.
    pub(super) fn is_awaiting(&self) -> bool {
        self.answered != self.sent
    }

    /// Whether the final dot or the last chunk was sent, at least in part, and
    /// the verdict is open.
    pub(super) fn outcome_unknown(&self) -> bool {
        let sent = if self.chunked {
            self.last_sent
        } else {
            self.is_awaiting()
        };
        self.content == Content::Complete && self.failed_at.is_none() && (self.offset > 0 || sent)
    }
}

impl Dialogue<'_> {
    /// Sets the deadline for what comes next.
    pub(super) fn arm(&mut self, now: Instant) {
        let timeouts = &self.config.timeouts;
        let limit = match self.stage() {
            Stage::Idle => {
                self.session.deadline = None;
                return;
            }
            Stage::Greeting | Stage::StartTls => timeouts.greeting,
            Stage::Rcpt => timeouts.rcpt,
            Stage::Data => timeouts.data,
            Stage::Content if self.session.content == Content::Open => timeouts.data_block,
            Stage::Content => timeouts.data_end,
            Stage::Quit => timeouts.quit,
            _ => timeouts.command,
        };
        self.session.deadline = Some(now.after(limit));
    }

    /// The same, unless there is nothing to wait for any more.
    pub(super) fn arm_unless_failed(&mut self, now: Instant) {
        if self.session.error.is_none() {
            self.arm(now);
        }
    }

    /// Starts a new row of commands.
    pub(super) fn begin(&mut self, plan: Plan, now: Instant) {
        self.session.plan = plan;
        self.session.sent = 0;
        self.session.answered = 0;
        self.session.offset = 0;
        self.arm(now);
    }

    /// Fails for good.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        self.session.error = Some(error);
        self.session.deadline = None;
        error
    }

    /// Fails since the server broke the protocol.
    pub(super) fn misbehaved(&mut self, fault: Fault) -> Error {
        self.broken(self.stage(), fault)
    }

    /// The same at this stage.
    pub(super) fn broken(&mut self, stage: Stage, fault: Fault) -> Error {
        self.fail(Error::Peer {
            stage,
            fault,
            outcome_unknown: self.session.outcome_unknown(),
        })
    }
}
