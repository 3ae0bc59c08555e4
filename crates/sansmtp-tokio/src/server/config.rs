//! The configuration of a server, with data of its own.

use sansmtp::capability::{Capabilities, Mechanism, Mechanisms};
use sansmtp::config::{ConfigError, EhloName, Security};
use sansmtp::server::{Config, Limits, Timeouts};
use std::fmt;

/// How a server presents itself, and what it bears: the core's [`Config`] with
/// data of its own, and the limits that concern more than one session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerConfig {
    hostname: String,
    /// What EHLO announces, besides STARTTLS and AUTH, which depend on the state
    /// of the session. `max_size` is the limit of a message in octets, 0 for
    /// none; 25 MiB by default.
    pub capabilities: Capabilities,
    /// The SASL mechanisms; none by default.
    pub mechanisms: Mechanisms,
    /// MAIL needs a successful AUTH first.
    pub require_auth: bool,
    /// Takes passwords without TLS. For tests on the own machine.
    pub danger_plaintext_auth: bool,
    /// How much one client may do in a session.
    pub limits: Limits,
    /// How long a client may take.
    pub timeouts: Timeouts,
    /// The longest command line in octets, 512 to 32,768. Default 4,096, which
    /// is enough for any password.
    pub command_line: usize,
    /// Connections at the same time; more are greeted with 421. Default 1,000.
    pub max_connections: usize,
    /// Connections at the same time from one IPv4 address or one IPv6 /64
    /// network. Default 50.
    pub max_connections_per_peer: usize,
}

/// Why a server's configuration can not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// The host name is neither a domain nor an address literal.
    Hostname,
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hostname => {
                "the server's name is neither a domain such as mx.example.org nor an address literal such as [192.0.2.1]"
            }
        })
    }
}

impl std::error::Error for InvalidConfig {}

impl ServerConfig {
    /// A server of this name: a domain, or an address literal such as
    /// `[192.0.2.1]`. The defaults are those of the core's [`Config::new`].
    ///
    /// # Errors
    /// [`InvalidConfig::Hostname`] if the name is neither.
    pub fn new(hostname: &str) -> Result<Self, InvalidConfig> {
        let name = EhloName::parse(hostname).map_err(|_: ConfigError| InvalidConfig::Hostname)?;
        let core = Config::new(name, Security::DangerPlaintext);
        Ok(Self {
            hostname: hostname.to_owned(),
            capabilities: core.capabilities,
            mechanisms: core.mechanisms,
            require_auth: core.require_auth,
            danger_plaintext_auth: core.danger_plaintext_auth,
            limits: core.limits,
            timeouts: core.timeouts,
            command_line: 4096,
            max_connections: 1000,
            max_connections_per_peer: 50,
        })
    }

    /// The server's name.
    pub fn hostname(&self) -> &str {
        &self.hostname
    }

    /// The same with another limit of the message size, in octets; 0 for none.
    #[must_use]
    pub fn max_size(mut self, octets: u64) -> Self {
        self.capabilities.max_size = octets;
        self
    }

    /// The same with another limit of recipients per message.
    #[must_use]
    pub fn max_recipients(mut self, recipients: u16) -> Self {
        self.limits.recipients = recipients;
        self
    }

    /// The same with another limit of refused commands per session.
    #[must_use]
    pub fn max_errors(mut self, errors: u16) -> Self {
        self.limits.errors = errors;
        self
    }

    /// The same with another limit of connections at the same time.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// The same with another limit of connections from one peer.
    #[must_use]
    pub fn max_connections_per_peer(mut self, connections: usize) -> Self {
        self.max_connections_per_peer = connections;
        self
    }

    /// The same with other time limits.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The same with PLAIN and LOGIN, so that users can authenticate with a
    /// password once TLS is up.
    #[must_use]
    pub fn password_auth(mut self) -> Self {
        self.mechanisms = self
            .mechanisms
            .with(Mechanism::Plain)
            .with(Mechanism::Login);
        self
    }

    /// The same with SCRAM-SHA-256 and SCRAM-SHA-1, both also in the -PLUS form where
    /// there is TLS. They need [`Handler::scram_keys`](super::Handler::scram_keys),
    /// and show the password to nobody, so that they are offered without TLS too.
    #[must_use]
    pub fn scram_auth(mut self) -> Self {
        self.mechanisms = Mechanisms::SCRAM
            .iter()
            .fold(self.mechanisms, Mechanisms::with);
        self
    }

    /// The same, but MAIL needs AUTH first.
    #[must_use]
    pub fn require_auth(mut self) -> Self {
        self.require_auth = true;
        self
    }

    /// The same, but passwords are taken without TLS.
    #[must_use]
    pub fn danger_plaintext_auth(mut self) -> Self {
        self.danger_plaintext_auth = true;
        self
    }

    /// What the machine of one session gets.
    pub(super) fn for_session(&self, security: Security) -> Config<'_> {
        // The name was checked when it was set.
        let hostname = EhloName::parse(&self.hostname).unwrap_or(EhloName::LOOPBACK);
        let mut config = Config::new(hostname, security)
            .mechanisms(self.mechanisms)
            .limits(self.limits)
            .timeouts(self.timeouts);
        config.capabilities = self.capabilities;
        config.require_auth = self.require_auth;
        config.danger_plaintext_auth = self.danger_plaintext_auth;
        config
    }
}
