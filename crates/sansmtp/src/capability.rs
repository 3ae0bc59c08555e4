//! What a server can announce in its answer to EHLO.

#[cfg(feature = "mta")]
use crate::wire::datetime::DateTime;

/// An SMTP service extension that is offered by its keyword alone or whose
/// offer matters as a yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Extension {
    /// PIPELINING: commands in groups (RFC 2920).
    Pipelining,
    /// 8BITMIME: octets above 127 in the content (RFC 6152).
    EightBitMime,
    /// SIZE: declared and limited message size (RFC 1870).
    Size,
    /// STARTTLS (RFC 3207).
    StartTls,
    /// AUTH (RFC 4954).
    Auth,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    EnhancedStatusCodes,
    /// SMTPUTF8: addresses and headers in UTF-8 (RFC 6531).
    SmtpUtf8,
    /// CHUNKING: BDAT (RFC 3030).
    Chunking,
    /// BINARYMIME (RFC 3030).
    BinaryMime,
    /// DSN: delivery status notifications (RFC 3461).
    Dsn,
    /// REQUIRETLS (RFC 8689).
    RequireTls,
    /// DELIVERBY (RFC 2852).
    DeliverBy,
    /// FUTURERELEASE (RFC 4865).
    FutureRelease,
    /// MT-PRIORITY (RFC 6710).
    MtPriority,
    /// LIMITS (RFC 9422).
    Limits,
    /// VRFY (RFC 5321, section 3.5).
    Vrfy,
    /// EXPN (RFC 5321, section 3.5).
    Expn,
    /// HELP (RFC 5321, section 4.1.1.8).
    Help,
    /// ETRN (RFC 1985).
    Etrn,
    /// XCLIENT: a balancer says for whom it connects. Not standardised; Postfix
    /// describes it.
    XClient,
}

impl Extension {
    /// All of them, in the order in which a server lists them.
    pub const ALL: [Self; 20] = [
        Self::Pipelining,
        Self::Size,
        Self::EightBitMime,
        Self::StartTls,
        Self::Auth,
        Self::EnhancedStatusCodes,
        Self::SmtpUtf8,
        Self::Chunking,
        Self::BinaryMime,
        Self::Dsn,
        Self::RequireTls,
        Self::DeliverBy,
        Self::FutureRelease,
        Self::MtPriority,
        Self::Limits,
        Self::Vrfy,
        Self::Expn,
        Self::Help,
        Self::Etrn,
        Self::XClient,
    ];

    /// The EHLO keyword.
    // One table, and not a choice wherever it is asked.
    #[cfg_attr(not(feature = "memchr"), inline(never))]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Pipelining => "PIPELINING",
            Self::EightBitMime => "8BITMIME",
            Self::Size => "SIZE",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::EnhancedStatusCodes => "ENHANCEDSTATUSCODES",
            Self::SmtpUtf8 => "SMTPUTF8",
            Self::Chunking => "CHUNKING",
            Self::BinaryMime => "BINARYMIME",
            Self::Dsn => "DSN",
            Self::RequireTls => "REQUIRETLS",
            Self::DeliverBy => "DELIVERBY",
            Self::FutureRelease => "FUTURERELEASE",
            Self::MtPriority => "MT-PRIORITY",
            Self::Limits => "LIMITS",
            Self::Vrfy => "VRFY",
            Self::Expn => "EXPN",
            Self::Help => "HELP",
            Self::Etrn => "ETRN",
            Self::XClient => "XCLIENT",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }

    /// Whether the client of this build makes use of it.
    pub(crate) const fn is_used(self) -> bool {
        match self {
            _ if !cfg!(feature = "client") => true,
            Self::StartTls => cfg!(feature = "starttls"),
            Self::Auth => cfg!(feature = "auth"),
            Self::Pipelining => cfg!(feature = "pipelining"),
            Self::Chunking | Self::BinaryMime => cfg!(feature = "chunking"),
            Self::Vrfy | Self::Expn | Self::Help => cfg!(feature = "query"),
            Self::RequireTls
            | Self::DeliverBy
            | Self::FutureRelease
            | Self::MtPriority
            | Self::Limits
            | Self::Etrn
            | Self::XClient => cfg!(feature = "mta"),
            Self::Size
            | Self::EightBitMime
            | Self::EnhancedStatusCodes
            | Self::SmtpUtf8
            | Self::Dsn => cfg!(feature = "extensions"),
        }
    }
}

