//! Our client and our server, as a program would use them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context as Polling, Poll};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use sansmtp::config::{OwnedConfig, Security};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::wire::param::{MailParameters, RcptParameters};
use sansmtp::wire::path::{ForwardPath, ReversePath};
use sansmtp_tokio::client::{Content, Direction, PoolConfig, Tap, Tls};
use sansmtp_tokio::server::{
    Body, Handler, MailEnvelope, Refusal, ServerConfig, SessionInfo, Verdict, tls_config_from_files,
};
use sansmtp_tokio::{Mailer, Server};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

use crate::allocator::allocations;
use crate::announce;
use crate::corpus::{CLIENT, RECIPIENT, SENDER, SERVER, message};

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The port on 127.0.0.1; 0 takes any.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// End when this many clients have come and gone; 0 is never.
    #[arg(long, default_value_t = 0)]
    clients: u64,
    /// Implicit TLS, with this certificate chain and key in PEM form.
    #[arg(long, num_args = 2, value_names = ["CHAIN", "KEY"])]
    tls: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    address: SocketAddr,
    /// How many messages.
    messages: usize,
    /// Octets of each.
    size: usize,
    /// A connection for each message.
    #[arg(long)]
    new: bool,
    /// Connections at the same time.
    #[arg(long, default_value_t = 1)]
    sessions: usize,
    /// Send all at once, so that each envelope leaves with the content before.
    #[arg(long)]
    series: bool,
    /// Read the content from a stream while it is sent, and print the peak of memory at the end, in KiB.
    #[arg(long)]
    streamed: bool,
    /// Recipients of each message.
    #[arg(long, default_value_t = 1)]
    recipients: usize,
    /// Implicit TLS, trusting this certificate.
    #[arg(long, value_name = "PEM")]
    tls: Option<PathBuf>,
}

impl Serve {
    pub(crate) fn run(self) -> Result<()> {
        runtime()?.block_on(async {
            let over = Arc::new(Notify::new());
            let sink = Sink {
                clients: AtomicU64::new(self.clients),
                over: over.clone(),
            };
            let mut builder = Server::builder(config()?, sink);
            let mut security = Security::DangerPlaintext;
            if let [chain, key] = self.tls.as_slice() {
                builder = builder.tls(tls_config_from_files(chain, key)?);
                security = Security::ImplicitTls;
            }
            let address = format!("127.0.0.1:{}", self.port);
            let server = builder.listen(address, security).bind().await?;
            announce(*server.local_addrs().first().context("no address")?);
            let end = server.shutdown_handle();
            tokio::spawn(async move {
                over.notified().await;
                end.shutdown(Duration::ZERO);
            });
            server.serve().await;
            Ok(())
        })
    }
}

impl Send {
    pub(crate) fn run(self) -> Result<()> {
        runtime()?.block_on(async {
            let sessions = self.sessions.max(1);
            let mailer = mailer(self.address, sessions, self.new, self.tls.as_deref(), None)?;
            let text = Arc::new(message(if self.streamed { 80 } else { self.size }));
            let names: Vec<String> = (1..self.recipients)
                .map(|it| format!("r{it}@example.org"))
                .collect();
            let names = Arc::new(names);
            let mut tasks = Vec::new();
            for number in 0..sessions {
                let more = usize::from(number < self.messages % sessions);
                let count = self.messages / sessions + more;
                let (mailer, text, names) = (mailer.clone(), text.clone(), names.clone());
                let (series, stream) = (self.series, self.streamed.then_some(self.size));
                tasks.push(tokio::spawn(async move {
                    let mut recipients = vec![Recipient::parse(RECIPIENT)?];
                    for name in names.iter() {
                        recipients.push(Recipient::parse(name)?);
                    }
                    match stream {
                        Some(size) => streamed(&mailer, size, count).await,
                        None if series => all(&mailer, &text, count).await,
                        None => each_to(&mailer, &text, count, &recipients).await,
                    }
                }));
            }
            for task in tasks {
                task.await??;
            }
            mailer.close().await;
            if self.streamed {
                println!("{}", peak_memory()?);
            }
            Ok(())
        })
    }
}

/// Sends messages, each when the one before is taken.
pub(crate) async fn each(mailer: &Mailer, text: &[u8], messages: usize) -> Result<()> {
    each_to(mailer, text, messages, &[Recipient::parse(RECIPIENT)?]).await
}

