//! What the server remembers, and what an answer changes.

use crate::capability::Mechanism;
use crate::config::Security;
use crate::error::Error;
use crate::machine::Instant;
use crate::state::{State, Step};
use crate::wire::dot;
use crate::wire::enhanced::EnhancedCode;
use crate::wire::line::Framing;
use crate::wire::reply::{Class, Code, Reply};

/// All that a [`Server`](super::Server) remembers, as plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub(super) state: State,
    pub(super) tls: bool,
    pub(super) authenticated: bool,
    /// The driver wants the session to end at the next opportunity.
    pub(super) shutdown: bool,
    /// The line buffer holds a secret.
    pub(super) secret: bool,
    /// The question that is open.
    pub(super) asked: Option<Asked>,
    /// The open question was put to the driver.
    pub(super) told: bool,
    /// The mechanism of the AUTH exchange that is under way.
    pub(super) mechanism: Option<Mechanism>,
    /// Octets at the beginning of the line buffer that hold the user name of a
    /// LOGIN exchange.
    pub(super) held: u16,
    /// The transaction takes addresses in UTF-8.
    pub(super) smtputf8: bool,
    pub(super) recipients: u16,
    pub(super) errors: u16,
    pub(super) outbox: Outbox,
    /// Octets of the outbox that were sent.
    pub(super) offset: u16,
    pub(super) dot: dot::Decoder,
    /// When the leave for the content was sent.
    pub(super) began: Instant,
    /// Octets of the content so far.
    pub(super) size: u64,
    /// Octets of the content's current line so far.
    pub(super) text_line: u32,
    /// A line of the content is over the limit.
    pub(super) line_too_long: bool,
    pub(super) framing: Framing,
    pub(super) deadline: Option<Instant>,
    pub(super) error: Option<Error>,
}

/// Which question is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Connect,
    Authenticate,
    Mail,
    Recipient,
    Data,
    Message,
    Verify,
    Expand,
    Help,
}

/// The reply that is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outbox {
    Empty,
    /// 220 with the host name and the usual text.
    Greeting,
    /// 250 with the host name, for HELO.
    Hello,
    /// The list of extensions.
    Ehlo,
    /// 221 with the host name.
    Goodbye,
    /// A reply of the core.
    Fixed(Reply<'static>),
    /// A reply of the driver; its text is at the beginning of the reply buffer.
    Custom {
        code: Code,
        enhanced: Option<EnhancedCode>,
        length: u16,
    },
}

impl Session {
    pub(super) fn new(security: Security) -> Self {
        let implicit_tls = security == Security::ImplicitTls;
        Self {
            state: State::Opening,
            tls: false,
            authenticated: false,
            shutdown: false,
            secret: false,
            asked: if implicit_tls {
                None
            } else {
                Some(Asked::Connect)
            },
            told: false,
            mechanism: None,
            held: 0,
            smtputf8: false,
            recipients: 0,
            errors: 0,
            outbox: Outbox::Empty,
            offset: 0,
            dot: dot::Decoder::default(),
            began: Instant::from_millis(0),
            size: 0,
            text_line: 0,
            line_too_long: false,
            framing: Framing::default(),
            deadline: None,
            error: None,
        }
    }

    /// Moves the session along the transition table.
    pub(super) fn step(&mut self, step: Step) {
        match self.state.next(step) {
            Some(state) => self.state = state,
            None => debug_assert!(false, "{step:?} in {:?}", self.state),
        }
    }

    /// The connection is over, and with it the open question.
    pub(super) fn close(&mut self) {
        if self.state != State::Closed {
            self.step(Step::Close);
        }
        self.asked = None;
        self.outbox = Outbox::Empty;
        self.deadline = None;
    }

    /// Answers with a reply of the core; a refusal counts as an error.
    pub(super) fn say(&mut self, reply: Reply<'static>) {
        if reply.code().class() == Class::Permanent {
            self.errors = self.errors.saturating_add(1);
        }
        self.outbox = Outbox::Fixed(reply);
    }

