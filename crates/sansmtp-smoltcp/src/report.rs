//! What became of a mail.

use crate::failure::Failure;

/// What became of a mail in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Report {
    /// How often it was tried.
    pub attempts: u8,
    /// The server took it for at least one recipient, or why not;
    /// [`Delivery::outcomes`](crate::Delivery::outcomes) knows more.
    pub result: Result<(), Failure>,
}
