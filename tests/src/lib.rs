//! What sansmtp is tested against: real servers, real clients and certificates of every kind.
//!
//! - [`certs`] makes a certification authority and server certificates, good and bad, as PEM files.
//! - [`emulator`] runs the firmware in QEMU, [`capture`] reads what went over its cable, and [`cutting_proxy`] cuts it.
//! - [`peers`] starts servers of other makers (Postfix, aiosmtpd) on free loopback ports and reads back
//!   what they stored.
//! - [`clients`] runs clients of other makers (curl, swaks, msmtp, s-nail, Python's smtplib, Postfix's
//!   smtp-source) against a given server and reports what they said and what they were told to send.
//! - [`hostile`] plays hostile clients and servers against both machines.
//! - [`mail`] makes messages that are hard to carry and compares them byte by byte.
//!
//! Everything blocks the calling thread; wrap a call into `spawn_blocking` in async tests. A tool that
//! is not installed is an [`Error`] that names the command which installs it, never a silent skip.

pub mod capture;
pub mod certs;
pub mod clients;
pub mod cutting_proxy;
pub mod emulator;
mod error;
pub mod hostile;
pub mod mail;
pub mod peers;
mod process;
pub mod tools;

pub use error::Error;
pub use sansmtp::capability::Mechanism;
pub use sansmtp::config::Security;

/// Every kind of protection, for loops over a test matrix.
pub const SECURITIES: [Security; 3] = [
    Security::DangerPlaintext,
    Security::StartTls,
    Security::ImplicitTls,
];

/// The Rust blocks of the README, compiled and run by `cargo xtask test --only readme`.
#[cfg(all(doctest, feature = "readme"))]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;

/// The same for the page for firmware engineers.
#[cfg(all(doctest, feature = "readme"))]
#[doc = include_str!("../../docs/firmware.md")]
#[derive(Debug)]
pub struct FirmwarePage;
