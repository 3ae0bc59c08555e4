//! The client as an object without I/O.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sansmtp::client::{Client, Event, Query, Session};
use sansmtp::error::Stage;
use sansmtp::provider::Provider;
use sansmtp::wire::reply::ReplyLine;
use sansmtp::{Error, Instant, Machine};
use zeroize::Zeroize;

use crate::client_event;
use crate::clock::{Clock, seconds_until};
use crate::config::Config;
use crate::delivery::{SendResult, Tally};
use crate::entropy::entropy;
use crate::envelope::Envelope;
use crate::error;
use crate::octets::Octets;
use crate::reply::{Capabilities, Reply, push_text};
use crate::repr::{self, Repr};

/// The client's side of an SMTP connection, without I/O: octets of the server go in through `receive_data`,
/// events come out of `next_event`, octets for the server out of `data_to_send`.
#[pyclass(module = "sansmtp._core")]
pub(crate) struct ClientConnection {
    config: Py<Config>,
    clock: Clock,
    session: Session,
    line: Vec<u8>,
    envelope: Option<Py<Envelope>>,
    query: Option<OwnedQuery>,
    /// The content and how much of it was sent.
    content: Option<(Octets, usize)>,
    input: Vec<u8>,
    /// How much of the input was taken.
    taken: usize,
    out: Vec<u8>,
    /// The lines of a reply before its last one.
    lines: String,
    tally: Tally,
    /// The message before, whose verdict is still due.
    earlier: Option<(Py<Envelope>, Tally)>,
    /// The message that the latest verdict was about, until something new is known of the next one.
    judged: Option<(Py<Envelope>, Tally)>,
    /// The reply that refused the session.
    refusal: Option<Reply>,
    outcome_unknown: bool,
}

/// An event, the octets that are to be sent, and the seconds until the clock is to be looked at.
type Turn<'py> = (Option<Py<PyAny>>, Bound<'py, PyBytes>, Option<f64>);

/// Long enough for the lines that servers with long explanations send.
const LINE: usize = 2048;
/// What commands are rendered into.
const SMALL_OUT: usize = 4096;
/// The most octets that one call of `data_to_send` returns.
const LARGE_OUT: usize = 256 * 1024;

#[pymethods]
impl ClientConnection {
    /// A client on a fresh connection. `clock` returns seconds as a float and never goes back; without one
    /// the system's monotonic clock is read.
    #[new]
    #[pyo3(signature = (config, *, clock = None))]
    fn new(py: Python<'_>, config: Py<Config>, clock: Option<Py<PyAny>>) -> PyResult<Self> {
        let clock = Clock::new(clock);
        let now = clock.now(py)?;
        let mut line = vec![0; LINE];
        let session = {
            let config = config.get().owned.as_config();
            let mut client = Client::new(&config, &mut line, now);
            if config.credentials.is_some() {
                client.set_entropy(entropy(py)?);
            }
            client.suspend()
        };
        Ok(Self {
            config,
            clock,
            session,
            line,
            envelope: None,
            query: None,
            content: None,
            input: Vec::new(),
            taken: 0,
            out: Vec::new(),
            lines: String::new(),
            tally: Tally::default(),
            earlier: None,
            judged: None,
            refusal: None,
            outcome_unknown: false,
        })
    }

    /// Takes octets that came from the server. Then ask for events until there are none.
    fn receive_data(&mut self, data: Octets) {
        if self.taken == self.input.len() {
            self.input.clear();
            self.taken = 0;
        }
        self.input.extend_from_slice(data.as_slice());
    }

