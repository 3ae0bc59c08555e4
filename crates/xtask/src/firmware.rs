//! The firmware of `no_std_demo/`: built for its board, booted in QEMU, and its mail compared.

use std::path::PathBuf;

use anyhow::Result;

use crate::thumb_toolchain::{TARGET, ThumbToolchain};
use crate::{cargo, paths, setup};

const MANIFEST: &str = "no_std_demo/firmware/Cargo.toml";

/// Builds the firmware, and runs it against servers of other makers.
pub(crate) fn run() -> Result<()> {
    setup::qemu()?;
    setup::peers()?;
    setup::python()?;
    let image = build(&[])?;
    cargo::command()
        .args(["test", "--package", "sansmtp-tests", "--locked"])
        .args(["--features", "firmware", "--test", "firmware"])
        .env("SANSMTP_FIRMWARE", image)
        .run()
}

/// Builds the firmware with these features and returns the image.
pub(crate) fn build(features: &[&str]) -> Result<PathBuf> {
    let toolchain = ThumbToolchain::get()?;
    println!("with {}", toolchain.describe());
    toolchain
        .cargo("build")?
        .args(["--manifest-path", MANIFEST, "--release", "--locked"])
        .args(["--features", &features.join(",")])
        .run()?;
    let directory = paths::target().join("thumb").join(TARGET);
    Ok(directory.join("release/firmware"))
}
