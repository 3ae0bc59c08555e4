//! What a message must fulfil before it is written.

use super::error::{Field, MessageError, Problem};
use super::{Attachment, Builder};
use crate::octets::{self, OctetKind};
use crate::wire::path::is_domain;

/// A header value, a file name and a message identifier in octets. With the
/// field name before it, a line stays under 998.
const LONGEST_WORD: usize = 900;
/// A header name in octets.
const LONGEST_NAME: usize = 76;

/// Headers that have their own place in the builder, or that only servers and
/// mail programs of the recipient write.
const RESERVED: &[u8] = b"From,Sender,Reply-To,To,Cc,Bcc,Subject,Date,Message-ID,In-Reply-To,\
    References,MIME-Version,Return-Path";

/// Checks all parts and sets what follows from others.
pub(super) fn builder(parts: &mut Builder<'_>) -> Result<(), MessageError> {
    let mut field = Field::From;
    first_problem(parts, &mut field).map_err(|problem| MessageError { field, problem })
}

/// `field` is the one with the problem.
fn first_problem(parts: &mut Builder<'_>, field: &mut Field) -> Result<(), Problem> {
    let [from, sender, ..] = parts.addresses;
    let author = from.first().ok_or(Problem::Missing)?;
    *field = Field::Sender;
    needed(from.len() == 1 || !sender.is_empty())?;
    *field = Field::Date;
    needed(parts.date.is_some() || parts.server_adds_date)?;
    *field = Field::Entropy;
    needed(parts.entropy.is_some())?;
    *field = Field::MessageIdDomain;
    if parts.domain.is_empty() {
        parts.domain = author.domain();
    } else {
        Rules::ASCII.hold(parts.domain)?;
        syntax(is_domain(parts.domain.as_bytes()))?;
    }
    let [subject, in_reply_to, references, plain, html] = &mut parts.texts;
    *field = Field::Subject;
    Rules::TEXT.hold(subject.unwrap_or_default())?;
    *field = Field::InReplyTo;
    identifiers(*in_reply_to)?;
    *field = Field::References;
    identifiers(*references)?;
    for (at, (name, value)) in parts.headers.iter().enumerate() {
        *field = Field::HeaderName(at);
        header_name(name)?;
        *field = Field::HeaderValue(at);
        Rules::WORDS.hold(value)?;
    }
    #[cfg(feature = "message")]
    for (at, attachment) in parts.attachments.iter().enumerate() {
        self::attachment(attachment, at, field)?;
    }
    // A message has a part.
    if html.is_none() && parts.attachments.is_empty() {
        plain.get_or_insert_default();
    }
    Ok(())
}

fn needed(given: bool) -> Result<(), Problem> {
    given.then_some(()).ok_or(Problem::Missing)
}

fn syntax(right: bool) -> Result<(), Problem> {
    right.then_some(()).ok_or(Problem::Syntax)
}

/// What a text may not have, besides line breaks and control characters.
#[derive(Clone, Copy)]
struct Rules {
    /// Octets without white space before them, where a line can be folded.
    longest: usize,
    /// White space makes no difference to the length, and a tab is refused.
    whole: bool,
    ascii: bool,
}

impl Rules {
    const TEXT: Self = Self {
        longest: usize::MAX,
        whole: false,
        ascii: false,
    };
    const WORDS: Self = Self {
        longest: LONGEST_WORD,
        ..Self::TEXT
    };
    const ASCII: Self = Self {
        ascii: true,
        ..Self::WORDS
    };
    const FILE_NAME: Self = Self {
        whole: true,
        ..Self::WORDS
    };
    const HEADER_NAME: Self = Self {
        longest: LONGEST_NAME,
        whole: true,
        ascii: true,
    };

    fn hold(self, text: &str) -> Result<(), Problem> {
        let (mut word, mut last) = (0_usize, 0);
        for b in text.bytes() {
            let space = b == b' ' || (b == b'\t' && !self.whole);
            if space && last != b' ' && !self.whole {
                word = 0;
            }
            last = if space { b' ' } else { b };
            word = word.wrapping_add(1);
            if matches!(b, b'\r' | b'\n') {
                return Err(Problem::LineBreak);
            } else if b.is_ascii_control() && !space {
                return Err(Problem::ControlCharacter);
            } else if self.ascii && !b.is_ascii() {
                return Err(Problem::NotAscii);
            } else if word > self.longest {
                return Err(Problem::TooLong);
            }
        }
        Ok(())
    }
}

