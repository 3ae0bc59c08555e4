//! sansmtp over tokio and rustls: [`client::Mailer`] sends mail, with a pool of
//! connections; [`server::Server`] receives it, and asks a
//! [`Handler`](server::Handler) what may be sent to whom. With the feature `testing`
//! there is a server for tests, which can misbehave.

#[cfg(any(feature = "client", feature = "server"))]
mod channel_binding;
mod clock;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
pub mod maildir;
#[cfg(any(feature = "client", feature = "server"))]
mod random;
#[cfg(any(feature = "client", feature = "server"))]
mod saslprep;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "client")]
pub use client::Mailer;
pub use sansmtp;
#[cfg(feature = "server")]
pub use server::Server;
pub use tokio_rustls::rustls;
