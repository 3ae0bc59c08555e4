//! What the server remembers, and what an answer changes.

use super::replies::AUTH_UNAVAILABLE;
use crate::capability::Mechanism;
use crate::config::Security;
use crate::error::Error;
use crate::machine::Instant;
use crate::state::{State, Step};
use crate::wire::chunk::LineEnds;
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
    /// The client has to acknowledge that its token is refused.
    pub(super) token_refused: bool,
    #[cfg(feature = "scram")]
    pub(super) hashed: super::hashed::Hashed,
    /// The transaction takes addresses in UTF-8.
    pub(super) smtputf8: bool,
    pub(super) recipients: u16,
    /// LMTP: each recipient gets a verdict.
    #[cfg(feature = "mta")]
    pub(super) lmtp: bool,
    /// Recipients that got theirs.
    #[cfg(feature = "mta")]
    pub(super) verdicts: u16,
    /// Senders that were accepted.
    #[cfg(feature = "mta")]
    pub(super) messages: u16,
    /// How often the reply in the outbox goes out again.
    pub(super) repeats: u16,
    pub(super) errors: u16,
    pub(super) outbox: Outbox,
    /// Octets of the outbox that were sent.
    pub(super) offset: u16,
    pub(super) dot: dot::Decoder,
    /// The line ends of content in chunks.
    pub(super) ends: LineEnds,
    /// The content comes by BDAT.
    pub(super) chunked: bool,
    /// The content is opaque octets: BODY=BINARYMIME.
    pub(super) binary: bool,
    /// Octets of the current chunk that are still to come.
    pub(super) chunk_left: u64,
    /// The current chunk is the last.
    pub(super) chunk_last: bool,
    /// The current chunk was refused: its octets are dropped, then the reply in
    /// the outbox goes out.
    pub(super) eating: bool,
    /// When the leave for the content was sent, or the chunk began.
    pub(super) began: Instant,
    /// Octets that came since then.
    pub(super) came: u64,
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
    /// As `Authenticate`, but a refusal is told in two steps.
    Bearer,
    /// The keys of a user.
    #[cfg(feature = "scram")]
    Keys,
    Mail,
    Recipient,
    Data,
    Message,
    #[cfg(feature = "mta")]
    Delivery,
    #[cfg(feature = "mta")]
    Etrn,
    #[cfg(feature = "mta")]
    XClient {
        /// It names a user.
        login: bool,
    },
    Verify,
    Expand,
    Help,
}

/// A reply of the core as it goes over the wire.
pub(super) type Words = &'static str;

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
    Fixed(Words),
    /// A reply of the driver; its text is at the beginning of the reply buffer.
    Custom {
        code: Code,
        enhanced: Option<EnhancedCode>,
        length: u16,
    },
}

