//! Messages composed as a stream, without allocation: RFC 5322 headers and MIME.
//!
//! [`Builder`] takes the parts of a message and checks them; [`Writer`] writes
//! the [`Message`] into output slices of any size, one byte included, and asks
//! for the content of attachments that are not in memory. The same message
//! always gives the same bytes: date and entropy are handed in.
//!
//! What is written has CRLF line ends, 7-bit characters only, and lines of at
//! most 78 characters wherever a line can be folded (never more than 998). It
//! is not dot-stuffed: that is the SMTP client's work.
//!
//! ```
//! use sansmtp::message::{Address, Builder, Date, Progress, Writer};
//!
//! let from = [Address::parse("Pump 7 <pump7@example.org>")?];
//! let to = [Address::parse("ops@example.org")?];
//! let message = Builder::new()
//!     .from(&from)
//!     .to(&to)
//!     .subject("Pump 7: 93 °C")
//!     .date(Date::from_unix(1_750_000_000, 120)?)
//!     .entropy([7; 16]) // from the device's random number generator
//!     .text("Temperature above the limit.\n")
//!     .build()?;
//!
//! let mut writer = Writer::new(&message);
//! let mut out = [0; 128];
//! let mut sent = 0;
//! while let Progress::Written(n) = writer.next(&mut out)? {
//!     sent += n as u64; // hand out[..n] to the transport
//! }
//! assert_eq!(message.exact_len(), Some(sent));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With the feature `alloc`, [`Mail`] owns its parts and gives the envelope too.
//! The feature `message-text` in the place of `message` leaves out HTML and
//! attachments, for firmware.

mod address;
mod attachment;
mod body;
mod check;
mod date;
mod error;
#[cfg(all(feature = "alloc", feature = "message"))]
mod mail;
mod octets;
mod pen;
mod program;
mod text;
mod writer;

pub use address::{Address, AddressError};
pub use attachment::{Attachment, Content};
pub use date::{Date, DateError};
pub use error::{Field, MessageError, Problem, WriteError};
#[cfg(all(feature = "alloc", feature = "message"))]
pub use mail::{
    AddressField, CheckedMail, Mail, MailError, OwnedAddress, OwnedAttachment, OwnedContent,
};
pub use program::Position;
pub use writer::{Progress, Writer};

use body::Encoding;

/// Collects the parts of a message. Everything is borrowed.
///
/// From and entropy are needed, and the date unless
/// [`server_adds_date`](Self::server_adds_date) was said. There is no Bcc: give
/// blind copies to the envelope only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builder<'a> {
    /// From, Sender, Reply-To, To and Cc, at the numbers of their parts of the program.
    addresses: [&'a [Address<'a>]; 5],
    /// Subject, In-Reply-To, References, the plain text and the HTML document.
    texts: [Option<&'a str>; 5],
    date: Option<Date>,
    server_adds_date: bool,
    entropy: Option<[u8; 16]>,
    domain: &'a str,
    headers: &'a [(&'a str, &'a str)],
    attachments: &'a [Attachment<'a>],
}

/// A message whose parts were checked, so that it can be written.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    parts: Builder<'a>,
    text_encoding: Encoding,
    html_encoding: Encoding,
}

