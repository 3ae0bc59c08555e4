//! The documentation.

use anyhow::Result;

use crate::cargo;

pub(super) fn run() -> Result<()> {
    cargo::command()
        .args([
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--locked",
        ])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}
