//! What this build of the client makes use of.
//!
//! What a feature leaves out counts as not offered, whatever the server says, so
//! that a message or configuration that needs it is refused in the usual way.

use super::session::Session;
use crate::capability::{Extension, Mechanism};

impl Session {
    /// Whether the server offers the extension and this build makes use of it.
    pub(super) const fn offers(&self, extension: Extension) -> bool {
        makes_use_of(extension) && self.capabilities.has(extension)
    }
}

#[allow(
    clippy::match_like_matches_macro,
    reason = "it is one for some features"
)]
const fn makes_use_of(extension: Extension) -> bool {
    match extension {
        Extension::StartTls => cfg!(feature = "starttls"),
        Extension::Auth => cfg!(feature = "auth"),
        Extension::Pipelining => cfg!(feature = "pipelining"),
        Extension::Chunking | Extension::BinaryMime => cfg!(feature = "chunking"),
        _ => cfg!(feature = "extensions"),
    }
}

/// Whether this build of the client has the mechanism.
#[allow(
    clippy::match_like_matches_macro,
    reason = "it is one for some features"
)]
pub(crate) const fn has_mechanism(mechanism: Mechanism) -> bool {
    match mechanism {
        Mechanism::Plain | Mechanism::Login => cfg!(feature = "auth"),
        Mechanism::XOAuth2 | Mechanism::OAuthBearer => cfg!(feature = "oauth"),
        Mechanism::External => cfg!(feature = "external"),
        _ => cfg!(feature = "scram"),
    }
}
