//! What a message costs in system calls, round trips and allocations.

use anyhow::Result;

use crate::exchanges;

pub(super) fn run() -> Result<()> {
    exchanges::run(false)
}
