//! sansmtp over smoltcp: a microcontroller sends and receives mail.
//!
//! Everything is polled and nothing allocates; no executor, no interrupt and no thread is needed. All
//! buffers belong to the caller.
//!
//! - [`Mailer`] sends one mail with bounded retry: name look-up, connection, dialogue, goodbye.
//! - [`Delivery`] is its inner part for programs with a reconnect policy of their own: one mail on one
//!   connection, moved by [`exchange`].
//! - `TlsMailer` (feature `tls`) does the same as [`Mailer`] through STARTTLS or implicit TLS, with a verified
//!   certificate: a future that is polled by hand, or by an executor.
//! - `deliver` (feature `embedded-io-async`) moves a [`Delivery`] over any transport.
//! - [`Reception`] takes mail on one connection of a listening socket.
//! - [`Composed`] streams a message of the core with attachments read from flash; any other source of
//!   octets implements [`Content`].
//!
//! The protocol is the matter of the core: this crate moves octets and time, and decides only when to
//! connect again.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
mod content;
#[cfg(feature = "client")]
mod delivery;
mod exchange;
#[cfg(feature = "client")]
mod failure;
#[cfg(feature = "client")]
mod mailer;
#[cfg(feature = "client")]
mod peer;
#[cfg(feature = "server")]
mod reception;
#[cfg(feature = "client")]
mod retry;
#[cfg(feature = "embedded-io-async")]
mod stream;
mod time;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "tls")]
mod tls_mailer;

#[cfg(all(feature = "client", feature = "message"))]
pub use content::{AttachmentSource, Composed, NoAttachments};
#[cfg(feature = "client")]
pub use content::{Content, ContentError};
#[cfg(feature = "client")]
pub use delivery::Delivery;
pub use exchange::{Dialogue, exchange};
#[cfg(feature = "client")]
pub use failure::{Failure, Reason};
#[cfg(feature = "client")]
pub use mailer::{Mailer, Report};
#[cfg(feature = "client")]
pub use peer::Peer;
#[cfg(feature = "server")]
pub use reception::{Handler, Reception};
#[cfg(feature = "client")]
pub use retry::Retry;
#[cfg(feature = "embedded-io-async")]
pub use stream::{Clock, PolledClock, deliver, poll_once};
pub use time::{core_instant, stack_instant};
#[cfg(feature = "tls")]
pub use tls_mailer::{Stack, TlsMailer};
