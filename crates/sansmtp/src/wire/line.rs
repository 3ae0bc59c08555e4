//! Framing: cuts the byte stream into lines that end with CR LF.
//!
//! Only CR LF ends a line (RFC 5321, section 2.3.8). A bare CR or LF stays
//! inside its line and is reported, so that nothing behind it can be taken for
//! a command or a reply of its own.

use crate::octets;

/// How far the current line has been read: all that framing keeps between two
/// calls. The bytes themselves are in a storage slice of the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Framing {
    /// Octets of the current line seen so far, CR LF included.
    seen: u32,
    /// The last octet.
    last: u8,
    /// A CR or LF stood alone inside the line.
    bare: bool,
}

/// One framed line, without its CR LF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The octets of the line, cut off at the size of the storage.
    pub bytes: &'a [u8],
    /// The length of the whole line in octets, at most `u32::MAX`.
    pub length: u32,
    /// A CR or LF stood alone inside the line.
    pub bare: bool,
}

impl Line<'_> {
    /// Whether the line was longer than the storage, so that `bytes` holds only
    /// its beginning.
    pub fn truncated(&self) -> bool {
        self.bytes.len() < self.length as usize
    }
}

impl Framing {
    /// Octets of the unfinished line that have been taken so far.
    pub fn pending(&self) -> u32 {
        self.seen
    }

    /// The same without a CR at its end, which may belong to the line's end.
    pub fn content(&self) -> u32 {
        self.seen.saturating_sub(u32::from(self.after_cr()))
    }

    /// Whether a bare CR or LF was met in the unfinished line.
    pub fn bare(&self) -> bool {
        self.bare
    }

    /// Takes input up to the end of the line, or all of it if the line goes on.
    ///
    /// With the feature `memchr` a line that lies whole in `input` is returned where
    /// it lies; any other is put together in `storage`. Either way at most
    /// `storage.len()` octets of it are shown, so that the result does not
    /// depend on how the stream was split.
    #[inline]
    pub fn take<'a>(
        &mut self,
        storage: &'a mut [u8],
        input: &'a [u8],
    ) -> (usize, Option<Line<'a>>) {
        // Nearly always; without it the octets behind are looked at one by one.
        if cfg!(feature = "memchr")
            && self.seen == 0
            && let Some(length) = octets::line_end(input)
            && let Some((content, [b'\r', b'\n', ..])) = input.split_at_checked(length)
        {
            let line = Line {
                bytes: content.get(..storage.len()).unwrap_or(content),
                length: length as u32,
                bare: false,
            };
            return (length.saturating_add(2), Some(line));
        }
        let (used, line) = self.take_into(storage, input);
        let line = line.map(|(length, bare)| Line {
            bytes: storage.get(..length as usize).unwrap_or(storage),
            length,
            bare,
        });
        (used, line)
    }

    /// The same, but the line is always put together in `storage`, so that it can
    /// be changed there. Returns its length in octets and whether it is `bare`;
    /// the octets are at the beginning of `storage`.
    pub fn take_into(&mut self, storage: &mut [u8], input: &[u8]) -> (usize, Option<(u32, bool)>) {
        let (used, complete) = if cfg!(feature = "memchr") {
            let before = self.seen;
            let (used, complete) = self.scan(input);
            self.seen = before.saturating_add(u32::try_from(used).unwrap_or(u32::MAX));
            let room = storage.get_mut(before as usize..).unwrap_or_default();
            octets::copy(input.get(..used).unwrap_or(input), room);
            (used, complete)
        } else {
            self.step(storage, input)
        };
        if !complete {
            return (used, None);
        }
        let line = (self.seen.saturating_sub(2), self.bare);
        *self = Self::default();
        (used, Some(line))
    }

    const fn after_cr(&self) -> bool {
        self.last == b'\r'
    }

    /// Looks at the octets one by one up to the end of the line, and copies each: the
    /// least code.
    fn step(&mut self, storage: &mut [u8], input: &[u8]) -> (usize, bool) {
        let mut used = 0_usize;
        for &octet in input {
            used = used.wrapping_add(1);
            if let Some(slot) = storage.get_mut(self.seen as usize) {
                *slot = octet;
            }
            self.seen = self.seen.saturating_add(1);
            if self.after_cr() != (octet == b'\n') {
                self.bare = true;
            } else if octet == b'\n' {
                return (used, true);
            }
            self.last = octet;
        }
        (used, false)
    }

    /// Finds the end of the line in `input`: how many octets belong to it, and
    /// whether the last two of the line are CR LF.
    fn scan(&mut self, input: &[u8]) -> (usize, bool) {
        let mut at = 0_usize;
        loop {
            if !self.after_cr() {
                let rest = input.get(at..).unwrap_or_default();
                at = at.saturating_add(octets::line_end(rest).unwrap_or(rest.len()));
            }
            let Some(&octet) = input.get(at) else {
                return (at, false);
            };
            at = at.wrapping_add(1);
            let ends = self.after_cr() && octet == b'\n';
            self.bare |= !ends && (self.after_cr() || octet == b'\n');
            self.last = octet;
            if ends {
                return (at, true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn lines(stream: &[u8], split: usize, room: usize) -> Vec<(Vec<u8>, bool, bool)> {
        let mut framing = Framing::default();
        let mut storage = std::vec![0; room];
        let mut found = Vec::new();
        for mut piece in stream.chunks(split) {
            while !piece.is_empty() {
                let (used, line) = framing.take(&mut storage, piece);
                if let Some(line) = line {
                    found.push((line.bytes.to_vec(), line.truncated(), line.bare));
                }
                piece = &piece[used..];
            }
        }
        found
    }

    #[test]
    fn every_split_gives_the_same_lines() {
        let stream = b"EHLO a\r\n\r\nRSET\nRSET\r\nA\rB\r\n\r\r\n0123456789abcdef\r\nend\r\n";
        for room in [4, 8, 64] {
            let whole = lines(stream, stream.len(), room);
            assert_eq!(whole.len(), 7);
            for split in 1..stream.len() {
                assert_eq!(lines(stream, split, room), whole, "split {split}");
            }
        }
    }

    #[test]
    fn bare_line_ends_stay_inside_their_line() {
        let found = lines(b"RSET\nRSET\r\nx\ry\r\nok\r\n", 64, 64);
        assert_eq!(found[0], (b"RSET\nRSET".to_vec(), false, true));
        assert_eq!(found[1], (b"x\ry".to_vec(), false, true));
        assert_eq!(found[2], (b"ok".to_vec(), false, false));
    }

    #[test]
    fn an_overlong_line_is_cut_and_said_so() {
        assert_eq!(
            lines(b"0123456789\r\nok\r\n", 3, 4),
            [
                (b"0123".to_vec(), true, false),
                (b"ok".to_vec(), false, false)
            ]
        );
    }
}
