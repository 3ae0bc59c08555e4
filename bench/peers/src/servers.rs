//! Servers, and an echo that is no mail server: what one connection costs at least.

use std::io;
use std::net::{SocketAddr, TcpListener};

use anyhow::{Context, Result, bail};
use smtp_proto::request::receiver::{DataReceiver, RequestReceiver};
use smtp_proto::{Error, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;

pub(crate) fn run(name: &str, port: u16) -> Result<()> {
    match name {
        "mailin" => mailin(port),
        "smtp-proto" => each_connection(port, smtp_proto),
        "echo" => each_connection(port, echo),
        _ => bail!("no server {name}"),
    }
}

#[derive(Clone)]
struct Sink;

impl mailin_embedded::Handler for Sink {
    fn data(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

fn mailin(port: u16) -> Result<()> {
    let mut server = mailin_embedded::Server::new(Sink);
    server.with_name("sink.example.com").with_num_threads(32);
    server.with_tcp_listener(TcpListener::bind(("127.0.0.1", port))?);
    let failed = |error| anyhow::anyhow!("{error}");
    server
        .with_ssl(mailin_embedded::SslConfig::None)
        .map_err(failed)?;
    server.serve().map_err(failed)
}

fn each_connection<F>(port: u16, serve: fn(TcpStream) -> F) -> Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // As many may wait as at our server.
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
        let listener = socket.listen(4096)?;
        loop {
            let (stream, _) = listener.accept().await.context("accept")?;
            stream.set_nodelay(true)?;
            tokio::spawn(serve(stream));
        }
    })
}

/// Says 220, so that it passes for a server that greets, and then says what it hears.
async fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(b"220 echo\r\n").await?;
    let mut buffer = vec![0; 2048];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
    }
}

/// The receivers of smtp-proto under a plain loop: one read, all commands in it, one write.
async fn smtp_proto(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    let mut replies: Vec<u8> = Vec::with_capacity(512);
    let mut commands = RequestReceiver::default();
    let mut data: Option<DataReceiver> = None;
    let mut message: Vec<u8> = Vec::new();
    stream.write_all(b"220 sink.example.com ESMTP\r\n").await?;
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let mut input = buffer[..count].iter();
        let mut quit = false;
        while !input.as_slice().is_empty() {
            if let Some(receiver) = &mut data {
                if receiver.ingest(&mut input, &mut message) {
                    data = None;
                    message.clear();
                    replies.extend_from_slice(b"250 2.0.0 Ok\r\n");
                }
                continue;
            }
            replies.extend_from_slice(match commands.ingest(&mut input) {
                Ok(Request::Ehlo { .. }) => {
                    b"250-sink.example.com\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
                }
                Ok(Request::Data) => {
                    data = Some(DataReceiver::new());
                    b"354 go\r\n"
                }
                Ok(Request::Quit) => {
                    quit = true;
                    b"221 2.0.0 Bye\r\n"
                }
                Ok(_) => b"250 2.0.0 Ok\r\n",
                Err(Error::NeedsMoreData { .. }) => break,
                Err(_) => b"500 5.5.1 what\r\n",
            });
        }
        if !replies.is_empty() {
            stream.write_all(&replies).await?;
            replies.clear();
        }
        if quit {
            return Ok(());
        }
    }
}
