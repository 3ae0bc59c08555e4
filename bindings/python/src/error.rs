//! Errors of the core as exceptions. The classes are defined in Python, in `sansmtp.exceptions`: an exception
//! class made here would need a newer stable ABI.

use std::fmt::Display;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};
use sansmtp::Error;
use sansmtp::error::{Actor, Requirement, Stage};
use sansmtp::provider::{self, Explanation, Provider, Refusal};

use crate::reply::Reply;

/// An exception of `sansmtp.exceptions` by the name of its class.
fn exception(py: Python<'_>, class: &str, message: &str, attributes: Bound<'_, PyDict>) -> PyErr {
    let raise = || -> PyResult<PyErr> {
        static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
        let module = MODULE.get_or_try_init(py, || {
            PyModule::import(py, intern!(py, "sansmtp.exceptions")).map(Bound::unbind)
        })?;
        let class = module.bind(py).getattr(PyString::new(py, class))?;
        Ok(PyErr::from_value(
            class.call((message,), Some(&attributes))?,
        ))
    };
    raise().unwrap_or_else(|error| error)
}

/// An exception about a value that can not be used.
pub(crate) fn invalid(py: Python<'_>, class: &str, message: impl Display) -> PyErr {
    exception(py, class, &message.to_string(), PyDict::new(py))
}

/// `ConfigError`, as [`invalid`].
pub(crate) fn config(py: Python<'_>) -> impl Fn(&dyn Display) -> PyErr {
    move |message| invalid(py, "ConfigError", message)
}

/// The exception for an error of a machine. `refusal` is the reply that the error came from, and `provider`
/// whose server it is, so that the advice can be as good as possible.
pub(crate) fn raise(
    py: Python<'_>,
    error: Error,
    refusal: Option<&Reply>,
    provider: Option<&Provider>,
) -> PyErr {
    let class = match error {
        Error::Refused {
            stage: Stage::Auth, ..
        } => "AuthenticationError",
        Error::Refused { .. } => "RefusedError",
        Error::Peer { .. } => "PeerError",
        Error::Unmet(_) => "UnsupportedError",
        Error::Timeout { .. } => "TimedOutError",
        Error::Closed { .. } => "ConnectionLostError",
        _ => "MisuseError",
    };
    let attributes = || -> PyResult<Bound<'_, PyDict>> {
        let attributes = PyDict::new(py);
        attributes.set_item("stage", error.stage().map(stage))?;
        attributes.set_item("next_step", error.next_step())?;
        attributes.set_item("temporary", error.is_temporary())?;
        attributes.set_item("outcome_unknown", error.outcome_unknown())?;
        attributes.set_item("actor", actor(error.actor()))?;
        if let Error::Unmet(requirement) = error {
            attributes.set_item("requirement", requirement_name(requirement))?;
        }
        if let Error::Refused {
            stage,
            code,
            enhanced,
        } = error
        {
            attributes.set_item("code", code.get())?;
            attributes.set_item("enhanced_code", enhanced.map(|code| code.to_string()))?;
            if let Some(reply) = refusal {
                attributes.set_item("text", &reply.text)?;
                if let Some(explanation) = explanation(reply, stage, provider) {
                    attributes.set_item("meaning", explanation.meaning)?;
                    attributes.set_item("next_step", explanation.next_step)?;
                    attributes.set_item("url", explanation.url)?;
                }
            }
        }
        Ok(attributes)
    };
    match attributes() {
        Ok(attributes) => exception(py, class, &error.to_string(), attributes),
        Err(error) => error,
    }
}

/// What a refusing reply means.
pub(crate) fn explanation(
    reply: &Reply,
    stage: Stage,
    provider: Option<&Provider>,
) -> Option<Explanation> {
    let refusal = Refusal {
        code: reply.code,
        enhanced: reply.enhanced,
        text: reply.text.as_bytes(),
        stage,
    };
    provider::explain(provider, &refusal)
}

/// The name of a stage for Python.
pub(crate) fn stage(stage: Stage) -> &'static str {
    STAGES
        .iter()
        .find(|(candidate, _)| *candidate == stage)
        .map_or("idle", |(_, name)| name)
}

/// The stage of this name.
pub(crate) fn stage_from_name(name: &str) -> Option<Stage> {
    let mut stages = STAGES.iter();
    stages
        .find(|(_, candidate)| *candidate == name)
        .map(|(stage, _)| *stage)
}

/// The names of the stages; `Stage` in `_core.pyi` lists the same.
const STAGES: [(Stage, &str); 12] = [
    (Stage::Greeting, "greeting"),
    (Stage::Hello, "hello"),
    (Stage::StartTls, "starttls"),
    (Stage::Auth, "auth"),
    (Stage::Idle, "idle"),
    (Stage::Mail, "mail"),
    (Stage::Rcpt, "rcpt"),
    (Stage::Data, "data"),
    (Stage::Content, "content"),
    (Stage::Rset, "rset"),
    (Stage::Query, "query"),
    (Stage::Quit, "quit"),
];

fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::User => "user",
        Actor::Server => "server",
        Actor::Time => "time",
        Actor::Program => "program",
    }
}

fn requirement_name(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::StartTls => "starttls",
        Requirement::Auth => "auth",
        Requirement::Mechanism => "mechanism",
        Requirement::TlsForPassword => "tls-for-password",
        Requirement::Size => "size",
        Requirement::SmtpUtf8 => "smtputf8",
        Requirement::EightBitMime => "8bitmime",
        Requirement::BinaryMime => "binarymime",
        Requirement::Dsn => "dsn",
        Requirement::RequireTls => "requiretls",
        Requirement::DeliverBy => "deliverby",
        Requirement::FutureRelease => "futurerelease",
        Requirement::MtPriority => "mt-priority",
        Requirement::Recipients => "recipients",
        Requirement::Messages => "messages",
        Requirement::Recipient => "recipient",
        _ => "other",
    }
}
