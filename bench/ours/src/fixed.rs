//! A client and a server of fixed octets over blocking sockets: what the system costs, and no more. They are the
//! limit that is shown beside us, and the peers of the counts, since they do the same at every run.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use memchr::memmem;

use crate::announce;
use crate::corpus::{CLIENT, SERVER, envelope, message};
use crate::link::{Dialer, Stream};

/// How many commands go out before a reply is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Style {
    /// One: four exchanges a message.
    LockStep,
    /// The envelope and DATA, then the content: two exchanges a message.
    Pipelining,
    /// The content together with the next envelope (RFC 2920, section 3.1): one exchange a message.
    Overlapping,
    /// Envelope and content by BDAT: one exchange a message.
    Chunking,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The port on 127.0.0.1; 0 takes any.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// What EHLO offers.
    #[arg(long, value_enum, default_value = "pipelining")]
    offer: Style,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    address: SocketAddr,
    /// How many messages.
    messages: usize,
    /// Octets of each.
    size: usize,
    #[arg(long, value_enum, default_value = "lock-step")]
    style: Style,
    /// A connection for each message.
    #[arg(long)]
    new: bool,
    /// Connections at the same time.
    #[arg(long, default_value_t = 1)]
    sessions: usize,
    /// Implicit TLS, trusting this certificate.
    #[arg(long, value_name = "PEM")]
    tls: Option<PathBuf>,
}

impl Serve {
    pub(crate) fn run(self) -> Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", self.port))?;
        announce(listener.local_addr()?);
        serve(&listener, self.offer)
    }
}

/// Serves for ever, one thread for each connection.
pub(crate) fn serve(listener: &TcpListener, offer: Style) -> Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        // A client that goes away ends its thread.
        thread::spawn(move || session(stream, offer));
    }
    Ok(())
}

fn session(mut stream: TcpStream, offer: Style) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(format!("220 {SERVER} ESMTP\r\n").as_bytes())?;
    let mut input = vec![0; 256 * 1024];
    let mut held = 0;
    let mut replies = Vec::new();
    let mut content = Content::None;
    loop {
        let count = stream.read(&mut input[held..])?;
        if count == 0 {
            return Ok(());
        }
        let filled = held + count;
        let left = take(&input[..filled], &mut content, offer, &mut replies)?;
        input.copy_within(filled - left..filled, 0);
        held = left;
        if !replies.is_empty() {
            stream.write_all(&replies)?;
            replies.clear();
        }
    }
}

/// What comes next from the client.
enum Content {
    /// Commands.
    None,
    /// Content by DATA.
    Dot,
    /// Octets of a chunk that are still to come.
    Chunk(usize),
}

/// Takes all that is complete, and tells how many octets are left at the end.
fn take(
    mut rest: &[u8],
    content: &mut Content,
    offer: Style,
    replies: &mut Vec<u8>,
) -> Result<usize> {
    loop {
        match content {
            Content::Dot => {
                let end = b"\r\n.\r\n";
                let Some(at) = memmem::find(rest, end) else {
                    return Ok(rest.len().min(end.len() - 1));
                };
                rest = &rest[at + end.len()..];
                *content = Content::None;
                replies.extend_from_slice(b"250 2.0.0 Ok\r\n");
            }
            Content::Chunk(left) => {
                let part = rest.len().min(*left);
                rest = &rest[part..];
                *left -= part;
                if *left > 0 {
                    return Ok(0);
                }
                *content = Content::None;
                replies.extend_from_slice(b"250 2.0.0 Ok\r\n");
            }
            Content::None => {
                let Some(end) = rest.iter().position(|octet| *octet == b'\n') else {
                    return Ok(rest.len());
                };
                let line = &rest[..end];
                rest = &rest[end + 1..];
                replies.extend_from_slice(match line.first().map(u8::to_ascii_uppercase) {
                    Some(b'E') => offer.capabilities(),
                    Some(b'D') => {
                        *content = Content::Dot;
                        b"354 Go ahead\r\n"
                    }
                    Some(b'B') => {
                        let size = std::str::from_utf8(line)?.split_whitespace().nth(1);
                        *content = Content::Chunk(size.unwrap_or_default().parse()?);
                        b""
                    }
                    Some(b'Q') => b"221 2.0.0 Bye\r\n",
                    _ => b"250 2.1.0 Ok\r\n",
                });
            }
        }
    }
}

