//! SMTP client and server as one sans-IO state machine.
#![no_std]
#![forbid(unsafe_code)]
#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod capability;
pub mod config;
pub mod wire;
