//! Formatting.

use anyhow::Result;

use super::no_panic::MANIFEST;
use crate::cargo;

/// Fails on code that is not formatted.
pub(super) fn run() -> Result<()> {
    cargo::command().args(["fmt", "--all", "--check"]).run()?;
    for manifest in [MANIFEST, "fuzz/Cargo.toml"] {
        cargo::command()
            .args(["fmt", "--manifest-path", manifest, "--check"])
            .run()?;
    }
    Ok(())
}

/// Formats everything.
pub(crate) fn apply() -> Result<()> {
    cargo::command().args(["fmt", "--all"]).run()?;
    for manifest in [MANIFEST, "fuzz/Cargo.toml"] {
        cargo::command()
            .args(["fmt", "--manifest-path", manifest])
            .run()?;
    }
    Ok(())
}
