//! The virtual network: one pipe for each direction.

/// Octets on their way in one direction.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    octets: Vec<u8>,
    /// Octets of the front that were taken.
    at: usize,
    /// Octets that were ever put in.
    pub(crate) sent: u64,
    /// Octets that were ever taken out.
    pub(crate) taken: u64,
    /// No more will come.
    pub(crate) closed: bool,
    /// The receiver was told so.
    pub(crate) eof_told: bool,
    /// Nothing is handed over.
    pub(crate) frozen: bool,
}

impl Pipe {
    pub(crate) fn clear(&mut self) {
        let octets = std::mem::take(&mut self.octets);
        *self = Self {
            octets,
            ..Self::default()
        };
        self.octets.clear();
    }

    pub(crate) fn put(&mut self, octets: &[u8]) {
        self.sent += octets.len() as u64;
        if !self.closed {
            self.octets.extend_from_slice(octets);
        }
    }

    /// At most so many octets from the front.
    pub(crate) fn front(&self, most: usize) -> &[u8] {
        if self.frozen {
            return &[];
        }
        let rest = &self.octets[self.at..];
        &rest[..most.min(rest.len())]
    }

    pub(crate) fn take(&mut self, count: usize) {
        self.at += count;
        self.taken += count as u64;
        if self.at == self.octets.len() {
            self.octets.clear();
            self.at = 0;
        }
    }

    /// Loses what is on its way.
    pub(crate) fn lose(&mut self) {
        self.octets.clear();
        self.at = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.octets.len() == self.at
    }
}
