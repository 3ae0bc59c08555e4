//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

/// The top directory of the repository.
pub(crate) fn root() -> PathBuf {
    // crates/xtask is two levels down.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The directory for build products: `CARGO_TARGET_DIR`, else `target` in the workspace. The test
/// harness looks for the Python environment by the same rule.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}

/// The Python environment with the peers of the tests.
pub(crate) fn venv() -> PathBuf {
    target().join("venv")
}

/// Programs that are installed for the checks alone.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// Looks a program up in `PATH` and where administration programs live.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}
