//! A server that follows a script, on a port of its own on loopback.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sansmtp_tokio::client::{Direction, Mailer, PoolConfig, Tap, Tls};
use sansmtp_tokio::rustls::crypto::ring;
use sansmtp_tokio::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sansmtp_tokio::rustls::{HandshakeKind, RootCertStore, ServerConfig};
use sansmtp_tokio::sansmtp::config::{OwnedConfig, Security};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A listening socket.
pub(crate) struct Listener(TcpListener);

/// The server's end of one connection.
pub(crate) struct Peer {
    stream: Pin<Box<dyn Stream>>,
    read: Vec<u8>,
}

impl Listener {
    pub(crate) async fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub(crate) fn config(&self, security: Security) -> OwnedConfig {
        let config = OwnedConfig::new("127.0.0.1", security).unwrap();
        config.with_port(self.address().port())
    }

    /// A mailer to this server, without TLS.
    pub(crate) fn mailer(&self) -> Mailer {
        Mailer::new(self.config(Security::DangerPlaintext)).unwrap()
    }

    pub(crate) async fn accept(&self) -> Peer {
        let (socket, _) = self.0.accept().await.unwrap();
        Peer {
            stream: Box::pin(socket),
            read: Vec::new(),
        }
    }

    /// Accepts a connection and does greeting and EHLO.
    pub(crate) async fn accept_session(&self, extensions: &str) -> Peer {
        let mut peer = self.accept().await;
        peer.say("220 mx.example.org ESMTP").await;
        peer.hello(extensions).await;
        peer
    }

    /// Stops listening.
    pub(crate) fn stop(self) {}
}

impl Peer {
    /// Answers EHLO with these extensions, separated by commas.
    pub(crate) async fn hello(&mut self, extensions: &str) {
        self.expect("EHLO [127.0.0.1]").await;
        self.say("250-mx.example.org").await;
        for extension in extensions.split(',').filter(|e| !e.is_empty()) {
            self.say(&format!("250-{extension}")).await;
        }
        self.say("250 HELP").await;
    }

    pub(crate) async fn say(&mut self, line: &str) {
        self.write(format!("{line}\r\n").as_bytes()).await;
    }

    pub(crate) async fn write(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(crate) async fn line(&mut self) -> String {
        self.until(b"\r\n").await
    }

    pub(crate) async fn expect(&mut self, line: &str) {
        assert_eq!(self.line().await, line);
    }

    /// Whether this line comes, or else QUIT, which is answered.
    pub(crate) async fn next_is(&mut self, line: &str) -> bool {
        let next = self.line().await;
        if next == "QUIT" {
            self.say("221 bye").await;
            return false;
        }
        assert_eq!(next, line);
        true
    }

    /// What one read gives, which is what one write sent.
    pub(crate) async fn flight(&mut self) -> String {
        String::from_utf8(self.flight_octets().await).unwrap()
    }

    pub(crate) async fn flight_octets(&mut self) -> Vec<u8> {
        assert!(self.read.is_empty(), "something was read before");
        let mut octets = vec![0; 256 * 1024];
        let count = self.stream.read(&mut octets).await.unwrap();
        octets.truncate(count);
        octets
    }

    /// The content without its final dot.
    pub(crate) async fn content(&mut self) -> String {
        self.until(b"\r\n.\r\n").await
    }

    /// Answers MAIL, one RCPT for `a@example.org`, DATA and the content with yes.
    pub(crate) async fn take_message(&mut self) -> String {
        self.expect("MAIL FROM:<me@example.org>").await;
        self.finish_message().await
    }

    /// The same behind MAIL.
    pub(crate) async fn finish_message(&mut self) -> String {
        self.say("250 2.1.0 sender ok").await;
        self.expect("RCPT TO:<a@example.org>").await;
        self.say("250 2.1.5 recipient ok").await;
        self.expect("DATA").await;
        self.say("354 go on").await;
        let content = self.content().await;
        self.say("250 2.0.0 queued as 42").await;
        content
    }

    /// Takes a message that comes in two flights.
    pub(crate) async fn take_pipelined(&mut self, text: &str) {
        let group = "MAIL FROM:<me@example.org>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n";
        assert_eq!(self.flight().await, group);
        self.write(b"250 ok\r\n250 ok\r\n354 go\r\n").await;
        assert_eq!(self.flight().await, format!("{text}\r\n.\r\n"));
        self.say("250 taken").await;
    }

    pub(crate) async fn quit(mut self) {
        self.expect("QUIT").await;
        self.say("221 2.0.0 bye").await;
        assert_eq!(self.rest().await, "");
    }

    /// All that still comes, up to the end.
    pub(crate) async fn rest(&mut self) -> String {
        let mut octets = std::mem::take(&mut self.read);
        // A reset is an end as well.
        let _ = self.stream.read_to_end(&mut octets).await;
        String::from_utf8(octets).unwrap()
    }

    pub(crate) async fn starttls(self, certificates: &Certificates) -> Peer {
        let mut peer = self;
        peer.expect("STARTTLS").await;
        peer.say("220 2.0.0 go on").await;
        peer.tls(certificates).await.unwrap()
    }

    pub(crate) async fn tls(self, certificates: &Certificates) -> io::Result<Peer> {
        Ok(self.tls_kind(certificates).await?.0)
    }

    /// The same, with what kind of handshake it was.
    pub(crate) async fn tls_kind(
        self,
        certificates: &Certificates,
    ) -> io::Result<(Peer, HandshakeKind)> {
        let acceptor = TlsAcceptor::from(certificates.server.clone());
        let stream = acceptor.accept(self.stream).await?;
        let kind = stream.get_ref().1.handshake_kind().unwrap();
        let peer = Peer {
            stream: Box::pin(stream),
            read: Vec::new(),
        };
        Ok((peer, kind))
    }

    async fn until(&mut self, end: &[u8]) -> String {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|w| w == end) {
                let rest = self.read.split_off(at + end.len());
                let mut found = std::mem::replace(&mut self.read, rest);
                found.truncate(at);
                return String::from_utf8(found).unwrap();
            }
            let count = self.stream.read_buf(&mut self.read).await.unwrap();
            assert!(count > 0, "the client closed the connection");
        }
    }
}

