//! The server as its clients see it: scripted dialogues over loopback.
#![cfg(feature = "server")]

mod balancer;
mod delivery;
mod limits;
mod lmtp;
mod policy;
mod shutdown;
mod support;
mod tls;
