//! The firmware of `no_std_demo/`: built for its board, booted in QEMU, and its mail compared.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::thumb_toolchain::{TARGET, ThumbToolchain};
use crate::{cargo, paths, setup};

const MANIFEST: &str = "no_std_demo/firmware/Cargo.toml";

/// Builds the firmware, and runs it against servers of other makers.
pub(crate) fn run() -> Result<()> {
    setup::qemu()?;
    setup::peers()?;
    setup::python()?;
    let (plain, tls) = (build("plain", &[])?, build("tls", &["tls"])?);
    cargo::command()
        .args(["test", "--package", "sansmtp-tests", "--locked"])
        .args(["--features", "firmware", "--test", "firmware"])
        .env("SANSMTP_FIRMWARE_PLAIN", plain)
        .env("SANSMTP_FIRMWARE_TLS", tls)
        .run()
}

/// Builds the firmware with these features and returns the image, which keeps the name of the variant.
pub(crate) fn build(variant: &str, features: &[&str]) -> Result<PathBuf> {
    let toolchain = ThumbToolchain::get()?;
    println!("with {}", toolchain.describe());
    toolchain
        .cargo("build")?
        .args(["--manifest-path", MANIFEST, "--release", "--locked"])
        .args(["--features", &features.join(",")])
        .run()?;
    let directory = paths::target().join("thumb").join(TARGET).join("release");
    let image = directory.join(format!("firmware-{variant}"));
    fs::copy(directory.join("firmware"), &image).with_context(|| image.display().to_string())?;
    Ok(image)
}