impl<'a> Builder<'a> {
    /// A message without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The authors; at least one.
    #[must_use]
    pub fn from(mut self, authors: &'a [Address<'a>]) -> Self {
        self.addresses[0] = authors;
        self
    }

    /// The one who sends for the authors; needed if there is more than one
    /// author (RFC 5322, section 3.6.2).
    #[must_use]
    pub fn sender(mut self, sender: &'a Address<'a>) -> Self {
        self.addresses[1] = core::slice::from_ref(sender);
        self
    }

    /// Where answers should go, if not to the authors.
    #[must_use]
    pub fn reply_to(mut self, addresses: &'a [Address<'a>]) -> Self {
        self.addresses[2] = addresses;
        self
    }

    /// The recipients. An empty list is not written.
    #[must_use]
    pub fn to(mut self, recipients: &'a [Address<'a>]) -> Self {
        self.addresses[3] = recipients;
        self
    }

    /// The recipients of a copy. An empty list is not written.
    #[must_use]
    pub fn cc(mut self, recipients: &'a [Address<'a>]) -> Self {
        self.addresses[4] = recipients;
        self
    }

    /// The subject, in any script. Spaces around it are not written, here and
    /// in extra headers: they have no meaning there.
    #[must_use]
    pub fn subject(mut self, subject: &'a str) -> Self {
        self.texts[0] = Some(subject);
        self
    }

    /// When the message was written.
    #[must_use]
    pub fn date(mut self, date: Date) -> Self {
        self.date = Some(date);
        self
    }

    /// For devices without a clock: writes no Date. A submission server adds it
    /// (RFC 6409, section 8.2), other servers need not.
    #[must_use]
    pub fn server_adds_date(mut self) -> Self {
        self.server_adds_date = true;
        self
    }

    /// Random octets, new for each message: they make the Message-ID and the
    /// boundaries between parts.
    #[must_use]
    pub fn entropy(mut self, octets: [u8; 16]) -> Self {
        self.entropy = Some(octets);
        self
    }

    /// The domain for the Message-ID, if it should not be that of the first author.
    #[must_use]
    pub fn message_id_domain(mut self, domain: &'a str) -> Self {
        self.domain = domain;
        self
    }

    /// The Message-ID of the message this one answers, with angle brackets;
    /// several are separated by spaces.
    #[must_use]
    pub fn in_reply_to(mut self, identifiers: &'a str) -> Self {
        self.texts[1] = Some(identifiers);
        self
    }

    /// The Message-IDs of the thread, with angle brackets and separated by spaces.
    #[must_use]
    pub fn references(mut self, identifiers: &'a str) -> Self {
        self.texts[2] = Some(identifiers);
        self
    }

    /// Further headers, as name and value, written in this order. A value is
    /// text: what is not ASCII is written in encoded words.
    #[must_use]
    pub fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// The plain text. Its line ends may be LF, CR or CRLF.
    #[must_use]
    pub fn text(mut self, text: &'a str) -> Self {
        self.texts[3] = Some(text);
        self
    }

    /// The HTML document; with a plain text too, the reader has the choice.
    #[cfg(feature = "message")]
    #[must_use]
    pub fn html(mut self, html: &'a str) -> Self {
        self.texts[4] = Some(html);
        self
    }

    /// The attachments. Inline ones belong to the HTML document if there is one.
    #[cfg(feature = "message")]
    #[must_use]
    pub fn attachments(mut self, attachments: &'a [Attachment<'a>]) -> Self {
        self.attachments = attachments;
        self
    }

    /// Checks everything. Reads each text once, so its work is bounded by what
    /// was given.
    ///
    /// # Errors
    /// Names the first field that can not be written as it is; nothing is ever
    /// left out or changed silently.
    pub fn build(mut self) -> Result<Message<'a>, MessageError> {
        check::builder(&mut self)?;
        let [_, _, _, text, html] = self.texts;
        Ok(Message {
            text_encoding: Encoding::of(text.unwrap_or_default()),
            html_encoding: Encoding::of(html.unwrap_or_default()),
            parts: self,
        })
    }
}

impl<'a> Message<'a> {
    /// The length in bytes for SIZE= (RFC 1870); none if the size of a streamed
    /// attachment is not known. Attachments are not read, the rest is.
    pub fn exact_len(&self) -> Option<u64> {
        Writer::new(self).measure()
    }

    /// The Message-ID with its angle brackets, into `out`, for logs and
    /// threads; none if `out` is too small (289 bytes are always enough).
    pub fn message_id<'o>(&self, out: &'o mut [u8]) -> Option<&'o str> {
        let mut pen = pen::Pen {
            window: crate::wire::window::Window::new(0, out),
            column: 0,
        };
        self.put_message_id(&mut pen);
        let (written, finished) = (pen.window.written(), pen.window.finished());
        let bytes = out.get(..written).filter(|_| finished)?;
        core::str::from_utf8(bytes).ok()
    }

    /// The whole message, when all attachments are in memory.
    ///
    /// # Errors
    /// [`WriteError::NotInMemory`] if an attachment is streamed.
    #[cfg(feature = "alloc")]
    pub fn to_vec(&self) -> Result<alloc::vec::Vec<u8>, WriteError> {
        let mut message = alloc::vec::Vec::new();
        if let Some(length) = self.exact_len() {
            message.reserve_exact(usize::try_from(length).unwrap_or_default());
        }
        let mut writer = Writer::new(self);
        let mut out = [0; 4096];
        loop {
            match writer.next(&mut out)? {
                Progress::Written(n) => {
                    message.extend_from_slice(out.get(..n).unwrap_or_default());
                }
                Progress::NeedAttachment(attachment) => {
                    return Err(WriteError::NotInMemory { attachment });
                }
                Progress::Done => return Ok(message),
            }
        }
    }
}
