//! The server as an object without I/O.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use sansmtp::auth::{Hash, LEAST_ITERATIONS, Secret, StoredKeys};
use sansmtp::error::Misuse;
use sansmtp::server::{Event, Query, Server, Session};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::Reply;
use sansmtp::{Error, Instant, Machine};
use zeroize::Zeroizing;

use crate::clock::{Clock, seconds_until};
use crate::entropy::entropy;
use crate::error;
use crate::octets::Octets;
use crate::reply;
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
    /// Never empty, so that doubling it makes room.
    out: Vec<u8>,
    /// How much of it waits for being sent.
    rendered: usize,
    /// What the password that is asked for is compared with.
    proof: Option<Proof>,
}

/// What a client proves that it knows the password with.
enum Proof {
    /// The password itself.
    Shown {
        password: Zeroizing<String>,
        /// The client wants to act for nobody but the user.
        for_self: bool,
    },
    /// Something that follows from the keys of SCRAM.
    Keys { hash: Hash, user: String },
}

impl Proof {
    fn wanted(event: &Event<'_>) -> Option<Self> {
        let Event::Request(request) = event else {
            return None;
        };
        match request.query() {
            Query::Authenticate(login) => Some(Self::Shown {
                password: Zeroizing::new(login.password.reveal().to_owned()),
                for_self: login.authorization.is_empty() || login.authorization == login.user,
            }),
            Query::Keys(wanted) => Some(Self::Keys {
                hash: wanted.hash,
                user: wanted.user.to_owned(),
            }),
            _ => None,
        }
    }
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
            let owned = config.get();
            let config = owned.as_config();
            let mut server = Server::new(&config, &mut line, &mut reply, now);
            if owned.wants_entropy() {
                server.set_entropy(entropy(py)?);
            }
            server.suspend()
        };
        Ok(Self {
            config,
            clock,
            session,
            line,
            reply,
            input: Vec::new(),
            taken: 0,
            out: vec![0; 1024],
            rendered: 0,
            proof: None,
        })
    }

    /// Takes octets that came from the client. Then ask for events until there are none.
    fn receive_data(&mut self, data: Octets) {
        if self.taken == self.input.len() {
            self.input.clear();
        } else {
            self.input.drain(..self.taken);
        }
        self.taken = 0;
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
        self.next(py, now, false)
    }

    /// The octets that are to be sent now; empty if there are none. Then ask for events again.
    fn data_to_send<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let now = self.clock.now(py)?;
        self.render(now);
        Ok(self.rendered(py))
    }

    /// All that a driver has to do in one call: takes octets that came from the client, if any, and goes on to the
    /// next event. Returns it, if there is one, and the octets that are to be sent now: what stands before it.
    #[pyo3(signature = (data = None))]
    fn advance<'py>(
        &mut self,
        py: Python<'py>,
        data: Option<Octets>,
    ) -> PyResult<(Option<Py<PyAny>>, Bound<'py, PyBytes>)> {
        if let Some(data) = data {
            self.receive_data(data);
        }
        let now = self.clock.now(py)?;
        let event = self.next(py, now, true)?;
        Ok((event, self.rendered(py)))
    }

    /// Says yes to the open request in the usual words.
    fn accept(&mut self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |server, _| server.accept())
    }

    /// Answers the open request: 2yz says yes (354 for DATA), 4yz and 5yz say no, 421 also closes the
    /// connection.
    fn answer(&mut self, py: Python<'_>, reply: &reply::Reply) -> PyResult<()> {
        let reply = Reply::new(reply.code, reply.enhanced, &reply.text)
            .map_err(|e| error::config(py)(&e))?;
        self.run(py, |server, _| server.answer(&reply))
    }

    /// Answers an `AuthenticateRequest` or a `PasswordRequest` with what the user's password is: the client is
    /// let in if it knows it and wants to act for nobody else. `None` stands for a user who does not exist;
    /// the client can not tell the difference.
    #[pyo3(signature = (password))]
    fn answer_with_password(&mut self, py: Python<'_>, password: Option<&str>) -> PyResult<()> {
        let Some(proof) = self.proof.take() else {
            return self.run(py, |_, _| Err(Error::Misuse(Misuse::NothingToAnswer)));
        };
        match proof {
            Proof::Shown {
                password: shown,
                for_self,
            } => {
                let right =
                    password.is_some_and(|password| Secret::new(password) == Secret::new(&shown));
                if right && for_self {
                    return self.accept(py);
                }
                let refusal = Reply::new(
                    535,
                    EnhancedCode::new(5, 7, 8),
                    "Authentication credentials invalid",
                )
                .map_err(|e| error::config(py)(&e))?;
                self.run(py, |server, _| server.answer(&refusal))
            }
            Proof::Keys { hash, user } => {
                let keys = match password {
                    Some(password) => {
                        let salt: [u8; 16] = entropy(py)?;
                        StoredKeys::derive(hash, password, &salt, LEAST_ITERATIONS)
                    }
                    None => None,
                };
                let keys = match keys {
                    Some(keys) => keys,
                    None => {
                        static SECRET: PyOnceLock<[u8; 32]> = PyOnceLock::new();
                        let secret = SECRET.get_or_try_init(py, || entropy(py))?;
                        StoredKeys::pretend(hash, secret, &user, LEAST_ITERATIONS)
                    }
                };
                self.run(py, |server, _| server.answer_with_keys(&keys))
            }
        }
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
    /// The next event. With `rendering`, replies that stand before it are rendered on the way.
    fn next(
        &mut self,
        py: Python<'_>,
        now: Instant,
        rendering: bool,
    ) -> PyResult<Option<Py<PyAny>>> {
        loop {
            let told = {
                let config = self.config.get().as_config();
                let mut server =
                    Server::resume(self.session, &config, &mut self.line, &mut self.reply);
                let told = loop {
                    let input = self.input.get(self.taken..).unwrap_or_default();
                    match server.receive(now, input) {
                        Err(error) => break Err(error),
                        Ok((0, None)) => break Ok(None),
                        Ok((used, event)) => {
                            self.taken += used;
                            if let Some(event) = event {
                                self.proof = Proof::wanted(&event);
                                break Ok(Some(server_event::object(py, event)));
                            }
                        }
                    }
                };
                self.session = server.suspend();
                told
            };
            match told {
                Ok(None) if rendering && self.render(now) => {}
                Ok(event) => return event.transpose(),
                Err(error) => return Err(error::raise(py, error, None, None)),
            }
        }
    }

    /// Renders replies behind those that wait. Whether there were any.
    fn render(&mut self, now: Instant) -> bool {
        let mut out = std::mem::take(&mut self.out);
        let before = self.rendered;
        let mut length = before;
        self.with(|server| {
            loop {
                if length == out.len() {
                    out.resize(2 * length, 0);
                }
                let room = out.get_mut(length..).unwrap_or_default();
                let written = server.transmit(now, room);
                if written == 0 {
                    break;
                }
                length += written;
            }
        });
        self.out = out;
        self.rendered = length;
        length > before
    }

    /// Takes what was rendered.
    fn rendered<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let length = std::mem::take(&mut self.rendered);
        PyBytes::new(py, self.out.get(..length).unwrap_or_default())
    }

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
