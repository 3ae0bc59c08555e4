//! Client and server machine against each other, without sockets and with a
//! clock that stands still: every split of the bytes must give the same
//! dialogue (invariant 8).

use sansmtp::auth::Credentials;
use sansmtp::capability::{Mechanism, Mechanisms};
use sansmtp::client::{self, Client};
use sansmtp::config::{Config, EhloName, Security};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::server::{self, Query, Server};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::path::ReversePath;
use sansmtp::wire::reply::Reply;
use sansmtp::{Instant, Machine};

const NOW: Instant = Instant::from_millis(0);

/// What one run left behind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    /// All octets, by direction.
    client_said: Vec<u8>,
    server_said: Vec<u8>,
    client_events: Vec<String>,
    server_events: Vec<String>,
    stored: Vec<Vec<u8>>,
    round_trips: usize,
}

struct Setup<'a> {
    security: Security,
    mechanisms: Mechanisms,
    recipients: &'a [&'a str],
    message: &'a [u8],
    /// Whether the client may use BDAT.
    chunking: bool,
    /// Size of the pieces that the content is pushed in.
    push: usize,
    /// From how many octets on what passes as it is is not written; 0 for never.
    pass: usize,
    /// Size of the pieces that either side reads and writes.
    read: usize,
    write: usize,
}

/// Sends one message from a client to a server and says goodbye.
fn run(setup: &Setup<'_>) -> Run {
    let credentials = Credentials::password("user", "s3cret-pw").unwrap();
    let mut config = Config::new("mx.example.org", setup.security).unwrap();
    config = config.chunking(setup.chunking);
    if !setup.mechanisms.is_empty() {
        config = config.credentials(credentials).danger_plaintext_auth();
    }
    let hostname = EhloName::parse("mx.example.org").unwrap();
    let server_config = server::Config::new(hostname, setup.security)
        .mechanisms(setup.mechanisms)
        .danger_plaintext_auth();
    let recipients: Vec<Recipient<'_>> = setup
        .recipients
        .iter()
        .map(|recipient| Recipient::parse(recipient).unwrap())
        .collect();
    let mut envelope = Envelope::new(ReversePath::parse("a@example.org").unwrap(), &recipients);
    envelope.size = Some(setup.message.len() as u64);

    let (mut client_line, mut server_line, mut server_reply) = ([0; 256], [0; 512], [0; 256]);
    let mut client = Client::new(&config, &mut client_line, NOW);
    let mut server = Server::new(&server_config, &mut server_line, &mut server_reply, NOW);
    let mut run = Run::default();
    let mut to_server: Vec<u8> = Vec::new();
    let mut to_client: Vec<u8> = Vec::new();
    let mut body = setup.message;
    let mut content = Vec::new();
    let mut out = vec![0; setup.write];

    for _ in 0..200_000 {
        if client.is_closed() && server.is_closed() {
            return run;
        }
        if client.wants_tls() && server.wants_tls() && to_client.is_empty() {
            client.tls_established(NOW).unwrap();
            server.tls_established(NOW).unwrap();
        }
        // The server works on all it has, then the client does, so that a round
        // trip is one change of direction.
        let said_before = run.server_said.len();
        loop {
            let piece: Vec<u8> = to_server[..setup.read.min(to_server.len())].to_vec();
            let mut rest = &piece[..];
            let mut progress = false;
            loop {
                loop {
                    let n = server.transmit(NOW, &mut out);
                    if n == 0 {
                        break;
                    }
                    to_client.extend_from_slice(&out[..n]);
                    run.server_said.extend_from_slice(&out[..n]);
                }
                let (used, event) = server.receive(NOW, rest).unwrap();
                rest = &rest[used..];
                match event {
                    Some(event) => serve(event, &mut run, &mut content),
                    None if used == 0 => break,
                    None => {}
                }
                progress = true;
            }
            to_server.drain(..piece.len() - rest.len());
            if !progress {
                break;
            }
        }
        run.round_trips += usize::from(run.server_said.len() > said_before);
        loop {
            let piece: Vec<u8> = to_client[..setup.read.min(to_client.len())].to_vec();
            let mut rest = &piece[..];
            let mut progress = false;
            loop {
                let (used, event) = client.receive(NOW, rest).unwrap();
                rest = &rest[used..];
                let Some(event) = event else {
                    if used == 0 {
                        break;
                    }
                    continue;
                };
                progress = true;
                run.client_events.push(format!("{event:?}"));
                match event {
                    client::Event::Ready => client.submit(&envelope, NOW).unwrap(),
                    client::Event::Delivered { .. } | client::Event::NotDelivered { .. } => {
                        client.quit(NOW).unwrap();
                    }
                    _ => {}
                }
            }
            let taken = piece.len() - rest.len();
            to_client.drain(..taken);
            if !progress && taken == 0 {
                break;
            }
        }
        loop {
            loop {
                let n = client.transmit(NOW, &mut out);
                if n == 0 {
                    break;
                }
                run.client_said.extend_from_slice(&out[..n]);
                to_server.extend_from_slice(&out[..n]);
            }
            let Some(mut writer) = client.body() else {
                break;
            };
            let piece = &body[..setup.push.min(body.len())];
            if setup.pass > 0 {
                let passed = writer.pass(NOW, piece, setup.pass);
                assert!(passed == 0 || passed >= setup.pass);
                body = &body[passed..];
                run.client_said.extend_from_slice(&piece[..passed]);
                to_server.extend_from_slice(&piece[..passed]);
                if passed > 0 {
                    if body.is_empty() {
                        writer.finish(NOW);
                    }
                    continue;
                }
            }
            let (read, written) = writer.write(NOW, piece, &mut out);
            body = &body[read..];
            run.client_said.extend_from_slice(&out[..written]);
            to_server.extend_from_slice(&out[..written]);
            if body.is_empty() {
                writer.finish(NOW);
            }
        }
    }
    panic!("the dialogue does not end: {run:?}");
}

