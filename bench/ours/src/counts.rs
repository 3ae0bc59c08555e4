//! Counts inside a process: allocations and round trips per message, in the steady state.

use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    Ok(())
}
