//! Cargo, as the one who called us runs it.

use std::env;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell::Run;

/// The cargo that runs us.
pub(crate) fn command() -> Run {
    Run::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The rustc of that cargo.
pub(crate) fn rustc() -> Run {
    Run::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// A member of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The names of its features, `default` included.
    pub(crate) features: Vec<String>,
}

/// The members of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let text = command()
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .stdout()?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata without packages")?;
    Ok(packages
        .iter()
        .map(|package| Package {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            features: package["features"]
                .as_object()
                .map(|features| features.keys().cloned().collect())
                .unwrap_or_default(),
        })
        .collect())
}
