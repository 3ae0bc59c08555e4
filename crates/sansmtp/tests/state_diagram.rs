//! The state diagram in ARCHITECTURE.md and the table in the documentation of `state` are drawn from the
//! transition table. After a change of it: `SANSMTP_DRAW=1 cargo test -p sansmtp --test state_diagram`.

use sansmtp::state::{State, Step, TRANSITIONS};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// What is seen of a step on the wire.
fn label(step: Step) -> &'static str {
    match step {
        Step::Greet => "220",
        Step::TurnAway => "554",
        Step::Hello => "EHLO",
        Step::AgreeTls => "STARTTLS",
        Step::TlsUp => "TLS is up",
        Step::Challenge => "AUTH, 334",
        Step::Authenticate => "235",
        Step::DenyAuthentication => "AUTH refused",
        Step::Mail => "MAIL",
        Step::Recipient => "RCPT",
        Step::GoAhead => "DATA, BDAT",
        Step::Chunk => "chunk taken",
        Step::Complete => "final dot, BDAT LAST",
        Step::Judge => "verdict",
        Step::Reset => "RSET",
        Step::Introduce => "XCLIENT",
        Step::Part => "QUIT, 421",
        Step::Close => "connection closed",
    }
}

/// Pairs of states with the labels of all steps between them, in the order of the table.
fn arrows() -> Vec<(State, State, String)> {
    let mut arrows: Vec<(State, State, String)> = Vec::new();
    for (from, step, to) in TRANSITIONS {
        match arrows.iter_mut().find(|it| (it.0, it.1) == (from, to)) {
            Some((_, _, labels)) => {
                labels.push_str(", ");
                labels.push_str(label(step));
            }
            None => arrows.push((from, to, label(step).to_owned())),
        }
    }
    arrows
}

/// For people: without the end that every state has.
fn diagram() -> String {
    let mut text = String::from("```mermaid\nstateDiagram-v2\n");
    for (from, to, labels) in arrows() {
        if to == State::Closed && from != State::Closing {
            continue;
        }
        writeln!(text, "    {from:?} --> {to:?}: {labels}").unwrap();
    }
    text + "```\n"
}

fn table() -> String {
    let mut text = String::from("| from | by | to |\n|---|---|---|\n");
    for (from, to, labels) in arrows() {
        writeln!(text, "| `{from:?}` | {labels} | `{to:?}` |").unwrap();
    }
    text
}

/// Compares the part of a file from `start` up to `end` with what belongs there, or writes it.
fn drawn(file: &Path, start: &str, end: &str, expected: &str) {
    let text = fs::read_to_string(file).unwrap();
    let at = text
        .find(start)
        .unwrap_or_else(|| panic!("{start} in {}", file.display()));
    let length = text[at..]
        .find(end)
        .map_or(text.len() - at, |length| length + end.len());
    let found = &text[at..at + length];
    if std::env::var_os("SANSMTP_DRAW").is_some() {
        let text = text.replace(found, expected);
        fs::write(file, text).unwrap();
    } else {
        assert_eq!(
            found,
            expected,
            "{}: see the head of this test",
            file.display()
        );
    }
}

#[test]
fn the_diagrams_are_drawn_from_the_table() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let architecture = here.join("../../ARCHITECTURE.md");
    drawn(&architecture, "```mermaid\n", "```\n", &diagram());
    drawn(
        &here.join("src/state/transitions.md"),
        "| from",
        "\0",
        &table(),
    );
}