fn serve(event: server::Event<'_>, run: &mut Run, content: &mut Vec<u8>) {
    match event {
        server::Event::Content(stretch) => content.extend_from_slice(stretch),
        server::Event::Request(request) => {
            let query = request.query();
            run.server_events.push(format!("{query:?}"));
            match query {
                Query::Recipient { forward_path, .. }
                    if forward_path.as_str().starts_with("no") =>
                {
                    let text = format!("{} is not here", forward_path.as_str());
                    let code = EnhancedCode::new(5, 1, 1);
                    request.answer(&Reply::new(550, code, &text).unwrap());
                }
                Query::Authenticate(login) => {
                    let said = (login.user, login.password.reveal());
                    assert_eq!(said, ("user", "s3cret-pw"));
                    request.accept();
                }
                Query::Message { size } => {
                    assert_eq!(size, content.len() as u64);
                    run.stored.push(std::mem::take(content));
                    request.accept();
                }
                _ => request.accept(),
            }
        }
        other => run.server_events.push(format!("{other:?}")),
    }
}

const MESSAGE: &[u8] = b"Subject: t\r\n\r\n.dot\r\n..two\r\n.\r\nend\r\n";

#[test]
fn every_split_gives_the_same_dialogue() {
    for (security, chunking) in [
        (Security::DangerPlaintext, true),
        (Security::DangerPlaintext, false),
        (Security::StartTls, false),
        (Security::ImplicitTls, true),
    ] {
        for mechanisms in [
            Mechanisms::NONE,
            Mechanisms::NONE.with(Mechanism::Plain),
            Mechanisms::NONE.with(Mechanism::Login),
        ] {
            let setup = |read, write| Setup {
                security,
                mechanisms,
                recipients: &["b@example.org", "no@example.org", "\"c d\"@[127.0.0.1]"],
                message: MESSAGE,
                chunking,
                push: 4096,
                pass: 0,
                read,
                write,
            };
            let whole = run(&setup(4096, 4096));
            assert_eq!(whole.stored, [MESSAGE]);
            let told = |what: &str| whole.client_events.iter().any(|e| e.contains(what));
            assert!(told("550 5.1.1 no@example.org is not here"));
            assert!(told("Delivered"));
            for read in (1..18).chain([39, 100, 511]) {
                for write in (1..18).chain([39, 64]) {
                    let mut other = run(&setup(read, write));
                    other.round_trips = whole.round_trips;
                    assert_eq!(other, whole, "read {read} write {write}");
                }
            }
        }
    }
}

#[test]
fn pieces_of_any_size_become_chunks() {
    let large = "All work and no play.\r\n".repeat(20);
    for message in [b"".as_slice(), b"a", MESSAGE, large.as_bytes()] {
        let ended = message.ends_with(b"\r\n") || message.is_empty();
        let expected = [message, if ended { b"" } else { b"\r\n" }].concat();
        for push in (1..40).chain([4096]) {
            for (read, write) in [(1, 1), (3, 7), (64, 2), (4096, 30), (4096, 4096)] {
                let run = run(&Setup {
                    security: Security::DangerPlaintext,
                    mechanisms: Mechanisms::NONE,
                    recipients: &["b@example.org"],
                    message,
                    chunking: true,
                    push,
                    pass: 0,
                    read,
                    write,
                });
                assert_eq!(run.stored, [expected.as_slice()], "{push} {read} {write}");
                let said = String::from_utf8_lossy(&run.client_said);
                let chunks = said.matches("BDAT ").count();
                assert_eq!(chunks, message.len().div_ceil(push) + 1, "{said}");
            }
        }
    }
}

