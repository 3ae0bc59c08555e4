//! Both machines on a virtual network and clock: `cargo xtask simulate`.

use anyhow::Result;

use crate::cargo;

/// Plays sessions; `arguments` are those of the program `simulate`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    cargo::command()
        .args(["run", "--quiet", "--locked", "--profile", "simulation"])
        .args(["--package", "sansmtp-simulation", "--"])
        .args(arguments)
        .run()
}