    /// Tells that the server will send nothing more. Raises if the dialogue was not over.
    fn receive_eof(&mut self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |client, _| client.receive_eof())
    }

    /// The next event; None says that nothing is to be told before more data comes. Raises when the dialogue
    /// can not go on.
    fn next_event(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let now = self.clock.now(py)?;
        self.next(py, now, |_| true)
    }

    /// All that a driver has to do in one call: takes octets that came from the server, if any, and goes on to the
    /// next event. Those that only tell how far a message is are passed over; `result` has them all. Returns that
    /// event; where there is none, the octets that are to be sent now; and the seconds until `handle_timeout` is to
    /// be called. Where there are octets, send them all, then call again, for more of them.
    #[pyo3(signature = (data = None))]
    fn advance<'py>(&mut self, py: Python<'py>, data: Option<Octets>) -> PyResult<Turn<'py>> {
        if let Some(data) = data {
            self.receive_data(data);
        }
        let now = self.clock.now(py)?;
        if let Some(event) = self.next(py, now, needs_driver)? {
            return Ok((Some(event), PyBytes::new(py, b""), None));
        }
        let out = self.render(py, now);
        let deadline = self.with(|client| client.poll_timeout());
        Ok((
            None,
            out,
            deadline.map(|deadline| seconds_until(deadline, now)),
        ))
    }

    /// The octets that are to be sent now, at most 256 KiB; empty if there are none. Send them all, then ask
    /// again.
    fn data_to_send<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let now = self.clock.now(py)?;
        Ok(self.render(py, now))
    }

    /// Sends a message: opens a transaction for `envelope`. It may be called while `awaits_verdict` is true: the
    /// first verdict that comes then is that of the message before. The `content` follows by itself when the server
    /// wants it; without one, call `write` and `finish` behind the event `ContentWanted`.
    #[pyo3(signature = (envelope, content = None))]
    fn submit(
        &mut self,
        py: Python<'_>,
        envelope: Py<Envelope>,
        content: Option<Octets>,
    ) -> PyResult<()> {
        let now = self.clock.now(py)?;
        let early;
        let submitted = {
            let new = envelope.get().as_envelope();
            let config = self.config.get().owned.as_config();
            let query = self.query.as_ref().and_then(OwnedQuery::borrowed);
            let old = self
                .envelope
                .as_ref()
                .map(|envelope| envelope.get().as_envelope());
            let mut client =
                Client::resume(self.session, &config, &mut self.line, old.as_ref(), query);
            early = client.awaits_verdict();
            let submitted = client.submit(&new, now);
            self.session = client.suspend();
            submitted
        };
        submitted.map_err(|error| self.raise(py, error))?;
        let tally = Tally::new(envelope.get().addresses().len());
        let before = std::mem::replace(&mut self.tally, tally);
        if early {
            self.earlier = self.envelope.take().map(|envelope| (envelope, before));
        }
        self.judged = None;
        self.outcome_unknown = false;
        self.envelope = Some(envelope);
        self.content = content.map(|content| (content, 0));
        Ok(())
    }

    /// Encodes a piece of the content and returns the octets to send.
    fn write<'py>(&mut self, py: Python<'py>, data: Octets) -> PyResult<Bound<'py, PyBytes>> {
        let now = self.clock.now(py)?;
        let data = data.as_slice();
        let mut encoded = Vec::with_capacity(data.len() + data.len() / 32 + 16);
        let mut out = [0; SMALL_OUT];
        self.check_content_wanted(py)?;
        self.with(|client| {
            let mut rest = data;
            while !rest.is_empty()
                && let Some(mut body) = client.body()
            {
                let (read, written) = body.write(now, rest, &mut out);
                encoded.extend_from_slice(out.get(..written).unwrap_or_default());
                rest = rest.get(read..).unwrap_or_default();
            }
        });
        Ok(PyBytes::new(py, &encoded))
    }

    /// Ends the content; `data_to_send` then gives its end mark.
    fn finish(&mut self, py: Python<'_>) -> PyResult<()> {
        let now = self.clock.now(py)?;
        self.check_content_wanted(py)?;
        self.with(|client| {
            if let Some(body) = client.body() {
                body.finish(now);
            }
        });
        Ok(())
    }

    /// NOOP: asks whether the connection is alive.
    fn noop(&mut self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, OwnedQuery::Noop)
    }

    /// RSET between two messages.
    fn reset(&mut self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, OwnedQuery::Reset)
    }

    /// VRFY: asks whether this is a mailbox.
    fn verify(&mut self, py: Python<'_>, mailbox: String) -> PyResult<()> {
        self.ask(py, OwnedQuery::Verify(mailbox))
    }

    /// EXPN: asks who is on a list.
    fn expand(&mut self, py: Python<'_>, mailing_list: String) -> PyResult<()> {
        self.ask(py, OwnedQuery::Expand(mailing_list))
    }

    /// HELP, on a subject or in general.
    #[pyo3(signature = (subject = None))]
    fn help(&mut self, py: Python<'_>, subject: Option<String>) -> PyResult<()> {
        self.ask(py, OwnedQuery::Help(subject))
    }

    /// Says goodbye. Allowed when the client is ready, and after the server refused the session.
    fn quit(&mut self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |client, now| client.quit(now))
    }

    /// Tells that the TLS handshake succeeded. What came before it is dropped.
    fn tls_established(&mut self, py: Python<'_>) -> PyResult<()> {
        if self.taken < self.input.len() {
            // The machine takes it for what it is: somebody put it there (RFC 3207, section 6).
            self.next_event(py)?;
        }
        self.run(py, |client, now| client.tls_established(now))
    }

    /// Seconds until `handle_timeout` is to be called; None if nothing is awaited.
    fn timeout(&mut self, py: Python<'_>) -> PyResult<Option<f64>> {
        let now = self.clock.now(py)?;
        let deadline = self.with(|client| client.poll_timeout());
        Ok(deadline.map(|deadline| seconds_until(deadline, now)))
    }

    /// Looks at the clock. Raises if the server took too long.
    fn handle_timeout(&mut self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |client, now| client.handle_timeout(now))
    }

    /// What became of each recipient, as of now: of the message that the latest verdict was about, else of the
    /// one whose verdict is due, else of the latest one.
    fn result(&self) -> SendResult {
        if let Some((envelope, tally)) = self.judged.as_ref().or(self.earlier.as_ref()) {
            let addresses = envelope.get().addresses();
            return tally.result(addresses, self.outcome_unknown, self.provider());
        }
        let addresses = self
            .envelope
            .as_ref()
            .map_or(&[][..], |envelope| envelope.get().addresses());
        self.tally
            .result(addresses, self.outcome_unknown, self.provider())
    }

    /// The recipients, of those at these places of the envelope, that one more transaction of this session may have
    /// by the limits that the server states (RFC 9422); with LMTP at most 256.
    fn admitted(&mut self, envelope: &Envelope, places: Vec<usize>) -> Vec<usize> {
        let envelope = envelope.as_envelope();
        let mut allowance = self.with(|client| client.allowance());
        let mut places = places;
        places.retain(|place| {
            let recipient = envelope.recipients.get(*place);
            recipient.is_some_and(|recipient| allowance.admit(recipient))
        });
        places
    }

    /// Whether a message went out as a whole and only its verdict is missing, so that the next one may be
    /// submitted already (RFC 2920, section 3.1).
    #[getter]
    fn awaits_verdict(&mut self) -> bool {
        self.with(|client| client.awaits_verdict())
    }

    /// Whether the next verdict is that of the message before the one that was submitted last.
    #[getter]
    fn awaits_earlier_verdict(&self) -> bool {
        self.earlier.is_some()
    }

    /// Whether the TLS handshake is next: at the beginning with implicit TLS, or after the event `StartTls`.
    #[getter]
    fn wants_tls(&mut self) -> bool {
        self.with(|client| client.wants_tls())
    }

    /// Whether everything goes through TLS.
    #[getter]
    fn is_tls(&mut self) -> bool {
        self.with(|client| client.is_tls())
    }

    /// Whether a message may be submitted.
    #[getter]
    fn is_ready(&mut self) -> bool {
        self.with(|client| client.is_ready())
    }

    /// Whether the dialogue is over.
    #[getter]
    fn is_closed(&mut self) -> bool {
        self.with(|client| client.is_closed())
    }

    /// What the dialogue is at.
    #[getter]
    fn stage(&mut self) -> &'static str {
        error::stage(self.with(|client| client.stage()))
    }

    /// What the server offers, as of the latest EHLO.
    #[getter]
    fn capabilities(&mut self) -> Capabilities {
        Capabilities(self.with(|client| *client.capabilities()))
    }

    /// The SASL mechanism that is or was used.
    #[getter]
    fn mechanism(&mut self) -> Option<&'static str> {
        let mechanism = self.with(|client| client.mechanism());
        mechanism.map(sansmtp::capability::Mechanism::name)
    }

    fn __repr__(&mut self) -> String {
        let (stage, is_tls) = (self.stage(), self.is_tls());
        repr::object(
            "ClientConnection",
            &[
                ("host", self.config.get().owned.host().repr()),
                ("stage", stage.repr()),
                ("is_tls", is_tls.repr()),
            ],
        )
    }
}

