//! One session: moves octets and time between a stream and the machine, and
//! questions between the machine and the handler.

use super::config::ServerConfig;
use super::desk::{Lender, Pad};
use super::envelope::{MailEnvelope, MailRecipient};
use super::handler::{Body, Handler, Refusal, Verdict};
use super::info::SessionInfo;
use super::io::{Io, LINGER};
use super::reply::OwnedReply;
use super::users;
use crate::clock::{Alarm, Clock};
use crate::random;
use sansmtp::capability::Mechanism;
use sansmtp::config::Security;
use sansmtp::server::{Config, Event, Query, Server as Machine, Session};
use sansmtp::state::State;
use sansmtp::wire::reply::Escaped;
use sansmtp::{Error, Machine as _};
use std::fmt;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::rustls;
use tracing::{debug, info, warn};

/// What a session needs besides its stream.
#[derive(Debug)]
pub(super) struct Setup<'a, H> {
    pub(super) handler: &'a H,
    pub(super) config: &'a ServerConfig,
    pub(super) security: Security,
    pub(super) tls: Option<&'a Arc<rustls::ServerConfig>>,
    /// Where buffers come from.
    pub(super) lender: &'a Lender,
    /// There are too many connections already.
    pub(super) refuse: bool,
}

/// Serves one connection to its end. `shutdown` becomes the end of the grace time once
/// the server shuts down.
pub(super) async fn run<H, T>(
    setup: &Setup<'_, H>,
    stream: T,
    session: &mut SessionInfo,
    shutdown: &watch::Receiver<Option<Instant>>,
) where
    H: Handler,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    let limit = setup.config.timeouts.command;
    let mut exchange = Exchange {
        handler: setup.handler,
        refuse: setup.refuse,
        clock: Clock::start(),
        write_limit: Duration::from_millis(limit.into()),
        session,
        envelope: None,
        used: None,
        content: Content::None,
        verdicts: Vec::new(),
    };
    let known = &exchange.session;
    info!(session = %known.id, peer = %known.peer, local = %known.local, "connected");
    let mut io = Io::new(stream, setup.lender);
    let result = drive(&mut exchange, &mut io, setup, shutdown).await;
    let id = &exchange.session.id;
    match &result {
        Ok(()) => info!(session = %id, "closed"),
        Err(End::Protocol(error)) => info!(session = %id, %error, "ended"),
        Err(End::Lost(error)) => info!(session = %id, %error, "connection lost"),
        Err(End::Handshake(error)) => warn!(session = %id, %error, "TLS handshake failed"),
        Err(End::Stalled) => info!(session = %id, "the client does not read, or took too long"),
        Err(End::Unsaid) => info!(session = %id, "closed without a word"),
    }
    exchange.void().await;
    if result.is_ok() || matches!(result, Err(End::Protocol(_))) {
        // What was said before a fault may be on its way still.
        if let Some(Ok(())) = io.flush(LINGER).await {
            io.close().await;
        }
    }
    exchange.handler.closed(exchange.session).await;
}

/// Why a session ended before its time.
#[derive(Debug)]
enum End {
    Protocol(Error),
    Lost(io::Error),
    Handshake(io::Error),
    /// A write or the handshake took too long.
    Stalled,
    /// The handler wanted it so.
    Unsaid,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Protocol(error)
    }
}

/// Why a session that waited goes on.
enum Wake {
    /// It begins.
    Began,
    /// Something was read.
    Input,
    /// Nothing more will be read.
    Eof,
    /// The server shuts down; this is the end of the grace time.
    Shutdown(Instant),
    /// The machine's deadline or the grace time is over.
    Deadline,
}

/// A session that waits. It is moved, unlike the session itself: where it was, the machine
/// can be while it works.
struct Parked(Session);

impl Parked {
    fn take(self) -> Session {
        self.0
    }
}

