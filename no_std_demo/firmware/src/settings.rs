//! What the owner of the device has set.

use sansmtp::config::Security;

/// The settings of the device, as text.
#[derive(Clone, Copy)]
pub(crate) struct Settings<'a>(&'a str);

impl<'a> Settings<'a> {
    /// Words `key=value`, separated by spaces.
    pub(crate) fn new(words: &'a str) -> Self {
        Self(words)
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.0
            .split(' ')
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// The value of `key` as a number.
    pub(crate) fn number(&self, key: &str) -> Option<u32> {
        self.get(key)?.parse().ok()
    }

    /// How the connection is protected.
    pub(crate) fn security(&self) -> Security {
        match self.get("security") {
            Some("plain") => Security::DangerPlaintext,
            Some("starttls") => Security::StartTls,
            _ => Security::ImplicitTls,
        }
    }
}
