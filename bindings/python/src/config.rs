//! The configuration of a client.

use pyo3::prelude::*;
use pyo3::types::PyFrozenSet;
use sansmtp::capability::{Mechanism, Mechanisms};
use sansmtp::config::{OwnedConfig, OwnedCredentials, Security, Timeouts};
use sansmtp::provider;

use crate::clock::millis;
use crate::error;
use crate::provider::Provider;
use crate::repr::{self, Repr};

/// How to reach a server and who we are there. It can not be changed; `replace` makes another one.
#[pyclass(frozen, eq, from_py_object, module = "sansmtp._core")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) owned: OwnedConfig,
    /// A user whose password is still to come.
    user: Option<String>,
}

#[pymethods]
impl Config {
    /// A configuration. `security` is "implicit-tls" (port 465), "starttls" (587) or "danger-plaintext" (25).
    /// `chunking` lets the content go by BDAT where the server offers it; `mechanisms` names the SASL
    /// mechanisms that may be used, by default all but CRAM-MD5; `lmtp` speaks LMTP, which has a verdict for each
    /// recipient (RFC 2033).
    #[new]
    #[pyo3(signature = (host, *, security = "implicit-tls", port = None, user = None, password = None,
        oauth2_token = None, ehlo_name = None, timeout = None, connect_timeout = None,
        chunking = true, mechanisms = None, lmtp = false, danger_plaintext_auth = false))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        host: &str,
        security: &str,
        port: Option<i64>,
        user: Option<&str>,
        password: Option<&str>,
        oauth2_token: Option<&str>,
        ehlo_name: Option<&str>,
        timeout: Option<f64>,
        connect_timeout: Option<f64>,
        chunking: bool,
        mechanisms: Option<Vec<String>>,
        lmtp: bool,
        danger_plaintext_auth: bool,
    ) -> PyResult<Self> {
        let security = parse_security(py, security)?;
        let mut owned = OwnedConfig::new(host, security).map_err(|e| error::config(py)(&e))?;
        owned.lmtp = lmtp;
        let config = Self { owned, user: None };
        config.replaced(
            py,
            port,
            user,
            password,
            oauth2_token,
            ehlo_name,
            timeout,
            connect_timeout,
            Some(chunking),
            mechanisms,
            danger_plaintext_auth.then_some(true),
        )
    }

    /// A configuration from a URL such as `smtps://user@smtp.example.org`: `smtps` is implicit TLS, `smtp`
    /// STARTTLS, `smtp+danger-plaintext` no TLS. User and password are percent-encoded.
    #[staticmethod]
    fn from_url(py: Python<'_>, url: &str) -> PyResult<Self> {
        let (owned, user) = OwnedConfig::from_url(url).map_err(|e| error::config(py)(&e))?;
        Ok(Self { owned, user })
    }

    /// The configuration that a provider recommends, by its name or a mail address of its.
    #[staticmethod]
    fn for_provider(py: Python<'_>, name_or_address: &str) -> PyResult<Self> {
        let Some(found) = provider::Provider::find(name_or_address) else {
            let hint = match provider::Provider::did_you_mean(name_or_address) {
                Some(near) => format!("did you mean {}?", near.id),
                None => "give host, port and security yourself".to_owned(),
            };
            let message = format!("no mail provider {name_or_address:?} is known; {hint}");
            return Err(error::config(py)(&message));
        };
        match OwnedConfig::for_provider(found) {
            Some(owned) => Ok(Self { owned, user: None }),
            None => {
                let message = format!("{} offers no sending by SMTP: {}", found.name, found.help);
                Err(error::config(py)(&message))
            }
        }
    }

    /// The same with other values; what is not given stays. A user keeps its password.
    #[pyo3(signature = (*, port = None, user = None, password = None, oauth2_token = None, ehlo_name = None,
        timeout = None, connect_timeout = None, chunking = None, mechanisms = None,
        danger_plaintext_auth = None))]
    #[allow(clippy::too_many_arguments)]
    fn replace(
        &self,
        py: Python<'_>,
        port: Option<i64>,
        user: Option<&str>,
        password: Option<&str>,
        oauth2_token: Option<&str>,
        ehlo_name: Option<&str>,
        timeout: Option<f64>,
        connect_timeout: Option<f64>,
        chunking: Option<bool>,
        mechanisms: Option<Vec<String>>,
        danger_plaintext_auth: Option<bool>,
    ) -> PyResult<Self> {
        self.clone().replaced(
            py,
            port,
            user,
            password,
            oauth2_token,
            ehlo_name,
            timeout,
            connect_timeout,
            chunking,
            mechanisms,
            danger_plaintext_auth,
        )
    }

    /// The server's name or address.
    #[getter]
    fn host(&self) -> &str {
        self.owned.host()
    }

    /// The port.
    #[getter]
    fn port(&self) -> u16 {
        self.owned.port
    }

    /// "implicit-tls", "starttls" or "danger-plaintext".
    #[getter]
    fn security(&self) -> &'static str {
        security_name(self.owned.security)
    }

    /// The user name, if there is one.
    #[getter]
    fn user(&self) -> Option<&str> {
        let complete = self.owned.credentials.as_ref();
        complete
            .map(OwnedCredentials::user)
            .or(self.user.as_deref())
    }

    /// Whether there is a user without a password or token.
    #[getter]
    fn needs_password(&self) -> bool {
        self.owned.credentials.is_none() && self.user.is_some()
    }

    /// What the client calls itself in EHLO, if that was set.
    #[getter]
    fn ehlo_name(&self) -> Option<&str> {
        self.owned.ehlo_name()
    }

    /// Whether the content may go by BDAT (RFC 3030).
    #[getter]
    fn chunking(&self) -> bool {
        self.owned.chunking
    }

    /// Whether it speaks LMTP (RFC 2033).
    #[getter]
    fn lmtp(&self) -> bool {
        self.owned.lmtp
    }

    /// The names of the SASL mechanisms that may be used.
    #[getter]
    fn mechanisms<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        PyFrozenSet::new(py, self.owned.mechanisms.iter().map(Mechanism::name))
    }

    /// How long setting up a connection may take, in seconds.
    #[getter]
    fn connect_timeout(&self) -> f64 {
        f64::from(self.owned.timeouts.connect) / 1000.0
    }

    /// Whether a password may go over an unprotected connection.
    #[getter]
    fn danger_plaintext_auth(&self) -> bool {
        self.owned.danger_plaintext_auth
    }

    /// The provider whose server this is, if it is known.
    #[getter]
    fn provider(&self) -> Option<Provider> {
        provider::Provider::by_host(self.owned.host()).map(Provider)
    }

    /// It never changes, so that it is its own copy.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// It never changes, so that it is its own copy.
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __repr__(&self) -> String {
        let secret = self.owned.credentials.as_ref().map(|_| "****");
        repr::object(
            "Config",
            &[
                ("host", self.host().repr()),
                ("port", self.port().repr()),
                ("security", self.security().repr()),
                ("user", self.user().repr()),
                ("secret", secret.repr()),
            ],
        )
    }
}

