//! Why TLS did not come about.

use core::fmt;

/// What is wrong with the certificates of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// The server sent none, or did not prove that it is its own.
    Missing,
    /// It is not DER, or not X.509.
    Malformed,
    /// More than eight were sent, or the search for a chain took too long.
    TooMany,
    /// A critical extension is not understood, name constraints for instance.
    UnknownCriticalExtension,
    /// It is not valid any more.
    Expired,
    /// It is not valid yet. A device whose clock was not set sees that first.
    NotYetValid,
    /// None of its alternative names is the host. The common name does not count.
    WrongHost,
    /// It is not for TLS servers.
    WrongPurpose,
    /// The key or signature is of a kind that this build does not know.
    UnsupportedKey,
    /// No chain leads to a trust anchor.
    UnknownIssuer,
    /// The issuer is no authority, or not for so long a chain.
    IssuerNotAllowed,
    /// A signature in the chain is wrong.
    BadSignature,
    /// No pinned key was met.
    NotPinned,
    /// A trust anchor of the configuration is no certificate.
    BadAnchor,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl CertificateError {
    /// The error in words.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Missing => "the server did not prove who it is",
            Self::Malformed => "a certificate can not be read",
            Self::TooMany => "the server sent too many certificates",
            Self::UnknownCriticalExtension => "a certificate has an unknown critical extension",
            Self::Expired => "a certificate has expired",
            Self::NotYetValid => "a certificate is not valid yet; is the clock set?",
            Self::WrongHost => "the certificate is for another host",
            Self::WrongPurpose => "the certificate is not for servers",
            Self::UnsupportedKey => "a certificate has a key or signature of an unknown kind",
            Self::UnknownIssuer => "the certificate was issued by nobody that is trusted",
            Self::IssuerNotAllowed => "the certificate was issued by somebody who may not do that",
            Self::BadSignature => "a certificate has a wrong signature",
            Self::NotPinned => "the key of the server is not the pinned one",
            Self::BadAnchor => "a trust anchor can not be read",
        }
    }
}

impl core::error::Error for CertificateError {}

/// Alerts with a reason that the owner of a device can act on.
const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;
const UNRECOGNIZED_NAME: u8 = 112;

/// Why the TLS handshake failed, or the connection later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The server could not be verified.
    Certificate(CertificateError),
    /// The server does not speak TLS 1.3 with P-256 and AES-128-GCM, which is all that there is here.
    Incompatible,
    /// The server ended the handshake with this alert (RFC 8446, section 6).
    Alert(u8),
    /// The server ended the connection with an alert after the handshake, which the library does not tell:
    /// it wants a certificate of the client, for instance.
    Aborted,
    /// A record is larger than the buffer for it: a server may send up to 16,640 octets, and the first
    /// record of the client needs 512.
    BufferTooSmall,
    /// The server sent a handshake message after the handshake that is not implemented: a new key
    /// (KeyUpdate), or the wish for a certificate of the client.
    NotImplemented,
    /// What came is no TLS, or was changed on the way.
    Broken,
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TlsFailure {
    /// The failure in words.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Certificate(error) => error.as_str(),
            Self::Incompatible => "the server has no TLS 1.3 with P-256 and AES-128-GCM",
            Self::Alert(HANDSHAKE_FAILURE) => {
                "the server has no P-256, no AES-128-GCM or no certificate of a known kind"
            }
            Self::Alert(PROTOCOL_VERSION) => "the server has no TLS 1.3",
            Self::Alert(UNRECOGNIZED_NAME) => {
                "the server does not know the name that was asked for"
            }
            Self::Alert(_) => "the server refused the TLS handshake",
            Self::Aborted => "the server ended the TLS connection with an alert",
            Self::BufferTooSmall => "the TLS buffer is too small for what the server sends",
            Self::NotImplemented => "the server asked for something that this TLS can not do",
            Self::Broken => "what the server sent is no TLS",
        }
    }
}

impl core::error::Error for TlsFailure {}
