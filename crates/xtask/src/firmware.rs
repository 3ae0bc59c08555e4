//! The firmware of `no_std_demo/`: built for its boards, booted in QEMU, and its mail compared.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::elf::{self, Image};
use crate::thumb_toolchain::{M7, TARGET, ThumbToolchain};
use crate::{cargo, paths, setup};

const MANIFEST: &str = "no_std_demo/firmware/Cargo.toml";
/// Octets of RAM that the smallest board has.
const RAM: u32 = 64 * 1024;
/// Octets that survive a warm reset (memory.x).
const RETAINED: u32 = 512;

/// A way to build the firmware.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    /// Its name in tables and files.
    pub(crate) name: &'static str,
    /// Separated by commas, behind other arguments if there are any.
    features: &'static str,
    target: &'static str,
    /// Tells the tests where the image is.
    variable: &'static str,
    /// Limits of flash and RAM in octets.
    flash: u32,
    ram: u32,
}

/// All variants; the first is the smallest.
pub(crate) const VARIANTS: &[Variant] = &[
    Variant {
        name: "brief",
        features: "--no-default-features client",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_BRIEF",
        flash: 44 * 1024,
        ram: 12 * 1024,
    },
    Variant {
        name: "plain",
        features: "",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_PLAIN",
        flash: 60 * 1024,
        ram: 12 * 1024,
    },
    Variant {
        name: "starttls",
        features: "starttls",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_STARTTLS",
        flash: 125 * 1024,
        ram: RAM,
    },
    Variant {
        name: "implicit-tls",
        features: "implicit-tls",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_IMPLICIT_TLS",
        flash: 125 * 1024,
        ram: RAM,
    },
    Variant {
        name: "server",
        features: "--no-default-features server",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_SERVER",
        flash: 52 * 1024,
        ram: 12 * 1024,
    },
    Variant {
        name: "m7",
        features: "an500,implicit-tls",
        target: M7,
        variable: "SANSMTP_FIRMWARE_M7",
        flash: 125 * 1024,
        ram: RAM,
    },
];

/// Builds the firmware in all variants, and runs it against our server and servers of other makers.
pub(crate) fn run() -> Result<()> {
    setup::qemu()?;
    setup::peers()?;
    setup::python()?;
    let directory = paths::target().join("firmware");
    fs::create_dir_all(&directory)?;
    let figures = directory.join("figures");
    fs::write(&figures, "")?;
    let mut tests = cargo::command()
        .args(["test", "--package", "sansmtp-tests", "--locked"])
        .args(["--features", "firmware", "--test", "firmware"])
        .env("SANSMTP_FIRMWARE_ARTEFACTS", &directory);
    let mut images = Vec::new();
    for variant in VARIANTS {
        let image = variant.build()?;
        tests = tests.env(variant.variable, &image);
        images.push((variant, read(&image)?));
    }
    tests.run()?;
    judge(&images, &fs::read_to_string(figures)?)?;
    println!(
        "what went over the cable: {}/alert.pcap",
        directory.display()
    );
    panics()
}

impl Variant {
    /// Builds the firmware and returns the image, which keeps the name of the variant.
    pub(crate) fn build(&self) -> Result<PathBuf> {
        build(self.name, self.features, self.target)
    }
}

/// Builds the firmware with these features; its image is called `name`.
fn build(name: &str, features: &str, target: &str) -> Result<PathBuf> {
    let toolchain = ThumbToolchain::get_for(target)?;
    println!("{name}, with {}", toolchain.describe());
    let (arguments, features) = features.rsplit_once(' ').unwrap_or(("", features));
    toolchain
        .cargo_for("build", target)?
        .args(["--manifest-path", MANIFEST, "--release", "--locked"])
        .args(["--quiet", "--features", features])
        .args(arguments.split_whitespace())
        .run()?;
    let directory = paths::target().join("thumb").join(target).join("release");
    let image = directory.join(format!("firmware-{name}"));
    fs::copy(directory.join("firmware"), &image).with_context(|| image.display().to_string())?;
    Ok(image)
}

