//! A reply with text of its own, and the policy replies that handlers need.

use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::{Class, InvalidReply, Reply};
use std::borrow::Cow;
use std::io;

/// A [`Reply`] with text of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedReply {
    code: u16,
    enhanced: Option<EnhancedCode>,
    text: Cow<'static, str>,
}

impl OwnedReply {
    /// A reply. `\n` in the text stands between two lines.
    ///
    /// # Errors
    /// [`InvalidReply`] names the part that can not be sent.
    pub fn new(
        code: u16,
        enhanced: Option<EnhancedCode>,
        text: impl Into<Cow<'static, str>>,
    ) -> Result<Self, InvalidReply> {
        let text = text.into();
        Reply::new(code, enhanced, &text)?;
        Ok(Self {
            code,
            enhanced,
            text,
        })
    }

    const fn fixed(code: u16, class: u8, subject: u16, detail: u16, text: &'static str) -> Self {
        Self {
            code,
            enhanced: EnhancedCode::new(class, subject, detail),
            text: Cow::Borrowed(text),
        }
    }

    /// 550 5.7.1: mail for this recipient is not taken from this client.
    pub const fn relaying_denied() -> Self {
        Self::fixed(550, 5, 7, 1, "Relaying denied")
    }

    /// 535 5.7.8: wrong user name or password (RFC 4954, section 6).
    pub const fn bad_credentials() -> Self {
        Self::fixed(535, 5, 7, 8, "Authentication credentials invalid")
    }

    /// 421 4.7.0: the connection is closed, since there are too many.
    pub const fn too_many_connections() -> Self {
        Self::fixed(421, 4, 7, 0, "Too many connections, try again later")
    }

    /// 459 4.7.1: nothing is queued for that node (RFC 1985, section 5).
    pub const fn not_queued() -> Self {
        Self::fixed(459, 4, 7, 1, "Nothing is queued for that node")
    }

    /// 452 4.3.1: there is no room for the message (RFC 3463, section 3.4).
    pub const fn insufficient_storage() -> Self {
        Self::fixed(452, 4, 3, 1, "Insufficient system storage")
    }

    /// 451 4.3.0: something is wrong on this side; the same may work later.
    pub const fn local_error() -> Self {
        Self::fixed(451, 4, 3, 0, "Local error in processing, try again later")
    }

    /// The reply that fits a failed write: 452 if there is no room, else 451.
    pub fn storage_failure(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::insufficient_storage(),
            _ => Self::local_error(),
        }
    }

    /// The borrowed form.
    pub fn as_reply(&self) -> Reply<'_> {
        Reply::new(self.code, self.enhanced, &self.text).expect("checked when it was made")
    }

    /// Whether it says yes: 2yz.
    pub fn is_positive(&self) -> bool {
        self.as_reply().code().class() == Class::Positive
    }

    /// Whether it says no: 4yz or 5yz.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.as_reply().code().class(),
            Class::Transient | Class::Permanent
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_replies_can_be_sent() {
        for reply in [
            OwnedReply::relaying_denied(),
            OwnedReply::bad_credentials(),
            OwnedReply::too_many_connections(),
            OwnedReply::insufficient_storage(),
            OwnedReply::local_error(),
            OwnedReply::not_queued(),
        ] {
            assert!(reply.is_refusal() && !reply.is_positive());
            let again = OwnedReply::new(reply.code, reply.enhanced, reply.text.clone());
            assert_eq!(again, Ok(reply));
        }
        assert_eq!(
            OwnedReply::new(250, None, "a\rb"),
            Err(InvalidReply::Control)
        );
    }
}
