//! The content of a message on its way out.

use super::session::Dialogue;
use crate::machine::Instant;

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
        let session = &mut self.dialogue.session;
        session.since = now;
        #[cfg(feature = "chunking")]
        if session.chunks.are_used() {
            session.chunks.tell_content = false;
            let wanted = session.failed_at.is_none();
            let part = session.chunks.write(piece, out, wanted);
            session.sent = session.sent.wrapping_add(u32::from(part.ended));
            return (part.read, part.written);
        }
        session.dot.encode(piece, out)
    }

    /// Tells how many octets of `piece`, from its beginning, [`Body::write`] would not
    /// change. If they are at least `least`, **they count as written**: send them
    /// yourself, from where they lie, right behind what was written so far and before
    /// anything else. Otherwise it is 0, and nothing has happened.
    ///
    /// For large content in memory that saves a copy. Where CHUNKING is used, the first
    /// octets of each chunk need `write`. The time for a block of content runs from here
    /// ([`Timeouts::data_block`](crate::config::Timeouts::data_block)), so a piece should be
    /// no larger than what a slow link takes in that time.
    pub fn pass(&mut self, now: Instant, piece: &[u8], least: usize) -> usize {
        let session = &mut self.dialogue.session;
        #[cfg(feature = "chunking")]
        if session.chunks.are_used() {
            let part = session.chunks.pass(piece, least);
            session.sent = session.sent.wrapping_add(u32::from(part.ended));
            if part.read > 0 {
                session.since = now;
            }
            return part.read;
        }
        let (passed, dot) = session.dot.pass(piece);
        if passed < least {
            return 0;
        }
        session.dot = dot;
        session.since = now;
        passed
    }

    /// Ends the content. The next [`transmit`](crate::Machine::transmit) writes
    /// the final dot or the last chunk.
    pub fn finish(self, now: Instant) {
        self.dialogue.finish_content();
        self.dialogue.session.since = now;
    }
}
