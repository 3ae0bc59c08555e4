//! Installs what the steps need. Each step calls its own part; `cargo xtask setup` calls all. Nothing is
//! done for what is already there.

mod cargo_deny;
mod cross;
mod debian;
mod python;
mod wasm;

pub(crate) use cargo_deny::cargo_deny;
pub(crate) use cross::cross;
pub(crate) use python::{binding, empty as empty_environment, environment, python};
pub(crate) use wasm::{browser, node, wasm};

use anyhow::Result;

use crate::thumb_toolchain;

/// The servers and clients that the harness drives.
const PEERS: &[debian::Package] = &[
    debian::Package::with_file("postfix", "/usr/sbin/postfix"),
    debian::Package::with_file("sasl2-bin", "/usr/sbin/saslpasswd2"),
    debian::Package::plain("libsasl2-modules"),
    debian::Package::plain("libsasl2-modules-db"),
    debian::Package::with_file("swaks", "/usr/bin/swaks"),
    // For the TLS of swaks.
    debian::Package::plain("libnet-ssleay-perl"),
    debian::Package::with_file("s-nail", "/usr/bin/s-nail"),
    debian::Package::with_file("msmtp", "/usr/bin/msmtp"),
    debian::Package::with_file("curl", "/usr/bin/curl"),
    debian::Package::with_file("openssl", "/usr/bin/openssl"),
];

/// Everything.
pub(crate) fn everything() -> Result<()> {
    peers()?;
    python()?;
    binding()?;
    for target in [thumb_toolchain::TARGET, thumb_toolchain::M7] {
        cross(target)?;
    }
    qemu()?;
    cxx()?;
    valgrind()?;
    strace()?;
    cargo_deny()?;
    wasm()?;
    browser()?;
    println!("All that the checks need is installed.");
    Ok(())
}

/// The servers and clients that the harness drives, without those in Python.
pub(crate) fn peers() -> Result<()> {
    debian::install(PEERS)
}

/// What counts system calls.
pub(crate) fn strace() -> Result<()> {
    debian::install(&[debian::Package::with_file("strace", "/usr/bin/strace")])
}

/// What counts instructions.
pub(crate) fn valgrind() -> Result<()> {
    debian::install(&[debian::Package::with_file("valgrind", "/usr/bin/valgrind")])
}

/// The C++ compiler that libFuzzer is built with.
pub(crate) fn cxx() -> Result<()> {
    debian::install(&[debian::Package::with_file("g++", "/usr/bin/g++")])
}

/// The emulator that boots the firmware.
pub(crate) fn qemu() -> Result<()> {
    debian::install(&[debian::Package::with_file(
        "qemu-system-arm",
        "/usr/bin/qemu-system-arm",
    )])
}
