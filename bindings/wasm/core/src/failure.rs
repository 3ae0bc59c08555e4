//! Errors of the core as plain objects, and exceptions.

use crate::names;
use crate::record::Record;
use alloc::string::ToString;
use sansmtp::Error;
use wasm_bindgen::{JsError, JsValue};

/// The error as an object; the TypeScript layer calls it `Failure`.
pub(crate) fn failure(error: &Error) -> JsValue {
    let record = match *error {
        Error::Refused { code, enhanced, .. } => Record::of("refused")
            .set("code", code.get())
            .set_some("enhanced", enhanced.map(|enhanced| enhanced.to_string())),
        Error::Peer { fault, .. } => Record::of("peer").set("fault", names::fault(fault)),
        Error::Unmet(requirement) => {
            Record::of("unmet").set("requirement", names::requirement(requirement))
        }
        Error::Misuse(misuse) => Record::of("misuse").set("misuse", names::misuse(misuse)),
        Error::Timeout { .. } => Record::of("timeout"),
        Error::Closed { .. } => Record::of("closed"),
        _ => Record::of("other"),
    };
    record
        .set_some("stage", error.stage().map(names::stage))
        .set("outcomeUnknown", error.outcome_unknown())
        .set("temporary", error.is_temporary())
        .set("actor", names::actor(error.actor()))
        .set("message", error.to_string().as_str())
        .set("nextStep", error.next_step())
        .done()
}

/// `undefined`, or what went wrong, for what the peer or the time has done.
pub(crate) fn told(error: Option<Error>) -> JsValue {
    error.map_or(JsValue::UNDEFINED, |error| failure(&error))
}

/// An exception if there is an error, for what the caller has done.
pub(crate) fn done(error: Option<Error>) -> Result<(), JsValue> {
    match error {
        None => Ok(()),
        Some(error) => Err(failure(&error)),
    }
}

/// The exception for a wrong argument, from whatever says what is wrong.
pub(crate) fn argument(error: impl core::fmt::Display) -> JsError {
    JsError::new(&error.to_string())
}
