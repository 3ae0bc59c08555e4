//! Nobody is authenticated: what stands for `authentication.rs` in a build without
//! the feature `auth`.

use super::session::Dialogue;
use crate::error::Requirement;

impl Dialogue<'_> {
    pub(super) const fn begin_authentication(&self) -> Result<(), Requirement> {
        Err(Requirement::Auth)
    }
}
