//! Connections that are made and held, to see what an idle one costs the server.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use sansmtp_tokio::rustls::crypto::ring;
use sansmtp_tokio::rustls::pki_types::pem::PemObject;
use sansmtp_tokio::rustls::pki_types::{CertificateDer, ServerName};
use sansmtp_tokio::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::corpus::CLIENT;

#[derive(Debug, Args)]
pub(crate) struct Hold {
    address: SocketAddr,
    /// How many connections.
    connections: usize,
    /// Implicit TLS, trusting this certificate.
    #[arg(long, value_name = "PEM")]
    tls: Option<PathBuf>,
}

impl Hold {
    /// Each connection has heard the greeting and the answer to EHLO.
    pub(crate) fn run(self) -> Result<()> {
        let config = self.tls.as_ref().map(trusting).transpose()?;
        let mut held: Vec<Box<dyn Stream>> = Vec::with_capacity(self.connections);
        let mut buffer = [0; 4096];
        for number in 0..self.connections {
            let socket = TcpStream::connect(self.address)
                .with_context(|| format!("connection {number} of {}", self.connections))?;
            socket.set_nodelay(true)?;
            // A server that takes no more leaves connections waiting.
            socket.set_read_timeout(Some(Duration::from_secs(20)))?;
            let mut stream: Box<dyn Stream> = match &config {
                None => Box::new(socket),
                Some(config) => {
                    let name = ServerName::try_from("127.0.0.1")?;
                    let tls = ClientConnection::new(Arc::clone(config), name)?;
                    Box::new(StreamOwned::new(tls, socket))
                }
            };
            let greeting = stream.read(&mut buffer)?;
            stream.write_all(format!("EHLO {CLIENT}\r\n").as_bytes())?;
            let hello = stream.read(&mut buffer)?;
            anyhow::ensure!(greeting > 0 && hello > 0, "connection {number} was closed");
            held.push(stream);
        }
        println!("held");
        io::stdin().read_line(&mut String::new())?;
        drop(held);
        Ok(())
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn trusting(certificate: &PathBuf) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
