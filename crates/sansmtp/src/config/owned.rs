//! The configuration with data of its own, for programs and bindings that keep
//! it.

use super::{Config, ConfigError, EhloName, Host, Limits, Security, Timeouts};
use crate::auth::{Credentials, InvalidCredentials};
use crate::capability::Mechanisms;
#[cfg(feature = "provider")]
use crate::provider::{Endpoint, Provider};
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

/// [`Credentials`] with data of their own. The secret is wiped when they are
/// dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedCredentials {
    user: String,
    secret: Zeroizing<String>,
    kind: Kind,
    #[cfg(feature = "scram")]
    prepared: Option<(String, Zeroizing<String>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Password,
    OAuth2,
    External,
}

impl OwnedCredentials {
    /// A user name and a password.
    ///
    /// # Errors
    /// If either can not be sent by any mechanism.
    pub fn password(user: &str, password: &str) -> Result<Self, InvalidCredentials> {
        Credentials::password(user, password)?;
        Ok(Self::new(user, password, Kind::Password))
    }

    /// A user name and an OAuth2 access token.
    ///
    /// # Errors
    /// If either can not be sent by any mechanism.
    pub fn oauth2(user: &str, token: &str) -> Result<Self, InvalidCredentials> {
        Credentials::oauth2(user, token)?;
        Ok(Self::new(user, token, Kind::OAuth2))
    }

    /// No secret, as [`Credentials::external`].
    ///
    /// # Errors
    /// If the name can not be sent.
    pub fn external(authorization: &str) -> Result<Self, InvalidCredentials> {
        Credentials::external(authorization)?;
        Ok(Self::new(authorization, "", Kind::External))
    }

    fn new(user: &str, secret: &str, kind: Kind) -> Self {
        Self {
            user: user.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
            kind,
            #[cfg(feature = "scram")]
            prepared: None,
        }
    }

    /// The same, but for SCRAM user name and password are prepared by this function,
    /// which does SASLprep (RFC 4013). Where it gives nothing, they are used as they are.
    #[cfg(feature = "scram")]
    #[must_use]
    pub fn prepared_by(mut self, prepare: impl Fn(&str) -> Option<String>) -> Self {
        if self.kind == Kind::Password
            && let (Some(user), Some(password)) = (prepare(&self.user), prepare(&self.secret))
        {
            let password = Zeroizing::new(password);
            if Credentials::password(&user, &password).is_ok() {
                self.prepared = Some((user, password));
            }
        }
        self
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The borrowed form. `None` can not come up: the parts were checked.
    fn as_credentials(&self) -> Option<Credentials<'_>> {
        match self.kind {
            Kind::Password => {
                let credentials = Credentials::password(&self.user, &self.secret).ok();
                #[cfg(feature = "scram")]
                if let Some((user, password)) = &self.prepared {
                    return credentials?.with_prepared(user, password).ok();
                }
                credentials
            }
            Kind::OAuth2 => Credentials::oauth2(&self.user, &self.secret).ok(),
            Kind::External => Credentials::external(&self.user).ok(),
        }
    }
}

impl fmt::Debug for OwnedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedCredentials")
            .field("user", &self.user)
            .field("secret", &"****")
            .finish()
    }
}

/// [`Config`] with data of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedConfig {
    host: String,
    ehlo_name: Option<String>,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// User and password or token, if the server wants them.
    pub credentials: Option<OwnedCredentials>,
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// How much the server may say.
    pub limits: Limits,
    /// Sends the content by BDAT where the server offers CHUNKING and PIPELINING;
    /// else by DATA. Default true.
    pub chunking: bool,
    /// Speaks LMTP in the place of SMTP. Default false.
    #[cfg(feature = "mta")]
    pub lmtp: bool,
    /// Sends a password even without TLS. For tests on the own machine.
    pub danger_plaintext_auth: bool,
    /// The SASL mechanisms that may be used.
    pub mechanisms: Mechanisms,
}

impl OwnedConfig {
    /// A configuration for the usual port of `security`, without credentials.
    ///
    /// # Errors
    /// [`ConfigError::Host`] if `host` is no name or address.
    pub fn new(host: &str, security: Security) -> Result<Self, ConfigError> {
        Host::parse(host)?;
        Ok(Self {
            host: host.to_owned(),
            ehlo_name: None,
            port: security.default_port(),
            security,
            credentials: None,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            chunking: true,
            #[cfg(feature = "mta")]
            lmtp: false,
            danger_plaintext_auth: false,
            mechanisms: Config::MECHANISMS,
        })
    }

