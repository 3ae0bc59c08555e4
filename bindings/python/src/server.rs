//! The server as an object without I/O.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sansmtp::server::{Server, Session};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::Reply;
use sansmtp::{Error, Instant, Machine};

use crate::clock::{Clock, seconds_until};
use crate::error;
use crate::octets::Octets;
use crate::repr::{self, Repr};
use crate::server_config::ServerConfig;
use crate::server_event;

/// The server's side of an SMTP connection, without I/O. Events that end in `Request` wait for `accept` or
/// `answer`; until then no further input is taken.
#[pyclass(module = "sansmtp._core")]
pub(crate) struct ServerConnection {
    config: Py<ServerConfig>,
    clock: Clock,
    session: Session,
    line: Vec<u8>,
    reply: Vec<u8>,
    input: Vec<u8>,
    /// How much of the input was taken.
    taken: usize,
}

/// AUTH may come in lines of 12,288 octets (RFC 4954, section 4).
const LINE: usize = 12_288;
const REPLY: usize = 4096;

#[pymethods]
impl ServerConnection {
    /// A server on a fresh connection. `clock` returns seconds as a float and never goes back; without one
    /// the system's monotonic clock is read.
    #[new]
    #[pyo3(signature = (config, *, clock = None))]
    fn new(py: Python<'_>, config: Py<ServerConfig>, clock: Option<Py<PyAny>>) -> PyResult<Self> {
        let clock = Clock::new(clock);
        let now = clock.now(py)?;
        let (mut line, mut reply) = (vec![0; LINE], vec![0; REPLY]);
        let session = {
            let config = config.get().as_config();
            Server::new(&config, &mut line, &mut reply, now).suspend()
        };
        Ok(Self {
            config,
            clock,
            session,
            line,
            reply,
            input: Vec::new(),
            taken: 0,
        })
    }

    /// Takes octets that came from the client. Then ask for events until there are none.
    fn receive_data(&mut self, data: Octets) {
        if self.taken > 0 {
            self.input.drain(..self.taken);
            self.taken = 0;
        }
        self.input.extend_from_slice(data.as_slice());
    }

    /// Tells that the client will send nothing more. Raises if a message was on its way.
    fn receive_eof(&mut self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |server, _| server.receive_eof())
    }

    /// The next event; None says that something else comes first: an answer, `data_to_send`, TLS, or more
    /// data. Raises when the dialogue can not go on.
    fn next_event(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let now = self.clock.now(py)?;
        let told = {
            let config = self.config.get().as_config();
            let mut server = Server::resume(self.session, &config, &mut self.line, &mut self.reply);
            let told = loop {
                let input = self.input.get(self.taken..).unwrap_or_default();
                match server.receive(now, input) {
                    Err(error) => break Err(error),
                    Ok((0, None)) => break Ok(None),
                    Ok((used, event)) => {
                        self.taken += used;
                        if let Some(event) = event {
                            break Ok(Some(server_event::object(py, event)));
                        }
                    }
                }
            };
            self.session = server.suspend();
            told
        };
        match told {
            Ok(event) => event.transpose(),
            Err(error) => Err(error::raise(py, error, None, None)),
        }
    }

    /// The octets that are to be sent now; empty if there are none. Then ask for events again.
    fn data_to_send<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let now = self.clock.now(py)?;
        let mut data = Vec::new();
        let mut out = [0; 1024];
        self.with(|server| {
            loop {
                let written = server.transmit(now, &mut out);
                if written == 0 {
                    break;
                }
                data.extend_from_slice(out.get(..written).unwrap_or_default());
            }
        });
        Ok(PyBytes::new(py, &data))
    }

    /// Says yes to the open request in the usual words.
    fn accept(&mut self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |server, _| server.accept())
    }

    /// Answers the open request: 2yz says yes (354 for DATA), 4yz and 5yz say no, 421 also closes the
    /// connection. `enhanced_code` is such as "5.1.1"; line feeds in `text` make several lines.
    #[pyo3(signature = (code, text, *, enhanced_code = None))]
    fn answer(
        &mut self,
        py: Python<'_>,
        code: u16,
        text: &str,
        enhanced_code: Option<&str>,
    ) -> PyResult<()> {
        let config_error = error::config(py);
        let enhanced = match enhanced_code.map(|text| EnhancedCode::parse_prefix(text.as_bytes())) {
            None => None,
            Some(Some((enhanced, []))) => Some(enhanced),
            Some(_) => return Err(config_error(&"an enhanced code is such as 5.1.1")),
        };
        let reply = Reply::new(code, enhanced, text).map_err(|e| config_error(&e))?;
        self.run(py, |server, _| server.answer(&reply))
    }

    /// Ends the session with 421 as soon as no transaction is open.
    fn shutdown(&mut self) {
        self.with(|server| server.shutdown());
    }

    /// Tells that the TLS handshake succeeded.
    fn tls_established(&mut self, py: Python<'_>) -> PyResult<()> {
        if self.taken < self.input.len() {
            // The machine takes it for what it is: somebody put it there (RFC 3207, section 6).
            self.next_event(py)?;
        }
        self.run(py, |server, now| server.tls_established(now))
    }

    /// Seconds until `handle_timeout` is to be called; None if nothing is awaited.
    fn timeout(&mut self, py: Python<'_>) -> PyResult<Option<f64>> {
        let now = self.clock.now(py)?;
        let deadline = self.with(|server| server.poll_timeout());
        Ok(deadline.map(|deadline| seconds_until(deadline, now)))
    }

    /// Looks at the clock. A client that took too long gets a last word, or the call raises.
    fn handle_timeout(&mut self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |server, now| server.handle_timeout(now))
    }

    /// Whether the TLS handshake is next.
    #[getter]
    fn wants_tls(&mut self) -> bool {
        self.with(|server| server.wants_tls())
    }

    /// Whether everything goes through TLS.
    #[getter]
    fn is_tls(&mut self) -> bool {
        self.with(|server| server.is_tls())
    }

    /// Whether the client has authenticated.
    #[getter]
    fn is_authenticated(&mut self) -> bool {
        self.with(|server| server.is_authenticated())
    }

    /// Whether a request waits for its answer.
    #[getter]
    fn is_asking(&mut self) -> bool {
        self.with(|server| server.is_asking())
    }

    /// Whether the dialogue is over.
    #[getter]
    fn is_closed(&mut self) -> bool {
        self.with(|server| server.is_closed())
    }

    fn __repr__(&mut self) -> String {
        let (is_tls, is_closed) = (self.is_tls(), self.is_closed());
        repr::object(
            "ServerConnection",
            &[("is_tls", is_tls.repr()), ("is_closed", is_closed.repr())],
        )
    }
}

impl ServerConnection {
    /// Takes the machine up for one call.
    fn with<R>(&mut self, call: impl FnOnce(&mut Server<'_>) -> R) -> R {
        let config = self.config.get().as_config();
        let mut server = Server::resume(self.session, &config, &mut self.line, &mut self.reply);
        let result = call(&mut server);
        self.session = server.suspend();
        result
    }

    fn run(
        &mut self,
        py: Python<'_>,
        call: impl FnOnce(&mut Server<'_>, Instant) -> Result<(), Error>,
    ) -> PyResult<()> {
        let now = self.clock.now(py)?;
        let result = self.with(|server| call(server, now));
        result.map_err(|error| error::raise(py, error, None, None))
    }
}
