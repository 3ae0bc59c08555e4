//! A mail that owns its parts: the message, and the envelope that follows from
//! them.

use super::{
    Address, AddressError, Attachment, Builder, Content, Date, Message, MessageError, Problem,
};
use crate::envelope::{Envelope, Recipient};
use crate::wire::path::ReversePath;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A mail as a person writes one: authors, recipients, texts and files, each in
/// memory of its own.
///
/// Nothing is checked before [`Mail::check`], which gives the envelope and the
/// [`Message`]. Fields that have no method of their own can be set directly.
///
/// ```
/// use sansmtp::message::{Date, Mail};
///
/// let mail = Mail::new("Pump 7 <pump7@example.org>")
///     .to("ops@example.org")
///     .bcc("archive@example.org")
///     .subject("Pump 7: 93 °C")
///     .text("Temperature above the limit.\n")
///     .attach("log.csv", "text/csv", "minute,celsius\r\n1,93\r\n");
///
/// let checked = mail.check()?;
/// assert_eq!(checked.envelope()?.recipients.len(), 2);
/// // Date and entropy come from the system, here from nowhere.
/// let message = checked.message(Date::from_unix(1_750_000_000, 120)?, [7; 16])?;
/// let octets = message.to_vec()?;
/// assert!(!String::from_utf8(octets)?.contains("archive"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// The authors; at least one.
    pub from: Vec<OwnedAddress>,
    /// The one who sends for the authors; needed if there is more than one.
    pub sender: Option<OwnedAddress>,
    /// Where answers should go, if not to the authors.
    pub reply_to: Vec<OwnedAddress>,
    /// The recipients.
    pub to: Vec<OwnedAddress>,
    /// The recipients of a copy.
    pub cc: Vec<OwnedAddress>,
    /// The recipients that the others do not see: they stand in the envelope only.
    pub bcc: Vec<OwnedAddress>,
    /// The subject, in any script.
    pub subject: Option<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML document.
    pub html: Option<String>,
    /// The files that go along.
    pub attachments: Vec<OwnedAttachment>,
    /// Further headers: name and value.
    pub headers: Vec<(String, String)>,
    /// The Message-ID of the mail that this one answers, with angle brackets.
    pub in_reply_to: Option<String>,
    /// The Message-IDs of the thread, separated by spaces.
    pub references: Option<String>,
    /// The domain of the Message-ID; that of the first author if empty.
    pub message_id_domain: String,
}

/// An [`Address`] with data of its own, which is checked later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnedAddress {
    /// The display name; `None` if the text is still as a person typed it.
    name: Option<String>,
    text: String,
}

/// An [`Attachment`] with data of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedAttachment {
    /// The name of the file.
    pub file_name: String,
    /// `type/subtype`, with optional parameters.
    pub content_type: String,
    /// What is in it.
    pub content: OwnedContent,
    /// The identifier by which the HTML document shows it, without angle brackets.
    pub content_id: Option<String>,
}

/// Where the octets of an [`OwnedAttachment`] are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnedContent {
    /// In memory.
    Bytes(Vec<u8>),
    /// With the caller, who hands them over as for [`Content::Streamed`].
    Streamed {
        /// How many there are, if that is known.
        size: Option<usize>,
    },
}

/// A field of [`Mail`] that holds addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressField {
    /// The authors.
    From,
    /// The one who sends for them.
    Sender,
    /// Where answers go.
    ReplyTo,
    /// The recipients.
    To,
    /// Those of a copy.
    Cc,
    /// Those that the others do not see.
    Bcc,
}

/// Why a [`Mail`] can not be sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailError {
    /// An address is not valid.
    Address {
        /// The field that it stands in.
        field: AddressField,
        /// The address as it was given.
        address: String,
        /// What is wrong with it.
        error: AddressError,
    },
    /// Nobody is to get it.
    NoRecipient,
    /// Another part is not usable.
    Message(MessageError),
}

