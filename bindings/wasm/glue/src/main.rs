//! Writes what the npm package needs beside the wasm module.
//!
//! ```text
//! sansmtp-wasm-glue bind MODULE DIRECTORY     the JavaScript glue
//! sansmtp-wasm-glue providers FILE            the provider table and its rules as JSON
//! sansmtp-wasm-glue answers FILE              what the core makes of many names and refusals, for a test
//! ```
//!
//! The first does the work of the `wasm-bindgen` command, in the very version that the module was built with.
//! It is a program of its own because it takes long to build, and only `cargo xtask wasm` needs it.

mod answers;

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::{env, fs};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["bind", module, directory] => bind(Path::new(module), Path::new(directory)),
        ["providers", file] => {
            let mut json = String::new();
            sansmtp::provider::write_json(&mut json)?;
            fs::write(file, json).with_context(|| file.to_owned())
        }
        ["answers", file] => fs::write(file, answers::json()).with_context(|| file.to_owned()),
        _ => {
            bail!("usage: sansmtp-wasm-glue bind MODULE DIRECTORY | providers FILE | answers FILE")
        }
    }
}

fn bind(module: &Path, directory: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(module)
        .out_name("core")
        // Usable in Node too: the package hands the module in by itself everywhere.
        .web(true)?
        .omit_default_module_path(true)
        .typescript(true)
        // The names of functions are for who looks for what costs room.
        .remove_name_section(env::var_os("SANSMTP_WASM_NAMES").is_none())
        .remove_producers_section(true)
        .generate(directory)
}
