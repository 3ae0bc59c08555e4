//! The Python package: `cargo xtask python`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::Run;
use crate::{cargo, paths, setup};

/// What auditwheel calls the systems with glibc 2.17 and newer.
const MANYLINUX2014: &str = "manylinux_2_17";

/// Builds the package as its users do, from the source distribution, and installs it into a clean environment; then
/// builds the wheel that is published, and runs everything that it must pass: linters, type checkers, its tests, and
/// servers of other makers.
pub(crate) fn check() -> Result<()> {
    let python = setup::binding()?;
    lint(&python)?;
    in_a_clean_environment(&from_sources(&python)?)?;
    install(&python, &for_old_systems(&python)?)?;
    types(&python)?;
    module(&python, "pytest").directory(&package()).run()?;
    peers(&python)
}

/// Formatting, and what a linter sees, in both languages.
fn lint(python: &Path) -> Result<()> {
    for arguments in [["format", "--check"], ["check", "--quiet"]] {
        module(python, "ruff")
            .args(arguments)
            .directory(&package())
            .run()?;
    }
    let bindings = |command: &str| {
        cargo::command()
            .args([command, "--manifest-path", "bindings/python/Cargo.toml"])
            .env("PYO3_PYTHON", python)
    };
    bindings("fmt").arg("--check").run()?;
    bindings("clippy")
        .args(["--quiet", "--locked", "--target-dir"])
        .arg(place().join("cargo"))
        .args(["--", "--deny", "warnings"])
        .run()
}

/// Packs the source distribution and makes a wheel of it. Returns the wheel.
fn from_sources(python: &Path) -> Result<PathBuf> {
    let dist = empty_directory("dist")?;
    module(python, "maturin")
        .args(["sdist", "--out"])
        .arg(&dist)
        .directory(&package())
        .run()?;
    let sources = only_file(&dist)?;
    let wheels = dist.join("wheels");
    module(python, "pip")
        .args(["wheel", "--quiet", "--no-deps", "--no-build-isolation"])
        .arg(&sources)
        .arg("--wheel-dir")
        .arg(&wheels)
        // The build backend calls the command that came with it.
        .env("PATH", with_programs_of(python)?)
        // The dependencies need not be compiled anew each time.
        .env("CARGO_TARGET_DIR", place().join("cargo"))
        .run()?;
    let wheel = only_file(&wheels)?;
    for_stable_abi(&wheel)?;
    Ok(wheel)
}

/// Makes the wheel for PyPI: linked by zig against a glibc as old as manylinux2014's (PEP 599), whatever the system
/// has that builds it. Returns the wheel.
fn for_old_systems(python: &Path) -> Result<PathBuf> {
    let wheels = empty_directory("wheels")?;
    module(python, "maturin")
        .args(["build", "--release", "--locked", "--zig"])
        .args(["--compatibility", "manylinux2014", "--out"])
        .arg(&wheels)
        .directory(&package())
        // The linker is a package of this environment, too.
        .env("PATH", with_programs_of(python)?)
        .env("CARGO_TARGET_DIR", place().join("cargo"))
        .run()?;
    let wheel = only_file(&wheels)?;
    for_stable_abi(&wheel)?;
    // The name is a claim; what is asked for of libc decides.
    let shown = module(python, "auditwheel")
        .arg("show")
        .arg(&wheel)
        .stdout()?;
    if !shown.contains(&format!("\"{MANYLINUX2014}_")) {
        bail!("{} does not run on manylinux2014: {shown}", wheel.display());
    }
    Ok(wheel)
}

fn for_stable_abi(wheel: &Path) -> Result<()> {
    if !wheel.to_string_lossy().contains("-cp311-abi3-") {
        bail!(
            "{} is no wheel for the stable ABI of Python 3.11",
            wheel.display()
        );
    }
    Ok(())
}

fn empty_directory(name: &str) -> Result<PathBuf> {
    let directory = place().join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    Ok(directory)
}

/// Whoever installs the package gets nothing else, and the ten lines of the README work.
fn in_a_clean_environment(wheel: &Path) -> Result<()> {
    let python = setup::empty_environment(&place().join("clean"))?;
    install(&python, wheel)?;
    Run::new(python)
        .arg("tests/programs/first_mail.py")
        .directory(&package())
        .run()
}

fn install(python: &Path, wheel: &Path) -> Result<()> {
    module(python, "pip")
        .args(["install", "--quiet", "--no-index", "--force-reinstall"])
        .arg(wheel)
        .run()
}

/// Three type checkers: two read the sources, one compares the stubs with the module.
fn types(python: &Path) -> Result<()> {
    module(python, "mypy").directory(&package()).run()?;
    module(python, "pyright")
        .args(["--pythonpath"])
        .arg(python)
        .directory(&package())
        .run()?;
    module(python, "mypy.stubtest")
        .arg("sansmtp._core")
        .directory(&place())
        .run()
}

/// Servers of other makers, and hostile ones.
fn peers(python: &Path) -> Result<()> {
    setup::peers()?;
    setup::python()?;
    cargo::command()
        .args(["test", "--quiet", "--locked", "--package", "sansmtp-tests"])
        .args(["--test", "python_package", "--test", "hostile"])
        // Other packages have tests of their own beside these.
        .args(["--", "--ignored", "python_package", "the_package"])
        .env("SANSMTP_PYTHON", python)
        .run()
}

/// `PATH` with the programs of an environment before all others.
fn with_programs_of(python: &Path) -> Result<OsString> {
    let programs = python.parent().map(Path::to_owned);
    let inherited = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(
        programs.into_iter().chain(env::split_paths(&inherited)),
    )?)
}

fn module(python: &Path, name: &str) -> Run {
    Run::new(python).args(["-m", name])
}

fn package() -> PathBuf {
    paths::root().join("bindings/python")
}

fn place() -> PathBuf {
    paths::target().join("python")
}

fn only_file(directory: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(directory)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file());
    let file = files
        .next()
        .with_context(|| format!("{} is empty", directory.display()))?;
    match files.next() {
        Some(other) => bail!("{} lies beside {}", other.display(), file.display()),
        None => Ok(file),
    }
}
