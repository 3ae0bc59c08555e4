//! sansmtp over tokio and rustls.

mod clock;

#[cfg(feature = "client")]
pub mod client;

#[cfg(feature = "client")]
pub use client::Mailer;
pub use sansmtp;
pub use tokio_rustls::rustls;
