//! The npm package and its simulation page: `cargo xtask wasm` and `cargo xtask page`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::Run;
use crate::thumb_toolchain::{DEBIAN_RUSTC, has_library_source, path_with_linker};
use crate::{cargo, paths, setup};

const TARGET: &str = "wasm32-unknown-unknown";

/// What Node 20 and every current browser have. `--all-features` would use more than they take.
const OPTIMISE: &[&str] = &[
    "-Oz",
    "--converge",
    // Inlined, a function is smaller, but what it is inlined into repeats less, and gzip finds less.
    "--one-caller-inline-max-function-size=0",
    "--always-inline-max-function-size=0",
    "--flexible-inline-max-function-size=0",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--strip-debug",
    "--strip-producers",
];

/// The bindings are a workspace of their own.
const MANIFEST: &str = "bindings/Cargo.toml";

/// Builds the package, packs it, prints its sizes, and tests it in Node and in a browser.
pub(crate) fn check() -> Result<()> {
    build()?;
    sizes()?;
    glue("answers")
        .arg(package().join("src/core/answers.json"))
        .run()?;
    let tests = tests_in("test")?;
    node().arg("--test").args(tests).run()?;
    interop()?;
    build_page()?;
    setup::browser()?;
    cargo::command()
        .args(["build", "--quiet", "--locked", "--package", "sansmtp-cli"])
        .run()?;
    cargo::command()
        .args([
            "build",
            "--quiet",
            "--locked",
            "--package",
            "sansmtp-examples",
        ])
        .args(["--bin", "websocket_relay"])
        .run()?;
    let tests = tests_in("test/browser")?;
    node()
        .env("SANSMTP_BUILT", paths::target().join("debug"))
        .arg("--test")
        .args(tests)
        .run()
}

/// The package against servers of other makers.
fn interop() -> Result<()> {
    setup::peers()?;
    setup::python()?;
    cargo::command()
        .args(["test", "--quiet", "--locked", "--package", "sansmtp-tests"])
        .args(["--test", "npm_package", "--test", "hostile"])
        .args(["--", "--ignored", "npm_package", "other_makers"])
        .run()
}

/// Builds the simulation page and serves it on loopback until interrupted.
pub(crate) fn page() -> Result<()> {
    build()?;
    build_page()?;
    tool("vite")
        .args(["preview", "page", "--host", "127.0.0.1"])
        .run()
}

fn build() -> Result<()> {
    setup::wasm()?;
    install_packages()?;
    let module = compile()?;
    let generated = package().join("src/core");
    fs::create_dir_all(&generated)?;
    glue("bind").arg(&module).arg(&generated).run()?;
    glue("providers")
        .arg(generated.join("providers.json"))
        .run()?;
    let raw = generated.join("core_bg.wasm");
    tool("wasm-opt")
        .args(OPTIMISE)
        .arg(&raw)
        .arg("-o")
        .arg(generated.join("smtp.wasm"))
        .run()?;
    fs::remove_file(raw)?;
    fs::remove_file(generated.join("core_bg.wasm.d.ts"))?;
    node().arg("tools/assemble.mjs").run()
}

fn build_page() -> Result<()> {
    tool("tsc").args(["-p", "page"]).run()?;
    tool("vite")
        .args(["build", "page", "--logLevel", "warn"])
        .run()
}

/// The program that writes what goes beside the module.
fn glue(command: &str) -> Run {
    cargo::command()
        .args(["run", "--quiet", "--locked", "--manifest-path", MANIFEST])
        .args(["--package", "sansmtp-wasm-glue", "--", command])
}

/// Nothing of the library that only says where and why it panicked: the core can not, and the rest would only
/// run out of memory.
const FLAGS: &str =
    "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none";

/// Compiles the module and, for these flags, the library too; returns where it is.
fn compile() -> Result<PathBuf> {
    let target = paths::target().join("wasm");
    let mut run = cargo::command()
        // As a cdylib alone: cargo leaves the optimisation at link time out where it makes an rlib too.
        .args(["rustc", "--lib", "--crate-type", "cdylib"])
        .args(["--locked", "--package", "sansmtp-wasm"])
        .args(["--manifest-path", MANIFEST])
        .args(["--profile", "size", "--target", TARGET, "--target-dir"])
        .arg(&target)
        // Stripped modules lose the list of features that the glue is made by.
        .args(["--config", "profile.size.strip=false"])
        .arg("-Zbuild-std=core,alloc")
        .arg("-Zbuild-std-features=optimize_for_size")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", FLAGS)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    if !has_library_source()? {
        run = run
            .env("RUSTC", DEBIAN_RUSTC)
            .env("PATH", path_with_linker()?);
    }
    run.run()?;
    Ok(target.join(TARGET).join("size/sansmtp_wasm.wasm"))
}

/// `npm ci`, unless what is installed is what the lockfile says.
fn install_packages() -> Result<()> {
    let modified = |name: &str| fs::metadata(package().join(name)).and_then(|it| it.modified());
    let wanted = modified("package-lock.json")?;
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    Run::new(npm()?)
        .directory(&package())
        .args(["ci", "--no-fund", "--no-audit"])
        .run()
}

/// Packs the package and prints what it weighs.
fn sizes() -> Result<()> {
    node().arg("tools/sizes.mjs").run()
}

fn tests_in(directory: &str) -> Result<Vec<PathBuf>> {
    let mut tests: Vec<PathBuf> = fs::read_dir(package().join(directory))
        .with_context(|| directory.to_owned())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    tests.sort();
    if tests.is_empty() {
        bail!("no tests in {directory}");
    }
    Ok(tests)
}

fn package() -> PathBuf {
    paths::root().join("bindings/wasm")
}

fn node() -> Run {
    Run::new("node").directory(&package())
}

/// A program that an npm package brings.
fn tool(name: &str) -> Run {
    let path = Path::new("node_modules/.bin").join(name);
    Run::new(package().join(path)).directory(&package())
}

fn npm() -> Result<PathBuf> {
    paths::program("npm").context("npm is not installed; on Debian: apt-get install npm")
}
