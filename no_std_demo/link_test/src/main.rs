//! A program that links only if no panic can be reached in the core: its panic handler calls a function
//! that does not exist. It is never run. `cargo xtask test --only no-panic` links it.

#![no_std]
#![no_main]

mod entry_points;

use core::hint::black_box;
use core::panic::PanicInfo;

/// Calls every entry point through a pointer that the compiler knows nothing about, so that each is
/// compiled for all inputs and keeps its name.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    for entry_point in entry_points::ALL {
        black_box(entry_point)();
    }
    #[cfg(feature = "deliberate_panic")]
    black_box(deliberate_panic as fn())();
    loop {}
}

#[cfg(feature = "deliberate_panic")]
fn deliberate_panic() {
    let bytes: &[u8] = black_box(b"ab");
    black_box(bytes[black_box(2)]);
}

#[cfg(not(feature = "linkable_panic"))]
#[panic_handler]
fn panic_handler(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_can_be_reached() -> !;
    }
    // SAFETY: the function does not exist, so a program with this call is never linked.
    unsafe { a_panic_can_be_reached() }
}

#[cfg(feature = "linkable_panic")]
#[panic_handler]
fn panic_handler(info: &PanicInfo<'_>) -> ! {
    black_box(info);
    loop {}
}
