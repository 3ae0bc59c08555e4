//! Formatting.

use anyhow::Result;

use super::no_panic::MANIFEST;
use crate::cargo;

/// Fails on code that is not formatted.
pub(super) fn run() -> Result<()> {
    cargo::command().args(["fmt", "--all", "--check"]).run()?;
    cargo::command()
        .args(["fmt", "--manifest-path", MANIFEST, "--check"])
        .run()
}

/// Formats everything.
pub(crate) fn apply() -> Result<()> {
    cargo::command().args(["fmt", "--all"]).run()?;
    cargo::command()
        .args(["fmt", "--manifest-path", MANIFEST])
        .run()
}
