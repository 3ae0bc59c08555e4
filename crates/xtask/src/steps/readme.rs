//! Every command line and every Rust block of the README.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};
use clap::Parser;
use tempfile::TempDir;

use super::readme_blocks::{Block, Mode, shell_blocks};
use crate::cargo::Package;
use crate::shell::Run;
use crate::{Cli, Task, cargo, paths};

pub(super) fn run() -> Result<()> {
    let readme = paths::root().join("README.md");
    let text = fs::read_to_string(&readme).with_context(|| readme.display().to_string())?;
    let blocks = shell_blocks(&text).context("README.md")?;
    if blocks.is_empty() {
        bail!("README.md has no block marked `sh`, so nobody is told how to use the command");
    }
    // Rust blocks are documentation tests of the package that includes the README.
    cargo::command()
        .args([
            "test",
            "--doc",
            "--package",
            "sansmtp-tests",
            "--features",
            "readme",
            "--locked",
        ])
        .run()?;

    cargo::command()
        .args(["build", "--package", "sansmtp-cli", "--locked"])
        .run()?;
    let place = Place::new()?;
    let packages = cargo::packages()?;
    let mut background = Vec::new();
    for block in &blocks {
        run_block(block, &place, &packages, &mut background)
            .with_context(|| format!("README.md, line {}", block.line))?;
    }
    Ok(())
}

/// A directory to run commands in, with the built command on the `PATH`.
struct Place {
    directory: TempDir,
    path: OsString,
}

impl Place {
    fn new() -> Result<Self> {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let built = paths::target().join("debug");
        Ok(Self {
            directory: TempDir::with_prefix("sansmtp-readme-")?,
            path: env::join_paths([built].into_iter().chain(env::split_paths(&inherited)))?,
        })
    }

    fn shell(&self, script: &str) -> Run {
        Run::new("bash")
            .args(["-euo", "pipefail", "-c", script])
            .directory(self.directory.path())
            .env("PATH", &self.path)
            .env("HOME", self.directory.path())
    }
}

/// A server that a block started; ended when the step is over.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run_block(
    block: &Block,
    place: &Place,
    packages: &[Package],
    background: &mut Vec<Background>,
) -> Result<()> {
    let mut script = Vec::new();
    for command in &block.commands {
        if !is_for_cargo(command, packages)? {
            script.push(match block.mode {
                Mode::DryRun if command.contains("sansmtp send") => format!("{command} --dry-run"),
                _ => command.clone(),
            });
        }
    }
    match &block.mode {
        Mode::Skip { reason } => println!("README.md:{} is not run: {reason}", block.line),
        _ if script.is_empty() => println!(
            "README.md:{} names commands of cargo that exist",
            block.line
        ),
        Mode::Run | Mode::DryRun => place.shell(&script.join("\n")).run()?,
        Mode::Background { until } => {
            // One command, and exec, so that ending the process ends the command.
            let [command] = script.as_slice() else {
                bail!("a background block must be one command");
            };
            background.push(start(place, command, until)?);
        }
    }
    Ok(())
}

fn start(place: &Place, command: &str, until: &str) -> Result<Background> {
    println!("$ {command} &");
    let mut child = place
        .shell(&format!("exec {command} 2>&1"))
        .into_command()
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().context("no output")?;
    let started = Background(child);
    let mut lines = BufReader::new(output).lines();
    for line in lines.by_ref() {
        let line = line?;
        println!("{line}");
        if line.contains(until) {
            // Read on, or the command would stall when the pipe is full.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(started);
        }
    }
    bail!("`{command}` ended without printing {until:?}")
}

/// Checks what cargo is told without doing it: `cargo xtask` commands must exist (only `demo` is run),
/// packages and features to add or install must be ours. False for everything else.
fn is_for_cargo(command: &str, packages: &[Package]) -> Result<bool> {
    let words: Vec<&str> = command
        .split_whitespace()
        .take_while(|word| *word != "#")
        .collect();
    match words.as_slice() {
        ["cargo", "xtask", arguments @ ..] => {
            let parsed = Cli::try_parse_from(["cargo xtask"].iter().chain(arguments))
                .with_context(|| format!("`{command}`"))?;
            if let Task::Demo { .. } = parsed.command {
                cargo::command().arg("xtask").args(arguments).run()?;
            }
            Ok(true)
        }
        ["cargo", "add" | "install", arguments @ ..] => {
            check_package(arguments, packages).with_context(|| format!("`{command}`"))?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn check_package(arguments: &[&str], packages: &[Package]) -> Result<()> {
    let path = |value: &str| {
        Path::new(value)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let mut ours: Option<&Package> = None;
    let mut features = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(&argument) = arguments.next() {
        let name = match argument {
            "--features" | "-F" => {
                features.extend(
                    arguments
                        .next()
                        .into_iter()
                        .flat_map(|list| list.split(',')),
                );
                continue;
            }
            "--path" => arguments
                .next()
                .and_then(|value| path(value))
                .unwrap_or_default(),
            _ if argument.starts_with('-') => continue,
            _ => argument.to_owned(),
        };
        let package = packages.iter().find(|package| package.name == name);
        ours = Some(package.with_context(|| format!("the workspace has no package {name}"))?);
    }
    let package = ours.context("no package is named")?;
    match features
        .iter()
        .find(|name| !package.features.iter().any(|it| it == *name))
    {
        Some(unknown) => bail!("{} has no feature {unknown}", package.name),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages() -> Vec<Package> {
        vec![Package {
            name: "sansmtp".to_owned(),
            features: vec!["client".to_owned(), "alloc".to_owned()],
        }]
    }

    #[test]
    fn commands_for_cargo_are_checked_and_not_run() {
        let check = |command| is_for_cargo(command, &packages());
        assert!(check("cargo xtask test --only fmt").unwrap());
        assert!(check("cargo add sansmtp --no-default-features --features client,alloc").unwrap());
        assert!(check("cargo install --locked --path crates/sansmtp  # the command").unwrap());
        assert!(!check("sansmtp send").unwrap());
        assert!(check("cargo xtask tset").is_err());
        assert!(check("cargo add sansmpt").is_err());
        assert!(check("cargo add sansmtp --features nothing").is_err());
        assert!(check("cargo install").is_err());
    }

    fn run_text(markdown: &str) -> Result<()> {
        let place = Place::new()?;
        let mut background = Vec::new();
        for block in shell_blocks(markdown)? {
            run_block(&block, &place, &packages(), &mut background)?;
        }
        Ok(())
    }

    #[test]
    fn blocks_share_a_directory_and_fail_with_their_commands() {
        run_text("```sh\necho a > file\n```\n```sh\ntest \"$(cat file)\" = a\n```\n").unwrap();
        assert!(run_text("```sh\nfalse | true\n```\n").is_err());
        assert!(run_text("```sh\nfalse\ntrue\n```\n").is_err());
        run_text("<!-- xtask: skip no -->\n```sh\nfalse\n```\n").unwrap();
    }

    #[test]
    fn a_background_block_runs_until_the_end() {
        let runs_on = "<!-- xtask: background until ready -->\n```sh\n\
            sh -c 'echo ready; exec tail -f /dev/null'\n```\n";
        run_text(&format!("{runs_on}```sh\ntrue\n```\n")).unwrap();
        let ends = "<!-- xtask: background until ready -->\n```sh\necho no\n```\n";
        let error = run_text(ends).unwrap_err().to_string();
        assert!(error.contains("ended without printing"), "{error}");
    }
}
