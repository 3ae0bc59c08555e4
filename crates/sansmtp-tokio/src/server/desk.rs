//! Buffers that are lent to a session while there is something to do: who only
//! waits, holds none.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroize;

/// Octets that are read at once. A whole message of common size fits, or a long
/// flight of commands.
pub(super) const INPUT: usize = 64 * 1024;
/// Octets of replies that are gathered for one write.
pub(super) const OUTPUT: usize = 16 * 1024;
/// Room for the text of a handler's reply.
const REPLY: usize = 1024;
/// Buffers of each kind that are kept for the next who needs some.
const KEPT: usize = 64;

/// The buffers of one server that nobody uses now.
pub(super) struct Lender {
    desks: Mutex<Vec<Desk>>,
    pads: Mutex<Vec<Pad>>,
    command_line: usize,
}

/// What a stream reads into and writes from.
pub(super) struct Desk {
    input: Box<[u8]>,
    start: usize,
    end: usize,
    output: Box<[u8]>,
    sent: usize,
    rendered: usize,
}

/// What a machine borrows: the line buffer and the reply buffer.
#[derive(Default)]
pub(super) struct Pad {
    pub(super) line: Box<[u8]>,
    pub(super) reply: Box<[u8]>,
}

impl Lender {
    /// A lender whose line buffers have this many octets.
    pub(super) fn new(command_line: usize) -> Self {
        Self {
            desks: Mutex::default(),
            pads: Mutex::default(),
            command_line: command_line.clamp(512, 32_768),
        }
    }

    pub(super) fn desk(&self) -> Desk {
        take(&self.desks).unwrap_or_else(|| Desk {
            input: vec![0; INPUT].into_boxed_slice(),
            start: 0,
            end: 0,
            output: vec![0; OUTPUT].into_boxed_slice(),
            sent: 0,
            rendered: 0,
        })
    }

    pub(super) fn pad(&self) -> Pad {
        take(&self.pads).unwrap_or_else(|| Pad {
            line: vec![0; self.command_line].into_boxed_slice(),
            reply: vec![0; REPLY].into_boxed_slice(),
        })
    }

    /// Takes back a desk with nothing on it.
    pub(super) fn return_desk(&self, desk: Desk) {
        debug_assert!(desk.is_clear());
        give(&self.desks, desk);
    }

    /// Takes back a pad whose machine needs nothing of what is on it.
    pub(super) fn return_pad(&self, pad: Pad) {
        give(&self.pads, pad);
    }
}

fn take<T>(kept: &Mutex<Vec<T>>) -> Option<T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn give<T>(kept: &Mutex<Vec<T>>, buffer: T) {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < KEPT {
        kept.push(buffer);
    }
}

impl Desk {
    /// Whether nothing waits on it, to be taken or to be sent.
    pub(super) fn is_clear(&self) -> bool {
        self.start >= self.end && self.rendered == 0
    }

    /// What was read and is not consumed.
    pub(super) fn input(&self) -> &[u8] {
        self.input.get(self.start..self.end).unwrap_or_default()
    }

    /// Where more can be read to; what is not consumed stays in front of it.
    pub(super) fn input_room(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.input.get_mut(self.end..).unwrap_or_default()
    }

    pub(super) fn extend_input(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(self.input.len());
    }

    /// Forgets input, and wipes it where it could have been a password.
    pub(super) fn consume(&mut self, used: usize, wipe: bool) {
        let end = self.start.saturating_add(used).min(self.end);
        if wipe && let Some(done) = self.input.get_mut(self.start..end) {
            done.zeroize();
        }
        self.start = end;
    }

    /// Forgets all input.
    pub(super) fn clear_input(&mut self) {
        self.consume(usize::MAX, true);
    }

    /// What is to be sent.
    pub(super) fn output(&self) -> &[u8] {
        let waiting = self.output.get(self.sent..self.rendered);
        waiting.unwrap_or_default()
    }

    /// Where more can be rendered to.
    pub(super) fn output_room(&mut self) -> &mut [u8] {
        self.output.get_mut(self.rendered..).unwrap_or_default()
    }

    pub(super) fn extend_output(&mut self, count: usize) {
        self.rendered = self.rendered.saturating_add(count).min(self.output.len());
    }

    /// So many octets of the output were sent.
    pub(super) fn sent(&mut self, count: usize) {
        self.sent = self.sent.saturating_add(count);
        if self.sent >= self.rendered {
            (self.sent, self.rendered) = (0, 0);
        }
    }
}

/// What is left of the input could be a part of a password.
impl Drop for Desk {
    fn drop(&mut self) {
        self.clear_input();
    }
}

/// So could be the part of a line on it.
impl Drop for Pad {
    fn drop(&mut self) {
        self.line.zeroize();
    }
}

/// Shows no octet: they may be a password.
impl fmt::Debug for Lender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lender").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_stay_on_the_desk() {
        let lender = Lender::new(512);
        let mut desk = lender.desk();
        let said = b"AUTH PLAIN AHgAc2VjcmV0\r\nQUIT\r\n";
        desk.input_room()[..said.len()].copy_from_slice(said);
        desk.extend_input(said.len());
        desk.consume(25, true);
        assert_eq!(desk.input(), b"QUIT\r\n");
        assert_eq!(desk.input[..25], [0; 25]);
        desk.consume(6, true);
        assert!(desk.is_clear());
        lender.return_desk(desk);
        assert_eq!(lender.desk().input[..31], [0; 31]);
    }

    #[test]
    fn what_is_not_consumed_stays_in_front() {
        let lender = Lender::new(512);
        let mut desk = lender.desk();
        desk.input_room()[..4].copy_from_slice(b"abcd");
        desk.extend_input(4);
        desk.consume(2, false);
        assert_eq!(desk.input_room().len(), INPUT - 2);
        desk.input_room()[..1].copy_from_slice(b"e");
        desk.extend_input(1);
        assert_eq!(desk.input(), b"cde");
        desk.clear_input();
    }

    #[test]
    fn a_buffer_is_lent_again() {
        let lender = Lender::new(4096);
        let pad = lender.pad();
        assert_eq!((pad.line.len(), pad.reply.len()), (4096, REPLY));
        let place = pad.line.as_ptr();
        lender.return_pad(pad);
        assert_eq!(lender.pad().line.as_ptr(), place);
        let all: Vec<_> = (0..KEPT + 1).map(|_| lender.desk()).collect();
        all.into_iter().for_each(|desk| lender.return_desk(desk));
        assert_eq!(lender.desks.lock().unwrap().len(), KEPT);
    }
}
