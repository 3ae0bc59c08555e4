//! The content in chunks: BDAT (RFC 3030, section 2).
//!
//! A chunk carries its length, so nothing is stuffed and no octet ends it. Text
//! keeps its rule all the same: lines end with CR LF and with nothing else, so
//! that no later server that has to use DATA sees another end in it.

use super::plain::plain;
use crate::octets;

/// Gives the content in chunks its line ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoder {
    /// At the beginning of a line.
    #[default]
    LineStart,
    /// Inside a line.
    InLine,
    /// Behind a CR.
    AfterCr,
    /// The CR that a bare LF was missing is out, the LF is not.
    Completed,
    /// The octets are opaque: BODY=BINARYMIME (RFC 3030, section 3).
    Opaque,
}

impl Encoder {
    /// Encodes `input` into `out` and returns how many octets were read and
    /// written. Stops when either is used up; `(0, 0)` only if one is empty.
    ///
    /// Every bare CR or LF becomes CR LF. The last octet that is written for an
    /// input is written when its last octet is read.
    pub fn encode(&mut self, input: &[u8], out: &mut [u8]) -> (usize, usize) {
        let (mut read, mut written) = (0_usize, 0_usize);
        while let (Some(rest), Some(room)) = (input.get(read..), out.get_mut(written..)) {
            let (Some(&byte), Some(slot)) = (rest.first(), room.first_mut()) else {
                break;
            };
            let consumed;
            (*slot, consumed, *self) = match (*self, byte) {
                (Self::AfterCr, b'\n') => (b'\n', true, Self::LineStart),
                (Self::AfterCr, _) => (b'\n', false, Self::LineStart),
                (Self::Completed, _) => (b'\n', true, Self::LineStart),
                (Self::LineStart | Self::InLine, b'\r') => (b'\r', true, Self::AfterCr),
                (Self::LineStart | Self::InLine, b'\n') => (b'\r', false, Self::Completed),
                _ => {
                    let run = self.run(rest.get(..room.len()).unwrap_or(rest));
                    octets::copy(run, room);
                    read = read.wrapping_add(run.len());
                    written = written.wrapping_add(run.len());
                    *self = self.behind(run);
                    continue;
                }
            };
            read = read.wrapping_add(usize::from(consumed));
            written = written.wrapping_add(1);
        }
        (read, written)
    }

    /// How many octets [`Encoder::encode`] will write until it has read all of
    /// `input`.
    pub fn count(mut self, input: &[u8]) -> usize {
        if self == Self::Opaque {
            return input.len();
        }
        let mut count = input.len();
        let mut rest = input;
        while let Some((&byte, tail)) = rest.split_first() {
            // What differs from one octet for one: an LF that is put in behind a
            // CR, a CR that is put in before an LF, and an LF whose CR is out.
            (self, rest) = match (self, byte) {
                (Self::AfterCr | Self::Completed, b'\n') => (Self::LineStart, tail),
                (Self::AfterCr, _) => {
                    count = count.saturating_add(1);
                    (Self::LineStart, rest)
                }
                (_, b'\r') => (Self::AfterCr, tail),
                (_, b'\n') => {
                    count = count.saturating_add(1);
                    (Self::LineStart, tail)
                }
                _ => {
                    let run = self.run(rest);
                    (self.behind(run), rest.get(run.len()..).unwrap_or_default())
                }
            };
        }
        count
    }

    /// How many octets `input` begins with that [`Encoder::encode`] would write as they
    /// are, and where that leads.
    pub fn pass(self, input: &[u8]) -> (usize, Self) {
        let (mut place, mut at) = (self, 0_usize);
        while let Some(rest) = input.get(at..)
            && let Some(&byte) = rest.first()
        {
            let run;
            (run, place) = match (place, byte) {
                (Self::AfterCr, b'\n') => (1, Self::LineStart),
                (Self::AfterCr | Self::Completed, _) | (Self::LineStart | Self::InLine, b'\n') => {
                    break;
                }
                (Self::LineStart | Self::InLine, b'\r') => (1, Self::AfterCr),
                _ => {
                    let run = place.run(rest);
                    (run.len(), place.behind(run))
                }
            };
            at = at.wrapping_add(run);
        }
        (at, place)
    }

    /// What the last line lacks here.
    pub fn completion(self) -> &'static [u8] {
        match self {
            Self::LineStart | Self::Opaque => b"",
            Self::InLine => b"\r\n",
            Self::AfterCr | Self::Completed => b"\n",
        }
    }

    /// What goes through as it is.
    fn run(self, input: &[u8]) -> &[u8] {
        if self == Self::Opaque {
            return input;
        }
        input.get(..plain::<false>(input)).unwrap_or(input)
    }

    /// Where that leads.
    fn behind(self, run: &[u8]) -> Self {
        match (self, run.last()) {
            (Self::Opaque, _) => Self::Opaque,
            (_, Some(b'\r')) => Self::AfterCr,
            (_, Some(b'\n')) => Self::LineStart,
            _ => Self::InLine,
        }
    }
}

