//! Runs the firmware of `no_std_demo/` in QEMU, on a board with an Ethernet controller.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::peers::child::ServerProcess;
use crate::process;
use crate::{Error, tools};

/// Where the device sees the server, whatever port it asks for.
pub const SERVER_ADDRESS: &str = "10.0.2.100";
/// The port that the device connects to, and that it listens on as a server.
pub const SERVER_PORT: u16 = 25;

/// The image of a firmware, and a directory for what runs leave behind.
#[derive(Debug)]
pub struct Emulator {
    image: PathBuf,
    machine: &'static str,
    directory: TempDir,
}

/// How the firmware was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Without TLS, name look-up and attachments; the settings are built in.
    Brief,
    /// Without TLS.
    Plain,
    /// With STARTTLS and AUTH.
    StartTls,
    /// With implicit TLS and AUTH.
    ImplicitTls,
    /// The server role.
    Server,
    /// With implicit TLS and AUTH, for a board with a Cortex-M7.
    CortexM7,
}

impl Variant {
    /// The environment variable that names the image, and the machine of QEMU.
    const fn image_and_machine(self) -> (&'static str, &'static str) {
        match self {
            Self::Brief => ("SANSMTP_FIRMWARE_BRIEF", "mps2-an385"),
            Self::Plain => ("SANSMTP_FIRMWARE_PLAIN", "mps2-an385"),
            Self::StartTls => ("SANSMTP_FIRMWARE_STARTTLS", "mps2-an385"),
            Self::ImplicitTls => ("SANSMTP_FIRMWARE_IMPLICIT_TLS", "mps2-an385"),
            Self::Server => ("SANSMTP_FIRMWARE_SERVER", "mps2-an385"),
            Self::CortexM7 => ("SANSMTP_FIRMWARE_M7", "mps2-an500"),
        }
    }
}

/// What the device is connected with.
#[derive(Clone, Copy, Debug)]
pub enum Network {
    /// A network of its own with DHCP and one server, which is this port on 127.0.0.1. Nothing else can be
    /// reached.
    Server(u16),
    /// The same network, but the device is the server: at this port on 127.0.0.1.
    Client(u16),
    /// Nothing: the cable is not in.
    Unplugged,
}

/// How time passes for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// As for everybody.
    Real,
    /// While the device waits, its clock jumps: for limits that nobody wants to wait for.
    Jumping,
}

/// What a finished run left behind.
#[derive(Clone, Debug)]
pub struct Run {
    /// The exit code of the firmware.
    pub code: i32,
    /// Its log.
    pub log: String,
}

/// A device that runs. It ends with its owner.
#[derive(Debug)]
pub struct Running {
    process: ServerProcess,
    monitor: PathBuf,
}

/// Ends QEMU when the standard input closes, and says how it ended by itself.
const SUPERVISE: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
qemu=$!
{ cat <&3 >/dev/null; kill "$qemu" 2>/dev/null; } &
exec 3<&-
wait "$qemu"
echo "exit $?"
"#;

impl Emulator {
    /// Uses the image that an environment variable names; `cargo xtask firmware` builds it and sets that.
    ///
    /// # Errors
    /// If it is not set.
    pub fn new(variant: Variant) -> Result<Self, Error> {
        let (variable, machine) = variant.image_and_machine();
        let image = env::var_os(variable).ok_or_else(|| {
            Error::new(format!(
                "{variable} names no image; run: cargo xtask firmware"
            ))
        })?;
        Ok(Self {
            image: image.into(),
            machine,
            directory: TempDir::with_prefix("sansmtp-firmware-")
                .map_err(|e| Error::during("a directory for the firmware", e))?,
        })
    }

    /// A directory for files that the device reads and writes.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Boots the firmware with these settings, `key=value`, and waits for its end. What goes over its cable is
    /// written to `capture`, in the format of tcpdump.
    ///
    /// # Errors
    /// If QEMU can not be run, or the firmware does not end.
    pub fn run(
        &self,
        network: Network,
        time: Time,
        settings: &[String],
        capture: Option<&Path>,
    ) -> Result<Run, Error> {
        let mut command = Command::new(tools::find("qemu-system-arm")?);
        command.args(["-monitor", "none"]);
        self.arguments(&mut command, network, settings)?;
        if time == Time::Jumping {
            command.args(["-icount", "shift=5,sleep=off"]);
        }
        if let Some(capture) = capture {
            let file = capture.display();
            let dump = format!("filter-dump,id=dump,netdev=net,file={file}");
            command.arg("-object").arg(dump);
        }
        let finished = process::run(&mut command, &[])?;
        let code = finished
            .code
            .ok_or_else(|| Error::new(format!("QEMU was ended; it said:\n{}", finished.output)))?;
        Ok(Run {
            code,
            log: finished.output,
        })
    }

