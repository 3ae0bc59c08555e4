//! What a client says to its driver, and what a driver can ask besides sending.

use super::submission::FIRST_RECIPIENT;
#[cfg(feature = "mta")]
use crate::capability::Extension;
#[cfg(feature = "mta")]
use crate::error::Requirement;
use crate::error::Stage;
use crate::wire::command::Command;
use crate::wire::reply::ReplyLine;
#[cfg(feature = "mta")]
use crate::wire::xclient::XClient;

/// What happened in the dialogue.
///
/// After [`Client::submit`](super::Client::submit) exactly one of
/// [`Event::Delivered`] and [`Event::NotDelivered`] comes, unless the machine
/// fails. In LMTP an `Event::Verdict` for each recipient stands for the former.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
// The reply lies at the same place in each, so that less code makes them.
#[repr(u8)]
pub enum Event<'a> {
    /// A line that needs no action: all lines of a reply but the last, and
    /// replies that only move the dialogue on. For logs, and for the whole text
    /// of replies with several lines.
    Reply {
        /// What the reply answers.
        stage: Stage,
        /// The line.
        reply: ReplyLine<'a>,
    },
    /// The server agreed to TLS: do the handshake, then call
    /// [`Machine::tls_established`](crate::Machine::tls_established).
    StartTls,
    /// The session is set up: [`Client::submit`](super::Client::submit) may be
    /// called.
    Ready,
    /// The server refused the session (greeting, EHLO, STARTTLS, AUTH) or closes
    /// it (421). The machine has failed; only
    /// [`Client::quit`](super::Client::quit) makes sense.
    Refused {
        /// What it refused.
        stage: Stage,
        /// The last line of the reply.
        reply: ReplyLine<'a>,
    },
    /// The reply to MAIL.
    Sender {
        /// The last line of the reply.
        reply: ReplyLine<'a>,
    },
    /// The reply to a RCPT.
    Recipient {
        /// The last line of the reply.
        reply: ReplyLine<'a>,
        /// Which recipient of the envelope, from 0.
        index: usize,
    },
    /// The content is due: push it through
    /// [`Client::body`](super::Client::body).
    Content,
    /// The server refused a chunk of the content, and so the message.
    /// [`Event::NotDelivered`] follows once all that was sent is answered.
    ChunkRefused {
        /// The last line of the reply.
        reply: ReplyLine<'a>,
    },
    /// The server took the message for every recipient that it had accepted. It
    /// is responsible now.
    Delivered {
        /// The last line of the reply.
        reply: ReplyLine<'a>,
    },
    /// The server's verdict on the content for one recipient, in LMTP. With the last
    /// one the transaction is over; it comes in the place of [`Event::Delivered`].
    #[cfg(feature = "mta")]
    Verdict {
        /// The last line of the reply.
        reply: ReplyLine<'a>,
        /// Which recipient of the envelope, from 0.
        index: usize,
        /// No more verdicts come.
        last: bool,
    },
    /// The server took the message for nobody.
    NotDelivered {
        /// What failed: MAIL, every RCPT, DATA or the content.
        stage: Stage,
        /// The last line of the reply that refused DATA or the content. For MAIL,
        /// RCPT and chunks the replies came in events of their own.
        reply: Option<ReplyLine<'a>>,
    },
    /// The last line of the reply to a [`Query`].
    Answer {
        /// The line.
        reply: ReplyLine<'a>,
    },
    /// QUIT was answered: the connection can be closed.
    Closed,
}

/// What a line of a reply is to be told as. In the order of [`Event`], so that one is
/// made of the other without a table.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "esmtp"), allow(dead_code))]
#[repr(u8)]
pub(super) enum Told {
    Reply,
    StartTls,
    Ready,
    Refused,
    Sender,
    Recipient,
    Content,
    ChunkRefused,
    Delivered,
    #[cfg(feature = "mta")]
    Verdict {
        index: usize,
        last: bool,
    },
    /// The message went nowhere, for what was said before.
    NotDelivered,
    Answer,
    Closed,
    /// The message went nowhere, and this reply says so.
    Rejected,
    /// Not at all: the machine has failed.
    Failed,
}

impl Told {
    /// The event for a reply to the command at place `number`.
    pub(super) fn event(
        self,
        stage: Stage,
        failed_at: Option<Stage>,
        number: u32,
        reply: ReplyLine<'_>,
    ) -> Option<Event<'_>> {
        Some(match self {
            Self::Failed => return None,
            Self::Reply => Event::Reply { stage, reply },
            Self::Refused => Event::Refused { stage, reply },
            Self::StartTls => Event::StartTls,
            Self::Ready => Event::Ready,
            Self::Sender => Event::Sender { reply },
            Self::Recipient => Event::Recipient {
                index: number.wrapping_sub(FIRST_RECIPIENT) as usize,
                reply,
            },
            Self::Content => Event::Content,
            Self::ChunkRefused => Event::ChunkRefused { reply },
            Self::Delivered => Event::Delivered { reply },
            #[cfg(feature = "mta")]
            Self::Verdict { index, last } => Event::Verdict { index, reply, last },
            Self::Rejected => Event::NotDelivered {
                stage,
                reply: Some(reply),
            },
            Self::NotDelivered => Event::NotDelivered {
                stage: failed_at.unwrap_or(stage),
                reply: None,
            },
            Self::Answer => Event::Answer { reply },
            Self::Closed => Event::Closed,
        })
    }
}