    /// A configuration from a URL such as `smtps://user@smtp.example.org`:
    /// `smtps` stands for implicit TLS, `smtp` for STARTTLS, and
    /// `smtp+danger-plaintext` for no TLS. `lmtp` and `lmtp+danger-plaintext` speak LMTP,
    /// by default to port 24 (feature `mta`). User and password are percent-encoded;
    /// an `@` in the user name may stand as it is. A user without a password is
    /// returned beside the configuration, since credentials need both.
    ///
    /// # Errors
    /// [`UrlError`] names the part that is wrong.
    pub fn from_url(url: &str) -> Result<(Self, Option<String>), UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::Scheme)?;
        let security = match scheme {
            _ if scheme.eq_ignore_ascii_case("smtps") => Security::ImplicitTls,
            _ if scheme.eq_ignore_ascii_case("smtp") => Security::StartTls,
            _ if scheme.eq_ignore_ascii_case("smtp+danger-plaintext") => Security::DangerPlaintext,
            #[cfg(feature = "mta")]
            _ if scheme.eq_ignore_ascii_case("lmtp") => Security::StartTls,
            #[cfg(feature = "mta")]
            _ if scheme.eq_ignore_ascii_case("lmtp+danger-plaintext") => Security::DangerPlaintext,
            _ => return Err(UrlError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let (host, port) = split_port(place)?;
        let mut config = Self::new(host, security).map_err(|_| UrlError::Host)?;
        #[cfg(feature = "mta")]
        if scheme
            .as_bytes()
            .first()
            .is_some_and(|b| b.eq_ignore_ascii_case(&b'l'))
        {
            config.lmtp = true;
            config.port = LMTP_PORT;
        }
        if let Some(port) = port {
            config.port = port;
        }
        let Some(login) = login else {
            return Ok((config, None));
        };
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (login, None),
        };
        let user = percent_decode(user).ok_or(UrlError::User)?;
        let Some(password) = password else {
            return Ok((config, Some((*user).clone())));
        };
        let password = percent_decode(password).ok_or(UrlError::User)?;
        let credentials =
            OwnedCredentials::password(&user, &password).map_err(|_| UrlError::User)?;
        config.credentials = Some(credentials);
        Ok((config, None))
    }

    /// The configuration for one of a provider's servers.
    ///
    /// # Errors
    /// [`ConfigError::Host`] can not come up with the providers of this crate.
    #[cfg(feature = "provider")]
    pub fn for_endpoint(endpoint: &Endpoint) -> Result<Self, ConfigError> {
        let mut config = Self::new(endpoint.host, endpoint.security)?;
        config.port = endpoint.port;
        Ok(config)
    }

    /// The configuration that a provider recommends, without credentials. `None`
    /// for a provider that offers no submission by SMTP.
    #[cfg(feature = "provider")]
    pub fn for_provider(provider: &Provider) -> Option<Self> {
        Self::for_endpoint(provider.submission.first()?).ok()
    }

    /// The configuration for an account at a known provider: its server is found by
    /// the domain of the address, and the user name is made from it.
    ///
    /// # Errors
    /// [`AccountError`] says what is not known, and what to do.
    #[cfg(feature = "provider")]
    pub fn for_account(address: &str, password: &str) -> Result<Self, AccountError> {
        let provider = Provider::by_address(address).ok_or(AccountError::UnknownProvider)?;
        let config = Self::for_provider(provider).ok_or(AccountError::NoSubmission)?;
        let user = provider
            .user_name_for(address)
            .ok_or(AccountError::UserName)?;
        let credentials =
            OwnedCredentials::password(user, password).map_err(AccountError::Credentials)?;
        Ok(config.with_credentials(credentials))
    }

    /// The same with another port.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The same with credentials.
    #[must_use]
    pub fn with_credentials(mut self, credentials: OwnedCredentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The same, but only these SASL mechanisms may be used.
    #[must_use]
    pub fn with_mechanisms(mut self, mechanisms: Mechanisms) -> Self {
        self.mechanisms = mechanisms;
        self
    }

    /// The same with another name for EHLO.
    ///
    /// # Errors
    /// [`ConfigError::EhloName`] if it is neither a domain nor an address
    /// literal.
    pub fn with_ehlo_name(mut self, name: &str) -> Result<Self, ConfigError> {
        EhloName::parse(name)?;
        self.ehlo_name = Some(name.to_owned());
        Ok(self)
    }

    /// The same with other time limits.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// The same, but the content goes by DATA if `chunking` is false.
    #[must_use]
    pub fn with_chunking(mut self, chunking: bool) -> Self {
        self.chunking = chunking;
        self
    }

    /// The same, but it speaks LMTP.
    #[cfg(feature = "mta")]
    #[must_use]
    pub fn with_lmtp(mut self) -> Self {
        self.lmtp = true;
        self
    }

    /// The server's name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What the client calls itself, if that was set.
    pub fn ehlo_name(&self) -> Option<&str> {
        self.ehlo_name.as_deref()
    }

    /// The borrowed form, which a [`Client`](crate::client::Client) takes.
    pub fn as_config(&self) -> Config<'_> {
        let ehlo_name = self.ehlo_name.as_deref();
        Config {
            host: Host(&self.host),
            port: self.port,
            security: self.security,
            credentials: self
                .credentials
                .as_ref()
                .and_then(OwnedCredentials::as_credentials),
            ehlo_name: ehlo_name.map_or(EhloName::LOOPBACK, EhloName),
            timeouts: self.timeouts,
            limits: self.limits,
            chunking: self.chunking,
            #[cfg(feature = "mta")]
            lmtp: self.lmtp,
            danger_plaintext_auth: self.danger_plaintext_auth,
            mechanisms: self.mechanisms,
        }
    }
}

