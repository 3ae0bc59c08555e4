//! Header text: folding at 78 characters, quoted strings (RFC 5322, section
//! 3.2.4) and encoded words (RFC 2047), one token at a time.

use crate::octets::OctetKind;
use crate::wire::base64;
use crate::wire::window::Window;

/// Lines are folded so that they have at most this many characters
/// (RFC 5322, section 2.1.1).
const LINE: usize = 78;
/// An encoded word has at most this many characters (RFC 2047, section 2).
const ENCODED_WORD: usize = 75;
/// `=?utf-8?Q?` and `?=`.
const ENCODED_FRAME: usize = 12;
/// An encoded word with less room than this starts on a new line.
const ENCODED_LEAST: usize = 40;
/// A word longer than this is encoded, since only an encoded word can be split.
const LONG_WORD: usize = 72;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As it is.
    Plain,
    /// As a quoted string.
    Quoted,
    /// As encoded words.
    Encoded,
}

/// Where a text stands, which decides what may be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text for people: a long word may be encoded to split it.
    Unstructured,
    /// The value of a field unknown to us: a long word may be a URL and stays.
    Unknown,
    /// A display name.
    Phrase,
    /// Text in ASCII that programs read.
    Structured,
}

/// A text and how to step through it character by character.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    bytes: &'a [u8],
    /// A backslash escapes the next character and is not part of the text.
    escaped: bool,
}

/// Where the writer is within a header: offset in the text, column in the line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spot {
    pub(super) at: usize,
    pub(super) column: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, escaped: bool) -> Self {
        Self {
            bytes: text.as_bytes(),
            escaped,
        }
    }

    pub(super) fn is_end(self, at: usize) -> bool {
        at >= self.bytes.len()
    }

    /// The character at `at` (empty at the end) and the offset after it.
    pub(super) fn character(self, mut at: usize) -> (&'a [u8], usize) {
        if self.escaped && self.bytes.get(at) == Some(&b'\\') {
            at += 1;
        }
        let mut end = at + 1;
        while matches!(self.bytes.get(end), Some(0x80..=0xBF)) {
            end += 1;
        }
        (self.bytes.get(at..end).unwrap_or_default(), end)
    }

    /// How this text has to be written. Looks at the whole text, so it is asked
    /// once and the answer kept.
    pub(super) fn mode(self, kind: Kind) -> Mode {
        if kind == Kind::Structured {
            return Mode::Plain;
        }
        let (mut at, mut last, mut word) = (0, 0, 0);
        let (mut quote, mut opened) = (false, false);
        loop {
            let (character, next) = self.character(at);
            let b = match *character {
                [] => break,
                [b] => b,
                _ => return Mode::Encoded,
            };
            if is_space(b) && !is_space(last) {
                word = 0;
            }
            word += 1 + usize::from(is_special(b));
            // What would be read as an encoded word must be encoded itself.
            opened |= last == b'=' && b == b'?';
            if (opened && last == b'?' && b == b'=') || (word > LONG_WORD && kind != Kind::Unknown)
            {
                return Mode::Encoded;
            }
            quote |= !OctetKind::ATEXT.has(b) && (b != b' ' || last == b' ');
            last = b;
            at = next;
        }
        match quote && kind == Kind::Phrase {
            true => Mode::Quoted,
            false => Mode::Plain,
        }
    }

    /// Writes the next token of the text with the white space before it, on a
    /// new line if it does not fit. A bounded amount of work for each token
    /// that can be folded.
    pub(super) fn put_token(self, mode: Mode, spot: &mut Spot, w: &mut Window<'_>) {
        match mode {
            Mode::Encoded => self.put_encoded(spot, w),
            _ => self.put_word(mode == Mode::Quoted, spot, w),
        }
    }

    fn put_word(self, quoted: bool, spot: &mut Spot, w: &mut Window<'_>) {
        let start = spot.at;
        let first = start == 0;
        let (mut end, mut length, mut in_word) = (start, usize::from(first), false);
        loop {
            let (character, next) = self.character(end);
            match *character {
                [] => break,
                [b] if is_space(b) && !in_word => {}
                [b] if is_space(b) => break,
                [b] => {
                    length += usize::from(quoted && is_special(b));
                    in_word = true;
                }
                _ => in_word = true,
            }
            length += character.len();
            end = next;
        }
        let last = self.is_end(end);
        if quoted {
            length += usize::from(first) + usize::from(last);
        }
        fold(length, &mut spot.column, w);
        if first {
            w.put(b" ");
            if quoted {
                w.put(b"\"");
            }
        }
        while spot.at < end {
            let (character, next) = self.character(spot.at);
            if quoted && character.first().is_some_and(|&b| is_special(b)) {
                w.put(b"\\");
            }
            w.put(character);
            spot.at = next;
        }
        if quoted && last {
            w.put(b"\"");
        }
    }

    /// One encoded word, in Q or B, whichever takes in more of the text.
    fn put_encoded(self, spot: &mut Spot, w: &mut Window<'_>) {
        let mut room = LINE.saturating_sub(spot.column + 1).min(ENCODED_WORD);
        if room < ENCODED_LEAST {
            room = ENCODED_WORD;
            w.put(b"\r\n");
            spot.column = 0;
        }
        room -= ENCODED_FRAME;
        let (q_end, q_length, _) = self.reach(spot.at, room, q_length);
        let (b_end, _, b_octets) = self.reach(spot.at, room / 4 * 3, <[u8]>::len);
        let b_length = b_octets.div_ceil(3) * 4;
        let q = q_end > b_end || (q_end == b_end && q_length <= b_length);
        w.put(if q { b" =?utf-8?Q?" } else { b" =?utf-8?B?" });
        let end = if q { q_end } else { b_end };
        let mut encoder = base64::Encoder::default();
        while spot.at < end {
            let (character, next) = self.character(spot.at);
            match q {
                true => character.iter().for_each(|&b| put_q(b, w)),
                false => encoder.put(character, w),
            }
            spot.at = next;
        }
        encoder.finish(w);
        w.put(b"?=");
        spot.column += 1 + ENCODED_FRAME + if q { q_length } else { b_length };
    }

    /// How far whole characters go until their lengths exceed `room`: the
    /// offset, the sum of the lengths, and the octets.
    fn reach(self, start: usize, room: usize, length: fn(&[u8]) -> usize) -> (usize, usize, usize) {
        let (mut end, mut sum, mut octets) = (start, 0, 0);
        loop {
            let (character, next) = self.character(end);
            let more = length(character);
            if character.is_empty() || sum + more > room {
                return (end, sum, octets);
            }
            (end, sum, octets) = (next, sum + more, octets + character.len());
        }
    }

    /// Writes characters from `at` percent-encoded (RFC 2231, section 4) until
    /// `room` is used up; returns the offset after them.
    pub(super) fn put_percent(self, at: usize, room: usize, w: &mut Window<'_>) -> usize {
        let (end, _, _) = self.reach(at, room, percent_length);
        for &b in self.bytes.get(at..end).unwrap_or_default() {
            match is_attribute_char(b) {
                true => w.put(&[b]),
                false => put_hex(b'%', b, w),
            }
        }
        end
    }
}

