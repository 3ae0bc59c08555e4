//! What a message costs beyond instructions: system calls, round trips, allocations. Each is counted in the
//! steady state, as the difference between two runs of different length, so that what happens once does not
//! count.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::baseline::{self, Count};
use crate::shell::Run;
use crate::{cargo, paths, setup};

const PACKAGE: &str = "sansmtp-bench";
/// Messages of the two runs.
const RUNS: [usize; 2] = [100, 300];
/// Octets of a message.
const SIZE: &str = "1024";

/// Calls by their names.
pub(crate) type Calls = BTreeMap<String, u64>;

/// Counts all cases and compares; `accept` makes the counts the new baseline.
pub(crate) fn run(accept: bool) -> Result<()> {
    setup::strace()?;
    let program = build()?;
    let mut counts = inside(&program)?;
    let directory = TempDir::with_prefix("sansmtp-counts-")?;
    let log = directory.path().join("calls");
    for (name, offer, arguments) in CLIENTS {
        let server = Server::start(Run::new(&program).args(["fixed-serve", "--offer", offer]))?;
        let calls = per_message(name, |messages| {
            let send = traced(&log)
                .arg(&program)
                .args(["send", &server.address, &messages.to_string(), SIZE])
                .args(*arguments);
            send.run_quietly()?;
            read_calls(&log)
        })?;
        counts.push(system_calls(format!("client: a message, {name}"), calls));
    }
    for (name, style) in SERVERS {
        let calls = per_message(name, |messages| {
            let serve = traced(&log)
                .arg(&program)
                .arg("serve")
                .args(["--clients", "1"]);
            let server = Server::start(serve)?;
            Run::new(&program)
                .args(["fixed-send", &server.address, &messages.to_string(), SIZE])
                .args(["--style", style])
                .run_quietly()?;
            server.wait()?;
            read_calls(&log)
        })?;
        counts.push(system_calls(format!("server: a message, {name}"), calls));
    }
    baseline::check(&counts, false, accept)
}

/// What is said of the server, what it offers, further arguments of the client.
const CLIENTS: &[(&str, &str, &[&str])] = &[
    ("no PIPELINING", "lock-step", &[]),
    ("PIPELINING", "pipelining", &[]),
    ("PIPELINING, in a series", "pipelining", &["--series"]),
    ("CHUNKING", "chunking", &[]),
];

/// What is said of the client, and how it sends.
const SERVERS: &[(&str, &str)] = &[
    ("lock-step", "lock-step"),
    ("two groups", "pipelining"),
    ("PIPELINING", "overlapping"),
    ("CHUNKING", "chunking"),
];

/// Builds the programs that are measured.
pub(crate) fn build() -> Result<PathBuf> {
    cargo::command()
        .args(["build", "--quiet", "--locked", "--release"])
        .args(["--package", PACKAGE])
        .run()?;
    Ok(paths::target().join("release").join(PACKAGE))
}

/// What the program counts by itself: a line each of value, unit and name.
fn inside(program: &Path) -> Result<Vec<Count>> {
    let said = Run::new(program).arg("counts").stdout()?;
    said.lines()
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let value = words.next().unwrap_or_default().parse();
            Ok(Count {
                value: value.with_context(|| line.to_owned())?,
                unit: words.next().context("a unit")?.to_owned(),
                name: words.next().context("a name")?.to_owned(),
            })
        })
        .collect()
}

fn system_calls(name: String, calls: f64) -> Count {
    Count {
        name,
        unit: "system-calls/message".to_owned(),
        value: calls,
    }
}

/// The calls per message, to a tenth: now and then the scheduler looks for events once more.
fn per_message(name: &str, count: impl Fn(usize) -> Result<Calls>) -> Result<f64> {
    let [short, long] = RUNS;
    let total = |messages| -> Result<u64> {
        let calls = count(messages).with_context(|| name.to_owned())?;
        Ok(calls.values().sum())
    };
    let more = total(long)? as f64 - total(short)? as f64;
    Ok((more / (long - short) as f64 * 10.0).round() / 10.0)
}

/// A program whose system calls are counted into this file.
pub(crate) fn traced(log: &Path) -> Run {
    Run::new("strace").args(["-f", "-c", "-o"]).arg(log)
}

/// What strace counted.
pub(crate) fn read_calls(log: &Path) -> Result<Calls> {
    let text = fs::read_to_string(log).with_context(|| log.display().to_string())?;
    let calls = parse_calls(&text);
    if calls.is_empty() {
        bail!("strace has counted nothing:\n{text}");
    }
    Ok(calls)
}

/// `% time  seconds  usecs/call  calls  [errors]  syscall`
fn parse_calls(text: &str) -> Calls {
    text.lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (name, count) = (words.last()?, words.get(3)?);
            let is_row = words.first()?.parse::<f64>().is_ok() && *name != "total";
            Some((name.to_string(), count.parse().ok().filter(|_| is_row)?))
        })
        .collect()
}

/// A server that tells its address in its first line; ended when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start(run: Run) -> Result<Self> {
        let mut child = run.into_command().stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("no output")?;
        let mut server = Self {
            child,
            address: String::new(),
        };
        BufReader::new(output).read_line(&mut server.address)?;
        server.address.truncate(server.address.trim_end().len());
        if server.address.is_empty() {
            bail!("the server has not told its address");
        }
        Ok(server)
    }

    /// Waits until it ends by itself.
    fn wait(mut self) -> Result<()> {
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server failed ({status})");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strace_says() {
        let text = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000300           1       300        10 recvfrom
 40.00    0.000200           1       100           sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.000500           1       400        10 total
";
        let calls = parse_calls(text);
        assert_eq!(calls.len(), 2);
        assert_eq!((calls["recvfrom"], calls["sendto"]), (300, 100));
    }
}
