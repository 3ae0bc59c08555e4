//! The server's certificate and key.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why a certificate and its key can not be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can not be read.
    Read(String, io::Error),
    /// The file or text holds no certificate.
    NoCertificate,
    /// The file or text holds no private key.
    NoKey,
    /// A PEM text is broken.
    Pem(pem::Error),
    /// Certificate and key do not fit each other, or are of an unknown kind.
    Rejected(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "{path} can not be read: {error}"),
            Self::NoCertificate => f.write_str("there is no certificate in the PEM text"),
            Self::NoKey => f.write_str("there is no private key in the PEM text"),
            Self::Pem(error) => write!(f, "the PEM text is broken: {error}"),
            Self::Rejected(error) => {
                write!(f, "certificate and key can not be used: {error}")
            }
        }
    }
}

impl std::error::Error for TlsError {}

/// A TLS configuration from a certificate chain and its private key, both in PEM
/// form. TLS 1.2 and 1.3, no client certificates.
///
/// # Errors
/// [`TlsError`] if they can not be used.
pub fn tls_config(chain: &[u8], key: &[u8]) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(TlsError::Pem)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey,
        error => TlsError::Pem(error),
    })?;
    rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map(Arc::new)
        .map_err(TlsError::Rejected)
}

/// The same from two files.
///
/// # Errors
/// [`TlsError`] if they can not be read or used.
pub fn tls_config_from_files(
    chain: &Path,
    key: &Path,
) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| TlsError::Read(path.display().to_string(), error))
    };
    let key = zeroize::Zeroizing::new(read(key)?);
    tls_config(&read(chain)?, &key)
}
