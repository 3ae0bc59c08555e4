//! Builds the program that uses a part of the core and looks at what came out.

use anyhow::Result;

use crate::calls::Chain;
use crate::elf::Image;
use crate::shell::Run;
use crate::thumb_toolchain::{self, TARGET, ThumbToolchain};
use crate::{cargo, paths};

const PROBE: &str = "no_std_demo/size_probe/Cargo.toml";

/// What is built for; the first one must be there, the others where a compiler for them is.
pub(super) const TARGETS: &[&str] = &[TARGET, "thumbv6m-none-eabi", "riscv32imac-unknown-none-elf"];

/// What a set of features costs, in octets and numbers.
#[derive(Debug)]
pub(super) struct Cost {
    pub(super) flash: u32,
    /// RAM that one session takes, without the caller's buffers.
    pub(super) state: u32,
    /// The largest stack frame, and whose it is.
    pub(super) frame: (u32, String),
    /// The stack that the deepest chain of calls takes, from the caller's call on, where it can be told.
    pub(super) chain: Chain,
    pub(super) panics: u32,
    pub(super) allocations: u32,
}

/// A target with a compiler for it.
pub(super) struct Probe {
    target: &'static str,
    toolchain: ThumbToolchain,
    /// What the program takes without any part of the core.
    ground: u32,
}

impl Probe {
    /// `None` where no compiler for the target is at hand.
    pub(super) fn new(target: &'static str) -> Result<Option<Self>> {
        let Some(toolchain) = toolchain(target)? else {
            return Ok(None);
        };
        let mut probe = Self {
            target,
            toolchain,
            ground: 0,
        };
        probe.ground = flash(&probe.build("")?);
        Ok(Some(probe))
    }

    /// Measures a set of features.
    pub(super) fn cost(&self, features: &str) -> Result<Cost> {
        let image = self.build(features)?;
        let count = |words: &[&str]| {
            let is_one = |name: &str| words.iter().any(|word| name.contains(word));
            image.symbols.iter().filter(|it| is_one(&it.0)).count() as u32
        };
        Ok(Cost {
            flash: flash(&image) - self.ground,
            state: image.sum(|name| name.ends_with("_STATE")),
            frame: image.largest_frame(|name| !is_probe(name)),
            chain: match self.target {
                TARGET => image.deepest_chain(|name| !is_probe(name) && name != "_start")?,
                _ => Chain::default(),
            },
            // The linker throws the handler itself away unless something reaches it.
            panics: count(&["panic", "rust_begin_unwind"]),
            allocations: count(&["__rust_alloc", "__rust_realloc", "__rg_", "malloc"]),
        })
    }

    fn build(&self, features: &str) -> Result<Image> {
        self.toolchain
            .cargo_for("build", self.target)?
            .args(["--manifest-path", PROBE, "--release", "--quiet"])
            .args(["--features", features])
            // Stack sizes are no stable option.
            .env("RUSTC_BOOTSTRAP", "1")
            // What the program gets from elsewhere is never made; a part alone leaves helpers of others
            // unused.
            .env(
                "RUSTFLAGS",
                "-Clink-arg=--unresolved-symbols=ignore-all -Zemit-stack-sizes -Aunused -Adead_code",
            )
            .run()?;
        let directory = paths::target().join("thumb").join(self.target);
        Image::read(&directory.join("release/size_probe"))
    }
}

/// Name and version of the compiler that measures.
pub(super) fn compiler() -> Result<String> {
    let rustc = match toolchain(TARGET)? {
        Some(ThumbToolchain::Debian) => Run::new(thumb_toolchain::DEBIAN_RUSTC),
        _ => cargo::rustc(),
    };
    let version = rustc.arg("--version").stdout()?;
    let words: Vec<&str> = version.split_whitespace().take(2).collect();
    Ok(words.join(" "))
}

/// Flash without what every firmware has anyway. Functions of the probe count: what they call once became a part of
/// them.
fn flash(image: &Image) -> u32 {
    let is_no_cost = |name: &str| {
        is_memory_function(name) || name == "_start" || name.ends_with("_STATE") || is_list(name)
    };
    image.flash - image.sum(is_no_cost)
}

/// A list of methods, which keeps each of them whole.
fn is_list(name: &str) -> bool {
    name.contains("_METHODS")
}

fn is_probe(name: &str) -> bool {
    name.contains("size_probe::")
}

fn is_memory_function(name: &str) -> bool {
    let name = name.trim_start_matches("__aeabi_");
    let names = ["memcpy", "memmove", "memset", "memcmp", "memclr", "bcmp"];
    let bare = name.rsplit("mem::").next().unwrap_or(name);
    names.iter().any(|function| bare.starts_with(function))
}

/// The compiler for a target: the usual one, with core built from source where it has to be, or another.
fn toolchain(target: &str) -> Result<Option<ThumbToolchain>> {
    if thumb_toolchain::has_target(target)? || thumb_toolchain::has_library_source()? {
        return Ok(Some(ThumbToolchain::Rustup));
    }
    // Only the first target is worth installing something for.
    match ThumbToolchain::get()? {
        ThumbToolchain::Rustup if target != TARGET => Ok(None),
        toolchain => Ok(Some(toolchain)),
    }
}
