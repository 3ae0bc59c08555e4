//! What the core costs on a microcontroller: measured, held against limits, written into the README.
//!
//! A new row is an entry of [`ROWS`]. What whole firmware costs is told by `cargo xtask firmware`.

mod probe;
mod table;

use anyhow::{Result, bail};

use crate::paths;
use probe::{Cost, Probe};

/// A set of features of the core.
struct Row {
    name: &'static str,
    /// Features of `no_std_demo/size_probe`.
    features: &'static str,
    limits: Limits,
}

/// Octets that a row may cost on the first of [`probe::TARGETS`], a Cortex-M3, with fat LTO and opt-level z.
struct Limits {
    flash: u32,
    /// What is aimed at, where that is not reached yet.
    goal: u32,
    state: u32,
    frame: u32,
}

/// What everybody may hold on to: one session in so much RAM, no function that takes more stack, and no call of the
/// caller's below which there is more of it.
const STATE: u32 = 128;
const FRAME: u32 = 256;
const STACK: u32 = 576;

const ROWS: &[Row] = &[
    Row {
        name: "client: SMTP over implicit TLS or none",
        features: "client",
        limits: Limits {
            flash: 3_600,
            goal: 2_560,
            state: STATE,
            frame: FRAME,
        },
    },
    Row {
        name: "with STARTTLS, AUTH (PLAIN, LOGIN), addresses checked at run time",
        features: "client,starttls,auth,addresses",
        limits: Limits {
            flash: 6_750,
            goal: 3_072,
            state: STATE,
            frame: FRAME,
        },
    },
    Row {
        name: "with PIPELINING, BDAT, messages with a plain text",
        features: "client,starttls,auth,addresses,chunking,message-text",
        limits: Limits {
            flash: 13_850,
            goal: 6_144,
            state: STATE,
            frame: FRAME,
        },
    },
    Row {
        name: "with PIPELINING, BDAT, messages with HTML and attachments too",
        features: "client,starttls,auth,addresses,chunking,message",
        limits: Limits {
            flash: 16_400,
            goal: 6_144,
            state: STATE,
            frame: FRAME,
        },
    },
    Row {
        name: "client with all features but SCRAM",
        features: "client,esmtp,addresses",
        limits: Limits {
            flash: 15_800,
            goal: 15_800,
            state: 272,
            frame: FRAME,
        },
    },
    Row {
        name: "server",
        features: "server",
        limits: Limits {
            flash: 24_000,
            goal: 24_000,
            state: STATE,
            frame: FRAME,
        },
    },
];

/// The smallest line buffer that the client's documentation promises to do with.
const LINE_BUFFER: u32 = 128;

/// Measures. Without `check` the README gets the new table; with it, it must agree.
pub(crate) fn run(check: bool) -> Result<()> {
    let mut rows = Vec::new();
    let mut broken = Vec::new();
    let probes = probe::TARGETS
        .iter()
        .map(|target| Probe::new(target))
        .collect::<Result<Vec<_>>>()?;
    for row in ROWS {
        let costs = probes
            .iter()
            .map(|probe| probe.as_ref().map(|it| it.cost(row.features)).transpose())
            .collect::<Result<Vec<_>>>()?;
        if let Some(cost) = &costs[0] {
            broken.extend(row.broken(cost));
        }
        rows.push((row, costs));
    }
    let text = table::render(&probe::compiler()?, &rows);
    println!("\n{text}");
    let readme = paths::root().join("README.md");
    if !broken.is_empty() {
        bail!("a limit is broken:\n{}", broken.join("\n"));
    }
    if check {
        table::compare(&readme, &text)
    } else {
        table::write(&readme, &text)
    }
}

impl Row {
    fn broken(&self, cost: &Cost) -> Vec<String> {
        [
            ("flash", cost.flash, self.limits.flash),
            ("state", cost.state, self.limits.state),
            ("the largest stack frame", cost.frame.0, self.limits.frame),
            ("the deepest stack", cost.chain.depth, STACK),
            ("panic symbols", cost.panics, 0),
            ("allocations", cost.allocations, 0),
        ]
        .into_iter()
        .filter(|(_, is, most)| is > most)
        .map(|(what, is, most)| {
            let whose = match what {
                "the largest stack frame" => format!(" ({})", cost.frame.1),
                "the deepest stack" => format!(" ({})", cost.chain.names.join(" -> ")),
                _ => String::new(),
            };
            format!(
                "{}: {what} is {is}{whose}, at most {most} is allowed",
                self.name
            )
        })
        .collect()
    }
}
