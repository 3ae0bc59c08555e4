//! Exact counts that are kept in the repository: what must not grow unseen, and what it must never exceed.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{cargo, paths};

/// One line for each count: `count  at-most  unit  | name`.
const FILE: &str = "counts.txt";
/// A count may grow by this share, in percent, until it must be accepted.
const TOLERANCE: f64 = 3.0;

const HEAD: &str = "\
# Exact counts and their limits. A count over its limit fails, and so does one that is more than 3 % over the
# count written here. `cargo xtask counts --accept` writes new counts; limits are set by hand.
";

/// Something that was counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Count {
    /// What it is the count of; unique.
    pub(crate) name: String,
    /// What is counted, and per what: `instructions/line`.
    pub(crate) unit: String,
    /// How many.
    pub(crate) value: f64,
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    count: Count,
    limit: Option<f64>,
}

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq)]
struct Baseline {
    /// Which compiler the instructions were counted with.
    compiler: String,
    rows: Vec<Row>,
}

/// Compares counts with the file and prints a table; with `accept` writes them into it. Rows of other
/// counts stay as they are.
///
/// `compiled` says that another compiler may give other counts: growth is then shown, but only a limit
/// fails.
pub(crate) fn check(counts: &[Count], compiled: bool, accept: bool) -> Result<()> {
    let path = path();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(_) if accept => String::new(),
        Err(error) => return Err(error).context(path.display().to_string()),
    };
    let mut baseline = Baseline::parse(&text)?;
    let compiler = cargo::rustc().arg("--version").stdout()?.trim().to_owned();
    let same_compiler = !compiled || baseline.compiler == compiler || baseline.rows.is_empty();
    let mut failures = Vec::new();
    println!(
        "{:>10} {:>10} {:>8} {:>10}  what",
        "count", "baseline", "change", "at most"
    );
    for count in counts {
        let row = baseline
            .rows
            .iter()
            .find(|row| row.count.name == count.name);
        println!("{}", describe(count, row));
        failures.extend(judge(count, row, same_compiler));
    }
    if !same_compiler {
        println!(
            "The baseline is from {}, this is {compiler}: growth is shown, but only limits fail.",
            baseline.compiler
        );
    }
    if accept {
        if compiled {
            baseline.compiler = compiler;
        }
        counts.iter().for_each(|count| baseline.set(count));
        fs::write(&path, baseline.render()).context(path.display().to_string())?;
        println!("written: {FILE}");
        failures.retain(|failure| failure.over_limit);
    }
    if failures.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = failures.into_iter().map(|failure| failure.text).collect();
    bail!(
        "{}\nIf the growth is meant: cargo xtask counts --accept, and say in the commit why",
        lines.join("\n")
    )
}

/// The count of this name that the file holds.
pub(crate) fn written(name: &str) -> Result<Count> {
    let text = fs::read_to_string(path()).with_context(|| path().display().to_string())?;
    let rows = Baseline::parse(&text)?.rows;
    let row = rows.into_iter().find(|row| row.count.name == name);
    Ok(row
        .with_context(|| format!("{FILE} has no {name:?}"))?
        .count)
}

fn path() -> PathBuf {
    paths::root().join(FILE)
}

fn describe(count: &Count, row: Option<&Row>) -> String {
    let change = row.map(|row| change(row.count.value, count.value));
    let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), number);
    format!(
        "{:>10} {:>10} {:>8} {:>10}  {}: {}",
        number(count.value),
        show(row.map(|row| row.count.value)),
        change.map_or_else(|| "new".to_owned(), |change| format!("{change:+.1} %")),
        show(row.and_then(|row| row.limit)),
        count.unit,
        count.name,
    )
}

/// Why a check fails.
#[derive(Clone, Debug, PartialEq)]
struct Failure {
    over_limit: bool,
    text: String,
}

fn judge(count: &Count, row: Option<&Row>, same_compiler: bool) -> Option<Failure> {
    let value = number(count.value);
    let name = &count.name;
    let Some(row) = row else {
        return Some(Failure {
            over_limit: false,
            text: format!("{name}: {value}, not in {FILE} yet"),
        });
    };
    if let Some(limit) = row.limit
        && count.value > limit
    {
        return Some(Failure {
            over_limit: true,
            text: format!("{name}: {value}, at most {}", number(limit)),
        });
    }
    let grown = change(row.count.value, count.value);
    (same_compiler && grown > TOLERANCE).then(|| Failure {
        over_limit: false,
        text: format!(
            "{name}: {value}, was {} ({grown:+.1} %)",
            number(row.count.value)
        ),
    })
}

