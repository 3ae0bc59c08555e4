//! sansmtp over tokio and rustls.

mod clock;
#[cfg(feature = "server")]
mod random;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
pub mod maildir;
#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "client")]
pub use client::Mailer;
pub use sansmtp;
pub use tokio_rustls::rustls;