/// A SASL mechanism (RFC 4422).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mechanism {
    /// PLAIN (RFC 4616).
    Plain,
    /// LOGIN, never standardised, but the only one some servers offer for
    /// passwords.
    Login,
    /// CRAM-MD5 (RFC 2195).
    CramMd5,
    /// SCRAM-SHA-1 (RFC 5802).
    ScramSha1,
    /// SCRAM-SHA-1-PLUS (RFC 5802).
    ScramSha1Plus,
    /// SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// SCRAM-SHA-256-PLUS (RFC 7677).
    ScramSha256Plus,
    /// XOAUTH2, as Google and Microsoft define it.
    XOAuth2,
    /// OAUTHBEARER (RFC 7628).
    OAuthBearer,
    /// EXTERNAL (RFC 4422, appendix A).
    External,
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Plain,
        Self::Login,
        Self::CramMd5,
        Self::ScramSha1,
        Self::ScramSha1Plus,
        Self::ScramSha256,
        Self::ScramSha256Plus,
        Self::XOAuth2,
        Self::OAuthBearer,
        Self::External,
    ];

    /// The registered name.
    #[cfg_attr(not(feature = "memchr"), inline(never))]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::External => "EXTERNAL",
        }
    }

    /// Whether whoever reads the exchange has the password or token.
    pub const fn reveals_secret(self) -> bool {
        matches!(
            self,
            Self::Plain | Self::Login | Self::XOAuth2 | Self::OAuthBearer
        )
    }

    /// Whether the exchange is bound to the TLS connection (RFC 5056).
    pub const fn binds_channel(self) -> bool {
        matches!(self, Self::ScramSha1Plus | Self::ScramSha256Plus)
    }

    /// Whether the client of this build has it.
    pub(crate) const fn is_used(self) -> bool {
        match self {
            _ if !cfg!(feature = "client") => true,
            Self::Plain | Self::Login => cfg!(feature = "auth"),
            Self::XOAuth2 | Self::OAuthBearer => cfg!(feature = "oauth"),
            Self::External => cfg!(feature = "external"),
            Self::CramMd5
            | Self::ScramSha1
            | Self::ScramSha1Plus
            | Self::ScramSha256
            | Self::ScramSha256Plus => cfg!(feature = "scram"),
        }
    }

    /// Whether it needs a hash function.
    pub(crate) const fn hashes(self) -> bool {
        matches!(
            self,
            Self::CramMd5
                | Self::ScramSha1
                | Self::ScramSha1Plus
                | Self::ScramSha256
                | Self::ScramSha256Plus
        )
    }

    /// The mechanism of this name, in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|mechanism| crate::octets::is_name(mechanism.name(), name))
    }
}

impl core::fmt::Display for Mechanism {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of SASL mechanisms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mechanisms(u16);

impl Mechanisms {
    /// No mechanism.
    pub const NONE: Self = Self(0);

    /// Every mechanism.
    pub const ALL: Self = {
        let mut all = Self::NONE;
        let mut at = 0;
        while at < Mechanism::ALL.len() {
            all = all.with(Mechanism::ALL[at]);
            at += 1;
        }
        all
    };

    /// The four kinds of SCRAM.
    pub const SCRAM: Self = Self::NONE
        .with(Mechanism::ScramSha1)
        .with(Mechanism::ScramSha1Plus)
        .with(Mechanism::ScramSha256)
        .with(Mechanism::ScramSha256Plus);

    /// This set with one more mechanism.
    #[must_use]
    pub const fn with(self, mechanism: Mechanism) -> Self {
        Self(self.0 | 1 << mechanism as u8)
    }

    /// This set without a mechanism.
    #[must_use]
    pub const fn without(self, mechanism: Mechanism) -> Self {
        Self(self.0 & !(1 << mechanism as u8))
    }

    /// Those that do not reveal the secret to whoever reads the exchange.
    #[cfg(feature = "auth")]
    pub(crate) const SECRET_KEEPING: Self = {
        let mut keeping = Self::NONE;
        let mut at = 0;
        while at < Mechanism::ALL.len() {
            if !Mechanism::ALL[at].reveals_secret() {
                keeping = keeping.with(Mechanism::ALL[at]);
            }
            at += 1;
        }
        keeping
    };

