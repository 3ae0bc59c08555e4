//! Text that several parts of a report share.

use std::fmt;
use std::sync::Arc;

/// A part of octets that are shared: cheap to clone, and many cost one allocation.
#[derive(Clone)]
pub(super) struct Text {
    octets: Arc<[u8]>,
    start: usize,
    end: usize,
}

impl Text {
    /// The octets from `start` up to `end`.
    pub(super) fn part(octets: &Arc<[u8]>, start: usize, end: usize) -> Self {
        Self {
            octets: Arc::clone(octets),
            start,
            end,
        }
    }

    pub(super) fn whole(octets: &[u8]) -> Self {
        Self::part(&octets.into(), 0, octets.len())
    }

    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(self.start..self.end).unwrap_or_default()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.octets() == other.octets()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self.octets()), f)
    }
}
