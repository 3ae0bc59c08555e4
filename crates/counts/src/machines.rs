//! Whole messages through the machines, the session kept open.

use std::hint::black_box;

use sansmtp::capability::Capabilities;
use sansmtp::client::{self, Client};
use sansmtp::config::{Config, EhloName, Security};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::server::{self, Server};
use sansmtp::wire::command::Command;
use sansmtp::wire::dot;
use sansmtp::wire::line::Framing;
use sansmtp::wire::path::ReversePath;
use sansmtp::{Instant, Machine};

use crate::cases::PIECE;
use crate::corpus::{Kind, message, on_wire};
use crate::{Case, Work};

const NOW: Instant = Instant::from_millis(1);
const SMALL: usize = 1024;
const LARGE: usize = 1 << 20;

pub(crate) fn all() -> Vec<Case> {
    let mut cases = vec![
        send("client: a message of 1 KiB, PIPELINING", false),
        send("client: a message of 1 KiB, CHUNKING", true),
        take("server: a message of 1 KiB, DATA", false),
        take_without_session("limit: the same, parsed and answered without a session"),
        take("server: a message of 1 KiB, BDAT", true),
    ];
    for kind in [Kind::Text, Kind::Base64, Kind::Prose, Kind::Dotted] {
        cases.push(take_large(kind, false));
    }
    cases.push(take_large(Kind::Text, true));
    cases
}

/// A value that lives as long as the program, which runs each case once or twice.
fn keep<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

fn client(chunking: bool) -> Client<'static> {
    let config = Config::new("mx.example.org", Security::DangerPlaintext).expect("a host name");
    let config = keep(config.chunking(chunking));
    let mut client = Client::new(config, keep([0; 512]), NOW);
    let offer = b"250-mx.example.org\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n";
    let mut out = [0; 512];
    hear(&mut client, b"220 mx.example.org ESMTP\r\n");
    client.transmit(NOW, &mut out);
    hear(&mut client, offer);
    assert!(client.is_ready());
    client
}

/// Hands in what the server says, to the end, and returns how many events came of it.
fn hear(client: &mut Client<'_>, said: &[u8]) -> usize {
    let mut rest = black_box(said);
    let mut events = 0;
    loop {
        let (used, event) = client.receive(NOW, rest).expect("a good server");
        rest = &rest[used..];
        match event {
            Some(client::Event::NotDelivered { .. }) => panic!("refused"),
            Some(event) => {
                black_box(&event);
                events += 1;
            }
            None if used == 0 => return events,
            None => {}
        }
    }
}

/// A client sends a message of 1 KiB to one recipient; the server's answers are ready.
fn send(name: &'static str, chunking: bool) -> Case {
    Case::new(name, "message", move || {
        let mut client = client(chunking);
        let recipients = keep([Recipient::parse("bob@example.org").expect("an address")]);
        let sender = ReversePath::parse("alice@example.com").expect("an address");
        let mut envelope = Envelope::new(sender, recipients);
        let content = message(SMALL);
        envelope.size = Some(content.len() as u64);
        let envelope: &'static Envelope<'static> = keep(envelope);
        let mut out = vec![0; PIECE];
        Work::new(1, move || {
            client.submit(black_box(envelope), NOW).expect("ready");
            let mut written = client.transmit(NOW, &mut out);
            if !chunking {
                black_box(&out[..written]);
                hear(&mut client, b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n");
                written = 0;
            }
            let mut rest = black_box(&content[..]);
            let mut body = client.body().expect("the content is due");
            while !rest.is_empty() {
                let (read, more) = body.write(NOW, rest, &mut out[written..]);
                rest = &rest[read..];
                written += more;
            }
            body.finish(NOW);
            written += client.transmit(NOW, &mut out[written..]);
            black_box(&out[..written]);
            let last: &[u8] = if chunking {
                b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok\r\n250 2.0.0 Ok: queued\r\n"
            } else {
                b"250 2.0.0 Ok: queued\r\n"
            };
            assert!(hear(&mut client, last) > 0 && client.is_ready());
        })
    })
}

fn server() -> Server<'static> {
    let hostname = EhloName::parse("mx.example.org").expect("a name");
    let config = keep(server::Config::new(hostname, Security::DangerPlaintext));
    let mut server = Server::new(config, keep([0; 512]), keep([0; 512]), NOW);
    let mut out = [0; 512];
    serve(&mut server, b"", &mut out);
    serve(&mut server, b"EHLO client.example.com\r\n", &mut out);
    server
}