impl ClientConnection {
    /// The next event that is wanted.
    fn next(
        &mut self,
        py: Python<'_>,
        now: Instant,
        wanted: impl Fn(&Event<'_>) -> bool,
    ) -> PyResult<Option<Py<PyAny>>> {
        let told = {
            let config = self.config.get().owned.as_config();
            let envelope = self
                .envelope
                .as_ref()
                .map(|envelope| envelope.get().as_envelope());
            let query = self.query.as_ref().and_then(OwnedQuery::borrowed);
            let mut client = Client::resume(
                self.session,
                &config,
                &mut self.line,
                envelope.as_ref(),
                query,
            );
            let told = loop {
                let input = self.input.get(self.taken..).unwrap_or_default();
                let earlier = client.awaits_earlier_verdict();
                let (used, event) = match client.receive(now, input) {
                    Ok(received) => received,
                    Err(error) => break Err(error),
                };
                self.taken += used;
                let Some(event) = event else {
                    if used == 0 {
                        break Ok(None);
                    }
                    continue;
                };
                let reply = match reply_line(&event) {
                    Some(line) if !line.last => {
                        push_text(&mut self.lines, line.text);
                        self.lines.push('\n');
                        continue;
                    }
                    line => line.map(|line| Reply::new(&mut self.lines, line)),
                };
                self.lines.clear();
                let verdict = matches!(event, Event::Delivered { .. } | Event::NotDelivered { .. });
                match &mut self.earlier {
                    Some((_, tally)) if earlier && verdict => {
                        tally.take(&event, reply.as_ref());
                        self.judged = self.earlier.take();
                    }
                    _ => {
                        self.judged = None;
                        self.tally.take(&event, reply.as_ref());
                    }
                }
                if matches!(event, Event::Refused { .. }) {
                    self.refusal.clone_from(&reply);
                }
                if wanted(&event) {
                    break Ok(Some(client_event::object(py, &event, reply)));
                }
            };
            self.session = client.suspend();
            told
        };
        match told {
            Ok(event) => event.transpose(),
            Err(error) => Err(self.raise(py, error)),
        }
    }

    /// What is to be sent now.
    fn render<'py>(&mut self, py: Python<'py>, now: Instant) -> Bound<'py, PyBytes> {
        let mut out = std::mem::take(&mut self.out);
        let remaining = self.content.as_ref().map_or(0, |(content, at)| {
            content.as_slice().len().saturating_sub(*at)
        });
        // A message of usual size goes out in one piece with the dot behind it.
        let wanted = remaining.saturating_add(SMALL_OUT).min(LARGE_OUT);
        if out.len() < wanted {
            out.resize(wanted, 0);
        }
        let mut content = self.content.take();
        let (written, secret, still_open) = self.with(|client| {
            let secret = client.stage() == Stage::Auth;
            let mut written = client.transmit(now, &mut out);
            let mut still_open = true;
            if let Some((octets, at)) = &mut content
                && let Some(mut body) = client.body()
            {
                let octets = octets.as_slice();
                while let (Some(rest), Some(room)) = (octets.get(*at..), out.get_mut(written..))
                    && !rest.is_empty()
                    && !room.is_empty()
                {
                    let (read, encoded) = body.write(now, rest, room);
                    *at += read;
                    written += encoded;
                }
                if *at == octets.len() {
                    body.finish(now);
                    still_open = false;
                    let room = out.get_mut(written..).unwrap_or_default();
                    written += client.transmit(now, room);
                }
            }
            (written, secret, still_open)
        });
        self.content = content.filter(|_| still_open);
        let sent = out.get_mut(..written).unwrap_or_default();
        let data = PyBytes::new(py, sent);
        if secret {
            sent.zeroize();
        }
        self.out = out;
        data
    }

    /// Takes the machine up for one call.
    fn with<R>(&mut self, call: impl FnOnce(&mut Client<'_>) -> R) -> R {
        let config = self.config.get().owned.as_config();
        let envelope = self
            .envelope
            .as_ref()
            .map(|envelope| envelope.get().as_envelope());
        let query = self.query.as_ref().and_then(OwnedQuery::borrowed);
        let mut client = Client::resume(
            self.session,
            &config,
            &mut self.line,
            envelope.as_ref(),
            query,
        );
        let result = call(&mut client);
        self.session = client.suspend();
        result
    }

    fn run(
        &mut self,
        py: Python<'_>,
        call: impl FnOnce(&mut Client<'_>, Instant) -> Result<(), Error>,
    ) -> PyResult<()> {
        let now = self.clock.now(py)?;
        let result = self.with(|client| call(client, now));
        result.map_err(|error| self.raise(py, error))
    }

    fn ask(&mut self, py: Python<'_>, query: OwnedQuery) -> PyResult<()> {
        if query.borrowed().is_none() {
            let message = "the argument is empty, too long, not ASCII or holds a control character";
            return Err(error::invalid(py, "EnvelopeError", message));
        }
        let now = self.clock.now(py)?;
        let asked = {
            let config = self.config.get().owned.as_config();
            let mut client = Client::resume(self.session, &config, &mut self.line, None, None);
            // While nothing is under way, envelope and query are not looked at.
            if client.is_ready() || client.error().is_some() {
                let asked = client.query(query.borrowed().unwrap_or(Query::NOOP), now);
                self.session = client.suspend();
                asked
            } else {
                Err(Error::Misuse(sansmtp::error::Misuse::Busy))
            }
        };
        asked.map_err(|error| self.raise(py, error))?;
        self.query = Some(query);
        Ok(())
    }

    fn check_content_wanted(&mut self, py: Python<'_>) -> PyResult<()> {
        let open = self.content.is_none() && self.with(|client| client.body().is_some());
        if open {
            Ok(())
        } else {
            Err(self.raise(py, Error::Misuse(sansmtp::error::Misuse::Busy)))
        }
    }

    fn provider(&self) -> Option<&'static Provider> {
        Provider::by_host(self.config.get().owned.host())
    }

    fn raise(&mut self, py: Python<'_>, error: Error) -> PyErr {
        self.outcome_unknown |= error.outcome_unknown();
        error::raise(py, error, self.refusal.as_ref(), self.provider())
    }
}