/// Breaks the line if `length` characters, of which the first is white space,
/// do not fit any more, and counts them.
pub(super) fn fold(length: usize, column: &mut usize, w: &mut Window<'_>) {
    if *column + length > LINE {
        w.put(b"\r\n");
        *column = 0;
    }
    *column += length;
}

/// Writes a sign and an octet as two hexadecimal digits.
pub(super) fn put_hex(sign: u8, b: u8, w: &mut Window<'_>) {
    w.put(&[sign, hex_digit(b >> 4), hex_digit(b & 15)]);
}

/// A hexadecimal digit in upper case, as RFC 2045 wants it.
pub(super) fn hex_digit(n: u8) -> u8 {
    if n < 10 { b'0' + n } else { b'A' - 10 + n }
}

fn is_space(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

/// What a quoted string escapes.
fn is_special(b: u8) -> bool {
    b == b'"' || b == b'\\'
}

/// What stands for itself in a Q word of a phrase (RFC 2047, section 5 (3)).
fn is_q_char(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!*+-/".contains(&b)
}

fn q_length(character: &[u8]) -> usize {
    match *character {
        [b] if b == b' ' || is_q_char(b) => 1,
        _ => character.len() * 3,
    }
}

fn put_q(b: u8, w: &mut Window<'_>) {
    match b {
        b' ' => w.put(b"_"),
        b if is_q_char(b) => w.put(&[b]),
        b => put_hex(b'=', b, w),
    }
}

/// A subset of `attribute-char` of RFC 2231 that every reader takes.
fn is_attribute_char(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._".contains(&b)
}

fn percent_length(character: &[u8]) -> usize {
    match *character {
        [b] if is_attribute_char(b) => 1,
        _ => character.len() * 3,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;

    fn written(name: &str, kind: Kind, source: Source<'_>) -> String {
        let mut out = [0; 4000];
        let mut w = Window::new(0, &mut out);
        w.put(name.as_bytes());
        let mut spot = Spot {
            at: 0,
            column: name.len(),
        };
        let mode = source.mode(kind);
        while !source.is_end(spot.at) {
            source.put_token(mode, &mut spot, &mut w);
        }
        let n = w.written();
        String::from_utf8(out[..n].to_vec()).unwrap()
    }

    #[test]
    fn plain_and_encoded_subjects() {
        for (text, expected) in [
            ("", "Subject:"),
            ("Hello", "Subject: Hello"),
            ("a  b\tc", "Subject: a  b\tc"),
            ("50% off = ok?", "Subject: 50% off = ok?"),
            ("für", "Subject: =?utf-8?Q?f=C3=BCr?="),
            (
                "Pumpe 7: zu heiß",
                "Subject: =?utf-8?Q?Pumpe_7=3A_zu_hei=C3=9F?=",
            ),
            ("日本", "Subject: =?utf-8?B?5pel5pys?="),
            ("😀", "Subject: =?utf-8?B?8J+YgA==?="),
            ("=?utf-8?Q?x?=", "Subject: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?="),
            (
                "https://example.org/?a=?b",
                "Subject: https://example.org/?a=?b",
            ),
        ] {
            assert_eq!(
                written("Subject:", Kind::Unstructured, Source::new(text, false)),
                expected
            );
        }
    }

    #[test]
    fn names() {
        for (text, escaped, expected) in [
            ("Jo Doe", false, "To: Jo Doe"),
            ("Jo  Doe", false, "To: \"Jo  Doe\""),
            ("Doe, Jo", false, "To: \"Doe, Jo\""),
            ("J. Doe", false, "To: \"J. Doe\""),
            (r#"a"b\c"#, false, r#"To: "a\"b\\c""#),
            (r#"a\"b\\c"#, true, r#"To: "a\"b\\c""#),
            (r#"\ü\""#, true, "To: =?utf-8?B?w7wi?="),
            ("Zoë (x)", false, "To: =?utf-8?B?Wm/DqyAoeCk=?="),
        ] {
            assert_eq!(
                written("To:", Kind::Phrase, Source::new(text, escaped)),
                expected
            );
        }
    }

    #[test]
    fn folding() {
        let ten = "123456789 ".repeat(9);
        assert_eq!(
            written(
                "Subject:",
                Kind::Unstructured,
                Source::new(ten.trim_end(), false)
            ),
            "Subject: 123456789 123456789 123456789 123456789 123456789 123456789 123456789\r\n \
             123456789 123456789"
        );
        // Filled to 78 exactly: no fold.
        let exact = "x".repeat(39) + " " + &"y".repeat(29);
        let line = written("Subject:", Kind::Unstructured, Source::new(&exact, false));
        assert_eq!((line.len(), line.contains('\r')), (78, false));
        let more = exact + "y";
        assert!(
            written("Subject:", Kind::Unstructured, Source::new(&more, false)).contains("x\r\n y")
        );
        // A long word is split by encoding it, but left alone in unknown fields.
        let long = "x".repeat(200);
        let subject = written("Subject:", Kind::Unstructured, Source::new(&long, false));
        assert!(subject.split("\r\n").all(|line| line.len() <= 78));
        assert_eq!(
            written("X-Url:", Kind::Unknown, Source::new(&long, false)),
            std::format!("X-Url:\r\n {long}")
        );
        assert!(written("To:", Kind::Phrase, Source::new(&long, false)).contains("?=\r\n =?"));
    }

    #[test]
    fn encoded_words_are_full_but_never_longer() {
        let text = "ä€😀x ".repeat(100);
        let header = written("Subject:", Kind::Unstructured, Source::new(&text, false));
        for line in header.split("\r\n") {
            assert!(line.len() <= 78, "{line}");
            let word = line.trim_start_matches("Subject:").trim_start();
            assert!(word.len() <= 75 && word.starts_with("=?utf-8?") && word.ends_with("?="));
        }
    }
}
