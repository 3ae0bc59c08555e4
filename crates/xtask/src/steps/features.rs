//! The feature matrix of the core, and of the adapter for microcontrollers.

use anyhow::{Context, Result, bail};

use crate::cargo;

/// Sets that are tried besides none, all and each feature alone.
const FURTHER_SETS: &[&str] = &[
    "client,starttls,auth",
    "client,starttls,auth,chunking,message",
    "client,esmtp,server",
    "client,message",
    "client,message-text,alloc",
    "client,provider",
    "client,message,provider",
    "client,esmtp,server,alloc",
    "client,mta",
    "server,mta",
    "server,scram",
];

/// Features that only say something about the client.
const OF_THE_CLIENT: &[&str] = &[
    "auth",
    "chunking",
    "esmtp",
    "extensions",
    "external",
    "oauth",
    "overlap",
    "pipelining",
    "query",
    "starttls",
];

/// Sets of the adapter for microcontrollers.
const OF_SMOLTCP: &[&str] = &[
    "",
    "client",
    "server",
    "client,dns,message",
    "client,message-text",
    "embedded-io-async",
    "tls",
    "p384",
    "rsa",
    "server,p384,rsa,defmt",
];

/// Fails on a warning or error in any of the sets, and where the writer of plain texts writes something else.
pub(super) fn run() -> Result<()> {
    let core = cargo::packages()?
        .into_iter()
        .find(|package| package.name == "sansmtp")
        .context("the workspace has no package sansmtp")?;
    let exists = |name: &str| core.features.iter().any(|feature| feature == name);
    if let Some(set) = FURTHER_SETS.iter().find(|set| !set.split(',').all(exists)) {
        bail!("the core does not have all of the features {set}; see steps/features.rs");
    }
    let alone = core
        .features
        .iter()
        .filter(|name| *name != "default")
        .map(|name| match OF_THE_CLIENT.contains(&name.as_str()) {
            true => format!("client,{name}"),
            false => name.clone(),
        });
    for set in ["".to_owned()]
        .into_iter()
        .chain(alone)
        .chain(FURTHER_SETS.iter().map(ToString::to_string))
    {
        clippy(&["--no-default-features", "--features", &set])?;
    }
    clippy(&["--all-features"])?;
    cargo::command()
        .args(["test", "--quiet", "--package", "sansmtp", "--locked"])
        .args(["--no-default-features", "--features", "message-text"])
        .args(["--lib", "message"])
        .run()?;
    for set in OF_SMOLTCP {
        adapter(set)?;
    }
    Ok(())
}

fn adapter(features: &str) -> Result<()> {
    cargo::command()
        .args(["clippy", "--quiet", "--package", "sansmtp-smoltcp"])
        .args(["--locked", "--no-default-features", "--features", features])
        .args(["--", "-D", "warnings"])
        .run()
}

fn clippy(features: &[&str]) -> Result<()> {
    cargo::command()
        .args([
            "clippy",
            "--quiet",
            "--package",
            "sansmtp",
            "--all-targets",
            "--locked",
        ])
        .args(features)
        .args(["--", "-D", "warnings"])
        .run()
}
