//! Messages that are hard to carry, and their comparison byte by byte.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Error;
use crate::peers::MAILBOXES;

/// The reverse-path of all sample mail.
pub const SENDER: &str = "sender@client.test";

/// An envelope and a message with a marker by which it is found again.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Reverse-path without angle brackets.
    pub reverse_path: String,
    /// Forward-paths without angle brackets.
    pub recipients: Vec<String>,
    /// Headers, an empty line and the body, with CR LF line ends and without dot-stuffing.
    pub message: Vec<u8>,
    /// Unique text in the subject and the Message-ID.
    pub marker: String,
}

impl Mail {
    /// A mail from [`SENDER`] to the first mailbox of the peers. Lines of `body` end with CR LF.
    #[must_use]
    pub fn new(body: impl AsRef<[u8]>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let marker = format!("mail-{}-{number}-end", process::id());
        let [recipient, ..] = MAILBOXES;
        let mut message = format!(
            "From: {SENDER}\r\nTo: {recipient}\r\nSubject: {marker}\r\n\
             Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{marker}@client.test>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 8bit\r\n\r\n"
        )
        .into_bytes();
        message.extend(body.as_ref());
        Self {
            reverse_path: SENDER.to_owned(),
            recipients: vec![recipient.to_owned()],
            message,
            marker,
        }
    }

    /// The same mail for these recipients.
    #[must_use]
    pub fn to<'a>(mut self, recipients: impl IntoIterator<Item = &'a str>) -> Self {
        self.recipients = recipients.into_iter().map(ToOwned::to_owned).collect();
        self
    }

    /// What follows the first empty line.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        body_of(&self.message)
    }
}

/// Named mails that show what an SMTP implementation can get wrong: dots at line starts, an empty body,
/// the longest line that RFC 5321 (4.5.3.1.6) allows, 8-bit text, several recipients and 5 MB.
#[must_use]
pub fn samples() -> Vec<(&'static str, Mail)> {
    vec![
        ("plain", Mail::new("Hello,\r\n\r\nthis is a mail.\r\n")),
        (
            "dots",
            Mail::new(".\r\n..\r\n...\r\n.start\r\n..start\r\nend.\r\n\r\n.\r\n\r\n"),
        ),
        ("empty body", Mail::new("")),
        ("longest line", Mail::new("x".repeat(998) + "\r\n")),
        ("UTF-8", Mail::new("Grüße aus Zürich, 你好, 👋\r\n")),
        (
            "three recipients",
            Mail::new("For three.\r\n").to(MAILBOXES),
        ),
        ("5 MB", large(5_000_000)),
    ]
}

/// A mail with a body of at least `bytes` bytes in lines of 72 characters, a tenth of which start with a dot.
#[must_use]
pub fn large(bytes: usize) -> Mail {
    let mut body = Vec::with_capacity(bytes + 80);
    let mut number = 0_usize;
    while body.len() < bytes {
        let start = if number.is_multiple_of(10) { "." } else { "" };
        let line = format!("{start}{number:08} ");
        body.extend(format!("{line:a<72}\r\n").into_bytes());
        number += 1;
    }
    Mail::new(body)
}

/// What follows the first empty line of a message with CR LF line ends; nothing if there is none.
#[must_use]
pub fn body_of(message: &[u8]) -> &[u8] {
    let end = b"\r\n\r\n";
    message
        .windows(end.len())
        .position(|window| window == end)
        .and_then(|at| message.get(at + end.len()..))
        .unwrap_or_default()
}

/// Compares two messages byte by byte.
///
/// # Errors
/// If they differ; the text shows the bytes around the first difference.
pub fn compare(expected: &[u8], stored: &[u8]) -> Result<(), Error> {
    if expected == stored {
        return Ok(());
    }
    let at = expected
        .iter()
        .zip(stored)
        .position(|(a, b)| a != b)
        .unwrap_or(expected.len().min(stored.len()));
    let around = |bytes: &[u8]| {
        let from = at.saturating_sub(20);
        let to = bytes.len().min(at + 40);
        bytes
            .get(from..to)
            .unwrap_or_default()
            .escape_ascii()
            .to_string()
    };
    Err(Error::new(format!(
        "the stored message differs from what was sent at byte {at} ({} bytes sent, {} stored):\n\
         sent:   ...{}...\nstored: ...{}...",
        expected.len(),
        stored.len(),
        around(expected),
        around(stored),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compare_names_the_first_difference() {
        assert_eq!(compare(b"same", b"same"), Ok(()));
        let error = compare(b"a.b\r\n", b"a..b\r\n").unwrap_err().to_string();
        assert!(
            error.contains("at byte 2 (5 bytes sent, 6 stored)"),
            "{error}"
        );
        assert!(error.contains(r"sent:   ...a.b\r\n..."), "{error}");
        assert!(compare(b"ab", b"a").is_err());
        assert!(compare(b"", b"a").is_err());
    }

    #[test]
    fn large_mail_is_as_long_as_asked() {
        let mail = large(5_000_000);
        assert!((5_000_000..5_000_100).contains(&mail.body().len()));
        assert!(mail.body().starts_with(b".00000000 aaa"));
    }
}
