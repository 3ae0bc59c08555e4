//! `cargo xtask`: every check of the project as a command that installs what it needs.

mod asm;
mod baseline;
mod bench;
mod calls;
mod cargo;
#[cfg(test)]
mod conformance;
mod counts;
mod elf;
mod exchanges;
mod firmware;
mod fuzz;
mod miri;
mod paths;
mod python;
mod setup;
mod shell;
mod simulate;
mod size;
mod steps;
mod thumb_toolchain;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// The project's own commands. `demo` and `test` are the two to start with.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Send and receive a mail over TLS on this machine and show it.
    Demo {
        /// Passed on to `sansmtp demo`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every check, or some of them.
    Test(TestArguments),
    /// Install what the checks need: Debian packages, a Python environment, cargo-deny.
    Setup,
    /// Build the core for a Cortex-M3 and show that no panic can be reached in it.
    Thumb,
    /// Build the firmware demonstration, boot it in QEMU and compare the mail that it sends.
    Firmware {
        /// Write the table of sizes into docs/firmware.md.
        #[arg(long)]
        write: bool,
    },
    /// Measure what the core costs in flash, RAM and stack, write the table of the README.
    Size {
        /// Write nothing: fail if a limit is broken or the table is stale.
        #[arg(long)]
        check: bool,
    },
    /// Count what must not grow (instructions, system calls, round trips, allocations), compare with the limits and
    /// the baseline.
    Counts {
        /// Write what was counted as the new baseline.
        #[arg(long)]
        accept: bool,
    },
    /// Fuzz the core: all targets or those named, two at a time.
    Fuzz {
        /// How long each target runs.
        #[arg(long, value_name = "N", default_value_t = steps::fuzz::SECONDS)]
        seconds: u32,
        /// Targets: the files in fuzz/fuzz_targets.
        targets: Vec<String>,
    },
    /// Run the core's unit tests under Miri (nightly, by rustup).
    Miri,
    /// Play a million simulated sessions; `--seed N` shows one, `--sessions N` plays another number.
    Simulate {
        /// Passed on to the simulation.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure our client and server beside those of other makers; writes `docs/benchmarks.md`.
    Bench {
        /// About a minute behind the builds; the document is written into the build directory.
        #[arg(long)]
        quick: bool,
        /// Measure this section only and write no document; may be given more than once.
        #[arg(long, value_name = "SECTION")]
        only: Vec<String>,
    },
    /// Build the documentation, warnings denied.
    Doc,
    /// Build, pack and test the npm package, print its sizes.
    Wasm,
    /// Build the Python package, install it into a clean environment, run all that it must pass.
    Python,
    /// Serve the simulation page on this machine.
    Page,
    /// Format the whole workspace.
    Fmt,
    /// Run every check, go on after a failure, list all failures at the end.
    Ci,
}

#[derive(Debug, Default, Args)]
struct TestArguments {
    /// Run this step only; may be given more than once.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Leave this step out; may be given more than once.
    #[arg(long, value_name = "STEP")]
    skip: Vec<String>,
    /// Go on after a failed step.
    #[arg(long)]
    keep_going: bool,
    /// List the steps and what they check, run none.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        // Without a backtrace, which says nothing to the one who runs a check.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Demo { arguments } => cargo::command()
            .args(["run", "--quiet", "--package", "sansmtp-cli", "--", "demo"])
            .args(arguments)
            .run(),
        Task::Test(arguments) => test(&arguments),
        Task::Setup => setup::everything(),
        Task::Thumb => steps::run(&steps::selected(&only(&["thumb", "no-panic"]), &[])?, false),
        Task::Firmware { write: true } => firmware::write(),
        Task::Firmware { write: false } => {
            steps::run(&steps::selected(&only(&["firmware"]), &[])?, false)
        }
        Task::Size { check } => size::run(check),
        Task::Fuzz { seconds, targets } => fuzz::run(&targets, seconds),
        Task::Counts { accept } => {
            // Both are shown, whatever the first says.
            let instructions = counts::run(accept);
            exchanges::run(accept).and(instructions)
        }
        Task::Miri => miri::run(),
        Task::Simulate { arguments } => simulate::run(&arguments),
        Task::Bench { quick, only } => {
            let effort = if quick { bench::QUICK } else { bench::FULL };
            bench::run(effort, &only)
        }
        Task::Doc => steps::run(&steps::selected(&only(&["rustdoc"]), &[])?, false),
        Task::Wasm => wasm::check(),
        Task::Python => python::check(),
        Task::Page => wasm::page(),
        Task::Fmt => steps::fmt::apply(),
        Task::Ci => test(&TestArguments {
            keep_going: true,
            ..TestArguments::default()
        }),
    }
}

fn test(arguments: &TestArguments) -> Result<()> {
    let selected = steps::selected(&arguments.only, &arguments.skip)?;
    if arguments.list {
        for step in &selected {
            println!("{:12} {}", step.name, step.about);
        }
        return Ok(());
    }
    steps::run(&selected, arguments.keep_going)
}

fn only(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
