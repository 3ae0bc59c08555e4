//! What the fuzz targets check. Each oracle takes any octets and panics if the core does not do what a
//! second, naive implementation says, or if what it wrote does not read back the same.
//!
//! The oracles are a library, so that the seed corpus runs through them in an ordinary test too.

pub mod address;
pub mod bdat;
pub mod command;
pub mod data;
pub mod ehlo;
pub mod framing;
pub mod input;
pub mod message;
pub mod naive;
pub mod reply;
pub mod sasl;
pub mod xtext;

/// Every target by name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("address", address::check),
    ("bdat", bdat::check),
    ("command", command::check),
    ("data", data::check),
    ("ehlo", ehlo::check),
    ("framing", framing::check),
    ("message", message::check),
    ("reply", reply::check),
    ("sasl", sasl::check),
    ("xtext", xtext::check),
];
