//! The configuration of a server.

use pyo3::prelude::*;
use sansmtp::auth::Hash;
use sansmtp::capability::{Capabilities, Extension, Mechanism, Mechanisms};
use sansmtp::config::{EhloName, Security};
use sansmtp::server::{self, Limits, Timeouts};
use sansmtp::wire::datetime::DateTime;
use sansmtp::wire::handling::Hold;

use crate::clock::millis;
use crate::config::{parse_security, security_name};
use crate::error;
use crate::repr::{self, Repr};

/// How a server presents itself, and what it bears.
#[pyclass(frozen, module = "sansmtp._core")]
#[derive(Clone, Debug)]
pub(crate) struct ServerConfig {
    hostname: String,
    security: Security,
    capabilities: Option<Capabilities>,
    max_size: u64,
    mechanisms: Mechanisms,
    require_auth: bool,
    danger_plaintext_auth: bool,
    limits: Limits,
    timeouts: Timeouts,
}

#[pymethods]
impl ServerConfig {
    /// A configuration. `security` is "implicit-tls", "starttls" (offered) or "danger-plaintext" (not to be
    /// had); `mechanisms` are the names of SASL mechanisms: "PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1",
    /// "XOAUTH2" and "OAUTHBEARER"; `extensions` the keywords that EHLO announces, by default all that can be
    /// carried out but DSN (STARTTLS and AUTH follow from the rest); `max_size` is in octets, 0 for no limit; `timeout` is the limit of each step in seconds.
    #[new]
    #[pyo3(signature = (hostname = "localhost", *, security = "danger-plaintext", max_size = 26_214_400,
        extensions = None, mechanisms = Vec::new(), require_auth = false, danger_plaintext_auth = false, max_recipients = 1000,
        max_errors = 20, max_text_line = 0, timeout = None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        hostname: &str,
        security: &str,
        max_size: u64,
        extensions: Option<Vec<String>>,
        mechanisms: Vec<String>,
        require_auth: bool,
        danger_plaintext_auth: bool,
        max_recipients: u16,
        max_errors: u16,
        max_text_line: u32,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        let config_error = error::config(py);
        EhloName::parse(hostname).map_err(|e| config_error(&e))?;
        let mechanisms =
            mechanisms
                .iter()
                .map(|name| match Mechanism::from_name(name.as_bytes()) {
                    Some(mechanism) if OFFERED.contains(&mechanism) => Ok(mechanism),
                    _ => Err(config_error(&format!(
                        "a server can not offer the mechanism {name:?}"
                    ))),
                });
        let capabilities = extensions.map(|keywords| {
            keywords
                .iter()
                .try_fold(Capabilities::NONE, |all, keyword| {
                    let mut known = Extension::ALL.into_iter();
                    match known.find(|known| known.keyword().eq_ignore_ascii_case(keyword)) {
                        Some(extension @ (Extension::Etrn | Extension::XClient)) => {
                            let keyword = extension.keyword();
                            let message = format!("a server in Python can not carry out {keyword}");
                            Err(config_error(&message))
                        }
                        Some(extension) => Ok(all.with(extension)),
                        None => Err(config_error(&format!("there is no extension {keyword:?}"))),
                    }
                })
        });
        let mut limits = Limits::default();
        limits.recipients = max_recipients;
        limits.errors = max_errors;
        limits.text_line = max_text_line;
        let mut timeouts = Timeouts::default();
        if let Some(seconds) = timeout {
            if seconds.is_nan() || seconds <= 0.0 {
                return Err(config_error(&"a time limit is a number of seconds above 0"));
            }
            timeouts.command = millis(seconds);
            timeouts.content = millis(seconds);
            timeouts.handshake = millis(seconds);
        }
        Ok(Self {
            hostname: hostname.to_owned(),
            security: parse_security(py, security)?,
            capabilities: capabilities.transpose()?,
            max_size,
            mechanisms: mechanisms.collect::<PyResult<Mechanisms>>()?,
            require_auth,
            danger_plaintext_auth,
            limits,
            timeouts,
        })
    }

    /// The server's name.
    #[getter]
    fn hostname(&self) -> &str {
        &self.hostname
    }

    /// "implicit-tls", "starttls" or "danger-plaintext".
    #[getter]
    fn security(&self) -> &'static str {
        security_name(self.security)
    }

    fn __repr__(&self) -> String {
        repr::object(
            "ServerConfig",
            &[
                ("hostname", self.hostname.repr()),
                ("security", self.security().repr()),
                ("max_size", self.max_size.repr()),
                ("require_auth", self.require_auth.repr()),
            ],
        )
    }
}

/// The end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// The mechanisms that a server in Python can carry out.
const OFFERED: [Mechanism; 6] = [
    Mechanism::Plain,
    Mechanism::Login,
    Mechanism::ScramSha256,
    Mechanism::ScramSha1,
    Mechanism::XOAuth2,
    Mechanism::OAuthBearer,
];

impl ServerConfig {
    /// Whether a mechanism needs random octets.
    pub(crate) fn wants_entropy(&self) -> bool {
        self.mechanisms.iter().any(|it| Hash::of(it).is_some())
    }

    /// The borrowed form, which a machine takes.
    pub(crate) fn as_config(&self) -> server::Config<'_> {
        // It was checked when the configuration was made.
        let hostname = EhloName::parse(&self.hostname).unwrap_or(EhloName::LOOPBACK);
        let mut config = server::Config::new(hostname, self.security);
        if let Some(capabilities) = self.capabilities {
            config.capabilities = capabilities;
            // Whoever offers FUTURERELEASE holds a message as long as can be said.
            config.capabilities.bounds.hold_seconds = Hold::LIMIT;
            config.capabilities.bounds.hold_until =
                DateTime::from_unix(LAST_SECOND).unwrap_or(DateTime::EPOCH);
        }
        let mut config = config
            .max_size(self.max_size)
            .mechanisms(self.mechanisms)
            .limits(self.limits)
            .timeouts(self.timeouts);
        config.require_auth = self.require_auth;
        config.danger_plaintext_auth = self.danger_plaintext_auth;
        config
    }
}
