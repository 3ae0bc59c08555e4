//! Running programs and what that costs: wall time, and the processor time that the system accounts for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

use crate::shell::Run;

/// What a run took, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) wall: f64,
    pub(super) cpu: f64,
}

/// Puts this process, and all that it starts from now on, on one core. On several, chance decides at each start whether
/// client and server wake each other across cores, and that costs several times what a message does.
pub(super) fn stay_on_one_core() -> Result<()> {
    let itself = Pid::from_raw(0);
    let allowed = sched_getaffinity(itself)?;
    let mut cores = (0..CpuSet::count()).rev();
    let last = cores
        .find(|core| allowed.is_set(*core).unwrap_or(false))
        .context("no core is allowed")?;
    let mut one = CpuSet::new();
    one.set(last)?;
    Ok(sched_setaffinity(itself, &one)?)
}

/// Runs a program to its end; an exit code other than 0 is an error.
pub(super) fn cost_of(run: Run) -> Result<Cost> {
    let before = children()?;
    let start = Instant::now();
    run.run_quietly()?;
    Ok(Cost {
        wall: start.elapsed().as_secs_f64(),
        cpu: children()? - before,
    })
}

/// The processor time of all children that have ended.
fn children() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let (user, system) = (usage.user_time(), usage.system_time());
    let seconds = |secs: i64, micros: i64| secs as f64 + micros as f64 / 1e6;
    Ok(seconds(user.tv_sec(), user.tv_usec()) + seconds(system.tv_sec(), system.tv_usec()))
}

/// A server on a port of its own; ended when dropped.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    clock: ClockId,
    pub(super) port: u16,
}

impl Running {
    /// Starts a server and waits until it greets.
    pub(super) fn start(name: &str, start: impl Fn(u16) -> Run) -> Result<Self> {
        Self::start_with(name, start, true)
    }

    /// Starts a server and waits until it listens; with `greets`, until it says something.
    pub(super) fn start_with(name: &str, start: impl Fn(u16) -> Run, greets: bool) -> Result<Self> {
        let port = free_port()?;
        let mut command = start(port).into_command();
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| name.to_owned())?;
        let pid = Pid::from_raw(i32::try_from(child.id())?);
        let clock = clock_getcpuclockid(pid)?;
        let running = Self { child, clock, port };
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if answers(port, greets).is_ok() {
                return Ok(running);
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("{name} does not answer")
    }

    /// The processor time that it has used so far, in seconds.
    pub(super) fn cpu(&self) -> Result<f64> {
        let time = self.clock.now()?;
        Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
    }

    /// A value in KiB from what the system tells of the process, such as `VmRSS`.
    pub(super) fn memory(&self, what: &str) -> Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path)?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
        let value = line.context("the system does not tell")?;
        Ok(value.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers(port: u16, greets: bool) -> Result<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect(address)?;
    if greets {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let count = stream.read(&mut [0; 512])?;
        anyhow::ensure!(count > 0, "it closes");
        stream.write_all(b"QUIT\r\n")?;
    }
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Values of several rounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    pub(super) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match self.0.len() {
            0 => f64::NAN,
            length if length % 2 == 1 => self.0[middle],
            _ => f64::midpoint(self.0[middle - 1], self.0[middle]),
        }
    }

    /// The greatest, as a multiple of the least.
    pub(super) fn spread(&self) -> f64 {
        match (self.0.first(), self.0.last()) {
            (Some(least), Some(greatest)) if *least > 0.0 => greatest / least,
            _ => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_and_spread() {
        let mut samples = Samples::default();
        for value in [3.0, 1.0, 2.0] {
            samples.push(value);
        }
        assert_eq!((samples.median(), samples.spread()), (2.0, 3.0));
        samples.push(4.0);
        assert_eq!(samples.median(), 2.5);
    }
}
