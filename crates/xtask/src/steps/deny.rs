//! The dependencies: licences, bans, sources, and advisories where their database can be had.

use anyhow::{Result, bail};

use crate::setup;
use crate::shell::Run;

pub(super) fn run() -> Result<()> {
    let program = setup::cargo_deny()?;
    let check = |what: &[&str]| {
        Run::new(&program)
            .args(["--locked", "check", "--hide-inclusion-graph"])
            .args(what)
    };
    check(&["licenses", "bans", "sources"]).run()?;

    let advisories = check(&["advisories"]).output()?;
    let said = String::from_utf8_lossy(&advisories.stderr);
    if advisories.status.success() {
        println!("advisories: none");
    } else if said.contains("failed to fetch advisory database") {
        println!("advisories: NOT CHECKED, their database can not be fetched from here");
    } else {
        bail!("advisories:\n{said}");
    }
    Ok(())
}
