//! The content of a message on its way out.

use super::session::{Content, Dialogue};
use crate::machine::Instant;

/// The content of a message, open for pushing.
///
/// The driver pushes the message in chunks of any size and calls
/// [`Body::finish`] at its end. If it can not come to the end, it must close the
/// connection: a message without its final dot is not delivered.
#[derive(Debug)]
#[must_use = "the server waits for the content until it is finished"]
pub struct Body<'b, 'c> {
    pub(super) dialogue: &'b mut Dialogue<'c>,
}

impl Body<'_, '_> {
    /// Encodes `chunk` into `out`: lines that begin with a dot get another one,
    /// bare CR or LF becomes CR LF (RFC 5321, section 4.5.2).
    ///
    /// Returns how many bytes of `chunk` were read and how many of `out` were
    /// written. Go on with the rest of the chunk once `out` was sent.
    pub fn write(&mut self, now: Instant, chunk: &[u8], out: &mut [u8]) -> (usize, usize) {
        self.dialogue.arm(now);
        self.dialogue.session.dot.encode(chunk, out)
    }

    /// Ends the content. The next [`transmit`](crate::Machine::transmit) writes
    /// the final dot.
    pub fn finish(self, now: Instant) {
        self.dialogue.session.content = Content::Complete;
        self.dialogue.arm(now);
    }
}
