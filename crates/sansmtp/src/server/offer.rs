//! What the server offers, which depends on the state of the session.

use super::dialogue::Dialogue;
use crate::capability::{Capabilities, Extension, Mechanism, Mechanisms};
use crate::config::Security;

impl Dialogue<'_> {
    /// What EHLO announces now.
    pub(super) fn offered(&self) -> Capabilities {
        let mut offered = NOT_CARRIED_OUT
            .into_iter()
            .fold(self.config.capabilities, Capabilities::without);
        if !offered.has(Extension::Chunking) {
            // Only BDAT can carry it.
            offered = offered.without(Extension::BinaryMime);
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

/// Extensions that go beyond what this core does.
const NOT_CARRIED_OUT: [Extension; 6] = [
    Extension::RequireTls,
    Extension::DeliverBy,
    Extension::FutureRelease,
    Extension::MtPriority,
    Extension::Limits,
    Extension::Etrn,
];