pub(crate) fn read(file: &Path) -> Result<Image> {
    let octets = fs::read(file).with_context(|| file.display().to_string())?;
    Image::parse(&octets).with_context(|| file.display().to_string())
}

/// Prints flash and RAM of each variant. The deepest stack comes from the tests: lines with the name, octets of stack
/// and octets of static variables.
fn judge(images: &[(&Variant, Image)], figures: &str) -> Result<()> {
    println!("\n| firmware | flash | RAM in all | of it stack, painted |");
    println!("|---|---:|---:|---:|");
    let mut over = Vec::new();
    for (variant, image) in images {
        let runs = figures.lines().filter_map(|line| {
            let (name, numbers) = line.split_once(' ')?;
            let (stack, statics) = numbers.split_once(' ')?;
            let numbers = (stack.parse::<u32>().ok()?, statics.parse::<u32>().ok()?);
            (name == variant.name).then_some(numbers)
        });
        let (stack, statics) = runs
            .max()
            .with_context(|| format!("no test told the stack of {}", variant.name))?;
        let ram = stack + statics + RETAINED;
        println!("| {} | {} | {ram} | {stack} |", variant.name, image.flash);
        if image.flash > variant.flash || ram > variant.ram {
            over.push(format!(
                "{}: at most {} octets of flash and {} of RAM",
                variant.name, variant.flash, variant.ram
            ));
        }
    }
    if !over.is_empty() {
        bail!("the firmware is too large: {}", over.join("; "));
    }
    Ok(())
}

/// Says whose panics are linked into the firmware: none of ours. The panic handler of these builds says where it
/// happened, so that the image holds the place of each panic that the compiler could not rule out.
fn panics() -> Result<()> {
    for (name, features) in [
        ("plain-panics", "locate-panics"),
        ("tls-panics", "locate-panics,starttls,implicit-tls"),
        (
            "server-panics",
            "--no-default-features locate-panics,server",
        ),
    ] {
        let image = build(name, features, TARGET)?;
        let octets = fs::read(&image).with_context(|| image.display().to_string())?;
        let places = elf::panic_places(&octets)?;
        if !places.iter().any(|place| place.file.contains("smoltcp-")) {
            bail!("{name} names no file of smoltcp: the check is blind");
        }
        let ours: Vec<String> = places
            .iter()
            .filter(|place| is_ours(&place.file) && !begins_async(place))
            .map(|place| format!("{}:{}:{}", place.file, place.line, place.column))
            .collect();
        if !ours.is_empty() {
            bail!("{name}: a panic can be reached at {ours:?}");
        }
        let others: BTreeSet<&str> = places
            .iter()
            .filter(|place| !is_ours(&place.file))
            .map(|place| crate_of(&place.file))
            .collect();
        println!("{name}: panics of {others:?}, none of ours");
    }
    Ok(())
}

/// An async function panics if it is polled after its end, which nobody here does; the place is its body.
fn begins_async(place: &elf::Place) -> bool {
    let file = paths::root().join("no_std_demo/firmware").join(&place.file);
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text
        .lines()
        .nth(place.line as usize - 1)
        .unwrap_or_default();
    line.get(place.column as usize - 1..) == Some("{")
}

/// A file of this repository: a dependency stands in a registry or in the sources of the compiler.
fn is_ours(file: &str) -> bool {
    !["registry/", "/rustc/", "rustlib/", "/library/"]
        .iter()
        .any(|outside| file.contains(outside))
}

/// `smoltcp-0.14.0` of `.../registry/src/.../smoltcp-0.14.0/src/lib.rs`.
fn crate_of(file: &str) -> &str {
    let mut parts = file.rsplit("/src/");
    parts.next();
    parts
        .next()
        .and_then(|path| path.rsplit('/').next())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart() {
        assert!(is_ours("src/main.rs") && is_ours("/home/me/sansmtp/crates/sansmtp/src/octets.rs"));
        let other = "/home/me/.cargo/registry/src/index/smoltcp-0.14.0/src/wire/ip.rs";
        assert!(!is_ours(other) && !is_ours("/rustc/0123/library/core/src/str/pattern.rs"));
        assert_eq!(crate_of(other), "smoltcp-0.14.0");
    }
}
