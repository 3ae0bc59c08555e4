//! What the server offers, which depends on the state of the session.

use super::dialogue::Dialogue;
use crate::capability::{Capabilities, Extension, Mechanism, Mechanisms};
use crate::config::Security;

impl Dialogue<'_> {
    /// What EHLO announces now.
    pub(super) fn offered(&self) -> Capabilities {
        #[cfg(not(feature = "mta"))]
        let mut offered = NOT_CARRIED_OUT
            .into_iter()
            .fold(self.config.capabilities, Capabilities::without);
        #[cfg(feature = "mta")]
        let mut offered = self.offered_handling();
        if !offered.has(Extension::Chunking) {
            // Only BDAT can carry it.
            offered = offered.without(Extension::BinaryMime);
        }
        if !offered.has(Extension::EightBitMime) {
            // RFC 6531, section 3.1, item 8
            offered = offered.without(Extension::SmtpUtf8);
        }
        if self.config.security == Security::StartTls && !self.session.tls {
            offered = offered.with(Extension::StartTls);
        } else {
            offered = offered.without(Extension::StartTls);
        }
        if self.may_authenticate() {
            offered = offered.with(Extension::Auth);
            offered.mechanisms = self.mechanisms();
        } else {
            offered = offered.without(Extension::Auth);
        }
        offered
    }

    /// The rarer extensions, as far as they can be carried out now.
    #[cfg(feature = "mta")]
    fn offered_handling(&self) -> Capabilities {
        let (config, limits) = (self.config, &self.config.limits);
        let mut offered = config.capabilities;
        if !self.session.tls {
            // RFC 8689, section 2
            offered = offered.without(Extension::RequireTls);
        }
        let bounds = &mut offered.bounds;
        let can_hold = bounds.hold_seconds > 0 && bounds.hold_until.unix() > 0;
        bounds.recipients = u32::from(limits.recipients);
        bounds.messages = u32::from(limits.messages);
        bounds.domains = 0;
        if !can_hold {
            // Both must be stated (RFC 4865, section 3).
            offered = offered.without(Extension::FutureRelease);
        }
        if config.lmtp {
            // RFC 2033, section 5
            offered = offered
                .with(Extension::Pipelining)
                .with(Extension::EnhancedStatusCodes);
        }
        offered
    }

    pub(super) fn may_authenticate(&self) -> bool {
        !self.mechanisms().is_empty()
    }

    /// The mechanisms that are to be had now.
    pub(super) fn mechanisms(&self) -> Mechanisms {
        let protected = self.session.tls || self.config.danger_plaintext_auth;
        let usable = |mechanism: &Mechanism| {
            // What EXTERNAL relies on comes with TLS.
            protected || !mechanism.reveals_secret() && *mechanism != Mechanism::External
        };
        self.configured().filter(usable).collect()
    }

    /// The mechanisms that are configured and can be carried out, perhaps only
    /// with TLS.
    pub(super) fn configured(&self) -> impl Iterator<Item = Mechanism> {
        self.config.mechanisms.iter().filter(|mechanism| {
            #[cfg(feature = "scram")]
            {
                let hashed = &self.session.hashed;
                (!mechanism.hashes() || hashed.has_entropy())
                    && (!mechanism.binds_channel() || self.session.tls && hashed.has_binding())
            }
            #[cfg(not(feature = "scram"))]
            !mechanism.hashes()
        })
    }
}

/// Extensions that go beyond what this build does.
#[cfg(not(feature = "mta"))]
const NOT_CARRIED_OUT: [Extension; 7] = [
    Extension::RequireTls,
    Extension::DeliverBy,
    Extension::FutureRelease,
    Extension::MtPriority,
    Extension::Limits,
    Extension::Etrn,
    Extension::XClient,
];
