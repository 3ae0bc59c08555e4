//! Transcripts of connections, with secrets masked.

use super::tap::{Direction, Tap};
use sansmtp::transcript::{Entry, Transcript};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A tap that makes lines of octets and hides what must not be seen.
pub(super) struct Masked<F> {
    sink: F,
    /// One for each open connection.
    transcripts: Mutex<HashMap<u64, Transcript>>,
}

impl<F: Fn(u64, Entry<'_>) + Send + Sync> Masked<F> {
    pub(super) fn new(sink: F) -> Self {
        Self {
            sink,
            transcripts: Mutex::default(),
        }
    }

    fn with(&self, connection: u64, work: impl FnOnce(&mut Transcript, &F)) {
        let mut transcripts = self
            .transcripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(transcripts.entry(connection).or_default(), &self.sink);
    }
}

impl<F: Fn(u64, Entry<'_>) + Send + Sync> Tap for Masked<F> {
    fn octets(&self, connection: u64, direction: Direction, octets: &[u8]) {
        self.with(connection, |transcript, sink| match direction {
            Direction::Sent => transcript.client(octets, |entry| sink(connection, entry)),
            Direction::Received => transcript.server(octets, |entry| sink(connection, entry)),
        });
    }

    fn tls_established(&self, connection: u64) {
        self.with(connection, |transcript, sink| {
            transcript.tls(|entry| sink(connection, entry));
        });
    }

    fn closed(&self, connection: u64) {
        self.with(connection, |transcript, sink| {
            transcript.finish(|entry| sink(connection, entry));
        });
        self.transcripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&connection);
    }
}
