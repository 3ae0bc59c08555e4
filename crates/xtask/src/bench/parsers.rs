//! The time of the core's work, by criterion. What it costs in instructions is in `counts.txt`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Effort;
use super::environment::Environment;
use super::page::Page;
use super::table::{Table, number};
use crate::{cargo, paths};

pub(super) fn run(_: &Environment, effort: Effort, page: &mut Page) -> Result<()> {
    let target = paths::target().join("bench/peers");
    let seconds = if effort.full { "2" } else { "0.3" };
    cargo::command()
        .args(["bench", "--quiet", "--locked", "--bench", "core"])
        .args(["--manifest-path", "bench/peers/Cargo.toml", "--target-dir"])
        .arg(&target)
        .args(["--", "--noplot", "--sample-size", "20"])
        .args(["--warm-up-time", "0.2", "--measurement-time", seconds])
        .env("CRITERION_HOME", target.join("criterion"))
        .run_quietly()?;
    let head = ["what", "nanoseconds", "95 % of the time"];
    let mut table = Table::new("The core's work in memory", &head);
    for group in directories(&target.join("criterion"))? {
        for case in directories(&group)? {
            let path = case.join("new/estimates.json");
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            let estimates: Value = serde_json::from_str(&text)?;
            let mean = &estimates["median"];
            let interval = &mean["confidence_interval"];
            let value = |value: &Value| value.as_f64().map_or("?".to_owned(), number);
            let name = |path: &Path| {
                let name = path.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            };
            table.rows.push(vec![
                format!("{}: {}", name(&group), name(&case)),
                value(&mean["point_estimate"]),
                format!(
                    "{} to {}",
                    value(&interval["lower_bound"]),
                    value(&interval["upper_bound"])
                ),
            ]);
        }
    }
    page.add(table);
    Ok(())
}

fn directories(path: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(path).with_context(|| path.display().to_string())?;
    let mut found: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    Ok(found)
}