/// A [`Mail`] whose addresses are valid.
#[derive(Clone, Debug)]
pub struct CheckedMail<'a> {
    mail: &'a Mail,
    from: Vec<Address<'a>>,
    sender: Option<Address<'a>>,
    reply_to: Vec<Address<'a>>,
    to: Vec<Address<'a>>,
    cc: Vec<Address<'a>>,
    headers: Vec<(&'a str, &'a str)>,
    attachments: Vec<Attachment<'a>>,
    reverse_path: ReversePath<'a>,
    recipients: Vec<Recipient<'a>>,
}

impl Mail {
    /// A mail of this author, given as `me@example.org` or `My Name
    /// <me@example.org>`.
    #[must_use]
    pub fn new(author: impl Into<OwnedAddress>) -> Self {
        Self {
            from: [author.into()].into(),
            ..Self::default()
        }
    }

    /// Adds a recipient.
    #[must_use]
    pub fn to(mut self, address: impl Into<OwnedAddress>) -> Self {
        self.to.push(address.into());
        self
    }

    /// Adds a recipient of a copy.
    #[must_use]
    pub fn cc(mut self, address: impl Into<OwnedAddress>) -> Self {
        self.cc.push(address.into());
        self
    }

    /// Adds a recipient that the others do not see.
    #[must_use]
    pub fn bcc(mut self, address: impl Into<OwnedAddress>) -> Self {
        self.bcc.push(address.into());
        self
    }

    /// Adds an address that answers should go to.
    #[must_use]
    pub fn reply_to(mut self, address: impl Into<OwnedAddress>) -> Self {
        self.reply_to.push(address.into());
        self
    }

    /// The subject, in any script.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The plain text. Line ends of any kind will do.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The HTML document; with a plain text too, the reader has the choice.
    #[must_use]
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a file, for example `("report.pdf", "application/pdf", octets)`.
    #[must_use]
    pub fn attach(
        mut self,
        file_name: impl Into<String>,
        content_type: impl Into<String>,
        octets: impl Into<Vec<u8>>,
    ) -> Self {
        self.attachments.push(OwnedAttachment {
            file_name: file_name.into(),
            content_type: content_type.into(),
            content: OwnedContent::Bytes(octets.into()),
            content_id: None,
        });
        self
    }

    /// Checks every address.
    ///
    /// # Errors
    /// [`MailError`] names the first address that is wrong.
    pub fn check(&self) -> Result<CheckedMail<'_>, MailError> {
        let from = parse(AddressField::From, &self.from)?;
        let sender = parse(AddressField::Sender, self.sender.as_slice())?.pop();
        let reply_to = parse(AddressField::ReplyTo, &self.reply_to)?;
        let to = parse(AddressField::To, &self.to)?;
        let cc = parse(AddressField::Cc, &self.cc)?;
        let bcc = parse(AddressField::Bcc, &self.bcc)?;
        // RFC 5322, section 3.6.2: the Sender, where it differs from the author.
        let author = sender.as_ref().or(from.first());
        let reverse_path = author
            .and_then(|author| ReversePath::parse(author.mailbox()).ok())
            .ok_or(MailError::Message(MessageError {
                field: super::Field::From,
                problem: Problem::Missing,
            }))?;
        let mut recipients: Vec<Recipient<'_>> = Vec::new();
        let mut seen = alloc::collections::BTreeSet::new();
        for address in to.iter().chain(&cc).chain(&bcc) {
            if seen.insert(address.mailbox())
                && let Ok(recipient) = Recipient::parse(address.mailbox())
            {
                recipients.push(recipient);
            }
        }
        Ok(CheckedMail {
            mail: self,
            from,
            sender,
            reply_to,
            to,
            cc,
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            attachments: self
                .attachments
                .iter()
                .map(OwnedAttachment::as_attachment)
                .collect(),
            reverse_path,
            recipients,
        })
    }
}

