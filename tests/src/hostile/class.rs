//! Classes of the client's errors: what a program that sends mail has to tell apart.

use sansmtp::error::{Error as CoreError, Requirement, Stage};
use sansmtp_tokio::client::Error;

/// The message was delivered to everybody.
pub const NONE: &str = "none";
/// Some recipients were refused.
pub const PARTIAL: &str = "partial";
/// The server refuses, and will again.
pub const REJECTED: &str = "rejected";
/// The server refuses for now.
pub const TRANSIENT: &str = "transient";
/// AUTH failed or can not be done.
pub const AUTH: &str = "auth";
/// TLS failed or can not be done.
pub const TLS: &str = "tls";
/// The server broke the protocol.
pub const PROTOCOL: &str = "protocol";
/// The server took too long.
pub const TIMEOUT: &str = "timeout";
/// The connection was lost.
pub const CLOSED: &str = "closed";
/// The message may have been accepted or not.
pub const UNKNOWN: &str = "unknown-outcome";
/// The server does not take addresses outside of ASCII.
pub const SMTPUTF8: &str = "smtputf8";
/// The message is too large.
pub const SIZE: &str = "size";
/// What is to be sent can not be sent by anybody.
pub const INVALID: &str = "invalid-input";
/// Something else that the server does not offer.
pub const UNMET: &str = "unmet";
/// Something else.
pub const OTHER: &str = "other";

/// The class of an error of the mailer.
pub fn of(error: &Error) -> &'static str {
    match error {
        _ if error.outcome_unknown() => UNKNOWN,
        Error::Tls(_) | Error::TrustRoots(_) => TLS,
        Error::SessionRefused(_) if error.stage() == Some(Stage::Auth) => AUTH,
        Error::SessionRefused(_) | Error::NotDelivered(_) => refusal(error.is_temporary()),
        Error::Dialogue(error) => of_core(&error.error),
        _ => OTHER,
    }
}

/// The class of an error of the machine.
pub fn of_core(error: &CoreError) -> &'static str {
    match error {
        _ if error.outcome_unknown() => UNKNOWN,
        CoreError::Unmet(requirement) => match requirement {
            Requirement::StartTls | Requirement::TlsForPassword => TLS,
            Requirement::Auth | Requirement::Mechanism => AUTH,
            Requirement::SmtpUtf8 => SMTPUTF8,
            Requirement::Size => SIZE,
            _ => UNMET,
        },
        CoreError::Timeout { .. } => TIMEOUT,
        CoreError::Closed { .. } => CLOSED,
        _ if error.stage() == Some(Stage::Auth) => AUTH,
        CoreError::Refused { .. } => refusal(error.is_temporary()),
        CoreError::Peer { stage, .. } if *stage == Stage::StartTls => TLS,
        CoreError::Peer { .. } => PROTOCOL,
        _ => OTHER,
    }
}

/// The class of a refusal.
pub const fn refusal(temporary: bool) -> &'static str {
    if temporary { TRANSIENT } else { REJECTED }
}
