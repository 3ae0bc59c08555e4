//! The same scripts over sockets, against the program `hostile-client` or another one that is called in the same
//! way.

use super::client::Act;
use crate::certs::Certs;
use crate::{Error, Security};
use sansmtp_tokio::rustls::{ServerConnection, StreamOwned};
use sansmtp_tokio::server::tls_config_from_files;
use serde_json::json;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Nothing takes this long; it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the client waits for a server that falls silent, in seconds.
const SHORT: f64 = 0.5;
const LONG: f64 = 20.0;

/// What the client is asked to do.
#[derive(Clone, Debug)]
pub struct Wish {
    /// TLS.
    pub security: Security,
    /// Which AUTH, in the words of the program.
    pub auth: &'static str,
    /// The name for EHLO.
    pub ehlo: String,
    /// The reverse-path.
    pub from: String,
    /// The forward-paths.
    pub to: Vec<String>,
    /// The message.
    pub body: String,
    /// The server presents a certificate for another name.
    pub wrong_host: bool,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The class that the program named.
    pub class: String,
    /// All that it printed.
    pub output: String,
    /// Whether it exited with 0.
    pub success: bool,
    /// What the server read.
    pub sent: Vec<u8>,
    /// How many octets the server could get rid of, into the client and the system's buffers.
    pub taken: usize,
}

/// Runs the program against a server that does `acts`. `program` lacks nothing but the arguments.
///
/// # Errors
/// If the program can not be run. What the client does is never an error.
pub fn play(
    mut program: Command,
    certs: &Certs,
    wish: &Wish,
    acts: &[Act],
) -> Result<Outcome, Error> {
    let failed = |e: &dyn std::fmt::Display| Error::during("hostile-client", e);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| failed(&e))?;
    let port = listener.local_addr().map_err(|e| failed(&e))?.port();
    // Only where the script ends without a farewell or a cut does the client have to lose patience.
    let ends = matches!(acts.last(), Some(Act::Close | Act::Flood(..)))
        || matches!(acts.last(), Some(Act::Reply(text)) if text.starts_with(b"221"));
    let json = json!({
        "ehlo": wish.ehlo, "mail_from": wish.from, "rcpts": wish.to, "user": super::server::USER,
        "password": super::server::PASSWORD, "body": wish.body, "timeout": if ends { LONG } else { SHORT },
    });
    let tls = match wish.security {
        Security::DangerPlaintext => "none",
        Security::StartTls => "starttls",
        Security::ImplicitTls => "implicit",
    };
    let child = program
        .args([
            "localhost",
            &port.to_string(),
            tls,
            wish.auth,
            &json.to_string(),
        ])
        .env("SSL_CERT_FILE", &certs.ca)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(&e))?;
    let served = std::thread::scope(|scope| {
        let server = scope.spawn(|| serve(&listener, certs, wish, acts));
        let output = child.wait_with_output().map_err(|e| failed(&e));
        // A client that never came leaves the server waiting.
        let _ = TcpStream::connect(("127.0.0.1", port));
        output.map(|output| (output, server.join().unwrap_or_default()))
    });
    let (output, (sent, taken)) = served?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(Outcome {
        class: text
            .split([':', '\n'])
            .next()
            .unwrap_or_default()
            .to_owned(),
        output: text,
        success: output.status.success(),
        sent,
        taken,
    })
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

struct Peer {
    stream: Option<Stream>,
    sent: Vec<u8>,
    answered: usize,
    taken: usize,
}

fn serve(listener: &TcpListener, certs: &Certs, wish: &Wish, acts: &[Act]) -> (Vec<u8>, usize) {
    let Ok((stream, _)) = listener.accept() else {
        return (Vec::new(), 0);
    };
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let _ = stream.set_write_timeout(Some(PATIENCE));
    let mut peer = Peer {
        stream: Some(Stream::Plain(stream)),
        sent: Vec::new(),
        answered: 0,
        taken: 0,
    };
    let mut first = true;
    let mut done = true;
    for act in acts {
        let go_on = match act {
            Act::Reply(octets) => {
                let heard = std::mem::take(&mut first) || peer.line();
                heard && peer.write(octets)
            }
            Act::Now(octets) => {
                first = false;
                peer.write(octets)
            }
            Act::Flood(octets, count) => {
                let per = (65_536 / octets.len().max(1)).max(1).min(*count);
                let piece = octets.repeat(per);
                (0..count / per).all(|_| peer.write(&piece))
            }
            // Only the machine alone can be played at another speed.
            Act::Drip(octets, _) => octets.iter().all(|octet| peer.write(&[*octet])),
            Act::Content => {
                first = true;
                peer.content()
            }
            Act::Tls => peer.tls(certs, wish.wrong_host),
            Act::Close => {
                peer.stream = None;
                false
            }
        };
        if !go_on {
            done = false;
            break;
        }
    }
    // What comes behind the last reply, up to the client's end.
    if done || peer.stream.is_some() {
        while peer.fill() {}
    }
    (peer.sent, peer.taken)
}

impl Peer {
    fn fill(&mut self) -> bool {
        let mut piece = [0; 8192];
        let read: io::Result<usize> = match &mut self.stream {
            None => Ok(0),
            Some(Stream::Plain(stream)) => stream.read(&mut piece),
            Some(Stream::Tls(stream)) => stream.read(&mut piece),
        };
        match read {
            Ok(read) if read > 0 => {
                self.sent.extend_from_slice(&piece[..read]);
                true
            }
            _ => false,
        }
    }

    fn write(&mut self, octets: &[u8]) -> bool {
        let written = match &mut self.stream {
            None => return false,
            Some(Stream::Plain(stream)) => stream.write_all(octets),
            Some(Stream::Tls(stream)) => stream.write_all(octets).and_then(|()| stream.flush()),
        };
        self.taken += octets.len();
        written.is_ok()
    }

    /// Waits until `end` is there, and takes all up to it.
    fn until(&mut self, end: &[u8], overlap: usize) -> bool {
        loop {
            let from = self.answered.saturating_sub(overlap);
            let fresh = &self.sent[from..];
            if let Some(at) = fresh.windows(end.len()).position(|w| w == end) {
                self.answered = from + at + end.len();
                return true;
            }
            if !self.fill() {
                return false;
            }
        }
    }

    fn line(&mut self) -> bool {
        self.until(b"\r\n", 0)
    }

    /// The content begins behind the CR LF of DATA, which may be the first half of its end.
    fn content(&mut self) -> bool {
        self.until(b"\r\n.\r\n", 2)
    }

    fn tls(&mut self, certs: &Certs, wrong_host: bool) -> bool {
        let Some(Stream::Plain(mut stream)) = self.stream.take() else {
            return false;
        };
        let identity = if wrong_host {
            &certs.wrong_host
        } else {
            &certs.server
        };
        let Ok(config) = tls_config_from_files(&identity.certificate, &identity.key) else {
            return false;
        };
        let Ok(mut connection) = ServerConnection::new(config) else {
            return false;
        };
        while connection.is_handshaking() {
            if connection.complete_io(&mut stream).is_err() {
                return false;
            }
        }
        self.stream = Some(Stream::Tls(Box::new(StreamOwned::new(connection, stream))));
        true
    }
}
