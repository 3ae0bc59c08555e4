//! What the npm package needs.

use anyhow::Result;

use super::debian;
use crate::paths;
use crate::shell::Run;
use crate::thumb_toolchain::has_target;

/// Debian's compiler with the sources of its library, where rustup can not add the target.
const COMPILER: &[debian::Package] = &[
    debian::Package::plain("rustc-web"),
    debian::Package::plain("rust-web-src"),
];

const PROGRAMS: &[debian::Package] = &[
    debian::Package::with_file("nodejs", "/usr/bin/node"),
    debian::Package::with_file("npm", "/usr/bin/npm"),
    debian::Package::with_file("openssl", "/usr/bin/openssl"),
];

const BROWSER: &[debian::Package] = &[
    debian::Package::with_file("chromium", "/usr/bin/chromium"),
    debian::Package::plain("fonts-dejavu-core"),
];

/// The compiler for wasm, Node, and what the tests run.
pub(crate) fn wasm() -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    debian::install(PROGRAMS)?;
    if has_target(TARGET)? || debian::all_there(COMPILER) {
        return Ok(());
    }
    if let Some(rustup) = paths::program("rustup")
        && Run::new(rustup)
            .args(["target", "add", TARGET])
            .run()
            .is_ok()
    {
        return Ok(());
    }
    println!(
        "rustup can not add {TARGET}: taking Debian's compiler, which builds core from source"
    );
    debian::install(COMPILER)
}

/// A browser for the tests of the page.
pub(crate) fn browser() -> Result<()> {
    debian::install(BROWSER)
}
