//! Finds the programs that the harness drives.

use std::env;
use std::path::{Path, PathBuf};

use crate::Error;

/// Looks a program up in `PATH` and in the directories where administration programs live.
///
/// # Errors
/// If it is not there; the text names `cargo xtask setup`.
pub fn find(program: &str) -> Result<PathBuf, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| missing(program))
}

/// The Python of the virtual environment that `cargo xtask setup` makes, with aiosmtpd in it.
///
/// # Errors
/// If the environment is not there; the text names `cargo xtask setup`.
pub fn python() -> Result<PathBuf, Error> {
    let python = target_directory().join("venv/bin/python");
    if python.is_file() {
        Ok(python)
    } else {
        Err(missing("the Python environment with aiosmtpd"))
    }
}

/// The directory for build products: `CARGO_TARGET_DIR`, else `target` in the workspace.
fn target_directory() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => workspace.join(directory),
        None => workspace.join("target"),
    }
}

fn missing(what: &str) -> Error {
    Error::new(format!(
        "{what} is not installed; install it with: cargo xtask setup"
    ))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        assert!(find("sh").unwrap().is_absolute());
        let error = find("no-such-program").unwrap_err().to_string();
        assert_eq!(
            error,
            "no-such-program is not installed; install it with: cargo xtask setup"
        );
    }
}
