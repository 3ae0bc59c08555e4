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
    /// Its name in files.
    pub(crate) name: &'static str,
    /// What it is, in tables.
    about: &'static str,
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
        about: "plain, a text, settings built in",
        features: "--no-default-features client,fixed",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_BRIEF",
        flash: 42 * 1024,
        ram: 12 * 1024,
    },
    Variant {
        name: "plain",
        about: "plain, attachment and DNS",
        features: "",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_PLAIN",
        flash: 60 * 1024,
        ram: 12 * 1024,
    },
    Variant {
        name: "starttls",
        about: "STARTTLS with AUTH, verified, a text",
        features: "--no-default-features starttls",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_STARTTLS",
        flash: 110 * 1024,
        ram: RAM,
    },
    Variant {
        name: "implicit-tls",
        about: "implicit TLS with AUTH, verified, attachment and DNS",
        features: "implicit-tls",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_IMPLICIT_TLS",
        flash: 124 * 1024,
        ram: RAM,
    },
    Variant {
        name: "server",
        about: "server role",
        features: "--no-default-features server",
        target: TARGET,
        variable: "SANSMTP_FIRMWARE_SERVER",
        flash: 53 * 1024,
        ram: 12 * 1024,
    },
    Variant {
        name: "m7",
        about: "the same on a Cortex-M7",
        features: "an500,implicit-tls",
        target: M7,
        variable: "SANSMTP_FIRMWARE_M7",
        flash: 124 * 1024,
        ram: RAM,
    },
];

/// Builds the firmware in all variants, and runs it against our server and servers of other makers. The table of its
/// sizes must be that of the documentation.
pub(crate) fn run() -> Result<()> {
    check(false)
}

/// The same, but the table in the documentation is written anew.
pub(crate) fn write() -> Result<()> {
    check(true)
}

fn check(write_table: bool) -> Result<()> {
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
    let table = judge(&images, &fs::read_to_string(figures)?)?;
    document(&table, write_table)?;
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

/// Flash, RAM in all and stack of a variant, in octets.
type Sizes = (String, [u32; 3]);

/// Puts flash and RAM of each variant together. The deepest stack comes from the tests: lines with the name, octets of
/// stack and octets of static variables.
fn judge(images: &[(&Variant, Image)], figures: &str) -> Result<Vec<Sizes>> {
    let mut sizes = Vec::new();
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
        sizes.push((variant.about.to_owned(), [image.flash, ram, stack]));
        if image.flash > variant.flash || ram > variant.ram {
            over.push(format!(
                "{}: {} octets of flash and {ram} of RAM, at most {} and {}",
                variant.name, image.flash, variant.flash, variant.ram
            ));
        }
    }
    println!("\n{}", table(&sizes));
    if !over.is_empty() {
        bail!("the firmware is too large: {}", over.join("; "));
    }
    Ok(sizes)
}

fn table(sizes: &[Sizes]) -> String {
    let mut text =
        "| firmware | flash | RAM in all | of it stack |\n|---|---:|---:|---:|\n".to_owned();
    for (name, [flash, ram, stack]) in sizes {
        text.push_str(&format!("| {name} | {flash} | {ram} | {stack} |\n"));
    }
    text
}

/// The pages with the table, and what stands around it there.
const PAGES: &[&str] = &["README.md", "docs/firmware.md"];
const BEGIN: &str = "<!-- firmware: begin -->\n";
const END: &str = "<!-- firmware: end -->";
/// Another compiler gives other sizes: so many parts in a hundred are let pass.
const TOLERANCE: u32 = 4;

/// Writes the table into the documentation, or looks whether it is still true.
fn document(sizes: &[Sizes], write: bool) -> Result<()> {
    PAGES
        .iter()
        .try_for_each(|page| document_in(page, sizes, write))
}

fn document_in(name: &str, sizes: &[Sizes], write: bool) -> Result<()> {
    let file = paths::root().join(name);
    let page = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let (before, rest) = page
        .split_once(BEGIN)
        .with_context(|| format!("{name} has no place for the table"))?;
    let (old, after) = rest
        .split_once(END)
        .with_context(|| format!("{name}: the table has no end"))?;
    if write {
        fs::write(
            &file,
            format!("{before}{BEGIN}{}{END}{after}", table(sizes)),
        )?;
        return Ok(());
    }
    let stale = sizes.iter().any(|(name, now)| {
        let row = old
            .lines()
            .find_map(|line| line.strip_prefix(&format!("| {name} |")));
        let then: Vec<u32> = row
            .unwrap_or_default()
            .split('|')
            .filter_map(|number| number.trim().parse().ok())
            .collect();
        let near = |(now, then): (&u32, &u32)| now.abs_diff(*then) * 100 <= now * TOLERANCE;
        then.len() != now.len() || !now.iter().zip(&then).all(near)
    });
    if stale {
        bail!("the table in {name} is no longer true; run: cargo xtask firmware --write");
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