impl Config {
    #[allow(clippy::too_many_arguments)]
    fn replaced(
        mut self,
        py: Python<'_>,
        port: Option<i64>,
        user: Option<&str>,
        password: Option<&str>,
        oauth2_token: Option<&str>,
        ehlo_name: Option<&str>,
        timeout: Option<f64>,
        connect_timeout: Option<f64>,
        chunking: Option<bool>,
        mechanisms: Option<Vec<String>>,
        danger_plaintext_auth: Option<bool>,
    ) -> PyResult<Self> {
        let config_error = error::config(py);
        if let Some(port) = port {
            self.owned.port = match u16::try_from(port) {
                Ok(port) if port > 0 => port,
                _ => return Err(config_error(&"the port is a number from 1 to 65535")),
            };
        }
        if let Some(ehlo_name) = ehlo_name {
            self.owned = self
                .owned
                .with_ehlo_name(ehlo_name)
                .map_err(|e| config_error(&e))?;
        }
        for seconds in [timeout, connect_timeout].into_iter().flatten() {
            // Not a number is refused too.
            if seconds.is_nan() || seconds <= 0.0 {
                return Err(config_error(&"a time limit is a number of seconds above 0"));
            }
        }
        if let Some(seconds) = timeout {
            self.owned.timeouts = Timeouts::all(millis(seconds));
        }
        if let Some(seconds) = connect_timeout {
            self.owned.timeouts.connect = millis(seconds);
        }
        if let Some(chunking) = chunking {
            self.owned.chunking = chunking;
        }
        if let Some(names) = mechanisms {
            let known = names.iter().map(|name| {
                Mechanism::from_name(name.as_bytes())
                    .ok_or_else(|| config_error(&format!("there is no mechanism {name:?}")))
            });
            self.owned.mechanisms = known.collect::<PyResult<Mechanisms>>()?;
        }
        if let Some(danger) = danger_plaintext_auth {
            self.owned.danger_plaintext_auth = danger;
        }
        if user.is_none() && password.is_none() && oauth2_token.is_none() {
            return Ok(self);
        }
        let known = self.user().map(str::to_owned);
        let Some(user) = user.map(str::to_owned).or(known) else {
            return Err(config_error(&"a password or token needs a user"));
        };
        let credentials = match (password, oauth2_token) {
            (Some(_), Some(_)) => {
                return Err(config_error(
                    &"give a password or an OAuth2 token, not both",
                ));
            }
            (Some(password), None) => OwnedCredentials::password(&user, password),
            (None, Some(token)) => OwnedCredentials::oauth2(&user, token),
            (None, None) => {
                self.owned.credentials = None;
                self.user = Some(user);
                return Ok(self);
            }
        };
        self.owned.credentials = Some(credentials.map_err(|e| config_error(&e))?);
        self.user = None;
        Ok(self)
    }
}

/// The name of a kind of security for Python.
pub(crate) fn security_name(security: Security) -> &'static str {
    match security {
        Security::ImplicitTls => "implicit-tls",
        Security::StartTls => "starttls",
        Security::DangerPlaintext => "danger-plaintext",
    }
}

/// The kind of security of this name.
pub(crate) fn parse_security(py: Python<'_>, name: &str) -> PyResult<Security> {
    [
        Security::ImplicitTls,
        Security::StartTls,
        Security::DangerPlaintext,
    ]
    .into_iter()
    .find(|security| security_name(*security) == name)
    .ok_or_else(|| {
        error::config(py)(&format!(
            "security is \"implicit-tls\", \"starttls\" or \"danger-plaintext\", not {name:?}"
        ))
    })
}
