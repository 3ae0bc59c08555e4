//! Listens, accepts, and shuts down.

use super::config::ServerConfig;
use super::desk::Lender;
use super::handler::Handler;
use super::info::SessionInfo;
use super::limits::{Connections, Place};
use super::proxied::{Proxied, read_header};
use super::session::{self, Setup};
use crate::random;
use sansmtp::config::Security;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_rustls::rustls;
use tracing::{debug, info, warn};

/// A server that is bound to its addresses and ready to [`serve`](Self::serve).
#[derive(Debug)]
pub struct Server<H> {
    listeners: Vec<Listener>,
    shared: Arc<Shared<H>>,
    shutdown: Arc<watch::Sender<Option<Instant>>>,
}

/// Puts a [`Server`] together.
#[derive(Debug)]
pub struct Builder<H> {
    config: ServerConfig,
    handler: H,
    tls: Option<Arc<rustls::ServerConfig>>,
    sources: Vec<(Source, Security, bool)>,
}

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// The address, with the port that was given for port 0.
    pub address: SocketAddr,
    /// How connections to it are protected.
    pub security: Security,
    /// Clients speak LMTP to it.
    pub lmtp: bool,
}

/// Ends a server.
#[derive(Clone, Debug)]
pub struct ShutdownHandle {
    shutdown: Arc<watch::Sender<Option<Instant>>>,
}

/// Why a server can not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// There is no address to listen on.
    NoAddress,
    /// TLS is asked for, but there is no certificate.
    NoTls,
    /// This address can not be listened on.
    Listen(String, io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str("there is no address to listen on"),
            Self::NoTls => f.write_str("TLS is asked for, but there is no certificate"),
            Self::Listen(address, error) => write!(f, "can not listen on {address}: {error}"),
        }
    }
}

impl std::error::Error for BindError {}

impl<H: Handler> Server<H> {
    /// Begins to put a server together.
    pub fn builder(config: ServerConfig, handler: H) -> Builder<H> {
        Builder {
            config,
            handler,
            tls: None,
            sources: Vec::new(),
        }
    }

    /// Where it listens, in the order in which the addresses were given.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let endpoints = self.listeners.iter().map(|listener| listener.endpoint);
        endpoints.collect()
    }

    /// The addresses it listens on, in the order in which they were given.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        let addresses = self.listeners.iter().map(|l| l.endpoint.address);
        addresses.collect()
    }

    /// What can end this server.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle {
            shutdown: Arc::clone(&self.shutdown),
        }
    }

    /// Serves until a [`ShutdownHandle`] is used, and returns when the last
    /// session is over. Dropping the future ends everything at once.
    pub async fn serve(self) {
        let Self {
            listeners,
            shared,
            shutdown,
        } = self;
        let mut stop = pin!(session::stopped(shutdown.subscribe(), None));
        let mut sessions = JoinSet::new();
        let (mut grace, receiver) = loop {
            tokio::select! {
                stopped = &mut stop => break stopped,
                accepted = accept(&listeners) => match accepted {
                    Ok((stream, peer, endpoint)) => {
                        shared.begin(&mut sessions, stream, peer, endpoint, &shutdown);
                    }
                    Err(error) => {
                        // Out of descriptors, mostly: it passes when sessions end.
                        warn!(%error, "a connection could not be accepted");
                        sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(ended) = sessions.join_next() => reap(ended),
            }
        };
        drop(listeners);
        info!(sessions = sessions.len(), "shutting down");
        stop.set(session::stopped(receiver, Some(grace)));
        loop {
            tokio::select! {
                ended = sessions.join_next() => match ended {
                    Some(ended) => reap(ended),
                    None => return,
                },
                (earlier, receiver) = &mut stop => {
                    grace = earlier;
                    stop.set(session::stopped(receiver, Some(grace)));
                }
                () = sleep_until(grace + LAST_WORDS) => break,
            }
        }
        sessions.shutdown().await;
    }
}

/// How long sessions have at the end of the grace time to say goodbye.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl<H: Handler> Builder<H> {
    /// Listens on this address, written as `host:port`; port 0 takes any.
    ///
    /// With [`Security::StartTls`] TLS is offered but not required; passwords are
    /// not taken without it.
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>, security: Security) -> Self {
        self.sources
            .push((Source::Address(address.into()), security, false));
        self
    }

    /// Listens on this address for LMTP (RFC 2033): each recipient gets a verdict of
    /// its own. Not for port 25.
    #[must_use]
    pub fn listen_lmtp(mut self, address: impl Into<String>, security: Security) -> Self {
        self.sources
            .push((Source::Address(address.into()), security, true));
        self
    }

    /// Listens on this socket.
    #[must_use]
    pub fn listener(mut self, listener: TcpListener, security: Security) -> Self {
        self.sources
            .push((Source::Bound(listener), security, false));
        self
    }

    /// Uses this TLS configuration, such as
    /// [`tls_config_from_files`](super::tls_config_from_files) makes.
    #[must_use]
    pub fn tls(mut self, config: Arc<rustls::ServerConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Binds all addresses.
    ///
    /// # Errors
    /// [`BindError`] if one can not be bound, there is none, or TLS is asked for
    /// without a certificate.
    pub async fn bind(self) -> Result<Server<H>, BindError> {
        if self.sources.is_empty() {
            return Err(BindError::NoAddress);
        }
        let mut listeners = Vec::with_capacity(self.sources.len());
        for (source, security, lmtp) in self.sources {
            if security != Security::DangerPlaintext && self.tls.is_none() {
                return Err(BindError::NoTls);
            }
            let (name, socket) = match source {
                Source::Address(address) => {
                    let socket = listen_on(&address).await;
                    (address, socket)
                }
                Source::Bound(socket) => ("the given socket".to_owned(), Ok(socket)),
            };
            let bound = socket.and_then(|socket| Ok((socket.local_addr()?, socket)));
            let (address, socket) = bound.map_err(|error| BindError::Listen(name, error))?;
            listeners.push(Listener {
                socket,
                endpoint: Endpoint {
                    address,
                    security,
                    lmtp,
                },
            });
        }
        let connections = Connections::new(
            self.config.max_connections,
            self.config.max_connections_per_peer,
        );
        let lender = Lender::new(self.config.command_line);
        Ok(Server {
            listeners,
            shared: Arc::new(Shared {
                handler: self.handler,
                config: self.config,
                tls: self.tls,
                connections,
                lender,
            }),
            shutdown: Arc::new(watch::Sender::new(None)),
        })
    }
}

