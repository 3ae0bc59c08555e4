//! The board: an Arm MPS2 with a Cortex-M3 (image AN385), as QEMU emulates it.

pub(crate) mod clock;
pub(crate) mod host;
pub(crate) mod lan9118;
pub(crate) mod stack;
