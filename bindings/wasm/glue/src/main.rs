//! Writes the JavaScript beside a wasm module: `sansmtp-wasm-glue MODULE DIRECTORY`.
//!
//! It does the work of the `wasm-bindgen` command, in the very version that the module was
//! built with. It is a program of its own because it takes long to build, and only
//! `cargo xtask wasm` needs it.

use anyhow::{Context, Result};
use std::env;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = env::args_os().skip(1);
    let usage = "usage: sansmtp-wasm-glue MODULE DIRECTORY";
    let module = arguments.next().context(usage)?;
    let directory = arguments.next().context(usage)?;
    Bindgen::new()
        .input_path(module)
        .out_name("core")
        // Usable in Node too: the package hands the module in by itself everywhere.
        .web(true)?
        .omit_default_module_path(true)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(directory)
}
