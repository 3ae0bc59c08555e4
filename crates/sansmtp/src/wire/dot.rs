//! Dot-stuffing of mail data, both ways (RFC 5321, section 4.5.2).

use super::plain::plain;
use crate::octets;

/// Where the encoder stands in the mail data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Encoder {
    /// At the beginning of a line, the added dot is out, the own dot is not.
    Stuffed = 0,
    /// Inside a line.
    InLine = 1,
    /// Behind a CR, which may be one that a bare LF was missing.
    AfterCr = 2,
    /// At the beginning of a line.
    #[default]
    LineStart = 3,
}

impl Encoder {
    /// Encodes `input` into `out` and returns how many bytes were read and
    /// written. Stops when either is used up; `(0, 0)` only if one is empty.
    ///
    /// A line that begins with a dot gets another one. Every bare CR or LF
    /// becomes CR LF, since receivers disagree on what such a byte means and
    /// attackers use that to smuggle commands.
    pub fn encode(&mut self, input: &[u8], out: &mut [u8]) -> (usize, usize) {
        if cfg!(feature = "memchr") {
            self.encode_runs(input, out)
        } else {
            self.encode_singly(input, out)
        }
    }

    /// Octet by octet: the least code.
    fn encode_singly(&mut self, input: &[u8], out: &mut [u8]) -> (usize, usize) {
        let (mut read, mut written) = (0_usize, 0_usize);
        while let (Some(&byte), Some(slot)) = (input.get(read), out.get_mut(written)) {
            let consumed;
            (*slot, consumed, *self) = match (*self, byte) {
                (Self::AfterCr, _) => (b'\n', byte == b'\n', Self::LineStart),
                (_, b'\r') => (byte, true, Self::AfterCr),
                (_, b'\n') => (b'\r', false, Self::AfterCr),
                (Self::LineStart, b'.') => (byte, false, Self::Stuffed),
                _ => (byte, true, Self::InLine),
            };
            written = written.wrapping_add(1);
            read = read.wrapping_add(usize::from(consumed));
        }
        (read, written)
    }

    /// Runs of octets at once where they pass as they are.
    fn encode_runs(&mut self, input: &[u8], out: &mut [u8]) -> (usize, usize) {
        let (mut read, mut written) = (0_usize, 0_usize);
        while let (Some(rest), Some(room)) = (input.get(read..), out.get_mut(written..)) {
            let (Some(&byte), false) = (rest.first(), room.is_empty()) else {
                break;
            };
            let (octet, consumed);
            (octet, consumed, *self) = match (*self, byte) {
                (Self::AfterCr, b'\n') => (b'\n', true, Self::LineStart),
                (Self::AfterCr, _) => (b'\n', false, Self::LineStart),
                (Self::Stuffed, _) => (b'.', true, Self::InLine),
                (_, b'\r') => (b'\r', true, Self::AfterCr),
                (_, b'\n') => (b'\r', false, Self::AfterCr),
                (Self::LineStart, b'.') if room.len() == 1 => (b'.', false, Self::Stuffed),
                _ => {
                    let room = match (*self, byte, room) {
                        (Self::LineStart, b'.', [dot, behind @ ..]) => {
                            *dot = b'.';
                            written = written.wrapping_add(1);
                            behind
                        }
                        (_, _, room) => room,
                    };
                    let run = plain::<true>(rest.get(..room.len()).unwrap_or(rest));
                    let run = rest.get(..run).unwrap_or(rest);
                    octets::copy(run, room);
                    *self = Self::behind(run);
                    read = read.wrapping_add(run.len());
                    written = written.wrapping_add(run.len());
                    continue;
                }
            };
            written = written.wrapping_add(octets::copy(&[octet], room));
            read = read.wrapping_add(usize::from(consumed));
        }
        (read, written)
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
                (Self::AfterCr | Self::Stuffed, _) | (Self::LineStart, b'.') | (_, b'\n') => break,
                (_, b'\r') => (1, Self::AfterCr),
                _ => {
                    let run = plain::<true>(rest);
                    (run, Self::behind(rest.get(..run).unwrap_or(rest)))
                }
            };
            at = at.wrapping_add(run);
        }
        (at, place)
    }

    /// Where text that passes as it is leads.
    fn behind(text: &[u8]) -> Self {
        match text.last() {
            Some(b'\n') => Self::LineStart,
            Some(b'\r') => Self::AfterCr,
            _ => Self::InLine,
        }
    }

    /// What ends the mail data from here: a dot on a line of its own, behind a
    /// CR LF if the last line lacks one.
    pub fn terminator(self) -> &'static [u8] {
        // The later the state, the less of it is missing.
        let all = b".\r\n.\r\n";
        all.get(self as usize..).unwrap_or_default()
    }
}

