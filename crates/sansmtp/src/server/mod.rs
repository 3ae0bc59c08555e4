//! The server: takes mail from clients.
//!
//! [`Server`] is the machine. A driver moves bytes and time by the methods of
//! [`Machine`](crate::Machine) and answers each [`Request`]; the core keeps
//! order, limits and syntax, the driver decides who may send what to whom.
//!
//! Inside, `connection` is the mechanism, `session` what is remembered and what
//! an answer changes; the policy is `dialogue` with `offer`, `command`, `exchange`
//! (AUTH) and `content`.

mod auth;
mod command;
mod config;
mod connection;
mod content;
mod dialogue;
mod event;
mod exchange;
#[cfg(feature = "mta")]
mod handling;
#[cfg(feature = "scram")]
mod hashed;
mod offer;
mod replies;
mod session;

pub use config::{Config, Limits, Timeouts};
pub use connection::Server;
pub use event::{Bearer, Event, Identity, Login, Query, Request};
#[cfg(feature = "scram")]
pub use event::{Digest, KeysWanted};
pub use session::Session;