/// Looks at the line ends of content that comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineEnds {
    after_cr: bool,
    bare: bool,
}

impl LineEnds {
    /// Looks at the next stretch.
    pub fn look(&mut self, stretch: &[u8]) {
        let mut rest = stretch;
        while let Some((&byte, tail)) = rest.split_first() {
            if self.after_cr || byte == b'\r' || byte == b'\n' {
                self.bare |= self.after_cr != (byte == b'\n');
                self.after_cr = byte == b'\r';
                rest = tail;
            } else {
                let (run, tail) = rest
                    .split_at_checked(plain::<false>(rest))
                    .unwrap_or((rest, &[]));
                self.after_cr = run.last() == Some(&b'\r');
                rest = tail;
            }
        }
    }

    /// Whether a CR or LF stood alone so far; a CR at the end is still open.
    pub fn bare(&self) -> bool {
        self.bare
    }

    /// Whether a CR or LF stood alone, now that nothing follows.
    pub fn bare_at_end(&self) -> bool {
        self.bare || self.after_cr
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const CASES: [(&str, &str); 9] = [
        ("", ""),
        ("a\r\nb\r\n", "a\r\nb\r\n"),
        ("a\nb", "a\r\nb\r\n"),
        ("a\rb", "a\r\nb\r\n"),
        ("\r\r\n\n", "\r\n\r\n\r\n"),
        ("\n\r", "\r\n\r\n"),
        (".\r\n..\r\n", ".\r\n..\r\n"),
        ("\r", "\r\n"),
        ("x\n\ny\r\r", "x\r\n\r\ny\r\n\r\n"),
    ];

    #[test]
    fn line_ends_at_any_split_and_room() {
        for (input, expected) in CASES {
            for split in 1..=input.len().max(1) {
                for room in 1..8 {
                    let mut encoder = Encoder::default();
                    let mut coded = Vec::new();
                    let mut out = std::vec![0; room];
                    for mut piece in input.as_bytes().chunks(split) {
                        let promised = encoder.count(piece);
                        let before = coded.len();
                        while !piece.is_empty() {
                            let (read, written) = encoder.encode(piece, &mut out);
                            assert!(written > 0, "no progress");
                            coded.extend_from_slice(&out[..written]);
                            piece = &piece[read..];
                        }
                        assert_eq!(coded.len() - before, promised, "{input:?} {split}");
                    }
                    coded.extend_from_slice(encoder.completion());
                    assert_eq!(coded, expected.as_bytes(), "{input:?}");
                }
                let mut encoder = Encoder::default();
                let mut coded = Vec::new();
                let mut out = [0; 1];
                for mut piece in input.as_bytes().chunks(split) {
                    while !piece.is_empty() {
                        let (passed, behind) = encoder.pass(piece);
                        coded.extend_from_slice(&piece[..passed]);
                        encoder = behind;
                        let (read, written) = encoder.encode(&piece[passed..], &mut out);
                        coded.extend_from_slice(&out[..written]);
                        piece = &piece[passed + read..];
                    }
                }
                coded.extend_from_slice(encoder.completion());
                assert_eq!(coded, expected.as_bytes(), "{input:?} split {split}");
            }
        }
    }

    #[test]
    fn opaque_octets_stay() {
        let mut out = [0; 8];
        let mut encoder = Encoder::Opaque;
        assert_eq!(encoder.count(b"\r\0\n\n"), 4);
        assert_eq!(encoder.encode(b"\r\0\n\n", &mut out), (4, 4));
        assert_eq!(&out[..4], b"\r\0\n\n");
        assert_eq!((encoder, encoder.completion()), (Encoder::Opaque, &b""[..]));
        assert_eq!(encoder.pass(b"\n\r\n"), (3, Encoder::Opaque));
    }

    #[test]
    fn bare_line_ends_are_found_at_any_split() {
        for (text, bare) in [
            ("", false),
            ("a\r\n\r\nb", false),
            ("a\nb", true),
            ("a\rb\r\n", true),
            ("\r\r\n", true),
            ("a\r", true),
            ("\n", true),
        ] {
            for split in 1..=text.len().max(1) {
                let mut ends = LineEnds::default();
                for piece in text.as_bytes().chunks(split) {
                    ends.look(piece);
                }
                assert_eq!(ends.bare_at_end(), bare, "{text:?}");
            }
        }
        let mut ends = LineEnds::default();
        ends.look(b"a\r");
        assert!(!ends.bare());
    }
}
