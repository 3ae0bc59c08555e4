//! One mail through TLS over a smoltcp socket, with bounded retry.

use crate::connect::Connect;
use crate::content::Content;
use crate::delivery::Delivery;
use crate::failure::Reason;
use crate::mailer::{has_ended, open};
use crate::peer::{LookUp, NotFound, Peer};
use crate::report::Report;
use crate::retry::Retry;
use crate::stream::Clock;
use crate::tls::Tls;
use core::cell::RefCell;
use core::future::poll_fn;
use core::task::Poll;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use rand_core::CryptoRngCore;
use sansmtp::Instant;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::wire::IpAddress;

/// Milliseconds that the connection may take to end after the goodbye.
const LINGER: u32 = 2_000;

/// The network stack of the program, which the mailer shares with the loop that polls it.
pub trait Stack {
    /// Lends the interface and the sockets.
    fn lend<T>(&mut self, act: impl FnOnce(&mut Interface, &mut SocketSet<'_>) -> T) -> T;
}

impl Stack for (Interface, SocketSet<'_>) {
    fn lend<T>(&mut self, act: impl FnOnce(&mut Interface, &mut SocketSet<'_>) -> T) -> T {
        act(&mut self.0, &mut self.1)
    }
}

/// Sends mail through implicit TLS or STARTTLS, and tries again as [`Retry`] says, but never when the mail
/// may have arrived.
///
/// [`send`](Self::send) is a future that registers no waker: poll it after each poll of the interface, with
/// [`poll_once`](crate::poll_once). While the stack is borrowed elsewhere, it waits.
#[derive(Debug)]
pub struct TlsMailer<'n, S> {
    stack: &'n RefCell<S>,
    tcp: SocketHandle,
    peer: Peer,
    retry: Retry,
    local_port: u16,
    /// Counts the attempts.
    turn: u8,
}

impl<'n, S: Stack> TlsMailer<'n, S> {
    /// A mailer that has the socket `tcp` for itself. `random` chooses the local port, as in
    /// [`Mailer::new`](crate::Mailer::new).
    pub const fn new(
        stack: &'n RefCell<S>,
        tcp: SocketHandle,
        peer: Peer,
        retry: Retry,
        random: u16,
    ) -> Self {
        Self {
            stack,
            tcp,
            peer,
            retry,
            local_port: random,
            turn: 0,
        }
    }

    /// Sends a mail.
    pub async fn send<C: Content, R: CryptoRngCore>(
        &mut self,
        delivery: &mut Delivery<'_, C>,
        tls: &mut Tls<'_, R>,
        clock: &impl Clock,
    ) -> Report {
        let limit = delivery.config().timeouts.connect;
        let retry = self.retry;
        let mut connector = Connector {
            mailer: self,
            clock,
            limit,
        };
        tls.send(delivery, &mut connector, retry, clock).await
    }

    async fn resolve(
        &self,
        host: &str,
        deadline: Instant,
        clock: &impl Clock,
    ) -> Result<IpAddress, Reason> {
        let mut look_up = LookUp::default();
        with(self.stack, |interface, sockets| {
            let found = self
                .peer
                .look_up(&mut look_up, host, self.turn, interface, sockets);
            if matches!(found, Ok(None)) && clock.now() >= deadline {
                self.peer.cancel(&mut look_up, sockets);
                return Poll::Ready(Err(Reason::NameNotResolved));
            }
            match found {
                Ok(Some(address)) => Poll::Ready(Ok(address)),
                Ok(None) => Poll::Pending,
                Err(NotFound) => Poll::Ready(Err(Reason::NameNotResolved)),
            }
        })
        .await
    }
}

/// Acts on the stack, again at each poll until there is a result.
async fn with<S: Stack, T>(
    stack: &RefCell<S>,
    mut act: impl FnMut(&mut Interface, &mut SocketSet<'_>) -> Poll<T>,
) -> T {
    poll_fn(|_| match stack.try_borrow_mut() {
        Ok(mut stack) => stack.lend(|interface, sockets| act(interface, sockets)),
        Err(_) => Poll::Pending,
    })
    .await
}

/// Connects the socket of a mailer.
struct Connector<'m, 'n, S, K> {
    mailer: &'m mut TlsMailer<'n, S>,
    clock: &'m K,
    /// Milliseconds that it may take.
    limit: u32,
}

impl<S: Stack, K: Clock> Connect for Connector<'_, '_, S, K> {
    type Transport<'t>
        = Transport<'t, S, K>
    where
        Self: 't;

    async fn connect(&mut self, host: &str, port: u16) -> Result<Transport<'_, S, K>, Reason> {
        let (mailer, clock) = (&mut *self.mailer, self.clock);
        // Ends by itself, and in order, before the caller's limit does.
        let deadline = clock.now().after(self.limit);
        let address = mailer.resolve(host, deadline, clock).await?;
        mailer.local_port = mailer.local_port.wrapping_add(1);
        mailer.turn = mailer.turn.wrapping_add(1);
        let transport = Transport {
            stack: mailer.stack,
            tcp: mailer.tcp,
            clock,
        };
        let remote = (address, port);
        let opened = with(mailer.stack, |interface, sockets| {
            let socket = sockets.get_mut(mailer.tcp);
            Poll::Ready(open(socket, interface, remote, mailer.local_port))
        });
        if !opened.await {
            return Err(Reason::NotConnected);
        }
        let connected = transport.with(|socket| match socket.may_send() {
            true => Poll::Ready(true),
            false if socket.is_active() && clock.now() < deadline => Poll::Pending,
            false => {
                socket.abort();
                Poll::Ready(false)
            }
        });
        match connected.await {
            true => Ok(transport),
            false => Err(Reason::NotConnected),
        }
    }

    async fn close<'t>(transport: Transport<'t, S, K>, in_peace: bool)
    where
        Self: 't,
    {
        let clock = transport.clock;
        let end = clock.now().after(LINGER);
        let ended = transport.with(|socket| {
            if !in_peace || clock.now() >= end {
                socket.abort();
            }
            // Harmless again and again.
            socket.close();
            match has_ended(socket) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
        ended.await;
    }
}

/// The connected socket as a stream.
struct Transport<'n, S, K> {
    stack: &'n RefCell<S>,
    tcp: SocketHandle,
    clock: &'n K,
}

impl<S, K> ErrorType for Transport<'_, S, K> {
    type Error = ErrorKind;
}

impl<S: Stack, K> Transport<'_, S, K> {
    async fn with<T>(&self, mut act: impl FnMut(&mut tcp::Socket<'_>) -> Poll<T>) -> T {
        with(self.stack, |_, sockets| act(sockets.get_mut(self.tcp))).await
    }
}

impl<S: Stack, K> Read for Transport<'_, S, K> {
    async fn read(&mut self, out: &mut [u8]) -> Result<usize, ErrorKind> {
        self.with(|socket| {
            if socket.can_recv() {
                let read = socket.recv_slice(out);
                return Poll::Ready(read.map_err(|_| ErrorKind::NotConnected));
            }
            match socket.may_recv() && socket.is_active() {
                true => Poll::Pending,
                false => Poll::Ready(Ok(0)),
            }
        })
        .await
    }
}

impl<S: Stack, K> Write for Transport<'_, S, K> {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        self.with(|socket| match socket.may_send() {
            false => Poll::Ready(Err(ErrorKind::NotConnected)),
            true if socket.can_send() => {
                let written = socket.send_slice(octets);
                Poll::Ready(written.map_err(|_| ErrorKind::NotConnected))
            }
            true => Poll::Pending,
        })
        .await
    }

    /// The stack sends by itself.
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