    /// What is in both sets.
    #[cfg(feature = "auth")]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the mechanism is in the set.
    pub const fn has(self, mechanism: Mechanism) -> bool {
        self.0 & 1 << mechanism as u8 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The mechanisms of the set.
    pub fn iter(self) -> impl Iterator<Item = Mechanism> {
        let all = Mechanism::ALL.iter().copied();
        all.filter(move |m| self.has(*m))
    }
}

impl FromIterator<Mechanism> for Mechanisms {
    fn from_iter<I: IntoIterator<Item = Mechanism>>(mechanisms: I) -> Self {
        mechanisms.into_iter().fold(Self::NONE, Self::with)
    }
}

/// What a server offers: the content of its EHLO reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    extensions: u32,
    /// The mechanisms behind AUTH.
    pub mechanisms: Mechanisms,
    /// The largest message in octets; 0 where no limit is stated (RFC 1870,
    /// section 4).
    pub max_size: u64,
    /// What is stated behind other keywords.
    #[cfg(feature = "mta")]
    pub bounds: Bounds,
}

/// What a server states behind the keywords of the rarer extensions. 0 stands
/// for nothing stated.
#[cfg(feature = "mta")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// DELIVERBY: the least seconds for a message that is to be returned when it
    /// is late (RFC 2852, section 2).
    pub min_by_time: u32,
    /// FUTURERELEASE: how many seconds a message can be held (RFC 4865, section
    /// 3).
    pub hold_seconds: u32,
    /// FUTURERELEASE: until when a message can be held.
    pub hold_until: DateTime,
    /// LIMITS, RCPTMAX: recipients of one message (RFC 9422, section 4).
    pub recipients: u32,
    /// LIMITS, MAILMAX: messages of one session.
    pub messages: u32,
    /// LIMITS, RCPTDOMAINMAX: different domains among the recipients of one
    /// session.
    pub domains: u32,
}

#[cfg(feature = "mta")]
impl Bounds {
    /// Nothing is stated.
    pub const NONE: Self = Self {
        min_by_time: 0,
        hold_seconds: 0,
        hold_until: DateTime::EPOCH,
        recipients: 0,
        messages: 0,
        domains: 0,
    };
}

impl Capabilities {
    /// Nothing is offered, as after HELO.
    pub const NONE: Self = Self {
        extensions: 0,
        mechanisms: Mechanisms::NONE,
        max_size: 0,
        #[cfg(feature = "mta")]
        bounds: Bounds::NONE,
    };

    /// Whether the extension is offered.
    pub const fn has(&self, extension: Extension) -> bool {
        self.extensions & extension.bit() != 0
    }

    /// The same with one more extension.
    #[must_use]
    pub const fn with(mut self, extension: Extension) -> Self {
        self.add(extension);
        self
    }

    pub(crate) const fn add(&mut self, extension: Extension) {
        self.extensions |= extension.bit();
    }

    /// The same without an extension.
    #[must_use]
    pub const fn without(mut self, extension: Extension) -> Self {
        self.extensions &= !extension.bit();
        self
    }

    /// The extensions offered.
    pub fn iter(self) -> impl Iterator<Item = Extension> {
        let all = Extension::ALL.iter().copied();
        all.filter(move |e| self.has(*e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_extension_has_a_bit_of_its_own() {
        let mut all = Capabilities::NONE;
        for extension in Extension::ALL {
            assert!(!all.has(extension));
            all = all.with(extension);
        }
        assert_eq!(all.iter().count(), Extension::ALL.len());
        assert!(!all.without(Extension::Size).has(Extension::Size));
    }

    #[test]
    fn mechanism_names() {
        for mechanism in Mechanism::ALL {
            assert_eq!(
                Mechanism::from_name(mechanism.name().as_bytes()),
                Some(mechanism)
            );
        }
        assert_eq!(Mechanism::from_name(b"plain"), Some(Mechanism::Plain));
        assert_eq!(Mechanism::from_name(b"PLAIN-CLIENTTOKEN"), None);
        assert_eq!(Mechanism::from_name(b""), None);
    }
}
