//! What a message must fulfil before it is written.

use super::error::{Field, MessageError, Problem};
use super::octets::{has, is_ascii, strip_first, strip_last, trim, trim_start};
use super::{Attachment, Builder};
use crate::wire::path::is_domain;

/// A header value, a file name and a message identifier in octets. With the
/// field name before it, a line stays under 998.
const LONGEST_WORD: usize = 900;
/// A header name in octets.
const LONGEST_NAME: usize = 76;

/// Headers that have their own place in the builder, or that only servers and
/// mail programs of the recipient write.
const RESERVED: [&str; 13] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Return-Path",
];

/// Checks all parts and sets what follows from others; returns the entropy.
pub(super) fn builder(parts: &mut Builder<'_>) -> Result<[u8; 16], MessageError> {
    let Some(author) = parts.from.first() else {
        return refuse(Field::From, Problem::Missing);
    };
    if parts.from.len() > 1 && parts.sender.is_none() {
        return refuse(Field::Sender, Problem::Missing);
    }
    if parts.date.is_none() && !parts.server_adds_date {
        return refuse(Field::Date, Problem::Missing);
    }
    let Some(entropy) = parts.entropy else {
        return refuse(Field::Entropy, Problem::Missing);
    };
    if parts.domain.is_empty() {
        parts.domain = author.domain();
    } else if !is_ascii(parts.domain) {
        return refuse(Field::MessageIdDomain, Problem::NotAscii);
    } else if !is_domain(parts.domain.as_bytes()) {
        return refuse(Field::MessageIdDomain, Problem::Syntax);
    }
    text(parts.subject.unwrap_or_default(), Field::Subject)?;
    identifiers(parts.in_reply_to, Field::InReplyTo)?;
    identifiers(parts.references, Field::References)?;
    for (at, (name, value)) in parts.headers.iter().enumerate() {
        header_name(name, Field::HeaderName(at))?;
        text(value, Field::HeaderValue(at))?;
        word_lengths(value, Field::HeaderValue(at))?;
    }
    for (at, attachment) in parts.attachments.iter().enumerate() {
        self::attachment(attachment, at)?;
    }
    Ok(entropy)
}

fn refuse<T>(field: Field, problem: Problem) -> Result<T, MessageError> {
    Err(MessageError { field, problem })
}

/// No line break, no control character except a tab.
fn text(text: &str, field: Field) -> Result<(), MessageError> {
    for b in text.bytes() {
        match b {
            b'\r' | b'\n' => return refuse(field, Problem::LineBreak),
            b'\t' => {}
            _ if b.is_ascii_control() => return refuse(field, Problem::ControlCharacter),
            _ => {}
        }
    }
    Ok(())
}

/// A line can be folded only where white space follows a word.
fn word_lengths(text: &str, field: Field) -> Result<(), MessageError> {
    let (mut word, mut in_space) = (0, false);
    for b in text.bytes() {
        let space = matches!(b, b' ' | b'\t');
        if space && !in_space {
            word = 0;
        }
        in_space = space;
        word += 1;
        if word > LONGEST_WORD {
            return refuse(field, Problem::TooLong);
        }
    }
    Ok(())
}

fn header_name(name: &str, field: Field) -> Result<(), MessageError> {
    if name.is_empty() {
        return refuse(field, Problem::Missing);
    }
    if name.len() > LONGEST_NAME {
        return refuse(field, Problem::TooLong);
    }
    text(name, field)?;
    if !is_ascii(name) {
        return refuse(field, Problem::NotAscii);
    }
    if !name.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b':') {
        return refuse(field, Problem::Syntax);
    }
    let content = name
        .get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case("Content-"));
    if content
        || RESERVED
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    {
        return refuse(field, Problem::Reserved);
    }
    Ok(())
}

