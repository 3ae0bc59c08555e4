//! Runs the firmware of `no_std_demo/` in QEMU, on a board with an Ethernet controller.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process;
use crate::{Error, tools};

/// Where the device sees the server, whatever port it asks for.
pub const SERVER_ADDRESS: &str = "10.0.2.100";
/// The port that the device connects to.
pub const SERVER_PORT: u16 = 25;

/// The image of a firmware, and a directory for what runs leave behind.
#[derive(Debug)]
pub struct Emulator {
    image: PathBuf,
    directory: TempDir,
}

/// How the firmware was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Without TLS.
    Plain,
    /// With STARTTLS and implicit TLS.
    Tls,
}

/// What the device is connected with.
#[derive(Clone, Copy, Debug)]
pub enum Network {
    /// A network of its own with DHCP and one server, which is this port on 127.0.0.1. Nothing else can be
    /// reached.
    Server(u16),
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

impl Emulator {
    /// Uses the image that an environment variable names: `SANSMTP_FIRMWARE_PLAIN` or `SANSMTP_FIRMWARE_TLS`.
    ///
    /// # Errors
    /// If it is not set; `cargo xtask firmware` builds the firmware and sets it.
    pub fn new(variant: Variant) -> Result<Self, Error> {
        let variable = match variant {
            Variant::Plain => "SANSMTP_FIRMWARE_PLAIN",
            Variant::Tls => "SANSMTP_FIRMWARE_TLS",
        };
        let image = env::var_os(variable).ok_or_else(|| {
            Error::new(format!(
                "{variable} names no image; run: cargo xtask firmware"
            ))
        })?;
        Ok(Self {
            image: image.into(),
            directory: TempDir::with_prefix("sansmtp-firmware-")
                .map_err(|e| Error::during("a directory for the firmware", e))?,
        })
    }

    /// A directory for files that the device reads and writes.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Boots the firmware with these settings, `key=value`, and waits for its end.
    ///
    /// # Errors
    /// If QEMU can not be run, or the firmware does not end.
    pub fn run(&self, network: Network, time: Time, settings: &[String]) -> Result<Run, Error> {
        let mut command = Command::new(tools::find("qemu-system-arm")?);
        command
            .args(["-machine", "mps2-an385", "-nographic"])
            .args(["-monitor", "none", "-serial", "none"])
            .arg("-kernel")
            .arg(&self.image);
        match network {
            Network::Unplugged => command.args(["-nic", "none"]),
            Network::Server(port) => {
                let relay = self.directory().join("relay.py");
                std::fs::write(&relay, include_str!("peers/relay.py"))
                    .map_err(|e| Error::during("the relay", e))?;
                command.arg("-nic").arg(format!(
                    "user,model=lan9118,restrict=on,\
                     guestfwd=tcp:{SERVER_ADDRESS}:{SERVER_PORT}-cmd:{} {} {port}",
                    tools::python()?.display(),
                    relay.display()
                ))
            }
        };
        if time == Time::Jumping {
            command.args(["-icount", "shift=5,sleep=off"]);
        }
        let mut semihosting = "enable=on,target=native,arg=firmware".to_owned();
        for setting in settings {
            semihosting.push_str(",arg=");
            semihosting.push_str(&setting.replace(',', ",,"));
        }
        command.arg("-semihosting-config").arg(semihosting);
        let finished = process::run(&mut command, &[])?;
        let code = finished
            .code
            .ok_or_else(|| Error::new(format!("QEMU was ended; it said:\n{}", finished.output)))?;
        Ok(Run {
            code,
            log: finished.output,
        })
    }
}
