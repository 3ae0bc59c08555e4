//! The npm package and the simulation page, in Node and in a browser.

use anyhow::Result;

pub(super) fn run() -> Result<()> {
    crate::wasm::check()
}
