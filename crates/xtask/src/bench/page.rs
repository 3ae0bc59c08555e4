//! The document: `docs/benchmarks.md` and its plot.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};

use super::plot::{self, Plot};
use super::table::{Table, number};
use crate::paths;

/// What a run has found so far.
#[derive(Debug)]
pub(super) struct Page {
    full: bool,
    machine: Vec<(String, String)>,
    goals: Vec<Goal>,
    tables: Vec<Table>,
    plots: Vec<Plot>,
}

/// A figure that is to be reached.
#[derive(Clone, Debug)]
pub(super) struct Goal {
    what: String,
    reached: f64,
    goal: f64,
    at_least: bool,
    /// What a program reaches that sends or expects fixed octets.
    limit: Option<f64>,
}

impl Goal {
    pub(super) fn at_least(what: String, reached: f64, goal: f64) -> Self {
        Self {
            what,
            reached,
            goal,
            at_least: true,
            limit: None,
        }
    }

    pub(super) fn at_most(what: String, reached: f64, goal: f64) -> Self {
        Self {
            at_least: false,
            ..Self::at_least(what, reached, goal)
        }
    }

    pub(super) fn limit(self, limit: Option<f64>) -> Self {
        Self { limit, ..self }
    }

    fn holds(&self, figure: f64) -> bool {
        match self.at_least {
            true => figure >= self.goal,
            false => figure <= self.goal,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.limit {
            _ if self.holds(self.reached) => "reached",
            Some(limit) if !self.holds(limit) => "**missed**, by the limit too",
            _ => "**missed**",
        }
    }
}

const HEAD: &str = "\
# Benchmarks

Made by `cargo xtask bench`, which installs what it needs, measures all rows in one run and writes this page; do not
edit it. `cargo xtask bench --quick` takes a minute behind its builds. Compare figures of one run only: the same
program is faster or slower by half on another day. All is on loopback of one machine, and client and server share
one core: whether two wake each other across cores is chance, and costs more than a message does. Messages per second
are therefore what both sides cost together. Processor time is what the system accounts to the process. Each figure is
the median of the rounds, and its spread the greatest of them as a multiple of the least; rows take turns within a
round.

What repeats exactly is not here but in [counts.txt](../counts.txt), with limits that CI holds: instructions of the
core, and system calls, round trips and allocations per message. Only the goals that they do not reach stand here.

Rows that begin with `limit` are no mail software: programs that send or expect fixed octets and look at nothing
else, which is what the system costs. What they reach stands in the column `limit` of the summary: a goal beyond it is
out of reach for any program on that machine.
";

impl Page {
    pub(super) fn new(full: bool, machine: Vec<(String, String)>) -> Self {
        Self {
            full,
            machine,
            goals: Vec::new(),
            tables: Vec::new(),
            plots: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, table: Table) {
        table.print();
        self.tables.push(table);
    }

    pub(super) fn goal(&mut self, goal: Goal) {
        self.goals.push(goal);
    }

    pub(super) fn plot(&mut self, title: &str, unit: &str, bars: Vec<(String, f64)>) {
        self.plots.push(Plot {
            title: title.to_owned(),
            unit: unit.to_owned(),
            bars,
        });
    }

    pub(super) fn print_goals(&self) {
        self.goals_table().print();
    }

    fn goals_table(&self) -> Table {
        let mut table = Table::new("Goals", &["what", "reached", "limit", "goal", ""]);
        for goal in &self.goals {
            let word = if goal.at_least { "at least" } else { "at most" };
            table.rows.push(vec![
                goal.what.clone(),
                number(goal.reached),
                goal.limit.map(number).unwrap_or_default(),
                format!("{word} {}", number(goal.goal)),
                goal.verdict().to_owned(),
            ]);
        }
        table
    }

    /// Writes the document. A quick run writes beside it, since its figures are rough.
    pub(super) fn write(&self) -> Result<()> {
        let directory = match self.full {
            true => paths::root().join("docs"),
            false => paths::target().join("bench"),
        };
        fs::create_dir_all(&directory)?;
        let (document, picture) = (
            directory.join("benchmarks.md"),
            directory.join("benchmarks.svg"),
        );
        fs::write(&document, self.markdown()).with_context(|| document.display().to_string())?;
        fs::write(&picture, plot::render(&self.plots))?;
        println!("written: {} and benchmarks.svg", document.display());
        Ok(())
    }

    fn markdown(&self) -> String {
        let mut text = HEAD.to_owned();
        let missed: Vec<&Goal> = self
            .goals
            .iter()
            .filter(|goal| !goal.holds(goal.reached))
            .collect();
        text.push_str("\n## Summary\n\n");
        text.push_str(&self.goals_table().markdown().replace("### Goals\n\n", ""));
        // Writing to a string can not fail.
        let _ = match missed.len() {
            0 => writeln!(text, "\nIn this run all of them were reached."),
            count => writeln!(
                text,
                "\nIn this run {count} of {} were missed.",
                self.goals.len()
            ),
        };
        text.push_str("\n![Bars of the figures below](benchmarks.svg)\n");
        text.push_str("\n## Machine and versions\n\n| | |\n| --- | --- |\n");
        for (what, value) in &self.machine {
            let _ = writeln!(text, "| {what} | {value} |");
        }
        text.push_str(
            "\nVersions of the peers stand in `bench/peers/Cargo.toml`, `bench/python/requirements.txt` and\n\
             `bench/node/package.json`; how each is started, in `crates/xtask/src/bench/rows.rs`.\n\n## Figures\n",
        );
        for table in &self.tables {
            let _ = write!(text, "\n{}", table.markdown());
        }
        text
    }
}
