//! Replies (RFC 5321, section 4.2).

use super::enhanced::EnhancedCode;
use super::window::{Few, Window, digit, show_decimal};
use crate::octets;
use core::fmt;

/// A three-digit reply code, 200 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// What the first digit of a reply code says (RFC 5321, section 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// 2yz: done.
    Positive,
    /// 3yz: go on with more.
    Intermediate,
    /// 4yz: not now, the same may work later.
    Transient,
    /// 5yz: not like this, the same will fail again.
    Permanent,
}

impl Code {
    /// The code `value`; `None` unless it is from 200 to 599.
    pub const fn new(value: u16) -> Option<Self> {
        if value >= 200 && value < 600 {
            Some(Self(value))
        } else {
            None
        }
    }

    /// 250, the usual yes.
    pub const OK: Self = Self(250);

    /// The code as a number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// What the first digit says.
    pub const fn class(self) -> Class {
        match self.0 {
            500.. => Class::Permanent,
            400.. => Class::Transient,
            300.. => Class::Intermediate,
            _ => Class::Positive,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_decimal(self.0.into(), f)
    }
}

/// One line of a received reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReplyLine<'a> {
    /// The reply code.
    pub code: Code,
    /// The enhanced status code, if the line carries one that fits the code
    /// (RFC 2034).
    pub enhanced: Option<EnhancedCode>,
    /// The text behind the codes, as received. It is what a stranger sent: show
    /// it through [`fmt::Display`] of this line or another escaping form.
    pub text: &'a [u8],
    /// Whether the reply ends with this line.
    pub last: bool,
}

impl<'a> ReplyLine<'a> {
    /// Parses a line without its CR LF:
    /// `Reply-code ( "-" / [ SP ] ) [ textstring ]`.
    ///
    /// A code alone is taken, as RFC 5321 asks of clients. The second digit may
    /// be any, since codes such as 571 are in use.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let (code, rest) = code(line)?;
        let (last, text) = match rest.split_first() {
            None => (true, rest),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return None,
        };
        // An enhanced code of another class is text.
        let coded = match text.first() == line.first() {
            true => EnhancedCode::parse_prefix(text),
            false => None,
        };
        let (enhanced, text) = coded.map_or((None, text), |(code, behind)| (Some(code), behind));
        Some(Self {
            code,
            enhanced,
            text,
            last,
        })
    }

    /// Whether the code is 2yz.
    pub fn is_positive(&self) -> bool {
        self.code.class() == Class::Positive
    }

    /// Whether the code is 5yz.
    pub fn is_permanent(&self) -> bool {
        self.code.class() == Class::Permanent
    }
}

/// Code, enhanced code and text; control characters are escaped.
impl fmt::Display for ReplyLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.code, f)?;
        if let Some(enhanced) = self.enhanced {
            f.write_str(" ")?;
            fmt::Display::fmt(&enhanced, f)?;
        }
        if !self.text.is_empty() {
            f.write_str(" ")?;
            fmt::Display::fmt(&Escaped(self.text), f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ReplyLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"{}", if self.last { "" } else { "-" })
    }
}

/// Shows bytes of a stranger: UTF-8 as it is, control characters and broken
/// bytes as `\x1b`, so that nothing reaches the terminal that could steer it.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let mut rest = self.0;
        while !rest.is_empty() {
            let valid = match core::str::from_utf8(rest) {
                Ok(_) => rest.len(),
                Err(error) => error.valid_up_to(),
            };
            let (text, behind) = rest.split_at_checked(valid).unwrap_or_default();
            for c in core::str::from_utf8(text).unwrap_or_default().chars() {
                if is_steering(c) {
                    f.write_str("\\u{")?;
                    let bits = 32_u32.wrapping_sub((u32::from(c) | 1).leading_zeros());
                    show_hex(c.into(), bits.div_ceil(4), f)?;
                    f.write_str("}")?;
                } else {
                    f.write_char(c)?;
                }
            }
            rest = behind;
            if let Some((byte, behind)) = rest.split_first() {
                f.write_str("\\x")?;
                show_hex(u32::from(*byte), 2, f)?;
                rest = behind;
            }
        }
        Ok(())
    }
}

fn show_hex(value: u32, digits: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;
    for place in (0..digits).rev() {
        let digit = value.wrapping_shr(place.wrapping_mul(4)) & 15;
        f.write_char(char::from_digit(digit, 16).unwrap_or('?'))?;
    }
    Ok(())
}

/// Control characters, and the format characters that reorder or hide text.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A reply that a server gives: code, enhanced code and text.
///
/// The text may have several lines, separated by `\n`; each becomes a line of
/// the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    code: Code,
    enhanced: Option<EnhancedCode>,
    text: &'a str,
}

/// Why a [`Reply`] can not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidReply {
    /// The code is not from 200 to 599.
    Code,
    /// The enhanced code's class is not the first digit of the code.
    Class,
    /// The text holds a control character other than `\n`.
    Control,
    /// A line of the text is longer than [`Reply::LINE_LIMIT`] octets.
    TooLong,
}

impl fmt::Display for InvalidReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "a reply code is a number from 200 to 599",
            Self::Class => "the enhanced status code must begin with the reply code's first digit",
            Self::Control => "reply text must not hold control characters; use \\n between lines",
            Self::TooLong => "a line of reply text must not be longer than 480 octets",
        })
    }
}

impl core::error::Error for InvalidReply {}

impl<'a> Reply<'a> {
    /// The longest line of text, in octets: with codes and CR LF it stays under
    /// the 512 octets of RFC 5321, section 4.5.3.1.5.
    pub const LINE_LIMIT: usize = 480;

