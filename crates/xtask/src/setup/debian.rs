//! Debian packages, through apt-get, when root.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::shell::Run;

/// A package and how to see that it is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Package {
    name: &'static str,
    file: Option<&'static str>,
}

impl Package {
    /// Needed if dpkg does not know it as installed.
    pub(super) const fn plain(name: &'static str) -> Self {
        Self { name, file: None }
    }

    /// Needed if this file is not there, so that other distributions and own builds are fine.
    pub(super) const fn with_file(name: &'static str, file: &'static str) -> Self {
        Self {
            name,
            file: Some(file),
        }
    }

    fn is_there(self) -> bool {
        if let Some(file) = self.file {
            let program = Path::new(file).file_name().and_then(|name| name.to_str());
            return Path::new(file).exists()
                || program.is_some_and(|it| paths::program(it).is_some());
        }
        if paths::program("dpkg-query").is_none() {
            // Another distribution: only a file could tell.
            return false;
        }
        Run::new("dpkg-query")
            .args(["--show", "--showformat=${db:Status-Status}", self.name])
            .stdout()
            .is_ok_and(|status| status == "installed")
    }
}

/// True if nothing is missing.
pub(super) fn all_there(packages: &[Package]) -> bool {
    packages.iter().all(|package| package.is_there())
}

/// Installs those that are missing.
pub(super) fn install(packages: &[Package]) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .filter(|package| !package.is_there())
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "apt-get install --no-install-recommends {}",
        missing.join(" ")
    );
    if paths::program("apt-get").is_none() {
        bail!(
            "not installed: {}. On Debian: {by_hand}",
            missing.join(", ")
        );
    }
    if !is_root()? {
        bail!(
            "not installed: {}. Only root can install packages; run: sudo {by_hand}",
            missing.join(", ")
        );
    }
    if missing.contains(&"postfix") {
        // Otherwise the package sets up a mail server for the machine and starts it.
        answer("postfix postfix/main_mailer_type select No configuration")?;
    }
    if missing.contains(&"rustc-web") {
        // It is renewed in the security archive: old lists know one that is too old for us. Without a network the
        // one that is there has to do.
        let _ = apt_get().args(["update", "--quiet=2"]).run();
    }
    // The lists of a fresh machine are empty or old; ask for new ones only then.
    if apt_install(&missing).is_err() {
        apt_get().arg("update").run()?;
        apt_install(&missing).with_context(|| {
            format!(
                "{} could not be installed; try: {by_hand}",
                missing.join(", ")
            )
        })?;
    }
    Ok(())
}

fn apt_install(packages: &[&str]) -> Result<()> {
    apt_get()
        .args(["install", "--yes", "--quiet=2", "--no-install-recommends"])
        .args(packages)
        .run()
}

/// Answers a question that a package asks when it is installed.
fn answer(selection: &str) -> Result<()> {
    if paths::program("debconf-set-selections").is_none() {
        return Ok(());
    }
    Run::new("sh")
        .args([
            "-c",
            "echo \"$1\" | debconf-set-selections",
            "sh",
            selection,
        ])
        .run()
}

fn apt_get() -> Run {
    Run::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive")
}

fn is_root() -> Result<bool> {
    Ok(Run::new("id").arg("-u").stdout()?.trim() == "0")
}
