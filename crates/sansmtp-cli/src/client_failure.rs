//! Errors of the client as failures of the command, with exit codes by who has
//! to act.

use crate::exit::Exit;
use crate::failure::Failure;
use sansmtp::envelope::Outcome;
use sansmtp::error::{Error as CoreError, Requirement, Stage};
use sansmtp::wire::reply::Class;
use sansmtp_tokio::client::{DialogueError, Error, Report, TlsFault};

/// What a client's error means for the one who typed the command.
pub(crate) fn failure(error: &Error) -> Failure {
    let next = match error {
        Error::Tls(tls) if tls.fault == TlsFault::Untrusted => {
            "if the server is yours, trust its certificate with --ca FILE; else check the host"
        }
        _ => error.next_step(),
    };
    let failure = Failure::new(exit(error), error, next);
    match error.explanation() {
        Some(explanation) => failure.explained(explanation.meaning, explanation.url),
        None => failure,
    }
}

/// A message that some recipients were refused for.
pub(crate) fn partial(report: &Report) -> Failure {
    let all = report.recipients.len();
    let refused: Vec<_> = report.refused().collect();
    let exit = match refused_for_good(report) == 0 {
        true => Exit::TempFail,
        false => Exit::NoUser,
    };
    let next = match exit {
        Exit::TempFail => "send it again later to those that were refused, and to nobody else",
        _ => "correct the addresses, and send it again to those that were refused only",
    };
    let verb = if refused.len() == 1 { "was" } else { "were" };
    let what = format!("{} of {all} recipients {verb} refused", refused.len());
    let failure = Failure::new(exit, what, next);
    match refused.first().and_then(|first| report.explanation(first)) {
        Some(explanation) => failure.explained(explanation.meaning, explanation.url),
        None => failure,
    }
}

/// The number of recipients that will be refused again.
fn refused_for_good(report: &Report) -> usize {
    let refused = report.refused();
    refused
        .filter(|recipient| match recipient.outcome {
            Outcome::Refused { code, .. } => code.class() == Class::Permanent,
            _ => false,
        })
        .count()
}

fn exit(error: &Error) -> Exit {
    match error {
        Error::TrustRoots(_) => Exit::Config,
        Error::Lookup(_) => Exit::NoHost,
        Error::Connect(_) => Exit::Unavailable,
        Error::Tls(tls) => match tls.fault {
            TlsFault::Closed => Exit::TempFail,
            TlsFault::NotTls | TlsFault::NothingInCommon | TlsFault::Alert | TlsFault::Other => {
                Exit::Protocol
            }
            _ => Exit::NoPermission,
        },
        _ if error.outcome_unknown() => Exit::Io,
        Error::SessionRefused(_) | Error::NotDelivered(_) if error.is_temporary() => Exit::TempFail,
        Error::SessionRefused(refused) => match refused.stage() {
            Stage::Auth => Exit::NoPermission,
            _ => Exit::Unavailable,
        },
        Error::NotDelivered(_) => match error.stage() {
            Some(Stage::Mail) => Exit::NoPermission,
            Some(Stage::Rcpt) => Exit::NoUser,
            _ => Exit::Data,
        },
        Error::Dialogue(dialogue) => of_dialogue(dialogue),
        Error::Content(_) => Exit::NoInput,
        _ => Exit::Software,
    }
}

fn of_dialogue(dialogue: &DialogueError) -> Exit {
    match dialogue.error {
        CoreError::Peer { .. } => Exit::Protocol,
        CoreError::Timeout { .. } | CoreError::Closed { .. } => Exit::TempFail,
        CoreError::Unmet(requirement) => match requirement {
            Requirement::Size | Requirement::SmtpUtf8 | Requirement::EightBitMime => Exit::Data,
            Requirement::Recipient => Exit::Usage,
            _ => Exit::Config,
        },
        CoreError::Refused { code, .. } if code.get() < 500 => Exit::TempFail,
        CoreError::Refused { .. } => Exit::Unavailable,
        _ => Exit::Software,
    }
}
