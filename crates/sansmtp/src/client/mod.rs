//! The client: sends mail to a server.
//!
//! [`Client`] is the machine. A driver moves bytes and time by the methods of
//! [`Machine`](crate::Machine), answers [`Event`]s, pushes the content through
//! [`Body`], and may put the machine aside as a [`Session`].
//!
//! Inside, `connection` is the mechanism (lines in, commands out, the methods of
//! the interface), `session` what is remembered and how time runs, `chunks` how
//! BDAT frames the content, and `submission` the policy: which command comes next,
//! and what a reply means.

#[cfg_attr(not(feature = "auth"), path = "no_authentication.rs")]
mod authentication;
mod body;
#[cfg_attr(not(feature = "chunking"), path = "no_chunks.rs")]
mod chunks;
mod connection;
mod event;
#[cfg(feature = "mta")]
mod limits;
mod session;
mod submission;

pub use body::Body;
pub use connection::Client;
pub use event::{Event, InvalidQuery, Query};
#[cfg(feature = "mta")]
pub use limits::{Allowance, LMTP_RECIPIENTS};
pub use session::Session;
