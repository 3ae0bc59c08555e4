//! No panic can be reached: a firmware whose panic handler calls a function that does not exist links
//! only if the linker threw the handler away.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::asm;
use crate::paths;
use crate::shell::Run;
use crate::thumb_toolchain::ThumbToolchain;

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
    let features: Vec<&str> = features.iter().copied().chain(["linkable_panic"]).collect();
    // A name for each feature set: cargo does not write the file again if nothing changed.
    let file = paths::target()
        .join("thumb")
        .join(format!("link_test-{}.s", features.join("-")));
    cargo(toolchain, "rustc", &features)?
        .args(["--", "--emit"])
        .arg(format!("asm={}", file.display()))
        .stdout()?;
    let assembly = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(asm::panic_callers(&assembly).join("\n"))
}

fn cargo(toolchain: ThumbToolchain, subcommand: &str, features: &[&str]) -> Result<Run> {
    Ok(toolchain
        .cargo(subcommand)?
        .args(["--manifest-path", MANIFEST, "--release", "--features"])
        .arg(features.join(",")))
}
