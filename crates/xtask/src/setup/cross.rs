//! What a build for Cortex-M needs.

use anyhow::Result;

use super::debian;
use crate::paths;
use crate::shell::Run;
use crate::thumb_toolchain;

/// Debian's compiler with the sources of its library; the linker comes with rustup's.
const PACKAGES: &[debian::Package] = &[
    debian::Package::plain("rustc-web"),
    debian::Package::plain("rust-web-src"),
];

/// Asks rustup for the target; where rustup is missing or can not download, takes Debian's compiler.
pub(crate) fn cross(target: &str) -> Result<()> {
    if thumb_toolchain::has_target(target)? || debian::all_there(PACKAGES) {
        return Ok(());
    }
    if let Some(rustup) = paths::program("rustup")
        && Run::new(rustup)
            .args(["target", "add", target])
            .run()
            .is_ok()
    {
        return Ok(());
    }
    println!(
        "rustup can not add {target}: taking Debian's compiler, which builds core from source"
    );
    debian::install(PACKAGES)
}