    /// Boots the firmware and lets it run.
    ///
    /// # Errors
    /// If QEMU can not be run.
    pub fn start(&self, network: Network, settings: &[String]) -> Result<Running, Error> {
        let monitor = self.directory().join("monitor");
        let mut command = Command::new("sh");
        command.args(["-c", SUPERVISE, "sh"]);
        command.arg(tools::find("qemu-system-arm")?);
        command
            .arg("-monitor")
            .arg(format!("unix:{},server=on,wait=off", monitor.display()));
        self.arguments(&mut command, network, settings)?;
        Ok(Running {
            process: ServerProcess::start("QEMU", &mut command)?,
            monitor,
        })
    }

    fn arguments(
        &self,
        command: &mut Command,
        network: Network,
        settings: &[String],
    ) -> Result<(), Error> {
        command
            .args(["-machine", self.machine, "-nographic", "-serial", "none"])
            .arg("-kernel")
            .arg(&self.image);
        match network {
            Network::Unplugged => command.args(["-nic", "none"]),
            Network::Server(port) => {
                let relay = self.directory().join("relay.py");
                std::fs::write(&relay, include_str!("peers/relay.py"))
                    .map_err(|e| Error::during("the relay", e))?;
                command.arg("-netdev").arg(format!(
                    "user,id=net,restrict=on,\
                     guestfwd=tcp:{SERVER_ADDRESS}:{SERVER_PORT}-cmd:{} {} {port}",
                    tools::python()?.display(),
                    relay.display()
                ));
                command.args(["-net", "nic,model=lan9118,netdev=net"])
            }
            Network::Client(port) => {
                command.arg("-netdev").arg(format!(
                    "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:{SERVER_PORT}"
                ));
                command.args(["-net", "nic,model=lan9118,netdev=net"])
            }
        };
        let mut semihosting = "enable=on,target=native,arg=firmware".to_owned();
        for setting in settings {
            semihosting.push_str(",arg=");
            semihosting.push_str(&setting.replace(',', ",,"));
        }
        command.arg("-semihosting-config").arg(semihosting);
        Ok(())
    }
}

impl Running {
    /// Waits until the device says this in its log.
    ///
    /// # Errors
    /// If it does not.
    pub fn wait_for(&self, said: &str) -> Result<(), Error> {
        self.process.wait_until(said, |lines| {
            Ok(lines.iter().any(|line| line.contains(said)).then_some(()))
        })
    }

    /// Waits until it said this so many times.
    ///
    /// # Errors
    /// If it does not.
    pub fn wait_for_times(&self, said: &str, times: usize) -> Result<(), Error> {
        self.process.wait_until(said, |lines| {
            let count = lines.iter().filter(|line| line.contains(said)).count();
            Ok((count >= times).then_some(()))
        })
    }

    /// Presses the reset button: the memory stays as it is.
    ///
    /// # Errors
    /// If QEMU does not listen.
    pub fn reset(&self) -> Result<(), Error> {
        let failed = |e| Error::during("the monitor of QEMU", e);
        let mut monitor = UnixStream::connect(&self.monitor).map_err(failed)?;
        monitor.write_all(b"system_reset\n").map_err(failed)?;
        // It prompts before the command and after it.
        let mut said = Vec::new();
        while said.windows(6).filter(|it| it == b"(qemu)").count() < 2 {
            let mut octet = [0];
            monitor.read_exact(&mut octet).map_err(failed)?;
            said.extend(octet);
        }
        Ok(())
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// If it does not come.
    pub fn wait(self) -> Result<Run, Error> {
        let code = self.process.wait_until("its end", |lines| {
            let code = lines.iter().find_map(|line| line.strip_prefix("exit "));
            Ok(code.and_then(|code| code.parse().ok()))
        })?;
        Ok(Run {
            code,
            log: self.process.log(),
        })
    }
}

/// A port on 127.0.0.1 that nobody uses.
///
/// # Errors
/// If there is none.
pub fn free_port() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| Error::during("a free port", e))
}
