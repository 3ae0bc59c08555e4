//! The steps of `cargo xtask test`. A new one is a file with a `run` function and a line in [`ALL`].

mod clippy;
mod counts;
mod deny;
mod exchanges;
mod features;
pub(crate) mod fmt;
pub(crate) mod fuzz;
mod hostile;
mod interop;
mod no_panic;
mod readme;
mod readme_blocks;
mod rustdoc;
mod simulate;
mod size;
mod thumb;
mod unit;
mod wasm;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// One check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// What `--only` and `--skip` call it.
    pub(crate) name: &'static str,
    /// What it shows, in a few words.
    pub(crate) about: &'static str,
    /// Installs what it needs, then checks.
    run: fn() -> Result<()>,
}

/// Every step in the order in which they run: what fails fast comes first.
const ALL: &[Step] = &[
    Step {
        name: "fmt",
        about: "the code is formatted",
        run: fmt::run,
    },
    Step {
        name: "clippy",
        about: "no warning from rustc or clippy in any target",
        run: clippy::run,
    },
    Step {
        name: "features",
        about: "every feature alone, none, all, of the core and the smoltcp adapter: no warning",
        run: features::run,
    },
    Step {
        name: "rustdoc",
        about: "the documentation builds without a warning",
        run: rustdoc::run,
    },
    Step {
        name: "unit",
        about: "unit, table, transcript, two-machine and documentation tests",
        run: unit::run,
    },
    Step {
        name: "thumb",
        about: "the core builds for Cortex-M3 with `core` alone",
        run: thumb::run,
    },
    Step {
        name: "no-panic",
        about: "no panic can be reached in the core's firmware build",
        run: no_panic::run,
    },
    Step {
        name: "counts",
        about: "the core's work takes no more instructions than before, and no allocation",
        run: counts::run,
    },
    Step {
        name: "simulate",
        about: "every state of both machines, hundreds of thousands of sessions, every fault at every place",
        run: simulate::run,
    },
    Step {
        name: "fuzz",
        about: "every fuzz target for half a minute, and the seeds through every oracle",
        run: fuzz::run,
    },
    Step {
        name: "exchanges",
        about: "system calls, round trips and allocations per message do not grow",
        run: exchanges::run,
    },
    Step {
        name: "size",
        about: "the core stays within its limits of flash, state and stack; the README's table is true",
        run: size::run,
    },
    Step {
        name: "deny",
        about: "licences, sources and advisories of the dependencies",
        run: deny::run,
    },
    Step {
        name: "readme",
        about: "every command line and Rust block of the README works",
        run: readme::run,
    },
    Step {
        name: "hostile",
        about: "138 written cases of hostile peers over sockets, strictly, in both roles",
        run: hostile::run,
    },
    Step {
        name: "interop",
        about: "mail to and from servers and clients of other makers",
        run: interop::run,
    },
    Step {
        name: "python",
        about: "the Python package, from its sources into a clean environment and through all its tests",
        run: crate::python::check,
    },
    Step {
        name: "firmware",
        about: "the firmware boots in QEMU and its alert arrives byte by byte",
        run: crate::firmware::run,
    },
    Step {
        name: "wasm",
        about: "the npm package and the page in Node and Chromium; what they weigh",
        run: wasm::run,
    },
];

/// The steps named in `only` (all if that is empty) without those in `skip`, in their order.
pub(crate) fn selected(only: &[String], skip: &[String]) -> Result<Vec<Step>> {
    let known = |name: &&String| !ALL.iter().any(|step| step.name == **name);
    if let Some(unknown) = only.iter().chain(skip).find(known) {
        let names: Vec<&str> = ALL.iter().map(|step| step.name).collect();
        bail!(
            "there is no step {unknown:?}; the steps are: {}",
            names.join(", ")
        );
    }
    let named = |list: &[String], step: &Step| list.iter().any(|name| name == step.name);
    Ok(ALL
        .iter()
        .filter(|step| (only.is_empty() || named(only, step)) && !named(skip, step))
        .copied()
        .collect())
}

/// Runs the steps, prints a headline for each and a table at the end; stops at the first failure unless
/// told to keep going.
pub(crate) fn run(steps: &[Step], keep_going: bool) -> Result<()> {
    let mut results: Vec<(Step, Verdict, Duration)> = Vec::new();
    for (number, &step) in steps.iter().enumerate() {
        let failed = results
            .iter()
            .any(|(_, verdict, _)| *verdict == Verdict::Failed);
        if failed && !keep_going {
            results.push((step, Verdict::NotRun, Duration::ZERO));
            continue;
        }
        println!(
            "\n==== [{}/{}] {}: {}",
            number + 1,
            steps.len(),
            step.name,
            step.about
        );
        let start = Instant::now();
        let verdict = match (step.run)() {
            Ok(()) => Verdict::Passed,
            Err(error) => {
                println!("error: {error:#}");
                Verdict::Failed
            }
        };
        println!(
            "==== {}: {verdict} in {:.1} s",
            step.name,
            start.elapsed().as_secs_f32()
        );
        results.push((step, verdict, start.elapsed()));
    }
    println!("\nsummary");
    for (step, verdict, time) in &results {
        println!(
            "  {:10} {verdict:8} {:7.1} s",
            step.name,
            time.as_secs_f32()
        );
    }
    let failed: Vec<&str> = results
        .iter()
        .filter(|(_, verdict, _)| *verdict == Verdict::Failed)
        .map(|(step, ..)| step.name)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let again: Vec<String> = failed.iter().map(|name| format!("--only {name}")).collect();
    bail!(
        "failed: {}; to repeat: cargo xtask test {}",
        failed.join(", "),
        again.join(" ")
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    NotRun,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotRun => "not run",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], skip: &[&str]) -> Vec<&'static str> {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let steps = selected(&owned(only), &owned(skip)).unwrap();
        steps.iter().map(|step| step.name).collect()
    }

    #[test]
    fn steps_are_selected_by_name_in_their_order() {
        assert_eq!(names(&[], &[]).len(), ALL.len());
        assert_eq!(names(&["unit", "fmt"], &[]), ["fmt", "unit"]);
        assert_eq!(names(&["unit", "fmt"], &["fmt"]), ["unit"]);
        assert!(!names(&[], &["deny"]).contains(&"deny"));
        let error = selected(&["nothing".to_owned()], &[]).unwrap_err();
        assert!(
            error.to_string().contains("the steps are: fmt, clippy"),
            "{error}"
        );
    }

    const PASSES: Step = Step {
        name: "passes",
        about: "",
        run: || Ok(()),
    };
    const FAILS: Step = Step {
        name: "fails",
        about: "",
        run: || bail!("no"),
    };
    const MUST_NOT_RUN: Step = Step {
        name: "later",
        about: "",
        run: || panic!("a step ran after a failure"),
    };

    #[test]
    fn the_first_failure_stops_unless_told_otherwise() {
        assert!(run(&[PASSES], false).is_ok());
        let error = run(&[PASSES, FAILS, MUST_NOT_RUN], false).unwrap_err();
        assert!(error.to_string().starts_with("failed: fails; "), "{error}");
        let error = run(&[FAILS, PASSES, FAILS], true).unwrap_err();
        assert!(
            error.to_string().starts_with("failed: fails, fails; "),
            "{error}"
        );
    }
}