async fn drive<H, T>(
    exchange: &mut Exchange<'_, H>,
    io: &mut Io<'_, T>,
    setup: &Setup<'_, H>,
    shutdown: &watch::Receiver<Option<Instant>>,
) -> Result<(), End>
where
    H: Handler,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    let clock = exchange.clock;
    let known = &exchange.session;
    // A header of the PROXY protocol makes nobody a balancer.
    let balancer = known.balancer.is_none().then(|| known.peer.ip());
    let config = setup
        .config
        .for_session(setup.security, balancer, known.lmtp);
    let mut stop = pin!(stopped(shutdown.clone(), None));
    let mut grace: Option<Instant> = None;
    let mut alarm = Alarm::new();
    let mut parked = Parked(begin(&config, clock));
    let mut pad: Option<Pad> = None;
    let mut wake = Wake::Began;
    loop {
        let session = parked.take();
        let (put_aside, deadline, idle) = {
            let lent = pad.get_or_insert_with(|| setup.lender.pad());
            let mut machine = Machine::resume(session, &config, &mut lent.line, &mut lent.reply);
            match wake {
                Wake::Began | Wake::Input => {}
                Wake::Eof => {
                    machine.receive_eof()?;
                    return Ok(());
                }
                Wake::Shutdown(end) => {
                    grace = Some(end);
                    machine.shutdown();
                }
                Wake::Deadline if grace.is_some_and(|grace| grace <= Instant::now()) => {
                    machine.shutdown_now();
                }
                Wake::Deadline => machine.handle_timeout(clock.now())?,
            }
            work(&mut machine, exchange, io).await?;
            if machine.is_closed() {
                return Ok(());
            }
            let limit = machine.poll_timeout().map(|deadline| clock.at(deadline));
            let deadline = [limit, grace].into_iter().flatten().min();
            if machine.wants_tls() {
                let late = poll_fn(|cx| {
                    if stop.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(());
                    }
                    alarm.poll(cx, deadline)
                });
                shake_hands(&mut machine, exchange, io, setup.tls, late).await?;
                // On with the work, without a wait.
                (machine.suspend(), None, false)
            } else {
                // Who waits, holds no buffer, unless something of a line is in it.
                let idle = machine.buffers_are_idle();
                (machine.suspend(), Some(deadline), idle)
            }
        };
        parked = Parked(put_aside);
        let Some(deadline) = deadline else {
            wake = Wake::Began;
            continue;
        };
        if let Some(pad) = pad.take_if(|_| idle) {
            setup.lender.return_pad(pad);
        }
        wake = poll_fn(|cx| {
            if let Poll::Ready((end, shutdown)) = stop.as_mut().poll(cx) {
                stop.set(stopped(shutdown, Some(end)));
                return Poll::Ready(Ok(Wake::Shutdown(end)));
            }
            // Before the deadline: what is there is not late, however long the
            // handler took.
            match io.poll_read(cx) {
                Poll::Ready(Ok(0)) => Poll::Ready(Ok(Wake::Eof)),
                Poll::Ready(Ok(_)) => Poll::Ready(Ok(Wake::Input)),
                Poll::Ready(Err(error)) => Poll::Ready(Err(End::Lost(error))),
                Poll::Pending => alarm.poll(cx, deadline).map(|()| Ok(Wake::Deadline)),
            }
        })
        .await?;
    }
}

/// Does the TLS handshake, unless it is `late`.
async fn shake_hands<H, T>(
    machine: &mut Machine<'_>,
    exchange: &mut Exchange<'_, H>,
    io: &mut Io<'_, T>,
    config: Option<&Arc<rustls::ServerConfig>>,
    late: impl Future<Output = ()>,
) -> Result<(), End>
where
    H: Handler,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    let Some(config) = config else {
        return Err(End::Handshake(io::Error::other("TLS is not configured")));
    };
    // In a place of its own: what a handshake needs is given back behind it.
    let mut handshake = Box::pin(io.stream.upgrade(config));
    let (tls, bindings) = tokio::select! {
        tls = &mut handshake => tls.map_err(End::Handshake)?,
        () = late => return Err(End::Stalled),
    };
    drop(handshake);
    let known = &mut exchange.session;
    debug!(session = %known.id, protocol = %tls.protocol, cipher = %tls.cipher, "TLS");
    known.forget();
    known.tls = Some(tls);
    machine.tls_established(exchange.clock.now())?;
    for binding in bindings {
        machine.set_channel_binding(binding);
    }
    Ok(())
}

/// A session at its beginning.
fn begin(config: &Config<'_>, clock: Clock) -> Session {
    let mut machine = Machine::new(config, &mut [], &mut [], clock.now());
    // Without random octets the mechanisms that need them are not offered.
    if let Ok(entropy) = random::octets() {
        machine.set_entropy(entropy);
    }
    machine.suspend()
}

