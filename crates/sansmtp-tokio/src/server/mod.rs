//! A server that takes mail.
//!
//! [`Server`] accepts connections and drives one core machine for each; a
//! [`Handler`] decides who may send what to whom, and where content goes.
//! [`MaildirHandler`] is a ready-made one: it takes mail for some domains, on
//! disk before the client hears 250.
//!
//! Nothing is relayed unless a handler says so: what it does not accept is
//! refused.
//!
//! ```no_run
//! use sansmtp::config::Security;
//! use sansmtp_tokio::maildir::Maildir;
//! use sansmtp_tokio::server::{MaildirHandler, Server, ServerConfig};
//! use std::time::Duration;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let maildir = Maildir::create("mail", "mx.example.org").await?;
//! let handler = MaildirHandler::new(maildir, "mx.example.org").domain("example.org");
//! let config = ServerConfig::new("mx.example.org")?.max_size(10_000_000);
//! let server = Server::builder(config, handler)
//!     .listen("127.0.0.1:2525", Security::DangerPlaintext)
//!     .bind()
//!     .await?;
//! println!("listening on {:?}", server.local_addrs());
//! let handle = server.shutdown_handle();
//! let serving = tokio::spawn(server.serve());
//! // Later, such as when a signal comes:
//! handle.shutdown(Duration::from_secs(30));
//! serving.await?;
//! # Ok(())
//! # }
//! ```

mod config;
mod desk;
mod envelope;
mod faults;
mod handler;
mod info;
mod io;
mod limits;
mod local_delivery;
mod network;
mod proxied;
mod reply;
mod return_path;
#[expect(clippy::module_inception, reason = "the type that the module is about")]
mod server;
mod session;
mod stream;
mod tls;
mod trace;
mod users;

pub use config::{InvalidConfig, ServerConfig};
pub use envelope::{MailEnvelope, MailRecipient};
pub use faults::{Fault, FaultStep, Faulty, FaultyBody, InvalidFault};
pub use handler::{Body, Handler, Refusal, Verdict};
pub use info::{SessionInfo, TlsInfo};
pub use local_delivery::{MaildirBody, MaildirHandler, Relay};
pub use network::{InvalidNetwork, Network};
pub use reply::OwnedReply;
pub use server::{BindError, Builder, Endpoint, Server, ShutdownHandle};
pub use tls::{TlsError, tls_config, tls_config_from_files};
pub use users::{InvalidUser, Users};