/// Whether something is to be done about an event, or a message is judged.
fn needs_driver(event: &Event<'_>) -> bool {
    match event {
        Event::Reply { .. }
        | Event::Refused { .. }
        | Event::Sender { .. }
        | Event::Recipient { .. }
        | Event::Content
        | Event::ChunkRefused { .. } => false,
        Event::Verdict { last, .. } => *last,
        _ => true,
    }
}

/// The reply line of an event.
fn reply_line<'e, 'a>(event: &'e Event<'a>) -> Option<&'e ReplyLine<'a>> {
    match event {
        Event::Reply { reply, .. }
        | Event::Refused { reply, .. }
        | Event::Sender { reply }
        | Event::Recipient { reply, .. }
        | Event::ChunkRefused { reply }
        | Event::Verdict { reply, .. }
        | Event::Delivered { reply }
        | Event::Answer { reply } => Some(reply),
        Event::NotDelivered { reply, .. } => reply.as_ref(),
        _ => None,
    }
}

/// A query with data of its own.
enum OwnedQuery {
    Noop,
    Reset,
    Verify(String),
    Expand(String),
    Help(Option<String>),
}

impl OwnedQuery {
    /// The borrowed form; none if the argument can not be sent.
    fn borrowed(&self) -> Option<Query<'_>> {
        match self {
            Self::Noop => Some(Query::NOOP),
            Self::Reset => Some(Query::RSET),
            Self::Verify(mailbox) => Query::vrfy(mailbox).ok(),
            Self::Expand(list) => Query::expn(list).ok(),
            Self::Help(subject) => Query::help(subject.as_deref()).ok(),
        }
    }
}
