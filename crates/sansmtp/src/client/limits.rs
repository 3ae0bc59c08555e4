//! What a message asks for against what the server says it can do.

use super::session::Session;
use crate::capability::Extension;
use crate::error::Requirement;
use crate::wire::handling::{Handling, Hold, Late};

impl Session {
    /// What the server lacks to handle a message like this.
    pub(super) fn unmet_handling(&self, handling: &Handling) -> Option<Requirement> {
        let bounds = &self.capabilities.bounds;
        // What is not stated bounds nothing.
        let within = |value: u64, most: u64| most == 0 || value <= most;
        // In clear nobody may ask for it, whatever is offered (RFC 8689, section 3).
        let tls = !handling.require_tls || self.tls && self.offers(Extension::RequireTls);
        let in_time = handling.deliver_by.is_none_or(|by| {
            let enough = i64::from(by.seconds()) >= i64::from(bounds.min_by_time);
            self.offers(Extension::DeliverBy) && (by.late() == Late::Notify || enough)
        });
        let held = handling.hold.is_none_or(|hold| {
            let fits = match hold {
                Hold::For(seconds) => {
                    seconds <= Hold::LIMIT && within(seconds.into(), bounds.hold_seconds.into())
                }
                Hold::Until(date) => within(date.unix(), bounds.hold_until.unix()),
            };
            self.offers(Extension::FutureRelease) && fits
        });
        let ranked = handling.priority.is_none() || self.offers(Extension::MtPriority);
        match (tls, in_time, held, ranked) {
            (false, ..) => Some(Requirement::RequireTls),
            (_, false, ..) => Some(Requirement::DeliverBy),
            (_, _, false, _) => Some(Requirement::FutureRelease),
            (.., false) => Some(Requirement::MtPriority),
            _ => None,
        }
    }
}
