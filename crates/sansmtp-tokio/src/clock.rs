//! The clock of a machine, milliseconds since its connection was made, and the
//! date.

use sansmtp::Instant;
use sansmtp::message::Date;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};
use tokio::time::Sleep;

/// Tokio's clock, seen from an origin of its own, so that tests can stop and
/// move it. A machine must be given times of the same clock all its life.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: tokio::time::Instant,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self {
            origin: tokio::time::Instant::now(),
        }
    }

    /// The time now, as the machine counts it.
    pub(crate) fn now(&self) -> Instant {
        let elapsed = self.origin.elapsed().as_millis();
        Instant::from_millis(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// The point on tokio's clock that a deadline of the machine stands for.
    pub(crate) fn at(&self, deadline: Instant) -> tokio::time::Instant {
        self.origin + Duration::from_millis(deadline.millis())
    }
}

/// What the system's clock says, in UTC; none if it is before 1970 or after 9999.
pub(crate) fn date() -> Option<Date> {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    Date::from_unix(i64::try_from(since.as_secs()).ok()?, 0).ok()
}

/// Wakes a task when a deadline has passed. Deadlines move at every step of a
/// dialogue, mostly into the future; the timer follows only when it must, since
/// each move costs, and one to an earlier time even a system call.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
        }
    }

    /// Ready once `deadline` has passed; never without one.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Option<tokio::time::Instant>,
    ) -> Poll<()> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        if self.sleep.is_elapsed() || self.sleep.deadline() > deadline {
            self.sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= deadline || tokio::time::Instant::now() >= deadline {
                return Poll::Ready(());
            }
            // It was set for an earlier deadline.
            self.sleep.as_mut().reset(deadline);
        }
    }
}