/// The usual port of LMTP, "any private mail system".
#[cfg(feature = "mta")]
const LMTP_PORT: u16 = 24;

/// Why a text is no URL of a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not begin with `smtps://` or `smtp://`.
    Scheme,
    /// The host is no name or address.
    Host,
    /// The port is no number from 1 to 65535.
    Port,
    /// User or password are empty, badly percent-encoded, or can not be sent.
    User,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => {
                "the server URL must begin with smtps:// (implicit TLS) or smtp:// (STARTTLS)"
            }
            Self::Host => "the server URL holds no valid host name or address",
            Self::Port => "the port in the server URL is no number from 1 to 65535",
            Self::User => {
                "user or password in the server URL are empty or not percent-encoded correctly"
            }
        })
    }
}

impl core::error::Error for UrlError {}

/// Why there is no configuration for an account.
#[cfg(feature = "provider")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountError {
    /// No provider is known for the domain of the address.
    UnknownProvider,
    /// The provider takes no mail by SMTP.
    NoSubmission,
    /// The user name does not follow from the address.
    UserName,
    /// User name or password can not be sent.
    Credentials(InvalidCredentials),
}

#[cfg(feature = "provider")]
impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownProvider => {
                "no provider is known for this address; name the server, as in smtps://mail.example.org"
            }
            Self::NoSubmission => {
                "this provider offers no SMTP for mail programs; use another account"
            }
            Self::UserName => {
                "this provider gives the user name itself; take it from its console, and name the provider"
            }
            Self::Credentials(error) => return error.fmt(f),
        })
    }
}

#[cfg(feature = "provider")]
impl core::error::Error for AccountError {}

/// Takes `host`, `host:port`, `[address]` or `[address]:port` apart.
fn split_port(place: &str) -> Result<(&str, Option<u16>), UrlError> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(UrlError::Host)?;
        (address, port)
    } else {
        place.split_at(place.find(':').unwrap_or(place.len()))
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return Err(UrlError::Host),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            let port = digits.parse().ok().filter(|port| *port != 0);
            Some(port.ok_or(UrlError::Port)?)
        }
        Some(_) => return Err(UrlError::Port),
    };
    Ok((host, port))
}

