//! Clients.

use std::sync::Arc;

use anyhow::{Result, bail};
use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransport, PoolConfig};
use lettre::{AsyncTransport, Tokio1Executor};
use mail_send::SmtpClientBuilder;
use mail_send::smtp::message::Message;
use tokio::net::TcpStream;
use tokio::runtime::Builder;

/// What is to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) messages: usize,
    pub(crate) size: usize,
    /// All over the same connections, or one for each.
    pub(crate) reuse: bool,
    pub(crate) sessions: usize,
}

const SENDER: &str = "alice@example.com";
const RECIPIENT: &str = "bob@example.org";

pub(crate) fn run(name: &str, load: &Load<'_>) -> Result<()> {
    let text: Arc<[u8]> = message(load.size).into();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match name {
            "lettre" => lettre_pool(load, &text).await,
            "lettre-nodelay" => lettre_connection(load, &text).await,
            "mail-send" => mail_send(load, &text, false).await,
            "mail-send-nodelay" => mail_send(load, &text, true).await,
            _ => bail!("no client {name}"),
        }
    })
}

fn message(size: usize) -> Vec<u8> {
    let mut text =
        format!("From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: bench\r\n\r\n").into_bytes();
    let mut line = 0;
    while text.len() < size {
        line += 1;
        text.extend((0..78).map(|column: usize| b'a' + ((column * 7 + line) % 26) as u8));
        text.extend_from_slice(b"\r\n");
    }
    text.truncate(size.max(80));
    let end = text.len() - 2;
    text[end..].copy_from_slice(b"\r\n");
    text
}

impl Load<'_> {
    /// How many messages each session sends.
    fn shares(&self) -> impl Iterator<Item = usize> + use<> {
        let (messages, sessions) = (self.messages, self.sessions.max(1));
        (0..sessions).map(move |it| messages / sessions + usize::from(it < messages % sessions))
    }
}

fn envelope() -> Result<Envelope> {
    Ok(Envelope::new(
        Some(SENDER.parse()?),
        vec![RECIPIENT.parse()?],
    )?)
}

async fn lettre_pool(load: &Load<'_>, text: &Arc<[u8]>) -> Result<()> {
    let pool = PoolConfig::new().max_size(if load.reuse { load.sessions as u32 } else { 0 });
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(load.host)
        .port(load.port)
        .pool_config(pool)
        .build();
    let mut tasks = Vec::new();
    for count in load.shares() {
        let (transport, text, envelope) = (transport.clone(), text.clone(), envelope()?);
        tasks.push(tokio::spawn(async move {
            for _ in 0..count {
                transport.send_raw(&envelope, &text).await?;
            }
            Ok::<(), lettre::transport::smtp::Error>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// The same library over a socket with TCP_NODELAY, which its own connections lack: what it costs without the
/// stall that follows.
async fn lettre_connection(load: &Load<'_>, text: &[u8]) -> Result<()> {
    let envelope = envelope()?;
    let name = ClientId::Domain("a.example.com".to_owned());
    let mut kept = None;
    for _ in 0..load.messages {
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => {
                let socket = TcpStream::connect((load.host, load.port)).await?;
                socket.set_nodelay(true)?;
                AsyncSmtpConnection::connect_with_transport(Box::new(socket), &name).await?
            }
        };
        connection.send(&envelope, text).await?;
        if load.reuse {
            kept = Some(connection);
        } else {
            connection.quit().await?;
        }
    }
    Ok(())
}

async fn mail_send(load: &Load<'_>, text: &Arc<[u8]>, nodelay: bool) -> Result<()> {
    // A provider may be there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = SmtpClientBuilder::new(load.host.to_owned(), load.port)
        .map_err(anyhow::Error::msg)?
        .implicit_tls(false);
    let builder = Arc::new(builder);
    let mut tasks = Vec::new();
    for count in load.shares().filter(|count| *count > 0) {
        let (builder, text, reuse) = (builder.clone(), text.clone(), load.reuse);
        tasks.push(tokio::spawn(async move {
            let (connections, each) = if reuse { (1, count) } else { (count, 1) };
            for _ in 0..connections {
                let mut client = builder.connect_plain().await?;
                client.stream.set_nodelay(nodelay)?;
                for _ in 0..each {
                    let message = Message::new(SENDER, [RECIPIENT], text.to_vec());
                    client.send(message).await?;
                }
                client.quit().await?;
            }
            Ok::<(), anyhow::Error>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}
