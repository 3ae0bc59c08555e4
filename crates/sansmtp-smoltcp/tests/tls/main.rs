//! Mail through TLS to a server with rustls, in memory.

mod certificates;
mod harness;
mod limits;
