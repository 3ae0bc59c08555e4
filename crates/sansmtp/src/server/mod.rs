//! The server: takes mail from clients.
//!
//! [`Server`] is the machine. A driver moves bytes and time by the methods of
//! [`Machine`](crate::Machine) and answers each [`Request`]; the core keeps
//! order, limits and syntax, the driver decides who may send what to whom.
//!
//! Inside, `connection` is the mechanism, `session` what is remembered,
//! `dialogue` the policy: what a command asks for, and what an answer changes.

mod auth;
mod config;
mod connection;
mod dialogue;
mod event;
#[cfg(feature = "scram")]
mod hashed;
mod session;

pub use config::{Config, Limits, Timeouts};
pub use connection::Server;
pub use event::{Bearer, Event, Identity, Login, Query, Request};
#[cfg(feature = "scram")]
pub use event::{Digest, KeysWanted};
pub use session::Session;
