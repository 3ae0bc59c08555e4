//! `docs/conformance.md` names files and tests: they must be there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::paths;

/// Short forms of paths, in both columns.
const SHORT: &[(&str, &str)] = &[
    ("core:", "crates/sansmtp/src/"),
    ("dialogue:", "crates/sansmtp/tests/dialogue/"),
    ("simulation:", "tests/simulation/src/"),
    ("tokio:", "crates/sansmtp-tokio/src/"),
];
const LEVELS: &[&str] = &["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"];
const ROLES: &[&str] = &["client", "server", "both"];

/// All that is wrong with the table, and how many rows it has.
fn faults(text: &str, root: &Path) -> (Vec<String>, usize) {
    let mut faults = Vec::new();
    let mut rows = 0;
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if line.starts_with("|---") || line.starts_with("| section") {
            continue;
        }
        rows += 1;
        let [section, level, role, what, places, tests] = cells[..] else {
            faults.push(format!("{} cells: {line}", cells.len()));
            continue;
        };
        let mut wrong = |fault: &str| faults.push(format!("{section}, {what}: {fault}"));
        if !LEVELS.contains(&level) || !ROLES.contains(&role) {
            wrong("the level or role is none");
        }
        for place in quoted(places) {
            let file = full(&place, Some("crates/sansmtp/src/"), root);
            if !file.is_file() {
                wrong(&format!("there is no {}", file.display()));
            }
        }
        let named = quoted(tests);
        if named.is_empty() && !(tests.starts_with("none: ") && tests.len() > 20) {
            wrong("neither a test nor a reason");
        }
        if !named.is_empty() && places.is_empty() {
            wrong("nothing holds it");
        }
        for test in named {
            if let Err(fault) = find(&test, root) {
                wrong(&fault);
            }
        }
    }
    (faults, rows)
}

/// What stands between back quotes.
fn quoted(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(ToOwned::to_owned).collect()
}

fn full(path: &str, default: Option<&str>, root: &Path) -> PathBuf {
    let short = SHORT
        .iter()
        .find_map(|(short, long)| Some((path.strip_prefix(short)?, *long)));
    match (short, default) {
        (Some((rest, long)), _) => root.join(long).join(rest),
        (None, Some(default)) => root.join(default).join(path),
        (None, None) => root.join(path),
    }
}

/// Looks for `file::name`: a function, a case of a written dialogue, or a variant.
fn find(test: &str, root: &Path) -> Result<(), String> {
    let (file, name) = test
        .split_once("::")
        .ok_or_else(|| format!("{test} names no test"))?;
    let path = full(file, None, root);
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let there = if file.ends_with(".txt") {
        text.lines().any(|line| {
            let title = line.strip_prefix("# ").unwrap_or_default();
            title.split(" | ").next() == Some(name)
        })
    } else {
        text.contains(&format!("fn {name}(")) || text.contains(&format!("    {name},\n"))
    };
    there
        .then_some(())
        .ok_or_else(|| format!("{file} has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_test_that_is_there_or_a_reason() {
        let root = paths::root();
        let text = fs::read_to_string(root.join("docs/conformance.md")).unwrap();
        let (faults, rows) = faults(&text, &root);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert!(rows > 100, "{rows}");
    }

    #[test]
    fn faults_are_found() {
        let root = paths::root();
        let row = |places: &str, tests: &str| {
            let line = format!("| 1 | MUST | both | x | {places} | {tests} |");
            faults(&line, &root).0.len()
        };
        assert_eq!(
            row("`state.rs`", "`core:state.rs::what_must_not_happen`"),
            0
        );
        assert_eq!(row("", "none: since somebody else does it"), 0);
        assert_eq!(row("", "none"), 1);
        assert_eq!(row("", ""), 1);
        assert_eq!(
            row("`nothing.rs`", "`core:state.rs::what_must_not_happen`"),
            1
        );
        assert_eq!(row("`state.rs`", "`core:state.rs::no_such_test`"), 1);
        assert_eq!(row("`state.rs`", "`core:no_file.rs::x`"), 1);
        let case = "`dialogue:client_tls.txt::no such case`";
        assert_eq!(row("`state.rs`", case), 1);
    }
}
