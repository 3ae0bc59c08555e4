//! Lints.

use anyhow::Result;

use crate::cargo;

pub(super) fn run() -> Result<()> {
    cargo::command()
        .args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
        .run()
}
