//! A server that runs, a client that reads whole replies, a directory that goes
//! away.

use sansmtp::config::Security;
use sansmtp_tokio::maildir::Maildir;
use sansmtp_tokio::server::{
    Handler, MaildirHandler, Server, ServerConfig, ShutdownHandle, Users, tls_config,
};
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Fails a test that hangs.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work)
        .await
        .expect("it takes too long")
}

pub(crate) fn config() -> ServerConfig {
    ServerConfig::new("mx.example.org").unwrap()
}

/// A directory that is removed in the end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "maildir-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The files in one of the directories of the Maildir.
    pub(crate) fn files(&self, name: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.join(name)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// What the one file holds that is in `new`.
    pub(crate) fn stored(&self) -> String {
        let files = self.files("new");
        let [file] = files.as_slice() else {
            panic!("{files:?}")
        };
        std::fs::read_to_string(file).unwrap()
    }

    /// A handler that takes mail for example.org, with the user alice.
    pub(crate) async fn handler(&self) -> MaildirHandler {
        let maildir = Maildir::create(&self.0, "mx.example.org").await.unwrap();
        let mut users = Users::new();
        users.add("alice", "s3cret").unwrap();
        MaildirHandler::new(maildir, "mx.example.org")
            .domain("Example.org")
            .users(users)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that runs on loopback.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) handle: ShutdownHandle,
    pub(crate) served: JoinHandle<()>,
    connector: TlsConnector,
}

impl Running {
    pub(crate) async fn start<H: Handler>(
        config: ServerConfig,
        handler: H,
        security: Security,
    ) -> Self {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let tls = tls_config(
            pair.cert.pem().as_bytes(),
            pair.signing_key.serialize_pem().as_bytes(),
        )
        .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(pair.cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let server = Server::builder(config, handler)
            .listen("127.0.0.1:0", security)
            .tls(tls)
            .bind()
            .await
            .unwrap();
        Self {
            address: server.local_addrs()[0],
            handle: server.shutdown_handle(),
            served: tokio::spawn(server.serve()),
            connector: TlsConnector::from(Arc::new(client)),
        }
    }

    pub(crate) async fn connect(&self) -> Client<TcpStream> {
        Client::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// Connects, and reads the greeting and the answer to EHLO.
    pub(crate) async fn hello(&self) -> Client<TcpStream> {
        let mut client = self.connect().await;
        client.greeted().await;
        client
    }

    pub(crate) async fn tls(&self, stream: TcpStream) -> Client<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        Client::new(soon(self.connector.connect(name, stream)).await.unwrap())
    }

    /// Ends the server and waits until all sessions are gone.
    pub(crate) async fn stop(self) {
        self.handle.shutdown(Duration::ZERO);
        soon(self.served).await.unwrap();
    }
}

/// A client that says what it is told.
pub(crate) struct Client<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// The stream, if nothing was left unread.
    pub(crate) fn into_stream(self) -> S {
        assert!(self.stream.buffer().is_empty());
        self.stream.into_inner()
    }

    pub(crate) async fn say(&mut self, text: &str) {
        soon(self.stream.write_all(text.as_bytes())).await.unwrap();
        soon(self.stream.flush()).await.unwrap();
    }

    /// A whole reply, without its last CR LF.
    pub(crate) async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            let count = soon(self.stream.read_line(&mut reply)).await.unwrap();
            assert!(count > 4, "the connection ends: {reply:?}");
            assert!(reply.ends_with("\r\n"));
            if reply.as_bytes()[start + 3] == b' ' {
                reply.truncate(reply.len() - 2);
                return reply;
            }
        }
    }

    /// Sends a command line and returns the reply.
    pub(crate) async fn command(&mut self, command: &str) -> String {
        self.say(&format!("{command}\r\n")).await;
        self.reply().await
    }

    /// Sends a command and checks how the reply begins.
    pub(crate) async fn expect(&mut self, command: &str, begins: &str) {
        let reply = self.command(command).await;
        assert!(reply.starts_with(begins), "{command}: {reply}");
    }

    pub(crate) async fn greeted(&mut self) {
        assert_eq!(self.reply().await, "220 mx.example.org ESMTP ready");
        self.expect("EHLO client.example.org", "250-mx.example.org")
            .await;
    }

    /// Sends commands up to the leave for the content.
    pub(crate) async fn until_content(&mut self) {
        self.expect("MAIL FROM:<a@example.net>", "250 2.1.0").await;
        self.expect("RCPT TO:<b@example.org>", "250 2.1.5").await;
        self.expect("DATA", "354 ").await;
    }

    /// The server closes, and says nothing more.
    pub(crate) async fn ends(mut self) {
        let mut rest = Vec::new();
        soon(self.stream.read_to_end(&mut rest)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}
