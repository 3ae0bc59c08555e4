//! Who decides: the trait that a program implements.

use super::envelope::{MailEnvelope, MailRecipient};
use super::info::SessionInfo;
use super::reply::OwnedReply;
use sansmtp::auth::StoredKeys;
use sansmtp::server::{Bearer, Digest, Identity, KeysWanted, Login};
use sansmtp::wire::param::{MailParameters, RcptParameters};
use sansmtp::wire::path::{ForwardPath, ReversePath};
use sansmtp::wire::xclient::XClient;
use std::future::{Future, ready};

/// What a handler decides on one question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Yes, in the usual words.
    Accept,
    /// This reply: 2yz says yes, 4yz and 5yz say no, 421 also closes the
    /// connection; 3yz makes no sense here. Text beyond 1,024 octets is cut off.
    Reply(OwnedReply),
    /// Nothing: the connection is closed without a word.
    Close,
}

/// Why a handler does not take a message, or the rest of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Refusal {
    /// This reply, 4yz or 5yz.
    Reply(OwnedReply),
    /// The connection is closed without a word.
    Close,
}

impl Verdict {
    /// Whether it says yes.
    pub fn is_positive(&self) -> bool {
        match self {
            Self::Accept => true,
            Self::Reply(reply) => reply.is_positive(),
            Self::Close => false,
        }
    }
}

impl From<OwnedReply> for Verdict {
    fn from(reply: OwnedReply) -> Self {
        Self::Reply(reply)
    }
}

impl From<OwnedReply> for Refusal {
    fn from(reply: OwnedReply) -> Self {
        Self::Reply(reply)
    }
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Reply(reply) => Self::Reply(reply),
            Refusal::Close => Self::Close,
        }
    }
}

