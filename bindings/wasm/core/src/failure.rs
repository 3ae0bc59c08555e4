//! Errors of the core, and what is wrong with a call.

use crate::codec::Answer;
use core::fmt::Display;
use sansmtp::Error;

/// The operation was not carried out; the answer says why.
#[derive(Debug)]
pub(crate) struct Refused;

impl Answer {
    /// Says what is wrong with an argument, in place of all that was written.
    pub(crate) fn refuse(&mut self, why: &str) -> Refused {
        self.begin_anew(1);
        self.text(why);
        Refused
    }

    /// The same in the words of an error, behind these words.
    #[inline(never)]
    pub(crate) fn refuse_by(&mut self, words: &[&str], error: &dyn Display) -> Refused {
        self.begin_anew(1);
        self.measured(|answer| {
            for word in words {
                answer.raw(word.as_bytes());
            }
            answer.show(error);
        });
        Refused
    }

    /// What was made of an argument, unless it is wrong.
    pub(crate) fn checked<T, E: Display>(&mut self, made: Result<T, E>) -> Result<T, Refused> {
        made.map_err(|error| self.refuse_by(&[], &error))
    }

    /// Says why the machine does not do this now, if so.
    #[inline(never)]
    pub(crate) fn called(&mut self, result: Result<(), Error>) -> Result<(), Refused> {
        result.map_err(|error| {
            self.begin_anew(2);
            failure(self, &error);
            Refused
        })
    }
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
