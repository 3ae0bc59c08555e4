//! Random octets from the TLS library's generator.

use std::io;
use std::sync::LazyLock;
use tokio_rustls::rustls::crypto::{SecureRandom, ring};

static GENERATOR: LazyLock<&'static dyn SecureRandom> =
    LazyLock::new(|| ring::default_provider().secure_random);

/// Sixteen random hexadecimal digits.
///
/// # Errors
/// The operating system gives no random octets.
pub(crate) fn token() -> io::Result<String> {
    let mut octets = [0; 8];
    GENERATOR
        .fill(&mut octets)
        .map_err(|_| io::Error::other("the operating system gives no random octets"))?;
    Ok(format!("{:016x}", u64::from_be_bytes(octets)))
}
