//! Replies alone, for drivers that speak the commands themselves.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sansmtp::config::Limits;
use sansmtp::error::{Error, Fault, Stage};
use sansmtp::wire::line::Framing;
use sansmtp::wire::reply::ReplyLine;

use crate::error;
use crate::octets::Octets;
use crate::reply::push_text;

/// Cuts what a server sends into replies (RFC 5321, section 4.2), with the bounds that the client has.
#[pyclass(module = "sansmtp._core")]
#[derive(Default)]
pub(crate) struct ReplyReader {
    framing: Framing,
    storage: Vec<u8>,
    input: Vec<u8>,
    /// How much of the input was taken.
    taken: usize,
    /// The octets of the lines of the current reply.
    octets: Vec<u8>,
    text: String,
    code: u16,
    lines: u16,
}

/// The code, the text behind it (control characters are escaped, lines are separated by line feeds), and the
/// octets of the whole reply.
type RawReply<'py> = (u16, String, Bound<'py, PyBytes>);

#[pymethods]
impl ReplyReader {
    #[new]
    fn new() -> Self {
        Self {
            storage: vec![0; Limits::DEFAULT.reply_line as usize],
            ..Self::default()
        }
    }

    /// Takes octets that came from the server.
    fn receive_data(&mut self, data: Octets) {
        self.input.drain(..self.taken);
        self.taken = 0;
        self.input.extend_from_slice(data.as_slice());
    }

    /// The next reply, if it is there as a whole. Raises `PeerError` for what is no reply.
    fn next_reply<'py>(&mut self, py: Python<'py>) -> PyResult<Option<RawReply<'py>>> {
        match self.read() {
            Ok(None) => Ok(None),
            Ok(Some(code)) => {
                let text = std::mem::take(&mut self.text);
                let octets = PyBytes::new(py, &self.octets);
                self.octets.clear();
                Ok(Some((code, text, octets)))
            }
            Err(fault) => {
                let error = Error::Peer {
                    stage: Stage::Idle,
                    fault,
                    outcome_unknown: false,
                };
                Err(error::raise(py, error, None, None))
            }
        }
    }

    /// Whether octets are there that belong to no complete reply.
    #[getter]
    fn has_rest(&self) -> bool {
        self.taken < self.input.len() || self.framing.pending() > 0 || self.lines > 0
    }
}

impl ReplyReader {
    fn read(&mut self) -> Result<Option<u16>, Fault> {
        loop {
            let input = self.input.get(self.taken..).unwrap_or_default();
            if input.is_empty() {
                return Ok(None);
            }
            let (used, line) = self.framing.take(&mut self.storage, input);
            self.taken += used;
            let Some(line) = line else {
                if self.framing.content() > Limits::DEFAULT.reply_line {
                    return Err(Fault::LineTooLong);
                }
                continue;
            };
            if line.bare {
                return Err(Fault::BareLineEnd);
            }
            if line.truncated() {
                return Err(Fault::LineTooLong);
            }
            let reply = ReplyLine::parse(line.bytes).ok_or(Fault::NotAReply)?;
            let code = reply.code.get();
            if self.lines > 0 {
                if self.code != code {
                    return Err(Fault::CodeChanged);
                }
                self.text.push('\n');
            }
            self.code = code;
            self.lines = self.lines.saturating_add(1);
            if self.lines > Limits::DEFAULT.reply_lines {
                return Err(Fault::TooManyLines);
            }
            // Behind the code and what separates it from the text.
            push_text(&mut self.text, line.bytes.get(4..).unwrap_or_default());
            self.octets.extend_from_slice(line.bytes);
            self.octets.extend_from_slice(b"\r\n");
            if reply.last {
                self.lines = 0;
                return Ok(Some(code));
            }
        }
    }
}
