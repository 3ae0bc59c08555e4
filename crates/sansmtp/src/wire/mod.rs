//! Bytes to values and back, without state and without allocation.
//!
//! Every parser works on one whole line (framed by [`mod@line`]); every renderer
//! writes through a [`Window`](window::Window), so that output can stop at any
//! byte and go on later. This is the only place that knows the grammar.

// One role alone uses a part of it.
#![cfg_attr(not(all(feature = "client", feature = "server")), allow(dead_code))]

pub mod base64;
pub mod chunk;
pub mod command;
#[cfg(feature = "mta")]
pub mod datetime;
pub mod dot;
pub mod ehlo;
pub mod enhanced;
#[cfg(feature = "mta")]
pub mod handling;
#[cfg(feature = "mta")]
mod ip;
pub(crate) mod keyword;
pub mod line;
pub mod param;
pub mod path;
mod plain;
#[cfg(feature = "mta")]
pub mod proxy;
pub mod reply;
pub mod window;
#[cfg(feature = "mta")]
pub mod xclient;
