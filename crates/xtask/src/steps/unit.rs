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
    // TLS is no default feature of the adapter for microcontrollers, and what it knows depends on more.
    for features in ["tls", "tls,p384,rsa"] {
        cargo::command()
            .args(["test", "--package", "sansmtp-smoltcp", "--locked"])
            .args(["--features", features])
            .run()?;
    }
    Ok(())
}
