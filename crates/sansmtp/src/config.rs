//! The one configuration vocabulary that every adapter and binding shares.

#[cfg(feature = "alloc")]
mod owned;

#[cfg(all(feature = "alloc", feature = "provider"))]
pub use owned::AccountError;
#[cfg(feature = "alloc")]
pub use owned::{OwnedConfig, OwnedCredentials, UrlError};

use crate::auth::Credentials;
use crate::capability::{Mechanism, Mechanisms};
use crate::octets;
use crate::wire::path::is_domain;
use core::fmt;

/// How a connection is protected (RFC 8314).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS from the first byte, usually port 465 (RFC 8314, section 3.3).
    ImplicitTls,
    /// STARTTLS is required before anything else is said, usually port 587
    /// (RFC 3207). A server that does not offer it is refused.
    StartTls,
    /// No TLS at all. Passwords and mail can be read and changed on the way.
    DangerPlaintext,
}

impl Security {
    /// The usual port: 465, 587 or 25.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::ImplicitTls => 465,
            Self::StartTls => 587,
            Self::DangerPlaintext => 25,
        }
    }
}

/// The name or address of a server: a domain, an IPv4 or an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Host<'a>(&'a str);

impl<'a> Host<'a> {
    /// Checks a host name or address.
    ///
    /// # Errors
    /// [`ConfigError::Host`] if it is neither.
    pub fn parse(host: &'a str) -> Result<Self, ConfigError> {
        let address = octets::position(host.as_bytes(), b':').is_some()
            && host
                .bytes()
                .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b'%'));
        // A final dot marks a name as complete in DNS.
        let name = host.strip_suffix('.').unwrap_or(host);
        if address || is_domain(name.as_bytes()) && !host.starts_with('[') {
            Ok(Self(host))
        } else {
            Err(ConfigError::Host)
        }
    }

    /// The name or address.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// What the client calls itself in EHLO: its domain, or an address literal such
/// as `[192.0.2.1]` (RFC 5321, section 4.1.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EhloName<'a>(&'a str);

impl<'a> EhloName<'a> {
    /// The name for those who have none.
    pub const LOOPBACK: Self = Self("[127.0.0.1]");

    /// Checks a name.
    ///
    /// # Errors
    /// [`ConfigError::EhloName`] if it is neither a domain nor an address
    /// literal.
    pub fn parse(name: &'a str) -> Result<Self, ConfigError> {
        if is_domain(name.as_bytes()) {
            Ok(Self(name))
        } else {
            Err(ConfigError::EhloName)
        }
    }

    /// The name.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// How long each step may take, in milliseconds. The defaults are those of RFC
/// 5321, section 4.5.3.2.
///
/// Each limit is for a whole reply: bytes that trickle in do not extend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Setting up the connection, for the adapter. 30 seconds.
    pub connect: u32,
    /// The greeting, and a TLS handshake. 5 minutes.
    pub greeting: u32,
    /// MAIL, and any command that has no limit of its own. 5 minutes.
    pub command: u32,
    /// RCPT. 5 minutes.
    pub rcpt: u32,
    /// DATA. 2 minutes.
    pub data: u32,
    /// Sending a block of the content. 3 minutes.
    pub data_block: u32,
    /// The verdict on the message. 10 minutes.
    pub data_end: u32,
    /// QUIT, which nobody should wait for long. 5 seconds.
    pub quit: u32,
}

impl Timeouts {
    /// The limits of RFC 5321.
    pub const RFC_5321: Self = Self {
        connect: 30_000,
        greeting: 300_000,
        command: 300_000,
        rcpt: 300_000,
        data: 120_000,
        data_block: 180_000,
        data_end: 600_000,
        quit: 5_000,
    };

    /// The same limit for every step.
    pub const fn all(millis: u32) -> Self {
        Self {
            connect: millis,
            greeting: millis,
            command: millis,
            rcpt: millis,
            data: millis,
            data_block: millis,
            data_end: millis,
            quit: millis,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::RFC_5321
    }
}

/// How much a server may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest reply line in octets. The standard allows 512; servers with
    /// long explanations send more. Default 4,096. Text beyond the line buffer
    /// is not shown.
    pub reply_line: u32,
    /// The most lines of one reply. Default 100.
    pub reply_lines: u16,
    /// The most iterations of the hash function that a server may ask for in
    /// SCRAM: they are work for the client. There are never less than 4,096 (RFC
    /// 7677, section 4). Default 1,000,000.
    pub scram_iterations: u32,
}

