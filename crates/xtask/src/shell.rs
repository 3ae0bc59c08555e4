//! Runs programs and says what was run when one fails.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::paths;

/// A program with arguments, run in the repository's top directory unless told otherwise.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
}

impl Run {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(paths::root()).stdin(Stdio::null());
        Self { command }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn directory(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Runs it with its output shown; an exit code other than 0 is an error.
    pub(crate) fn run(mut self) -> Result<()> {
        let line = self.line();
        println!("$ {line}");
        let status = self.command.status().with_context(|| line.clone())?;
        if !status.success() {
            bail!("`{line}` failed ({status})");
        }
        Ok(())
    }

    /// Runs it without a word; an exit code other than 0 is an error, told with what it printed.
    pub(crate) fn run_quietly(self) -> Result<()> {
        self.stdout().map(drop)
    }

    /// Runs it and returns what it printed, whatever its exit code is.
    pub(crate) fn output(mut self) -> Result<Output> {
        let line = self.line();
        self.command.output().context(line)
    }

    /// Runs it and returns its standard output; an exit code other than 0 is an error.
    pub(crate) fn stdout(self) -> Result<String> {
        let line = self.line();
        let output = self.output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            bail!("`{line}` failed ({}):\n{said}", output.status);
        }
        String::from_utf8(output.stdout).context(line)
    }

    /// The same with the words of another program behind it: for programs that start one.
    pub(crate) fn words_of(self, other: Self) -> Self {
        let program = other.command.get_program().to_owned();
        let arguments: Vec<_> = other.command.get_args().map(ToOwned::to_owned).collect();
        self.arg(program).args(arguments)
    }

    /// The same, started so that it may open this many files.
    pub(crate) fn with_descriptors(self, count: usize) -> Self {
        let script = format!("ulimit -n {count} && exec \"$@\"");
        Self::new("sh").args(["-c", &script, "sh"]).words_of(self)
    }

    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    fn line(&self) -> String {
        let mut words = vec![self.command.get_program().to_string_lossy()];
        words.extend(self.command.get_args().map(OsStr::to_string_lossy));
        words.join(" ")
    }
}
