//! How deep the stack grew.

use core::ptr;
use cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    /// Where the static variables end and the room for the stack begins.
    static mut __sheap: u32;
    /// The top of the stack.
    static mut _stack_start: u32;
}

/// The most octets of stack that were ever in use. The start-up code painted the whole stack.
pub(crate) fn deepest() -> u32 {
    let top = ptr::addr_of!(_stack_start) as usize;
    let mut word = ptr::addr_of!(__sheap);
    while (word as usize) < top {
        // SAFETY: all of this memory is RAM that belongs to the stack, and the pointer is aligned.
        if unsafe { ptr::read_volatile(word) } != STACK_PAINT_VALUE {
            break;
        }
        word = word.wrapping_add(1);
    }
    (top - word as usize) as u32
}

/// Octets of RAM that static variables take.
pub(crate) fn statics() -> u32 {
    (ptr::addr_of!(__sheap) as usize - 0x2000_0000) as u32
}
