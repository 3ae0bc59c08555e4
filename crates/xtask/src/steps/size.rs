//! What the core costs on a microcontroller.

use anyhow::Result;

pub(super) fn run() -> Result<()> {
    crate::size::run(true)
}
