//! The transcript of a dialogue with its credentials masked.

use crate::codec::Answer;
use sansmtp::transcript::{self, Entry, Said, Speaker};

/// A transcript of one connection from the octets of both directions.
#[derive(Debug)]
pub(crate) struct Transcript(transcript::Transcript);

impl Transcript {
    /// A transcript of a fresh connection; a setting other than 0 shows the lines of messages too.
    pub(crate) fn new(settings: &[u8]) -> Self {
        let transcript = transcript::Transcript::new();
        Self(match settings.first() {
            None | Some(0) => transcript,
            Some(_) => transcript.show_content(),
        })
    }

    /// Takes what the client (0) or the server (1) sends, that TLS is up (2) or that all is over (3); answers
    /// with the lines that are complete now.
    pub(crate) fn call(&mut self, operation: u8, octets: &[u8], answer: &mut Answer) {
        let mut line = |entry: Entry<'_>| line(answer, entry);
        match operation {
            // By reference, as `tls` itself hands it on: otherwise all would be compiled twice.
            0 => self.0.client(octets, &mut line),
            1 => self.0.server(octets, &mut line),
            2 => self.0.tls(line),
            _ => self.0.finish(&mut line),
        }
    }
}

/// Kind, speaker and text.
fn line(answer: &mut Answer, entry: Entry<'_>) {
    answer.byte(match entry.said {
        Said::Masked { .. } => 1,
        Said::Content { .. } => 2,
        Said::Tls => 3,
        _ => 0,
    });
    answer.byte(match entry.speaker {
        Speaker::Client => 0,
        Speaker::Server => 1,
        Speaker::Neither => 2,
    });
    answer.shown(&entry.said);
}
