//! Base64 (RFC 4648, section 4) in groups of three octets.

/// Up to three octets on their way to four characters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    octets: [u8; 3],
    filled: u8,
}

impl Group {
    /// Adds an octet; true when the group is full. A full group takes no more.
    pub(super) fn push(&mut self, octet: u8) -> bool {
        if let Some(slot) = self.octets.get_mut(usize::from(self.filled)) {
            *slot = octet;
            self.filled += 1;
        }
        self.is_full()
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
        [
            character(a >> 2),
            character(a << 4 | b >> 4),
            if self.filled < 2 {
                b'='
            } else {
                character(b << 2 | c >> 6)
            },
            if self.filled < 3 { b'=' } else { character(c) },
        ]
    }

    /// The four characters; the group is empty after.
    pub(super) fn take(&mut self) -> [u8; 4] {
        let characters = self.characters();
        *self = Self::default();
        characters
    }
}

/// The length of `octets` octets in lines of 76 characters, without a line
/// break after the last.
pub(super) fn encoded_len(octets: usize) -> u64 {
    let breaks = octets.saturating_sub(1) / 57;
    octets.div_ceil(3) as u64 * 4 + breaks as u64 * 2
}

fn character(six: u8) -> u8 {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    ALPHABET[usize::from(six & 63)]
}
