//! `cargo xtask bench`: our client and server beside those of other makers, all in one run, since figures of two
//! runs can not be compared. Prints tables, and writes them with a plot into `docs/`.

mod clients;
mod counted;
mod environment;
mod growth;
mod link;
mod measure;
mod page;
mod parsers;
mod plot;
mod rows;
mod servers;
mod table;
mod tls;

use std::time::Instant;

use anyhow::{Result, bail};

use environment::Environment;
use page::Page;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds; the rows take turns in each, so that what else the machine does hits all alike.
    rounds: usize,
    /// How long one row runs in a round, in seconds.
    seconds: f64,
    full: bool,
}

/// About a minute.
pub(crate) const QUICK: Effort = Effort {
    rounds: 3,
    seconds: 0.12,
    full: false,
};

/// About ten minutes.
pub(crate) const FULL: Effort = Effort {
    rounds: 5,
    seconds: 0.4,
    full: true,
};

type Section = fn(&Environment, Effort, &mut Page) -> Result<()>;

const SECTIONS: &[(&str, Section)] = &[
    ("servers", servers::run),
    ("clients", clients::run),
    ("link", link::run),
    ("tls", tls::run),
    ("growth", growth::run),
    ("parsers", parsers::run),
    ("counts", counted::run),
];

/// Runs the sections named in `only`, or all. Only a run of all writes the document.
pub(crate) fn run(effort: Effort, only: &[String]) -> Result<()> {
    let known = |name: &&String| !SECTIONS.iter().any(|(section, _)| section == name);
    if let Some(unknown) = only.iter().find(known) {
        let names: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
        bail!(
            "there is no section {unknown:?}; there are: {}",
            names.join(", ")
        );
    }
    let environment = Environment::prepare()?;
    let mut page = Page::new(effort.full, environment::describe()?);
    measure::stay_on_one_core()?;
    let start = Instant::now();
    for (name, section) in SECTIONS {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            section(&environment, effort, &mut page)?;
        }
    }
    page.print_goals();
    println!("{:.0} s, without builds", start.elapsed().as_secs_f64());
    if only.is_empty() {
        page.write()?;
    }
    Ok(())
}
