//! Errors, split by who must act.

use crate::wire::enhanced::EnhancedCode;
use crate::wire::reply::Code;
use core::fmt;

/// What the dialogue was at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Stage {
    /// Waiting for the server's greeting.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// STARTTLS and the TLS handshake.
    StartTls,
    /// AUTH.
    Auth,
    /// Nothing: between two transactions.
    Idle,
    /// MAIL: the sender.
    Mail,
    /// RCPT: a recipient.
    Rcpt,
    /// DATA: the leave to send the content.
    Data,
    /// The content and its verdict.
    Content,
    /// RSET.
    Rset,
    /// VRFY, EXPN, HELP or NOOP.
    Query,
    /// QUIT.
    Quit,
}

impl Stage {
    /// The name of the command, or a word for what goes on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Greeting => "the greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Idle => "the idle connection",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Content => "the message",
            Self::Rset => "RSET",
            Self::Query => "the query",
            Self::Quit => "QUIT",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a dialogue can not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
// What several have lies at the same place, so that less code looks at it.
#[repr(u8)]
pub enum Error {
    /// The peer said no, in a form that the protocol provides for.
    Refused {
        /// What it said no to.
        stage: Stage,
        /// The reply code.
        code: Code,
        /// The enhanced status code, if there was one.
        enhanced: Option<EnhancedCode>,
    },
    /// The peer broke the protocol.
    Peer {
        /// What the dialogue was at.
        stage: Stage,
        /// The message may have been accepted or not: its end was sent.
        outcome_unknown: bool,
        /// What it did.
        fault: Fault,
    },
    /// The configuration or the message asks for what this server does not
    /// offer.
    Unmet(Requirement),
    /// The program called a method that makes no sense at this point.
    Misuse(Misuse),
    /// The peer took too long.
    Timeout {
        /// What was waited for.
        stage: Stage,
        /// The message may have been accepted or not: its end was sent.
        outcome_unknown: bool,
    },
    /// The connection was lost.
    Closed {
        /// What the dialogue was at.
        stage: Stage,
        /// The message may have been accepted or not: its end was sent.
        outcome_unknown: bool,
    },
}

/// How a peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A line is no reply (RFC 5321, section 4.2).
    NotAReply,
    /// A line is longer than the configured limit.
    LineTooLong,
    /// A reply has more lines than the configured limit.
    TooManyLines,
    /// A CR or LF stands alone.
    BareLineEnd,
    /// The lines of one reply carry different codes.
    CodeChanged,
    /// A reply came that no command asked for.
    Unsolicited,
    /// The code does not fit the command.
    UnexpectedCode,
    /// Plain text came behind the agreement on TLS (RFC 3207, section 6).
    PlaintextAfterStartTls,
    /// A challenge is malformed, or there are too many of them.
    BadChallenge,
    /// The server says that the client is authenticated, but has not proven that
    /// it knows the password itself (RFC 5802, section 3).
    ServerNotProven,
}

/// What a configuration or a message can need and a server can lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requirement {
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// A mechanism that the credentials can be used with.
    Mechanism,
    /// TLS, since a password would go in the clear.
    TlsForPassword,
    /// A larger message than the server takes.
    Size,
    /// SMTPUTF8, since an address or header is not ASCII.
    SmtpUtf8,
    /// 8BITMIME, since the content is not ASCII.
    EightBitMime,
    /// BINARYMIME with CHUNKING and PIPELINING, since the content is opaque.
    BinaryMime,
    /// DSN, since a report was asked for.
    Dsn,
    /// REQUIRETLS, over TLS.
    RequireTls,
    /// DELIVERBY, or more time than the message has.
    DeliverBy,
    /// FUTURERELEASE, or a longer time than the server holds messages.
    FutureRelease,
    /// MT-PRIORITY.
    MtPriority,
    /// ETRN.
    Etrn,
    /// XCLIENT, which servers offer to the balancers that they know.
    XClient,
    /// Fewer recipients in one transaction, or fewer of their domains in one
    /// session (LIMITS, RFC 9422).
    Recipients,
    /// Fewer messages in one session (LIMITS, MAILMAX).
    Messages,
    /// At least one recipient.
    Recipient,
}

/// A call at the wrong time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The machine is in the middle of something else.
    Busy,
    /// TLS was reported, but the machine had not asked for it.
    TlsNotWanted,
    /// No question is open that could be answered.
    NothingToAnswer,
    /// The content was ended before all of a piece that was shown was pushed.
    ContentCutShort,
    /// The dialogue is over.
    Over,
}

