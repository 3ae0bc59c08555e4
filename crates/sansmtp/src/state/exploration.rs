//! A breadth-first walk over the states of both machines: from each one that was found, everything that a peer
//! or a driver can do is done once.
//!
//! A session is plain data, so a state is a session, less the points in time; the limits are small, so that the
//! walk comes to an end.

use super::{State, Step, TRANSITIONS, taken};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::{Debug, Write};
use std::format;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::string::String;
use std::vec::Vec;

mod client;
mod server;

/// The steps of one role, and how many states and calls it took to find them.
struct Walk {
    steps: HashSet<(State, Step)>,
    states: usize,
    calls: usize,
}

/// More states than there are.
const LIMIT: usize = 50_000;

/// Walks from `first`; `neighbours` calls back with each state that follows from one.
fn walk<N: Clone + Debug>(
    first: Vec<N>,
    mut neighbours: impl FnMut(&N, &mut dyn FnMut(N)),
) -> Walk {
    taken::all();
    let mut known = HashSet::new();
    let mut waiting = VecDeque::new();
    let mut calls = 0;
    for node in first {
        known.insert(key(&node));
        waiting.push_back(node);
    }
    while let Some(node) = waiting.pop_front() {
        neighbours(&node, &mut |next| {
            calls += 1;
            if known.insert(key(&next)) {
                waiting.push_back(next);
            }
        });
        assert!(known.len() < LIMIT, "the walk does not end: {node:?}");
    }
    Walk {
        steps: taken::all(),
        states: known.len(),
        calls,
    }
}

/// What a state is known by.
fn key(node: &impl Debug) -> u64 {
    let mut text = Blurred {
        hasher: DefaultHasher::new(),
        number: None,
        quoted: false,
        behind: [0; 9],
    };
    // Hashing does not fail.
    let _ = write!(text, "{node:?}");
    text.hasher.finish()
}

/// Hashes text; points in time and the texts of replies are made equal, and so are counts of octets above the
/// limit.
struct Blurred {
    hasher: DefaultHasher,
    number: Option<u64>,
    quoted: bool,
    /// The text in front of what comes next.
    behind: [u8; 9],
}

impl Write for Blurred {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            self.quoted ^= byte == b'"';
            if self.quoted {
                continue;
            }
            if byte.is_ascii_digit() {
                let digit = u64::from(byte - b'0');
                let number = self.number.unwrap_or(0).saturating_mul(10);
                self.number = Some(number.saturating_add(digit));
                continue;
            }
            if let Some(number) = self.number.take() {
                let shown = match &self.behind {
                    b" Instant(" | b"(Instant(" => 0,
                    [.., b' ', b's', b'i', b'z', b'e', b':', b' ']
                    | [.., b' ', b'c', b'a', b'm', b'e', b':', b' '] => number.min(4),
                    _ => number,
                };
                shown.hash(&mut self.hasher);
            }
            self.behind.rotate_left(1);
            self.behind[8] = byte;
            byte.hash(&mut self.hasher);
        }
        Ok(())
    }
}

fn names(steps: &HashSet<(State, Step)>) -> String {
    let mut names: Vec<String> = steps.iter().map(|it| format!("{it:?}")).collect();
    names.sort();
    names.join(", ")
}

/// Every transition is in the table, every one of the table is reached, and none else.
///
/// Half a minute: `cargo xtask test --only simulate` runs it.
#[test]
#[ignore = "cargo xtask test --only simulate runs it, optimised"]
fn the_machines_go_where_the_table_says_and_everywhere() {
    let (client, server) = (client::explore(), server::explore());
    for (role, walk) in [("client", &client), ("server", &server)] {
        std::println!(
            "{role}: {} states, {} calls, {} transitions",
            walk.states,
            walk.calls,
            walk.steps.len()
        );
    }
    let table: HashMap<(State, Step), State> = TRANSITIONS
        .into_iter()
        .map(|(from, step, to)| ((from, step), to))
        .collect();
    let table: HashSet<(State, Step)> = table.into_keys().collect();
    let found: HashSet<(State, Step)> = client.steps.union(&server.steps).copied().collect();
    let missing: HashSet<(State, Step)> = table.difference(&found).copied().collect();
    let foreign: HashSet<(State, Step)> = found.difference(&table).copied().collect();
    assert!(foreign.is_empty(), "not in the table: {}", names(&foreign));
    assert!(missing.is_empty(), "not reached: {}", names(&missing));
}
