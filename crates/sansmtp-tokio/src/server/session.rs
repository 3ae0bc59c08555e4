//! One session: moves octets and time between a stream and the machine, and
//! questions between the machine and the handler.

use super::config::ServerConfig;
use super::envelope::{MailEnvelope, MailRecipient};
use super::handler::{Body, Handler, Verdict};
use super::info::SessionInfo;
use super::reply::OwnedReply;
use super::stream::Stream;
use super::users;
use crate::clock::Clock;
use crate::random;
use sansmtp::capability::Mechanism;
use sansmtp::config::Security;
use sansmtp::server::{Event, Query, Server as Machine};
use sansmtp::state::State;
use sansmtp::wire::reply::Escaped;
use sansmtp::{Error, Machine as _};
use std::fmt;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::rustls;
use tracing::{debug, info, warn};
use zeroize::Zeroize;

/// Octets that are read at once, of commands and of content.
const COMMANDS: usize = 4 * 1024;
const CONTENT: usize = 64 * 1024;
/// Octets of replies that are sent before more of a flight is worked on.
const FLIGHT: usize = 16 * 1024;
/// Room for the text of a handler's reply.
const REPLY: usize = 1024;
/// How long the peer may take to close after us, and how much it may still send.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_OCTETS: usize = 256 * 1024;

/// What a session needs besides its stream.
#[derive(Debug)]
pub(super) struct Setup<'a, H> {
    pub(super) handler: &'a H,
    pub(super) config: &'a ServerConfig,
    pub(super) security: Security,
    pub(super) tls: Option<&'a Arc<rustls::ServerConfig>>,
    /// There are too many connections already.
    pub(super) refuse: bool,
    /// Becomes the end of the grace time once the server shuts down.
    pub(super) shutdown: watch::Receiver<Option<Instant>>,
}

/// Serves one connection to its end.
pub(super) async fn run<H, T>(setup: Setup<'_, H>, stream: T, session: SessionInfo)
where
    H: Handler,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut exchange = Exchange {
        handler: setup.handler,
        refuse: setup.refuse,
        session,
        envelope: None,
        content: Content::None,
    };
    let session = &exchange.session;
    info!(session = %session.id, peer = %session.peer, local = %session.local, "connected");
    let mut io = Io {
        stream: Stream::Plain(stream),
        input: Vec::new(),
        start: 0,
        out: Vec::new(),
    };
    let result = drive(&mut exchange, &mut io, &setup).await;
    let id = &exchange.session.id;
    match &result {
        Ok(()) => info!(session = %id, "closed"),
        Err(End::Protocol(error)) => info!(session = %id, %error, "ended"),
        Err(End::Lost(error)) => info!(session = %id, %error, "connection lost"),
        Err(End::Handshake(error)) => warn!(session = %id, %error, "TLS handshake failed"),
        Err(End::Stalled) => info!(session = %id, "the client does not read, or took too long"),
    }
    exchange.void().await;
    if result.is_ok() || matches!(result, Err(End::Protocol(_))) {
        // What was said before a fault may be on its way still.
        if io.flush(LINGER).await.is_ok() {
            io.close().await;
        }
    }
    exchange.handler.closed(&exchange.session).await;
}

/// Why a session ended before its time.
#[derive(Debug)]
enum End {
    Protocol(Error),
    Lost(io::Error),
    Handshake(io::Error),
    /// A write or the handshake took too long.
    Stalled,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Protocol(error)
    }
}

