//! One mail through TLS over a smoltcp socket, with bounded retry.

use crate::connect::Connect;
use crate::content::Content;
use crate::delivery::Delivery;
use crate::failure::Reason;
use crate::mailer::open;
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
/// [`poll_once`](crate::poll_once). The stack must not be borrowed meanwhile.
#[derive(Debug)]
pub struct TlsMailer<'n, S> {
    stack: &'n RefCell<S>,
    tcp: SocketHandle,
    peer: Peer,
    retry: Retry,
    local_port: u16,
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
        poll_fn(|_| {
            let found = self.with_stack(|interface, sockets| {
                let found = self.peer.look_up(&mut look_up, host, interface, sockets);
                if matches!(found, Ok(None)) && clock.now() >= deadline {
                    self.peer.cancel(&mut look_up, sockets);
                    return Err(NotFound);
                }
                found
            });
            match found {
                Ok(Some(address)) => Poll::Ready(Ok(address)),
                Ok(None) => Poll::Pending,
                Err(NotFound) => Poll::Ready(Err(Reason::NameNotResolved)),
            }
        })
        .await
    }

    fn with_stack<T>(&self, act: impl FnOnce(&mut Interface, &mut SocketSet<'_>) -> T) -> T {
        self.stack.borrow_mut().lend(act)
    }
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
        let transport = Transport {
            stack: mailer.stack,
            tcp: mailer.tcp,
            clock,
        };
        if !mailer.with_stack(|interface, sockets| {
            let socket = sockets.get_mut(mailer.tcp);
            open(socket, interface, (address, port), mailer.local_port)
        }) {
            return Err(Reason::NotConnected);
        }
        let connected = poll_fn(|_| {
            let (connected, active) = transport.with_socket(|it| (it.may_send(), it.is_active()));
            match connected {
                true => Poll::Ready(true),
                false if active && clock.now() < deadline => Poll::Pending,
                false => Poll::Ready(false),
            }
        });
        match connected.await {
            true => Ok(transport),
            false => {
                transport.with_socket(|socket| socket.abort());
                Err(Reason::NotConnected)
            }
        }
    }

    async fn close<'t>(transport: Transport<'t, S, K>, in_peace: bool)
    where
        Self: 't,
    {
        let clock = transport.clock;
        let end = clock.now().after(LINGER);
        if in_peace {
            transport.with_socket(|socket| socket.close());
            poll_fn(|_| {
                use tcp::State::{Closed, FinWait2, TimeWait};
                let state = transport.with_socket(|socket| socket.state());
                match matches!(state, Closed | FinWait2 | TimeWait) || clock.now() >= end {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
        }
        transport.with_socket(|socket| socket.abort());
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
    fn with_socket<T>(&self, act: impl FnOnce(&mut tcp::Socket<'_>) -> T) -> T {
        let mut stack = self.stack.borrow_mut();
        stack.lend(|_, sockets| act(sockets.get_mut(self.tcp)))
    }
}

impl<S: Stack, K> Read for Transport<'_, S, K> {
    async fn read(&mut self, out: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| {
            self.with_socket(|socket| {
                if socket.can_recv() {
                    let read = socket.recv_slice(out);
                    return Poll::Ready(read.map_err(|_| ErrorKind::NotConnected));
                }
                match socket.may_recv() && socket.is_active() {
                    true => Poll::Pending,
                    false => Poll::Ready(Ok(0)),
                }
            })
        })
        .await
    }
}

impl<S: Stack, K> Write for Transport<'_, S, K> {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| {
            self.with_socket(|socket| match socket.may_send() {
                false => Poll::Ready(Err(ErrorKind::NotConnected)),
                true if socket.can_send() => {
                    let written = socket.send_slice(octets);
                    Poll::Ready(written.map_err(|_| ErrorKind::NotConnected))
                }
                true => Poll::Pending,
            })
        })
        .await
    }

    /// The stack sends by itself.
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
