//! Runs written dialogues against a machine, without sockets.
//!
//! ```text
//! # name of the case
//! S: 220 hi            a line from or to the server
//! C: EHLO c            a line from or to the client
//! -- > quit            something the driver does
//! -- closed            something the machine tells
//! ```
//!
//! Lines of the peer that follow one another arrive together. In them `\r`,
//! `\n`, `\t`, `\0`, `\xff` and `{x*100}` are escapes, and `~` at the end
//! stands for no CR LF. All that the machine says and tells must be written
//! down.

// Each test file uses a part.
#![allow(dead_code)]

use sansmtp::Instant;
use std::collections::VecDeque;

/// What runs a dialogue: a machine and its driver.
pub(crate) trait Driver {
    /// `C: ` or `S: `: whom the driver plays the network for.
    const PEER: &'static str;
    /// Octets of the peer arrive.
    fn arrive(&mut self, octets: &[u8]);
    /// Does what `-- > ` says.
    fn act(&mut self, action: &str);
    fn common(&mut self) -> &mut Common;
    /// Panics if something does not hold at any time.
    fn check(&mut self);
}

/// What both drivers keep.
pub(crate) struct Common {
    pub(crate) now: Instant,
    pub(crate) read: usize,
    pub(crate) write: usize,
    /// Octets that arrived and were not taken yet.
    pub(crate) input: Vec<u8>,
    pub(crate) output: Vec<u8>,
    pub(crate) told: VecDeque<String>,
}

impl Common {
    pub(crate) fn new(read: usize, write: usize) -> Self {
        Self {
            now: Instant::from_millis(1_000),
            read,
            write,
            input: Vec::new(),
            output: Vec::new(),
            told: VecDeque::new(),
        }
    }

    pub(crate) fn tell(&mut self, what: String) {
        self.told.push_back(what);
    }
}

const READS: [usize; 6] = [1, 2, 3, 7, 64, 1 << 20];
const WRITES: [usize; 4] = [1, 3, 17, 4096];

/// Runs all cases of `script`. `start` makes the driver from the words behind
/// the name of a case, for pieces of these sizes.
pub(crate) fn run<D: Driver>(script: &str, start: impl Fn(&str, usize, usize) -> D) {
    let mut cases = 0;
    for case in script.split("\n# ").skip(1) {
        let (title, body) = case.split_once('\n').expect("a case has lines");
        let (name, options) = title.split_once(" | ").unwrap_or((title, ""));
        cases += 1;
        let large = body.contains("0000}");
        for read in READS {
            for write in WRITES {
                if large && (read < 64 || write < 17) {
                    continue;
                }
                run_case(name, body, start(options, read, write));
            }
        }
    }
    assert!(cases > 0, "no case in the script");
}

fn run_case<D: Driver>(name: &str, body: &str, mut driver: D) {
    let own = if D::PEER == "S: " { "C: " } else { "S: " };
    let (read, write) = (driver.common().read, driver.common().write);
    let mut lines = body.lines().peekable();
    let mut number = 0;
    while let Some(line) = lines.next() {
        number += 1;
        let place = format!("{name}, line {number} (read {read}, write {write}): {line}");
        if line.is_empty() {
            continue;
        }
        if let Some(action) = line.strip_prefix("-- > ") {
            driver.act(action);
        } else if let Some(expected) = line.strip_prefix("-- ") {
            let told = driver.common().told.pop_front();
            assert_eq!(told.as_deref(), Some(expected), "{place}");
        } else if let Some(text) = line.strip_prefix(D::PEER) {
            let mut octets = unescape(text);
            while let Some(text) = lines.peek().and_then(|line| line.strip_prefix(D::PEER)) {
                octets.extend(unescape(text));
                lines.next();
                number += 1;
            }
            driver.arrive(&octets);
        } else if let Some(text) = line.strip_prefix(own) {
            let expected = unescape(text);
            let output = &mut driver.common().output;
            let got = &output[..expected.len().min(output.len())];
            assert_eq!(
                String::from_utf8_lossy(got),
                String::from_utf8_lossy(&expected),
                "{place}\nall of it: {:?}",
                String::from_utf8_lossy(output)
            );
            output.drain(..expected.len());
        } else {
            panic!("{place}: not understood");
        }
        driver.check();
    }
    let Common { told, output, .. } = driver.common();
    let output = String::from_utf8_lossy(output);
    assert!(
        told.is_empty() && output.is_empty(),
        "{name} (read {read}, write {write}): more came: {told:?} {output:?}"
    );
}

fn unescape(text: &str) -> Vec<u8> {
    let (text, end) = match text.strip_suffix('~') {
        Some(text) => (text, ""),
        None => (text, "\r\n"),
    };
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let escape = rest.get(..2).unwrap_or_default();
        let (used, plain): (usize, Vec<u8>) = match escape {
            "\\r" => (2, b"\r".into()),
            "\\n" => (2, b"\n".into()),
            "\\t" => (2, b"\t".into()),
            "\\0" => (2, b"\0".into()),
            "\\x" => (4, vec![u8::from_str_radix(&rest[2..4], 16).unwrap()]),
            _ if c == '{' && rest.contains('*') => {
                let end = rest.find('}').unwrap();
                let (what, count) = rest[1..end].rsplit_once('*').unwrap();
                let what = unescape(&format!("{what}~"));
                (end + 1, what.repeat(count.parse().unwrap()))
            }
            _ => (c.len_utf8(), c.to_string().into()),
        };
        octets.extend(plain);
        rest = &rest[used..];
    }
    octets.extend_from_slice(end.as_bytes());
    octets
}
