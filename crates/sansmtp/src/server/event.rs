//! What a server says to its driver, and what it asks.

#[cfg(feature = "scram")]
use super::session::LOCAL_ERROR;
use super::session::{Asked, Session};
use crate::auth::Secret;
use crate::capability::Mechanism;
use crate::wire::param::{MailParameters, RcptParameters};
use crate::wire::path::{ForwardPath, ReversePath};
use crate::wire::reply::Reply;
#[cfg(feature = "mta")]
use crate::wire::xclient::{Attribute, XClient};

/// What happened in the dialogue.
///
/// When the connection ends, a transaction that has got no verdict is void.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The driver has to decide. Until it does, no further input is taken.
    Request(Request<'a>),
    /// The client said hello, by EHLO if `extended`. An open transaction is void.
    Hello {
        /// What the client calls itself. Nothing is proven by it.
        name: &'a str,
        /// EHLO, not HELO.
        extended: bool,
    },
    /// A stretch of the content, without the dots that were added on the way.
    Content(&'a [u8]),
    /// The transaction is void: drop what came of its content.
    Reset,
    /// TLS was agreed: transmit what is left, do the handshake, then call
    /// [`Machine::tls_established`](crate::Machine::tls_established).
    StartTls,
}

/// What the driver has to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Query<'a> {
    /// A client connected: shall it be greeted? A refusal is 554, or 421 to close
    /// at once.
    Connect,
    /// A client wants to authenticate.
    Authenticate(Login<'a>),
    /// A client shows a token of XOAUTH2 or OAUTHBEARER.
    Bearer(Bearer<'a>),
    /// A client has proven who it is, by SCRAM or by EXTERNAL: may it act for whom
    /// it wants to?
    Authorize(Identity<'a>),
    /// SCRAM needs the keys of a user:
    /// [`Request::answer_with_keys`]. Acceptance answers 454.
    #[cfg(feature = "scram")]
    Keys(KeysWanted<'a>),
    /// A client answers the challenge of CRAM-MD5.
    #[cfg(feature = "scram")]
    Digest(Digest<'a>),
    /// MAIL: may this sender send?
    Mail {
        /// Whom failures are reported to.
        reverse_path: ReversePath<'a>,
        /// What the client declares.
        parameters: MailParameters<'a>,
    },
    /// RCPT: is there mail for this recipient?
    Recipient {
        /// Whom the mail is for.
        forward_path: ForwardPath<'a>,
        /// What the client declares.
        parameters: RcptParameters<'a>,
    },
    /// DATA: shall the content come?
    Data,
    /// The content is complete. A positive answer takes over the responsibility
    /// for the message (RFC 5321, section 6.1).
    Message {
        /// The size of the content in octets.
        size: u64,
    },
    /// The content is complete, in LMTP: what becomes of it for this recipient? Asked
    /// once for each recipient that was accepted, in their order. A positive answer
    /// takes over the responsibility for this recipient (RFC 2033, section 4.2).
    #[cfg(feature = "mta")]
    Delivery {
        /// Which of the accepted recipients, from 0.
        recipient: u16,
        /// The size of the content in octets.
        size: u64,
    },
    /// ETRN: shall what is queued for this node be sent? `@` before it stands for a
    /// domain with all below it, `#` for a queue. Acceptance answers 250; 251 to 253,
    /// 458 and 459 have meanings of their own (RFC 1985, section 5).
    #[cfg(feature = "mta")]
    Etrn(&'a str),
    /// XCLIENT: a balancer says for whom it connects. If that is accepted, the session
    /// begins anew, with [`Query::Connect`]; a client whose user is named counts as
    /// authenticated.
    #[cfg(feature = "mta")]
    XClient(XClient<'a>),
    /// VRFY. Acceptance answers 252, which tells nothing.
    Verify(&'a str),
    /// EXPN. Acceptance answers 502.
    Expand(&'a str),
    /// HELP. Acceptance answers 214 with the commands.
    Help(&'a str),
}

/// The credentials of PLAIN or LOGIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login<'a> {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// Whom the client wants to act for; empty for the user itself (RFC 4616).
    pub authorization: &'a str,
    /// The user.
    pub user: &'a str,
    /// The password. Compare it in constant time.
    pub password: Secret<'a>,
}

/// A token of XOAUTH2 or OAUTHBEARER (RFC 7628).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer<'a> {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The user that the token is said to be for; empty if only the token tells.
    pub user: &'a str,
    /// The access token.
    pub token: Secret<'a>,
}

/// Who a client is, proven by something that the driver need not check again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// Whom the client wants to act for; empty for the user itself.
    pub authorization: &'a str,
    /// The user. Empty with EXTERNAL, where the driver knows it: it is whom the
    /// client's certificate is for.
    pub user: &'a str,
}

/// Whose keys SCRAM needs.
#[cfg(feature = "scram")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysWanted<'a> {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The hash function that the keys must be for.
    pub hash: crate::auth::Hash,
    /// The user. If there is none of this name, answer with
    /// [`StoredKeys::pretend`](crate::auth::StoredKeys::pretend).
    pub user: &'a str,
    pub(super) nonce: &'a [u8],
}

/// A client's answer to the challenge of CRAM-MD5 (RFC 2195).
#[cfg(feature = "scram")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest<'a> {
    /// The user.
    pub user: &'a str,
    pub(super) challenge: &'a [u8],
    pub(super) digest: &'a str,
}

#[cfg(feature = "scram")]
impl Digest<'_> {
    /// Whether the client knows this password. Compares in constant time.
    pub fn proves(&self, password: Secret<'_>) -> bool {
        crate::auth::cram_md5::verify(password.reveal(), self.challenge, self.digest)
    }
}

/// Shows the user only: the rest lets passwords be tried.
#[cfg(feature = "scram")]
impl core::fmt::Debug for Digest<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Digest")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A question that waits for its answer.
///
/// Dropping it answers nothing: the session then waits for
/// [`Server::answer`](super::Server::answer).
#[derive(Debug)]
#[must_use = "the client waits for an answer"]
pub struct Request<'a> {
    pub(super) query: Query<'a>,
    pub(super) session: &'a mut Session,
    pub(super) buffer: &'a mut [u8],
}

impl<'a> Request<'a> {
    /// What is to be decided.
    pub fn query(&self) -> Query<'a> {
        self.query
    }

    /// Says yes in the usual words.
    pub fn accept(self) {
        self.session.accept();
    }

    /// Answers [`Query::Keys`]. Of another question it is a refusal with 451.
    #[cfg(feature = "scram")]
    pub fn answer_with_keys(self, keys: &crate::auth::StoredKeys) {
        match self.query {
            Query::Keys(wanted) => {
                self.session
                    .answer_with_keys(wanted.nonce, keys, self.buffer);
            }
            _ => self.session.refuse(LOCAL_ERROR),
        }
    }

    /// Answers with `reply`: 2yz (354 for DATA) says yes, 4yz and 5yz say no, 421
    /// also closes the connection. A yes to `Connect` goes out as 220, one to
    /// `Authenticate` as 235; any other 3yz as a refusal with 451. Without an
    /// enhanced code it goes out with the general one of its class, such as 5.0.0, but
    /// a greeting as it is. Text that does
    /// not fit into the reply buffer, or is longer than 3,500 octets, is cut off.
    pub fn answer(self, reply: &Reply<'_>) {
        self.session.answer(reply, self.buffer);
    }
}

impl Query<'_> {
    pub(super) fn asked(&self) -> Asked {
        match self {
            Self::Connect => Asked::Connect,
            Self::Authenticate(_) | Self::Authorize(_) => Asked::Authenticate,
            Self::Bearer(_) => Asked::Bearer,
            #[cfg(feature = "scram")]
            Self::Digest(_) => Asked::Authenticate,
            #[cfg(feature = "scram")]
            Self::Keys(_) => Asked::Keys,
            Self::Mail { .. } => Asked::Mail,
            Self::Recipient { .. } => Asked::Recipient,
            Self::Data => Asked::Data,
            Self::Message { .. } => Asked::Message,
            #[cfg(feature = "mta")]
            Self::Delivery { .. } => Asked::Delivery,
            #[cfg(feature = "mta")]
            Self::Etrn(_) => Asked::Etrn,
            #[cfg(feature = "mta")]
            Self::XClient(attributes) => {
                let login = attributes.login().and_then(Attribute::known);
                Asked::XClient {
                    login: login.is_some_and(|login| !login.as_str().is_empty()),
                }
            }
            Self::Verify(_) => Asked::Verify,
            Self::Expand(_) => Asked::Expand,
            Self::Help(_) => Asked::Help,
        }
    }
}
