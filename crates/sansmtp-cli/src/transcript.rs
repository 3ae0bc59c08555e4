//! The dialogue on the terminal: the core masks it, here it is counted and shown.

use crate::output::{DIM, duration};
use sansmtp::transcript::{Entry, Said, Speaker};
use sansmtp_tokio::client::{Direction, Tap};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

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
    /// For setting up the session, greeting and AUTH included, without the
    /// handshakes of TCP and TLS.
    pub(crate) setup: u32,
    /// From MAIL to the verdict on the content.
    pub(crate) transaction: u32,
}

/// One connection.
#[derive(Default)]
struct Dialogue {
    masked: sansmtp::transcript::Transcript,
    phase: Phase,
    /// The client waits for the server: nothing was received since it spoke.
    waiting: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Setup,
    Transaction,
    Goodbye,
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
        self.with_state(|state| state.round_trips)
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, text: std::fmt::Arguments<'_>) {
        let time = duration(self.begin.elapsed());
        (self.show)(&format!("{DIM}-- {text} [{time}]{DIM:#}"));
    }
}

impl Tap for Transcript {
    fn octets(&self, connection: u64, direction: Direction, octets: &[u8]) {
        self.with_state(|state| {
            let dialogue = state.connections.entry(connection).or_default();
            match direction {
                Direction::Sent => dialogue.sent(octets, &*self.show),
                Direction::Received => {
                    if std::mem::take(&mut dialogue.waiting) {
                        match dialogue.phase {
                            Phase::Setup => state.round_trips.setup += 1,
                            Phase::Transaction => state.round_trips.transaction += 1,
                            Phase::Goodbye => {}
                        }
                    }
                    dialogue
                        .masked
                        .server(octets, |entry| (self.show)(&entry.to_string()));
                }
            }
        });
    }

    fn connected(&self, connection: u64, server: SocketAddr) {
        self.with_state(|state| {
            // The greeting is waited for, although nothing was said.
            let dialogue = state.connections.entry(connection).or_default();
            dialogue.waiting = true;
        });
        self.note(format_args!("connected to {server}"));
    }

    fn tls_established(&self, connection: u64) {
        self.with_state(|state| {
            let dialogue = state.connections.entry(connection).or_default();
            dialogue.masked.tls(|entry| (self.show)(&entry.to_string()));
        });
    }

    fn closed(&self, connection: u64) {
        let known = self.with_state(|state| state.connections.remove(&connection));
        if let Some(mut dialogue) = known {
            dialogue
                .masked
                .finish(|entry| (self.show)(&entry.to_string()));
            self.note(format_args!("connection closed"));
        }
    }
}

impl Dialogue {
    fn sent(&mut self, octets: &[u8], show: &dyn Fn(&str)) {
        self.waiting = true;
        let phase = &mut self.phase;
        self.masked.client(octets, |entry| {
            match entry {
                Entry {
                    speaker: Speaker::Client,
                    said: Said::Line { text, .. },
                } if text.starts_with(b"MAIL ") => *phase = Phase::Transaction,
                Entry {
                    speaker: Speaker::Client,
                    said: Said::Line { text: b"QUIT", .. },
                } => *phase = Phase::Goodbye,
                _ => {}
            }
            show(&entry.to_string());
        });
    }
}

impl std::fmt::Debug for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcript").finish_non_exhaustive()
    }
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
        transcript.connected(1, ([127, 0, 0, 1], 25).into());
        say(S, "220 hi\r\n");
        say(C, "EHLO x\r\n");
        say(S, "250-hi\r\n");
        say(S, "250 PIPELINING\r\n");
        say(C, "AUTH LOGIN\r\n");
        say(S, "334 VXNlcm5hbWU6\r\n");
        say(C, "dXNlcg==\r\n");
        say(S, "334 UGFzc3dvcmQ6\r\n");
        say(C, "czNjcmV0\r\n");
        say(S, "235 ok\r\n");
        say(C, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
        say(S, "250 ok\r\n250 ok\r\n");
        say(S, "354 go\r\n");
        say(C, "Subject: x\r\n\r\nMAIL \x1b[2J\r\n");
        say(C, "QUIT\r\n.\r\n");
        say(S, "250 taken\r\n");
        say(C, "QUIT\r\n");
        say(S, "221 bye\r\n");
        transcript.closed(1);
        let text = lines.lock().unwrap().join("\n");
        assert!(!text.contains("dXNlcg") && !text.contains("czNj"), "{text}");
        assert!(text.contains("C: DATA\nS: 250 ok"), "{text}");
        assert!(text.contains("C: QUIT\nS: 221 bye\n"), "{text}");
        let expected = RoundTrips {
            setup: 5,
            transaction: 2,
        };
        assert_eq!(transcript.round_trips(), expected);
    }
}
