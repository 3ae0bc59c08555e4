//! The ready-made handler: takes mail for some domains into one Maildir.

use super::envelope::MailEnvelope;
use super::handler::{Body, Handler, Refusal, Verdict};
use super::info::SessionInfo;
use super::reply::OwnedReply;
use super::return_path::Filter;
use super::trace;
use super::users::Users;
use crate::maildir::{Delivery, Maildir};
use sansmtp::auth::StoredKeys;
use sansmtp::server::{KeysWanted, Login};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::param::RcptParameters;
use sansmtp::wire::path::ForwardPath;
use std::io;
use tracing::error;

/// What becomes of mail for domains that are not ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relay {
    /// It is refused.
    #[default]
    Deny,
    /// It is taken from users that have authenticated. It goes into the Maildir
    /// as well; nothing is sent on.
    Authenticated,
}

/// Takes mail for some domains into one Maildir, in one copy per message.
///
/// A recipient is accepted if the domain, or address literal, behind its last
/// `@` is one of ours, letter case aside, or if it is the bare `<Postmaster>`.
/// All others are refused with 550 5.7.1, unless [`Relay`] says otherwise.
/// The stored file begins with trace fields: Return-Path, a Delivered-To for each
/// accepted recipient, Received. Behind them come the octets of the message as
/// they were received, CR LF included, but without Return-Path fields of its own (RFC
/// 5321, section 4.4).
#[derive(Debug)]
pub struct MaildirHandler {
    maildir: Maildir,
    hostname: String,
    domains: Vec<String>,
    users: Users,
    relay: Relay,
}

/// The content of one message on its way into the Maildir.
#[derive(Debug)]
pub struct MaildirBody {
    delivery: Delivery,
    filter: Filter,
    session: String,
    id: String,
}

impl MaildirHandler {
    /// A handler that stores into `maildir`, but accepts mail for nobody but
    /// `<Postmaster>`. `hostname` is this host's name in Received.
    pub fn new(maildir: Maildir, hostname: &str) -> Self {
        Self {
            maildir,
            hostname: hostname.to_owned(),
            domains: Vec::new(),
            users: Users::new(),
            relay: Relay::Deny,
        }
    }

    /// The same, but mail for this domain or address literal is accepted.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.domains.push(domain.to_owned());
        self
    }

    /// The same with users that can authenticate.
    #[must_use]
    pub fn users(mut self, users: Users) -> Self {
        self.users = users;
        self
    }

    /// The same with another answer to mail for strangers.
    #[must_use]
    pub fn relay(mut self, relay: Relay) -> Self {
        self.relay = relay;
        self
    }

    fn is_ours(&self, forward_path: ForwardPath<'_>) -> bool {
        match forward_path {
            ForwardPath::Postmaster => true,
            ForwardPath::Mailbox(mailbox) => self
                .domains
                .iter()
                .any(|domain| domain.eq_ignore_ascii_case(mailbox.domain())),
        }
    }
}

impl Handler for MaildirHandler {
    type Body = MaildirBody;

    async fn auth(&self, _: &SessionInfo, login: &Login<'_>) -> Verdict {
        self.users.verdict(login)
    }

    async fn scram_keys(&self, _: &SessionInfo, wanted: &KeysWanted<'_>) -> Option<StoredKeys> {
        self.users.keys(wanted.user, wanted.hash)
    }

    async fn recipient(
        &self,
        session: &SessionInfo,
        forward_path: ForwardPath<'_>,
        _: &RcptParameters<'_>,
    ) -> Verdict {
        let trusted = session.user.is_some() && self.relay == Relay::Authenticated;
        if trusted || self.is_ours(forward_path) {
            Verdict::Accept
        } else {
            OwnedReply::relaying_denied().into()
        }
    }

    async fn data(
        &self,
        session: &SessionInfo,
        envelope: &MailEnvelope,
    ) -> Result<MaildirBody, Refusal> {
        let id = format!("{}.{}", session.id, session.messages + 1);
        let fail = |error| failure(&session.id, &error);
        let mut delivery = self.maildir.begin().await.map_err(fail)?;
        let fields = trace::fields(session, envelope, &self.hostname, &id);
        delivery.write(fields.as_bytes()).await.map_err(fail)?;
        Ok(MaildirBody {
            delivery,
            filter: Filter::new(),
            session: session.id.clone(),
            id,
        })
    }
}

impl Body for MaildirBody {
    async fn write(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        let passed = self.filter.pass(chunk);
        let written = self.delivery.write(passed.as_ref()).await;
        written.map_err(|error| failure(&self.session, &error).into())
    }

    async fn finish(mut self) -> Verdict {
        let written = self.delivery.write(&self.filter.rest()).await;
        let committed = match written {
            Ok(()) => self.delivery.commit().await,
            Err(error) => Err(error),
        };
        match committed {
            Ok(_) => {
                let text = format!("Stored as {}", self.id);
                OwnedReply::new(250, EnhancedCode::new(2, 0, 0), text)
                    .map_or(Verdict::Accept, Verdict::Reply)
            }
            Err(error) => failure(&self.session, &error).into(),
        }
    }

    async fn abort(self) {
        self.delivery.abort().await;
    }
}

fn failure(session: &str, error: &io::Error) -> OwnedReply {
    error!(session, %error, "a message could not be stored");
    OwnedReply::storage_failure(error)
}
