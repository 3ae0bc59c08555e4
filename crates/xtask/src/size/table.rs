//! The table in the README, between two marks.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::probe::{Cost, TARGETS};
use super::{LINE_BUFFER, Row};

const BEGIN: &str = "<!-- begin: cargo xtask size -->\n";
const END: &str = "<!-- end: cargo xtask size -->";

/// How far a number may be from the one in the README before that is stale, in hundredths.
const TOLERANCE: u32 = 3;

/// The text between the marks.
pub(super) fn render(compiler: &str, rows: &[(&Row, Vec<Option<Cost>>)]) -> String {
    let mut text = format!(
        "Octets with {compiler}, opt-level z, fat LTO; `memcpy` and its like not counted. State is that of one session,\n\
         beside a line buffer of {LINE_BUFFER} octets or more, which the caller lends. The deepest stack is that of all calls\n\
         below one of the caller's, frame by frame; a source of content that the caller lends comes on top.\n\n\
         | part of the core | {} | state | largest stack frame | deepest stack | panics | allocations |\n\
         |---|{}---:|---:|---:|---:|---:|\n",
        TARGETS
            .iter()
            .map(|target| format!("flash, {}", target.split('-').next().unwrap_or(target)))
            .collect::<Vec<_>>()
            .join(" | "),
        "---:|".repeat(TARGETS.len())
    );
    for (row, costs) in rows {
        let mut cells = vec![row.name.to_owned()];
        for cost in costs {
            cells.push(cost.as_ref().map_or("-".to_owned(), |it| number(it.flash)));
        }
        if let Some(cost) = &costs[0] {
            if cost.flash > row.limits.goal {
                cells[1] = format!("{} (goal {})", cells[1], number(row.limits.goal));
            }
            cells.extend(
                [
                    cost.state,
                    cost.frame.0,
                    cost.chain.depth,
                    cost.panics,
                    cost.allocations,
                ]
                .map(number),
            );
        }
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text
}

/// Puts the text into the file.
pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    let old = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let (before, _, behind) = parts(&old)?;
    fs::write(file, [before, text, behind].concat()).with_context(|| file.display().to_string())
}

/// Fails if the text in the file is stale. Numbers of another compiler say nothing about these.
pub(super) fn compare(file: &Path, text: &str) -> Result<()> {
    let old = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let (_, old, _) = parts(&old)?;
    if old.split(',').next() != text.split(',').next() {
        println!("the table in the README was made by another compiler: only the limits count");
        return Ok(());
    }
    match difference(old, text) {
        None => Ok(()),
        Some((old, new)) => bail!(
            "the table in the README is stale; cargo xtask size writes it anew:\n- {old}\n+ {new}"
        ),
    }
}

/// What stands before, between and behind the marks.
fn parts(text: &str) -> Result<(&str, &str, &str)> {
    let begin = text.find(BEGIN).map(|at| at + BEGIN.len());
    let begin = begin.context("the README has no mark where the table begins")?;
    let end = text.find(END).filter(|end| *end >= begin);
    let end = end.context("the README has no mark where the table ends")?;
    Ok((&text[..begin], &text[begin..end], &text[end..]))
}

/// The first pair of lines that differ by more than the tolerance.
fn difference<'a>(old: &'a str, new: &'a str) -> Option<(&'a str, &'a str)> {
    let (mut olds, mut news) = (old.lines(), new.lines());
    loop {
        let pair = match (olds.next(), news.next()) {
            (None, None) => return None,
            (old, new) => (old.unwrap_or_default(), new.unwrap_or_default()),
        };
        let (olds, news) = (words(pair.0), words(pair.1));
        let same = olds.len() == news.len() && olds.iter().zip(&news).all(|(a, b)| is_near(a, b));
        if !same {
            return Some(pair);
        }
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn is_near(old: &str, new: &str) -> bool {
    let value = |word: &str| word.replace(',', "").parse::<u32>().ok();
    match (value(old), value(new)) {
        (Some(old), Some(new)) => old.abs_diff(new) * 100 <= old * TOLERANCE,
        // A target whose compiler is missing on one of the two machines.
        (Some(_), None) if new == "-" => true,
        (None, Some(_)) if old == "-" => true,
        _ => old == new,
    }
}

/// With a comma behind the thousands.
fn number(value: u32) -> String {
    match value {
        0..1000 => value.to_string(),
        _ => format!("{},{:03}", value / 1000, value % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_changes_are_no_news() {
        assert_eq!(difference("| a | 1,000 |", "| a | 1,030 |"), None);
        assert_eq!(difference("| a | - | 7 |", "| a | 500 | 7 |"), None);
        for (old, new) in [
            ("| a | 1,000 |", "| a | 1,031 |"),
            ("| a | 0 |", "| a | 1 |"),
            ("| a | 1 |", "| b | 1 |"),
            ("| a | 1 |", "| a | 1 |\n| b | 2 |"),
        ] {
            assert!(difference(old, new).is_some(), "{old} {new}");
        }
    }

    #[test]
    fn numbers_and_marks() {
        assert_eq!(number(999), "999");
        assert_eq!(number(12_034), "12,034");
        let text = format!("a\n{BEGIN}table\n{END}\nb");
        let (before, inside, behind) = parts(&text).unwrap();
        assert_eq!(inside, "table\n");
        assert_eq!([before, inside, behind].concat(), text);
        assert!(parts("a").is_err() && parts(BEGIN).is_err());
    }
}
