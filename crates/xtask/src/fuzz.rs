//! The fuzz targets with libFuzzer, on the stable compiler: `cargo xtask fuzz`.
//!
//! The flags are those of cargo-fuzz, less the sanitizer: the core has no unsafe code that one could watch,
//! and debug assertions and overflow checks are on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::Run;
use crate::{cargo, paths, setup};

const MANIFEST: &str = "fuzz/Cargo.toml";

const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

/// How many run at a time.
const AT_ONCE: usize = 2;

/// The longest input in octets.
const LONGEST: usize = 2048;

/// Fuzzes the targets named (all if none is) for so many seconds each, two at a time.
pub(crate) fn run(names: &[String], seconds: u32) -> Result<()> {
    let targets = selected(names)?;
    setup::cxx()?;
    let directory = build()?;
    println!(
        "{} targets for {seconds} s each, {AT_ONCE} at a time",
        targets.len()
    );
    let mut findings = Vec::new();
    for group in targets.chunks(AT_ONCE) {
        let results: Vec<Result<Outcome>> = std::thread::scope(|scope| {
            let running: Vec<_> = group
                .iter()
                .map(|target| scope.spawn(|| fuzz(&directory, target, seconds)))
                .collect();
            let joined = running.into_iter().map(|it| it.join());
            joined
                .map(|result| result.unwrap_or_else(|_| bail!("a fuzzer could not be watched")))
                .collect()
        });
        for (target, result) in group.iter().zip(results) {
            let outcome = result?;
            println!(
                "{target:10} {:>12} executions, {} edges, {} inputs kept",
                outcome.executions, outcome.edges, outcome.kept
            );
            if let Some(said) = outcome.finding {
                println!("{said}");
                findings.push(target.as_str());
            }
        }
    }
    if findings.is_empty() {
        println!("no finding");
        return Ok(());
    }
    bail!("findings in: {}", findings.join(", "))
}

/// The seed corpus and its neighbours through every oracle, without a fuzzer.
pub(crate) fn seeds() -> Result<()> {
    cargo::command()
        .args(["test", "--no-default-features", "--locked"])
        .args(["--manifest-path", MANIFEST])
        .run()
}

/// All targets, or those named.
fn selected(names: &[String]) -> Result<Vec<String>> {
    let folder = paths::root().join("fuzz/fuzz_targets");
    let mut targets: Vec<String> = fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    targets.sort();
    if let Some(unknown) = names.iter().find(|name| !targets.contains(name)) {
        bail!(
            "there is no target {unknown:?}; the targets are: {}",
            targets.join(", ")
        );
    }
    targets.retain(|target| names.is_empty() || names.contains(target));
    Ok(targets)
}

/// Builds all targets and returns where they are.
fn build() -> Result<PathBuf> {
    let version = cargo::rustc().arg("-vV").stdout()?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc -vV without a host")?;
    let target = paths::target().join("fuzz");
    // With a target, so that the flags are not for build scripts.
    cargo::command()
        .args([
            "build",
            "--release",
            "--bins",
            "--locked",
            "--manifest-path",
        ])
        .args([MANIFEST, "--target", host])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", FLAGS)
        .run()?;
    Ok(target.join(host).join("release"))
}

struct Outcome {
    executions: u64,
    edges: String,
    kept: usize,
    /// What the fuzzer said, if it found something.
    finding: Option<String>,
}

/// Runs one target. What it learned stays in the build directory for the next run.
fn fuzz(directory: &Path, target: &str, seconds: u32) -> Result<Outcome> {
    let learned = paths::target().join("fuzz/corpus").join(target);
    let artifacts = paths::target().join("fuzz/findings").join(target);
    fs::create_dir_all(&learned)?;
    fs::create_dir_all(&artifacts)?;
    let output = Run::new(directory.join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args([
            "-dict=fuzz/smtp.dict",
            "-print_final_stats=1",
            "-timeout=60",
        ])
        .arg(&learned)
        .arg(format!("fuzz/corpus/{target}"))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let executions = said
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(0);
    let edges = said
        .lines()
        .rev()
        .find_map(|line| line.split_once("cov: "))
        .and_then(|(_, rest)| rest.split(' ').next())
        .unwrap_or("no")
        .to_owned();
    let tail = said.lines().rev().take(40).collect::<Vec<_>>();
    let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
    let found = !output.status.success() || executions == 0;
    Ok(Outcome {
        executions,
        edges,
        kept: fs::read_dir(&learned)?.count(),
        finding: found.then(|| format!("{target} ({}):\n{tail}", output.status)),
    })
}
