//! The goals for exact counts that `counts.txt` does not hold as limits, because they are not reached.

use anyhow::Result;

use super::Effort;
use super::environment::Environment;
use super::page::{Goal, Page};
use crate::baseline;

/// What is counted, the goal, and what counts the same with the least that has to be done.
const OPEN: &[(&str, f64, Option<&str>)] = &[
    (
        "server: a message of 1 KiB, DATA",
        3_500.0,
        Some("limit: the same, parsed and answered without a session"),
    ),
    ("client: a message, PIPELINING", 4.0, None),
];

pub(super) fn run(_: &Environment, _: Effort, page: &mut Page) -> Result<()> {
    for (name, goal, limit) in OPEN {
        let count = baseline::written(name)?;
        let limit = limit.map(baseline::written).transpose()?;
        let what = format!("{}: {}", count.unit.replace('-', " "), count.name);
        let goal = Goal::at_most(what, count.value, *goal);
        page.goal(goal.limit(limit.map(|limit| limit.value)));
    }
    Ok(())
}
