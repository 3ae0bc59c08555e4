//! The dialogue as lines that can be shown: secrets masked, content cut short.

use crate::output::{DIM, bytes, duration};
use sansmtp::wire::reply::Escaped;
use sansmtp_tokio::client::{Direction, Tap};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many lines of a content are shown.
const SHOWN: u32 = 12;

/// Watches dialogues and turns them into lines. Several connections may be
/// watched at once; their lines come as they happen.
pub(crate) struct Transcript {
    state: Mutex<State>,
    show: Box<dyn Fn(&str) + Send + Sync>,
    begin: Instant,
}

#[derive(Default)]
struct State {
    connections: BTreeMap<u64, Dialogue>,
    round_trips: RoundTrips,
}

/// How often the client had to wait for the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RoundTrips {
    /// For setting up the session, AUTH included, without TCP and TLS handshakes.
    pub(crate) setup: u32,
    /// From MAIL to the verdict on the content.
    pub(crate) transaction: u32,
}

/// What is known of one connection.
#[derive(Default)]
struct Dialogue {
    sent: Vec<u8>,
    received: Vec<u8>,
    phase: Phase,
    /// The client waits for the server.
    waiting: bool,
    transaction: bool,
    closing: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Commands,
    /// AUTH was sent: answers to challenges are secrets.
    Auth { challenged: bool },
    /// DATA was sent.
    Data,
    /// The server waits for the content.
    Content { lines: u32, octets: u64 },
}

impl Transcript {
    /// Hands each line to `show`, without line end and safe for a terminal.
    pub(crate) fn new(show: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            state: Mutex::default(),
            show: Box::new(show),
            begin: Instant::now(),
        }
    }

    /// How often the client waited so far, in all connections.
    pub(crate) fn round_trips(&self) -> RoundTrips {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .round_trips
    }

    fn note(&self, text: std::fmt::Arguments<'_>) {
        let time = duration(self.begin.elapsed());
        (self.show)(&format!("{DIM}-- {text} [{time}]{DIM:#}"));
    }
}

impl Tap for Transcript {
    fn octets(&self, connection: u64, direction: Direction, octets: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State {
            connections,
            round_trips,
        } = &mut *state;
        let dialogue = connections.entry(connection).or_default();
        match direction {
            Direction::Sent => {
                dialogue.waiting = true;
                dialogue.sent.extend_from_slice(octets);
                while let Some(line) = take_line(&mut dialogue.sent) {
                    dialogue.client(&line, &*self.show);
                }
            }
            Direction::Received => {
                dialogue.received.extend_from_slice(octets);
                if std::mem::take(&mut dialogue.waiting) && !dialogue.closing {
                    match dialogue.transaction {
                        true => round_trips.transaction += 1,
                        false => round_trips.setup += 1,
                    }
                }
                while let Some(line) = take_line(&mut dialogue.received) {
                    dialogue.server(&line, &*self.show);
                }
            }
        }
    }

    fn connected(&self, _connection: u64, server: SocketAddr) {
        self.note(format_args!("connected to {server}"));
    }

    fn tls_established(&self, _connection: u64) {
        self.note(format_args!("TLS from here on"));
    }

    fn closed(&self, connection: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.connections.remove(&connection);
        drop(state);
        self.note(format_args!("connection closed"));
    }
}

