//! The envelope as far as it was accepted.

use sansmtp::wire::handling::Handling;
use sansmtp::wire::param::{Body, MailParameters, Notify, RcptParameters, Ret};
use sansmtp::wire::path::{ForwardPath, ReversePath};

/// The envelope of a transaction: what was accepted so far.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailEnvelope {
    /// Whom failures are reported to; empty for nobody.
    pub reverse_path: String,
    /// The declared size in octets (RFC 1870).
    pub size: Option<u64>,
    /// The declared kind of content.
    pub body: Option<Body>,
    /// Addresses or headers are in UTF-8 (RFC 6531).
    pub smtputf8: bool,
    /// How much of the message a report returns (RFC 3461).
    pub ret: Option<Ret>,
    /// The sender's name for the transaction, in xtext form (RFC 3461).
    pub envid: Option<String>,
    /// How the message is to be handled on its way: REQUIRETLS, DELIVERBY,
    /// FUTURERELEASE, MT-PRIORITY.
    pub handling: Handling,
    /// The recipients that were accepted, in the order of their commands.
    pub recipients: Vec<MailRecipient>,
}

/// A recipient that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailRecipient {
    /// The address, or `Postmaster`.
    pub address: String,
    /// When the sender wants a report (RFC 3461).
    pub notify: Option<Notify>,
    /// The original recipient as `addr-type ";" xtext` (RFC 3461).
    pub orcpt: Option<String>,
}

impl MailEnvelope {
    /// An envelope without recipients, in the memory of one that is not needed any
    /// more.
    pub(super) fn new(
        mut used: Option<Box<Self>>,
        reverse_path: ReversePath<'_>,
        parameters: &MailParameters<'_>,
    ) -> Box<Self> {
        let taken = used.as_mut().map(|used| {
            let path = std::mem::take(&mut used.reverse_path);
            (path, std::mem::take(&mut used.recipients))
        });
        let (mut path, mut recipients) = taken.unwrap_or_default();
        path.clear();
        path.push_str(reverse_path.as_str());
        recipients.clear();
        // Few have more; an idle session keeps little.
        recipients.shrink_to(16);
        let envelope = Self {
            reverse_path: path,
            size: parameters.size,
            body: parameters.body,
            smtputf8: parameters.smtputf8,
            ret: parameters.ret,
            envid: parameters.envid.map(|envid| envid.as_str().to_owned()),
            handling: parameters.handling,
            recipients,
        };
        match used {
            Some(mut place) => {
                *place = envelope;
                place
            }
            None => Box::new(envelope),
        }
    }
}

impl MailRecipient {
    pub(super) fn new(forward_path: ForwardPath<'_>, parameters: &RcptParameters<'_>) -> Self {
        Self {
            address: forward_path.as_str().to_owned(),
            notify: parameters.notify,
            orcpt: parameters
                .orcpt
                .map(|orcpt| format!("{};{}", orcpt.addr_type(), orcpt.address().as_str())),
        }
    }
}