/// In percent.
fn change(before: f64, now: f64) -> f64 {
    if before == now {
        return 0.0;
    }
    (now - before) / before * 100.0
}

/// Four digits that count, no zeros behind them.
fn number(value: f64) -> String {
    let text = match value {
        value if value < 10.0 => format!("{value:.3}"),
        value if value < 1000.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

impl Baseline {
    fn parse(text: &str) -> Result<Self> {
        let mut baseline = Self::default();
        for line in text.lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with("rustc ") {
                baseline.compiler = line.to_owned();
                continue;
            }
            let row = parse_row(line).with_context(|| format!("{FILE}: {line:?}"))?;
            baseline.rows.push(row);
        }
        Ok(baseline)
    }

    fn render(&self) -> String {
        let mut text = format!("{HEAD}{}\n\n", self.compiler);
        text.push_str("#    count    at most  unit                      what\n");
        for Row { count, limit } in &self.rows {
            let limit = limit.map_or_else(|| "-".to_owned(), number);
            let (value, unit, name) = (number(count.value), &count.unit, &count.name);
            // Writing to a string can not fail.
            let _ = writeln!(text, "{value:>10} {limit:>10}  {unit:24}  {name}");
        }
        text
    }

    fn set(&mut self, count: &Count) {
        match self
            .rows
            .iter_mut()
            .find(|row| row.count.name == count.name)
        {
            Some(row) => row.count = count.clone(),
            None => self.rows.push(Row {
                count: count.clone(),
                limit: None,
            }),
        }
    }
}

fn parse_row(line: &str) -> Result<Row> {
    let (value, rest) = word(line);
    let (limit, rest) = word(rest);
    let (unit, name) = word(rest);
    if name.is_empty() {
        bail!("want: count, at most or -, unit, what");
    }
    Ok(Row {
        limit: match limit {
            "-" => None,
            limit => Some(limit.parse().context("the limit is no number")?),
        },
        count: Count {
            name: name.to_owned(),
            unit: unit.to_owned(),
            value: value.parse().context("the count is no number")?,
        },
    })
}

/// The first word, and the rest without the spaces around it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(value: f64) -> Count {
        Count {
            name: "parse a line, 8 common".to_owned(),
            unit: "instructions/line".to_owned(),
            value,
        }
    }

    fn row(value: f64, limit: Option<f64>) -> Row {
        Row {
            count: count(value),
            limit,
        }
    }

    #[test]
    fn a_file_there_and_back() {
        let baseline = Baseline {
            compiler: "rustc 1.95.0 (59807616e 2026-04-14)".to_owned(),
            rows: vec![row(512.5, Some(530.0)), row(0.375, None)],
        };
        assert_eq!(Baseline::parse(&baseline.render()).unwrap(), baseline);
        assert!(Baseline::parse("12 x unit name").is_err());
        assert!(Baseline::parse("12 -").is_err());
    }

    #[test]
    fn growth_and_limits_fail() {
        let judge = |value, row: &Row, same| judge(&count(value), Some(row), same);
        let was = row(500.0, Some(530.0));
        assert_eq!(judge(514.0, &was, true), None);
        assert!(judge(516.0, &was, true).is_some_and(|failure| !failure.over_limit));
        assert!(judge(531.0, &was, true).is_some_and(|failure| failure.over_limit));
        // Another compiler: only the limit holds.
        assert_eq!(judge(520.0, &was, false), None);
        assert!(judge(531.0, &was, false).is_some());
        // From nothing every growth is too much.
        let nothing = row(0.0, Some(0.0));
        assert_eq!(judge(0.0, &nothing, true), None);
        assert!(judge(1.0, &nothing, true).is_some());
    }

    #[test]
    fn accepting_keeps_limits_and_order() {
        let mut baseline = Baseline {
            compiler: String::new(),
            rows: vec![row(500.0, Some(530.0))],
        };
        baseline.set(&count(400.0));
        assert_eq!(baseline.rows, [row(400.0, Some(530.0))]);
    }
}
