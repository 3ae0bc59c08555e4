//! sansmtp over smoltcp: a microcontroller sends and receives mail.
//!
//! Everything is polled and nothing allocates; no executor, no interrupt and no thread is needed. All
//! buffers belong to the caller.
//!
//! - [`Mailer`] sends one mail with bounded retry: name look-up, connection, dialogue, goodbye.
//! - [`Delivery`] is its inner part for programs with a reconnect policy of their own: one mail on one
//!   connection, moved by [`exchange()`].
//! - `TlsMailer` (feature `tls`) does the same as [`Mailer`] through STARTTLS or implicit TLS, with a verified
//!   certificate: a future that is polled by hand, or by an executor.
//! - `send` (feature `embedded-io-async`) does the same over connections of any other stack, that of embassy-net for
//!   instance, which `Connect` makes; `Tls::send` with TLS. `deliver` moves one [`Delivery`] over one transport.
//! - [`Reception`] takes mail on one connection of a listening socket.
//! - [`Composed`] streams a message of the core with attachments read from flash; any other source of
//!   octets implements [`Content`].
//!
//! ```
//! use sansmtp::config::{Config, Security};
//! use sansmtp::envelope::{Envelope, Outcome, Recipient};
//! use sansmtp::wire::path::ReversePath;
//! use sansmtp_smoltcp::{Delivery, InMemory, Mailer, Peer, Report, Retry, core_instant};
//! use smoltcp::iface::{Interface, SocketHandle, SocketSet};
//! use smoltcp::phy::Device;
//! use smoltcp::time::Instant;
//! use smoltcp::wire::IpAddress;
//!
//! /// Sends a mail to the server at 192.0.2.25 and waits for its fate.
//! fn send(
//!     message: &[u8], // header and body, lines with CR LF
//!     device: &mut impl Device,
//!     interface: &mut Interface,
//!     sockets: &mut SocketSet<'_>,
//!     tcp: SocketHandle,
//!     clock: impl Fn() -> Instant,
//! ) -> Result<Report, Box<dyn std::error::Error>> {
//!     let config = Config::new("mx.example.org", Security::DangerPlaintext)?;
//!     let recipients = [Recipient::parse("ops@example.org")?];
//!     let envelope = Envelope::new(ReversePath::parse("pump7@example.org")?, &recipients);
//!     let (mut line, mut outcomes) = ([0; 128], [Outcome::NotSent]);
//!     let content = InMemory::new(message);
//!     let mut delivery = Delivery::new(&config, &envelope, content, &mut line, &mut outcomes);
//!     let peer = Peer::Address(IpAddress::v4(192, 0, 2, 25));
//!     let random = 4711; // from the random number generator
//!     let mut mailer = Mailer::new(&mut delivery, peer, tcp, Retry::DEFAULT, random);
//!     let mut report = None;
//!     while !mailer.is_idle() {
//!         interface.poll(clock(), device, sockets);
//!         report = report.or(mailer.poll(core_instant(clock()), interface, sockets));
//!     }
//!     report.ok_or("it reports once".into())
//! }
//! ```
//!
//! The protocol is the matter of the core: this crate moves octets and time, and decides only when to
//! connect again.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "embedded-io-async")]
mod connect;
#[cfg(feature = "client")]
mod content;
#[cfg(feature = "client")]
mod delivery;
mod exchange;
#[cfg(feature = "client")]
mod failure;
#[cfg(all(feature = "client", feature = "defmt"))]
mod log;
#[cfg(feature = "client")]
mod mailer;
#[cfg(feature = "client")]
mod peer;
#[cfg(feature = "server")]
mod reception;
#[cfg(feature = "client")]
mod report;
#[cfg(feature = "client")]
mod retry;
#[cfg(feature = "embedded-io-async")]
mod stream;
mod time;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "tls")]
mod tls_mailer;

#[cfg(feature = "embedded-io-async")]
pub use connect::{Connect, send};
#[cfg(all(feature = "client", feature = "message-text"))]
pub use content::{AttachmentSource, Composed, NoAttachments};
#[cfg(feature = "client")]
pub use content::{Content, ContentError, InMemory};
#[cfg(feature = "client")]
pub use delivery::Delivery;
pub use exchange::{Dialogue, exchange};
#[cfg(feature = "client")]
pub use failure::{Failure, Reason};
#[cfg(feature = "client")]
pub use mailer::Mailer;
#[cfg(feature = "client")]
pub use peer::Peer;
#[cfg(feature = "server")]
pub use reception::{Handler, Reception};
#[cfg(feature = "client")]
pub use report::Report;
#[cfg(feature = "client")]
pub use retry::Retry;
#[cfg(feature = "embedded-io-async")]
pub use stream::{Clock, PolledClock, deliver, poll_once};
pub use time::{core_instant, stack_instant};
#[cfg(feature = "tls")]
pub use tls_mailer::{Stack, TlsMailer};
