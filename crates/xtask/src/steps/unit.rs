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
        .run()?;
    // TLS is no default feature of the adapter for microcontrollers.
    cargo::command()
        .args(["test", "--package", "sansmtp-smoltcp", "--locked"])
        .args(["--features", "tls"])
        .run()
}
