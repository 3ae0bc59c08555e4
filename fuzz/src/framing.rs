//! Framing: however the octets are split, the lines are those that a naive search for CR LF finds.

use crate::input::{Input, pieces};
use crate::naive::has_bare;
use sansmtp::wire::line::Framing;

/// A line: its octets as far as they fit, its length, and whether a CR or LF stood alone.
type Line = (Vec<u8>, usize, bool);

/// Checks octets as a stream of lines.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (seed, room) = (input.short(), usize::from(input.octet()));
    let stream = input.rest();
    let (expected, left) = naive(stream, room);
    for into in [false, true] {
        let mut framing = Framing::default();
        let mut storage = vec![0; room];
        let mut lines: Vec<Line> = Vec::new();
        for mut piece in pieces(stream, seed) {
            while !piece.is_empty() {
                let used = if into {
                    let (used, line) = framing.take_into(&mut storage, piece);
                    lines.extend(line.map(|(length, bare)| {
                        let length = length as usize;
                        (storage[..length.min(room)].to_vec(), length, bare)
                    }));
                    used
                } else {
                    let (used, line) = framing.take(&mut storage, piece);
                    lines.extend(line.map(|line| {
                        assert_eq!(line.truncated(), line.length as usize > room);
                        (line.bytes.to_vec(), line.length as usize, line.bare)
                    }));
                    used
                };
                assert!(used > 0, "no progress");
                piece = &piece[used..];
            }
        }
        assert_eq!(lines, expected, "{stream:?} seed {seed} room {room}");
        assert_eq!(framing.pending() as usize, left.len());
        let open_cr = usize::from(left.last() == Some(&b'\r'));
        assert_eq!(framing.content() as usize, left.len() - open_cr);
        assert_eq!(framing.bare(), has_bare(&left[..left.len() - open_cr]));
    }
}

/// The lines, and the beginning of the next one.
fn naive(stream: &[u8], room: usize) -> (Vec<Line>, &[u8]) {
    let mut lines = Vec::new();
    let mut rest = stream;
    while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
        let line = &rest[..at];
        lines.push((line[..at.min(room)].to_vec(), at, has_bare(line)));
        rest = &rest[at + 2..];
    }
    (lines, rest)
}