/// Decides who may send what to whom, and takes the content.
///
/// One handler serves all sessions at once; it keeps what belongs to a session
/// or message in its [`Body`], or under [`SessionInfo::id`]. Methods can be
/// written as `async fn`. While one is running the client waits, and its time
/// limits rest; a handler limits its own work.
///
/// The defaults greet everybody, let nobody authenticate, take every sender and
/// refuse every recipient.
pub trait Handler: Send + Sync + 'static {
    /// Where the content of one message goes.
    type Body: Body;

    /// A client connected (with implicit TLS: and the handshake is done). Refuse
    /// with 554, or with 421 to close at once.
    fn connect(&self, session: &SessionInfo) -> impl Future<Output = Verdict> + Send {
        let _ = session;
        ready(Verdict::Accept)
    }

    /// The client said EHLO or HELO; its name is in `session`.
    fn hello(&self, session: &SessionInfo) -> impl Future<Output = ()> + Send {
        let _ = session;
        ready(())
    }

    /// The client wants to authenticate with PLAIN or LOGIN. By default 535 5.7.8.
    fn auth(
        &self,
        session: &SessionInfo,
        login: &Login<'_>,
    ) -> impl Future<Output = Verdict> + Send {
        let _ = (session, login);
        ready(OwnedReply::bad_credentials().into())
    }

    /// SCRAM: the keys of a user, for the hash function that is wanted; `None` if
    /// there is no such user. The client then gets keys that look like others,
    /// with 4,096 iterations; if yours have more, return
    /// [`StoredKeys::pretend`]. By default there is nobody.
    fn scram_keys(
        &self,
        session: &SessionInfo,
        wanted: &KeysWanted<'_>,
    ) -> impl Future<Output = Option<StoredKeys>> + Send {
        let _ = (session, wanted);
        ready(None)
    }

    /// The client has proven who it is: may it act for whom it wants to? By
    /// default a user of SCRAM may act for itself only, and EXTERNAL is refused.
    fn authorize(
        &self,
        session: &SessionInfo,
        identity: &Identity<'_>,
    ) -> impl Future<Output = Verdict> + Send {
        let _ = session;
        let for_self = identity.authorization.is_empty() || identity.authorization == identity.user;
        ready(if for_self && !identity.user.is_empty() {
            Verdict::Accept
        } else {
            OwnedReply::bad_credentials().into()
        })
    }

    /// The client shows a token of XOAUTH2 or OAUTHBEARER. By default 535 5.7.8.
    fn bearer(
        &self,
        session: &SessionInfo,
        bearer: &Bearer<'_>,
    ) -> impl Future<Output = Verdict> + Send {
        let _ = (session, bearer);
        ready(OwnedReply::bad_credentials().into())
    }

    /// The client authenticates with CRAM-MD5. By default 535 5.7.8.
    fn digest(
        &self,
        session: &SessionInfo,
        digest: &Digest<'_>,
    ) -> impl Future<Output = Verdict> + Send {
        let _ = (session, digest);
        ready(OwnedReply::bad_credentials().into())
    }

    /// MAIL: may this sender send?
    fn sender(
        &self,
        session: &SessionInfo,
        reverse_path: ReversePath<'_>,
        parameters: &MailParameters<'_>,
    ) -> impl Future<Output = Verdict> + Send {
        let _ = (session, reverse_path, parameters);
        ready(Verdict::Accept)
    }

    /// RCPT: is there mail for this recipient? By default 550 5.7.1.
    fn recipient(
        &self,
        session: &SessionInfo,
        forward_path: ForwardPath<'_>,
        parameters: &RcptParameters<'_>,
    ) -> impl Future<Output = Verdict> + Send {
        let _ = (session, forward_path, parameters);
        ready(OwnedReply::relaying_denied().into())
    }

    /// DATA: opens the place for the content, or refuses with 4yz or 5yz.
    fn data(
        &self,
        session: &SessionInfo,
        envelope: &MailEnvelope,
    ) -> impl Future<Output = Result<Self::Body, Refusal>> + Send;

    /// VRFY. By default 252, which tells nothing.
    fn verify(&self, session: &SessionInfo, name: &str) -> impl Future<Output = Verdict> + Send {
        let _ = (session, name);
        ready(Verdict::Accept)
    }

    /// EXPN. By default 502.
    fn expand(&self, session: &SessionInfo, name: &str) -> impl Future<Output = Verdict> + Send {
        let _ = (session, name);
        ready(Verdict::Accept)
    }

    /// HELP. By default 214 with the commands.
    fn help(&self, session: &SessionInfo, subject: &str) -> impl Future<Output = Verdict> + Send {
        let _ = (session, subject);
        ready(Verdict::Accept)
    }

    /// ETRN: shall what is queued for this node be sent? `@` before it stands for a
    /// domain with all below it, `#` for a queue. By default 459. Acceptance answers
    /// 250; see RFC 1985, section 5 for 251 to 253 and 458.
    fn etrn(&self, session: &SessionInfo, node: &str) -> impl Future<Output = Verdict> + Send {
        let _ = (session, node);
        ready(OwnedReply::not_queued().into())
    }

    /// XCLIENT: a listed balancer says for whom it connects. If that is accepted, which
    /// is the default, `session` is changed, and [`Handler::connect`] is asked again.
    fn xclient(
        &self,
        session: &SessionInfo,
        attributes: &XClient<'_>,
    ) -> impl Future<Output = Verdict> + Send {
        let _ = (session, attributes);
        ready(Verdict::Accept)
    }

    /// The connection is over.
    fn closed(&self, session: &SessionInfo) -> impl Future<Output = ()> + Send {
        let _ = session;
        ready(())
    }
}

/// Takes the content of one message.
///
/// Either [`Body::finish`] is called, once, or the message is void: then
/// [`Body::abort`] is called, or the value is just dropped when the session is
/// torn down. Dropping must therefore undo what was begun.
pub trait Body: Send + Sized {
    /// Takes the next octets of the content, in their order, without the dots
    /// that were added on the way. Lines end with CR LF.
    ///
    /// # Errors
    /// The message is refused at its end with that reply, 4yz or 5yz. The body is
    /// dropped at once; the rest of the content is thrown away.
    fn write(&mut self, chunk: &[u8]) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// The content is complete and within the limits. A positive verdict takes
    /// over the responsibility for the message (RFC 5321, section 6.1): it must
    /// not get lost after that.
    fn finish(self) -> impl Future<Output = Verdict> + Send;

    /// The same in LMTP: one verdict for each recipient, in the order of `recipients`.
    /// By default all get that of [`Body::finish`].
    fn finish_each(
        self,
        recipients: &[MailRecipient],
    ) -> impl Future<Output = Vec<Verdict>> + Send {
        let count = recipients.len();
        async move { vec![self.finish().await; count] }
    }

    /// The message is void.
    fn abort(self) -> impl Future<Output = ()> + Send {
        drop(self);
        ready(())
    }
}
