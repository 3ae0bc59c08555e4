//! The board: an Arm MPS2 as QEMU emulates it, with a Cortex-M3 (image AN385) or a Cortex-M7 (image AN500).

pub(crate) mod clock;
pub(crate) mod host;
pub(crate) mod lan9118;
mod memory;
#[cfg(feature = "client")]
pub(crate) mod retained;
pub(crate) mod stack;
mod vectors;

/// Where the registers of the Ethernet controller begin.
const ETHERNET: usize = if cfg!(feature = "an500") {
    0xA000_0000
} else {
    0x4020_0000
};
