//! The configuration of a server, with data of its own.

use super::network::Network;
use sansmtp::capability::{Capabilities, Extension, Mechanism, Mechanisms};
use sansmtp::config::{ConfigError, EhloName, Security};
use sansmtp::server::{Config, Limits, Timeouts};
use sansmtp::wire::datetime::DateTime;
use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

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
    /// Balancers that begin every connection with a header of the PROXY protocol,
    /// version 1 or 2, which names the client. From them a connection without one is
    /// dropped; from everybody else a header is no command.
    pub proxy_from: Vec<Network>,
    /// Balancers that may name the client by XCLIENT.
    pub xclient_from: Vec<Network>,
    /// The longest time in seconds that a message can be held (FUTURERELEASE); 0 if
    /// that is not offered.
    pub hold_seconds: u32,
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
        let core = Config::new(name, Security::DangerPlaintext).offer(Extension::Limits);
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
            proxy_from: Vec::new(),
            xclient_from: Vec::new(),
            hold_seconds: 0,
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

    /// The same with DSN (RFC 3461). The handler finds the sender's wishes in
    /// [`MailEnvelope`](super::MailEnvelope); to send the reports is its part.
    #[must_use]
    pub fn dsn(mut self) -> Self {
        self.capabilities = self.capabilities.with(Extension::Dsn);
        self
    }

    /// The same with REQUIRETLS (RFC 8689), which is announced where TLS is up. Who
    /// sends such a message on must do it over TLS with a server that offers
    /// REQUIRETLS, or give it back: that is the handler's part.
    #[must_use]
    pub fn require_tls(mut self) -> Self {
        self.capabilities = self.capabilities.with(Extension::RequireTls);
        self
    }

    /// The same with DELIVERBY (RFC 2852). Messages that are to be returned when they are
    /// late must give at least `min_seconds`; 0 for no such bound. To keep the time
    /// is the handler's part.
    #[must_use]
    pub fn deliver_by(mut self, min_seconds: u32) -> Self {
        self.capabilities = self.capabilities.with(Extension::DeliverBy);
        self.capabilities.bounds.min_by_time = min_seconds;
        self
    }

    /// The same with FUTURERELEASE (RFC 4865), for at most `max_seconds`. To hold the
    /// message back is the handler's part.
    #[must_use]
    pub fn future_release(mut self, max_seconds: u32) -> Self {
        self.capabilities = self.capabilities.with(Extension::FutureRelease);
        self.hold_seconds = max_seconds;
        self
    }

    /// The same with MT-PRIORITY (RFC 6710). What the priority is good for is the
    /// handler's part.
    #[must_use]
    pub fn priorities(mut self) -> Self {
        self.capabilities = self.capabilities.with(Extension::MtPriority);
        self
    }

    /// The same with ETRN (RFC 1985), which
    /// [`Handler::etrn`](super::Handler::etrn) answers.
    #[must_use]
    pub fn etrn(mut self) -> Self {
        self.capabilities = self.capabilities.with(Extension::Etrn);
        self
    }

    /// The same with another limit of messages per session; 0 for none.
    #[must_use]
    pub fn max_messages(mut self, messages: u16) -> Self {
        self.limits.messages = messages;
        self
    }

    /// The same with a balancer, or a network of them, that speaks the PROXY protocol:
    /// see [`ServerConfig::proxy_from`].
    #[must_use]
    pub fn with_proxy_from(mut self, network: impl Into<Network>) -> Self {
        self.proxy_from.push(network.into());
        self
    }

    /// The same with a balancer, or a network of them, that may use XCLIENT.
    #[must_use]
    pub fn with_xclient_from(mut self, network: impl Into<Network>) -> Self {
        self.xclient_from.push(network.into());
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

    /// Whether connections from this address begin with a PROXY header.
    pub(super) fn is_proxy(&self, peer: IpAddr) -> bool {
        self.proxy_from.iter().any(|network| network.contains(peer))
    }

    fn may_introduce(&self, peer: IpAddr) -> bool {
        let mut networks = self.xclient_from.iter();
        networks.any(|network| network.contains(peer))
    }

    /// What the machine of one session gets. `balancer` may use XCLIENT if it is listed.
    pub(super) fn for_session(
        &self,
        security: Security,
        balancer: Option<IpAddr>,
        lmtp: bool,
    ) -> Config<'_> {
        // The name was checked when it was set.
        let hostname = EhloName::parse(&self.hostname).unwrap_or(EhloName::LOOPBACK);
        let mut config = Config::new(hostname, security)
            .mechanisms(self.mechanisms)
            .limits(self.limits)
            .timeouts(self.timeouts);
        config.capabilities = self.capabilities;
        config.lmtp = lmtp;
        if self.hold_seconds > 0 {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let until = now.unwrap_or_default().as_secs() + u64::from(self.hold_seconds);
            let bounds = &mut config.capabilities.bounds;
            bounds.hold_seconds = self.hold_seconds;
            bounds.hold_until = DateTime::from_unix(until).unwrap_or_default();
        }
        config.capabilities = match balancer.is_some_and(|peer| self.may_introduce(peer)) {
            true => config.capabilities.with(Extension::XClient),
            false => config.capabilities.without(Extension::XClient),
        };
        config.require_auth = self.require_auth;
        config.danger_plaintext_auth = self.danger_plaintext_auth;
        config
    }
}
