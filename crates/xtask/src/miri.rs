//! The core's unit tests under Miri, which watches for undefined behaviour and reads of what was never written, also
//! in what the core depends on. No part of `test`: it needs a nightly compiler, and the core forbids unsafe code.

use anyhow::{Context, Result};

use crate::shell::Run;

/// What gets through in minutes when it is interpreted. The rest goes millions of rounds, each like the other.
const TESTS: &[&str] = &[
    "auth::client",
    "client::",
    "config::",
    "envelope::",
    "message::address",
    "message::body",
    "octets::",
    "state::",
    "wire::",
];

pub(crate) fn run() -> Result<()> {
    set_up()?;
    nightly()
        .args(["miri", "test", "--package", "sansmtp", "--lib"])
        .arg("--")
        .args(TESTS)
        // Proptest asks for the directory.
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("PROPTEST_CASES", "4")
        .run()
}

fn set_up() -> Result<()> {
    if nightly().args(["miri", "--version"]).run_quietly().is_ok() {
        return Ok(());
    }
    Run::new("rustup")
        .args(["toolchain", "install", "nightly", "--profile", "minimal"])
        .args(["--component", "miri", "--component", "rust-src"])
        .run()
        .context("Miri comes with rustup's nightly toolchain only")
}

fn nightly() -> Run {
    Run::new("rustup").args(["run", "nightly", "cargo"])
}
