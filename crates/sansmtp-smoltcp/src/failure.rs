//! Why a mail was not delivered.

use crate::content::ContentError;
use core::fmt;
use sansmtp::Error;

/// Why an attempt to send failed, and whether the mail may have arrived nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub reason: Reason,
    /// The end of the message was sent, but no verdict arrived: the server may have taken it. It is never
    /// sent again without being asked, since it could arrive twice (RFC 5321, section 4.5.4.1).
    pub outcome_unknown: bool,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The server's name could not be resolved.
    NameNotResolved,
    /// No connection could be made, or it took too long.
    NotConnected,
    /// The configuration asks for TLS, and this driver has none.
    NoTls,
    /// TLS failed, or the server could not be verified.
    #[cfg(feature = "tls")]
    Tls(crate::tls::TlsFailure),
    /// The dialogue failed.
    Smtp(Error),
    /// The message could not be produced.
    Content(ContentError),
}

impl Failure {
    pub(crate) const fn before_content(reason: Reason) -> Self {
        Self {
            reason,
            outcome_unknown: false,
        }
    }

    /// Whether the same mail may be sent again, now or later, without being delivered twice.
    pub const fn may_retry(&self) -> bool {
        !self.outcome_unknown
            && match &self.reason {
                Reason::NameNotResolved | Reason::NotConnected => true,
                Reason::Smtp(error) => error.is_temporary(),
                Reason::NoTls | Reason::Content(_) => false,
                // Who can not be verified now will not be later, or is somebody else.
                #[cfg(feature = "tls")]
                Reason::Tls(_) => false,
            }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason, f)
    }
}

impl core::error::Error for Failure {}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameNotResolved => "the name of the server could not be resolved",
            Self::NotConnected => "no connection to the server could be made",
            Self::NoTls => "the configuration asks for TLS, which this driver does not have",
            #[cfg(feature = "tls")]
            Self::Tls(failure) => return fmt::Display::fmt(failure, f),
            Self::Smtp(error) => return fmt::Display::fmt(error, f),
            Self::Content(error) => return fmt::Display::fmt(error, f),
        })
    }
}
