//! What the owner of the device has set.

#[cfg(feature = "client")]
use sansmtp::config::Security;

/// The settings of the device, as text.
#[derive(Clone, Copy)]
pub(crate) struct Settings<'a>(#[cfg_attr(feature = "fixed", expect(dead_code))] &'a str);

/// What a device with the feature `fixed` has in the place of settings.
#[cfg(feature = "fixed")]
#[inline(always)]
const fn fixed(key: &str) -> Option<&'static str> {
    Some(match key.as_bytes() {
        b"host" => "mx.test",
        b"address" => "10.0.2.100",
        b"from" => "pump7@client.test",
        b"to" => "alice@mx.test",
        b"security" => "plain",
        _ => return None,
    })
}

impl<'a> Settings<'a> {
    /// Words `key=value`, separated by spaces.
    pub(crate) fn new(words: &'a str) -> Self {
        Self(words)
    }

    /// The value of `key`, which is known when this is compiled.
    #[cfg(feature = "fixed")]
    #[inline(always)]
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        fixed(key)
    }

    /// The value of `key`.
    #[cfg(not(feature = "fixed"))]
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.0
            .split(' ')
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// The value of `key` as a number.
    #[cfg_attr(feature = "fixed", inline(always))]
    pub(crate) fn number(&self, key: &str) -> Option<u32> {
        self.get(key)?.parse().ok()
    }

    /// How the connection is protected. The usual way is the best that was built in.
    #[cfg(feature = "client")]
    pub(crate) fn security(&self) -> Security {
        match self.get("security") {
            Some("plain") => Security::DangerPlaintext,
            Some("starttls") => Security::StartTls,
            Some(_) => Security::ImplicitTls,
            None if cfg!(feature = "implicit-tls") => Security::ImplicitTls,
            None if cfg!(feature = "starttls") => Security::StartTls,
            None => Security::DangerPlaintext,
        }
    }
}