    /// A reply.
    ///
    /// # Errors
    /// [`InvalidReply`] names the part that can not be sent.
    pub fn new(
        code: u16,
        enhanced: Option<EnhancedCode>,
        text: &'a str,
    ) -> Result<Self, InvalidReply> {
        let code = Code::new(code).ok_or(InvalidReply::Code)?;
        if let Some(enhanced) = enhanced
            && u16::from(enhanced.class()) != code.get() / 100
        {
            return Err(InvalidReply::Class);
        }
        if text.bytes().any(|b| b.is_ascii_control() && b != b'\n') {
            return Err(InvalidReply::Control);
        }
        let mut lines = text.as_bytes().split(|&b| b == b'\n');
        if lines.any(|line| line.len() > Self::LINE_LIMIT) {
            return Err(InvalidReply::TooLong);
        }
        Ok(Self {
            code,
            enhanced,
            text,
        })
    }

    /// The reply code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The enhanced status code.
    pub const fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// The text, lines separated by `\n`.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// A reply from parts that were taken out of a valid one.
    pub(crate) const fn custom(code: Code, enhanced: Option<EnhancedCode>, text: &'a str) -> Self {
        Self {
            code,
            enhanced,
            text,
        }
    }

    /// Renders the reply as it goes over the wire: a line for each line of the
    /// text, CR LF included.
    pub fn render(&self, out: &mut Window<'_>) {
        let mut rest = self.text;
        loop {
            let (line, tail) = match octets::split_first(rest, b'\n') {
                Some((line, tail)) => (line, Some(tail)),
                None => (rest, None),
            };
            let mut start = line_start(self.code, tail.is_none());
            if let Some(enhanced) = self.enhanced {
                enhanced.push_to(&mut start);
                start.push(b' ');
            }
            out.put(start.octets());
            out.put(line.as_bytes());
            out.put(b"\r\n");
            match tail {
                Some(tail) => rest = tail,
                None => return,
            }
        }
    }
}

/// `Reply-code = %x32-35 %x30-39 %x30-39`, and what is behind it.
fn code(line: &[u8]) -> Option<(Code, &[u8])> {
    if cfg!(feature = "memchr") {
        let [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = line else {
            return None;
        };
        // 5,328 is what the three digits are more than their values.
        let code = u16::from(*a)
            .wrapping_mul(100)
            .wrapping_add(u16::from(*b).wrapping_mul(10))
            .wrapping_add(u16::from(*c))
            .wrapping_sub(5328);
        return Some((Code(code), rest));
    }
    // Less code. A dot would make the number larger.
    match octets::dotted(line) {
        (number @ 200..600, 3) => Some((Code(number as u16), line.get(3..)?)),
        _ => None,
    }
}

/// Writes `250 ` or `250-`.
pub(crate) fn begin_line(code: Code, last: bool, out: &mut Window<'_>) {
    out.put(line_start(code, last).octets());
}

fn line_start(code: Code, last: bool) -> Few {
    let mut start = Few::default();
    let code = code.get();
    let separator = if last { b' ' } else { b'-' };
    start.push_all([digit(code / 100), digit(code / 10), digit(code), separator]);
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn reply_lines() {
        let line = ReplyLine::parse(b"535-5.7.8 Username and Password not accepted").unwrap();
        assert_eq!(line.code.get(), 535);
        assert_eq!(line.enhanced, EnhancedCode::new(5, 7, 8));
        assert_eq!(line.text, b"Username and Password not accepted");
        assert!(!line.last && line.is_permanent());

        let line = ReplyLine::parse(b"250").unwrap();
        assert!(line.last && line.is_positive() && line.text.is_empty());
        assert!(ReplyLine::parse(b"250 ").unwrap().last);
        // An enhanced code of another class is text.
        let line = ReplyLine::parse(b"250 5.7.1 strange").unwrap();
        assert_eq!((line.enhanced, line.text), (None, &b"5.7.1 strange"[..]));

        for bad in [
            "", "25", "999 ok", "199 x", "2x0 ok", "250ok", "250_ok", "0.250 ok", " 250 ok",
            "600 x",
        ] {
            assert_eq!(ReplyLine::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn a_strangers_text_can_not_steer_the_terminal() {
        let line = ReplyLine::parse(b"550 \x1b[2J\x07no \xff caf\xc3\xa9 \xe2\x80\xae").unwrap();
        assert_eq!(
            line.to_string(),
            "550 \\u{1b}[2J\\u{7}no \\xff caf\u{e9} \\u{202e}"
        );
    }

    #[test]
    fn replies_render_line_by_line() {
        let reply = Reply::new(
            550,
            EnhancedCode::new(5, 1, 1),
            "no such user\nask postmaster",
        )
        .unwrap();
        let mut out = [0; 128];
        let mut window = Window::new(0, &mut out);
        reply.render(&mut window);
        let written = window.written();
        assert_eq!(
            &out[..written],
            b"550-5.1.1 no such user\r\n550 5.1.1 ask postmaster\r\n"
        );
    }

    #[test]
    fn replies_that_can_not_be_sent() {
        let long = "x".repeat(481);
        for (code, enhanced, text, why) in [
            (199, None, "x", InvalidReply::Code),
            (600, None, "x", InvalidReply::Code),
            (250, EnhancedCode::new(5, 0, 0), "x", InvalidReply::Class),
            (250, None, "a\r\nb", InvalidReply::Control),
            (250, None, "a\0", InvalidReply::Control),
            (250, None, long.as_str(), InvalidReply::TooLong),
        ] {
            assert_eq!(Reply::new(code, enhanced, text), Err(why));
        }
    }
}