async fn drive<H, T>(
    exchange: &mut Exchange<'_, H>,
    io: &mut Io<T>,
    setup: &Setup<'_, H>,
) -> Result<(), End>
where
    H: Handler,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    let clock = Clock::start();
    let config = setup.config.for_session(setup.security);
    let mut shutdown = setup.shutdown.clone();
    let mut grace: Option<Instant> = None;
    let write_limit = Duration::from_millis(u64::from(config.timeouts.command));
    let mut line = vec![0; setup.config.command_line.clamp(512, 32_768)];
    let mut reply = vec![0; REPLY];
    let mut machine = Machine::new(&config, &mut line, &mut reply, clock.now());
    // Without random octets the mechanisms that need them are not offered.
    if let Ok(entropy) = random::octets() {
        machine.set_entropy(entropy);
    }
    loop {
        // Everything that can be done now; the replies gather.
        loop {
            while io.render(&mut machine, clock) {
                if io.out.len() >= FLIGHT {
                    io.flush(write_limit).await?;
                }
            }
            if machine.is_closed() || machine.wants_tls() && io.pending().is_empty() {
                break;
            }
            let before = machine.state();
            let (used, event) = machine.receive(clock.now(), io.pending())?;
            let quiet = used == 0 && event.is_none();
            if let Some(event) = event {
                exchange.handle(event).await;
            }
            io.consume(used, before);
            if quiet {
                break;
            }
        }
        io.flush(write_limit).await?;
        if machine.is_closed() {
            return Ok(());
        }
        let limit = machine.poll_timeout().map(|deadline| clock.at(deadline));
        let deadline = [limit, grace].into_iter().flatten().min();
        if machine.wants_tls() {
            let Some(config) = setup.tls else {
                return Err(End::Handshake(io::Error::other("TLS is not configured")));
            };
            let (tls, bindings) = tokio::select! {
                tls = io.stream.upgrade(config) => tls.map_err(End::Handshake)?,
                () = until(deadline) => return Err(End::Stalled),
                _ = stopped(&mut shutdown), if grace.is_none() => return Err(End::Stalled),
            };
            let session = &mut exchange.session;
            debug!(session = %session.id, protocol = %tls.protocol, cipher = %tls.cipher, "TLS");
            session.forget();
            session.tls = Some(tls);
            machine.tls_established(clock.now())?;
            for binding in bindings {
                machine.set_channel_binding(binding);
            }
            continue;
        }
        let size = if machine.state() == State::Content {
            CONTENT
        } else {
            COMMANDS
        };
        tokio::select! {
            biased;
            end = stopped(&mut shutdown), if grace.is_none() => {
                grace = Some(end);
                machine.shutdown();
            }
            // Before the deadline: what is there is not late, however long the
            // handler took.
            read = io.read(size) => match read {
                Ok(0) => {
                    machine.receive_eof()?;
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) => return Err(End::Lost(error)),
            },
            () = until(deadline) => {
                if grace.is_some_and(|grace| grace <= Instant::now()) {
                    machine.shutdown_now();
                } else {
                    machine.handle_timeout(clock.now())?;
                }
            }
        }
    }
}

