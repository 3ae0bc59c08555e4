//! Peers that say anything: no step is taken that the table does not know, every
//! session ends, and the pieces in which the octets come make no difference.

use proptest::prelude::*;
use sansmtp::auth::Credentials;
use sansmtp::capability::{Mechanism, Mechanisms};
use sansmtp::client::{self, Client, Query};
use sansmtp::config::{Config, EhloName, Security, Timeouts};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::server::{self, Server};
use sansmtp::wire::path::ReversePath;
use sansmtp::wire::reply::Reply;
use sansmtp::{Instant, Machine};

/// What the driver does next.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// This many of the lines arrive.
    Arrive(usize),
    Submit,
    Body,
    Finish,
    Query,
    Quit,
    Tls,
    Timeout,
    Eof,
    Accept,
    Answer(u16),
    Shutdown,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (1..4_usize).prop_map(Act::Arrive),
        4 => Just(Act::Submit),
        2 => Just(Act::Body),
        2 => Just(Act::Finish),
        1 => Just(Act::Query),
        1 => Just(Act::Quit),
        3 => Just(Act::Tls),
        1 => Just(Act::Timeout),
        1 => Just(Act::Eof),
        4 => Just(Act::Accept),
        3 => prop::sample::select(vec![220, 250, 334, 354, 421, 450, 535, 550, 554])
            .prop_map(Act::Answer),
        1 => Just(Act::Shutdown),
    ]
}

/// Replies that move a dialogue on, and some that do not.
fn server_line() -> impl Strategy<Value = Vec<u8>> {
    let usual = prop::sample::select(vec![
        "220 hi",
        "250 ok",
        "250 ok",
        "250 ok",
        "354 go",
        "235 yes",
        "334 ",
        "550 no",
        "451 no",
        "421 bye",
        "221 bye",
        "250-mx\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN",
        "250-mx\r\n250-SIZE 9\r\n250 AUTH LOGIN",
        "250-a",
        "503 what",
        "535 5.7.8 no",
        "999",
        "",
        "250 a\rb",
        "5",
    ]);
    prop_oneof![
        12 => usual.prop_map(|line| format!("{line}\r\n").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..30),
    ]
}

fn client_line() -> impl Strategy<Value = Vec<u8>> {
    let usual = prop::sample::select(vec![
        "EHLO c",
        "HELO c",
        "MAIL FROM:<a@b>",
        "MAIL FROM:<a@b>",
        "RCPT TO:<c@d>",
        "RCPT TO:<c@d>",
        "DATA",
        "DATA",
        ".",
        "x\r\n.",
        "a\nb\r\n.",
        "RSET",
        "NOOP",
        "QUIT",
        "STARTTLS",
        "AUTH PLAIN AHVzZXIAcHc=",
        "AUTH PLAIN",
        "AUTH LOGIN",
        "AUTH LOGIN dXNlcg==",
        "dXNlcg==",
        "cHc=",
        "*",
        "VRFY x",
        "HELP",
        "EXPN x",
        "FOO",
        "RSET\nRSET",
        "",
    ]);
    prop_oneof![
        16 => usual.prop_map(|line| format!("{line}\r\n").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..30),
    ]
}

fn security() -> impl Strategy<Value = Security> {
    prop::sample::select(vec![
        Security::DangerPlaintext,
        Security::StartTls,
        Security::ImplicitTls,
    ])
}

/// What the peer and the driver can see.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    said: Vec<u8>,
    told: Vec<String>,
}

/// Runs the client; `read` and `write` are the sizes of the pieces.
fn run_client(
    security: Security,
    lines: &[Vec<u8>],
    acts: &[Act],
    read: usize,
    write: usize,
) -> Seen {
    let config = Config::new("mx.example.org", security)
        .unwrap()
        .credentials(Credentials::password("user", "pw").unwrap())
        .danger_plaintext_auth()
        .timeouts(Timeouts::all(1000));
    let recipients = [
        Recipient::parse("b@example.org").unwrap(),
        Recipient::parse("c@example.org").unwrap(),
    ];
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    let mut buffer = [0; 128];
    let mut now = Instant::from_millis(1);
    let mut client = Client::new(&config, &mut buffer, now);
    let (mut seen, mut out) = (Seen::default(), vec![0; write]);
    let mut lines = lines.iter();
    let mut input: Vec<u8> = Vec::new();
    let mut open = 0_usize;
    let end = [Act::Eof, Act::Timeout, Act::Quit];
    for act in acts.iter().chain(&end) {
        match act {
            Act::Arrive(count) => {
                input.extend(lines.by_ref().take(*count).flatten());
            }
            Act::Submit => {
                let submitted = client.submit(&envelope, now);
                open += usize::from(submitted.is_ok());
                seen.told.push(format!("{submitted:?}"));
            }
            Act::Body => {
                if let Some(mut body) = client.body() {
                    let mut rest: &[u8] = b"a\n.b\r\n.";
                    while !rest.is_empty() {
                        let (read, written) = body.write(now, rest, &mut out);
                        seen.said.extend_from_slice(&out[..written]);
                        rest = &rest[read..];
                    }
                }
            }
            Act::Finish => {
                if let Some(body) = client.body() {
                    body.finish(now);
                }
            }
            Act::Query => seen
                .told
                .push(format!("{:?}", client.query(Query::RSET, now))),
            Act::Quit => seen.told.push(format!("{:?}", client.quit(now))),
            Act::Tls => {
                // What was read before goes to the handshake.
                if client.wants_tls() {
                    input.clear();
                }
                seen.told.push(format!("{:?}", client.tls_established(now)));
            }
            Act::Timeout => {
                if let Some(deadline) = client.poll_timeout() {
                    now = deadline;
                    seen.told.push(format!("{:?}", client.handle_timeout(now)));
                }
            }
            Act::Eof => seen.told.push(format!("{:?}", client.receive_eof())),
            Act::Accept | Act::Answer(_) | Act::Shutdown => {}
        }
        loop {
            let piece = input[..read.min(input.len())].to_vec();
            let (used, event) = match client.receive(now, &piece) {
                Ok(taken) => taken,
                Err(error) => {
                    seen.told.push(format!("{error:?}"));
                    input.clear();
                    break;
                }
            };
            let silent = event.is_none();
            if let Some(event) = event {
                if matches!(
                    event,
                    client::Event::Delivered { .. } | client::Event::NotDelivered { .. }
                ) {
                    assert!(open > 0, "a verdict on nothing: {seen:?}");
                    open -= 1;
                }
                seen.told.push(format!("{event:?}"));
            }
            input.drain(..used);
            if used == 0 && silent {
                break;
            }
        }
        while let written @ 1.. = client.transmit(now, &mut out) {
            seen.said.extend_from_slice(&out[..written]);
            assert!(seen.said.len() < 100_000, "it never ends");
        }
    }
    assert_eq!(client.state(), sansmtp::state::State::Closed);
    assert!(
        open == 0 || client.error().is_some(),
        "no verdict: {seen:?}"
    );
    assert_eq!(client.poll_timeout(), None);
    seen
}

