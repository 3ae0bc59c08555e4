//! The envelope: who sends, who receives, and what the server is told of the
//! message (RFC 5321, section 2.3.1).

use crate::octets;
use crate::wire::enhanced::EnhancedCode;
#[cfg(feature = "mta")]
use crate::wire::handling::Handling;
#[cfg(all(feature = "client", feature = "extensions"))]
use crate::wire::param::RcptParameters;
#[cfg(feature = "extensions")]
use crate::wire::param::{Body, Notify, Orcpt, Ret, Xtext};
use crate::wire::path::{ForwardPath, InvalidAddress, ReversePath};
use crate::wire::reply::{Class, Code, ReplyLine};

/// One recipient of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient<'a> {
    /// The address.
    pub forward_path: ForwardPath<'a>,
    /// When to report on this recipient; needs DSN.
    #[cfg(feature = "extensions")]
    pub notify: Option<Notify>,
    /// The recipient as the first sender named it; needs DSN.
    #[cfg(feature = "extensions")]
    pub orcpt: Option<Orcpt<'a>>,
}

impl<'a> Recipient<'a> {
    /// The recipient at this address.
    ///
    /// # Errors
    /// [`InvalidAddress`] says which part of the address is wrong.
    pub fn parse(address: &'a str) -> Result<Self, InvalidAddress> {
        ForwardPath::parse(address).map(Self::from)
    }

    fn needs_smtputf8(&self) -> bool {
        #[cfg(feature = "extensions")]
        if self.orcpt.is_some_and(|orcpt| orcpt.needs_smtputf8()) {
            return true;
        }
        !octets::is_ascii(self.forward_path.as_str())
    }

    #[cfg(all(feature = "client", feature = "extensions"))]
    pub(crate) fn parameters(&self) -> RcptParameters<'a> {
        RcptParameters {
            notify: self.notify,
            orcpt: self.orcpt,
        }
    }
}

impl<'a> From<ForwardPath<'a>> for Recipient<'a> {
    fn from(forward_path: ForwardPath<'a>) -> Self {
        Self {
            forward_path,
            #[cfg(feature = "extensions")]
            notify: None,
            #[cfg(feature = "extensions")]
            orcpt: None,
        }
    }
}

/// Who sends, who receives, and what the server is told beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Whom failures are reported to.
    pub reverse_path: ReversePath<'a>,
    /// Whom the mail is for. At least one; at most 65,000.
    pub recipients: &'a [Recipient<'a>],
    /// The size of the message in octets, if it is known. It is declared where
    /// the server offers SIZE, and checked against the limit before anything is
    /// sent (RFC 1870).
    pub size: Option<u64>,
    /// What the content holds; `None` stands for ASCII.
    #[cfg(feature = "extensions")]
    pub body: Option<Body>,
    /// Whether headers are in UTF-8, so that SMTPUTF8 is needed. Addresses are
    /// looked at anyway.
    #[cfg(feature = "extensions")]
    pub smtputf8: bool,
    /// How much of the message a report returns; needs DSN.
    #[cfg(feature = "extensions")]
    pub ret: Option<Ret>,
    /// The sender's name for this transaction; needs DSN.
    #[cfg(feature = "extensions")]
    pub envid: Option<Xtext<'a>>,
    /// How the message is to be handled on its way. Each wish needs its extension,
    /// and REQUIRETLS needs TLS.
    #[cfg(feature = "mta")]
    pub handling: Handling,
}

impl<'a> Envelope<'a> {
    /// An envelope with no further wishes.
    pub const fn new(reverse_path: ReversePath<'a>, recipients: &'a [Recipient<'a>]) -> Self {
        Self {
            reverse_path,
            recipients,
            size: None,
            #[cfg(feature = "extensions")]
            body: None,
            #[cfg(feature = "extensions")]
            smtputf8: false,
            #[cfg(feature = "extensions")]
            ret: None,
            #[cfg(feature = "extensions")]
            envid: None,
            #[cfg(feature = "mta")]
            handling: Handling::NONE,
        }
    }

    /// Whether SMTPUTF8 is needed (RFC 6531, section 3.2; RFC 6533, section 3).
    pub fn needs_smtputf8(&self) -> bool {
        #[cfg(feature = "extensions")]
        if self.smtputf8 {
            return true;
        }
        let mut recipients = self.recipients.iter();
        !octets::is_ascii(self.reverse_path.as_str()) || recipients.any(Recipient::needs_smtputf8)
    }

    /// Whether DSN is needed (RFC 3461).
    #[cfg(feature = "extensions")]
    pub fn needs_dsn(&self) -> bool {
        self.ret.is_some()
            || self.envid.is_some()
            || self
                .recipients
                .iter()
                .any(|recipient| recipient.notify.is_some() || recipient.orcpt.is_some())
    }
}

/// What became of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The server took the message for this recipient: it said 250 in the end.
    Delivered,
    /// The server refused this recipient, or the message.
    Refused {
        /// The reply code.
        code: Code,
        /// The enhanced status code, if there was one.
        enhanced: Option<EnhancedCode>,
    },
    /// Nothing was handed over: the attempt ended before.
    NotSent,
    /// The connection was lost behind the final dot. The message may have been
    /// accepted or not.
    Unknown,
}

impl Outcome {
    /// Whether the server refused this recipient only since the message has too many:
    /// another transaction may do at once (RFC 5321, section 4.5.3.1.10).
    pub const fn wants_another_transaction(&self) -> bool {
        match self {
            Self::Refused { code, enhanced } => match enhanced {
                // 552 is what RFC 821 had for it.
                Some(enhanced) => {
                    enhanced.subject() == 5
                        && enhanced.detail() == 3
                        && matches!(code.get(), 452 | 552)
                }
                None => code.get() == 452,
            },
            _ => false,
        }
    }

    /// What a reply to MAIL, RCPT, DATA or the content makes of a recipient: the
    /// refusal, or `None` if the reply is no refusal.
    pub fn refused_by(reply: &ReplyLine<'_>) -> Option<Self> {
        match reply.code.class() {
            Class::Transient | Class::Permanent => Some(Self::Refused {
                code: reply.code,
                enhanced: reply.enhanced,
            }),
            Class::Positive | Class::Intermediate => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_recipients_for_one_transaction() {
        for (line, another) in [
            (&b"452 4.5.3 Too many recipients"[..], true),
            (b"452 too many", true),
            (b"552 5.5.3 Too many recipients", true),
            (b"552 too much mail data", false),
            (b"452 4.3.1 Insufficient system storage", false),
            (b"450 4.5.3 odd", false),
            (b"550 5.1.1 no such user", false),
        ] {
            let reply = ReplyLine::parse(line).unwrap();
            let outcome = Outcome::refused_by(&reply).unwrap();
            assert_eq!(outcome.wants_another_transaction(), another, "{reply}");
        }
        assert!(!Outcome::Delivered.wants_another_transaction());
    }

    #[test]
    fn only_refusals_refuse() {
        for (line, code) in [
            (&b"250 ok"[..], None),
            (b"251 2.1.5 will forward", None),
            (b"354 go on", None),
            (b"450 4.2.1 later", Some(450)),
            (b"550 5.1.1 no such user", Some(550)),
        ] {
            let reply = ReplyLine::parse(line).unwrap();
            let expected = code.map(|code| Outcome::Refused {
                code: Code::new(code).unwrap(),
                enhanced: reply.enhanced,
            });
            assert_eq!(Outcome::refused_by(&reply), expected);
        }
    }
}
