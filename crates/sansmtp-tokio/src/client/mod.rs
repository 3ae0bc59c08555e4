//! The client: [`Mailer`] sends messages over connections that it keeps and
//! uses again.
//!
//! ```no_run
//! use sansmtp_tokio::Mailer;
//! use sansmtp_tokio::sansmtp::config::{OwnedConfig, OwnedCredentials, Security};
//! use sansmtp_tokio::sansmtp::message::Mail;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = OwnedConfig::new("smtp.example.org", Security::ImplicitTls)?
//!     .with_credentials(OwnedCredentials::password("anna@example.org", "secret")?);
//! let mailer = Mailer::new(config)?;
//!
//! let mail = Mail::new("Anna <anna@example.org>")
//!     .to("ben@example.org")
//!     .subject("Hello")
//!     .text("How are you?\n");
//! let report = mailer.send_mail(&mail).await?;
//! assert!(report.all_delivered(), "{report}");
//! mailer.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! What is what: `mailer` is the public face, `pool` keeps connections,
//! `connection` drives the machine through a session or a transaction, `wire`
//! moves octets between machine and socket, `connect` finds the server, and
//! `tls` proves that it is the right one.

mod check;
mod connect;
mod connection;
mod content;
mod draft;
mod error;
mod mailer;
mod parts;
mod pool;
mod report;
mod series;
mod tap;
mod text;
mod tls;
mod transcript;
mod wire;

pub use check::{Check, CheckFailure, CheckStep, Finding, StepName};
pub use connect::Attempt;
pub use content::Content;
pub use error::{ConnectError, DialogueError, Error, LookupError, SessionRefused};
pub use mailer::{Builder, Mailer};
pub use pool::PoolConfig;
pub use report::{RecipientReport, Reply, Report};
pub use tap::{Direction, Tap};
pub use tls::{Tls, TlsError, TlsFault, TlsInfo};