    /// Says yes to the open question in the usual words.
    pub(super) fn accept(&mut self) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        self.outbox = match asked {
            Asked::Connect => Outbox::Greeting,
            Asked::Authenticate => {
                Outbox::Fixed(Reply::fixed(235, (2, 7, 0), "Authentication successful"))
            }
            Asked::Mail => Outbox::Fixed(Reply::fixed(250, (2, 1, 0), "Sender ok")),
            Asked::Recipient => Outbox::Fixed(Reply::fixed(250, (2, 1, 5), "Recipient ok")),
            Asked::Data => Outbox::Fixed(GO_AHEAD),
            Asked::Message => Outbox::Fixed(Reply::fixed(250, (2, 0, 0), "Message accepted")),
            Asked::Verify => Outbox::Fixed(Reply::fixed(
                252,
                (2, 0, 0),
                "Cannot verify the user, but will take mail for it",
            )),
            Asked::Expand => Outbox::Fixed(Reply::fixed(502, (5, 5, 1), "EXPN is not available")),
            Asked::Help => Outbox::Fixed(Reply::fixed(
                214,
                (2, 0, 0),
                "Commands: EHLO HELO STARTTLS AUTH MAIL RCPT DATA\nRSET NOOP VRFY EXPN HELP QUIT\nSee RFC 5321",
            )),
        };
        self.take_decision(asked, true);
    }

    /// Answers the open question with a reply of the driver.
    pub(super) fn answer(&mut self, reply: &Reply<'_>, buffer: &mut [u8]) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        let yes = match reply.code().class() {
            Class::Positive => true,
            Class::Intermediate => asked == Asked::Data,
            Class::Transient | Class::Permanent => false,
        };
        if asked == Asked::Data && yes {
            // The text of 354 is of no use to anybody.
            self.outbox = Outbox::Fixed(GO_AHEAD);
        } else if !yes && reply.code().class() == Class::Intermediate {
            // The client would wait for something that never comes.
            self.outbox = Outbox::Fixed(Reply::fixed(451, (4, 3, 0), "Local error"));
        } else {
            let code = match asked {
                // Clients look at these codes to the digit.
                Asked::Connect if yes => GREETING,
                Asked::Authenticate if yes => AUTHENTICATED,
                _ => reply.code(),
            };
            let text = fit(reply.text(), buffer.len().min(TEXT_LIMIT));
            for (to, from) in buffer.iter_mut().zip(text.bytes()) {
                *to = from;
            }
            self.outbox = Outbox::Custom {
                code,
                enhanced: reply.enhanced(),
                length: u16::try_from(text.len()).unwrap_or(u16::MAX),
            };
        }
        self.take_decision(asked, yes);
        if reply.code().get() == 421 {
            // After 554 the client may say QUIT, after 421 nothing.
            if self.state != State::Closing {
                self.step(Step::Part);
            }
            self.shutdown = true;
        }
    }

    fn take_decision(&mut self, asked: Asked, yes: bool) {
        match (asked, yes) {
            (Asked::Connect, true) => self.step(Step::Greet),
            (Asked::Connect, false) => self.step(Step::TurnAway),
            (Asked::Authenticate, true) => {
                self.step(Step::Authenticate);
                self.authenticated = true;
            }
            (Asked::Authenticate, false) => self.step(Step::DenyAuthentication),
            (Asked::Mail, true) => self.step(Step::Mail),
            (Asked::Recipient, true) => {
                self.step(Step::Recipient);
                self.recipients = self.recipients.saturating_add(1);
            }
            (Asked::Data, true) => {
                self.step(Step::GoAhead);
                self.dot = dot::Decoder::default();
                self.size = 0;
                self.text_line = 0;
                self.line_too_long = false;
            }
            (Asked::Message, _) => {
                self.end_transaction(Step::Judge);
                if yes {
                    self.errors = 0;
                }
            }
            _ => {}
        }
        if !yes && asked != Asked::Message {
            self.errors = self.errors.saturating_add(1);
        }
    }

    /// Forgets the transaction.
    pub(super) fn end_transaction(&mut self, step: Step) {
        self.step(step);
        self.recipients = 0;
        self.smtputf8 = false;
    }
}

/// The leave to send the content. It carries no enhanced code (RFC 2034,
/// section 3).
const GO_AHEAD: Reply<'static> = Reply::bare(354, "Start mail input; end with <CRLF>.<CRLF>");

const GREETING: Code = match Code::new(220) {
    Some(code) => code,
    None => Code::OK,
};

const AUTHENTICATED: Code = match Code::new(235) {
    Some(code) => code,
    None => Code::OK,
};

/// The longest text of a reply, in octets. Even if each is a line of its own,
/// the reply stays below 64 KiB.
const TEXT_LIMIT: usize = 3_500;

/// As much of `text` as fits into `room` octets, cut between two characters.
fn fit(text: &str, room: usize) -> &str {
    let mut end = room.min(text.len());
    loop {
        match text.get(..end) {
            Some(part) => return part,
            None => end = end.wrapping_sub(1),
        }
    }
}
