//! Bytes to values and back, without state and without allocation.
//!
//! Every parser works on one whole line (framed by [`line`]); every renderer
//! writes through a [`Window`](window::Window), so that output can stop at any
//! byte and go on later. This is the only place that knows nom.

pub mod base64;
pub mod command;
pub mod dot;
pub mod ehlo;
pub mod enhanced;
pub mod line;
pub mod param;
pub mod path;
pub mod reply;
pub mod window;
