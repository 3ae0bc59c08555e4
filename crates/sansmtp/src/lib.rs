//! SMTP client and server as one sans-IO state machine.
#![no_std]
#![forbid(unsafe_code)]
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
#[cfg(feature = "message")]
pub mod message;
#[cfg(feature = "provider")]
pub mod provider;
#[cfg(feature = "server")]
pub mod server;
pub mod state;
pub mod transcript;
pub mod wire;

pub use error::Error;
pub use machine::{Instant, Machine};
