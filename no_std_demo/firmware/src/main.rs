//! A pump that mails an alert when its bearing runs hot.
//!
//! The device reads its (simulated) sensor until the limit is crossed, and keeps an alert in a queue that survives a
//! warm reset. Then it gets an address by DHCP and sends what is in the queue: a mail with a text and the log of
//! all readings, which is streamed from where it is stored. It says in its log what happens, and ends with an exit
//! code, so that the emulator can show it to a script.
//!
//! With the feature `server` it takes commands by mail, too or instead.

#![no_std]
#![no_main]

mod board;
#[cfg(feature = "server")]
mod command;
mod network;
#[cfg(feature = "client")]
mod pump;
mod settings;

use crate::board::host::{decimal, log};
use crate::board::lan9118::Lan9118;
use crate::board::{clock, host, stack};
use crate::network::{Network, TCP_BUFFER};
use crate::settings::Settings;
use core::panic::PanicInfo;
use cortex_m_rt::entry;
use smoltcp::iface::SocketStorage;
use smoltcp::time::Duration;

/// What the exit code says.
mod exit {
    pub(crate) const DELIVERED: u32 = 0;
    #[cfg(feature = "client")]
    pub(crate) const FAILED: u32 = 1;
    #[cfg(feature = "client")]
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
    report_memory();
    host::exit(code);
}

/// Says how much RAM was used.
fn report_memory() {
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
}

fn run() -> u32 {
    #[cfg(not(feature = "fixed"))]
    let mut buffer = [0; 512];
    #[cfg(not(feature = "fixed"))]
    let settings = Settings::new(host::settings(&mut buffer));
    #[cfg(feature = "fixed")]
    let settings = Settings::new("");
    log(&["start: ", settings.get("name").unwrap_or("pump7")]);
    #[cfg(feature = "client")]
    let code = pump::run(settings);
    #[cfg(not(feature = "client"))]
    let code = exit::DELIVERED;
    #[cfg(feature = "server")]
    if code == exit::DELIVERED {
        return command::run(settings);
    }
    code
}

/// Starts the network and acts with it.
fn with_network(settings: Settings<'_>, act: impl FnOnce(&mut Network<'_>) -> u32) -> u32 {
    let mut seed = [0; 8];
    host::entropy(&mut seed);
    let Ok(mut device) = Lan9118::start() else {
        log(&["no Ethernet controller"]);
        return exit::NO_NETWORK;
    };
    let mut sockets = [SocketStorage::EMPTY; 3];
    #[cfg(feature = "dns")]
    let mut queries = [const { None }; 1];
    let mut buffers = [[0; TCP_BUFFER]; 2];
    let window = settings.number("window").map_or(TCP_BUFFER, |n| n as usize);
    let seed = u64::from_le_bytes(seed);
    let network = Network::new(
        &mut device,
        &mut sockets,
        #[cfg(feature = "dns")]
        &mut queries,
        &mut buffers,
        window,
        seed,
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
    act(&mut network)
}

#[panic_handler]
#[cfg_attr(not(feature = "locate-panics"), expect(unused_variables))]
fn panic_handler(info: &PanicInfo<'_>) -> ! {
    #[cfg(feature = "locate-panics")]
    if let Some(place) = info.location() {
        let mut digits = [0; 10];
        log(&[
            "panic: ",
            place.file(),
            ":",
            decimal(place.line(), &mut digits),
        ]);
    }
    log(&["panic"]);
    host::exit(exit::PANIC)
}
