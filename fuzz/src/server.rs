//! The server against a client that says anything: however its octets are split, the dialogue is the same;
//! every reply is well formed, and no message holds a CR or LF alone.

use crate::input::{Input, pieces};
use crate::naive;
use sansmtp::capability::{Extension, Mechanism};
use sansmtp::config::{EhloName, Security};
use sansmtp::server::{Config, Event, Query, Server};
use sansmtp::wire::reply::{Reply, ReplyLine};
use sansmtp::{Instant, Machine};

const NOW: Instant = Instant::from_millis(0);

/// Checks octets as flights of a client, with 0x01 between them: there TLS comes up if it is wanted.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (choice, seed) = (input.octet(), input.short());
    let flights: Vec<&[u8]> = input.rest().split(|&b| b == 1).collect();
    let whole = run(choice, &flights, 0);
    let split = run(choice, &flights, seed | 1);
    assert_eq!(whole, split, "{choice} {flights:?}");
}

/// All that was seen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    said: String,
    asked: Vec<String>,
    stored: Vec<Vec<u8>>,
    end: String,
}

fn run(choice: u8, flights: &[&[u8]], seed: u16) -> Seen {
    let security = match choice % 3 {
        0 => Security::DangerPlaintext,
        1 => Security::StartTls,
        _ => Security::ImplicitTls,
    };
    let hostname = EhloName::parse("mx.example.org").expect("a name");
    let mut config = Config::new(hostname, security)
        .mechanisms(Mechanism::ALL.into_iter().collect())
        .max_size(10_000);
    config.capabilities = Extension::ALL
        .into_iter()
        .filter(|extension| choice & 8 == 0 || *extension != Extension::Chunking)
        .fold(config.capabilities, |all, one| all.with(one));
    config.limits.errors = if choice & 16 == 0 { 0 } else { 3 };
    config.limits.refused_chunk = 5_000;
    config.danger_plaintext_auth = choice & 32 != 0;
    let (mut line, mut reply) = ([0; 600], [0; 512]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    server.set_entropy([5; 32]);
    let mut seen = Seen::default();
    let mut content = Vec::new();
    feed(&mut server, b"", choice, &mut seen, &mut content);
    for flight in flights {
        if server.wants_tls() {
            server.tls_established(NOW).expect("TLS is wanted");
            feed(&mut server, b"", choice, &mut seen, &mut content);
        }
        for piece in pieces(flight, seed) {
            if !feed(&mut server, piece, choice, &mut seen, &mut content) {
                well_formed(&seen, flights);
                return seen;
            }
        }
    }
    seen.end = format!("{:?}", server.receive_eof());
    well_formed(&seen, flights);
    seen
}

/// Feeds a piece; false if the session is over.
fn feed(
    server: &mut Server<'_>,
    piece: &[u8],
    choice: u8,
    seen: &mut Seen,
    content: &mut Vec<u8>,
) -> bool {
    let mut rest = piece;
    let mut out = [0; 256];
    loop {
        let written = server.transmit(NOW, &mut out);
        if written > 0 {
            let text = std::str::from_utf8(&out[..written]).expect("replies are ASCII");
            seen.said.push_str(text);
            continue;
        }
        let (used, event) = match server.receive(NOW, rest) {
            Ok(received) => received,
            Err(error) => {
                seen.end = format!("{error:?}");
                return false;
            }
        };
        rest = &rest[used..];
        match event {
            None if used > 0 => {}
            None => {
                if server.is_closed() {
                    seen.end = "closed".into();
                }
                assert!(rest.is_empty() || server.is_closed(), "stuck with {rest:?}");
                return !server.is_closed();
            }
            Some(Event::Content(stretch)) => content.extend_from_slice(stretch),
            Some(Event::Reset | Event::Hello { .. }) => content.clear(),
            Some(Event::Request(request)) => {
                let query = request.query();
                seen.asked.push(format!("{query:?}"));
                let number = seen.asked.len();
                let refuse = choice & 64 != 0 && number % 5 == usize::from(choice % 5);
                if let Query::Message { size } = query {
                    assert_eq!(size, content.len() as u64);
                    let message = std::mem::take(content);
                    if !refuse {
                        seen.stored.push(message);
                    }
                }
                if refuse {
                    let code = [421, 450, 550][number % 3];
                    request.answer(&Reply::new(code, None, "No\nreally").expect("a reply"));
                } else {
                    request.accept();
                }
            }
            Some(_) => {}
        }
    }
}

fn well_formed(seen: &Seen, flights: &[&[u8]]) {
    let mut ends = 0;
    for line in seen.said.split_terminator("\r\n") {
        assert!(line.len() <= 510 && !line.bytes().any(|b| b.is_ascii_control()));
        let reply = ReplyLine::parse(line.as_bytes()).expect("a reply");
        ends += usize::from(reply.last);
    }
    // The greeting, one reply for each line at most, one for an end of content, and one last word.
    let lines: usize = flights
        .iter()
        .map(|it| it.iter().filter(|b| **b == b'\n').count())
        .sum();
    assert!(ends <= 2 * lines + 3, "{ends} replies for {lines} lines");
    let all = flights.concat();
    let opaque = all
        .windows(10)
        .any(|it| it.eq_ignore_ascii_case(b"BINARYMIME"));
    for message in &seen.stored {
        assert!(opaque || !naive::has_bare(message), "{message:?}");
        assert!(message.len() <= 10_000);
    }
}