/// Who has to do something so that the next attempt can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The person who configured the account or wrote the message.
    User,
    /// Whoever runs the server.
    Server,
    /// Nobody: trying again later may do.
    Time,
    /// The programmer who drives the machine.
    Program,
}

impl Error {
    /// What the dialogue was at, where that is known.
    pub const fn stage(&self) -> Option<Stage> {
        match *self {
            Self::Refused { stage, .. }
            | Self::Peer { stage, .. }
            | Self::Timeout { stage, .. }
            | Self::Closed { stage, .. } => Some(stage),
            Self::Unmet(_) | Self::Misuse(_) => None,
        }
    }

    /// Whether the message may have been accepted although no 250 arrived. A
    /// second attempt could deliver it twice (RFC 5321, section 4.5.4.1).
    pub const fn outcome_unknown(&self) -> bool {
        match self {
            Self::Timeout {
                outcome_unknown, ..
            }
            | Self::Closed {
                outcome_unknown, ..
            }
            | Self::Peer {
                outcome_unknown, ..
            } => *outcome_unknown,
            _ => false,
        }
    }

    /// Whether the same attempt may succeed later.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Refused { code, .. } => code.get() < 500,
            Self::Timeout { .. } | Self::Closed { .. } => true,
            Self::Peer { .. } | Self::Unmet(_) | Self::Misuse(_) => false,
        }
    }

    /// Who has to act.
    pub const fn actor(&self) -> Actor {
        match self {
            Self::Refused { code, .. } if code.get() < 500 => Actor::Time,
            Self::Refused { .. } | Self::Unmet(_) => Actor::User,
            Self::Peer { .. } => Actor::Server,
            Self::Timeout { .. } | Self::Closed { .. } => Actor::Time,
            Self::Misuse(_) => Actor::Program,
        }
    }

    /// What to do next, in a sentence.
    pub const fn next_step(&self) -> &'static str {
        match self {
            _ if self.outcome_unknown() => {
                "check whether the message arrived before you send it again"
            }
            Self::Refused {
                stage: Stage::Auth,
                code,
                ..
            } if code.get() >= 500 => {
                "check user name and password; many providers want an app password"
            }
            Self::Refused {
                stage: Stage::Rcpt,
                code,
                ..
            } if code.get() >= 500 => "check the recipient's address",
            Self::Refused { code, .. } if code.get() < 500 => "try again later",
            Self::Refused { .. } => "read the server's reply and change what it refuses",
            Self::Peer {
                fault: Fault::PlaintextAfterStartTls,
                ..
            } => "do not send: somebody may be changing the traffic on the way",
            Self::Peer {
                fault: Fault::ServerNotProven,
                ..
            } => "do not send: somebody may be posing as the server",
            Self::Peer { .. } => "check that host and port belong to a mail submission server",
            Self::Unmet(requirement) => requirement.next_step(),
            Self::Misuse(_) => "this is a defect of the program; report it",
            Self::Timeout { .. } => {
                "check host, port and network; port 465 wants implicit TLS, 587 STARTTLS"
            }
            Self::Closed { .. } => "try again; if it stays, check port and security",
        }
    }
}

// Piece by piece: `write!` would bring the machinery of formatting into firmware and wasm.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, behind) = match self {
            Self::Refused { .. } => ("the server refused ", " with "),
            Self::Peer { .. } => ("at ", " the peer "),
            Self::Unmet(requirement) => (requirement.words().0, ""),
            Self::Misuse(misuse) => (misuse.words(), ""),
            Self::Timeout { .. } => ("the server took too long at ", ""),
            Self::Closed { .. } => ("the connection was lost at ", ""),
        };
        f.write_str(before)?;
        f.write_str(self.stage().map_or("", Stage::name))?;
        f.write_str(behind)?;
        match self {
            Self::Refused { code, enhanced, .. } => {
                fmt::Display::fmt(code, f)?;
                if let Some(enhanced) = enhanced {
                    f.write_str(" ")?;
                    fmt::Display::fmt(enhanced, f)?;
                }
            }
            Self::Peer { fault, .. } => f.write_str(fault.words())?,
            _ => {}
        }
        f.write_str(match self.outcome_unknown() {
            true => "; it is unknown whether the message was accepted",
            false => "",
        })
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl Fault {
    const fn words(self) -> &'static str {
        match self {
            Self::NotAReply => "sent a line that is no SMTP reply",
            Self::LineTooLong => "sent a line that is too long",
            Self::TooManyLines => "sent a reply with too many lines",
            Self::BareLineEnd => "sent a line end that is not CR LF",
            Self::CodeChanged => "changed the code inside one reply",
            Self::Unsolicited => "sent a reply that nothing asked for",
            Self::UnexpectedCode => "sent a reply code that does not fit",
            Self::PlaintextAfterStartTls => "sent plain text after it had agreed on TLS",
            Self::BadChallenge => "sent a challenge that does not fit the mechanism",
            Self::ServerNotProven => {
                "claimed success without proof that it knows the password itself"
            }
        }
    }
}