impl ShutdownHandle {
    /// Ends the server: no connection is accepted any more, idle sessions end
    /// with 421. A session in a transaction can finish it within the grace time,
    /// then it gets 421, too. Another call can only make the time shorter.
    pub fn shutdown(&self, grace: Duration) {
        let end = Instant::now() + grace;
        self.shutdown.send_modify(|at| {
            *at = Some(at.map_or(end, |before| before.min(end)));
        });
    }
}

/// Connections that the kernel completes while we have not accepted them yet; it takes less where its own limit is less.
/// With the 128 of the standard library a burst of connections waits a second and more for its next SYN.
const BACKLOG: u32 = 4096;

/// Binds the first address that can be had, as `TcpListener::bind` does, with a longer backlog.
async fn listen_on(address: &str) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for address in lookup_host(address).await? {
        let bound = (|| {
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4()?,
                SocketAddr::V6(_) => TcpSocket::new_v6()?,
            };
            #[cfg(not(windows))]
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)
        })();
        match bound {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[derive(Debug)]
enum Source {
    Address(String),
    Bound(TcpListener),
}

#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    endpoint: Endpoint,
}

/// A connection that was accepted, with what is its own. It stays in one place, in the
/// task that serves it: what is handed from one future to the next would have a place in
/// each of them.
#[derive(Debug)]
struct Accepted {
    stream: TcpStream,
    info: SessionInfo,
    security: Security,
    place: Place,
    shutdown: watch::Receiver<Option<Instant>>,
}

/// What all sessions share.
#[derive(Debug)]
struct Shared<H> {
    handler: H,
    config: ServerConfig,
    tls: Option<Arc<rustls::ServerConfig>>,
    connections: Connections,
    lender: Lender,
}

impl<H: Handler> Shared<H> {
    /// Begins a session, if there is a place for it.
    fn begin(
        self: &Arc<Self>,
        sessions: &mut JoinSet<()>,
        stream: TcpStream,
        peer: SocketAddr,
        endpoint: Endpoint,
        shutdown: &watch::Sender<Option<Instant>>,
    ) {
        let place = match self.config.is_proxy(peer.ip()) {
            true => self.connections.admit_balancer(),
            false => self.connections.admit(peer.ip()),
        };
        let Some(place) = place.or_else(|| self.connections.turn_away()) else {
            debug!(%peer, "too many connections, dropped");
            return;
        };
        let id = match random::token() {
            Ok(id) => id,
            Err(error) => {
                warn!(%error, "a connection was dropped");
                return;
            }
        };
        let local = stream.local_addr().unwrap_or(endpoint.address);
        // Without it replies are only later.
        let _ = stream.set_nodelay(true);
        let mut info = SessionInfo::new(id, peer, local);
        info.lmtp = endpoint.lmtp;
        let mut accepted = Accepted {
            stream,
            info,
            security: endpoint.security,
            place,
            shutdown: shutdown.subscribe(),
        };
        let shared = Arc::clone(self);
        sessions.spawn(async move { shared.session(&mut accepted).await });
    }

    async fn session(&self, accepted: &mut Accepted) {
        let Accepted {
            stream,
            info,
            security,
            place,
            shutdown,
        } = accepted;
        let mut refuse = place.is_for_refusal();
        if self.config.is_proxy(info.peer.ip()) {
            let limit = Duration::from_millis(self.config.timeouts.handshake.into());
            let header = tokio::select! {
                header = timeout(limit, read_header(stream)) => header,
                _ = session::stopped(shutdown.clone(), None) => return,
            };
            match header {
                Ok(Ok(proxied)) => {
                    info.proxied(&proxied);
                    if let Proxied::Client(_) = proxied {
                        refuse |= !self.connections.count_for(place, info.peer.ip());
                    }
                }
                Ok(Err(error)) => {
                    warn!(balancer = %info.peer, %error, "dropped: no PROXY header");
                    return;
                }
                Err(_) => {
                    warn!(balancer = %info.peer, "dropped: the PROXY header did not come");
                    return;
                }
            }
        }
        let setup = Setup {
            handler: &self.handler,
            config: &self.config,
            security: *security,
            tls: self.tls.as_ref(),
            lender: &self.lender,
            refuse,
        };
        session::run(&setup, stream, info, shutdown).await;
    }
}

/// The next connection to any of the listeners.
async fn accept(listeners: &[Listener]) -> io::Result<(TcpStream, SocketAddr, Endpoint)> {
    poll_fn(|cx| {
        for listener in listeners {
            if let Poll::Ready(accepted) = listener.socket.poll_accept(cx) {
                return Poll::Ready(
                    accepted.map(|(stream, peer)| (stream, peer, listener.endpoint)),
                );
            }
        }
        Poll::Pending
    })
    .await
}

fn reap(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        warn!("a session ended by a panic of the handler");
    }
}