fn run_server(
    security: Security,
    lines: &[Vec<u8>],
    acts: &[Act],
    read: usize,
    write: usize,
) -> Seen {
    let hostname = EhloName::parse("mx.example.org").unwrap();
    let mut config = server::Config::new(hostname, security)
        .mechanisms(Mechanism::ALL.into_iter().collect::<Mechanisms>())
        .danger_plaintext_auth();
    config.limits.errors = 8;
    let (mut line, mut reply) = ([0; 64], [0; 32]);
    let mut now = Instant::from_millis(1);
    let mut server = Server::new(&config, &mut line, &mut reply, now);
    let (mut seen, mut out) = (Seen::default(), vec![0; write]);
    let mut lines = lines.iter();
    let mut input: Vec<u8> = Vec::new();
    let end = [Act::Timeout, Act::Timeout, Act::Eof];
    for act in acts.iter().chain(&end) {
        match act {
            Act::Arrive(count) => {
                input.extend(lines.by_ref().take(*count).flatten());
            }
            Act::Tls => {
                if server.wants_tls() {
                    input.clear();
                }
                seen.told.push(format!("{:?}", server.tls_established(now)));
            }
            Act::Timeout => {
                if let Some(deadline) = server.poll_timeout() {
                    now = deadline;
                    seen.told.push(format!("{:?}", server.handle_timeout(now)));
                }
            }
            Act::Eof => seen.told.push(format!("{:?}", server.receive_eof())),
            Act::Accept => seen.told.push(format!("{:?}", server.accept())),
            Act::Answer(code) => {
                let reply = Reply::new(*code, None, "text\nand more text than there is room");
                seen.told
                    .push(format!("{:?}", server.answer(&reply.unwrap())));
            }
            Act::Shutdown => server.shutdown(),
            _ => {}
        }
        loop {
            while let written @ 1.. = server.transmit(now, &mut out) {
                seen.said.extend_from_slice(&out[..written]);
                assert!(seen.said.len() < 100_000, "it never ends");
            }
            let piece = input[..read.min(input.len())].to_vec();
            let (used, event) = match server.receive(now, &piece) {
                Ok(taken) => taken,
                Err(error) => {
                    seen.told.push(format!("{error:?}"));
                    input.clear();
                    break;
                }
            };
            let silent = event.is_none();
            match event {
                // Dropped: the answer comes by `accept` or `answer`, or never.
                Some(server::Event::Request(request)) => {
                    seen.told.push(format!("{:?}", request.query()));
                }
                // Its pieces depend on the pieces of the input.
                Some(server::Event::Content(_)) => {}
                Some(event) => seen.told.push(format!("{event:?}")),
                None => {}
            }
            input.drain(..used);
            if used == 0 && silent {
                break;
            }
        }
    }
    assert_eq!(server.state(), sansmtp::state::State::Closed);
    assert_eq!(server.poll_timeout(), None);
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_client_against_anything(
        security in security(),
        lines in prop::collection::vec(server_line(), 0..24),
        acts in prop::collection::vec(act(), 0..24),
        read in 1..40_usize,
        write in 1..40_usize,
    ) {
        let whole = run_client(security, &lines, &acts, 4096, 4096);
        prop_assert_eq!(run_client(security, &lines, &acts, read, write), whole);
    }

    #[test]
    fn a_server_against_anything(
        security in security(),
        lines in prop::collection::vec(client_line(), 0..24),
        acts in prop::collection::vec(act(), 0..24),
        read in 1..40_usize,
        write in 1..40_usize,
    ) {
        let whole = run_server(security, &lines, &acts, 4096, 4096);
        prop_assert_eq!(run_server(security, &lines, &acts, read, write), whole);
    }
}
