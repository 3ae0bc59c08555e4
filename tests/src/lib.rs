//! What sansmtp is tested against: real servers, real clients and certificates of every kind.
//!
//! - [`certs`] makes a certification authority and server certificates, good and bad, as PEM files.
//! - [`peers`] starts servers of other makers (Postfix, aiosmtpd) on free loopback ports and reads back
//!   what they stored.
//! - [`clients`] runs clients of other makers (curl, swaks, msmtp, s-nail, Python's smtplib, Postfix's
//!   smtp-source) against a given server and reports what they said and what they were told to send.
//! - [`mail`] makes messages that are hard to carry and compares them byte by byte.
//!
//! Everything blocks the calling thread; wrap a call into `spawn_blocking` in async tests. A tool that
//! is not installed is an [`Error`] that names the command which installs it, never a silent skip.

pub mod certs;
pub mod clients;
pub mod cutting_proxy;
pub mod emulator;
mod error;
pub mod mail;
pub mod peers;
mod process;
pub mod tools;

pub use error::Error;

/// How a client is to protect the connection, and which port of a peer that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Security {
    /// No TLS.
    Plaintext,
    /// Plain text first, then STARTTLS (RFC 3207), required.
    StartTls,
    /// TLS from the first byte (RFC 8314, section 3.3).
    ImplicitTls,
}

impl Security {
    /// Every kind, for loops over a test matrix.
    pub const ALL: [Self; 3] = [Self::Plaintext, Self::StartTls, Self::ImplicitTls];
}

/// A SASL mechanism that the peers offer (RFC 4954).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// PLAIN (RFC 4616).
    Plain,
    /// LOGIN, without an RFC but needed in practice.
    Login,
    /// CRAM-MD5 (RFC 2195).
    CramMd5,
}

impl Mechanism {
    /// The name as EHLO announces it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
        }
    }
}

/// The Rust blocks of the README, compiled and run by `cargo xtask test --only readme`.
#[cfg(all(doctest, feature = "readme"))]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