fn header_name(name: &str) -> Result<(), Problem> {
    needed(!name.is_empty())?;
    Rules::HEADER_NAME.hold(name)?;
    let name = name.as_bytes();
    syntax(OctetKind::GRAPHIC.all(name) && octets::position(name, b':').is_none())?;
    let content = name
        .get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"Content-"));
    let mut reserved = RESERVED.split(|&b| b == b',');
    match content || reserved.any(|known| known.eq_ignore_ascii_case(name)) {
        true => Err(Problem::Reserved),
        false => Ok(()),
    }
}

/// `1*msg-id` of RFC 5322, section 3.6.4, as generous as real identifiers are.
fn identifiers(list: Option<&str>) -> Result<(), Problem> {
    let Some(list) = list else { return Ok(()) };
    Rules::ASCII.hold(list)?;
    let (mut inside, mut at, mut any, mut last) = (false, false, false, b' ');
    for b in list.bytes() {
        match b {
            b'<' if last == b' ' => (inside, at, any) = (true, false, true),
            b'>' if at => (inside, at) = (false, false),
            b' ' | b'\t' if !inside => {}
            _ => {
                syntax(inside && is_identifier(b))?;
                at |= b == b'@';
            }
        }
        last = if b == b'\t' { b' ' } else { b };
    }
    syntax(!inside)?;
    needed(any)
}

fn is_identifier(b: u8) -> bool {
    OctetKind::GRAPHIC.has(b) && b != b'<' && b != b'>'
}

fn attachment(attachment: &Attachment<'_>, at: usize, field: &mut Field) -> Result<(), Problem> {
    *field = Field::FileName(at);
    needed(!attachment.file_name.is_empty())?;
    Rules::FILE_NAME.hold(attachment.file_name)?;
    *field = Field::ContentType(at);
    Rules::ASCII.hold(attachment.content_type)?;
    content_type(attachment.content_type)?;
    if let Some(id) = attachment.content_id {
        *field = Field::ContentId(at);
        Rules::WORDS.hold(id)?;
        syntax(!id.is_empty() && id.bytes().all(is_identifier))?;
    }
    Ok(())
}

/// `type "/" subtype *(";" parameter)` of RFC 2045, section 5.1.
fn content_type(text: &str) -> Result<(), Problem> {
    let mut rest = text.as_bytes();
    let main = token(&mut rest);
    syntax(!main.is_empty() && take(&mut rest, b'/') && !token(&mut rest).is_empty())?;
    if main.eq_ignore_ascii_case(b"message") || main.eq_ignore_ascii_case(b"multipart") {
        return Err(Problem::Composite);
    }
    while !rest.is_empty() {
        spaces(&mut rest);
        syntax(take(&mut rest, b';'))?;
        spaces(&mut rest);
        let attribute = token(&mut rest);
        syntax(!attribute.is_empty() && take(&mut rest, b'='))?;
        syntax(match take(&mut rest, b'"') {
            true => quoted(&mut rest),
            false => !token(&mut rest).is_empty(),
        })?;
        if attribute.eq_ignore_ascii_case(b"name") {
            return Err(Problem::Reserved);
        }
    }
    Ok(())
}

/// `token` of RFC 2045, taken from the front; empty if there is none.
fn token<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = OctetKind::TOKEN.span(rest);
    let (token, after) = rest.split_at_checked(length).unwrap_or_default();
    *rest = after;
    token
}

/// Whether the octet stood at the front.
#[inline(never)]
fn take(rest: &mut &[u8], octet: u8) -> bool {
    let after = octets::strip(rest, octet);
    *rest = after.unwrap_or(rest);
    after.is_some()
}

fn spaces(rest: &mut &[u8]) {
    while let [b' ' | b'\t', after @ ..] = rest {
        *rest = after;
    }
}

/// Takes the rest of a quoted string; whether it ended.
pub(super) fn quoted(rest: &mut &[u8]) -> bool {
    let mut escape = false;
    while let Some((&b, after)) = rest.split_first() {
        *rest = after;
        if b == b'"' && !escape {
            return true;
        }
        escape = b == b'\\' && !escape;
    }
    false
}