/// Does everything that can be done now; the replies gather and leave together.
async fn work<H, T>(
    machine: &mut Machine<'_>,
    exchange: &mut Exchange<'_, H>,
    io: &mut Io<'_, T>,
) -> Result<(), End>
where
    H: Handler,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    // Looked up again only behind what can have taken time.
    let mut now = exchange.clock.now();
    loop {
        loop {
            let room = io.desk().output_room();
            if room.is_empty() {
                send(io, exchange.write_limit).await?;
                now = exchange.clock.now();
                continue;
            }
            let written = machine.transmit(now, room);
            if written == 0 {
                break;
            }
            io.desk().extend_output(written);
        }
        let desk = io.desk();
        if machine.is_closed() || machine.wants_tls() && desk.input().is_empty() {
            break;
        }
        let state = machine.state();
        let (used, mut event) = machine.receive(now, desk.input())?;
        if event.is_some() {
            exchange.handle(&mut event).await?;
            now = exchange.clock.now();
        } else if used == 0 {
            break;
        }
        io.desk().consume(used, state != State::Content);
    }
    send(io, exchange.write_limit).await
}

async fn send<T>(io: &mut Io<'_, T>, limit: Duration) -> Result<(), End>
where
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    match io.flush(limit).await {
        None => Err(End::Stalled),
        Some(sent) => sent.map_err(End::Lost),
    }
}

/// Waits for the shutdown, and tells when the grace time ends: for one that ends earlier, if an end is `known`.
/// If nobody is left who could say so, it is now, or stays as it is. The receiver comes back.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn keeps its arguments twice, and each session this future"
)]
pub(super) fn stopped(
    mut shutdown: watch::Receiver<Option<Instant>>,
    known: Option<Instant>,
) -> impl Future<Output = (Instant, watch::Receiver<Option<Instant>>)> {
    async move {
        loop {
            let end = *shutdown.borrow_and_update();
            if let Some(end) = end
                && known.is_none_or(|known| end < known)
            {
                return (end, shutdown);
            }
            if shutdown.changed().await.is_err() {
                break;
            }
        }
        match known {
            None => (Instant::now(), shutdown),
            Some(_) => pending().await,
        }
    }
}

/// The handler's side of a session.
struct Exchange<'h, H: Handler> {
    handler: &'h H,
    refuse: bool,
    clock: Clock,
    /// How long a write may take.
    write_limit: Duration,
    session: &'h mut SessionInfo,
    envelope: Option<Box<MailEnvelope>>,
    /// The envelope of the transaction before.
    used: Option<Box<MailEnvelope>>,
    content: Content<H::Body>,
    /// What became of the recipients, in LMTP.
    verdicts: Vec<Verdict>,
}

/// Where the content of the current message goes.
enum Content<B> {
    None,
    Open(B),
    /// It can not be taken; this will be said at its end.
    Failed(OwnedReply),
}

