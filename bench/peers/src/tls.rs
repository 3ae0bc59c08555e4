//! TLS alone: what a client pays that does nothing but encrypt and write.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, Stream,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Writes this many octets in blocks of 64 KiB, as our client does.
pub(crate) fn send(server: SocketAddr, certificate: &Path, mut octets: usize) -> Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1")?;
    let mut tls = ClientConnection::new(Arc::new(config), name)?;
    let mut socket = TcpStream::connect(server)?;
    socket.set_nodelay(true)?;
    let mut stream = Stream::new(&mut tls, &mut socket);
    let block = vec![b'x'; 64 * 1024];
    while octets > 0 {
        let part = octets.min(block.len());
        stream.write_all(&block[..part])?;
        octets -= part;
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    // The server reads to the end.
    socket.shutdown(std::net::Shutdown::Write)?;
    socket.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Takes TLS connections and drops what comes.
pub(crate) fn sink(port: u16, certificate: &Path, key: &Path) -> Result<()> {
    let config = server_config(certificate, key)?;
    for socket in TcpListener::bind(("127.0.0.1", port))?.incoming() {
        let (mut socket, config) = (socket.context("accept")?, config.clone());
        thread::spawn(move || -> Result<()> {
            let mut tls = ServerConnection::new(config)?;
            let mut stream = Stream::new(&mut tls, &mut socket);
            let mut buffer = vec![0; 64 * 1024];
            while stream.read(&mut buffer)? > 0 {}
            Ok(())
        });
    }
    Ok(())
}

/// An echo inside TLS: what a connection costs at least. It greets, so that it passes for a server.
pub(crate) fn echo(port: u16, certificate: &Path, key: &Path) -> Result<()> {
    let acceptor = tokio_rustls::TlsAcceptor::from(server_config(certificate, key)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(socket).await?;
                stream.write_all(b"220 echo\r\n").await?;
                let mut buffer = vec![0; 2048];
                loop {
                    let count = stream.read(&mut buffer).await?;
                    if count == 0 {
                        return Ok::<(), std::io::Error>(());
                    }
                    stream.write_all(&buffer[..count]).await?;
                }
            });
        }
    })
}

fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(certificate)?],
            PrivateKeyDer::from_pem_file(key)?,
        )?;
    Ok(Arc::new(config))
}
