//! The states of the server.

use super::{Walk, walk};
use crate::auth::{Hash, StoredKeys};
use crate::capability::{Extension, Mechanism};
use crate::config::{EhloName, Security};
use crate::machine::{Instant, Machine};
use crate::server::{Config, Event, Server, Session};
use crate::state::State;
use crate::wire::reply::Reply;
use std::vec;
use std::vec::Vec;

const ROOM: usize = 96;

#[derive(Clone)]
struct Node {
    session: Session,
    config: usize,
    line: [u8; ROOM],
    reply: [u8; ROOM],
}

impl Node {
    fn state(&self) -> State {
        let config = Config::new(EhloName::LOOPBACK, Security::DangerPlaintext);
        let server = Server::resume(self.session, &config, &mut [], &mut []);
        let state = server.state();
        server.suspend();
        state
    }
}

/// All but what makes no difference here: what is left of an earlier content or exchange, counts without a
/// limit.
impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = std::format!("{} {:?}", self.config, self.session);
        let mut forget = |from: &str, to: &str| {
            let start = text
                .find(from)
                .unwrap_or_else(|| panic!("{from} in {text}"));
            let end = text.find(to).unwrap_or_else(|| panic!("{to} in {text}"));
            text.replace_range(start..end, "");
        };
        forget(" secret: ", " asked: ");
        forget(" messages: ", " errors: ");
        let state = self.state();
        if state != State::Authenticating {
            forget(" mechanism: ", " smtputf8: ");
        }
        if !matches!(state, State::Content | State::Chunking | State::Verdict) {
            forget(" dot: ", " chunked: ");
            forget(" chunk_last: ", " eating: ");
            forget(" began: ", " framing: ");
        }
        f.write_str(&text)
    }
}

/// Everything that can arrive.
const INPUT: [&[u8]; 33] = [
    b"EHLO c\r\n",
    b"HELO c\r\n",
    b"LHLO c\r\n",
    b"STARTTLS\r\n",
    b"STARTTLS\r\nNOOP\r\n",
    b"AUTH PLAIN AHUAcA==\r\n",
    b"AUTH LOGIN\r\n",
    b"AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHQBAQ==\r\n",
    b"AUTH SCRAM-SHA-256 biwsbj11LHI9eHl6\r\n",
    b"AUTH NONE\r\n",
    b"dQ==\r\n",
    b"*\r\n",
    b"MAIL FROM:<>\r\n",
    b"MAIL FROM:<> BODY=BINARYMIME\r\n",
    b"MAIL FROM:<> SIZE=99\r\n",
    b"RCPT TO:<b@c>\r\n",
    b"DATA\r\n",
    b"BDAT 1\r\n",
    b"BDAT 1 LAST\r\n",
    b"BDAT 0\r\n",
    b"BDAT 0 LAST\r\n",
    b"BDAT 99\r\n",
    b"BDAT x\r\n",
    b"x",
    b"\r\n",
    b".\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"QUIT\r\n",
    b"VRFY x\r\n",
    b"ETRN x.org\r\n",
    b"XCLIENT ADDR=192.0.2.1\r\n",
    b"bare\nline\r\n",
];

/// Input that is for contents only.
const CONTENT: [&[u8]; 3] = [b"x", b"\r\n", b".\r\n"];

/// Everything that a driver can answer.
const CODES: [u16; 8] = [250, 354, 421, 450, 535, 550, 554, 220];

fn configs() -> Vec<Config<'static>> {
    let mut all = Vec::new();
    for (security, lmtp) in [
        (Security::DangerPlaintext, false),
        (Security::StartTls, false),
        (Security::ImplicitTls, false),
        (Security::DangerPlaintext, true),
    ] {
        let mut config = Config::new(EhloName::LOOPBACK, security)
            .max_size(3)
            .mechanisms(Mechanism::ALL.into_iter().collect())
            .danger_plaintext_auth();
        for extension in [Extension::Etrn, Extension::XClient, Extension::Dsn] {
            config.capabilities = config.capabilities.with(extension);
        }
        config.lmtp = lmtp;
        config.limits.errors = 1;
        config.limits.recipients = 1;
        config.limits.refused_chunk = 1;
        all.push(config);
    }
    all
}

pub(super) fn explore() -> Walk {
    let configs = configs();
    let keys = StoredKeys::derive(Hash::Sha256, "p", b"salt", 4096).unwrap();
    let mut first = Vec::new();
    for (number, config) in configs.iter().enumerate() {
        let (mut line, mut reply) = ([0; ROOM], [0; ROOM]);
        let mut server = Server::new(config, &mut line, &mut reply, Instant::from_millis(0));
        server.set_entropy([1; 32]);
        let session = server.suspend();
        first.push(Node {
            session,
            config: number,
            line,
            reply,
        });
    }
    walk(first, |node, found| {
        let mut act = |act: &mut dyn FnMut(&mut Server<'_>)| {
            let mut next = node.clone();
            let Node { line, reply, .. } = &mut next;
            let mut server = Server::resume(node.session, &configs[node.config], line, reply);
            act(&mut server);
            let over = server.is_closed();
            next.session = server.suspend();
            if !over {
                found(next);
            }
        };
        let now = Instant::from_millis(0);
        let state = node.state();
        for input in INPUT {
            let in_content = state == State::Content;
            if CONTENT.contains(&input) && !in_content {
                // A line without an end, which is told from the next one by nothing.
                continue;
            }
            act(&mut |server| {
                let _ = server.receive(now, input);
            });
        }
        act(&mut |server| {
            let _ = server.receive(now, b"");
        });
        // An answer by the request itself, for the questions that come up by themselves.
        for code in CODES {
            let answer = Reply::new(code, None, "x").unwrap();
            act(&mut |server| {
                let _ = server.answer(&answer);
            });
            act(&mut |server| {
                if let Ok((_, Some(Event::Request(request)))) = server.receive(now, b"") {
                    request.answer(&answer);
                }
            });
        }
        act(&mut |server| {
            let _ = server.accept();
        });
        act(&mut |server| {
            let _ = server.answer_with_keys(&keys);
        });
        act(&mut |server| {
            let mut out = vec![0; 1024];
            server.transmit(now, &mut out);
        });
        act(&mut |server| {
            let mut out = [0; 4];
            server.transmit(now, &mut out);
            let mut out = vec![0; 1024];
            server.transmit(now, &mut out);
        });
        act(&mut |server| {
            if let Some(deadline) = server.poll_timeout() {
                let _ = server.handle_timeout(deadline);
            }
        });
        act(&mut |server| {
            let _ = server.receive_eof();
        });
        act(&mut |server| {
            let _ = server.tls_established(now);
        });
        act(&mut |server| server.shutdown());
        act(&mut |server| server.shutdown_now());
    })
}
