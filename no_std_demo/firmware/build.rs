//! Gives the linker the memory layout of the board.

use std::{env, fs, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for (name, text) in [
        ("memory.x", include_str!("memory.x")),
        // The names of interrupt handlers: there are none.
        ("device.x", ""),
    ] {
        if let Err(error) = fs::write(out.join(name), text) {
            println!("cargo::error={name}: {error}");
        }
    }
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    // Sections of flash need no alignment to pages.
    println!("cargo::rustc-link-arg-bins=--nmagic");
    println!("cargo::rerun-if-changed=memory.x");
}
