//! The states of the client.

use super::{Walk, walk};
use crate::auth::Credentials;
use crate::client::{Client, Query, Session};
use crate::config::{Config, Security};
use crate::envelope::{Envelope, Recipient};
use crate::error::Error;
use crate::machine::{Instant, Machine};
use crate::wire::path::ReversePath;
use std::vec;
use std::vec::Vec;

const ROOM: usize = 128;

#[derive(Clone, Debug)]
struct Node {
    session: Session,
    config: usize,
    envelope: Option<usize>,
    query: Option<usize>,
    /// Mails that were begun.
    mails: u8,
    /// Pieces of the content that were pushed, and whether the last is to be ended.
    pushed: u8,
    half: bool,
}

/// Everything that a server can say.
const LINES: [&[u8]; 15] = [
    b"220 x\r\n",
    b"221 x\r\n",
    b"235 x\r\n",
    b"250 x\r\n",
    b"250-x\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n",
    b"250-x\r\n250-PIPELINING\r\n250 AUTH LOGIN\r\n",
    b"334 \r\n",
    b"354 x\r\n",
    b"421 x\r\n",
    b"450 x\r\n",
    b"550 x\r\n",
    b"554-x\r\n554 x\r\n",
    b"554 x\r\n",
    b"999 x\r\n",
    b"220 x\r\n250 x\r\n",
];

const QUERIES: [Query<'static>; 2] = [Query::NOOP, Query::RSET];

fn configs() -> Vec<Config<'static>> {
    let of = |(security, user): (Security, bool)| {
        let mut config = Config::new("mx.example.org", security)
            .unwrap()
            .danger_plaintext_auth();
        config.credentials = user.then(|| Credentials::password("u", "p").unwrap());
        config
    };
    [
        (Security::DangerPlaintext, false),
        (Security::StartTls, true),
        (Security::ImplicitTls, true),
    ]
    .map(of)
    .to_vec()
}

pub(super) fn explore() -> Walk {
    let configs = configs();
    let recipients = ["b@c", "d@e"].map(|it| Recipient::parse(it).unwrap());
    let sender = ReversePath::parse("a@b").unwrap();
    let envelopes = [None, Some(2)].map(|size| Envelope {
        size,
        ..Envelope::new(sender, &recipients)
    });
    let now = Instant::from_millis(0);
    let first = configs
        .iter()
        .enumerate()
        .map(|(number, config)| Node {
            session: Client::new(config, &mut [0; ROOM], now).suspend(),
            config: number,
            envelope: None,
            query: None,
            mails: 0,
            pushed: 0,
            half: false,
        })
        .collect();
    walk(first, |node, found| {
        let mut act = |act: &mut dyn FnMut(&mut Client<'_>, &mut Node)| {
            let mut next = node.clone();
            let mut line = [0; ROOM];
            let mut client = Client::resume(
                node.session,
                &configs[node.config],
                &mut line,
                node.envelope.map(|at| &envelopes[at]),
                node.query.map(|at| QUERIES[at]),
            );
            act(&mut client, &mut next);
            let over = client.is_closed()
                || matches!(
                    client.error(),
                    Some(Error::Peer { .. } | Error::Timeout { .. } | Error::Closed { .. })
                );
            if client.is_ready() {
                // What is over makes no difference any more.
                (next.envelope, next.query, next.pushed, next.half) = (None, None, 0, false);
            }
            next.session = client.suspend();
            if !over {
                found(next);
            }
        };
        for line in LINES {
            act(&mut |client, _| {
                let mut rest = line;
                while let Ok((used, event)) = client.receive(now, rest) {
                    rest = &rest[used..];
                    if used == 0 && event.is_none() {
                        break;
                    }
                }
            });
        }
        act(&mut |client, _| {
            let _ = client.receive(now, b"");
        });
        act(&mut |client, _| {
            client.transmit(now, &mut vec![0; 512]);
        });
        act(&mut |client, _| {
            client.transmit(now, &mut [0; 4]);
            client.transmit(now, &mut vec![0; 512]);
        });
        act(&mut |client, _| {
            if let Some(deadline) = client.poll_timeout() {
                let _ = client.handle_timeout(deadline);
            }
        });
        act(&mut |client, _| {
            let _ = client.receive_eof();
        });
        act(&mut |client, _| {
            let _ = client.tls_established(now);
        });
        act(&mut |client, _| {
            let _ = client.quit(now);
        });
        for piece in [&b"x"[..], b"xy"] {
            act(&mut |client, next| {
                let Some(mut body) = client.body().filter(|_| node.pushed < 2 || node.half) else {
                    return;
                };
                // All of it, or the octets of the command and one more.
                let piece = if node.half { b"y" } else { piece };
                let mut out = vec![0; if piece.len() == 1 { 64 } else { 9 }];
                let (read, _) = body.write(now, piece, &mut out);
                next.half = read < piece.len();
                next.pushed += u8::from(!node.half);
            });
        }
        act(&mut |client, _| {
            if let Some(body) = client.body() {
                body.finish(now);
            }
        });
        // The machine takes an envelope for as long as the node lives, so these two are begun outside of `act`.
        for (number, envelope) in envelopes.iter().enumerate() {
            let mut line = [0; ROOM];
            let config = &configs[node.config];
            let before = node.envelope.map(|at| &envelopes[at]);
            let mut client = Client::resume(node.session, config, &mut line, before, None);
            if node.mails < 2 && client.submit(envelope, now).is_ok() {
                found(Node {
                    mails: node.mails + 1,
                    session: client.suspend(),
                    envelope: Some(number),
                    pushed: 0,
                    half: false,
                    ..node.clone()
                });
            }
        }
        for (number, query) in QUERIES.into_iter().enumerate() {
            let mut line = [0; ROOM];
            let config = &configs[node.config];
            let mut client = Client::resume(node.session, config, &mut line, None, None);
            if client.query(query, now).is_ok() {
                found(Node {
                    session: client.suspend(),
                    query: Some(number),
                    ..node.clone()
                });
            }
        }
    })
}
