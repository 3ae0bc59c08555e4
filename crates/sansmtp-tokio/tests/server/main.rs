//! The server as its clients see it: scripted dialogues over loopback.
#![cfg(feature = "server")]

mod delivery;
mod limits;
mod policy;
mod shutdown;
mod support;
mod tls;
