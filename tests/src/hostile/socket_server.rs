//! The same steps over sockets, against our server in this process.

use super::server::{DOMAIN, PASSWORD, Played, Step, USER, config};
use crate::certs::Certs;
use crate::{Error, Security};
use sansmtp_tokio::maildir::Maildir;
use sansmtp_tokio::rustls::pki_types::pem::PemObject;
use sansmtp_tokio::rustls::pki_types::{CertificateDer, ServerName};
use sansmtp_tokio::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sansmtp_tokio::server::{MaildirHandler, Server, ServerConfig, Users, tls_config_from_files};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// No reply takes this long; it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// Our server, with the configuration that [`config`] gives to the machine.
#[derive(Debug)]
pub struct Target {
    maildir: tempfile::TempDir,
    clear: u16,
    start_tls: u16,
    trust: Arc<ClientConfig>,
    // Dropped with the target, which ends the server.
    _runtime: Runtime,
}

impl Target {
    /// Starts it.
    ///
    /// # Errors
    /// If that fails.
    pub fn start(certs: &Certs) -> Result<Self, Error> {
        let failed = |e: &dyn std::fmt::Display| Error::during("our server", e);
        let maildir = tempfile::TempDir::with_prefix("sansmtp-hostile-").map_err(|e| failed(&e))?;
        let runtime = Runtime::new().map_err(|e| failed(&e))?;
        let [clear, start_tls] = runtime.block_on(start(certs, maildir.path()))?;
        Ok(Self {
            maildir,
            clear,
            start_tls,
            trust: trust(&certs.ca)?,
            _runtime: runtime,
        })
    }

    /// Plays `steps` and compares: each step must get the replies that the machine alone gave.
    ///
    /// # Errors
    /// What is different.
    pub fn compare(
        &self,
        security: Security,
        steps: &[Step],
        expected: &Played,
    ) -> Result<(), Error> {
        let port = match security {
            Security::StartTls => self.start_tls,
            _ => self.clear,
        };
        let failed = |e: io::Error| Error::during("a connection to our server", e);
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        let mut line = Line {
            stream: Some(Stream::Plain(stream)),
            held: Vec::new(),
        };
        let greeting = line.replies(expected.codes[0].len());
        check("the greeting", &greeting, &expected.codes[0])?;
        for (number, (step, codes)) in steps.iter().zip(&expected.codes[1..]).enumerate() {
            match step {
                // The server may have closed; then nothing comes back, which is compared.
                Step::Send(octets) => drop(line.send(octets)),
                Step::Tls => line.tls(&self.trust),
                Step::HalfClose => line.half_close(),
            }
            check(&format!("step {number}"), &line.replies(codes.len()), codes)?;
        }
        line.half_close();
        check("the end", &line.replies(usize::MAX), &[])
    }

    /// How many messages were stored.
    ///
    /// # Errors
    /// If the Maildir can not be read.
    pub fn stored(&self) -> Result<usize, Error> {
        let new = self.maildir.path().join("new");
        std::fs::read_dir(&new)
            .map(Iterator::count)
            .map_err(|e| Error::during(new.display(), e))
    }
}

fn check(what: &str, got: &[u16], expected: &[u16]) -> Result<(), Error> {
    if got == expected {
        return Ok(());
    }
    Err(Error::new(format!(
        "at {what}: {got:?} instead of {expected:?}"
    )))
}

