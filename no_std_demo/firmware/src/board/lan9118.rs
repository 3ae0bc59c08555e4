//! A polled driver for the Ethernet controller LAN9118 (data sheet: SMSC LAN9118, revision 1.5).

use super::ETHERNET;
use core::ptr;
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::EthernetAddress;

/// Registers, as offsets.
mod register {
    pub(super) const RX_DATA: usize = 0x00;
    pub(super) const TX_DATA: usize = 0x20;
    pub(super) const RX_STATUS: usize = 0x40;
    pub(super) const TX_STATUS: usize = 0x48;
    pub(super) const BYTE_TEST: usize = 0x64;
    pub(super) const TX_CFG: usize = 0x70;
    pub(super) const HW_CFG: usize = 0x74;
    pub(super) const RX_FIFO_INF: usize = 0x7C;
    pub(super) const TX_FIFO_INF: usize = 0x80;
    pub(super) const MAC_CSR_CMD: usize = 0xA4;
    pub(super) const MAC_CSR_DATA: usize = 0xA8;
}

/// Registers of the MAC, behind MAC_CSR_CMD.
mod mac {
    pub(super) const CR: u32 = 1;
    pub(super) const ADDRH: u32 = 2;
    pub(super) const ADDRL: u32 = 3;
    pub(super) const MII_ACC: u32 = 6;
    pub(super) const MII_DATA: u32 = 7;
}

/// The longest frame without its check sum, in octets.
const FRAME: usize = 1514;
/// Reads of a register until the controller counts as dead.
const PATIENCE: u32 = 100_000;

/// The controller.
pub(crate) struct Lan9118 {
    /// The frame that came in last.
    received: [u8; FRAME],
    /// The frame that goes out next.
    to_send: [u8; FRAME],
}

/// There is no such controller, or it does not answer.
pub(crate) struct NoController;

impl Lan9118 {
    /// Resets the controller and switches it on.
    pub(crate) fn start() -> Result<Self, NoController> {
        if read(register::BYTE_TEST) != 0x8765_4321 {
            return Err(NoController);
        }
        write(register::HW_CFG, 1);
        wait_until_clear(register::HW_CFG, 1)?;
        // 5 KB for transmission; bit 20 must be one.
        write(register::HW_CFG, 5 << 16 | 1 << 20);
        write(register::TX_CFG, 1 << 1);
        // Auto-negotiation: register 0 of PHY 1.
        write_mac(mac::MII_DATA, 0x1200)?;
        write_mac(mac::MII_ACC, 1 << 11 | 1 << 1 | 1)?;
        // Receiver and transmitter on.
        write_mac(mac::CR, 1 << 3 | 1 << 2)?;
        Ok(Self {
            received: [0; FRAME],
            to_send: [0; FRAME],
        })
    }

    /// The hardware address.
    pub(crate) fn address() -> Result<EthernetAddress, NoController> {
        let [a, b, c, d] = read_mac(mac::ADDRL)?.to_le_bytes();
        let [e, f, ..] = read_mac(mac::ADDRH)?.to_le_bytes();
        Ok(EthernetAddress([a, b, c, d, e, f]))
    }

    /// Takes the next good frame out of the controller and returns its length.
    fn fetch(&mut self) -> Option<usize> {
        while read(register::RX_FIFO_INF) >> 16 & 0xFF != 0 {
            let status = read(register::RX_STATUS);
            let length = (status >> 16 & 0x3FFF) as usize;
            let mut words = self.received.chunks_mut(4);
            for _ in 0..length.div_ceil(4) {
                let word = read(register::RX_DATA).to_le_bytes();
                for (to, from) in words.next().unwrap_or_default().iter_mut().zip(word) {
                    *to = from;
                }
            }
            let faulty = status & 1 << 15 != 0;
            // The check sum is counted.
            if let Some(length) = length.checked_sub(4)
                && length <= FRAME
                && !faulty
            {
                return Some(length);
            }
        }
        None
    }
}

impl Device for Lan9118 {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sender<'a>;

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Sender<'_>)> {
        if !may_send() {
            return None;
        }
        let length = self.fetch()?;
        let frame = self.received.get(..length)?;
        Some((Received(frame), Sender(&mut self.to_send)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sender<'_>> {
        may_send().then_some(Sender(&mut self.to_send))
    }
}

/// A frame that came in.
pub(crate) struct Received<'a>(&'a [u8]);

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for a frame to send.
pub(crate) struct Sender<'a>(&'a mut [u8; FRAME]);

impl phy::TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        // The stack asks for no more than the MTU that it was told.
        let frame = self.0.get_mut(..length).unwrap_or_default();
        let result = f(frame);
        let length = length as u32;
        // First and last segment at once; no interrupt.
        write(register::TX_DATA, 1 << 13 | 1 << 12 | length);
        write(register::TX_DATA, length);
        for octets in frame.chunks(4) {
            let mut word = [0; 4];
            for (to, from) in word.iter_mut().zip(octets) {
                *to = *from;
            }
            write(register::TX_DATA, u32::from_le_bytes(word));
        }
        result
    }
}

/// Whether a whole frame fits into the controller.
fn may_send() -> bool {
    // Reports of earlier frames would fill their memory.
    while read(register::TX_FIFO_INF) >> 16 & 0xFF != 0 {
        read(register::TX_STATUS);
    }
    read(register::TX_FIFO_INF) & 0xFFFF >= FRAME as u32 + 16
}

fn read_mac(index: u32) -> Result<u32, NoController> {
    wait_until_clear(register::MAC_CSR_CMD, 1 << 31)?;
    write(register::MAC_CSR_CMD, 1 << 31 | 1 << 30 | index);
    wait_until_clear(register::MAC_CSR_CMD, 1 << 31)?;
    Ok(read(register::MAC_CSR_DATA))
}

fn write_mac(index: u32, value: u32) -> Result<(), NoController> {
    wait_until_clear(register::MAC_CSR_CMD, 1 << 31)?;
    write(register::MAC_CSR_DATA, value);
    write(register::MAC_CSR_CMD, 1 << 31 | index);
    wait_until_clear(register::MAC_CSR_CMD, 1 << 31)
}

fn wait_until_clear(offset: usize, bits: u32) -> Result<(), NoController> {
    for _ in 0..PATIENCE {
        if read(offset) & bits == 0 {
            return Ok(());
        }
    }
    Err(NoController)
}

fn read(offset: usize) -> u32 {
    let register = ptr::without_provenance::<u32>(ETHERNET + offset);
    // SAFETY: all offsets are those of 32-bit registers, which are always there on this board. Only
    // one `Lan9118` exists, and no interrupt touches them.
    unsafe { ptr::read_volatile(register) }
}

fn write(offset: usize, value: u32) {
    let register = ptr::without_provenance_mut::<u32>(ETHERNET + offset);
    // SAFETY: as in `read`; no register gives the controller access to memory.
    unsafe { ptr::write_volatile(register, value) }
}
