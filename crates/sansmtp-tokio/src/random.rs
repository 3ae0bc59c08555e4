//! Random octets from the TLS library's generator.

use std::io;
use std::sync::LazyLock;
use tokio_rustls::rustls::crypto::{SecureRandom, ring};

static GENERATOR: LazyLock<&'static dyn SecureRandom> =
    LazyLock::new(|| ring::default_provider().secure_random);

/// Random octets.
///
/// # Errors
/// The operating system gives none.
pub(crate) fn octets<const N: usize>() -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    GENERATOR
        .fill(&mut octets)
        .map_err(|_| io::Error::other("the operating system gives no random octets"))?;
    Ok(octets)
}

/// Sixteen random hexadecimal digits.
///
/// # Errors
/// The operating system gives no random octets.
#[cfg(feature = "server")]
pub(crate) fn token() -> io::Result<String> {
    Ok(format!("{:016x}", u64::from_be_bytes(octets()?)))
}
