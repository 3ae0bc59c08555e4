//! Dot-stuffing: what is encoded decodes to the same lines, and any stream ends and decodes as a naive
//! search for CR LF . CR LF says.

use crate::input::{Input, pieces};
use crate::naive;
use sansmtp::wire::dot::{Decoder, Encoder};

/// Checks octets as a body to be sent and as a stream that was received.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (seed, room) = (input.short(), 1 + usize::from(input.octet()) % 33);
    let body = input.rest();
    there_and_back(body, seed, room);
    let (content, ended, used) = decode(body, seed);
    let (naive_content, end) = naive_decode(body);
    assert_eq!(
        (ended, used),
        (end.is_some(), end.unwrap_or(body.len())),
        "{body:?}"
    );
    // A CR at the end may still belong to a CR LF.
    let open = used - usize::from(body[..used].ends_with(b"\r"));
    let bare = naive::has_bare(&body[..open]);
    assert_eq!(content.is_none(), bare, "{body:?}");
    if let Some(content) = content {
        assert_eq!(content, naive_content, "{body:?}");
    }
}

fn there_and_back(body: &[u8], seed: u16, room: usize) {
    let mut encoder = Encoder::default();
    let mut sent = Vec::new();
    let mut out = vec![0; room];
    for mut piece in pieces(body, seed) {
        while !piece.is_empty() {
            let (read, written) = encoder.encode(piece, &mut out);
            assert!(read > 0 || written > 0, "no progress");
            sent.extend_from_slice(&out[..written]);
            piece = &piece[read..];
        }
    }
    sent.extend_from_slice(encoder.terminator());
    let mut expected = naive::crlf(body);
    if !expected.is_empty() && !expected.ends_with(b"\r\n") {
        expected.extend_from_slice(b"\r\n");
    }
    // No end inside, no bare line end, no line that begins with one dot.
    assert!(!naive::has_bare(&sent));
    let lines: Vec<&[u8]> = sent.split(|&b| b == b'\n').collect();
    let alone = lines.iter().filter(|line| **line == b".\r").count();
    assert_eq!(alone, 1, "{sent:?}");
    let (content, ended, used) = decode(&sent, seed.rotate_left(5));
    assert!(ended && used == sent.len(), "{sent:?}");
    assert_eq!(content.as_deref(), Some(&expected[..]));
}

/// The content (`None` if a CR or LF stood alone), whether it ended, and how much belongs to it.
fn decode(stream: &[u8], seed: u16) -> (Option<Vec<u8>>, bool, usize) {
    let mut decoder = Decoder::default();
    let mut content = Vec::new();
    let mut used = 0;
    for mut piece in pieces(stream, seed) {
        while !piece.is_empty() && !decoder.ended() {
            let (read, stretch) = decoder.decode(piece);
            assert!(read > 0, "no progress");
            content.extend_from_slice(stretch);
            used += read;
            piece = &piece[read..];
        }
    }
    ((!decoder.bare()).then_some(content), decoder.ended(), used)
}

/// The content of a stream that may have an end, and where that is.
fn naive_decode(stream: &[u8]) -> (Vec<u8>, Option<usize>) {
    // The end of the line before is that of DATA.
    let framed = [b"\r\n", stream].concat();
    let end = framed.windows(5).position(|five| five == b"\r\n.\r\n");
    let mut content = Vec::new();
    let mut rest = &stream[..end.unwrap_or(stream.len())];
    loop {
        let at = rest.windows(2).position(|two| two == b"\r\n");
        let (line, tail) = rest.split_at(at.map_or(rest.len(), |at| at + 2));
        // Whether the CR of `.CR` belongs to an end is open.
        if line != b".\r" {
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        if at.is_none() {
            return (content, end.map(|at| at + 3));
        }
        rest = tail;
    }
}
