//! The table of mail providers.

use pyo3::prelude::*;
use sansmtp::provider::{self, Refusal, UserName};
use sansmtp::wire::enhanced::EnhancedCode;

use crate::config::security_name;
use crate::error;
use crate::repr::{self, Repr, event};

event! {
    /// A server to connect to.
    Endpoint {
        /// The host name.
        host: &'static str,
        /// The port.
        port: u16,
        /// "implicit-tls", "starttls" or "danger-plaintext".
        security: &'static str,
    }
}

event! {
    /// What a refusing reply means and what to do about it.
    Explanation {
        /// What happened.
        meaning: &'static str,
        /// What to do next.
        next_step: &'static str,
        /// A page that shows how.
        url: Option<&'static str>,
    }
}

/// A mail provider: its servers, and how a person signs in there.
#[pyclass(frozen, eq, module = "sansmtp._core")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Provider(pub(crate) &'static provider::Provider);

#[pymethods]
impl Provider {
    /// The short name, such as "gmail".
    #[getter]
    fn id(&self) -> &'static str {
        self.0.id
    }

    /// The name that people know.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name
    }

    /// Domains of mail addresses at this provider.
    #[getter]
    fn domains(&self) -> Vec<&'static str> {
        self.0.domains.to_vec()
    }

    /// The servers that take mail for sending, best first.
    #[getter]
    fn submission(&self) -> Vec<Endpoint> {
        endpoints(self.0.submission)
    }

    /// The servers that mail is read from by IMAP, best first.
    #[getter]
    fn imap(&self) -> Vec<Endpoint> {
        endpoints(self.0.imap)
    }

    /// What the server accepts as proof of identity, in a few words.
    #[getter]
    fn sign_in(&self) -> &'static str {
        self.0.sign_in.describe()
    }

    /// Whether some kind of password works.
    #[getter]
    fn accepts_password(&self) -> bool {
        self.0.sign_in.accepts_password()
    }

    /// Whether OAuth 2.0 access tokens work.
    #[getter]
    fn accepts_oauth2(&self) -> bool {
        self.0.sign_in.accepts_oauth2()
    }

    /// What a person must do to get credentials.
    #[getter]
    fn help(&self) -> &'static str {
        self.0.help
    }

    /// The provider's own page on it.
    #[getter]
    fn help_url(&self) -> Option<&'static str> {
        self.0.help_url
    }

    /// The user name that belongs to a mail address, where it follows from the address.
    fn user_name_for(&self, address: &str) -> Option<String> {
        match self.0.user_name {
            UserName::Fixed(name) => Some(name.to_owned()),
            _ => self.0.user_name_for(address).map(str::to_owned),
        }
    }

    fn __repr__(&self) -> String {
        repr::object("Provider", &[("id", self.0.id.repr())])
    }

    fn __hash__(&self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }
}

fn endpoints(endpoints: &[provider::Endpoint]) -> Vec<Endpoint> {
    let made = endpoints.iter().map(|endpoint| Endpoint {
        host: endpoint.host,
        port: endpoint.port,
        security: security_name(endpoint.security),
    });
    made.collect()
}

/// Every provider of the table.
#[pyfunction]
pub(crate) fn providers() -> Vec<Provider> {
    provider::Provider::all().map(Provider).collect()
}

/// The provider for a name, a mail address, its domain, or the host name of a server.
#[pyfunction]
pub(crate) fn find_provider(name_or_address: &str) -> Option<Provider> {
    provider::Provider::find(name_or_address).map(Provider)
}

/// The provider whose name or domain is nearest to a misspelt text.
#[pyfunction]
pub(crate) fn did_you_mean(name_or_address: &str) -> Option<Provider> {
    provider::Provider::did_you_mean(name_or_address).map(Provider)
}

/// Explains a refusing reply. `host` names the server, where it is known; `stage` what was refused.
#[pyfunction]
#[pyo3(signature = (code, text = "", *, stage = "content", host = None))]
pub(crate) fn explain(
    py: Python<'_>,
    code: u16,
    text: &str,
    stage: &str,
    host: Option<&str>,
) -> PyResult<Option<Explanation>> {
    let Some(stage) = error::stage_from_name(stage) else {
        return Err(error::config(py)(&format!("there is no stage {stage:?}")));
    };
    let enhanced = EnhancedCode::parse_prefix(text.as_bytes()).map(|(code, _)| code);
    let refusal = Refusal {
        code,
        enhanced,
        text: text.as_bytes(),
        stage,
    };
    let provider = host.and_then(provider::Provider::by_host);
    let explanation = provider::explain(provider, &refusal);
    Ok(explanation.map(|explanation| Explanation {
        meaning: explanation.meaning,
        next_step: explanation.next_step,
        url: explanation.url,
    }))
}
