//! SMTP client and server as one sans-IO state machine: no I/O, no allocation, no
//! unsafe code, no panic.
//!
//! - [`client::Client`] and [`server::Server`] are the machines; both are driven
//!   by the methods of [`Machine`]: octets in, events out, octets out, time.
//! - [`config::Config`] and [`envelope::Envelope`] say what is to be done;
//!   [`error::Error`] says what went wrong, who must act, and what to do next.
//! - [`message`] composes messages as a stream, [`provider`] knows the servers of
//!   mail providers and explains their replies, [`transcript`] shows a dialogue
//!   with credentials masked, [`wire`] is the codec.
//!
//! ```
//! use sansmtp::client::{Client, Event};
//! use sansmtp::config::{Config, Security};
//! use sansmtp::{Instant, Machine};
//!
//! let config = Config::new("mx.example.org", Security::DangerPlaintext)?;
//! let mut line = [0; 512];
//! let mut client = Client::new(&config, &mut line, Instant::from_millis(0));
//!
//! // What came from the server goes in, one line and one event at a time ...
//! let now = Instant::from_millis(7);
//! let (used, event) = client.receive(now, b"220 mx.example.org ESMTP\r\n")?;
//! assert_eq!(used, 26);
//! assert!(matches!(event, Some(Event::Reply { .. })));
//!
//! // ... and what is to be sent comes out.
//! let mut out = [0; 512];
//! let written = client.transmit(now, &mut out);
//! assert_eq!(&out[..written], b"EHLO [127.0.0.1]\r\n");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! Features: `client`, `esmtp`, `server`, `message`, `provider` (all on by default);
//! `scram` adds the mechanisms that hash; `alloc` adds owned configurations; `std`
//! implies `alloc`.
//!
//! `client` alone speaks plain SMTP, over implicit TLS or none. `esmtp` is all that
//! it can do beyond; firmware that counts octets takes the parts that it needs:
//! `starttls`; `auth` (PLAIN, LOGIN), `oauth`, `external`; `pipelining`, `chunking`;
//! `extensions` (SIZE, 8BITMIME, SMTPUTF8, DSN); `query` (NOOP, RSET, VRFY, EXPN,
//! HELP); `mta` (REQUIRETLS, DELIVERBY, FUTURERELEASE, MT-PRIORITY, LIMITS, LMTP,
//! ETRN, XCLIENT, the PROXY protocol; in both roles). What is left out counts as not offered by the server: a message or
//! configuration that needs it is refused before anything is sent.
#![no_std]
#![forbid(unsafe_code)]
// Each line of the codec is written once for both roles and for the message
// writer; without one of them a part of it is idle, and the linker drops it.
#![cfg_attr(
    not(all(feature = "client", feature = "server", feature = "message")),
    allow(dead_code, unused_imports)
)]
#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod auth;
pub mod capability;
#[cfg(feature = "client")]
pub mod client;
pub mod config;
pub mod envelope;
pub mod error;
pub mod machine;
#[cfg(feature = "message-text")]
pub mod message;
mod octets;
#[cfg(feature = "provider")]
pub mod provider;
#[cfg(feature = "server")]
pub mod server;
pub mod state;
pub mod transcript;
pub mod wire;

pub use error::Error;
pub use machine::{Instant, Machine};
