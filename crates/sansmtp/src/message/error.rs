//! What can be wrong with a message.

use crate::wire::window::show_decimal;
use core::fmt;

/// Why a message was refused before anything of it was written: the field and
/// what is wrong with it. The one-line text says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageError {
    /// The part of the message that is not usable.
    pub field: Field,
    /// What is wrong with it.
    pub problem: Problem,
}

/// A part of a message, as errors name it. Numbers count from 0 in the order
/// in which the caller gave the headers or attachments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The authors.
    From,
    /// The one who sends for the authors.
    Sender,
    /// The date.
    Date,
    /// The subject.
    Subject,
    /// The random octets for Message-ID and boundaries.
    Entropy,
    /// The domain of the Message-ID.
    MessageIdDomain,
    /// The identifiers of the messages this one answers.
    InReplyTo,
    /// The identifiers of the messages of the thread.
    References,
    /// The name of an extra header.
    HeaderName(usize),
    /// The value of an extra header.
    HeaderValue(usize),
    /// The file name of an attachment.
    FileName(usize),
    /// The content type of an attachment.
    ContentType(usize),
    /// The identifier of an inline attachment.
    ContentId(usize),
}

/// What is wrong with a part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// It must be given.
    Missing,
    /// It has a CR or LF, which would start another header.
    LineBreak,
    /// It has a NUL or another control character.
    ControlCharacter,
    /// It has characters outside ASCII where only ASCII can be written.
    NotAscii,
    /// It does not have the form that the standard asks for.
    Syntax,
    /// It would need a line of more than 998 characters.
    TooLong,
    /// A header that is written from other fields, or by servers only.
    Reserved,
    /// A content type that may not be encoded in base64 (RFC 2046, section 5).
    Composite,
}

/// Why the writer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriteError {
    /// Content was given when the writer did not ask for it.
    NotAsked,
    /// An attachment has more or fewer octets than was declared.
    SizeMismatch {
        /// The number of the attachment, from 0.
        attachment: usize,
    },
    /// The content of an attachment is not in memory, and can not be asked for here.
    NotInMemory {
        /// The number of the attachment, from 0.
        attachment: usize,
    },
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, number) = match self.field {
            Field::From => ("From", None),
            Field::Sender => ("Sender", None),
            Field::Date => ("Date", None),
            Field::Subject => ("Subject", None),
            Field::Entropy => ("entropy", None),
            Field::MessageIdDomain => ("domain of the Message-ID", None),
            Field::InReplyTo => ("In-Reply-To", None),
            Field::References => ("References", None),
            Field::HeaderName(n) => ("name of extra header", Some(n)),
            Field::HeaderValue(n) => ("value of extra header", Some(n)),
            Field::FileName(n) => ("file name of attachment", Some(n)),
            Field::ContentType(n) => ("content type of attachment", Some(n)),
            Field::ContentId(n) => ("Content-ID of attachment", Some(n)),
        };
        f.write_str(name)?;
        if let Some(number) = number {
            f.write_str(" ")?;
            show_decimal(number.saturating_add(1) as u64, f)?;
        }
        f.write_str(": ")?;
        f.write_str(self.advice())
    }
}

impl MessageError {
    fn advice(&self) -> &'static str {
        match (self.problem, self.field) {
            (Problem::Missing, Field::From) => "missing; give at least one author",
            (Problem::Missing, Field::Sender) => "missing; more than one author needs a Sender",
            (Problem::Missing, Field::Date) => {
                "missing; give the date, or leave it to the server if there is no clock"
            }
            (Problem::Missing, Field::Entropy) => "missing; give 16 random octets",
            (Problem::Missing, _) => "empty; give it a value",
            (Problem::LineBreak, _) => "has a line break; remove it",
            (Problem::ControlCharacter, _) => "has a control character; remove it",
            (Problem::NotAscii, Field::MessageIdDomain) => {
                "has characters outside ASCII; write it in its xn-- form"
            }
            (Problem::NotAscii, _) => "has characters outside ASCII; remove them",
            (Problem::Syntax, Field::MessageIdDomain) => "not a domain name; check its spelling",
            (Problem::Syntax, Field::InReplyTo | Field::References) => {
                "not a list of message identifiers; write <left@right>, separated by spaces"
            }
            (Problem::Syntax, Field::HeaderName(_)) => {
                "has a space, colon or other character that no header name can have; remove it"
            }
            (Problem::Syntax, Field::ContentType(_)) => {
                "not a content type; write type/subtype or type/subtype; name=value"
            }
            (Problem::Syntax, Field::ContentId(_)) => {
                "has spaces or angle brackets; write left@right"
            }
            (Problem::Syntax, _) => "not in the right form; check its spelling",
            (Problem::TooLong, _) => "too long for a line of 998 characters; shorten it",
            (Problem::Reserved, Field::ContentType(_)) => {
                "has a parameter that is written from the file name; remove it"
            }
            (Problem::Reserved, _) => {
                "is written from other fields or by servers; use the field made for it"
            }
            (Problem::Composite, _) => {
                "message/ and multipart/ can not be attached encoded; use application/octet-stream"
            }
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (attachment, advice) = match self {
            Self::NotAsked => {
                return f
                    .write_str("no attachment was asked for; give content when the writer asks");
            }
            Self::SizeMismatch { attachment } => (
                attachment,
                "the content has not the declared size; give the size of what is sent",
            ),
            Self::NotInMemory { attachment } => (
                attachment,
                "the content is not in memory; use a Writer and hand it over",
            ),
        };
        f.write_str("attachment ")?;
        show_decimal(attachment.saturating_add(1) as u64, f)?;
        f.write_str(": ")?;
        f.write_str(advice)
    }
}

impl core::error::Error for MessageError {}
impl core::error::Error for WriteError {}