/// Where the decoder stands in the mail data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    InLine,
    AfterCr,
    Dot,
    DotCr,
    End,
}

impl Place {
    /// Where text that passes as it is leads.
    fn behind(text: &[u8]) -> Self {
        match text.last() {
            Some(b'\n') => Self::LineStart,
            Some(b'\r') => Self::AfterCr,
            _ => Self::InLine,
        }
    }
}

/// Takes mail data apart: finds its end and removes the added dots.
///
/// Only CR LF `.` CR LF ends it (RFC 5321, section 4.1.1.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decoder {
    place: Place,
    bare: bool,
}

impl Decoder {
    /// Decodes the next stretch of `input`: returns how many bytes were read and
    /// the mail data among them, which is a part of `input`. The stretch ends
    /// where a dot is taken out; call again until all of `input` is read or
    /// [`Decoder::ended`] holds.
    pub fn decode<'a>(&mut self, input: &'a [u8]) -> (usize, &'a [u8]) {
        // Nearly always: text, perhaps behind an added dot, and up to the next one.
        let start = match (self.place, input) {
            (Place::LineStart, [b'.', next, ..]) if !matches!(next, b'\r' | b'\n') => 1,
            (Place::LineStart, [b'.', ..]) => return self.decode_slowly(input, 0, 0),
            (Place::LineStart | Place::InLine, [next, ..]) if !matches!(next, b'\r' | b'\n') => 0,
            _ => return self.decode_slowly(input, 0, 0),
        };
        let text = input.get(start..).unwrap_or_default();
        let run = plain::<true>(text);
        let (text, behind) = text.split_at_checked(run).unwrap_or_default();
        self.place = Place::behind(text);
        let used = start.wrapping_add(run);
        if let (Place::LineStart, [] | [b'.', ..]) = (self.place, behind) {
            return (used, text);
        }
        self.decode_slowly(input, start, used)
    }

    /// Reads the end of the mail data if it stands at the beginning of `input`, and
    /// returns how many octets that are: 3, or 0 if it does not.
    /// [`Decoder::decode`] would read it in a call of its own.
    pub fn take_end(&mut self, input: &[u8]) -> usize {
        match (self.place, input) {
            (Place::LineStart, [b'.', b'\r', b'\n', ..]) => {
                self.place = Place::End;
                3
            }
            _ => 0,
        }
    }

    /// Octet by octet where it matters; what is from `start` to `at` is decoded.
    fn decode_slowly<'a>(
        &mut self,
        input: &'a [u8],
        mut start: usize,
        mut at: usize,
    ) -> (usize, &'a [u8]) {
        while let Some(rest) = input.get(at..) {
            let Some(&byte) = rest.first() else { break };
            match (self.place, byte) {
                (Place::LineStart, b'.') => {
                    if at > start {
                        break;
                    }
                    self.place = Place::Dot;
                    at = at.wrapping_add(1);
                    start = at;
                }
                (Place::Dot, b'\r') => {
                    self.place = Place::DotCr;
                    at = at.wrapping_add(1);
                    start = at;
                }
                (Place::DotCr, b'\n') => {
                    self.place = Place::End;
                    at = at.wrapping_add(1);
                    start = at;
                    break;
                }
                (Place::DotCr, _) => {
                    self.bare = true;
                    self.place = Place::InLine;
                }
                (Place::AfterCr, b'\n') => {
                    self.place = Place::LineStart;
                    at = at.wrapping_add(1);
                }
                (Place::AfterCr, _) => {
                    self.bare = true;
                    self.place = Place::InLine;
                }
                (Place::End, _) => break,
                (_, b'\r') => {
                    self.place = Place::AfterCr;
                    at = at.wrapping_add(1);
                }
                (_, b'\n') => {
                    self.bare = true;
                    self.place = Place::InLine;
                    at = at.wrapping_add(1);
                }
                _ => {
                    let run = plain::<true>(rest);
                    at = at.wrapping_add(run);
                    self.place = Place::behind(rest.get(..run).unwrap_or(rest));
                }
            }
        }
        (at, input.get(start..at).unwrap_or_default())
    }

    /// Whether the end of the mail data was read.
    pub fn ended(&self) -> bool {
        self.place == Place::End
    }

    /// Whether a CR or LF stood alone somewhere. Such a message must be
    /// refused: the next server might see another end in it.
    pub fn bare(&self) -> bool {
        self.bare
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn encode(input: &[u8], split: usize, room: usize) -> Vec<u8> {
        let mut encoder = Encoder::default();
        let mut out = std::vec![0; room];
        let mut coded = Vec::new();
        for mut piece in input.chunks(split) {
            while !piece.is_empty() {
                let (read, written) = encoder.encode(piece, &mut out);
                coded.extend_from_slice(&out[..written]);
                piece = &piece[read..];
                assert!(read + written > 0, "no progress");
            }
        }
        coded.extend_from_slice(encoder.terminator());
        coded
    }

    fn decode(coded: &[u8], split: usize) -> (Vec<u8>, bool, usize) {
        let mut decoder = Decoder::default();
        let mut plain = Vec::new();
        let mut total = 0;
        for mut piece in coded.chunks(split) {
            while !piece.is_empty() && !decoder.ended() {
                let (read, data) = decoder.decode(piece);
                plain.extend_from_slice(data);
                piece = &piece[read..];
                total += read;
            }
        }
        assert!(decoder.ended());
        (plain, decoder.bare(), total)
    }

    /// The same, but what passes is not copied.
    fn encode_the_rest(input: &[u8], split: usize) -> Vec<u8> {
        let mut encoder = Encoder::default();
        let mut out = [0; 3];
        let mut coded = Vec::new();
        for mut piece in input.chunks(split) {
            while !piece.is_empty() {
                let (passed, behind) = encoder.pass(piece);
                coded.extend_from_slice(&piece[..passed]);
                encoder = behind;
                let (read, written) = encoder.encode(&piece[passed..], &mut out);
                coded.extend_from_slice(&out[..written]);
                piece = &piece[passed + read..];
            }
        }
        coded.extend_from_slice(encoder.terminator());
        coded
    }

    #[test]
    fn text_passes_as_it_is() {
        for text in ["a\r\n", "a\r\n\r\nb..\r\n", "a", "a\r"] {
            assert_eq!(Encoder::default().pass(text.as_bytes()).0, text.len());
        }
        for (text, passed) in [(".", 0), ("a\r\n.b", 3), ("a\nb", 1), ("a\rb", 2)] {
            assert_eq!(
                Encoder::default().pass(text.as_bytes()).0,
                passed,
                "{text:?}"
            );
        }
    }

    #[test]
    fn table() {
        for (plain, coded) in [
            ("", ".\r\n"),
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            (".", "..\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            ("a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"),
            ("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\n.\r\nb\r", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\r\r\n.", "a\r\n\r\n..\r\n.\r\n"),
        ] {
            for split in 1..=plain.len().max(1) {
                assert_eq!(
                    encode_the_rest(plain.as_bytes(), split),
                    coded.as_bytes(),
                    "{plain:?} split {split}"
                );
                for room in 1..8 {
                    assert_eq!(
                        encode(plain.as_bytes(), split, room),
                        coded.as_bytes(),
                        "{plain:?} split {split} room {room}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_was_encoded_is_decoded_for_every_split() {
        let plain = b"Subject: t\r\n\r\n.dot\r\n..two\r\n.\r\n\r\n....\r\nend\r\n";
        let mut coded = encode(plain, 7, 64);
        let length = coded.len();
        coded.extend_from_slice(b"QUIT\r\n");
        for split in 1..coded.len() {
            let (got, bare, total) = decode(&coded, split);
            assert_eq!(got, plain, "split {split}");
            assert!(!bare);
            assert_eq!(total, length, "nothing behind the end is read");
        }
    }

    #[test]
    fn only_crlf_dot_crlf_ends_the_data() {
        for smuggle in [
            "\n.\n",
            "\r.\r",
            "\n.\r\n",
            "\r.\r\n",
            "\r\n.\r",
            "\r\n.\n",
            "\r\n.\r\r\n",
        ] {
            let coded = std::format!("a{smuggle}MAIL FROM:<x@y.example>\r\n.\r\n");
            for split in 1..coded.len() {
                let (plain, bare, total) = decode(coded.as_bytes(), split);
                assert!(bare, "{smuggle:?}");
                assert_eq!(total, coded.len(), "{smuggle:?} split {split}");
                assert!(plain.ends_with(b"MAIL FROM:<x@y.example>\r\n"));
            }
        }
    }
}
