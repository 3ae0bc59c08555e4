//! Memory that a warm reset leaves alone.
//!
//! A board with a battery for its RAM, or with FRAM, looks the same. On flash, a word can only lose bits between
//! two erasures: the words that are written here (`queue`) must then go to a fresh place each time.

use core::ptr;

/// Words that there are.
pub(crate) const WORDS: usize = 128;

unsafe extern "C" {
    /// The beginning of the region (memory.x). No section of the program lies there.
    static mut _retained: [u32; WORDS];
}

/// The word at `index`, as it was left; what stands there after power-on is anything. Zero outside.
pub(crate) fn read(index: usize) -> u32 {
    if index >= WORDS {
        return 0;
    }
    let word = ptr::addr_of!(_retained).cast::<u32>().wrapping_add(index);
    // SAFETY: the word lies in a region of RAM that only this module touches, and any bits are a number.
    unsafe { ptr::read_volatile(word) }
}

/// Sets the word at `index`: at once, and in the order of the calls. Does nothing outside.
pub(crate) fn write(index: usize, value: u32) {
    if index >= WORDS {
        return;
    }
    let word = ptr::addr_of_mut!(_retained)
        .cast::<u32>()
        .wrapping_add(index);
    // SAFETY: as in `read`; nobody has a reference to it.
    unsafe { ptr::write_volatile(word, value) };
}
