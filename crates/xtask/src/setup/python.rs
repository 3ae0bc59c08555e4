//! A Python environment with the peers that are written in Python.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::debian;
use crate::paths;
use crate::shell::Run;

/// Makes the environment, or renews it when the list of packages changed. Returns its interpreter.
pub(crate) fn python() -> Result<PathBuf> {
    let list = paths::root().join("tests/src/peers/requirements.txt");
    let wanted = fs::read_to_string(&list).with_context(|| list.display().to_string())?;
    let venv = paths::venv();
    let python = venv.join("bin/python");
    let stamp = venv.join("sansmtp-requirements.txt");
    if python.is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    // Debian has python3 without the module that makes environments.
    let system = match paths::program("python3") {
        Some(system)
            if Run::new(&system)
                .args(["-c", "import ensurepip"])
                .stdout()
                .is_ok() =>
        {
            system
        }
        _ => {
            debian::install(&[
                debian::Package::plain("python3"),
                debian::Package::plain("python3-venv"),
            ])?;
            PathBuf::from("/usr/bin/python3")
        }
    };
    Run::new(system)
        .args(["-m", "venv", "--clear"])
        .arg(&venv)
        .run()?;
    Run::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--requirement"])
        .arg(&list)
        .run()?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    Ok(python)
}
