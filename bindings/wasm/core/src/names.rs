//! The names that values of the core have in JavaScript, and back.

use sansmtp::capability::{Extension, Mechanism, Mechanisms};
use sansmtp::config::Security;
use sansmtp::error::{Actor, Fault, Misuse, Requirement, Stage};
use sansmtp::state::{State, Step};
use wasm_bindgen::JsError;

pub(crate) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Greeting => "greeting",
        Stage::Hello => "hello",
        Stage::StartTls => "starttls",
        Stage::Auth => "auth",
        Stage::Idle => "idle",
        Stage::Mail => "mail",
        Stage::Rcpt => "rcpt",
        Stage::Data => "data",
        Stage::Content => "content",
        Stage::Rset => "rset",
        Stage::Query => "query",
        Stage::Quit => "quit",
    }
}

pub(crate) fn stage_from(name: &str) -> Option<Stage> {
    const ALL: [Stage; 12] = [
        Stage::Greeting,
        Stage::Hello,
        Stage::StartTls,
        Stage::Auth,
        Stage::Idle,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Content,
        Stage::Rset,
        Stage::Query,
        Stage::Quit,
    ];
    ALL.into_iter().find(|&candidate| stage(candidate) == name)
}

pub(crate) fn state(state: State) -> &'static str {
    match state {
        State::Opening => "opening",
        State::Greeted => "greeted",
        State::Ready => "ready",
        State::Handshake => "handshake",
        State::Authenticating => "authenticating",
        State::Mail => "mail",
        State::Recipients => "recipients",
        State::Content => "content",
        State::Chunking => "chunking",
        State::Verdict => "verdict",
        State::Closing => "closing",
        State::Closed => "closed",
    }
}

pub(crate) fn step(step: Step) -> &'static str {
    match step {
        Step::Greet => "greet",
        Step::TurnAway => "turn-away",
        Step::Hello => "hello",
        Step::AgreeTls => "agree-tls",
        Step::TlsUp => "tls-up",
        Step::Challenge => "challenge",
        Step::Authenticate => "authenticate",
        Step::DenyAuthentication => "deny-authentication",
        Step::Mail => "mail",
        Step::Recipient => "recipient",
        Step::GoAhead => "go-ahead",
        Step::Complete => "complete",
        Step::Chunk => "chunk",
        Step::Judge => "judge",
        Step::Reset => "reset",
        Step::Introduce => "introduce",
        Step::Part => "part",
        Step::Close => "close",
    }
}

pub(crate) fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::NotAReply => "not-a-reply",
        Fault::LineTooLong => "line-too-long",
        Fault::TooManyLines => "too-many-lines",
        Fault::BareLineEnd => "bare-line-end",
        Fault::CodeChanged => "code-changed",
        Fault::Unsolicited => "unsolicited",
        Fault::UnexpectedCode => "unexpected-code",
        Fault::PlaintextAfterStartTls => "plaintext-after-starttls",
        Fault::BadChallenge => "bad-challenge",
        _ => "other",
    }
}

pub(crate) fn requirement(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::StartTls => "starttls",
        Requirement::Auth => "auth",
        Requirement::Mechanism => "mechanism",
        Requirement::TlsForPassword => "tls-for-password",
        Requirement::Size => "size",
        Requirement::SmtpUtf8 => "smtputf8",
        Requirement::EightBitMime => "8bitmime",
        Requirement::Dsn => "dsn",
        Requirement::Recipient => "recipient",
        Requirement::RequireTls => "requiretls",
        Requirement::DeliverBy => "deliverby",
        Requirement::FutureRelease => "futurerelease",
        Requirement::MtPriority => "mt-priority",
        Requirement::Etrn => "etrn",
        Requirement::XClient => "xclient",
        Requirement::Recipients => "recipients",
        Requirement::Messages => "messages",
        _ => "other",
    }
}

pub(crate) fn misuse(misuse: Misuse) -> &'static str {
    match misuse {
        Misuse::Busy => "busy",
        Misuse::TlsNotWanted => "tls-not-wanted",
        Misuse::NothingToAnswer => "nothing-to-answer",
        Misuse::Over => "over",
        _ => "other",
    }
}

pub(crate) fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::User => "user",
        Actor::Server => "server",
        Actor::Time => "time",
        Actor::Program => "program",
    }
}

pub(crate) fn security(security: Security) -> &'static str {
    match security {
        Security::ImplicitTls => "tls",
        Security::StartTls => "starttls",
        Security::DangerPlaintext => "danger-plaintext",
    }
}

pub(crate) fn security_from(name: &str) -> Result<Security, JsError> {
    match name {
        "tls" => Ok(Security::ImplicitTls),
        "starttls" => Ok(Security::StartTls),
        "danger-plaintext" => Ok(Security::DangerPlaintext),
        _ => Err(JsError::new(
            "security must be tls, starttls or danger-plaintext",
        )),
    }
}

/// The extension with this EHLO keyword, in any case.
pub(crate) fn extension_from(keyword: &str) -> Result<Extension, JsError> {
    Extension::ALL
        .into_iter()
        .find(|extension| extension.keyword().eq_ignore_ascii_case(keyword))
        .ok_or_else(|| JsError::new("this SMTP extension is not known"))
}

pub(crate) fn mechanisms_from<S: AsRef<str>>(names: &[S]) -> Result<Mechanisms, JsError> {
    names
        .iter()
        .map(|name| Mechanism::from_name(name.as_ref().as_bytes()))
        .collect::<Option<_>>()
        .ok_or_else(|| JsError::new("this SASL mechanism is not known"))
}
