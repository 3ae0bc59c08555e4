//! `sansmtp serve` as a process of its own, stopped when a test ends.

use crate::support::sansmtp;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};

/// A running server with its Maildir.
pub(crate) struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    directory: tempfile::TempDir,
    /// The URLs of its listeners, in order.
    pub(crate) urls: Vec<String>,
}

impl Served {
    /// Takes mail for example.org, knows the user me with the password s3cret,
    /// and listens with STARTTLS and with implicit TLS.
    pub(crate) fn start(more: &[&str]) -> Self {
        let both = [
            "--listen",
            "smtp://127.0.0.1:0",
            "--listen",
            "smtps://127.0.0.1:0",
        ];
        Self::start_on(&both, more)
    }

    pub(crate) fn start_on(listen: &[&str], more: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("users"), "# users\n\nme:s3cret\n").unwrap();
        std::fs::write(path("password"), "s3cret\n").unwrap();
        private(&path("users"));
        private(&path("password"));
        let (maildir, users, certificate) = (path("mail"), path("users"), path("ca.pem"));
        let arguments = [
            &["serve"],
            listen,
            &[
                "--maildir",
                &maildir,
                "--users",
                &users,
                "--write-cert",
                &certificate,
                "--domain",
                "example.org",
            ],
            more,
        ]
        .concat();
        let mut child = sansmtp(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let listeners = arguments.iter().filter(|word| **word == "--listen").count();
        let mut urls = Vec::new();
        for _ in 0..listeners {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("a line");
            let Some(url) = line.trim_end().strip_prefix("listening ") else {
                let mut why = String::new();
                let _ = child.kill();
                let _ = stderr.read_to_string(&mut why);
                panic!("no listener: {line:?} {why}");
            };
            urls.push(url.to_owned());
        }
        Self {
            child,
            stdout,
            stderr,
            directory,
            urls,
        }
    }

    /// A file beside the Maildir.
    pub(crate) fn path(&self, name: &str) -> String {
        self.directory
            .path()
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// The stored mails, oldest first as far as file names tell.
    pub(crate) fn mails(&self) -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(self.directory.path().join("mail/new")).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
            .iter()
            .map(|path| std::fs::read(path).unwrap())
            .collect()
    }

    /// Sends a signal by its name and waits for the end: exit code, and what it
    /// said after the lines of its listeners.
    #[cfg(unix)]
    pub(crate) fn stop(mut self, signal: &str) -> (Option<i32>, String, String) {
        let kill = std::process::Command::new("kill")
            .args(["-s", signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(kill.success());
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Kept open until here, so that the server could write.
        let _ = (&self.stdout, &self.stderr);
    }
}

fn private(path: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = path;
}
