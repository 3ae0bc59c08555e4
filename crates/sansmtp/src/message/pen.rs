//! Where a message is written: a window onto it, and the column in the line.

use crate::wire::window::Window;

/// Lines are folded so that they have at most this many characters
/// (RFC 5322, section 2.1.1).
pub(super) const LINE: usize = 78;

/// A window that knows how long the current line is.
pub(super) struct Pen<'o> {
    pub(super) window: Window<'o>,
    pub(super) column: usize,
}

impl Pen<'_> {
    /// Writes nowhere and counts.
    pub(super) fn unseen() -> Self {
        Self {
            window: Window::new(0, &mut []),
            column: 0,
        }
    }

    /// Writes octets without a line end.
    #[cfg_attr(not(feature = "memchr"), inline(never))]
    pub(super) fn put(&mut self, octets: &[u8]) {
        self.column = self.column.wrapping_add(octets.len());
        self.window.put(octets);
    }

    pub(super) fn end_line(&mut self) {
        self.window.put(b"\r\n");
        self.column = 0;
    }

    /// Breaks the line if `length` characters, of which the first is white
    /// space, do not fit any more.
    pub(super) fn fold(&mut self, length: usize) {
        if self.column.wrapping_add(length) > LINE {
            self.end_line();
        }
    }
}
