//! What a message may ask for beyond its delivery.

use super::dialogue::Dialogue;
use super::session::Words;
use crate::wire::handling::{Handling, Hold, Late};

impl Dialogue<'_> {
    /// The refusal of a wish that goes beyond what EHLO stated.
    pub(super) fn refuse_handling(&self, handling: &Handling) -> Option<Words> {
        let bounds = &self.config.capabilities.bounds;
        let late = handling.deliver_by.is_some_and(|by| {
            by.late() == Late::Return && i64::from(by.seconds()) < i64::from(bounds.min_by_time)
        });
        let too_long = handling.hold.is_some_and(|hold| match hold {
            Hold::For(seconds) => seconds > bounds.hold_seconds,
            Hold::Until(date) => date > bounds.hold_until,
        });
        match (late, too_long) {
            (true, _) => Some("550 5.4.7 Less time than this server needs to deliver\r\n"),
            (_, true) => Some("501 5.5.4 Longer than this server holds messages\r\n"),
            _ => None,
        }
    }
}
