//! TLS 1.3 by embedded-tls, with a verifier of our own.
//!
//! The library leaves the proof of who the server is to others, or to a verifier that accepts too much. Here
//! a server must send a chain to a trust anchor ([`Trust`]): every issuer is an authority by
//! BasicConstraints and KeyUsage, the host is among the alternative names, nothing is expired by the
//! clock of the caller, no critical extension is unknown; and it must sign the handshake. A handshake in
//! which no certificate comes at all, which the library would accept, is refused.
//!
//! What the library can not do ends in a [`TlsFailure`]: TLS 1.2, key exchange by X25519 only, keys
//! other than P-256 (the features `p384` and `rsa` add theirs), a new key in the middle of the connection (KeyUpdate). What it would panic on never reaches
//! it: buffers are measured before, records are looked at when they come in, and once more when they are
//! decrypted.

mod certificate;
mod chain;
mod cipher;
#[cfg(feature = "p384")]
mod ecdsa384;
mod error;
mod guard;
mod key;
#[cfg(any(feature = "p384", feature = "rsa"))]
mod montgomery;
mod name;
#[cfg(feature = "rsa")]
mod rsa;
mod session;
mod verifier;

pub use chain::Trust;
pub use error::{CertificateError, TlsFailure};
pub use rand_core;
pub use session::Tls;