impl Asked {
    /// Whether a mere yes answers nothing.
    fn wants_keys(self) -> bool {
        #[cfg(feature = "scram")]
        return self == Self::Keys;
        #[cfg(not(feature = "scram"))]
        false
    }
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
            token_refused: false,
            #[cfg(feature = "scram")]
            hashed: super::hashed::Hashed::default(),
            smtputf8: false,
            recipients: 0,
            #[cfg(feature = "mta")]
            lmtp: false,
            #[cfg(feature = "mta")]
            verdicts: 0,
            #[cfg(feature = "mta")]
            messages: 0,
            repeats: 0,
            errors: 0,
            outbox: Outbox::Empty,
            offset: 0,
            dot: dot::Decoder::default(),
            ends: LineEnds::default(),
            chunked: false,
            binary: false,
            chunk_left: 0,
            chunk_last: false,
            eating: false,
            began: Instant::from_millis(0),
            came: 0,
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
        #[cfg(test)]
        crate::state::taken::note(self.state, step);
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
        #[cfg(feature = "scram")]
        self.hashed.forget();
    }

    /// Whether it speaks LMTP.
    pub(super) const fn is_lmtp(&self) -> bool {
        #[cfg(feature = "mta")]
        return self.lmtp;
        #[cfg(not(feature = "mta"))]
        false
    }

    /// What is asked about content that is complete.
    pub(super) const fn verdict(&self) -> Asked {
        #[cfg(feature = "mta")]
        if self.lmtp {
            return Asked::Delivery;
        }
        Asked::Message
    }

    /// The content is complete: its fate is asked for.
    pub(super) fn complete(&mut self) {
        self.step(Step::Complete);
        self.asked = Some(self.verdict());
        self.told = false;
    }

    /// Refuses the content with a reply of the core: once, or in LMTP for each
    /// recipient.
    pub(super) fn say_verdict(&mut self, reply: Words) {
        self.say(reply);
        self.repeat_for_recipients();
    }

    /// In LMTP the reply to the content goes out once for each recipient (RFC 2033,
    /// section 4.2).
    pub(super) fn repeat_for_recipients(&mut self) {
        if self.is_lmtp() {
            self.repeats = self.recipients.saturating_sub(1);
        }
    }

    /// Answers with a reply of the core; a refusal counts as an error.
    pub(super) fn say(&mut self, reply: Words) {
        if reply.as_bytes().first() == Some(&b'5') {
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
            #[cfg(feature = "scram")]
            Asked::Keys => {
                self.held = 0;
                Outbox::Fixed(AUTH_UNAVAILABLE)
            }
            Asked::Authenticate | Asked::Bearer => {
                Outbox::Fixed("235 2.7.0 Authentication successful\r\n")
            }
            Asked::Mail => Outbox::Fixed("250 2.1.0 Sender ok\r\n"),
            Asked::Recipient => Outbox::Fixed("250 2.1.5 Recipient ok\r\n"),
            // A chunk has come with its command; only its end is answered.
            Asked::Data if self.chunked => Outbox::Empty,
            Asked::Data => Outbox::Fixed(GO_AHEAD),
            Asked::Message => Outbox::Fixed("250 2.0.0 Message accepted\r\n"),
            #[cfg(feature = "mta")]
            Asked::Delivery => Outbox::Fixed("250 2.1.5 Delivered\r\n"),
            #[cfg(feature = "mta")]
            Asked::Etrn => Outbox::Fixed("250 2.0.0 Queuing started\r\n"),
            // The new client is greeted.
            #[cfg(feature = "mta")]
            Asked::XClient { .. } => Outbox::Empty,
            Asked::Verify => {
                Outbox::Fixed("252 2.0.0 Cannot verify the user, but will take mail for it\r\n")
            }
            Asked::Expand => Outbox::Fixed("502 5.5.1 EXPN is not available\r\n"),
            Asked::Help => Outbox::Fixed(HELP),
        };
        self.take_decision(asked, !asked.wants_keys());
    }

    /// Answers the open question with a reply of the driver.
    pub(super) fn answer(&mut self, reply: &Reply<'_>, buffer: &mut [u8]) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        if asked == Asked::Bearer && reply.code().get() == 535 {
            // The client learns why, and has to say that it did (RFC 7628,
            // section 3.2.3).
            self.token_refused = true;
            self.step(Step::Challenge);
            self.outbox = Outbox::Fixed(INVALID_TOKEN);
            return;
        }
        let yes = match reply.code().class() {
            Class::Positive => !asked.wants_keys(),
            Class::Intermediate => asked == Asked::Data,
            Class::Transient | Class::Permanent => false,
        };
        if asked == Asked::Data && yes {
            // The text of 354 is of no use to anybody.
            self.outbox = if self.chunked {
                Outbox::Empty
            } else {
                Outbox::Fixed(GO_AHEAD)
            };
        } else if !yes && matches!(reply.code().class(), Class::Positive | Class::Intermediate) {
            // The client would wait for something that never comes.
            self.outbox = Outbox::Fixed(LOCAL_ERROR);
        } else {
            let code = match asked {
                // Clients look at these codes to the digit.
                Asked::Connect if yes => GREETING,
                Asked::Authenticate | Asked::Bearer if yes => AUTHENTICATED,
                _ => reply.code(),
            };
            #[cfg(feature = "mta")]
            if yes && matches!(asked, Asked::XClient { .. }) {
                self.outbox = Outbox::Empty;
                return self.take_decision(asked, true);
            }
            let text = fit(reply.text(), buffer.len().min(TEXT_LIMIT));
            for (to, from) in buffer.iter_mut().zip(text.bytes()) {
                *to = from;
            }
            let enhanced = match asked {
                // All but the greeting carry one (RFC 2034, section 4).
                Asked::Connect => reply.enhanced(),
                _ => reply.enhanced().or(EnhancedCode::general(code.class())),
            };
            self.outbox = Outbox::Custom {
                code,
                enhanced,
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
            self.eating = false;
            self.repeats = 0;
            self.asked = None;
        }
    }

    /// Says no to the open question.
    #[cfg(feature = "scram")]
    pub(super) fn refuse(&mut self, words: Words) {
        if let Some(asked) = self.asked.take() {
            self.outbox = Outbox::Fixed(words);
            self.take_decision(asked, false);
        }
    }

    fn take_decision(&mut self, asked: Asked, yes: bool) {
        match (asked, yes) {
            (Asked::Connect, true) => self.step(Step::Greet),
            (Asked::Connect, false) => self.step(Step::TurnAway),
            (Asked::Authenticate | Asked::Bearer, true) => {
                self.step(Step::Authenticate);
                self.authenticated = true;
            }
            (Asked::Authenticate | Asked::Bearer, false) => {
                self.step(Step::DenyAuthentication);
            }
            #[cfg(feature = "scram")]
            (Asked::Keys, _) => {
                self.held = 0;
                self.step(Step::DenyAuthentication);
            }
            (Asked::Mail, true) => {
                self.step(Step::Mail);
                #[cfg(feature = "mta")]
                {
                    self.messages = self.messages.saturating_add(1);
                }
            }
            #[cfg(feature = "mta")]
            (Asked::XClient { login }, true) => {
                self.step(Step::Introduce);
                self.authenticated = login;
                // What another client did is not this one's.
                self.errors = 0;
                self.messages = 0;
                self.asked = Some(Asked::Connect);
                self.told = false;
            }
            #[cfg(feature = "mta")]
            (Asked::Delivery, yes) => {
                self.verdicts = self.verdicts.saturating_add(1);
                if yes {
                    self.errors = 0;
                }
                if self.verdicts < self.recipients {
                    self.asked = Some(Asked::Delivery);
                    self.told = false;
                } else {
                    self.end_transaction(Step::Judge);
                }
            }
            (Asked::Recipient, true) => {
                self.step(Step::Recipient);
                self.recipients = self.recipients.saturating_add(1);
            }
            (Asked::Data, true) => {
                self.step(Step::GoAhead);
                self.dot = dot::Decoder::default();
                self.ends = LineEnds::default();
                self.size = 0;
                self.text_line = 0;
                self.line_too_long = false;
            }
            // What is pipelined behind a refused chunk must not become a message of
            // its own (RFC 3030, section 2).
            (Asked::Data, false) if self.chunked => {
                if self.chunk_last {
                    self.repeat_for_recipients();
                }
                self.end_transaction(Step::Reset);
                self.eating = true;
            }
            (Asked::Message, _) => {
                self.end_transaction(Step::Judge);
                if yes {
                    self.errors = 0;
                }
            }
            _ => {}
        }
        if !yes && asked != self.verdict() {
            self.errors = self.errors.saturating_add(1);
        }
    }

    /// Forgets the transaction.
    pub(super) fn end_transaction(&mut self, step: Step) {
        self.step(step);
        self.recipients = 0;
        #[cfg(feature = "mta")]
        {
            self.verdicts = 0;
        }
        self.smtputf8 = false;
        self.binary = false;
        self.chunked = false;
    }

    /// Whether the reply in the outbox waits for the end of a refused chunk.
    pub(super) fn holds_back(&self) -> bool {
        self.eating && self.chunk_left > 0
    }

    /// Whether something is to be sent now.
    pub(super) fn has_reply(&self) -> bool {
        self.outbox != Outbox::Empty && !self.holds_back()
    }

    /// Whether octets of a chunk, or its end, are next.
    pub(super) fn is_in_chunk(&self) -> bool {
        self.asked.is_none()
            && (self.holds_back()
                || self.chunked && self.state == State::Content && self.outbox == Outbox::Empty)
    }
}

/// The leave to send the content. It carries no enhanced code (RFC 2034,
/// section 3).
const GO_AHEAD: Words = "354 Start mail input; end with <CRLF>.<CRLF>\r\n";

/// `{"status":"invalid_token"}`
const INVALID_TOKEN: Words = "334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n";

pub(super) const LOCAL_ERROR: Words = "451 4.3.0 Local error\r\n";

const HELP: Words = "\
    214-2.0.0 Commands: EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT\r\n\
    214-2.0.0 RSET NOOP VRFY EXPN HELP QUIT\r\n\
    214 2.0.0 See RFC 5321\r\n";

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
