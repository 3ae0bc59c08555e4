//! SMTP client and server as one sans-IO state machine.
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
#[cfg(feature = "message")]
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
