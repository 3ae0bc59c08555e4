//! Runs a program to its end, with a limit on its time.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::Error;

/// No client needs as long as this for one mail on loopback; it only ends a hung one.
const LIMIT: Duration = Duration::from_secs(120);

/// What a finished program left behind.
pub(crate) struct Finished {
    /// Exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output, then standard error.
    pub(crate) output: String,
}

/// Runs `command` with `input` on its standard input and waits for its end.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Result<Finished, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| Error::during(&name, e))?;
    let (done, finished) = mpsc::channel();
    let outputs = [
        child.stdout.take().map(|pipe| collect(pipe, done.clone())),
        child.stderr.take().map(|pipe| collect(pipe, done)),
    ];
    let writer = child.stdin.take().map(|mut pipe| {
        let input = input.to_vec();
        // A program that does not read all of its input is judged by its exit code, not by this.
        thread::spawn(move || drop(pipe.write_all(&input)))
    });
    let in_time = (0..2).all(|_| finished.recv_timeout(LIMIT).is_ok());
    if !in_time {
        child.kill().map_err(|e| Error::during(&name, e))?;
    }
    let status = child.wait().map_err(|e| Error::during(&name, e))?;
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    let output: Vec<u8> = outputs
        .into_iter()
        .flatten()
        .filter_map(|reader| reader.join().ok())
        .flatten()
        .collect();
    let output = String::from_utf8_lossy(&output).into_owned();
    if in_time {
        Ok(Finished {
            code: status.code(),
            output,
        })
    } else {
        Err(Error::new(format!(
            "{name} did not end within {} s and was killed; it said:\n{output}",
            LIMIT.as_secs()
        )))
    }
}

fn collect(
    mut pipe: impl Read + Send + 'static,
    done: mpsc::Sender<()>,
) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What arrived before a read error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = done.send(());
        bytes
    })
}
