//! What the npm package needs.

use anyhow::Result;

use super::debian;
use crate::paths;
use crate::shell::Run;
use crate::thumb_toolchain::has_library_source;

/// Debian's compiler with the source of its library, where rustup can not add that.
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

/// Node and npm.
pub(crate) fn node() -> Result<()> {
    debian::install(PROGRAMS)
}

/// The source of Rust's library, which is built anew for size; Node, and what the tests run.
pub(crate) fn wasm() -> Result<()> {
    debian::install(PROGRAMS)?;
    if has_library_source()? || debian::all_there(COMPILER) {
        return Ok(());
    }
    if let Some(rustup) = paths::program("rustup")
        && Run::new(rustup)
            .args(["component", "add", "rust-src"])
            .run()
            .is_ok()
        && has_library_source()?
    {
        return Ok(());
    }
    println!("rustup can not add rust-src: taking Debian's compiler and its source");
    debian::install(COMPILER)
}

/// A browser for the tests of the page.
pub(crate) fn browser() -> Result<()> {
    debian::install(BROWSER)
}
