//! Looking at a server step by step, without sending mail.

use super::connect::Attempt;
use super::connection::{Connection, Setup};
use super::error::Error;
use super::report::Reply;
use super::tls::TlsInfo;
use sansmtp::capability::{Capabilities, Mechanism};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// What [`Mailer::check`](super::Mailer::check) found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Check {
    /// The steps that succeeded, in order.
    pub steps: Vec<CheckStep>,
    /// The step that failed; `None` if everything is well.
    pub failure: Option<CheckFailure>,
    /// The certificates that the server showed, its own first, in DER; also those
    /// that were not trusted.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// A step that succeeded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckStep {
    /// Which step.
    pub name: StepName,
    /// How long it took.
    pub elapsed: Duration,
    /// What came of it.
    pub finding: Finding,
}

/// The step that failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct CheckFailure {
    /// Which step.
    pub name: StepName,
    /// How long it took.
    pub elapsed: Duration,
    /// What went wrong.
    pub error: Error,
}

/// The steps on the way to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StepName {
    /// The host name is looked up.
    Lookup,
    /// The connection is made.
    Connect,
    /// The server greets.
    Greeting,
    /// EHLO, or HELO.
    Hello,
    /// STARTTLS is agreed on.
    StartTls,
    /// The TLS handshake, and the check of the certificate.
    Tls,
    /// AUTH.
    Auth,
    /// QUIT.
    Quit,
}

/// What came of a step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Finding {
    /// The addresses of the host, in the order they are tried in.
    Addresses(Vec<SocketAddr>),
    /// The connection is there.
    Connected {
        /// The address that answered.
        address: SocketAddr,
        /// The addresses that did not.
        failed: Vec<Attempt>,
    },
    /// The server's greeting.
    Greeting(Reply),
    /// What the server offers.
    Capabilities(Capabilities),
    /// The server agreed to STARTTLS.
    StartTls,
    /// TLS is up, and the certificate is good.
    Tls(TlsInfo),
    /// The credentials are good.
    Authenticated(Mechanism),
    /// The server was left politely.
    Closed,
}

impl Check {
    /// Whether every step succeeded.
    pub fn is_ok(&self) -> bool {
        self.failure.is_none()
    }

    pub(super) async fn run(setup: &Setup, number: u64) -> Self {
        let mut steps = Steps::kept();
        let (tls, recorder) = match setup.tls.as_ref().map(super::Tls::recording) {
            Some((tls, recorder)) => (Some(tls), Some(recorder)),
            None => (None, None),
        };
        let failure;
        match Connection::connect(setup, number, &mut steps).await {
            Err(error) => failure = Some(steps.failed(error)),
            Ok(mut connection) => {
                let opened = connection.open(setup, tls.as_ref(), &mut steps).await;
                failure = opened.err().map(|error| steps.failed(error));
                steps.begin(StepName::Quit);
                connection.farewell(setup).await;
                if failure.is_none() {
                    steps.found(|| Finding::Closed);
                }
            }
        }
        let steps = steps.notes.unwrap_or_default();
        let mut certificates = recorder.map(|recorder| recorder.seen()).unwrap_or_default();
        for step in &steps {
            if let Finding::Tls(info) = &step.finding
                && certificates.is_empty()
            {
                certificates.clone_from(&info.certificates);
            }
        }
        Self {
            steps,
            failure,
            certificates,
        }
    }
}

impl StepName {
    /// A word for the step.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lookup => "name look-up",
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Tls => "TLS",
            Self::Auth => "AUTH",
            Self::Quit => "QUIT",
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Takes notes of the steps, if anybody wants them.
#[derive(Debug)]
pub(super) struct Steps {
    notes: Option<Vec<CheckStep>>,
    name: StepName,
    since: Instant,
    /// The current step has its finding.
    done: bool,
}

impl Steps {
    /// Nobody wants to know.
    pub(super) fn ignored() -> Self {
        Self {
            notes: None,
            name: StepName::Lookup,
            since: Instant::now(),
            done: false,
        }
    }

    fn kept() -> Self {
        Self {
            notes: Some(Vec::new()),
            ..Self::ignored()
        }
    }

    /// A step begins.
    pub(super) fn begin(&mut self, name: StepName) {
        self.name = name;
        self.since = Instant::now();
        self.done = false;
    }

    /// Whether this step is under way.
    pub(super) fn is_at(&self, name: StepName) -> bool {
        self.name == name
    }

    /// The step succeeded. Only the first finding of a step counts.
    pub(super) fn found(&mut self, finding: impl FnOnce() -> Finding) {
        let Some(notes) = &mut self.notes else {
            return;
        };
        if !std::mem::replace(&mut self.done, true) {
            notes.push(CheckStep {
                name: self.name,
                elapsed: self.since.elapsed(),
                finding: finding(),
            });
        }
    }

    /// The step failed.
    fn failed(&self, error: Error) -> CheckFailure {
        CheckFailure {
            name: self.name,
            elapsed: self.since.elapsed(),
            error,
        }
    }
}
