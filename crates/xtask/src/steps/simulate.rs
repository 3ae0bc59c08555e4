//! All states of both machines, and simulated sessions: a number of them, not a time.

use anyhow::Result;

use crate::{cargo, simulate};

/// `cargo xtask simulate` plays a million.
const SESSIONS: u32 = 300_000;

pub(super) fn run() -> Result<()> {
    // Every state of both machines, and everything that can be done in it.
    cargo::command()
        .args(["test", "--profile", "simulation", "--package", "sansmtp"])
        .args(["--features", "scram", "--locked", "--lib", "exploration"])
        .args(["--", "--ignored", "--nocapture"])
        .run()?;
    // That every property can be seen to fail.
    cargo::command()
        .args(["test", "--package", "sansmtp-simulation", "--locked"])
        .run()?;
    simulate::run(&["--sessions".into(), SESSIONS.to_string()])
}
