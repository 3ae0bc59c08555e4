//! How a server presents itself, and what it bears.

use crate::capability::{Capabilities, Extension, Mechanisms};
use crate::config::{EhloName, Security};

/// How a server presents itself, and what it bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config<'a> {
    /// The server's name, for the greeting and the answer to EHLO.
    pub hostname: EhloName<'a>,
    /// Whether TLS comes first, is offered by STARTTLS, or is not to be had.
    pub security: Security,
    /// What EHLO announces, besides STARTTLS and AUTH, which depend on the state
    /// of the session. What can not be carried out is not announced: REQUIRETLS
    /// without TLS, BINARYMIME without CHUNKING, SMTPUTF8 without 8BITMIME,
    /// FUTURERELEASE without its bounds.
    /// `max_size` is the limit of a message in octets, 0 for none; LIMITS says what
    /// stands in `limits`; XCLIENT is for the sessions of listed balancers only.
    pub capabilities: Capabilities,
    /// The SASL mechanisms. Those that show the password or token are announced
    /// only with TLS, as is EXTERNAL; SCRAM and CRAM-MD5 only if the feature `scram`
    /// is on and the driver has called `Server::set_entropy`; the -PLUS ones only
    /// with TLS and a channel binding.
    pub mechanisms: Mechanisms,
    /// Speaks LMTP in the place of SMTP: LHLO, and one reply for each recipient behind
    /// the content (RFC 2033). Not for port 25.
    #[cfg(feature = "mta")]
    pub lmtp: bool,
    /// MAIL needs a successful AUTH first (RFC 6409, section 4.3).
    pub require_auth: bool,
    /// Takes passwords without TLS. For tests on the own machine.
    pub danger_plaintext_auth: bool,
    /// How much a client may do.
    pub limits: Limits,
    /// How long a client may take.
    pub timeouts: Timeouts,
}

/// How much a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Recipients of one message; RFC 5321, section 4.5.3.1.8 wants at least 100.
    /// Default 1,000.
    pub recipients: u16,
    /// Messages of one session, then 421; 0 for no limit, which is the default.
    #[cfg(feature = "mta")]
    pub messages: u16,
    /// Refused commands until the connection is closed with 421; 0 for no limit.
    /// A message that was taken starts the count anew. Default 20.
    pub errors: u16,
    /// Octets of one line of the content without its CR LF; 0 for no limit. RFC
    /// 5321, section 4.5.3.1.6 wants at least 998. Default 0. Content that is
    /// declared as BINARYMIME has no lines.
    pub text_line: u32,
    /// Octets of a refused chunk (BDAT) that are taken and dropped, so that the
    /// session can go on behind them (RFC 3030, section 2). A larger one ends the
    /// session behind the refusal, whoever refused. Default 64 MiB.
    pub refused_chunk: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            recipients: 1000,
            #[cfg(feature = "mta")]
            messages: 0,
            errors: 20,
            text_line: 0,
            refused_chunk: 64 * 1024 * 1024,
        }
    }
}

/// How long a client may take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For a whole command line. 5 minutes (RFC 5321, section 4.5.3.2.7).
    pub command: u32,
    /// For each stretch of the content. 3 minutes.
    pub content: u32,
    /// The content as a whole may take `content`, and this much more for each
    /// KiB that has come. It bounds a client that sends octet by octet. 2 seconds,
    /// which is 512 octets per second; `u32::MAX` for no such limit.
    pub content_per_kib: u32,
    /// For the TLS handshake. 1 minute.
    pub handshake: u32,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            command: 300_000,
            content: 180_000,
            content_per_kib: 2_000,
            handshake: 60_000,
        }
    }
}

impl<'a> Config<'a> {
    /// A server that offers PIPELINING, SIZE, 8BITMIME, SMTPUTF8, CHUNKING,
    /// BINARYMIME and ENHANCEDSTATUSCODES, takes messages of up to 25 MiB, and lets
    /// nobody authenticate.
    pub fn new(hostname: EhloName<'a>, security: Security) -> Self {
        let mut capabilities = Capabilities::NONE
            .with(Extension::Pipelining)
            .with(Extension::Size)
            .with(Extension::EightBitMime)
            .with(Extension::EnhancedStatusCodes)
            .with(Extension::SmtpUtf8)
            .with(Extension::Chunking)
            .with(Extension::BinaryMime);
        capabilities.max_size = 25 * 1024 * 1024;
        Self {
            hostname,
            security,
            capabilities,
            mechanisms: Mechanisms::NONE,
            #[cfg(feature = "mta")]
            lmtp: false,
            require_auth: false,
            danger_plaintext_auth: false,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// The same with another limit of the message size, in octets.
    #[must_use]
    pub const fn max_size(mut self, octets: u64) -> Self {
        self.capabilities.max_size = octets;
        self
    }

    /// The same, but it speaks LMTP (RFC 2033).
    #[cfg(feature = "mta")]
    #[must_use]
    pub const fn lmtp(mut self) -> Self {
        self.lmtp = true;
        self
    }

    /// The same, but EHLO announces one more extension.
    #[must_use]
    pub const fn offer(mut self, extension: Extension) -> Self {
        self.capabilities = self.capabilities.with(extension);
        self
    }

    /// The same with SASL mechanisms.
    #[must_use]
    pub const fn mechanisms(mut self, mechanisms: Mechanisms) -> Self {
        self.mechanisms = mechanisms;
        self
    }

    /// The same, but MAIL needs AUTH first.
    #[must_use]
    pub const fn require_auth(mut self) -> Self {
        self.require_auth = true;
        self
    }

    /// The same, but passwords are taken without TLS.
    #[must_use]
    pub const fn danger_plaintext_auth(mut self) -> Self {
        self.danger_plaintext_auth = true;
        self
    }

    /// The same with other limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with other time limits.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }
}
