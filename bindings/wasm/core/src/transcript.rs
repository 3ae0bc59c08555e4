//! The transcript of a dialogue with its credentials masked.

use crate::record::{Array, Record};
use alloc::string::ToString;
use sansmtp::transcript::{Entry, Said, Speaker};
use wasm_bindgen::prelude::*;

/// Makes a transcript of one connection from the octets of both directions.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Transcript(sansmtp::transcript::Transcript);

#[wasm_bindgen]
impl Transcript {
    /// A transcript of a fresh connection; with `show_content` the lines of messages are shown too.
    #[wasm_bindgen(constructor)]
    pub fn new(show_content: bool) -> Transcript {
        let transcript = sansmtp::transcript::Transcript::new();
        Self(if show_content {
            transcript.show_content()
        } else {
            transcript
        })
    }

    /// Takes what the client sends; gives the lines that are complete now.
    pub fn client(&mut self, octets: &[u8]) -> JsValue {
        let lines = Array::new();
        self.0.client(octets, |line| push(&lines, line));
        lines.into()
    }

    /// Takes what the server sends; gives the lines that are complete now.
    pub fn server(&mut self, octets: &[u8]) -> JsValue {
        let lines = Array::new();
        self.0.server(octets, |line| push(&lines, line));
        lines.into()
    }

    /// Everything goes through TLS from here on.
    pub fn tls(&mut self) -> JsValue {
        let lines = Array::new();
        self.0.tls(|line| push(&lines, line));
        lines.into()
    }

    /// The connection is over: gives what was not complete.
    pub fn finish(&mut self) -> JsValue {
        let lines = Array::new();
        self.0.finish(|line| push(&lines, line));
        lines.into()
    }
}

fn push(lines: &Array, entry: Entry<'_>) {
    let speaker = match entry.speaker {
        Speaker::Client => "client",
        Speaker::Server => "server",
        Speaker::Neither => "neither",
    };
    let kind = match entry.said {
        Said::Masked { .. } => "masked",
        Said::Content { .. } => "content",
        Said::Tls => "tls",
        _ => "line",
    };
    let record = Record::of(kind)
        .set("speaker", speaker)
        .set("text", entry.said.to_string());
    lines.push(&record.done());
}
