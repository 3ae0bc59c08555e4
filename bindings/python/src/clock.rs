//! The clock of a connection: the process's own, or one handed in.

use std::sync::OnceLock;
use std::time;

use pyo3::prelude::*;
use sansmtp::Instant;

/// Where a connection reads the time.
pub(crate) enum Clock {
    /// The monotonic clock of the system.
    System,
    /// A callable that returns seconds as a float, such as `time.monotonic` or the clock of a test.
    Callable(Py<PyAny>),
}

impl Clock {
    pub(crate) fn new(callable: Option<Py<PyAny>>) -> Self {
        callable.map_or(Self::System, Self::Callable)
    }

    pub(crate) fn now(&self, py: Python<'_>) -> PyResult<Instant> {
        match self {
            Self::System => {
                static ORIGIN: OnceLock<time::Instant> = OnceLock::new();
                let elapsed = ORIGIN.get_or_init(time::Instant::now).elapsed();
                let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
                Ok(Instant::from_millis(millis))
            }
            Self::Callable(callable) => {
                let seconds: f64 = callable.call0(py)?.extract(py)?;
                // A negative or absurd time becomes the nearest possible one.
                Ok(Instant::from_millis((seconds * 1000.0) as u64))
            }
        }
    }
}

/// Seconds from `now` until `deadline`, rounded up to whole milliseconds, 0 if it has passed.
pub(crate) fn seconds_until(deadline: Instant, now: Instant) -> f64 {
    deadline.since(now) as f64 / 1000.0
}

/// Seconds as the core counts them.
pub(crate) fn millis(seconds: f64) -> u32 {
    (seconds * 1000.0).ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}
