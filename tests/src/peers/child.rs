//! A server process whose output is watched and that never outlives its owner.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;

/// How long a server may take for a start or for storing what it accepted. Only failures wait so long.
const LIMIT: Duration = Duration::from_secs(60);
/// How much of the log an error shows.
const SHOWN_LINES: usize = 30;

/// The process. Its standard input is the tether: the program must clean up and end when it closes,
/// which happens on drop and when the owning process dies.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    log: Arc<Log>,
    name: &'static str,
}

#[derive(Debug, Default)]
struct Log {
    lines: Mutex<Lines>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    open_pipes: usize,
}

impl ServerProcess {
    /// Starts `command` and begins to collect the lines of its output and errors.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<Self, Error> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // An interrupt from the terminal must not end the program before it has cleaned up.
            .process_group(0)
            .spawn()
            .map_err(|e| Error::during(name, e))?;
        let log = Arc::new(Log::default());
        log.lock().open_pipes = 2;
        if let Some(pipe) = child.stdout.take() {
            watch(pipe, Arc::clone(&log));
        }
        if let Some(pipe) = child.stderr.take() {
            watch(pipe, Arc::clone(&log));
        }
        Ok(Self { child, log, name })
    }

    /// Calls `look` with all lines logged so far, again after each new one, until it returns a value.
    pub(crate) fn wait_until<T>(
        &self,
        what: &str,
        mut look: impl FnMut(&[String]) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let end = Instant::now() + LIMIT;
        let mut lines = self.log.lock();
        loop {
            if let Some(found) = look(&lines.lines)? {
                return Ok(found);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || lines.open_pipes == 0 {
                let why = if left.is_zero() {
                    "in time"
                } else {
                    "before its end"
                };
                let from = lines.lines.len().saturating_sub(SHOWN_LINES);
                let tail = lines.lines.get(from..).unwrap_or_default().join("\n");
                return Err(Error::new(format!(
                    "{}: {what} was not seen {why}; its log ends with:\n{tail}",
                    self.name
                )));
            }
            lines = self
                .log
                .grown
                .wait_timeout(lines, left)
                .map_or_else(|e| e.into_inner().0, |(guard, _)| guard);
        }
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().lines.join("\n")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Nothing to do about a process that cannot be waited for.
        let _ = self.child.wait();
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn watch(pipe: impl Read + Send + 'static, log: Arc<Log>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            log.lock().lines.push(line);
            log.grown.notify_all();
        }
        log.lock().open_pipes -= 1;
        log.grown.notify_all();
    });
}
