//! The content never goes in chunks: what stands for `chunks.rs` in a build
//! without the feature `chunking`.

/// The chunks of a transaction: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks;

impl Chunks {
    pub(super) const NONE: Self = Self;

    pub(super) const fn are_used(&self) -> bool {
        false
    }

    pub(super) const fn last_was_sent(&self) -> bool {
        false
    }

    pub(super) const fn is_open(&self) -> bool {
        false
    }
}
