//! Runs each piece of the core's work once, so that callgrind can count its instructions. It prints what it
//! ran; `cargo xtask counts` runs it and compares.

mod bombs;
mod cases;
mod corpus;
mod machines;

use std::process::ExitCode;

/// One piece of work.
pub(crate) struct Case {
    name: String,
    /// What is counted: a line, a reply, an octet, a message.
    unit: &'static str,
    /// Sets it up.
    prepare: Box<dyn FnOnce() -> Work>,
}

/// A piece of work that is set up.
pub(crate) struct Work {
    /// How many units one run does.
    units: usize,
    run: Box<dyn FnMut()>,
}

impl Case {
    pub(crate) fn new(
        name: impl Into<String>,
        unit: &'static str,
        prepare: impl FnOnce() -> Work + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            unit,
            prepare: Box::new(prepare),
        }
    }
}

impl Work {
    pub(crate) fn new(units: usize, run: impl FnMut() + 'static) -> Self {
        Self {
            units,
            run: Box::new(run),
        }
    }
}

/// Without an argument lists the cases; with the name of one, runs it.
fn main() -> ExitCode {
    let cases = cases::all();
    let Some(wanted) = std::env::args().nth(1) else {
        for case in cases {
            println!("{}", case.name);
        }
        return ExitCode::SUCCESS;
    };
    let Some(case) = cases.into_iter().find(|case| case.name == wanted) else {
        eprintln!("there is no case {wanted:?}");
        return ExitCode::FAILURE;
    };
    let mut work = (case.prepare)();
    // Once unseen: what is looked up or set up at the first time does not count.
    (work.run)();
    counted_run(&mut *work.run);
    println!("{} {}", work.units, case.unit);
    ExitCode::SUCCESS
}

/// The one function whose instructions are counted.
#[inline(never)]
fn counted_run(work: &mut dyn FnMut()) {
    work();
}
