//! A pump that mails an alert when its bearing runs hot.
//!
//! The device gets an address by DHCP, reads its (simulated) sensor until the limit is crossed, and sends
//! a mail with a text and the log of all readings, which is streamed from where it is stored. It says
//! in its log what happens, and ends with an exit code, so that the emulator can show it to a script.

#![no_std]
#![no_main]

mod alert;
mod board;
mod network;
mod sensor;
mod settings;

use crate::alert::End;
use crate::board::host::{decimal, log};
use crate::board::lan9118::Lan9118;
use crate::board::{clock, host, stack};
use crate::network::{Network, TCP_BUFFER};
use crate::settings::Settings;
use core::panic::PanicInfo;
use cortex_m_rt::entry;
use sansmtp::Error;
use sansmtp_smoltcp::Reason;
use smoltcp::iface::SocketStorage;
use smoltcp::time::Duration;

/// What the exit code says.
mod exit {
    pub(crate) const DELIVERED: u32 = 0;
    pub(crate) const FAILED: u32 = 1;
    pub(crate) const UNKNOWN: u32 = 2;
    pub(crate) const NO_NETWORK: u32 = 3;
    pub(crate) const MISCONFIGURED: u32 = 4;
    pub(crate) const PANIC: u32 = 101;
}

#[entry]
fn main() -> ! {
    if let Some(peripherals) = cortex_m::Peripherals::take() {
        clock::start(peripherals.SYST);
    }
    let code = run();
    let mut digits = [0; 10];
    log(&[
        "stack: ",
        decimal(stack::deepest(), &mut digits),
        " octets at most",
    ]);
    log(&[
        "statics: ",
        decimal(stack::statics(), &mut digits),
        " octets",
    ]);
    host::exit(code);
}

fn run() -> u32 {
    let mut settings = [0; 512];
    let settings = Settings::new(host::settings(&mut settings));
    log(&["start: ", settings.get("name").unwrap_or("pump7")]);

    let mut seed = [0; 8];
    host::entropy(&mut seed);
    let Ok(mut device) = Lan9118::start() else {
        log(&["no Ethernet controller"]);
        return exit::NO_NETWORK;
    };
    let mut sockets = [SocketStorage::EMPTY; 3];
    let mut queries = [const { None }; 1];
    let mut buffers = [[0; TCP_BUFFER]; 2];
    let network = Network::new(
        &mut device,
        &mut sockets,
        &mut queries,
        &mut buffers,
        u64::from_le_bytes(seed),
    );
    let Ok(mut network) = network else {
        log(&["the Ethernet controller does not answer"]);
        return exit::NO_NETWORK;
    };
    if !network.wait_for_address(Duration::from_secs(15)) {
        log(&["no address: is the cable in?"]);
        return exit::NO_NETWORK;
    }
    log(&["network: address received"]);

    let readings = sensor::Log::until_alarm();
    log(&["sensor: above the limit, sending an alert"]);
    match alert::raise(&mut network, settings, &readings) {
        End::Delivered => {
            log(&["alert: delivered"]);
            exit::DELIVERED
        }
        End::Misconfigured(why) => {
            log(&["alert: settings: ", why]);
            exit::MISCONFIGURED
        }
        End::Failed(report, failure) => {
            let mut digits = [0; 10];
            let attempts = decimal(u32::from(report.attempts), &mut digits);
            log(&["alert: attempts: ", attempts]);
            tell(failure.reason);
            if failure.outcome_unknown {
                log(&["alert: unknown whether it arrived"]);
                exit::UNKNOWN
            } else {
                log(&["alert: not delivered"]);
                exit::FAILED
            }
        }
    }
}

/// Says in the log what went wrong.
fn tell(reason: Reason) {
    let mut digits = [0; 10];
    match reason {
        Reason::NameNotResolved => log(&["reason: name not resolved"]),
        Reason::NotConnected => log(&["reason: not connected"]),
        Reason::NoTls => log(&["reason: this firmware was built without TLS"]),
        #[cfg(feature = "tls")]
        Reason::Tls(failure) => log(&["reason: TLS: ", failure.as_str()]),
        Reason::Content(_) => log(&["reason: the message can not be produced"]),
        Reason::Smtp(error) => {
            let stage = error.stage().map_or("", |stage| stage.name());
            match error {
                Error::Refused { code, .. } => {
                    let code = decimal(u32::from(code.get()), &mut digits);
                    log(&["reason: refused ", stage, " with ", code]);
                }
                Error::Timeout { .. } => log(&["reason: time out at ", stage]),
                Error::Closed { .. } => log(&["reason: connection lost at ", stage]),
                Error::Peer { .. } => log(&["reason: protocol broken at ", stage]),
                Error::Unmet(_) => log(&["reason: the server lacks what is required"]),
                _ => log(&["reason: defect of the program"]),
            }
            log(&["advice: ", error.next_step()]);
        }
        _ => log(&["reason: unknown"]),
    }
}

#[panic_handler]
fn panic_handler(_: &PanicInfo<'_>) -> ! {
    log(&["panic"]);
    host::exit(exit::PANIC)
}
