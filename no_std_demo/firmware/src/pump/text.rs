//! Text that is put together in a buffer.

use crate::board::host::decimal;

/// Text up to a length; what is over it is left out.
pub(super) struct Text<const N: usize> {
    octets: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    pub(super) fn new() -> Self {
        Self {
            octets: [0; N],
            length: 0,
        }
    }

    pub(super) fn put(&mut self, part: &str) {
        let room = self.octets.get_mut(self.length..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(part.bytes()) {
            *to = from;
            self.length += 1;
        }
    }

    pub(super) fn put_number(&mut self, number: u32) {
        self.put(decimal(number, &mut [0; 10]));
    }

    /// Tenths as a number with a point.
    pub(super) fn put_tenths(&mut self, tenths: u32) {
        self.put_number(tenths / 10);
        self.put(".");
        self.put_number(tenths % 10);
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    #[cfg(feature = "message")]
    pub(super) fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}
