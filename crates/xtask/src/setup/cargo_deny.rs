//! cargo-deny, built from source into the project's own directory.

use std::path::PathBuf;

use anyhow::Result;

use crate::shell::Run;
use crate::{cargo, paths};

/// The version that `deny.toml` was written for.
const VERSION: &str = "0.20.2";

/// Builds it (about a minute on two cores) unless this version is there. Returns the program.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    let program = paths::tools().join("bin/cargo-deny");
    let is_there = program.is_file()
        && Run::new(&program)
            .arg("--version")
            .stdout()
            .is_ok_and(|version| version.trim() == format!("cargo-deny {VERSION}"));
    if !is_there {
        // It checks in seconds either way, and is built much sooner without optimisation.
        cargo::command()
            .args([
                "install",
                "cargo-deny",
                "--locked",
                "--debug",
                "--force",
                "--quiet",
            ])
            .args(["--version", VERSION, "--root"])
            .arg(paths::tools())
            .env("CARGO_TARGET_DIR", paths::tools().join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_INCREMENTAL", "false")
            .env_remove("RUSTFLAGS")
            .run()?;
        // 1 GB that nothing needs again.
        std::fs::remove_dir_all(paths::tools().join("build"))?;
    }
    Ok(program)
}