impl CheckedMail<'_> {
    /// The mailbox of the first author.
    pub fn author(&self) -> &str {
        self.from.first().map_or("", Address::mailbox)
    }

    /// Whom failures are reported to: the Sender, else the first author.
    pub fn reverse_path(&self) -> ReversePath<'_> {
        self.reverse_path
    }

    /// Everybody in To, Cc and Bcc, once.
    pub fn recipients(&self) -> &[Recipient<'_>] {
        &self.recipients
    }

    /// Who sends and who receives. Further wishes can be added.
    ///
    /// # Errors
    /// [`MailError::NoRecipient`] if nobody is to get it.
    pub fn envelope(&self) -> Result<Envelope<'_>, MailError> {
        if self.recipients.is_empty() {
            return Err(MailError::NoRecipient);
        }
        Ok(Envelope::new(self.reverse_path, &self.recipients))
    }

    /// The message; Bcc is not in it. `entropy` are random octets for Message-ID
    /// and boundaries.
    ///
    /// # Errors
    /// [`MessageError`] names the first part that can not be written as it is.
    pub fn message(&self, date: Date, entropy: [u8; 16]) -> Result<Message<'_>, MessageError> {
        let mail = self.mail;
        let mut builder = Builder::new()
            .from(&self.from)
            .reply_to(&self.reply_to)
            .to(&self.to)
            .cc(&self.cc)
            .date(date)
            .entropy(entropy)
            .headers(&self.headers)
            .attachments(&self.attachments);
        if let Some(sender) = &self.sender {
            builder = builder.sender(sender);
        }
        if !mail.message_id_domain.is_empty() {
            builder = builder.message_id_domain(&mail.message_id_domain);
        }
        if let Some(subject) = &mail.subject {
            builder = builder.subject(subject);
        }
        if let Some(text) = &mail.text {
            builder = builder.text(text);
        }
        if let Some(html) = &mail.html {
            builder = builder.html(html);
        }
        if let Some(identifiers) = &mail.in_reply_to {
            builder = builder.in_reply_to(identifiers);
        }
        if let Some(identifiers) = &mail.references {
            builder = builder.references(identifiers);
        }
        builder.build()
    }
}

impl OwnedAddress {
    /// A mailbox (`user@example.org`) with a display name.
    pub fn named(name: impl Into<String>, mailbox: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            text: mailbox.into(),
        }
    }

    /// The checked form.
    ///
    /// # Errors
    /// [`AddressError`] says what is wrong with it.
    pub fn parse(&self) -> Result<Address<'_>, AddressError> {
        match &self.name {
            Some(name) => Address::new(name, &self.text),
            None => Address::parse(&self.text),
        }
    }
}

/// As a person typed it: `a@b`, `<a@b>`, `Name <a@b>` or `"Name" <a@b>`.
impl<T: Into<String>> From<T> for OwnedAddress {
    fn from(text: T) -> Self {
        Self {
            name: None,
            text: text.into(),
        }
    }
}

impl OwnedAttachment {
    /// The borrowed form.
    pub fn as_attachment(&self) -> Attachment<'_> {
        let content = match &self.content {
            OwnedContent::Bytes(octets) => Content::Bytes(octets),
            OwnedContent::Streamed { size } => Content::Streamed { size: *size },
        };
        let attachment = Attachment::new(&self.file_name, &self.content_type, content);
        match &self.content_id {
            Some(identifier) => attachment.inline(identifier),
            None => attachment,
        }
    }
}

fn parse(field: AddressField, list: &[OwnedAddress]) -> Result<Vec<Address<'_>>, MailError> {
    let parsed = list.iter().map(|address| {
        address.parse().map_err(|error| MailError::Address {
            field,
            address: address.text.clone(),
            error,
        })
    });
    parsed.collect()
}

impl fmt::Debug for OwnedAttachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = match &self.content {
            OwnedContent::Bytes(octets) => Some(octets.len()),
            OwnedContent::Streamed { size } => *size,
        };
        f.debug_struct("OwnedAttachment")
            .field("file_name", &self.file_name)
            .field("content_type", &self.content_type)
            .field("octets", &octets)
            .finish_non_exhaustive()
    }
}

