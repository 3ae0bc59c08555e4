//! Milliseconds since the start, counted by the SysTick interrupt.

use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;

/// The processor's clock in Hz.
const FREQUENCY: u32 = 25_000_000;

/// Wraps after 49 days, longer than the demonstration runs.
static MILLIS: AtomicU32 = AtomicU32::new(0);

/// Starts the clock.
pub(crate) fn start(mut systick: SYST) {
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(FREQUENCY / 1000 - 1);
    systick.clear_current();
    systick.enable_counter();
    systick.enable_interrupt();
}

/// The time since the start.
pub(crate) fn now() -> sansmtp::Instant {
    sansmtp::Instant::from_millis(u64::from(MILLIS.load(Ordering::Relaxed)))
}

/// The same, as the network stack calls it.
pub(crate) fn stack_now() -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_millis(MILLIS.load(Ordering::Relaxed))
}

#[exception]
fn SysTick() {
    MILLIS.store(
        MILLIS.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
}
