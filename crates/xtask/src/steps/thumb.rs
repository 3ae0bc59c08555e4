//! The core without an operating system.

use anyhow::{Context, Result};

use crate::cargo;
use crate::thumb_toolchain::ThumbToolchain;

/// What a build with `core` alone must leave out.
const NEEDS_MORE: &[&str] = &["default", "alloc", "std"];

pub(super) fn run() -> Result<()> {
    let toolchain = ThumbToolchain::get()?;
    println!("with {}", toolchain.describe());
    let core = cargo::packages()?
        .into_iter()
        .find(|package| package.name == "sansmtp")
        .context("the workspace has no package sansmtp")?;
    let features: Vec<String> = core
        .features
        .into_iter()
        .filter(|name| !NEEDS_MORE.contains(&name.as_str()))
        .collect();
    toolchain
        .cargo("build")?
        .args(["--package", "sansmtp", "--profile", "size", "--locked"])
        .args(["--no-default-features", "--features", &features.join(",")])
        .run()
}