async fn start(certs: &Certs, maildir: &Path) -> Result<[u16; 2], Error> {
    let failed = |e: &dyn std::fmt::Display| Error::during("our server", e);
    let maildir = Maildir::create(maildir, "mx.example.org")
        .await
        .map_err(|e| failed(&e))?;
    let identity = &certs.server;
    let tls =
        tls_config_from_files(&identity.certificate, &identity.key).map_err(|e| failed(&e))?;
    let mut addresses = Vec::new();
    for security in [Security::DangerPlaintext, Security::StartTls] {
        let like = config(security);
        let mut config = ServerConfig::new(like.hostname.as_str())
            .map_err(|e| failed(&e))?
            .max_connections_per_peer(1000);
        config.capabilities = like.capabilities;
        config.mechanisms = like.mechanisms;
        config.limits = like.limits;
        // The cases in the clear log in there.
        config.danger_plaintext_auth = security == Security::DangerPlaintext;
        let mut users = Users::new();
        users.add(USER, PASSWORD).map_err(|e| failed(&e))?;
        let handler = MaildirHandler::new(maildir.clone(), DOMAIN)
            .domain(DOMAIN)
            .users(users);
        let mut builder = Server::builder(config, handler).listen("127.0.0.1:0", security);
        if security == Security::StartTls {
            builder = builder.tls(tls.clone());
        }
        let server = builder.bind().await.map_err(|e| failed(&e))?;
        addresses.extend(server.local_addrs());
        tokio::spawn(server.serve());
    }
    let ports: Vec<u16> = addresses.iter().map(|address| address.port()).collect();
    ports
        .try_into()
        .map_err(|_| Error::new("our server listens on a wrong number of ports"))
}

fn trust(ca: &Path) -> Result<Arc<ClientConfig>, Error> {
    let failed = |e: &dyn std::fmt::Display| Error::during("the certificates to trust", e);
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(ca).map_err(|e| failed(&e))?;
    roots.add(certificate).map_err(|e| failed(&e))?;
    let provider = Arc::new(sansmtp_tokio::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A client's end of a connection.
struct Line {
    /// None once it can not be used any more.
    stream: Option<Stream>,
    held: Vec<u8>,
}

impl Line {
    fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            None => Ok(()),
            Some(Stream::Plain(stream)) => stream.write_all(octets),
            Some(Stream::Tls(stream)) => stream.write_all(octets).and_then(|()| stream.flush()),
        }
    }

    /// The codes of the next replies: as many as asked for, or fewer if the server closes.
    fn replies(&mut self, count: usize) -> Vec<u16> {
        let mut codes = Vec::new();
        while codes.len() < count {
            let Some(end) = self.held.windows(2).position(|w| w == b"\r\n") else {
                let mut piece = [0; 4096];
                let read = match &mut self.stream {
                    None => Ok(0),
                    Some(Stream::Plain(stream)) => stream.read(&mut piece),
                    Some(Stream::Tls(stream)) => stream.read(&mut piece),
                };
                match read {
                    Ok(read) if read > 0 => self.held.extend_from_slice(&piece[..read]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return vec![0],
                    _ => return codes,
                }
                continue;
            };
            let line: Vec<u8> = self.held.drain(..end + 2).collect();
            if line.get(3) != Some(&b'-') {
                let code = std::str::from_utf8(&line[..3.min(end)]).ok();
                codes.push(code.and_then(|code| code.parse().ok()).unwrap_or(0));
            }
        }
        codes
    }

    fn tls(&mut self, trust: &Arc<ClientConfig>) {
        let Some(Stream::Plain(mut stream)) = self.stream.take() else {
            return;
        };
        let Ok(name) = ServerName::try_from("localhost") else {
            return;
        };
        let Ok(mut connection) = ClientConnection::new(Arc::clone(trust), name) else {
            return;
        };
        // Octets in the clear that came too early would be answered replies: they stay in `held`.
        while connection.is_handshaking() {
            if connection.complete_io(&mut stream).is_err() {
                return;
            }
        }
        self.stream = Some(Stream::Tls(Box::new(StreamOwned::new(connection, stream))));
    }

    fn half_close(&mut self) {
        match &mut self.stream {
            None => {}
            Some(Stream::Plain(stream)) => drop(stream.shutdown(Shutdown::Write)),
            Some(Stream::Tls(stream)) => {
                stream.conn.send_close_notify();
                let _ = stream.conn.complete_io(&mut stream.sock);
                let _ = stream.sock.shutdown(Shutdown::Write);
            }
        }
    }
}
