//! sansmtp over tokio and rustls.

mod clock;
#[cfg(feature = "server")]
pub mod maildir;
#[cfg(feature = "server")]
mod random;
#[cfg(feature = "server")]
pub mod server;
