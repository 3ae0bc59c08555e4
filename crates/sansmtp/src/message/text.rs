//! Header text: folding at 78 characters, quoted strings (RFC 5322, section
//! 3.2.4) and encoded words (RFC 2047), one token at a time.

use super::pen::{LINE, Pen};
use crate::octets::OctetKind;
use crate::wire::base64;

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

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, escaped: bool) -> Self {
        Self {
            bytes: text.as_bytes(),
            escaped,
        }
    }

    pub(super) fn is_end(&self, at: usize) -> bool {
        at >= self.bytes.len()
    }

    /// The character at `at`, which goes behind it; empty at the end.
    fn next(&self, at: &mut usize) -> &'a [u8] {
        let mut start = *at;
        if self.escaped && self.bytes.get(start) == Some(&b'\\') {
            start += 1;
        }
        *at = start + 1;
        while matches!(self.bytes.get(*at), Some(0x80..=0xBF)) {
            *at += 1;
        }
        self.bytes.get(start..*at).unwrap_or_default()
    }

    /// How this text has to be written. Looks at the whole text, so it is asked
    /// once and the answer kept.
    pub(super) fn mode(&self, kind: Kind) -> Mode {
        if kind == Kind::Structured {
            return Mode::Plain;
        }
        let (mut at, mut last, mut word) = (0, 0, 0);
        let (mut quote, mut opened) = (false, false);
        loop {
            let b = match *self.next(&mut at) {
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
        }
        match quote && kind == Kind::Phrase {
            true => Mode::Quoted,
            false => Mode::Plain,
        }
    }

    /// Writes the token at `at` with the white space before it, on a new line
    /// if it does not fit; returns the offset after it. A bounded amount of work
    /// for each token that can be folded.
    pub(super) fn put_token(&self, mode: Mode, at: usize, pen: &mut Pen<'_>) -> usize {
        if mode == Mode::Encoded {
            return self.put_encoded(at, pen);
        }
        let mut unseen = Pen::unseen();
        self.put_word(mode, at, &mut unseen);
        pen.fold(unseen.column);
        self.put_word(mode, at, pen)
    }

    fn put_word(&self, mode: Mode, mut at: usize, pen: &mut Pen<'_>) -> usize {
        let quoted = mode == Mode::Quoted;
        let quote: &[u8] = if quoted { b"\"" } else { b"" };
        if at == 0 {
            pen.put(b" ");
            pen.put(quote);
        }
        let mut in_word = false;
        loop {
            let end = at;
            let character = self.next(&mut at);
            let Some(&b) = character.first() else {
                pen.put(quote);
                return end;
            };
            if !is_space(b) {
                in_word = true;
            } else if in_word {
                return end;
            }
            if quoted && is_special(b) {
                pen.put(b"\\");
            }
            pen.put(character);
        }
    }

    /// One encoded word, in Q or B, whichever takes in more of the text.
    fn put_encoded(&self, at: usize, pen: &mut Pen<'_>) -> usize {
        let mut room = LINE.saturating_sub(pen.column + 1).min(ENCODED_WORD);
        if room < ENCODED_LEAST {
            room = ENCODED_WORD;
            pen.end_line();
        }
        room -= ENCODED_FRAME;
        let (q_end, q_length) = self.put_coded(Coding::Q, at, room, None);
        let (b_end, b_length) = self.put_coded(Coding::B, at, room, None);
        let q = q_end > b_end || (q_end == b_end && q_length <= b_length);
        let coding = if q { Coding::Q } else { Coding::B };
        pen.put(if q { b" =?utf-8?Q?" } else { b" =?utf-8?B?" });
        let (end, _) = self.put_coded(coding, at, room, Some(pen));
        pen.put(b"?=");
        end
    }

    /// Writes whole characters from `at` on, as many as fit into `room`, or
    /// looks how many that would be; returns the offset after them and the
    /// length of what stands for them.
    pub(super) fn put_coded(
        &self,
        coding: Coding,
        mut at: usize,
        mut room: usize,
        mut pen: Option<&mut Pen<'_>>,
    ) -> (usize, usize) {
        if coding == Coding::B {
            room = room / 4 * 3;
        }
        let mut encoder = base64::Encoder::default();
        let mut used = 0;
        loop {
            let end = at;
            let character = self.next(&mut at);
            let length = |b: &u8| if coding.is_literal(*b) { 1 } else { 3 };
            let length: usize = character.iter().map(length).sum();
            if character.is_empty() || used + length > room {
                if coding == Coding::B {
                    used = base64::encoded_len(used);
                }
                if let Some(pen) = pen {
                    encoder.finish(&mut pen.window);
                    pen.column += used;
                }
                return (end, used);
            }
            used += length;
            let Some(pen) = &mut pen else { continue };
            for &b in character {
                if coding == Coding::B {
                    encoder.put(&[b], &mut pen.window);
                } else if coding.is_literal(b) {
                    // Only Q has a space among them.
                    pen.window.put(&[if b == b' ' { b'_' } else { b }]);
                } else {
                    pen.window
                        .put(if coding == Coding::Q { b"=" } else { b"%" });
                    pen.window.put(&hex(b));
                }
            }
        }
    }
}

/// How characters outside ASCII are brought into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 2047, section 4.2.
    Q,
    /// RFC 2047, section 4.1.
    B,
    /// RFC 2231, section 4.
    Percent,
}

impl Coding {
    /// What stands for itself: in a Q word that of a phrase (RFC 2047, section 5
    /// (3)); with percent signs a subset of `attribute-char` of RFC 2231 that
    /// every reader takes.
    fn is_literal(self, b: u8) -> bool {
        match self {
            Self::Q => OctetKind::Q_WORD.has(b) || b == b' ',
            Self::B => true,
            Self::Percent => b.is_ascii() && (OctetKind::LDH.has(b) || b == b'.'),
        }
    }
}

/// An octet as two hexadecimal digits, in upper case as RFC 2045 wants it.
pub(super) fn hex(octet: u8) -> [u8; 2] {
    [octet >> 4, octet & 15].map(|n| if n < 10 { b'0' + n } else { b'A' - 10 + n })
}

fn is_space(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

/// What a quoted string escapes.
fn is_special(b: u8) -> bool {
    b == b'"' || b == b'\\'
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::wire::window::Window;
    use std::string::String;

    fn written(name: &str, kind: Kind, source: Source<'_>) -> String {
        let mut out = [0; 4000];
        let mut pen = Pen {
            window: Window::new(0, &mut out),
            column: 0,
        };
        pen.put(name.as_bytes());
        let (mode, mut at) = (source.mode(kind), 0);
        while !source.is_end(at) {
            at = source.put_token(mode, at, &mut pen);
        }
        let n = pen.window.written();
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