impl Dialogue {
    fn client(&mut self, line: &[u8], show: &dyn Fn(&str)) {
        match &mut self.phase {
            Phase::Content { lines, octets } => {
                if line == b"." {
                    let (lines, octets) = (*lines, *octets);
                    self.phase = Phase::Commands;
                    if lines > SHOWN {
                        let rest = lines - SHOWN;
                        show(&format!(
                            "C: {DIM}[{rest} more lines, {} in all]{DIM:#}",
                            bytes(octets)
                        ));
                    }
                    show("C: .");
                    return;
                }
                *lines += 1;
                *octets += line.len() as u64 + 2;
                if *lines <= SHOWN {
                    show(&format!("C: {}", Escaped(line)));
                }
            }
            Phase::Auth { challenged: true } => {
                self.phase = Phase::Auth { challenged: false };
                show("C: ****");
            }
            phase => {
                let mut words = line.split(|&b| b == b' ');
                let verb = words.next().unwrap_or_default().to_ascii_uppercase();
                match verb.as_slice() {
                    b"AUTH" => {
                        *phase = Phase::Auth { challenged: false };
                        let mechanism = words.next().unwrap_or_default();
                        let mut text = format!("C: AUTH {}", Escaped(mechanism));
                        if words.next().is_some() {
                            text.push_str(" ****");
                        }
                        show(&text);
                        return;
                    }
                    b"DATA" => *phase = Phase::Data,
                    b"MAIL" => self.transaction = true,
                    b"QUIT" => self.closing = true,
                    _ => {}
                }
                show(&format!("C: {}", Escaped(line)));
            }
        }
    }

    fn server(&mut self, line: &[u8], show: &dyn Fn(&str)) {
        let mut text = String::from("S: ");
        // Writing to a string does not fail.
        let _ = write!(text, "{}", Escaped(line));
        show(&text);
        let last = line.get(3) != Some(&b'-');
        match self.phase {
            Phase::Auth { .. } if last => {
                self.phase = match line.starts_with(b"334") {
                    true => Phase::Auth { challenged: true },
                    false => Phase::Commands,
                };
            }
            // Other replies before it answer MAIL and RCPT of the same flight.
            Phase::Data if last && line.starts_with(b"354") => {
                self.phase = Phase::Content {
                    lines: 0,
                    octets: 0,
                };
            }
            _ => {}
        }
    }
}

impl std::fmt::Debug for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcript").finish_non_exhaustive()
    }
}

/// The first whole line, without its line end.
fn take_line(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = buffer.iter().position(|&b| b == b'\n')?;
    let mut line: Vec<u8> = buffer.drain(..=end).collect();
    while matches!(line.last(), Some(b'\r' | b'\n')) {
        line.pop();
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn secrets_are_masked_and_round_trips_counted() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let seen = lines.clone();
        let transcript = Transcript::new(move |line| seen.lock().unwrap().push(line.to_owned()));
        let say = |who, text: &str| transcript.octets(1, who, text.as_bytes());
        use Direction::{Received as S, Sent as C};
        say(S, "220 hi\r\n");
        say(C, "EHLO x\r\n");
        say(S, "250-hi\r\n250 PIPELINING\r\n");
        say(C, "AUTH PLAIN AHVzZXIAczNjcmV0\r\n");
        say(S, "504 no\r\n");
        say(C, "auth login\r\n");
        say(S, "334 VXNl");
        say(S, "cm5hbWU6\r\n");
        say(C, "dXNlcg==\r\n");
        say(S, "334 UGFzc3dvcmQ6\r\n");
        say(C, "czNjcmV0\r\n");
        say(S, "235 ok\r\n");
        say(C, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
        say(S, "250 ok\r\n250 ok\r\n354 go\r\n");
        say(C, "Subject: AUTH PLAIN text\r\n\r\nx\x1b[2J\r\n.\r\n");
        say(S, "250 taken\r\n");
        say(C, "QUIT\r\n");
        say(S, "221 bye\r\n");
        let text = lines.lock().unwrap().join("\n");
        assert!(!text.contains("AHVz") && !text.contains("dXNlcg") && !text.contains("czNj"));
        assert!(text.contains("C: AUTH PLAIN ****\n"));
        assert!(text.contains("C: AUTH login\nS: 334 VXNlcm5hbWU6\nC: ****\nS: 334"));
        assert!(text.contains("C: Subject: AUTH PLAIN text\n"));
        assert!(text.contains("C: x\\u{1b}[2J\nC: .\nS: 250 taken"));
        let expected = RoundTrips {
            setup: 5,
            transaction: 2,
        };
        assert_eq!(transcript.round_trips(), expected);
    }
}
