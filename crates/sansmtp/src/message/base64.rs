//! Base64 in groups of three octets, which come one by one.

use crate::wire::base64;

/// Up to three octets on their way to four characters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    octets: [u8; 3],
    filled: u8,
}

impl Group {
    /// Adds an octet. A full group takes no more.
    pub(super) fn push(&mut self, octet: u8) {
        if let Some(slot) = self.octets.get_mut(usize::from(self.filled)) {
            *slot = octet;
            self.filled += 1;
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.filled == 3
    }

    pub(super) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The four characters, padded if the group is not full.
    pub(super) fn characters(&self) -> [u8; 4] {
        let [a, b, c] = self.octets;
        let [first, second, third, fourth] = base64::quantum(u32::from_be_bytes([0, a, b, c]));
        [
            first,
            second,
            if self.filled < 2 { b'=' } else { third },
            if self.filled < 3 { b'=' } else { fourth },
        ]
    }
}

/// The length of `octets` octets in lines of 76 characters, without a line
/// break after the last.
pub(super) fn encoded_len(octets: usize) -> u64 {
    let breaks = octets.saturating_sub(1) / 57;
    octets.div_ceil(3) as u64 * 4 + breaks as u64 * 2
}
