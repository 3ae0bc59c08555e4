//! The written cases of hostile clients and servers, over sockets, against the programs as they are shipped:
//! `sansmtp serve` and `hostile-client`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::shell::Run;
use crate::{cargo, paths};

const RUNNER: &str = "tests/hostile/run_hostile.py";
/// How many cases there are in each role; one that is skipped is a failure.
const SERVER_CASES: usize = 97;
const CLIENT_CASES: usize = 41;

pub(super) fn run() -> Result<()> {
    cargo::command()
        .args(["build", "--locked", "--package", "sansmtp-cli"])
        .args(["--package", "sansmtp-tests", "--bins"])
        .run()?;
    // Both wait most of the time.
    let (server, client) = std::thread::scope(|scope| {
        let server = scope.spawn(against_our_server);
        let client = against_our_client();
        (server.join(), client)
    });
    let server = server.unwrap_or_else(|_| bail!("the runner could not be watched"))?;
    let client = client?;
    passed("server", &server, SERVER_CASES)?;
    passed("client", &client, CLIENT_CASES)
}

fn program(name: &str) -> std::path::PathBuf {
    paths::target().join("debug").join(name)
}

fn against_our_server() -> Result<String> {
    let maildir = tempfile::tempdir()?;
    let mut served = Served::start(maildir.path())?;
    let address = served.address()?;
    runner([address.as_str(), "--strict"])
}

fn against_our_client() -> Result<String> {
    let client = program("hostile-client");
    runner(["--client", &client.to_string_lossy()])
}

/// What the runner printed, whatever it thinks of it.
fn runner<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let output = Run::new("python3").arg(RUNNER).args(arguments).output()?;
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

fn passed(role: &str, said: &str, cases: usize) -> Result<()> {
    let count = said
        .lines()
        .filter(|line| line.starts_with("PASS "))
        .count();
    if count == cases {
        println!("{role}: {count} cases passed");
        return Ok(());
    }
    let others: Vec<&str> = said
        .lines()
        .filter(|line| !line.starts_with("PASS "))
        .collect();
    bail!(
        "{role}: {count} of {cases} cases passed\n{}",
        others.join("\n")
    )
}

/// `sansmtp serve`, which is stopped when this is dropped.
struct Served(Child);

impl Served {
    fn start(maildir: &std::path::Path) -> Result<Self> {
        let child = Run::new(program("sansmtp"))
            .args(["serve", "--listen", "smtp://127.0.0.1:0", "--domain"])
            .args([
                "example.org",
                "--user",
                "user:s3cret-pw",
                "--max-size",
                "1M",
            ])
            .arg("--maildir")
            .arg(maildir)
            .into_command()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("sansmtp serve")?;
        Ok(Self(child))
    }

    /// Where it listens, as it says.
    fn address(&mut self) -> Result<String> {
        let output = self.0.stdout.take().context("standard output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening smtp://");
        Ok(address.with_context(|| line.clone())?.to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