impl AddressField {
    /// As the header is called; Bcc has none, but everybody knows the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::From => "From",
            Self::Sender => "Sender",
            Self::ReplyTo => "Reply-To",
            Self::To => "To",
            Self::Cc => "Cc",
            Self::Bcc => "Bcc",
        }
    }
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address {
                field,
                address,
                error,
            } => write!(f, "{} {address:?}: {error}", field.name()),
            Self::NoRecipient => f.write_str("nobody is to get it; add a recipient"),
            Self::Message(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MailError {}

impl From<MessageError> for MailError {
    fn from(error: MessageError) -> Self {
        Self::Message(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn message(mail: &Mail) -> String {
        let checked = mail.check().unwrap();
        let date = Date::from_unix(0, 0).unwrap();
        let message = checked.message(date, [1; 16]).unwrap();
        String::from_utf8(message.to_vec().unwrap()).unwrap()
    }

    #[test]
    fn every_part_reaches_the_message() {
        let mut mail = Mail::new("A <a@example.org>")
            .to("b@example.org")
            .to(OwnedAddress::named("C, the <third>", "c@example.org"))
            .cc("d@example.org")
            .bcc("e@example.org")
            .reply_to("f@example.org")
            .subject("S")
            .text("plain")
            .html("<p>")
            .header("X-Pump", "7")
            .attach("a.txt", "text/plain", "octets");
        mail.from.push("a2@example.org".into());
        mail.sender = Some("s@example.org".into());
        mail.in_reply_to = Some("<1@example.org>".into());
        mail.references = Some("<0@example.org>".into());
        mail.message_id_domain = "id.example.org".into();
        let text = message(&mail);
        for part in [
            "From: A <a@example.org>, a2@example.org\r\n",
            "Sender: s@example.org\r\n",
            "Reply-To: f@example.org\r\n",
            "To: b@example.org, \"C, the <third>\" <c@example.org>\r\n",
            "Cc: d@example.org\r\n",
            "Subject: S\r\n",
            "@id.example.org>\r\n",
            "In-Reply-To: <1@example.org>\r\n",
            "References: <0@example.org>\r\n",
            "X-Pump: 7\r\n",
            "\r\n\r\nplain",
            "\r\n\r\n<p>",
            "b2N0ZXRz",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(!text.contains("e@example.org"), "{text}");
    }

    #[test]
    fn the_envelope_follows_from_the_addresses() {
        let mut mail = Mail::new("A <a@example.org>")
            .to("B <b@example.org>")
            .cc("b@example.org")
            .bcc("c@example.org");
        let envelope_of = |mail: &Mail| {
            let checked = mail.check().unwrap();
            let envelope = checked.envelope().unwrap();
            let paths = envelope.recipients.iter();
            let paths: Vec<_> = paths.map(|r| r.forward_path.as_str().to_string()).collect();
            (envelope.reverse_path.as_str().to_string(), paths)
        };
        let recipients = ["b@example.org", "c@example.org"]
            .map(String::from)
            .to_vec();
        assert_eq!(
            envelope_of(&mail),
            ("a@example.org".into(), recipients.clone())
        );
        mail.sender = Some("Office <s@example.org>".into());
        assert_eq!(envelope_of(&mail), ("s@example.org".into(), recipients));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (mail, expected) in [
            (
                Mail::new("a@example.org").to("b@example.org").cc("x@@y"),
                "Cc \"x@@y\": the part after the @ is not a domain name or [address]; check its spelling",
            ),
            (
                Mail::new("a@example.org").to("b@example.org\r\nDATA"),
                "To \"b@example.org\\r\\nDATA\": the part after the @ is not a domain name or [address]; check its spelling",
            ),
            (
                Mail::new("a@example.org"),
                "nobody is to get it; add a recipient",
            ),
            (
                Mail::default().to("b@example.org"),
                "From: missing; give at least one author",
            ),
        ] {
            let error = match mail.check() {
                Ok(checked) => checked.envelope().unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(error.to_string(), expected);
        }
        let mail = Mail::new("a@example.org")
            .to("b@example.org")
            .subject("x\ny");
        let date = Date::from_unix(0, 0).unwrap();
        let error = mail.check().unwrap().message(date, [1; 16]).unwrap_err();
        assert_eq!(error.to_string(), "Subject: has a line break; remove it");
    }
}
