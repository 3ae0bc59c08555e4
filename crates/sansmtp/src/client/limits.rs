//! What a message asks for against what the server says it can do, and LMTP's
//! verdicts (feature `mta`).

use super::session::Session;
use crate::capability::{Bounds, Extension};
use crate::envelope::Recipient;
use crate::error::Requirement;
use crate::wire::handling::{Handling, Hold, Late};
use crate::wire::path::ForwardPath;

/// The most recipients of one message in LMTP, where the client remembers which of
/// them were accepted.
pub const LMTP_RECIPIENTS: usize = 256;

/// The most different domains that are kept apart; a server that takes more counts
/// as one that takes these.
const DOMAINS: usize = 16;

/// What the client counts in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// Messages that were submitted.
    messages: u32,
    domains: Domains,
    /// LMTP: one bit for each recipient that was accepted.
    accepted: [u32; LMTP_RECIPIENTS / 32],
    /// LMTP: verdicts that came.
    verdicts: u16,
}

/// Fingerprints of the recipients' domains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Domains {
    known: [u32; DOMAINS],
    count: u8,
}

/// How many recipients, and which, one more transaction of this session may have, by
/// the limits that the server states (RFC 9422). From [`Client::allowance`].
///
/// [`Client::allowance`]: super::Client::allowance
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    recipients: u32,
    most_domains: u32,
    domains: Domains,
}

impl Allowance {
    /// Whether nobody is admitted any more: the session has had all its messages.
    pub const fn is_spent(&self) -> bool {
        self.recipients == 0
    }

    /// Whether this recipient can be one of them, and if so, counts it.
    pub fn admit(&mut self, recipient: &Recipient<'_>) -> bool {
        let Some(left) = self.recipients.checked_sub(1) else {
            return false;
        };
        let admitted = self.most_domains == 0 || self.domains.admit(recipient, self.most_domains);
        if admitted {
            self.recipients = left;
        }
        admitted
    }
}

impl Domains {
    const NONE: Self = Self {
        known: [0; DOMAINS],
        count: 0,
    };

    fn admit(&mut self, recipient: &Recipient<'_>, most: u32) -> bool {
        let ForwardPath::Mailbox(mailbox) = recipient.forward_path else {
            // The server's own.
            return true;
        };
        let fingerprint = fingerprint(mailbox.domain());
        let mut known = self.known.iter().take(usize::from(self.count));
        if known.any(|domain| *domain == fingerprint) {
            return true;
        }
        if u32::from(self.count) >= most {
            return false;
        }
        let Some(place) = self.known.get_mut(usize::from(self.count)) else {
            return false;
        };
        *place = fingerprint;
        self.count = self.count.wrapping_add(1);
        true
    }
}

/// FNV-1a of the domain, letter case aside. Two domains that look alike in it count
/// as one; the server then refuses a recipient, and nothing else happens.
fn fingerprint(domain: &str) -> u32 {
    domain.bytes().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    })
}

impl Tally {
    pub(super) const NONE: Self = Self {
        messages: 0,
        domains: Domains::NONE,
        accepted: [0; LMTP_RECIPIENTS / 32],
        verdicts: 0,
    };

    /// Counts a transaction that begins.
    pub(super) fn begin(&mut self, recipients: &[Recipient<'_>], bounds: &Bounds) {
        self.messages = self.messages.saturating_add(1);
        self.accepted = Self::NONE.accepted;
        self.verdicts = 0;
        if bounds.domains > 0 {
            for recipient in recipients {
                self.domains.admit(recipient, bounds.domains);
            }
        }
    }

    /// Notes that a recipient was accepted.
    pub(super) fn accept(&mut self, index: usize) {
        if let Some(word) = self.accepted.get_mut(index >> 5) {
            *word |= 1 << (index & 31);
        }
    }

    /// Counts a verdict. Whose it is, and whether another one is due.
    pub(super) fn judge(&mut self) -> (usize, bool) {
        let accepted = &self.accepted;
        let is_accepted = |index: &usize| {
            let word = accepted.get(*index >> 5).copied().unwrap_or(0);
            word & 1 << (*index & 31) != 0
        };
        let mut due = (0..LMTP_RECIPIENTS).filter(is_accepted);
        let index = due.nth(usize::from(self.verdicts)).unwrap_or(0);
        self.verdicts = self.verdicts.saturating_add(1);
        (index, due.next().is_some())
    }
}

impl Session {
    /// What one more transaction may have.
    pub(super) fn allowance(&self, lmtp: bool) -> Allowance {
        let limits = self.offers(Extension::Limits);
        let stated = |value: u32| if limits && value > 0 { value } else { u32::MAX };
        let bounds = &self.capabilities.bounds;
        let spent = self.tally.messages >= stated(bounds.messages);
        let most = if lmtp {
            LMTP_RECIPIENTS as u32
        } else {
            u32::MAX
        };
        Allowance {
            recipients: match spent {
                true => 0,
                false => stated(bounds.recipients).min(most),
            },
            most_domains: if limits { bounds.domains } else { 0 },
            domains: self.tally.domains,
        }
    }

    /// Which limit the recipients of a message are over.
    pub(super) fn over_limit(
        &self,
        recipients: &[Recipient<'_>],
        lmtp: bool,
    ) -> Option<Requirement> {
        if !lmtp && !self.offers(Extension::Limits) {
            return None;
        }
        let mut allowance = self.allowance(lmtp);
        if allowance.recipients == 0 {
            return Some(Requirement::Messages);
        }
        let all = recipients.iter().all(|one| allowance.admit(one));
        (!all).then_some(Requirement::Recipients)
    }

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
