//! The content of a message on its way out.

use super::session::{Content, Dialogue, Session};
use crate::machine::Instant;
use crate::wire::chunk;
use crate::wire::dot;
use crate::wire::window::Window;

/// The content of a message, open for pushing.
///
/// The driver pushes the message in pieces of any size and calls
/// [`Body::finish`] at its end. If it can not come to the end, it must close the
/// connection: a message without its end is not delivered.
#[derive(Debug)]
#[must_use = "the server waits for the content until it is finished"]
pub struct Body<'b, 'c> {
    pub(super) dialogue: &'b mut Dialogue<'c>,
}

impl Body<'_, '_> {
    /// Encodes `piece` into `out`. Bare CR or LF becomes CR LF (RFC 5321, section
    /// 2.3.8). With DATA, lines that begin with a dot get another one (section
    /// 4.5.2); with CHUNKING, a piece that does not continue a chunk begins one of
    /// its own size (RFC 3030, section 2).
    ///
    /// Returns how many octets of `piece` were read and how many of `out` were
    /// written. Go on with the rest of the piece once `out` was sent; what was
    /// once shown must be pushed to its end. Octets of a message that was refused
    /// meanwhile are read and dropped.
    pub fn write(&mut self, now: Instant, piece: &[u8], out: &mut [u8]) -> (usize, usize) {
        self.dialogue.arm(now);
        let session = &mut self.dialogue.session;
        session.tell_content = false;
        if session.chunked {
            session.write_chunk(piece, out)
        } else {
            session.dot.encode(piece, out)
        }
    }

    /// Ends the content. The next [`transmit`](crate::Machine::transmit) writes
    /// the final dot or the last chunk.
    pub fn finish(self, now: Instant) {
        self.dialogue.finish_content();
        self.dialogue.arm_unless_failed(now);
    }
}

/// The largest message in octets that leaves together with its envelope, before
/// the server has said whether it takes any recipient.
const SMALL: u64 = 64 * 1024;

/// The most octets of a piece that go into one chunk.
const CHUNK: usize = 16 * 1024 * 1024;

impl Session {
    /// Gets ready for the content of a new transaction.
    pub(super) fn begin_content(&mut self, chunked: bool, binary: bool, size: Option<u64>) {
        self.dot = dot::Encoder::LineStart;
        self.encoder = if binary {
            chunk::Encoder::Opaque
        } else {
            chunk::Encoder::LineStart
        };
        self.chunked = chunked;
        self.chunk_size = 0;
        self.chunk_left = 0;
        self.header = 0;
        self.chunks = 0;
        self.last_sent = false;
        let at_once = chunked && size.is_some_and(|size| size <= SMALL);
        self.tell_content = at_once;
        self.content = if at_once {
            Content::Open
        } else {
            Content::None
        };
    }

    /// Writes the next part of a chunk: its command, then octets of `piece`.
    fn write_chunk(&mut self, piece: &[u8], out: &mut [u8]) -> (usize, usize) {
        if self.chunk_size == 0 {
            if self.failed_at.is_some() {
                return (piece.len(), 0);
            }
            let count = self.encoder.count(piece.get(..CHUNK).unwrap_or(piece));
            self.chunk_size = u32::try_from(count).unwrap_or(u32::MAX);
            self.chunk_left = self.chunk_size;
            self.header = 0;
            if count == 0 {
                return (0, 0);
            }
        }
        let mut window = Window::new(usize::from(self.header), out);
        window.put(b"BDAT ");
        window.put_decimal(u64::from(self.chunk_size));
        window.put(b"\r\n");
        let written = window.written();
        let whole = window.finished();
        let part = u8::try_from(written).unwrap_or(u8::MAX);
        self.header = self.header.saturating_add(part);
        if !whole {
            return (0, written);
        }
        let room = out.get_mut(written..).unwrap_or_default();
        let end = room.len().min(self.chunk_left as usize);
        let room = room.get_mut(..end).unwrap_or_default();
        let (read, filled) = self.encoder.encode(piece, room);
        let filled_part = u32::try_from(filled).unwrap_or(u32::MAX);
        self.chunk_left = self.chunk_left.saturating_sub(filled_part);
        if self.chunk_left == 0 {
            self.chunk_size = 0;
            self.chunks = self.chunks.wrapping_add(1);
            self.sent = self.sent.wrapping_add(1);
        }
        (read, written.wrapping_add(filled))
    }
}