/// `1*msg-id` of RFC 5322, section 3.6.4, as generous as real identifiers are.
fn identifiers(list: Option<&str>, field: Field) -> Result<(), MessageError> {
    let Some(list) = list else { return Ok(()) };
    text(list, field)?;
    if !is_ascii(list) {
        return refuse(field, Problem::NotAscii);
    }
    word_lengths(list, field)?;
    let mut rest = trim(list);
    if rest.is_empty() {
        return refuse(field, Problem::Missing);
    }
    while !rest.is_empty() {
        let end = rest.bytes().position(|b| b == b' ' || b == b'\t');
        let (word, after) = rest
            .split_at_checked(end.unwrap_or(rest.len()))
            .unwrap_or_default();
        let inner = strip_first(word, b'<').and_then(|inner| strip_last(inner, b'>'));
        if !inner.is_some_and(|id| is_identifier(id) && has(id, b'@')) {
            return refuse(field, Problem::Syntax);
        }
        rest = trim_start(after);
    }
    Ok(())
}

fn is_identifier(id: &str) -> bool {
    !id.is_empty()
        && id
            .bytes()
            .all(|b| matches!(b, b'!'..=b'~') && b != b'<' && b != b'>')
}

fn attachment(attachment: &Attachment<'_>, at: usize) -> Result<(), MessageError> {
    let field = Field::FileName(at);
    if attachment.file_name.is_empty() {
        return refuse(field, Problem::Missing);
    }
    if attachment.file_name.len() > LONGEST_WORD {
        return refuse(field, Problem::TooLong);
    }
    text(attachment.file_name, field)?;
    if has(attachment.file_name, b'\t') {
        return refuse(field, Problem::ControlCharacter);
    }
    content_type(attachment.content_type, Field::ContentType(at))?;
    if let Some(id) = attachment.content_id {
        let field = Field::ContentId(at);
        text(id, field)?;
        if id.len() > LONGEST_WORD {
            return refuse(field, Problem::TooLong);
        }
        if !is_identifier(id) {
            return refuse(field, Problem::Syntax);
        }
    }
    Ok(())
}

/// `type "/" subtype *(";" parameter)` of RFC 2045, section 5.1.
fn content_type(content_type: &str, field: Field) -> Result<(), MessageError> {
    text(content_type, field)?;
    if !is_ascii(content_type) {
        return refuse(field, Problem::NotAscii);
    }
    word_lengths(content_type, field)?;
    let (main, rest) = split_token(content_type);
    let (sub, mut rest) = split_token(strip_first(rest, b'/').unwrap_or_default());
    if main.is_empty() || sub.is_empty() {
        return refuse(field, Problem::Syntax);
    }
    if main.eq_ignore_ascii_case("message") || main.eq_ignore_ascii_case("multipart") {
        return refuse(field, Problem::Composite);
    }
    while !rest.is_empty() {
        let parameter = strip_first(trim_start(rest), b';');
        let (attribute, value) = split_token(trim_start(parameter.unwrap_or_default()));
        let value = strip_first(value, b'=').and_then(after_value);
        if attribute.is_empty() || value.is_none() {
            return refuse(field, Problem::Syntax);
        }
        if attribute.eq_ignore_ascii_case("name") {
            return refuse(field, Problem::Reserved);
        }
        rest = value.unwrap_or_default();
    }
    Ok(())
}

/// `token` of RFC 2045 and what follows it.
fn split_token(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|b| !matches!(b, b'!'..=b'~') || b"()<>@,;:\\\"/[]?=".contains(&b));
    text.split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or_default()
}

/// What follows a token or a quoted string.
fn after_value(text: &str) -> Option<&str> {
    let Some(quoted) = strip_first(text, b'"') else {
        let (token, rest) = split_token(text);
        return (!token.is_empty()).then_some(rest);
    };
    let mut escape = false;
    let end = quoted.bytes().position(|b| {
        let end = b == b'"' && !escape;
        escape = b == b'\\' && !escape;
        end
    })?;
    quoted.get(end + 1..)
}