#[test]
fn what_passes_gives_the_same_octets() {
    let large = "All work and no play.\r\n".repeat(20);
    for message in [
        b"".as_slice(),
        b"a",
        b"a\n.b\rc\r",
        MESSAGE,
        large.as_bytes(),
    ] {
        for (push, write) in [(1, 1), (3, 7), (64, 2), (4096, 30), (4096, 4096)] {
            for chunking in [true, false] {
                let said = |pass| {
                    let run = run(&Setup {
                        security: Security::DangerPlaintext,
                        mechanisms: Mechanisms::NONE,
                        recipients: &["b@example.org"],
                        message,
                        chunking,
                        push,
                        pass,
                        read: 4096,
                        write,
                    });
                    String::from_utf8(run.client_said).unwrap()
                };
                let written = said(0);
                for least in [1, 2, 5, 64] {
                    assert_eq!(said(least), written, "{push} {write} {least}");
                }
            }
        }
    }
}

#[test]
fn a_large_message_waits_for_the_recipients() {
    let message = "0123456789abcdef\r\n".repeat(4_000);
    let setup = |recipients| Setup {
        security: Security::DangerPlaintext,
        mechanisms: Mechanisms::NONE,
        recipients,
        message: message.as_bytes(),
        chunking: true,
        push: 1 << 20,
        pass: 0,
        read: 1 << 20,
        write: 1 << 20,
    };
    let taken = run(&setup(&["b@example.org"]));
    assert_eq!(taken.stored, [message.as_bytes()]);
    // Greeting, EHLO, envelope, content, QUIT.
    assert_eq!(taken.round_trips, 5);
    let refused = run(&setup(&["no@example.org"]));
    let said = String::from_utf8_lossy(&refused.client_said);
    assert!(!said.contains("BDAT"), "{said}");
}

#[test]
fn with_chunking_a_message_takes_one_round_trip() {
    let many: Vec<String> = (0..100).map(|n| format!("r{n}@example.org")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for recipients in [&["b@example.org"][..], &many] {
        let run = run(&Setup {
            security: Security::DangerPlaintext,
            mechanisms: Mechanisms::NONE,
            recipients,
            message: MESSAGE,
            chunking: true,
            push: 1 << 20,
            pass: 0,
            read: 1 << 20,
            write: 1 << 20,
        });
        // Greeting, EHLO, envelope with content, QUIT.
        assert_eq!(run.round_trips, 4);
        assert_eq!(run.stored, [MESSAGE]);
    }
}

#[test]
fn with_pipelining_a_message_takes_two_round_trips() {
    let many: Vec<String> = (0..100).map(|n| format!("r{n}@example.org")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for recipients in [&["b@example.org"][..], &many] {
        let run = run(&Setup {
            security: Security::DangerPlaintext,
            mechanisms: Mechanisms::NONE,
            recipients,
            message: MESSAGE,
            chunking: false,
            push: 1 << 20,
            pass: 0,
            read: 1 << 20,
            write: 1 << 20,
        });
        // Greeting, EHLO, envelope, content, QUIT.
        assert_eq!(run.round_trips, 5);
        assert_eq!(run.stored.len(), 1);
    }
}

#[test]
fn nobody_wants_it() {
    for chunking in [false, true] {
        let run = run(&Setup {
            security: Security::DangerPlaintext,
            mechanisms: Mechanisms::NONE,
            recipients: &["no@example.org", "nobody@example.org"],
            message: MESSAGE,
            chunking,
            push: 64,
            pass: 0,
            read: 64,
            write: 64,
        });
        assert_eq!(run.stored.len(), 0);
        let told = |what: &str| run.client_events.iter().any(|e| e.starts_with(what));
        assert!(told("NotDelivered { stage: Rcpt"), "{run:?}");
        let said = String::from_utf8_lossy(&run.client_said);
        // A small one leaves with its envelope.
        assert_eq!(said.contains("Subject"), chunking);
        assert!(said.ends_with("QUIT\r\n"));
    }
}
