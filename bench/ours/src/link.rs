//! Blocking connections, plain or over TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use sansmtp_tokio::rustls::crypto::ring;
use sansmtp_tokio::rustls::pki_types::pem::PemObject;
use sansmtp_tokio::rustls::pki_types::{CertificateDer, ServerName};
use sansmtp_tokio::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A connection.
pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// Makes connections to one server.
pub(crate) struct Dialer {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

impl Dialer {
    /// With implicit TLS if there is a certificate to trust, a PEM file.
    pub(crate) fn new(address: SocketAddr, certificate: Option<&Path>) -> Result<Self> {
        let tls = certificate.map(trusting).transpose()?;
        Ok(Self { address, tls })
    }

    /// A connection whose socket was set up.
    pub(crate) fn connect(
        &self,
        set_up: impl FnOnce(&TcpStream) -> io::Result<()>,
    ) -> Result<Box<dyn Stream>> {
        let socket = TcpStream::connect(self.address)?;
        set_up(&socket)?;
        let Some(config) = &self.tls else {
            return Ok(Box::new(socket));
        };
        let name = ServerName::try_from("127.0.0.1")?;
        let tls = ClientConnection::new(Arc::clone(config), name)?;
        Ok(Box::new(StreamOwned::new(tls, socket)))
    }
}

fn trusting(certificate: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
