//! What the fuzz targets check. Each oracle takes any octets and panics if the core does not do what a
//! second, naive implementation says, or if what it wrote does not read back the same.
//!
//! The oracles are a library, so that the seed corpus runs through them in an ordinary test too.

pub mod address;
pub mod bdat;
pub mod client;
pub mod command;
pub mod data;
pub mod ehlo;
pub mod framing;
pub mod handling;
pub mod input;
pub mod message;
pub mod naive;
pub mod proxy;
pub mod reply;
pub mod sasl;
pub mod server;
pub mod session;
pub mod xtext;

/// Every target by name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("address", address::check),
    ("bdat", bdat::check),
    ("client", client::check),
    ("command", command::check),
    ("data", data::check),
    ("ehlo", ehlo::check),
    ("framing", framing::check),
    ("handling", handling::check),
    ("message", message::check),
    ("proxy", proxy::check),
    ("reply", reply::check),
    ("sasl", sasl::check),
    ("server", server::check),
    ("session", session::check),
    ("xtext", xtext::check),
];
