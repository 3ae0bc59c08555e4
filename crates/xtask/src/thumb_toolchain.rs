//! The compiler for Cortex-M: rustup's if it has the target, else Debian's with core built from source.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell::Run;
use crate::{cargo, paths};

/// Cortex-M3, the smallest core that the project promises to run on.
pub(crate) const TARGET: &str = "thumbv7m-none-eabi";

/// Cortex-M7 with its floating point unit, the second board of the firmware.
pub(crate) const M7: &str = "thumbv7em-none-eabihf";

/// Debian's compiler (package rustc-web).
pub(crate) const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A cargo that can build for a target without an operating system.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ThumbToolchain {
    /// The usual toolchain has the target.
    Rustup,
    /// Debian's compiler with `-Zbuild-std=core`.
    Debian,
}

impl ThumbToolchain {
    /// Whichever is there; installs one if none is.
    pub(crate) fn get() -> Result<Self> {
        Self::get_for(TARGET)
    }

    /// The same for another target than [`TARGET`].
    pub(crate) fn get_for(target: &str) -> Result<Self> {
        crate::setup::cross(target)?;
        Ok(if has_target(target)? {
            Self::Rustup
        } else {
            Self::Debian
        })
    }

    /// `cargo SUBCOMMAND` for [`TARGET`].
    pub(crate) fn cargo(self, subcommand: &str) -> Result<Run> {
        self.cargo_for(subcommand, TARGET)
    }

    /// `cargo SUBCOMMAND --target ...`. Only this one command gets the other compiler and its unlocking;
    /// it has a target directory of its own, or else the host's builds would start anew.
    pub(crate) fn cargo_for(self, subcommand: &str, target: &str) -> Result<Run> {
        let mut run = cargo::command()
            .args([subcommand, "--target", target, "--target-dir"])
            .arg(paths::target().join("thumb"))
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        if matches!(self, Self::Rustup) && !has_target(target)? {
            run = run.arg("-Zbuild-std=core").env("RUSTC_BOOTSTRAP", "1");
        }
        if let Self::Debian = self {
            run = run
                .arg("-Zbuild-std=core")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("PATH", path_with_linker()?);
        }
        Ok(run)
    }

    /// For the headline of a step.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Rustup => "the usual toolchain",
            Self::Debian => "Debian's rustc, core built from source",
        }
    }
}

/// True if the compiler that builds the host's programs has this target.
pub(crate) fn has_target(target: &str) -> Result<bool> {
    let library = sysroot()?.join("lib/rustlib").join(target);
    Ok(library.join("lib").is_dir())
}

/// True if the compiler that builds the host's programs brings the source of its library.
pub(crate) fn has_library_source() -> Result<bool> {
    let library = sysroot()?.join("lib/rustlib/src/rust/library");
    Ok(library.join("Cargo.lock").is_file())
}

/// `PATH` with the directory where rustup keeps `rust-lld`, which the target links with.
pub(crate) fn path_with_linker() -> Result<std::ffi::OsString> {
    let version = cargo::rustc().arg("-vV").stdout()?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc -vV without a host")?;
    let linker = sysroot()?.join("lib/rustlib").join(host).join("bin");
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(env::split_paths(&path).chain([linker]))?)
}

fn sysroot() -> Result<PathBuf> {
    let text = cargo::rustc().args(["--print", "sysroot"]).stdout()?;
    Ok(PathBuf::from(text.trim()))
}
