//! Fuzzing, for a short while.

use anyhow::Result;

use crate::fuzz;

/// What each target gets in continuous integration; `cargo xtask fuzz --seconds N` goes on for longer.
pub(crate) const SECONDS: u32 = 30;

pub(super) fn run() -> Result<()> {
    fuzz::seeds()?;
    fuzz::run(&[], SECONDS)
}
