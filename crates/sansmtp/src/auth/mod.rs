//! SASL (RFC 4422) as AUTH uses it (RFC 4954).

#[cfg(feature = "scram")]
mod binding;
#[cfg(all(feature = "client", feature = "auth"))]
mod client;
#[cfg(feature = "scram")]
pub(crate) mod cram_md5;
#[cfg(feature = "scram")]
mod hash;
#[cfg(feature = "scram")]
pub(crate) mod scram;

#[cfg(feature = "scram")]
pub use binding::{BindingKind, ChannelBinding};
#[cfg(all(feature = "client", feature = "auth"))]
pub(crate) use client::{Exchange, Material};
#[cfg(feature = "scram")]
pub use scram::{Hash, LEAST_ITERATIONS, StoredKeys};

use core::fmt;

/// A password or token. It is never shown: `Debug` prints no part of it.
///
/// Comparison takes the same time wherever two secrets of the same length
/// differ.
#[derive(Clone, Copy, Eq)]
pub struct Secret<'a>(&'a str);

impl<'a> Secret<'a> {
    /// Wraps a secret.
    pub const fn new(secret: &'a str) -> Self {
        Self(secret)
    }

    /// The secret itself. Take care where it goes.
    pub const fn reveal(&self) -> &'a str {
        self.0
    }
}

impl PartialEq for Secret<'_> {
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.0.bytes().zip(other.0.bytes());
        let difference = pairs.fold(0, |sum, (a, b)| core::hint::black_box(sum | a ^ b));
        self.0.len() == other.0.len() && difference == 0
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

/// What a client proves its identity with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials<'a> {
    user: &'a str,
    secret: Secret<'a>,
    kind: Kind,
    /// User name and password as SCRAM wants them.
    #[cfg(feature = "scram")]
    prepared: Option<(&'a str, Secret<'a>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Password,
    OAuth2,
    External,
}

/// Why credentials can not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCredentials {
    /// The user name is empty or holds a control character.
    User,
    /// The password is empty or holds a NUL.
    Password,
    /// The token is empty or holds something else than printable ASCII.
    Token,
    /// User name and secret together are longer than
    /// [`Credentials::LENGTH_LIMIT`].
    TooLong,
}

impl fmt::Display for InvalidCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "the user name is empty or holds a control character",
            Self::Password => "the password is empty or holds a NUL character",
            Self::Token => "the token is empty or holds something else than printable ASCII",
            Self::TooLong => "user name and secret are longer than 9,000 octets together",
        })
    }
}

impl core::error::Error for InvalidCredentials {}

impl<'a> Credentials<'a> {
    /// The longest user name and secret together, in octets: in base64 they must
    /// fit into a line of 12,288 (RFC 4954, section 4).
    pub const LENGTH_LIMIT: usize = 9_000;

    /// A user name and a password.
    ///
    /// # Errors
    /// If either can not be sent by any mechanism.
    pub fn password(user: &'a str, password: &'a str) -> Result<Self, InvalidCredentials> {
        if password.is_empty() || crate::octets::position(password.as_bytes(), 0).is_some() {
            return Err(InvalidCredentials::Password);
        }
        Self::new(user, password, Kind::Password)
    }

    /// A user name and an OAuth2 access token.
    ///
    /// # Errors
    /// If either can not be sent by any mechanism.
    pub fn oauth2(user: &'a str, token: &'a str) -> Result<Self, InvalidCredentials> {
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidCredentials::Token);
        }
        Self::new(user, token, Kind::OAuth2)
    }

    /// No secret: the server knows the client by something else, such as the
    /// certificate that it showed in the TLS handshake (EXTERNAL, RFC 4422,
    /// appendix A). `authorization` names whom the client wants to act for; empty
    /// for the one that the certificate names.
    ///
    /// # Errors
    /// If the name holds a control character or is too long.
    pub fn external(authorization: &'a str) -> Result<Self, InvalidCredentials> {
        if authorization.is_empty() {
            return Ok(Self {
                user: "",
                secret: Secret(""),
                kind: Kind::External,
                #[cfg(feature = "scram")]
                prepared: None,
            });
        }
        Self::new(authorization, "", Kind::External)
    }

    fn new(user: &'a str, secret: &'a str, kind: Kind) -> Result<Self, InvalidCredentials> {
        if user.is_empty() || user.bytes().any(|b| b.is_ascii_control()) {
            return Err(InvalidCredentials::User);
        }
        if user.len().saturating_add(secret.len()) > Self::LENGTH_LIMIT {
            return Err(InvalidCredentials::TooLong);
        }
        Ok(Self {
            user,
            secret: Secret(secret),
            kind,
            #[cfg(feature = "scram")]
            prepared: None,
        })
    }

    /// The same, but SCRAM uses these forms of user name and password, which were
    /// prepared with SASLprep (RFC 4013; RFC 5802, section 5.1). ASCII is prepared as it
    /// stands; for other texts the core has no tables.
    ///
    /// # Errors
    /// If either can not be sent.
    #[cfg(feature = "scram")]
    pub fn with_prepared(
        mut self,
        user: &'a str,
        password: &'a str,
    ) -> Result<Self, InvalidCredentials> {
        let prepared = Self::password(user, password)?;
        self.prepared = Some((prepared.user, prepared.secret));
        Ok(self)
    }

    /// User name and password for SCRAM.
    #[cfg(all(feature = "client", feature = "scram"))]
    pub(crate) fn for_scram(&self) -> (&'a str, Secret<'a>) {
        self.prepared.unwrap_or((self.user, self.secret))
    }

    /// The user name.
    pub const fn user(&self) -> &'a str {
        self.user
    }
}
