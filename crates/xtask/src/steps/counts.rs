//! What the core's work costs in instructions.

use anyhow::Result;

use crate::counts;

pub(super) fn run() -> Result<()> {
    counts::run(false)
}
