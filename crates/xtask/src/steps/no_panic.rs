//! No panic can be reached: a firmware whose panic handler calls a function that does not exist links
//! only if the linker threw the handler away.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::asm;
use crate::paths;
use crate::shell::Run;
use crate::thumb_toolchain::{TARGET, ThumbToolchain};

/// A crate outside the workspace; what it references stands in its `src/entry_points.rs`.
pub(super) const MANIFEST: &str = "no_std_demo/link_test/Cargo.toml";
/// The function that does not exist.
const MISSING_SYMBOL: &str = "a_panic_can_be_reached";

pub(super) fn run() -> Result<()> {
    let toolchain = ThumbToolchain::get()?;
    println!("with {}", toolchain.describe());
    self_check(toolchain)?;

    let linked = link(toolchain, &[])?;
    if linked.success {
        println!("no panic can be reached from {MANIFEST}");
        return Ok(());
    }
    if !linked.output.contains(MISSING_SYMBOL) {
        bail!("the link test does not build:\n{}", linked.output);
    }
    let callers = panic_callers(toolchain, &[])?;
    bail!("a panic can be reached; who calls whom, from the panic upwards:\n{callers}")
}

/// The test must be able to fail, and must then name the guilty function.
fn self_check(toolchain: ThumbToolchain) -> Result<()> {
    let linked = link(toolchain, &["deliberate_panic"])?;
    if linked.success {
        bail!("the link test is blind: a deliberate panic was linked");
    }
    if !linked.output.contains(MISSING_SYMBOL) {
        bail!("the link test does not build:\n{}", linked.output);
    }
    let callers = panic_callers(toolchain, &["deliberate_panic"])?;
    if !callers.contains("deliberate_panic") {
        bail!("the link test does not name who panics deliberately, but:\n{callers}");
    }
    println!("self-check: a deliberate panic is found");
    Ok(())
}

struct Linked {
    success: bool,
    output: String,
}

fn link(toolchain: ThumbToolchain, features: &[&str]) -> Result<Linked> {
    let output = cargo(toolchain, "build", features)?.output()?;
    Ok(Linked {
        success: output.status.success(),
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Builds with a panic handler that links and reads the assembly.
fn panic_callers(toolchain: ThumbToolchain, features: &[&str]) -> Result<String> {
    for old in assembly_files()? {
        fs::remove_file(&old).with_context(|| old.display().to_string())?;
    }
    let features: Vec<&str> = features.iter().copied().chain(["linkable_panic"]).collect();
    cargo(toolchain, "rustc", &features)?
        .args(["--", "--emit", "asm"])
        .stdout()?;
    let mut assembly = String::new();
    for file in assembly_files()? {
        assembly += &fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    }
    Ok(asm::panic_callers(&assembly).join("\n"))
}

fn cargo(toolchain: ThumbToolchain, subcommand: &str, features: &[&str]) -> Result<Run> {
    Ok(toolchain
        .cargo(subcommand)?
        .args(["--manifest-path", MANIFEST, "--release", "--features"])
        .arg(features.join(",")))
}

fn assembly_files() -> Result<Vec<PathBuf>> {
    let directory = paths::target()
        .join("thumb")
        .join(TARGET)
        .join("release/deps");
    Ok(fs::read_dir(&directory)
        .with_context(|| directory.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("link_test") && name.ends_with(".s")
        })
        .collect())
}