impl Requirement {
    const fn next_step(self) -> &'static str {
        self.words().1
    }

    /// What is wrong, and what to do next.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::StartTls => (
                "the server does not offer STARTTLS, but it is required",
                "use implicit TLS, usually port 465, or another server",
            ),
            Self::Auth => (
                "there are credentials, but the server does not offer AUTH",
                "check the port: 465 and 587 are for users; or leave user and password out",
            ),
            Self::Mechanism => (
                "the server offers no mechanism that the credentials fit",
                "use the kind of credentials that the server takes: a password or an OAuth2 token",
            ),
            Self::TlsForPassword => (
                "the password would go over the network in the clear",
                "use implicit TLS or STARTTLS",
            ),
            Self::Size => (
                "the message is larger than the server takes",
                "send a smaller message or a link",
            ),
            Self::SmtpUtf8 => (
                "an address or header is not ASCII, and the server does not offer SMTPUTF8",
                "use ASCII addresses, or a server that offers SMTPUTF8",
            ),
            Self::EightBitMime => (
                "the content is not ASCII, and the server does not offer 8BITMIME",
                "encode the content as quoted-printable or base64",
            ),
            Self::BinaryMime => (
                "the content is binary, and the server does not offer BINARYMIME, CHUNKING and PIPELINING",
                "encode the content as base64",
            ),
            Self::Dsn => (
                "a delivery report was asked for, and the server does not offer DSN",
                "send without asking for reports",
            ),
            Self::Recipient => (
                "the envelope names no recipient",
                "name at least one recipient",
            ),
            #[cfg(feature = "mta")]
            rare => rare.words_of_relays(),
            // No machine without that feature says so.
            #[cfg(not(feature = "mta"))]
            _ => (
                "the server does not offer what is asked for",
                "send without asking for it, or use another server",
            ),
        }
    }

    #[cfg(feature = "mta")]
    const fn words_of_relays(self) -> (&'static str, &'static str) {
        match self {
            Self::RequireTls => (
                "the message requires TLS on its whole way, and the server does not offer REQUIRETLS here",
                "use a server that offers REQUIRETLS, over TLS, or send without requiring TLS",
            ),
            Self::DeliverBy => (
                "the message has a time limit that the server does not offer to keep (DELIVERBY)",
                "give the message more time, or send it without a time limit",
            ),
            Self::FutureRelease => (
                "the message is to be held back, and the server does not offer that for so long (FUTURERELEASE)",
                "hold the message back yourself, or for a shorter time",
            ),
            Self::MtPriority => (
                "the message has a priority, and the server does not offer MT-PRIORITY",
                "send without a priority",
            ),
            Self::Etrn => (
                "the server does not offer ETRN",
                "the server does not send queued mail on demand: wait for it",
            ),
            Self::XClient => (
                "the server does not offer XCLIENT",
                "ask the server's administrator to list this machine as a balancer",
            ),
            Self::Recipients => (
                "there are more recipients, or domains, than the server takes at once",
                "send to fewer recipients at a time",
            ),
            _ => (
                "the server takes no more messages in this session",
                "send the message over a new connection",
            ),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().0)
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl Misuse {
    const fn words(self) -> &'static str {
        match self {
            Self::Busy => "the connection is in the middle of something else",
            Self::TlsNotWanted => "TLS was reported where none was due",
            Self::ContentCutShort => "the content was ended in the middle of a chunk",
            Self::NothingToAnswer => "no request is open that could be answered",
            Self::Over => "the dialogue is over",
        }
    }
}
