//! Every test that needs nothing but cargo.

use anyhow::Result;

use crate::cargo;

pub(super) fn run() -> Result<()> {
    cargo::command()
        .args([
            "test",
            "--workspace",
            "--exclude",
            "sansmtp-tests",
            "--locked",
        ])
        .run()
}