impl Style {
    fn capabilities(self) -> &'static [u8] {
        match self {
            Self::LockStep => b"250 sink.example.com\r\n",
            Self::Pipelining | Self::Overlapping => {
                b"250-sink.example.com\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
            }
            Self::Chunking => b"250-sink.example.com\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
        }
    }
}

impl Send {
    pub(crate) fn run(self) -> Result<()> {
        let sessions = self.sessions.max(1);
        let dialer = Dialer::new(self.address, self.tls.as_deref())?;
        let results = thread::scope(|scope| {
            let share = |number| {
                let more = usize::from(number < self.messages % sessions);
                self.messages / sessions + more
            };
            let threads: Vec<_> = (0..sessions)
                .map(|number| {
                    let (send, dialer, count) = (&self, &dialer, share(number));
                    scope.spawn(move || send.some(dialer, count))
                })
                .collect();
            threads.into_iter().map(|it| it.join()).collect::<Vec<_>>()
        });
        for result in results {
            result.map_err(|_| anyhow::anyhow!("a thread has panicked"))??;
        }
        Ok(())
    }

    fn some(&self, dialer: &Dialer, messages: usize) -> Result<()> {
        if !self.new {
            return dialogue(dialer, messages, self.size, self.style);
        }
        (0..messages).try_for_each(|_| dialogue(dialer, 1, self.size, self.style))
    }
}

/// Sends messages over one connection.
pub(crate) fn dialogue(dialer: &Dialer, messages: usize, size: usize, style: Style) -> Result<()> {
    let text = message(size);
    let content = [text.as_slice(), b".\r\n"].concat();
    let group = format!("{}DATA\r\n", envelope()).into_bytes();
    let both = [content.as_slice(), &group].concat();
    let chunk = format!("{}BDAT {} LAST\r\n", envelope(), text.len());
    let chunk = [chunk.as_bytes(), &text].concat();
    let mut peer = Peer::connect(dialer)?;
    for number in 1..=messages {
        match style {
            Style::LockStep => {
                for command in group.split_inclusive(|octet| *octet == b'\n') {
                    peer.exchange(command, 1)?;
                }
                peer.exchange(&content, 1)?;
            }
            Style::Pipelining => {
                peer.exchange(&group, 3)?;
                peer.exchange(&content, 1)?;
            }
            Style::Overlapping => {
                if number == 1 {
                    peer.exchange(&group, 3)?;
                }
                if number < messages {
                    peer.exchange(&both, 4)?;
                } else {
                    peer.exchange(&content, 1)?;
                }
            }
            Style::Chunking => peer.exchange(&chunk, 3)?,
        }
    }
    peer.exchange(b"QUIT\r\n", 1)
}

/// A connection that counts lines.
struct Peer {
    stream: Box<dyn Stream>,
    input: Vec<u8>,
}

impl Peer {
    fn connect(dialer: &Dialer) -> Result<Self> {
        let stream = dialer.connect(|socket| socket.set_nodelay(true))?;
        let mut peer = Self {
            stream,
            input: vec![0; 4096],
        };
        peer.exchange(b"", 1)?;
        peer.stream
            .write_all(format!("EHLO {CLIENT}\r\n").as_bytes())?;
        peer.greeted()?;
        Ok(peer)
    }

    /// Reads a reply of any number of lines.
    fn greeted(&mut self) -> Result<()> {
        let mut text = Vec::new();
        loop {
            let count = self.stream.read(&mut self.input)?;
            text.extend_from_slice(&self.input[..count]);
            let mut lines = text.split_inclusive(|octet| *octet == b'\n');
            let complete = lines.any(|line| line.get(3) == Some(&b' ') && line.ends_with(b"\n"));
            if count == 0 {
                bail!("the server has closed");
            }
            if complete {
                return Ok(());
            }
        }
    }

    /// Writes and waits for this number of positive replies of one line each.
    fn exchange(&mut self, octets: &[u8], mut replies: usize) -> Result<()> {
        if !octets.is_empty() {
            self.stream.write_all(octets)?;
        }
        while replies > 0 {
            let count = self.stream.read(&mut self.input)?;
            let read = &self.input[..count];
            if !matches!(read.first(), Some(b'2' | b'3')) {
                bail!("the server said {:?}", String::from_utf8_lossy(read));
            }
            replies -= read
                .iter()
                .filter(|octet| **octet == b'\n')
                .count()
                .min(replies);
        }
        Ok(())
    }
}
