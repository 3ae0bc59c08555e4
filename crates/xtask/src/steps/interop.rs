//! Servers and clients of other makers.

use anyhow::Result;

use crate::{cargo, setup};

pub(super) fn run() -> Result<()> {
    setup::peers()?;
    setup::python()?;
    cargo::command()
        .args(["test", "--package", "sansmtp-tests", "--locked"])
        .run()
}