impl Limits {
    /// The default limits.
    pub const DEFAULT: Self = Self {
        reply_line: 4096,
        reply_lines: 100,
        scram_iterations: 1_000_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How to reach a server and who we are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config<'a> {
    /// The server. Its certificate must be for this name.
    pub host: Host<'a>,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// User and password or token, if the server wants them. If they are given,
    /// they are used, or the dialogue fails.
    pub credentials: Option<Credentials<'a>>,
    /// What the client calls itself.
    pub ehlo_name: EhloName<'a>,
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// How much the server may say.
    pub limits: Limits,
    /// Sends the content by BDAT where the server offers CHUNKING and PIPELINING,
    /// which saves a round trip (RFC 3030); else by DATA. Default true.
    pub chunking: bool,
    /// Speaks LMTP in the place of SMTP: LHLO, and a verdict for each recipient (RFC
    /// 2033). The content goes by DATA, to at most 256 recipients at a time. Default
    /// false.
    #[cfg(feature = "mta")]
    pub lmtp: bool,
    /// Sends a password even where [`Security::DangerPlaintext`] lets everybody
    /// on the way read it. For tests on the own machine. SCRAM needs it not.
    pub danger_plaintext_auth: bool,
    /// The SASL mechanisms that may be used; the strongest that the server offers
    /// is. A smaller set refuses a downgrade, such as [`Mechanisms::SCRAM`] for
    /// an account whose server is known to offer it. Default
    /// [`Config::MECHANISMS`].
    pub mechanisms: Mechanisms,
}

impl<'a> Config<'a> {
    /// The mechanisms that may be used if nothing is said: all but CRAM-MD5, with
    /// which whoever listens can try passwords.
    pub const MECHANISMS: Mechanisms = Mechanisms::ALL.without(Mechanism::CramMd5);

    /// A configuration for the usual port of `security`, without credentials.
    ///
    /// # Errors
    /// [`ConfigError::Host`] if `host` is no name or address.
    pub fn new(host: &'a str, security: Security) -> Result<Self, ConfigError> {
        Ok(Self {
            host: Host::parse(host)?,
            port: security.default_port(),
            security,
            credentials: None,
            ehlo_name: EhloName::LOOPBACK,
            timeouts: Timeouts::RFC_5321,
            limits: Limits::DEFAULT,
            chunking: true,
            #[cfg(feature = "mta")]
            lmtp: false,
            danger_plaintext_auth: false,
            mechanisms: Self::MECHANISMS,
        })
    }

    /// The same with another port.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The same with credentials.
    #[must_use]
    pub const fn credentials(mut self, credentials: Credentials<'a>) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The same with another name for EHLO.
    #[must_use]
    pub const fn ehlo_name(mut self, name: EhloName<'a>) -> Self {
        self.ehlo_name = name;
        self
    }

    /// The same with other time limits.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The same with other size limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, but only these SASL mechanisms may be used.
    #[must_use]
    pub const fn mechanisms(mut self, mechanisms: Mechanisms) -> Self {
        self.mechanisms = mechanisms;
        self
    }

    /// The same, but the content goes by DATA if `chunking` is false.
    #[must_use]
    pub const fn chunking(mut self, chunking: bool) -> Self {
        self.chunking = chunking;
        self
    }

    /// The same, but it speaks LMTP.
    #[cfg(feature = "mta")]
    #[must_use]
    pub const fn lmtp(mut self) -> Self {
        self.lmtp = true;
        self
    }

    /// The same, but a password may go over an unprotected connection.
    #[must_use]
    pub const fn danger_plaintext_auth(mut self) -> Self {
        self.danger_plaintext_auth = true;
        self
    }
}

/// Why a configuration can not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The host is neither a name nor an address.
    Host,
    /// The EHLO name is neither a domain nor an address literal.
    EhloName,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => {
                "the server is neither a host name such as smtp.example.org nor an IP address"
            }
            Self::EhloName => {
                "the EHLO name is neither a domain nor an address literal such as [192.0.2.1]"
            }
        })
    }
}

impl core::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for host in [
            "smtp.gmail.com",
            "localhost",
            "mx.example.org.",
            "192.0.2.1",
            "::1",
            "2001:db8::1",
        ] {
            assert!(Host::parse(host).is_ok(), "{host}");
        }
        for host in [
            "",
            "a b",
            "a\r\nb",
            "smtp://x",
            "x:25",
            "[::1]",
            "a..b",
            "b\u{fc}cher.example",
            ".",
        ] {
            assert_eq!(Host::parse(host), Err(ConfigError::Host), "{host:?}");
        }
    }

    #[test]
    fn ehlo_names() {
        for name in ["c.example.org", "[192.0.2.1]", "[IPv6:::1]", "pc"] {
            assert!(EhloName::parse(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "a b",
            "x\r\nMAIL FROM:<evil@example.org>",
            "192.0.2.1]",
            "[x]",
            "a.",
        ] {
            assert!(EhloName::parse(name).is_err(), "{name:?}");
        }
    }
}
