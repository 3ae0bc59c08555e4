//! For a log by defmt: what failed, without the formatting code of the core library.

use crate::content::ContentError;
use crate::failure::{Failure, Reason};
use defmt::{Format, Formatter, write};
use sansmtp::Error;

impl Format for Failure {
    fn format(&self, f: Formatter<'_>) {
        match self.outcome_unknown {
            true => write!(f, "{}; it may have arrived", self.reason),
            false => write!(f, "{}", self.reason),
        }
    }
}

impl Format for Reason {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::NameNotResolved => write!(f, "name not resolved"),
            Self::NotConnected => write!(f, "not connected"),
            Self::NoTls => write!(f, "no TLS in this driver"),
            #[cfg(feature = "tls")]
            Self::Tls(failure) => write!(f, "TLS: {}", failure),
            Self::Smtp(error) => smtp(*error, f),
            Self::Content(error) => write!(f, "content: {}", error),
        }
    }
}

impl Format for ContentError {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Unreadable => write!(f, "unreadable"),
            #[cfg(feature = "message-text")]
            Self::Write(_) => write!(f, "the message does not fit its declaration"),
        }
    }
}

#[cfg(feature = "tls")]
impl Format for crate::tls::TlsFailure {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Alert(number) => write!(f, "{} (alert {})", self.as_str(), number),
            _ => write!(f, "{}", self.as_str()),
        }
    }
}

#[cfg(feature = "tls")]
impl Format for crate::tls::CertificateError {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{}", self.as_str());
    }
}

fn smtp(error: Error, f: Formatter<'_>) {
    let stage = error.stage().map_or("", |stage| stage.name());
    match error {
        Error::Refused { code, .. } => write!(f, "refused {} with {}", stage, code.get()),
        Error::Timeout { .. } => write!(f, "time out at {}", stage),
        Error::Closed { .. } => write!(f, "connection lost at {}", stage),
        Error::Peer { .. } => write!(f, "protocol broken at {}", stage),
        Error::Unmet(_) => write!(f, "the server lacks what is required"),
        _ => write!(f, "misuse"),
    }
}
