//! The clocks of the core and of smoltcp: both count milliseconds.

/// The core's name for a point in time of smoltcp. What lies before the origin becomes the origin.
pub fn core_instant(now: smoltcp::time::Instant) -> sansmtp::Instant {
    sansmtp::Instant::from_millis(now.total_millis().max(0) as u64)
}

/// smoltcp's name for a point in time of the core. Its range ends after 292,000 years.
pub fn stack_instant(now: sansmtp::Instant) -> smoltcp::time::Instant {
    let micros = now.millis().saturating_mul(1000);
    smoltcp::time::Instant::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}
