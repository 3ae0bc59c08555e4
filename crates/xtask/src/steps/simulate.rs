//! Simulated sessions: a number of them, not a time.

use anyhow::Result;

use crate::{cargo, simulate};

/// `cargo xtask simulate` plays a million.
const SESSIONS: u32 = 300_000;

pub(super) fn run() -> Result<()> {
    // That every property can be seen to fail.
    cargo::command()
        .args(["test", "--package", "sansmtp-simulation", "--locked"])
        .run()?;
    simulate::run(&["--sessions".into(), SESSIONS.to_string()])
}