/// Hands in what the client says, up to where it waits for a reply or nothing is left; says yes to all;
/// returns how many octets of content came and how many replies were written.
fn serve(server: &mut Server<'_>, said: &[u8], out: &mut [u8]) -> (usize, usize) {
    let mut rest = black_box(said);
    let (mut content, mut replies) = (0, 0);
    loop {
        let (used, event) = server.receive(NOW, rest).expect("a good client");
        rest = &rest[used..];
        let quiet = used == 0 && event.is_none();
        match event {
            Some(server::Event::Request(request)) => request.accept(),
            Some(server::Event::Content(stretch)) => content += black_box(stretch).len(),
            _ => {}
        }
        let written = server.transmit(NOW, out);
        replies += usize::from(written > 0);
        black_box(&out[..written]);
        if written == 0 && quiet || written > 0 && rest.is_empty() {
            return (content, replies);
        }
    }
}

/// A server takes a message of 1 KiB in lock-step.
fn take(name: &'static str, chunks: bool) -> Case {
    Case::new(name, "message", move || {
        let mut server = server();
        let content = message(SMALL);
        let size = content.len();
        let (leave, content) = if chunks {
            let mut coded = format!("BDAT {size} LAST\r\n").into_bytes();
            coded.extend_from_slice(&content);
            ("", coded)
        } else {
            ("DATA\r\n", on_wire(&content))
        };
        let mut out = vec![0; 512];
        Work::new(1, move || {
            let mut said = 0;
            for line in [
                "MAIL FROM:<alice@example.com>\r\n",
                "RCPT TO:<bob@example.org>\r\n",
                leave,
            ] {
                said += serve(&mut server, line.as_bytes(), &mut out).1;
            }
            let (came, replies) = serve(&mut server, &content, &mut out);
            assert_eq!((came, said + replies), (size, if chunks { 3 } else { 4 }));
        })
    })
}

/// What the server's work costs if nothing is remembered, asked or timed: each line is parsed and gets the
/// same reply, and the dots are taken out of the content.
fn take_without_session(name: &'static str) -> Case {
    Case::new(name, "message", || {
        let content = message(SMALL);
        let coded = on_wire(&content);
        let (mut storage, mut out) = (vec![0; 512], vec![0; 512]);
        Work::new(1, move || {
            for line in [
                "MAIL FROM:<alice@example.com>\r\n",
                "RCPT TO:<bob@example.org>\r\n",
                "DATA\r\n",
            ] {
                let input = black_box(line.as_bytes());
                let (_, line) = Framing::default().take(&mut storage, input);
                let command = Command::parse(line.expect("a line").bytes, &Capabilities::NONE);
                assert!(black_box(&command).is_ok());
                reply(&mut out);
            }
            let mut decoder = dot::Decoder::default();
            let (used, stretch) = decoder.decode(black_box(&coded));
            let end = decoder.take_end(&coded[used..]);
            assert_eq!((used + end, stretch.len()), (coded.len(), content.len()));
            reply(&mut out);
        })
    })
}

fn reply(out: &mut [u8]) {
    const ACCEPTED: &[u8] = b"250 2.0.0 Message accepted\r\n";
    out[..ACCEPTED.len()].copy_from_slice(black_box(ACCEPTED));
    black_box(out);
}

/// A server takes a large message that has come already.
fn take_large(kind: Kind, chunks: bool) -> Case {
    let how = if chunks { "BDAT" } else { "DATA" };
    let name = format!("server: content by {how}, {}", kind.name());
    Case::new(name, "octet", move || {
        let mut server = server();
        let content = kind.content(LARGE);
        let size = content.len();
        let coded = if chunks { content } else { on_wire(&content) };
        let leave = if chunks {
            format!("BDAT {size} LAST\r\n")
        } else {
            "DATA\r\n".to_owned()
        };
        let mut out = vec![0; 512];
        Work::new(coded.len(), move || {
            for line in [
                "MAIL FROM:<alice@example.com>\r\n",
                "RCPT TO:<bob@example.org>\r\n",
                &leave,
            ] {
                serve(&mut server, line.as_bytes(), &mut out);
            }
            let mut came = 0;
            for piece in coded.chunks(PIECE) {
                came += serve(&mut server, piece, &mut out).0;
            }
            assert_eq!(came, size);
        })
    })
}
