//! Text bodies: which transfer encoding, and the text in it (RFC 2045, section 6).

use super::text::put_hex;
use crate::wire::window::Window;

/// The longest line of a quoted-printable body, without the `=` at its end.
const QUOTED_LINE: usize = 75;
/// The longest line of a message (RFC 5322, section 2.1.1).
const LONGEST_LINE: usize = 998;
/// Plain text is copied in pieces of this size, to bound the work for each.
const PIECE: usize = 128;

/// A content transfer encoding. All of them give lines of 7-bit characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    SevenBit,
    QuotedPrintable,
    Base64,
}

impl Encoding {
    /// The encoding for a text: as it is if possible, else the shorter one.
    pub(super) fn of(text: &str) -> Self {
        let text = text.as_bytes();
        let (mut plain, mut special, mut line) = (true, 0_usize, 0);
        for (at, &b) in text.iter().enumerate() {
            // Delimiters start with these characters; quoted-printable can not
            // produce them, since it writes the = as =3D.
            if line == 0 && text.get(at..).unwrap_or_default().starts_with(b"--=_") {
                plain = false;
            }
            line = if is_line_end(b) { 0 } else { line + 1 };
            special += usize::from(!is_literal(b) && !is_line_end(b));
            plain &= matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n') && line <= LONGEST_LINE;
        }
        if plain {
            Self::SevenBit
        } else if special <= text.len() / 6 {
            // Two characters more for each special one, against one more for
            // each three octets.
            Self::QuotedPrintable
        } else {
            Self::Base64
        }
    }

    pub(super) fn name(self) -> &'static [u8] {
        match self {
            Self::SevenBit => b"7bit",
            Self::QuotedPrintable => b"quoted-printable",
            Self::Base64 => b"base64",
        }
    }
}

/// Writes the next piece of a 7bit body; returns the offset after it and
/// whether a line ended there.
pub(super) fn put_plain(text: &[u8], at: usize, w: &mut Window<'_>) -> (usize, bool) {
    let (run, line_end) = split_run(text, at);
    if run.is_empty() {
        w.put(b"\r\n");
        return (at + line_end, true);
    }
    w.put(run);
    (at + run.len(), false)
}

/// Writes the next line of a quoted-printable body; returns as [`put_plain`].
pub(super) fn put_quoted(text: &[u8], mut at: usize, w: &mut Window<'_>) -> (usize, bool) {
    let mut column = 0;
    while let Some(&b) = text.get(at) {
        if is_line_end(b) {
            w.put(b"\r\n");
            return (at + line_end(text, at), true);
        }
        // White space at the end of a line would be lost on the way.
        let at_end = text.get(at + 1).is_none_or(|&next| is_line_end(next));
        let literal = is_literal(b) && !(at_end && matches!(b, b' ' | b'\t'));
        column += if literal { 1 } else { 3 };
        if column > QUOTED_LINE {
            w.put(b"=\r\n");
            break;
        }
        match literal {
            true => w.put(&[b]),
            false => put_hex(b'=', b, w),
        }
        at += 1;
    }
    (at, false)
}

/// The text from `at` to the end of its line, as far as one piece goes; and,
/// when that is empty, the octets of the line end (0 at the end of the text).
pub(super) fn split_run(text: &[u8], at: usize) -> (&[u8], usize) {
    let rest = text.get(at..).unwrap_or_default();
    let piece = rest.get(..PIECE).unwrap_or(rest);
    let run = piece.split(|&b| is_line_end(b)).next().unwrap_or_default();
    (run, line_end(text, at))
}

/// The octets of the line end at `at`: CRLF, or CR or LF alone.
fn line_end(text: &[u8], at: usize) -> usize {
    match text.get(at..).unwrap_or_default() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

fn is_line_end(b: u8) -> bool {
    b == b'\r' || b == b'\n'
}

/// What stands for itself in quoted-printable (RFC 2045, section 6.7).
fn is_literal(b: u8) -> bool {
    matches!(b, b' '..=b'~' | b'\t') && b != b'='
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;

    type Put = fn(&[u8], usize, &mut Window<'_>) -> (usize, bool);

    fn written(put: Put, text: &str) -> String {
        let mut out = [0; 4000];
        let mut w = Window::new(0, &mut out);
        let mut at = 0;
        while at < text.len() {
            (at, _) = put(text.as_bytes(), at, &mut w);
        }
        let n = w.written();
        String::from_utf8(out[..n].to_vec()).unwrap()
    }

    #[test]
    fn line_ends_are_normalised() {
        for (text, expected) in [
            ("", ""),
            ("a", "a"),
            ("a\nb\rc\r\nd", "a\r\nb\r\nc\r\nd"),
            ("\n\r\r\n\n", "\r\n\r\n\r\n\r\n"),
            ("a\n\rb", "a\r\n\r\nb"),
        ] {
            assert_eq!(written(put_plain, text), expected);
            assert_eq!(written(put_quoted, text), expected);
        }
    }

    #[test]
    fn quoted_printable() {
        for (text, expected) in [
            ("a = b", "a =3D b"),
            ("a \nb\t\r\nc ", "a=20\r\nb=09\r\nc=20"),
            ("\0\x1b\x7f", "=00=1B=7F"),
            ("für", "f=C3=BCr"),
        ] {
            assert_eq!(written(put_quoted, text), expected);
        }
        let lines = written(put_quoted, &"x".repeat(75 * 2));
        assert_eq!(lines, "x".repeat(75) + "=\r\n" + &"x".repeat(75));
        let lines = written(put_quoted, &("x".repeat(73) + "ü"));
        assert_eq!(lines, "x".repeat(73) + "=\r\n=C3=BC");
    }

    #[test]
    fn choice() {
        let long = "x".repeat(999);
        for (text, encoding) in [
            ("", Encoding::SevenBit),
            ("plain\tand = \r\nsimple", Encoding::SevenBit),
            (&long[1..], Encoding::SevenBit),
            (&long, Encoding::QuotedPrintable),
            ("eine Bestellung für uns", Encoding::QuotedPrintable),
            ("日本語", Encoding::Base64),
            ("a nul \0 in a text", Encoding::QuotedPrintable),
            ("some more text\n--=_M and so on", Encoding::QuotedPrintable),
            ("some more text\r--=_M and so on", Encoding::QuotedPrintable),
            ("--=_M at the very start", Encoding::QuotedPrintable),
            ("not at the --=_ start", Encoding::SevenBit),
        ] {
            assert_eq!(Encoding::of(text), encoding, "{text:?}");
        }
    }
}
