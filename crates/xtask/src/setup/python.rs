//! Python environments: one with the peers that are written in Python, one for the Python package's own checks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::debian;
use crate::paths;
use crate::shell::Run;

/// What the checks of the Python package run besides what Python brings.
const PROGRAMS: &[debian::Package] = &[
    debian::Package::with_file("nodejs", "/usr/bin/node"),
    debian::Package::with_file("openssl", "/usr/bin/openssl"),
];

/// Makes the environment with the peers, or renews it when the list of packages changed. Returns its
/// interpreter.
pub(crate) fn python() -> Result<PathBuf> {
    let list = paths::root().join("tests/src/peers/requirements.txt");
    environment(&paths::venv(), &list)
}

/// The same for the checks of the Python package: its build tool, linters and type checkers, and the packages
/// that it is tested with.
pub(crate) fn binding() -> Result<PathBuf> {
    debian::install(PROGRAMS)?;
    super::strace()?;
    let list = paths::root().join("bindings/python/requirements-test.txt");
    let python = environment(&paths::target().join("python/venv"), &list)?;
    let version = Run::new(&python)
        .args(["-c", "import sys; print(sys.version_info >= (3, 11))"])
        .stdout()?;
    if version.trim() != "True" {
        bail!("the Python package needs Python 3.11 or newer, first in PATH");
    }
    // Debian keeps the standard library's own tests apart.
    if Run::new(&python)
        .args(["-c", "import test.test_smtplib"])
        .stdout()
        .is_err()
    {
        debian::install(&[debian::Package::plain("libpython3-testsuite")])?;
    }
    Ok(python)
}

/// An environment with nothing in it. Returns its interpreter.
pub(crate) fn empty(venv: &Path) -> Result<PathBuf> {
    Run::new(system()?)
        .args(["-m", "venv", "--clear"])
        .arg(venv)
        .run()?;
    Ok(venv.join("bin/python"))
}

/// An environment with the packages of a list, renewed when that changes. Returns its interpreter.
pub(crate) fn environment(venv: &Path, list: &Path) -> Result<PathBuf> {
    let wanted = fs::read_to_string(list).with_context(|| list.display().to_string())?;
    let python = venv.join("bin/python");
    let stamp = venv.join("sansmtp-requirements.txt");
    if python.is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    empty(venv)?;
    Run::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(list)
        .run()?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    Ok(python)
}

/// Debian has python3 without the module that makes environments.
fn system() -> Result<PathBuf> {
    match paths::program("python3") {
        Some(system)
            if Run::new(&system)
                .args(["-c", "import ensurepip"])
                .stdout()
                .is_ok() =>
        {
            Ok(system)
        }
        _ => {
            debian::install(&[
                debian::Package::plain("python3"),
                debian::Package::plain("python3-venv"),
            ])?;
            Ok(PathBuf::from("/usr/bin/python3"))
        }
    }
}
