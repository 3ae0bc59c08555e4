//! Text bodies: which transfer encoding, and the text in it (RFC 2045, section 6).

use super::pen::Pen;
use super::text::hex;
use crate::wire::base64;

/// The longest line of a quoted-printable body, without the `=` at its end.
const QUOTED_LINE: usize = 75;
/// The octets in a line of base64, which make 76 characters (RFC 2045, section 6.8).
const BASE64_LINE: usize = 57;
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

/// Writes a piece of a text from `at` on, at most to the end of its line, whose
/// line end becomes CRLF; returns the offset after it.
pub(super) fn put_piece(
    text: &[u8],
    at: usize,
    encoding: Encoding,
    base64: &mut base64::Encoder,
    pen: &mut Pen<'_>,
) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let piece = rest.get(..PIECE).unwrap_or(rest);
    let run = piece.split(|&b| is_line_end(b)).next().unwrap_or_default();
    let end = at + run.len();
    let line_end = line_end(text, end);
    match encoding {
        Encoding::SevenBit => pen.put(run),
        Encoding::QuotedPrintable => put_quoted(run, line_end > 0 || end == text.len(), pen),
        Encoding::Base64 => put_base64(run, base64, pen),
    }
    if line_end > 0 {
        match encoding {
            Encoding::Base64 => put_base64(b"\r\n", base64, pen),
            _ => pen.end_line(),
        }
    }
    end + line_end
}

/// A piece of a line in quoted-printable; `ends` says that the line ends after it.
fn put_quoted(run: &[u8], ends: bool, pen: &mut Pen<'_>) {
    for (at, &b) in run.iter().enumerate() {
        // White space at the end of a line would be lost on the way.
        let lost = ends && at + 1 == run.len() && matches!(b, b' ' | b'\t');
        let literal = is_literal(b) && !lost;
        if pen.column + if literal { 1 } else { 3 } > QUOTED_LINE {
            pen.put(b"=");
            pen.end_line();
        }
        if literal {
            pen.put(&[b]);
        } else {
            pen.put(b"=");
            pen.put(&hex(b));
        }
    }
}

/// Octets in base64. The column counts the octets in the line, not their characters.
pub(super) fn put_base64(octets: &[u8], encoder: &mut base64::Encoder, pen: &mut Pen<'_>) {
    for octet in octets {
        if pen.column >= BASE64_LINE {
            pen.end_line();
        }
        encoder.put(&[*octet], &mut pen.window);
        pen.column += 1;
    }
}

/// The length of `octets` octets in lines of base64, without a line break after
/// the last.
pub(super) fn base64_len(octets: usize) -> u64 {
    let breaks = octets.saturating_sub(1) / BASE64_LINE;
    octets.div_ceil(3) as u64 * 4 + breaks as u64 * 2
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
    use crate::wire::window::Window;
    use std::string::String;

    fn written(encoding: Encoding, text: &str) -> String {
        let mut out = [0; 4000];
        let mut pen = Pen {
            window: Window::new(0, &mut out),
            column: 0,
        };
        let (mut at, mut base64) = (0, base64::Encoder::default());
        while at < text.len() {
            at = put_piece(text.as_bytes(), at, encoding, &mut base64, &mut pen);
        }
        base64.finish(&mut pen.window);
        let n = pen.window.written();
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
            assert_eq!(written(Encoding::SevenBit, text), expected);
            assert_eq!(written(Encoding::QuotedPrintable, text), expected);
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
            assert_eq!(written(Encoding::QuotedPrintable, text), expected);
        }
        let lines = written(Encoding::QuotedPrintable, &"x".repeat(75 * 2));
        assert_eq!(lines, "x".repeat(75) + "=\r\n" + &"x".repeat(75));
        let lines = written(Encoding::QuotedPrintable, &("x".repeat(73) + "ü"));
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