async fn each_to(
    mailer: &Mailer,
    text: &[u8],
    messages: usize,
    recipients: &[Recipient<'_>],
) -> Result<()> {
    let envelope = Envelope::new(ReversePath::parse(SENDER)?, recipients);
    for _ in 0..messages {
        mailer.send(&envelope, text).await?;
    }
    Ok(())
}

/// Sends messages that are never in memory as a whole.
async fn streamed(mailer: &Mailer, size: usize, messages: usize) -> Result<()> {
    let recipients = [Recipient::parse(RECIPIENT)?];
    let envelope = Envelope::new(ReversePath::parse(SENDER)?, &recipients);
    for _ in 0..messages {
        let content = Content::reader(Lines { left: size }).with_length(size as u64);
        mailer.send(&envelope, content).await?;
    }
    Ok(())
}

/// Lines of 80 octets, as a file would give them.
struct Lines {
    left: usize,
}

impl AsyncRead for Lines {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Polling<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        const LINE: &[u8; 80] =
            b"The quick brown fox jumps over the lazy dog, and then it does so once more ...\r\n";
        while self.left > 0 && buffer.remaining() > 0 {
            let at = self.left % LINE.len();
            let part = &LINE[(LINE.len() - at) % LINE.len()..];
            let part = &part[..part.len().min(buffer.remaining())];
            buffer.put_slice(part);
            self.left -= part.len();
        }
        Poll::Ready(Ok(()))
    }
}

/// The most memory that this process has held so far, in KiB.
fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let words = line.context("the system does not tell")?;
    Ok(words.trim().trim_end_matches(" kB").parse()?)
}

/// Sends messages in a series.
pub(crate) async fn all(mailer: &Mailer, text: &[u8], messages: usize) -> Result<()> {
    let recipients = [Recipient::parse(RECIPIENT)?];
    let envelope = Envelope::new(ReversePath::parse(SENDER)?, &recipients);
    let mut failure = None;
    let series = (0..messages).map(|_| (envelope, Content::from(text)));
    mailer
        .send_all(series, |_, result| {
            failure = result.err().or(failure.take());
        })
        .await;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// A mailer that keeps its connections, or makes one for each message.
pub(crate) fn mailer(
    server: SocketAddr,
    sessions: usize,
    new: bool,
    tls: Option<&Path>,
    trips: Option<Arc<Trips>>,
) -> Result<Mailer> {
    let security = match tls {
        Some(_) => Security::ImplicitTls,
        None => Security::DangerPlaintext,
    };
    let mut config = OwnedConfig::new("127.0.0.1", security)?.with_ehlo_name(CLIENT)?;
    config.port = server.port();
    let builder = Mailer::builder(config).pool(PoolConfig {
        max_connections: sessions,
        max_messages_per_connection: if new { 1 } else { u32::MAX },
        ..PoolConfig::default()
    });
    let builder = match tls {
        Some(pem) => builder.tls(Tls::pem(&std::fs::read(pem)?)?),
        None => builder,
    };
    let builder = match trips {
        Some(trips) => builder.tap(trips),
        None => builder,
    };
    Ok(builder.build()?)
}

/// The server's configuration: as it comes, for any number of clients of this machine.
pub(crate) fn config() -> Result<ServerConfig> {
    Ok(ServerConfig::new(SERVER)?
        .max_size(0)
        .max_recipients(u16::MAX)
        .max_connections(100_000)
        .max_connections_per_peer(100_000))
}

/// One thread, as the peers have.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Counts how often a client waits for the server: once for each time that it reads after it has written.
#[derive(Debug, Default)]
pub(crate) struct Trips {
    waits: AtomicBool,
    count: AtomicU64,
}

impl Trips {
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl Tap for Trips {
    fn octets(&self, _connection: u64, direction: Direction, _octets: &[u8]) {
        let waits = direction == Direction::Sent;
        if self.waits.swap(waits, Ordering::Relaxed) && !waits {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The allocations of the thread that the server runs on, as of the latest MAIL.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// Takes everything and drops it.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    /// Clients that are still to come before the end; 0 is never.
    clients: AtomicU64,
    over: Arc<Notify>,
}

impl Sink {
    /// The allocations of the server's thread at its latest MAIL.
    pub(crate) fn allocations() -> u64 {
        ALLOCATIONS.load(Ordering::SeqCst)
    }
}

impl Handler for Sink {
    type Body = Nothing;

    async fn sender(
        &self,
        _session: &SessionInfo,
        _reverse_path: ReversePath<'_>,
        _parameters: &MailParameters<'_>,
    ) -> Verdict {
        ALLOCATIONS.store(allocations(), Ordering::SeqCst);
        Verdict::Accept
    }

    async fn recipient(
        &self,
        _session: &SessionInfo,
        _forward_path: ForwardPath<'_>,
        _parameters: &RcptParameters<'_>,
    ) -> Verdict {
        Verdict::Accept
    }

    async fn data(
        &self,
        _session: &SessionInfo,
        _envelope: &MailEnvelope,
    ) -> Result<Nothing, Refusal> {
        Ok(Nothing)
    }

    async fn closed(&self, _session: &SessionInfo) {
        if self.clients.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.over.notify_one();
        }
    }
}

/// Where dropped content goes.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Body for Nothing {
    async fn write(&mut self, _chunk: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    async fn finish(self) -> Verdict {
        Verdict::Accept
    }
}