/// A command besides those that send mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a>(Kind<'a>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind<'a> {
    Noop,
    Rset,
    Vrfy(&'a str),
    Expn(&'a str),
    Help(&'a str),
    #[cfg(feature = "mta")]
    Etrn(&'a str),
    #[cfg(feature = "mta")]
    XClient(&'a XClient<'a>),
}

/// The argument of a query can not be sent: it is empty, longer than 500
/// octets, not ASCII, or holds a control character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidQuery;

impl core::fmt::Display for InvalidQuery {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the argument is empty, too long, not ASCII or holds a control character")
    }
}

impl core::error::Error for InvalidQuery {}

impl<'a> Query<'a> {
    /// NOOP: is the connection alive?
    pub const NOOP: Self = Self(Kind::Noop);

    /// RSET between two transactions.
    pub const RSET: Self = Self(Kind::Rset);

    /// VRFY: is this a mailbox? (RFC 5321, section 3.5)
    ///
    /// # Errors
    /// [`InvalidQuery`] if the argument can not be sent.
    pub fn vrfy(mailbox: &'a str) -> Result<Self, InvalidQuery> {
        check(mailbox).map(|mailbox| Self(Kind::Vrfy(mailbox)))
    }

    /// EXPN: who is on this list? (RFC 5321, section 3.5)
    ///
    /// # Errors
    /// [`InvalidQuery`] if the argument can not be sent.
    pub fn expn(list: &'a str) -> Result<Self, InvalidQuery> {
        check(list).map(|list| Self(Kind::Expn(list)))
    }

    /// HELP, on a subject or in general (RFC 5321, section 4.1.1.8).
    ///
    /// # Errors
    /// [`InvalidQuery`] if the argument can not be sent.
    pub fn help(subject: Option<&'a str>) -> Result<Self, InvalidQuery> {
        let subject = subject.map_or(Ok(""), check)?;
        Ok(Self(Kind::Help(subject)))
    }

    /// ETRN: send what is queued for a node, such as `example.org`, `@example.org` for
    /// the domain with all below it, or `#queue` (RFC 1985). Needs ETRN.
    ///
    /// # Errors
    /// [`InvalidQuery`] if the node can not be sent.
    #[cfg(feature = "mta")]
    pub fn etrn(node: &'a str) -> Result<Self, InvalidQuery> {
        match crate::wire::command::node(node.as_bytes()) {
            Ok(node) => Ok(Self(Kind::Etrn(node))),
            Err(_) => Err(InvalidQuery),
        }
    }

    /// XCLIENT: says for whom the client connects. Needs XCLIENT. If it is accepted, the
    /// session begins anew: after [`Event::Answer`] with 220 come EHLO, AUTH if there
    /// are credentials, and [`Event::Ready`]. For SCRAM new entropy is wanted then.
    #[cfg(feature = "mta")]
    pub const fn xclient(attributes: &'a XClient<'a>) -> Self {
        Self(Kind::XClient(attributes))
    }

    /// What the server must offer for it.
    #[cfg(feature = "mta")]
    pub(super) const fn requires(self) -> Option<(Extension, Requirement)> {
        match self.0 {
            Kind::Etrn(_) => Some((Extension::Etrn, Requirement::Etrn)),
            Kind::XClient(_) => Some((Extension::XClient, Requirement::XClient)),
            _ => None,
        }
    }

    /// Whether the session begins anew if it is accepted.
    pub(super) const fn begins_anew(self) -> bool {
        #[cfg(feature = "mta")]
        return matches!(self.0, Kind::XClient(_));
        #[cfg(not(feature = "mta"))]
        false
    }

    pub(super) const fn command(self) -> Command<'a> {
        match self.0 {
            Kind::Noop => Command::Noop,
            Kind::Rset => Command::Rset,
            Kind::Vrfy(argument) => Command::Vrfy(argument),
            Kind::Expn(argument) => Command::Expn(argument),
            Kind::Help(argument) => Command::Help(argument),
            #[cfg(feature = "mta")]
            Kind::Etrn(argument) => Command::Etrn(argument),
            #[cfg(feature = "mta")]
            Kind::XClient(attributes) => Command::XClient(*attributes),
        }
    }
}

fn check(argument: &str) -> Result<&str, InvalidQuery> {
    let printable = argument.bytes().all(|b| matches!(b, b' '..=b'~'));
    if argument.is_empty() || argument.len() > 500 || !printable {
        return Err(InvalidQuery);
    }
    Ok(argument)
}
