//! Carries bytes between a WebSocket and a TCP server, so that a page can reach a mail server on this machine.
//!
//! ```text
//! websocket_relay --allow 127.0.0.1:2525        then open ws://127.0.0.1:8025/127.0.0.1:2525
//! ```
//!
//! It knows nothing of SMTP and does no TLS: what the page says goes on as it is, so that both ends belong on this
//! machine. Every page in the browser could try to open a WebSocket here. So a server must be on the list, and
//! the page must come from this machine, or from an origin that is named.

use anyhow::{Context, Result, bail};
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Octets that are read from the server at a time, and the most that a page may send in one message.
const PIECE: usize = 64 * 1024;

/// Carries bytes between WebSockets and TCP servers.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:8025")]
    listen: String,
    /// A server that may be reached, as HOST:PORT; may be given more than once.
    #[arg(long, required = true, value_name = "HOST:PORT")]
    allow: Vec<String>,
    /// An origin whose pages may connect besides those of this machine, as `https://example.org`.
    #[arg(long, value_name = "ORIGIN")]
    origin: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Arc::new(Options::parse());
    let listener = TcpListener::bind(&options.listen)
        .await
        .with_context(|| format!("can not listen on {}", options.listen))?;
    let address = listener.local_addr()?;
    for server in &options.allow {
        println!("ws://{address}/{server}");
    }
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        let options = Arc::clone(&options);
        tokio::spawn(async move {
            if let Err(error) = relay(stream, &options).await {
                eprintln!("{peer}: {error:#}");
            }
        });
    }
}

/// Serves one page until either side is done.
#[allow(
    clippy::result_large_err,
    reason = "the type of the library's callback"
)]
async fn relay(stream: TcpStream, options: &Options) -> Result<()> {
    // Each flight of a dialogue is small, and waited for.
    stream.set_nodelay(true)?;
    let mut wanted = String::new();
    let check = |request: &Request, response: Response| {
        wanted = check(request, options)?;
        Ok(response)
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(16 * PIECE))
        .max_frame_size(Some(16 * PIECE));
    let socket = accept_hdr_async_with_config(stream, check, Some(config)).await?;
    let (mut to_page, mut from_page) = socket.split();
    let server = match TcpStream::connect(&wanted).await {
        Ok(server) => server,
        Err(error) => {
            to_page.close().await?;
            bail!("no connection to {wanted}: {error}");
        }
    };
    server.set_nodelay(true)?;
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        while let Some(message) = from_page.next().await {
            match message? {
                Message::Binary(bytes) => to_server.write_all(&bytes).await?,
                Message::Close(_) => break,
                Message::Text(_) => bail!("the page sent text where bytes were due"),
                // The library answers pings.
                _ => {}
            }
        }
        to_server.shutdown().await?;
        Ok(())
    };
    let down = async {
        let mut piece = vec![0; PIECE];
        loop {
            let count = from_server.read(&mut piece).await?;
            if count == 0 {
                to_page.close().await?;
                return Ok(());
            }
            let bytes = piece.get(..count).unwrap_or_default().to_vec();
            to_page.send(Message::Binary(bytes.into())).await?;
        }
    };
    // Whoever is done first ends it for both; the server's last words have left by then.
    tokio::select! {
        result = up => result,
        result = down => result,
    }
}

/// The server that a page asks for, if it may.
#[allow(
    clippy::result_large_err,
    reason = "the type of the library's callback"
)]
fn check(request: &Request, options: &Options) -> Result<String, ErrorResponse> {
    let origin = request
        .headers()
        .get(header::ORIGIN)
        .map(|origin| origin.to_str().unwrap_or("?"));
    // Without an origin it is no page, but a program of this machine's user.
    if !origin.is_none_or(|origin| is_local(origin) || options.origin.iter().any(|it| it == origin))
    {
        return Err(refuse("pages of this origin may not use the relay"));
    }
    let wanted = request.uri().path().trim_start_matches('/');
    match options.allow.iter().find(|server| *server == wanted) {
        Some(server) => Ok(server.clone()),
        None => Err(refuse("this server is not on the list of the relay")),
    }
}

/// Whether a page was served by this machine.
fn is_local(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

fn refuse(why: &str) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(why.to_owned()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str, origin: Option<&str>) -> bool {
        let options = Options::parse_from([
            "relay",
            "--allow",
            "127.0.0.1:25",
            "--origin",
            "https://a.example",
        ]);
        let mut request = Request::new(());
        *request.uri_mut() = path.parse().unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert(header::ORIGIN, origin.parse().unwrap());
        }
        check(&request, &options).is_ok()
    }

    #[test]
    fn only_known_servers_and_pages_of_this_machine() {
        assert!(asked("/127.0.0.1:25", None));
        for origin in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:1",
            "https://a.example",
        ] {
            assert!(asked("/127.0.0.1:25", Some(origin)), "{origin}");
        }
        for origin in [
            "https://evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example:80",
            "null",
            "http://localhost:80.evil.example",
            "https://a.example.org",
            "",
        ] {
            assert!(!asked("/127.0.0.1:25", Some(origin)), "{origin}");
        }
        for path in [
            "/",
            "/127.0.0.1:26",
            "/127.0.0.1:25/",
            "/127.0.0.1:255",
            "/192.0.2.1:25",
        ] {
            assert!(!asked(path, None), "{path}");
        }
    }
}