/// An authority of the test, and a server certificate that it issued.
pub(crate) struct Certificates {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) roots: RootCertStore,
    /// The authority in PEM.
    pub(crate) pem: String,
}

impl Certificates {
    /// For this name or address; the years of the beginning and the end.
    pub(crate) fn new(name: &str, years: (i32, i32)) -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two authorities of the same name would be told apart by signature only.
        let name_of_ca = format!("authority {:?}", &ca_key.public_key_raw()[1..9]);
        ca.distinguished_name
            .push(rcgen::DnType::CommonName, name_of_ca);
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(ca, ca_key);

        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        leaf.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let certificate = leaf.signed_by(&key, &issuer).unwrap();

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(ca_certificate.der().clone()).unwrap();
        Self {
            server: Arc::new(server),
            roots,
            pem: ca_certificate.pem(),
        }
    }

    /// A good certificate for the address of loopback.
    pub(crate) fn good() -> Self {
        Self::new("127.0.0.1", (2020, 4000))
    }

    pub(crate) fn trusted(&self) -> Tls {
        Tls::roots(self.roots.clone()).unwrap()
    }

    /// A mailer to `listener` that trusts the authority.
    pub(crate) fn mailer(&self, config: OwnedConfig) -> Mailer {
        Mailer::builder(config).tls(self.trusted()).build().unwrap()
    }
}

/// Keeps every octet of the dialogue, one entry for each read and write.
#[derive(Default)]
pub(crate) struct Notes(Mutex<Vec<(u64, Direction, String)>>);

impl Tap for Notes {
    fn octets(&self, connection: u64, direction: Direction, octets: &[u8]) {
        let text = String::from_utf8_lossy(octets).into_owned();
        self.0.lock().unwrap().push((connection, direction, text));
    }
}

impl Notes {
    /// What was sent, one entry for each write.
    pub(crate) fn sent(&self) -> Vec<String> {
        let notes = self.0.lock().unwrap();
        let sent = notes.iter().filter(|(_, way, _)| *way == Direction::Sent);
        sent.map(|(_, _, text)| text.clone()).collect()
    }

    /// How often the direction changed from sending to receiving.
    pub(crate) fn round_trips(&self) -> usize {
        let notes = self.0.lock().unwrap();
        let pairs = notes.windows(2);
        pairs
            .filter(|pair| pair[0].1 == Direction::Sent && pair[1].1 == Direction::Received)
            .count()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// One connection, so that the order is certain.
pub(crate) const ONE: PoolConfig = PoolConfig {
    max_connections: 1,
    max_messages_per_connection: 100,
    idle_timeout: std::time::Duration::from_secs(60),
};
