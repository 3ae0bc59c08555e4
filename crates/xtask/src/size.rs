//! What the parts of the core and the whole firmware cost on a Cortex-M3.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::elf::Image;
use crate::thumb_toolchain::{TARGET, ThumbToolchain};
use crate::{firmware, paths};

const PROBE: &str = "no_std_demo/size_probe/Cargo.toml";
/// Feature sets of the probe.
const PARTS: &[(&str, &str)] = &[
    ("client", "client"),
    ("message writer with attachments", "message"),
    ("client and message writer", "client,message"),
    ("server", "server"),
];

/// Prints a table in Markdown.
pub(crate) fn run() -> Result<()> {
    let toolchain = ThumbToolchain::get()?;
    let ground = flash(&probe(toolchain, "")?);
    println!("\n{TARGET}, opt-level z, fat LTO; octets, memcpy and its like not counted\n");
    println!("| part of the core | flash | state | panic symbols |");
    println!("|---|---:|---:|---:|");
    for (name, features) in PARTS {
        let image = probe(toolchain, features)?;
        let state = image.sum(|name| name.ends_with("_STATE"));
        println!(
            "| {name} | {} | {state} | {} |",
            flash(&image) - ground,
            panics(&image)
        );
    }
    println!("\n| whole firmware | flash | static variables |");
    println!("|---|---:|---:|");
    for variant in firmware::VARIANTS {
        let image = read(&variant.build()?)?;
        println!("| {} | {} | {} |", variant.name, image.flash, image.statics);
    }
    Ok(())
}

/// Flash without what every firmware has anyway.
fn flash(image: &Image) -> u32 {
    image.flash - image.sum(is_memory_function)
}

fn is_memory_function(name: &str) -> bool {
    let name = name.trim_start_matches("__aeabi_");
    [
        "mem::memcpy",
        "mem::memmove",
        "mem::memset",
        "mem::memcmp",
        "mem::bcmp",
    ]
    .iter()
    .any(|function| name.ends_with(function))
        || ["memcpy", "memmove", "memset", "memcmp", "memclr"]
            .iter()
            .any(|function| name.starts_with(function))
}

fn panics(image: &Image) -> usize {
    let ours = |name: &str| name.contains("panic") && !name.ends_with("rust_begin_unwind");
    image.symbols.iter().filter(|(name, _)| ours(name)).count()
}

fn probe(toolchain: ThumbToolchain, features: &str) -> Result<Image> {
    toolchain
        .cargo("build")?
        .args(["--manifest-path", PROBE, "--release", "--quiet"])
        .args(["--features", features])
        // What the program gets from elsewhere is never made; a part alone leaves helpers of others unused.
        .env(
            "RUSTFLAGS",
            "-Clink-arg=--unresolved-symbols=ignore-all -Aunused -Adead_code",
        )
        .run()?;
    let directory = paths::target().join("thumb").join(TARGET);
    read(&directory.join("release/size_probe"))
}

fn read(file: &Path) -> Result<Image> {
    let octets = fs::read(file).with_context(|| file.display().to_string())?;
    Image::parse(&octets).with_context(|| file.display().to_string())
}