/// Waits for the shutdown, and tells when the grace time ends. If nobody is left
/// who could say so, it is now.
pub(super) async fn stopped(shutdown: &mut watch::Receiver<Option<Instant>>) -> Instant {
    let end = shutdown.wait_for(Option::is_some).await;
    end.ok().and_then(|end| *end).unwrap_or_else(Instant::now)
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// The stream and its buffers.
struct Io<T> {
    stream: Stream<T>,
    /// What was read; all before `start` is done with.
    input: Vec<u8>,
    start: usize,
    /// Replies that are to be sent.
    out: Vec<u8>,
}

/// What is left of the input could be a part of a password.
impl<T> Drop for Io<T> {
    fn drop(&mut self) {
        self.input.zeroize();
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Io<T> {
    fn pending(&self) -> &[u8] {
        self.input.get(self.start..).unwrap_or_default()
    }

    /// Forgets input, and wipes it where it could have been a password.
    fn consume(&mut self, used: usize, state: State) {
        let end = self.start.saturating_add(used).min(self.input.len());
        if state != State::Content
            && let Some(done) = self.input.get_mut(self.start..end)
        {
            done.zeroize();
        }
        self.start = end;
    }

    /// Waits for more input: at most `size` octets, and all that was there has
    /// been consumed or stays in front of it.
    async fn read(&mut self, size: usize) -> io::Result<usize> {
        self.input.drain(..self.start);
        self.start = 0;
        if self.input.capacity() > size && self.input.len() < size {
            self.input.shrink_to(size);
        }
        self.input
            .reserve_exact(size.saturating_sub(self.input.len()));
        let room = size.saturating_sub(self.input.len()).max(1);
        (&mut self.stream)
            .take(room as u64)
            .read_buf(&mut self.input)
            .await
    }

    /// Lets the machine write; says whether it did.
    fn render(&mut self, machine: &mut Machine<'_>, clock: Clock) -> bool {
        let length = self.out.len();
        self.out.resize(length + 1024, 0);
        let room = self.out.get_mut(length..).unwrap_or_default();
        let written = machine.transmit(clock.now(), room);
        self.out.truncate(length + written);
        written > 0
    }

    /// Sends the replies in one write, if the peer takes them.
    async fn flush(&mut self, limit: Duration) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let sent = timeout_at(Instant::now() + limit, async {
            self.stream.write_all(&self.out).await?;
            self.stream.flush().await
        });
        sent.await.map_err(|_| End::Stalled)?.map_err(End::Lost)?;
        // An idle connection keeps no buffer for it.
        self.out = Vec::new();
        Ok(())
    }

    /// Closes: our direction first, then what the peer still sends is read, since
    /// a reset could take the last reply away from it.
    async fn close(&mut self) {
        self.input.clear();
        self.start = 0;
        let bye = async {
            self.stream.shutdown().await?;
            let mut scrap = vec![0; COMMANDS];
            let mut rest = LINGER_OCTETS;
            loop {
                let count = self.stream.read(&mut scrap).await?;
                rest = rest.saturating_sub(count);
                if count == 0 || rest == 0 {
                    return Ok::<(), io::Error>(());
                }
            }
        };
        // Whether the peer takes part or not, it is over.
        let _ = timeout_at(Instant::now() + LINGER, bye).await;
    }
}

/// The handler's side of a session.
struct Exchange<'h, H: Handler> {
    handler: &'h H,
    refuse: bool,
    session: SessionInfo,
    envelope: Option<MailEnvelope>,
    content: Content<H::Body>,
}

/// Where the content of the current message goes.
enum Content<B> {
    None,
    Open(B),
    /// It can not be taken; this will be said at its end.
    Failed(OwnedReply),
}

impl<H: Handler> Exchange<'_, H> {
    async fn handle(&mut self, event: Event<'_>) {
        match event {
            Event::Request(request) => {
                let query = request.query();
                if let Query::Keys(wanted) = query {
                    let known = self.handler.scram_keys(&self.session, &wanted).await;
                    match known.or_else(|| users::pretend(&wanted)) {
                        Some(keys) => request.answer_with_keys(&keys),
                        None => request.answer(&OwnedReply::local_error().as_reply()),
                    }
                    return;
                }
                let verdict = self.decide(query).await;
                self.log(&query, &verdict);
                match &verdict {
                    Verdict::Accept => request.accept(),
                    Verdict::Reply(reply) => request.answer(&reply.as_reply()),
                }
            }
            Event::Hello { name, extended } => {
                self.void().await;
                self.session.hello.clear();
                self.session.hello.push_str(name);
                self.session.extended = extended;
                self.handler.hello(&self.session).await;
            }
            Event::Content(stretch) => {
                if let Content::Open(body) = &mut self.content
                    && let Err(reply) = body.write(stretch).await
                {
                    self.content = Content::Failed(refusal(reply));
                }
            }
            Event::Reset => self.void().await,
            _ => {}
        }
    }

    async fn decide(&mut self, query: Query<'_>) -> Verdict {
        let (handler, session) = (self.handler, &self.session);
        match query {
            Query::Connect if self.refuse => OwnedReply::too_many_connections().into(),
            Query::Connect => handler.connect(session).await,
            Query::Authenticate(login) => {
                let verdict = handler.auth(session, &login).await;
                if verdict.is_positive() {
                    self.session.user = Some(login.user.to_owned());
                }
                verdict
            }
            Query::Bearer(bearer) => {
                let verdict = handler.bearer(session, &bearer).await;
                if verdict.is_positive() {
                    self.session.user = Some(bearer.user.to_owned());
                }
                verdict
            }
            Query::Digest(digest) => {
                let verdict = handler.digest(session, &digest).await;
                if verdict.is_positive() {
                    self.session.user = Some(digest.user.to_owned());
                }
                verdict
            }
            Query::Authorize(identity) => {
                let verdict = handler.authorize(session, &identity).await;
                if verdict.is_positive() {
                    // With EXTERNAL there may be no name but that one.
                    let names = [identity.user, identity.authorization];
                    let user = names.into_iter().find(|name| !name.is_empty());
                    self.session.user = Some(user.unwrap_or_default().to_owned());
                }
                verdict
            }
            Query::Mail {
                reverse_path,
                parameters,
            } => {
                let verdict = handler.sender(session, reverse_path, &parameters).await;
                if verdict.is_positive() {
                    self.envelope = Some(MailEnvelope::new(reverse_path, &parameters));
                }
                verdict
            }
            Query::Recipient {
                forward_path,
                parameters,
            } => {
                let verdict = handler.recipient(session, forward_path, &parameters).await;
                if verdict.is_positive()
                    && let Some(envelope) = &mut self.envelope
                {
                    let recipient = MailRecipient::new(forward_path, &parameters);
                    envelope.recipients.push(recipient);
                }
                verdict
            }
            Query::Data => {
                let Some(envelope) = &self.envelope else {
                    return OwnedReply::local_error().into();
                };
                match handler.data(session, envelope).await {
                    Ok(body) => {
                        self.content = Content::Open(body);
                        Verdict::Accept
                    }
                    Err(reply) => refusal(reply).into(),
                }
            }
            Query::Message { size } => self.judge(size).await,
            Query::Verify(name) => handler.verify(session, name).await,
            Query::Expand(name) => handler.expand(session, name).await,
            Query::Help(subject) => handler.help(session, subject).await,
            _ => OwnedReply::local_error().into(),
        }
    }

    /// The content is complete.
    async fn judge(&mut self, size: u64) -> Verdict {
        let verdict = match std::mem::replace(&mut self.content, Content::None) {
            Content::Open(body) => body.finish().await,
            Content::Failed(reply) => reply.into(),
            Content::None => OwnedReply::local_error().into(),
        };
        if verdict.is_positive() {
            self.session.messages += 1;
        }
        let recipients = self.envelope.take().map_or(0, |e| e.recipients.len());
        info!(
            session = %self.session.id,
            number = self.session.messages,
            size,
            recipients,
            accepted = verdict.is_positive(),
            "message"
        );
        verdict
    }

    /// The transaction is void.
    async fn void(&mut self) {
        self.envelope = None;
        if let Content::Open(body) = std::mem::replace(&mut self.content, Content::None) {
            body.abort().await;
        }
    }

    fn log(&self, query: &Query<'_>, verdict: &Verdict) {
        let session = &self.session.id;
        let accepted = verdict.is_positive();
        let authentication = match query {
            Query::Authenticate(login) => Some((login.mechanism, login.user)),
            Query::Bearer(bearer) => Some((bearer.mechanism, bearer.user)),
            Query::Digest(digest) => Some((Mechanism::CramMd5, digest.user)),
            Query::Authorize(identity) => Some((identity.mechanism, identity.user)),
            _ => None,
        };
        if let Some((mechanism, user)) = authentication {
            let user = Escaped(user.as_bytes());
            info!(%session, %user, %mechanism, accepted, "authentication");
        } else if let Verdict::Reply(reply) = verdict
            && !accepted
        {
            let reply = reply.as_reply();
            let text = Escaped(reply.text().as_bytes());
            info!(%session, question = %Question(query), code = %reply.code(), %text, "refused");
        }
    }
}

/// What was asked, with the peer's text escaped.
struct Question<'a>(&'a Query<'a>);

impl fmt::Display for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, text) = match self.0 {
            Query::Connect => ("connection", ""),
            Query::Authenticate(_) => ("AUTH", ""),
            Query::Mail { reverse_path, .. } => ("MAIL", reverse_path.as_str()),
            Query::Recipient { forward_path, .. } => ("RCPT", forward_path.as_str()),
            Query::Data => ("DATA", ""),
            Query::Message { .. } => ("message", ""),
            Query::Verify(name) => ("VRFY", *name),
            Query::Expand(name) => ("EXPN", *name),
            Query::Help(subject) => ("HELP", *subject),
            _ => ("query", ""),
        };
        write!(f, "{what} {}", Escaped(text.as_bytes()))
    }
}

/// Makes sure that a failure says no.
fn refusal(reply: OwnedReply) -> OwnedReply {
    if reply.is_refusal() {
        reply
    } else {
        OwnedReply::local_error()
    }
}

impl SessionInfo {
    /// Forgets what the client said before TLS (RFC 3207, section 4.2).
    fn forget(&mut self) {
        self.hello.clear();
        self.extended = false;
        self.user = None;
    }
}

#[cfg(test)]
mod tests;
