//! What the benchmark needs: programs of Postfix, packages of Rust, Python and Node, all installed here.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell::Run;
use crate::{cargo, exchanges, paths, setup};

/// Everything is built and installed.
#[derive(Debug)]
pub(super) struct Environment {
    ours: PathBuf,
    peers: PathBuf,
    python: PathBuf,
    node: PathBuf,
    pub(super) is_root: bool,
    /// The Python package of ours is installed beside the peers.
    pub(super) has_binding: bool,
    /// A certificate for 127.0.0.1 and its key.
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Environment {
    pub(super) fn prepare() -> Result<Self> {
        setup::peers()?;
        setup::strace()?;
        let ours = exchanges::build()?;
        let home = paths::target().join("bench");
        fs::create_dir_all(&home).with_context(|| home.display().to_string())?;
        let peers = build_peers(&home)?;
        let requirements = paths::root().join("bench/python/requirements.txt");
        let python = setup::environment(&home.join("venv"), &requirements)?;
        let node = install_node(&home)?;
        let (certificate, key) = certificate(&home)?;
        let has_binding = install_binding(&python)?;
        let is_root = Run::new("id").arg("-u").stdout()?.trim() == "0";
        Ok(Self {
            ours,
            peers,
            python,
            node,
            is_root,
            has_binding,
            certificate,
            key,
        })
    }

    pub(super) fn ours(&self) -> Run {
        Run::new(&self.ours)
    }

    pub(super) fn peers(&self) -> Run {
        Run::new(&self.peers)
    }

    pub(super) fn python(&self, program: &str) -> Run {
        Run::new(&self.python).arg(paths::root().join("bench/python").join(program))
    }

    /// A program beside the installed packages.
    pub(super) fn node(&self, program: &str) -> PathBuf {
        self.node.join(program)
    }

    /// Our package for Node, where `cargo xtask wasm` has built it.
    pub(super) fn npm_package(&self) -> PathBuf {
        paths::root().join("bindings/wasm/dist/node.js")
    }
}

fn build_peers(home: &Path) -> Result<PathBuf> {
    let target = home.join("peers");
    cargo::command()
        .args(["build", "--quiet", "--release", "--locked"])
        .args(["--manifest-path", "bench/peers/Cargo.toml", "--target-dir"])
        .arg(&target)
        .run()?;
    Ok(target.join("release/bench-peers"))
}

fn install_node(home: &Path) -> Result<PathBuf> {
    setup::node()?;
    let node = home.join("node");
    fs::create_dir_all(&node)?;
    let source = paths::root().join("bench/node");
    let wanted = fs::read_to_string(source.join("package.json"))?;
    let installed = node.join("package.json");
    let is_there = fs::read_to_string(&installed).is_ok_and(|text| text == wanted)
        && node.join("node_modules").is_dir();
    for name in ["package.json", "serve.mjs", "send.mjs"] {
        fs::copy(source.join(name), node.join(name)).with_context(|| name.to_owned())?;
    }
    if !is_there {
        Run::new("npm")
            .args(["install", "--silent", "--no-audit", "--no-fund"])
            .directory(&node)
            .run()?;
    }
    Ok(node)
}

/// Installs our Python package, once; `pip uninstall sansmtp` in that environment has it built anew.
fn install_binding(python: &Path) -> Result<bool> {
    let is_there = |python| {
        Run::new(python)
            .args(["-c", "import sansmtp.smtplib"])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if is_there(python) {
        return Ok(true);
    }
    Run::new(python)
        .args(["-m", "pip", "install", "--quiet", "bindings/python"])
        .run()?;
    Ok(is_there(python))
}

fn certificate(home: &Path) -> Result<(PathBuf, PathBuf)> {
    let (certificate, key) = (home.join("certificate.pem"), home.join("key.pem"));
    Run::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "30", "-subj", "/CN=bench"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-out"])
        .arg(&certificate)
        .arg("-keyout")
        .arg(&key)
        .run_quietly()?;
    Ok((certificate, key))
}

/// Machine and versions, a line each.
pub(super) fn describe() -> Result<Vec<(String, String)>> {
    let first = |run: Run| -> Result<String> {
        let output = run.output()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(text.lines().next().unwrap_or_default().trim().to_owned())
    };
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism()?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let fact = |what: &str, value: String| (what.to_owned(), value);
    Ok(vec![
        fact("processor", format!("{model}, {cores} cores")),
        fact("system", first(Run::new("uname").args(["-srm"]))?),
        fact("load when it began", load),
        fact("compiler", first(cargo::rustc().arg("--version"))?),
        fact(
            "Postfix",
            first(Run::new("postconf").args(["-d", "-h", "mail_version"]))?,
        ),
        fact("Python", first(Run::new("python3").arg("--version"))?),
        fact("Node", first(Run::new("node").arg("--version"))?),
        fact(
            "date",
            first(Run::new("date").args(["-u", "+%F %H:%M UTC"]))?,
        ),
    ])
}