/// Decodes `%40`; the buffer has its final size from the start, so that no copy
/// of a secret is left behind.
fn percent_decode(text: &str) -> Option<Zeroizing<String>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high.wrapping_mul(16).wrapping_add(low)).ok()?
            }
            other => other,
        });
    }
    let text = Zeroizing::new(String::from_utf8(decoded).ok()?);
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn urls() {
        let (config, user) =
            OwnedConfig::from_url("smtps://anna%40example.org@smtp.example.org").unwrap();
        assert_eq!((config.host(), config.port), ("smtp.example.org", 465));
        assert_eq!(config.security, Security::ImplicitTls);
        assert_eq!(user.as_deref(), Some("anna@example.org"));

        let (config, user) =
            OwnedConfig::from_url("smtp://anna@example.org:p%3Aw@[::1]:2525/").unwrap();
        assert_eq!((config.host(), config.port, user), ("::1", 2525, None));
        assert_eq!(config.security, Security::StartTls);
        let expected = OwnedCredentials::password("anna@example.org", "p:w").unwrap();
        assert_eq!(config.credentials, Some(expected));

        #[cfg(feature = "mta")]
        for (url, security, port) in [
            ("lmtp://mda.example.org", Security::StartTls, 24),
            (
                "LMTP+danger-plaintext://[::1]:2424/",
                Security::DangerPlaintext,
                2424,
            ),
        ] {
            let (config, _) = OwnedConfig::from_url(url).unwrap();
            assert_eq!((config.lmtp, config.security), (true, security));
            assert_eq!((config.port, config.as_config().lmtp), (port, true));
        }

        let (config, _) = OwnedConfig::from_url("SMTP+danger-plaintext://localhost").unwrap();
        #[cfg(feature = "mta")]
        assert!(!config.lmtp);
        assert_eq!(
            (config.security, config.port),
            (Security::DangerPlaintext, 25)
        );
    }

    #[test]
    fn urls_that_are_none() {
        for (url, why) in [
            ("smtp.example.org:465", UrlError::Scheme),
            ("http://smtp.example.org", UrlError::Scheme),
            ("smtps://", UrlError::Host),
            ("smtps://a b", UrlError::Host),
            ("smtps://[::1", UrlError::Host),
            ("smtps://[::1]x", UrlError::Host),
            ("smtps://host:0", UrlError::Port),
            ("smtps://host:65536", UrlError::Port),
            ("smtps://host:+25", UrlError::Port),
            ("smtps://host:x", UrlError::Port),
            ("smtps://us%zer@host", UrlError::User),
            ("smtps://us%4@host", UrlError::User),
            ("smtps://@host", UrlError::User),
            ("smtps://user:@host", UrlError::User),
            ("smtps://us%0d%0aer:pw@host", UrlError::User),
            ("smtps://host/path", UrlError::Host),
        ] {
            assert_eq!(OwnedConfig::from_url(url), Err(why), "{url}");
        }
    }

    #[test]
    fn owned_and_borrowed_say_the_same() {
        let owned = OwnedConfig::new("mx.example.org", Security::StartTls)
            .unwrap()
            .with_port(2525)
            .with_credentials(OwnedCredentials::oauth2("user", "token").unwrap())
            .with_ehlo_name("c.example.org")
            .unwrap();
        let expected = Config::new("mx.example.org", Security::StartTls)
            .unwrap()
            .port(2525)
            .credentials(Credentials::oauth2("user", "token").unwrap())
            .ehlo_name(EhloName::parse("c.example.org").unwrap());
        assert_eq!(owned.as_config(), expected);
    }

    #[test]
    fn a_secret_is_never_shown() {
        let (config, _) = OwnedConfig::from_url("smtps://user:s3cret-pw@host").unwrap();
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[cfg(feature = "provider")]
    #[test]
    fn accounts() {
        let config = OwnedConfig::for_account("me@googlemail.com", "app password").unwrap();
        assert_eq!((config.host(), config.port), ("smtp.gmail.com", 465));
        assert_eq!(
            config.credentials.as_ref().unwrap().user(),
            "me@googlemail.com"
        );
        for (address, why) in [
            ("me@example.org", AccountError::UnknownProvider),
            ("me", AccountError::UnknownProvider),
            ("me@tuta.com", AccountError::NoSubmission),
        ] {
            let error = OwnedConfig::for_account(address, "pw").unwrap_err();
            assert_eq!(error, why, "{address}");
        }
        let error = OwnedConfig::for_account("me@gmail.com", "").unwrap_err();
        assert!(matches!(error, AccountError::Credentials(_)), "{error}");
    }

    #[cfg(feature = "provider")]
    #[test]
    fn every_provider_has_a_configuration() {
        for provider in Provider::all() {
            let config = OwnedConfig::for_provider(provider);
            assert_eq!(
                config.is_some(),
                !provider.submission.is_empty(),
                "{}",
                provider.id
            );
        }
    }
}
