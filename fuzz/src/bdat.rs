//! Chunks: text gets its line ends, nothing else is changed; and a server that gets any row of BDAT commands
//! keeps what a naive count of octets says.

use crate::input::{Input, pieces};
use crate::naive;
use sansmtp::config::{EhloName, Security};
use sansmtp::server::{Config, Event, Query, Server};
use sansmtp::wire::chunk::{Encoder, LineEnds};
use sansmtp::{Instant, Machine};

const NOW: Instant = Instant::from_millis(0);
/// The largest message of the server, in octets.
const MOST: u64 = 200;
/// The largest refused chunk that it eats.
const EATEN: u64 = 400;

/// Checks octets as a body, and as a session.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let seed = input.short();
    encoder(input.rest(), seed);
    session(input, seed);
}

fn encoder(body: &[u8], seed: u16) {
    for mut encoder in [Encoder::default(), Encoder::Opaque] {
        let opaque = encoder == Encoder::Opaque;
        let mut sent = Vec::new();
        for piece in pieces(body, seed) {
            let count = encoder.count(piece);
            let before = sent.len();
            let mut rest = piece;
            let mut out = vec![0; 1 + usize::from(seed) % 9];
            loop {
                let (read, written) = encoder.encode(rest, &mut out);
                sent.extend_from_slice(&out[..written]);
                rest = &rest[read..];
                if (read, written) == (0, 0) {
                    break;
                }
            }
            assert_eq!(sent.len() - before, count, "{piece:?}");
        }
        sent.extend_from_slice(encoder.completion());
        if opaque {
            assert_eq!(sent, body);
            continue;
        }
        let mut expected = naive::crlf(body);
        if !expected.is_empty() && !expected.ends_with(b"\r\n") {
            expected.extend_from_slice(b"\r\n");
        }
        assert_eq!(sent, expected, "{body:?}");
    }
    let mut ends = LineEnds::default();
    for piece in pieces(body, seed) {
        ends.look(piece);
    }
    assert_eq!(ends.bare_at_end(), naive::has_bare(body), "{body:?}");
}

/// One transaction in chunks, cut out of the octets: sizes and what is said between them.
fn session(mut input: Input<'_>, seed: u16) {
    let mut stream = b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\n".to_vec();
    let mut codes = vec![220, 250, 250, 250];
    let mut model = Model::default();
    for _ in 0..8 {
        if input.is_empty() || model.over {
            break;
        }
        let choice = input.octet();
        let size = match choice % 8 {
            0 => u64::from(input.octet()) * 3,
            1 => 0,
            2 => u64::MAX - u64::from(input.octet()),
            _ => u64::from(input.octet() % 60),
        };
        let last = choice & 0x40 != 0;
        let end = if last { " LAST" } else { "" };
        stream.extend_from_slice(format!("BDAT {size}{end}\r\n").as_bytes());
        let mut chunk = Vec::new();
        if size <= EATEN {
            chunk.resize_with(size as usize, || match input.octet() {
                // More line ends than chance brings.
                0..=7 => b'\r',
                8..=15 => b'\n',
                octet => octet,
            });
        }
        stream.extend_from_slice(&chunk);
        codes.extend(model.take(&chunk, size, last));
    }
    if !model.over {
        stream.extend_from_slice(b"NOOP\r\n");
        codes.push(250);
    }
    let (told, stored) = run(&stream, seed);
    assert_eq!(told, codes, "{:?}", String::from_utf8_lossy(&stream));
    assert_eq!(stored, model.stored);
}

/// What a server makes of chunks, by the book.
#[derive(Default)]
struct Model {
    content: Vec<u8>,
    /// Octets that were announced so far.
    size: u64,
    begun: bool,
    ended: bool,
    over: bool,
    stored: Vec<Vec<u8>>,
}

impl Model {
    /// The code of the reply to a chunk.
    fn take(&mut self, chunk: &[u8], size: u64, last: bool) -> Option<u16> {
        let too_large = self.size.checked_add(size).is_none_or(|sum| sum > MOST);
        if self.ended || too_large {
            let code = if self.ended { 503 } else { 552 };
            self.ended = true;
            self.over |= size > EATEN;
            return Some(code);
        }
        self.begun = true;
        self.size += size;
        self.content.extend_from_slice(chunk);
        // A CR at the end of a chunk may belong to the next one.
        let mut seen = &self.content[..];
        if !last && let [rest @ .., b'\r'] = seen {
            seen = rest;
        }
        // An empty chunk shows nothing new.
        if naive::has_bare(seen) {
            self.ended = true;
            return Some(550);
        }
        if last {
            self.ended = true;
            self.stored.push(std::mem::take(&mut self.content));
        }
        Some(250)
    }
}

/// The codes that a server answers with, and what it stored.
fn run(stream: &[u8], seed: u16) -> (Vec<u16>, Vec<Vec<u8>>) {
    let hostname = EhloName::parse("mx.example.org").expect("a name");
    let mut config = Config::new(hostname, Security::DangerPlaintext).max_size(MOST);
    config.limits.errors = 0;
    config.limits.refused_chunk = EATEN;
    let (mut line, mut reply) = ([0; 512], [0; 512]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    let (mut said, mut content, mut stored) = (Vec::new(), Vec::new(), Vec::new());
    let mut out = [0; 512];
    for mut piece in std::iter::once(&b""[..]).chain(pieces(stream, seed)) {
        loop {
            let written = server.transmit(NOW, &mut out);
            said.extend_from_slice(&out[..written]);
            if written > 0 {
                continue;
            }
            let (used, event) = server.receive(NOW, piece).expect("no error");
            piece = &piece[used..];
            match event {
                Some(Event::Request(request)) => {
                    if matches!(request.query(), Query::Message { .. }) {
                        stored.push(std::mem::take(&mut content));
                    }
                    request.accept();
                }
                Some(Event::Content(stretch)) => content.extend_from_slice(stretch),
                Some(Event::Reset | Event::Hello { .. }) => content.clear(),
                Some(_) => {}
                None if used == 0 => break,
                None => {}
            }
        }
        assert!(
            piece.is_empty() || server.is_closed(),
            "the server is stuck"
        );
    }
    let said = String::from_utf8(said).expect("text");
    let last_lines = said.lines().filter(|line| line.as_bytes()[3] == b' ');
    (
        last_lines
            .map(|line| line[..3].parse().expect("a code"))
            .collect(),
        stored,
    )
}
