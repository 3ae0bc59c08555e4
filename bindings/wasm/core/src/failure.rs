//! Errors of the core, and what is wrong with a call.

use crate::codec::Answer;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use sansmtp::Error;

/// Why an operation was not carried out.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// An argument is wrong.
    Argument(String),
    /// The machine does not do this now.
    Machine(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Machine(error)
    }
}

/// An argument is wrong, in the words of whatever says so.
pub(crate) fn argument<E: Display>(error: E) -> Refusal {
    words(&error)
}

#[inline(never)]
fn words(error: &dyn Display) -> Refusal {
    Refusal::Argument(error.to_string())
}

/// The answer as it crosses the border.
#[inline(never)]
pub(crate) fn finish(answer: Answer, refusal: Option<Refusal>) -> Vec<u8> {
    let mut refused = Answer::default();
    match refusal {
        None => return answer.0,
        Some(Refusal::Argument(text)) => {
            refused.byte(1);
            refused.text(&text);
        }
        Some(Refusal::Machine(error)) => {
            refused.byte(2);
            failure(&mut refused, &error);
        }
    }
    refused.0
}

/// The error as `Failure` of the TypeScript layer. Enumerations go by their place in the core;
/// `src/names.ts` has the names.
#[inline(never)]
pub(crate) fn failure(answer: &mut Answer, error: &Error) {
    let (kind, detail, code, enhanced) = match *error {
        Error::Refused { code, enhanced, .. } => (0, 0, code.get(), enhanced),
        Error::Peer { fault, .. } => (1, fault as u8, 0, None),
        Error::Unmet(requirement) => (2, requirement as u8, 0, None),
        Error::Misuse(misuse) => (3, misuse as u8, 0, None),
        Error::Timeout { .. } => (4, 0, 0, None),
        Error::Closed { .. } => (5, 0, 0, None),
        _ => (6, 0, 0, None),
    };
    answer.byte(kind);
    answer.byte(detail);
    answer.number(f64::from(code));
    if let Some(enhanced) = answer.some(enhanced) {
        answer.shown(&enhanced);
    }
    if let Some(stage) = answer.some(error.stage()) {
        answer.byte(stage as u8);
    }
    answer.flag(error.outcome_unknown());
    answer.flag(error.is_temporary());
    answer.byte(error.actor() as u8);
    answer.shown(error);
    answer.text(error.next_step());
}

/// Nothing, or what went wrong, for what the peer or the time has done.
pub(crate) fn told(answer: &mut Answer, result: Result<(), Error>) {
    if let Some(error) = answer.some(result.err()) {
        failure(answer, &error);
    }
}
