//! How often and when a mail is tried again.

/// How often and when a mail is tried again after a failure that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all; 0 counts as 1.
    pub attempts: u8,
    /// Milliseconds between the first and the second attempt; each later pause is twice as long.
    pub first_pause: u32,
    /// No pause is longer than this, in milliseconds.
    pub longest_pause: u32,
}

impl Retry {
    /// One attempt.
    pub const NEVER: Self = Self {
        attempts: 1,
        first_pause: 0,
        longest_pause: 0,
    };

    /// Six attempts within about five minutes: after 10, 20, 40, 80 and 120 seconds.
    pub const DEFAULT: Self = Self {
        attempts: 6,
        first_pause: 10_000,
        longest_pause: 120_000,
    };

    /// The pause in milliseconds after so many failed attempts, or `None` if that is enough.
    pub fn pause_after(&self, failed: u8) -> Option<u32> {
        if failed >= self.attempts {
            return None;
        }
        let doublings = u32::from(failed.saturating_sub(1));
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        Some(
            self.first_pause
                .saturating_mul(factor)
                .min(self.longest_pause),
        )
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::Retry;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let pauses = [1, 2, 3, 4, 5, 6].map(|failed| Retry::DEFAULT.pause_after(failed));
        let seconds = |s: u32| Some(s * 1000);
        assert_eq!(
            pauses,
            [
                seconds(10),
                seconds(20),
                seconds(40),
                seconds(80),
                seconds(120),
                None
            ]
        );
        let often = Retry {
            attempts: 255,
            ..Retry::DEFAULT
        };
        assert_eq!(often.pause_after(200), seconds(120));
        assert_eq!(Retry::NEVER.pause_after(1), None);
    }
}
