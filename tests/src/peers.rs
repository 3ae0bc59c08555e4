//! Servers of other makers and our own, started on free loopback ports, and what they stored.
//!
//! Every peer knows the same people: mailboxes for [`MAILBOXES`] and [`UTF8_MAILBOX`], a permanently
//! refused [`REFUSED`] recipient (550), a temporarily refused [`BUSY`] one (450), and the user [`USER`]
//! with the password [`PASSWORD`]. A peer stops when it is dropped, and also when the process that
//! started it ends in any other way, so a `static` peer that several tests share is fine.

mod aiosmtpd;
pub(crate) mod child;
mod ours;
mod postfix;

pub use aiosmtpd::Aiosmtpd;
pub use ours::Ours;
pub use postfix::Postfix;

use crate::{Error, Security};

/// The domain that every peer accepts mail for.
pub const DOMAIN: &str = "mx.test";
/// Recipients whose mail is stored.
pub const MAILBOXES: [&str; 3] = ["alice@mx.test", "bob@mx.test", "carol@mx.test"];
/// A recipient whose mail is stored and whose address needs SMTPUTF8 (RFC 6531).
pub const UTF8_MAILBOX: &str = "jürgen@mx.test";
/// A recipient that is refused with 550.
pub const REFUSED: &str = "refused@mx.test";
/// A recipient that is refused with 450, to be tried again later.
pub const BUSY: &str = "busy@mx.test";
/// The only user.
pub const USER: &str = "user";
/// The user's password.
pub const PASSWORD: &str = "pass";

/// A mail as a peer stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMail {
    /// The reverse-path without angle brackets; empty for the null reverse-path.
    pub reverse_path: String,
    /// Whom this copy is for. Postfix stores one copy for each recipient, aiosmtpd one for all.
    pub recipients: Vec<String>,
    /// The message with CR LF line ends, without the trace headers that the peer added.
    pub message: Vec<u8>,
}

/// What all peers can do.
pub trait Peer {
    /// The server's name, for messages.
    fn name(&self) -> &'static str;

    /// The port on 127.0.0.1 for this kind of protection. Plain text and STARTTLS share one port,
    /// where AUTH is offered but not demanded.
    fn port(&self, security: Security) -> u16;

    /// A port with STARTTLS where nothing is accepted before TLS and AUTH.
    fn submission_port(&self) -> u16;

    /// Waits until mails with `marker` in their headers are stored for `recipients` recipients in all, and
    /// returns them in no particular order.
    ///
    /// # Errors
    /// If they are not there in time; the text has the end of the server's log.
    fn wait_for(&self, marker: &str, recipients: usize) -> Result<Vec<StoredMail>, Error>;

    /// The mails with `marker` in their headers that are stored now. What a peer answered with 250 may come
    /// later, so use it only to show that nothing is there after a later mail was seen.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn stored(&self, marker: &str) -> Result<Vec<StoredMail>, Error>;

    /// Everything that the server logged so far.
    fn log(&self) -> String;
}

/// True if the headers of `message` contain `marker`; line ends may be CR LF or LF.
fn has_marker(message: &[u8], marker: &str) -> bool {
    message
        .split_inclusive(|&byte| byte == b'\n')
        .take_while(|line| !matches!(*line, b"\n" | b"\r\n"))
        .any(|line| String::from_utf8_lossy(line).contains(marker))
}

#[cfg(test)]
mod tests {
    use super::has_marker;

    #[test]
    fn a_marker_is_searched_in_headers_only() {
        assert!(has_marker(b"A: b\r\nSubject: mark\r\n\r\nbody\r\n", "mark"));
        assert!(has_marker(b"Subject: mark\n\nbody\n", "mark"));
        assert!(!has_marker(b"A: b\r\n\r\nmark\r\n", "mark"));
        assert!(!has_marker(b"A: b\n\nmark\n", "mark"));
    }
}
