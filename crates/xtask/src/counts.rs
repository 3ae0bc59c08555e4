//! The instructions of the core's work, counted by callgrind. The same program gives the same count, however
//! busy the machine is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::baseline::{self, Count};
use crate::shell::Run;
use crate::{cargo, paths, setup};

const PACKAGE: &str = "sansmtp-counts";
/// The function whose instructions count, with all that it calls.
const COUNTED: &str = "*counted_run*";

/// Counts all cases and compares; `accept` makes the counts the new baseline.
pub(crate) fn run(accept: bool) -> Result<()> {
    setup::valgrind()?;
    cargo::command()
        .args(["build", "--quiet", "--locked", "--profile", "counts"])
        .args(["--package", PACKAGE])
        .run()?;
    let program = paths::target().join("counts").join(PACKAGE);
    let directory = paths::target().join("callgrind");
    fs::create_dir_all(&directory).context("a directory for callgrind's files")?;
    let mut counts = Vec::new();
    let mut bombs: Vec<Count> = Vec::new();
    let mut allocations = 0;
    for case in Run::new(&program).stdout()?.lines() {
        let file = directory.join(file_name(case));
        let (count, allocated) = count(&program, case, &file)?;
        allocations += allocated;
        if case.starts_with("bomb") {
            bombs.push(count);
        } else {
            counts.push(count);
        }
    }
    linear(&bombs)?;
    counts.push(Count {
        name: "the core, in all of the above".to_owned(),
        unit: "allocations".to_owned(),
        value: allocations as f64,
    });
    let checked = baseline::check(&counts, true, accept);
    checked.with_context(|| {
        format!(
            "where the instructions go: callgrind_annotate {}/*.out",
            directory.display()
        )
    })
}

/// Fails where the longer of two bombs costs more for each octet than the shorter.
fn linear(bombs: &[Count]) -> Result<()> {
    let mut worse = Vec::new();
    for pair in bombs.chunks(2) {
        let [short, long] = pair else { continue };
        // What a call costs by itself weighs more in the shorter one.
        if long.value > short.value * 1.02 + 0.1 {
            worse.push(format!(
                "{}: {:.2} for each octet, and {:.2} in a longer one",
                short.name, short.value, long.value
            ));
        }
    }
    println!(
        "{} bombs, all linear: {}",
        bombs.len() / 2,
        worse.is_empty()
    );
    if worse.is_empty() {
        return Ok(());
    }
    bail!("not linear:\n{}", worse.join("\n"))
}

/// Runs one case: its instructions per unit, and how often it allocated.
fn count(program: &Path, case: &str, file: &Path) -> Result<(Count, u64)> {
    let said = Run::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--quiet"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .arg(case)
        .stdout()?;
    let (units, unit) = said
        .trim()
        .split_once(' ')
        .context("units and their name")?;
    let units: u64 = units.parse().context("the number of units")?;
    let profile = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let total = total(&profile).with_context(|| format!("no total in {}", file.display()))?;
    let count = Count {
        name: case.to_owned(),
        unit: format!("instructions/{unit}"),
        value: total as f64 / units as f64,
    };
    Ok((count, allocations(&profile)))
}

fn file_name(case: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("{}.out", case.chars().map(plain).collect::<String>())
}

/// All instructions of a profile.
fn total(profile: &str) -> Option<u64> {
    profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?
        .trim()
        .parse()
        .ok()
}

/// How often a function was called that allocates.
fn allocations(profile: &str) -> u64 {
    // `cfn=(12) name` says whom the next `calls=` line is about; the name comes with the first mention only.
    let mut allocators: Vec<&str> = Vec::new();
    let mut callee = "";
    let mut calls = 0;
    for line in profile.lines() {
        if let Some(mention) = line
            .strip_prefix("cfn=")
            .or_else(|| line.strip_prefix("fn="))
        {
            let (id, name) = mention.split_once(' ').unwrap_or((mention, ""));
            if matches!(name, "malloc" | "calloc" | "realloc" | "posix_memalign") {
                allocators.push(id);
            }
            if line.starts_with("cfn=") {
                callee = id;
            }
        } else if let Some(number) = line.strip_prefix("calls=")
            && allocators.contains(&callee)
        {
            let number = number.split(' ').next().unwrap_or_default();
            calls += number.parse::<u64>().unwrap_or(1);
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
events: Ir
fn=(1) sansmtp_counts::counted_run
3 5
cfn=(2) parse
calls=8 12
3 400
cfn=(3) malloc
calls=2 0
3 90
fn=(2)
cfn=(3)
calls=1 0
4 45
totals: 540
";

    #[test]
    fn what_a_profile_says() {
        assert_eq!(total(PROFILE), Some(540));
        assert_eq!(allocations(PROFILE), 3);
        assert_eq!(file_name("a message, 1 KiB"), "a_message__1_KiB.out");
    }
}