impl<H: Handler> Exchange<'_, H> {
    /// Takes the event. It stays where it is until then: each future would have a place
    /// for it.
    async fn handle(&mut self, event: &mut Option<Event<'_>>) -> Result<(), End> {
        match event {
            Some(Event::Request(request)) => {
                let query = request.query();
                if let Query::Keys(wanted) = &query {
                    let known = self.handler.scram_keys(self.session, wanted).await;
                    let keys = known.or_else(|| users::pretend(wanted));
                    let Some(Event::Request(request)) = event.take() else {
                        return Ok(());
                    };
                    match keys {
                        Some(keys) => request.answer_with_keys(&keys),
                        None => request.answer(&OwnedReply::local_error().as_reply()),
                    }
                    return Ok(());
                }
                let verdict = self.decide(&query).await;
                self.log(&query, &verdict);
                let Some(Event::Request(request)) = event.take() else {
                    return Ok(());
                };
                match &verdict {
                    Verdict::Accept => request.accept(),
                    Verdict::Reply(reply) => request.answer(&reply.as_reply()),
                    Verdict::Close => return Err(End::Unsaid),
                }
            }
            Some(Event::Hello { name, extended }) => {
                self.void().await;
                self.session.hello.clear();
                self.session.hello.push_str(name);
                self.session.extended = *extended;
                self.handler.hello(self.session).await;
            }
            Some(Event::Content(stretch)) => {
                if let Content::Open(body) = &mut self.content
                    && let Err(refusal) = body.write(stretch).await
                {
                    match said(refusal) {
                        Refusal::Reply(reply) => self.content = Content::Failed(reply),
                        Refusal::Close => return Err(End::Unsaid),
                    }
                }
            }
            Some(Event::Reset) => self.void().await,
            _ => {}
        }
        Ok(())
    }

    async fn decide(&mut self, query: &Query<'_>) -> Verdict {
        let (handler, session) = (self.handler, &*self.session);
        match query {
            Query::Connect if self.refuse => OwnedReply::too_many_connections().into(),
            Query::Connect => handler.connect(session).await,
            Query::Authenticate(login) => {
                let verdict = handler.auth(session, login).await;
                if verdict.is_positive() {
                    self.session.user = Some(login.user.to_owned());
                }
                verdict
            }
            Query::Bearer(bearer) => {
                let verdict = handler.bearer(session, bearer).await;
                if verdict.is_positive() {
                    self.session.user = Some(bearer.user.to_owned());
                }
                verdict
            }
            Query::Digest(digest) => {
                let verdict = handler.digest(session, digest).await;
                if verdict.is_positive() {
                    self.session.user = Some(digest.user.to_owned());
                }
                verdict
            }
            Query::Authorize(identity) => {
                let verdict = handler.authorize(session, identity).await;
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
                let verdict = handler.sender(session, *reverse_path, parameters).await;
                if verdict.is_positive() {
                    let used = self.used.take();
                    let envelope = MailEnvelope::new(used, *reverse_path, parameters);
                    self.envelope = Some(envelope);
                }
                verdict
            }
            Query::Recipient {
                forward_path,
                parameters,
            } => {
                let verdict = handler.recipient(session, *forward_path, parameters).await;
                if verdict.is_positive()
                    && let Some(envelope) = &mut self.envelope
                {
                    let recipient = MailRecipient::new(*forward_path, parameters);
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
                    Err(refusal) => said(refusal).into(),
                }
            }
            Query::Message { size } => self.judge(*size).await,
            Query::Delivery { recipient, size } => {
                if *recipient == 0 {
                    self.verdicts = self.judge_each(*size).await;
                }
                let verdict = self.verdicts.get(usize::from(*recipient)).cloned();
                verdict.unwrap_or_else(|| OwnedReply::local_error().into())
            }
            Query::Etrn(node) => handler.etrn(session, node).await,
            Query::XClient(attributes) => {
                let verdict = handler.xclient(session, attributes).await;
                if verdict.is_positive() {
                    self.session.introduced(attributes);
                    let session = &self.session;
                    info!(session = %session.id, peer = %session.peer, "introduced by XCLIENT");
                }
                verdict
            }
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
        let recipients = self.envelope.as_ref().map_or(0, |e| e.recipients.len());
        self.used = self.envelope.take();
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

    /// The content is complete, in LMTP.
    async fn judge_each(&mut self, size: u64) -> Vec<Verdict> {
        let envelope = self.envelope.take();
        let recipients = envelope.map(|e| e.recipients).unwrap_or_default();
        let verdicts = match std::mem::replace(&mut self.content, Content::None) {
            Content::Open(body) => body.finish_each(&recipients).await,
            Content::Failed(reply) => vec![reply.into(); recipients.len()],
            Content::None => Vec::new(),
        };
        let accepted = verdicts.iter().filter(|v| v.is_positive()).count();
        self.session.messages += u64::from(accepted > 0);
        info!(
            session = %self.session.id,
            number = self.session.messages,
            size,
            recipients = recipients.len(),
            accepted,
            "message"
        );
        verdicts
    }

    /// The transaction is void.
    async fn void(&mut self) {
        if self.envelope.is_some() {
            self.used = self.envelope.take();
        }
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
            Query::Message { .. } | Query::Delivery { .. } => ("message", ""),
            Query::Etrn(node) => ("ETRN", *node),
            Query::XClient(attributes) => ("XCLIENT", attributes.as_str()),
            Query::Verify(name) => ("VRFY", *name),
            Query::Expand(name) => ("EXPN", *name),
            Query::Help(subject) => ("HELP", *subject),
            _ => ("query", ""),
        };
        write!(f, "{what} {}", Escaped(text.as_bytes()))
    }
}

/// Makes sure that a refusal says no.
fn said(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Reply(reply) if !reply.is_refusal() => OwnedReply::local_error().into(),
        refusal => refusal,
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
