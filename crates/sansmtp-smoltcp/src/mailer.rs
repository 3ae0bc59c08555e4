//! One mail, with bounded retry.

use crate::content::Content;
use crate::delivery::Delivery;
use crate::exchange::{Dialogue, exchange};
use crate::failure::{Failure, Reason};
use crate::peer::{LookUp, NotFound, Peer};
use crate::report::Report;
use crate::retry::Retry;
use sansmtp::Instant;
use sansmtp::config::Security;
use sansmtp::envelope::Outcome;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::wire::IpAddress;

/// Milliseconds that the connection may take to end after the goodbye.
const LINGER: u32 = 2_000;

/// Sends one mail and tries again as [`Retry`] says, but never when the mail may have arrived.
///
/// Poll it after each poll of the interface. It has the TCP socket for itself until it
/// [`is_idle`](Self::is_idle).
pub struct Mailer<'m, 'c, C> {
    delivery: &'m mut Delivery<'c, C>,
    peer: Peer,
    tcp: SocketHandle,
    retry: Retry,
    local_port: u16,
    look_up: LookUp,
    phase: Phase,
    attempts: u8,
    reported: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The next attempt is due at this time.
    Waiting(Instant),
    Resolving {
        deadline: Instant,
    },
    Connecting {
        deadline: Instant,
    },
    Talking,
    Closing {
        deadline: Instant,
    },
    Idle,
}

impl<C> core::fmt::Debug for Mailer<'_, '_, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Mailer")
            .field("peer", &self.peer)
            .field("phase", &self.phase)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl<'m, 'c, C: Content> Mailer<'m, 'c, C> {
    /// A mail that is sent through the socket `tcp`, as soon as the mailer is polled.
    ///
    /// `random` chooses the local port: another number for each mail and each start of the device, or a
    /// server that remembers the last connection can refuse the new one.
    pub fn new(
        delivery: &'m mut Delivery<'c, C>,
        peer: Peer,
        tcp: SocketHandle,
        retry: Retry,
        random: u16,
    ) -> Self {
        Self {
            delivery,
            peer,
            tcp,
            retry,
            local_port: random,
            look_up: LookUp::default(),
            phase: Phase::Waiting(Instant::from_millis(0)),
            attempts: 0,
            reported: false,
        }
    }

    /// Does what can be done now. Returns the report once, as soon as it is known; the goodbye may still
    /// be under way then.
    pub fn poll(
        &mut self,
        now: Instant,
        interface: &mut Interface,
        sockets: &mut SocketSet<'_>,
    ) -> Option<Report> {
        match self.phase {
            Phase::Waiting(until) if now >= until => self.start(now, interface, sockets),
            Phase::Waiting(_) | Phase::Idle => None,
            Phase::Resolving { deadline } => self.resolve(now, deadline, interface, sockets),
            Phase::Connecting { deadline } => {
                let socket = sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
                if socket.may_send() {
                    self.delivery.restart(now);
                    self.phase = Phase::Talking;
                    return self.talk(now, sockets);
                }
                if socket.is_active() && now < deadline {
                    return None;
                }
                socket.abort();
                self.give_up(now, Failure::before_content(Reason::NotConnected))
            }
            Phase::Talking => self.talk(now, sockets),
            Phase::Closing { deadline } => {
                let socket = sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
                let ended = has_ended(socket);
                if !ended && now >= deadline {
                    socket.abort();
                }
                if ended || now >= deadline {
                    self.phase = Phase::Idle;
                }
                None
            }
        }
    }

    /// When it is to be polled at the latest, besides after each poll of the interface that changed
    /// something.
    pub fn poll_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting(at)
            | Phase::Resolving { deadline: at }
            | Phase::Connecting { deadline: at }
            | Phase::Closing { deadline: at } => Some(at),
            Phase::Talking => self.delivery.poll_timeout(),
            Phase::Idle => None,
        }
    }

    /// Whether everything is done and the socket is free.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// What became of each recipient in the latest attempt.
    pub fn outcomes(&self) -> &[Outcome] {
        self.delivery.outcomes()
    }

    fn start(
        &mut self,
        now: Instant,
        interface: &mut Interface,
        sockets: &mut SocketSet<'_>,
    ) -> Option<Report> {
        self.attempts = self.attempts.saturating_add(1);
        if self.delivery.config().security != Security::DangerPlaintext {
            return self.give_up(now, Failure::before_content(Reason::NoTls));
        }
        let deadline = now.after(self.delivery.config().timeouts.connect);
        self.phase = Phase::Resolving { deadline };
        self.resolve(now, deadline, interface, sockets)
    }

    fn resolve(
        &mut self,
        now: Instant,
        deadline: Instant,
        interface: &mut Interface,
        sockets: &mut SocketSet<'_>,
    ) -> Option<Report> {
        let host = self.delivery.config().host.as_str();
        let turn = self.attempts.saturating_sub(1);
        match self
            .peer
            .look_up(&mut self.look_up, host, turn, interface, sockets)
        {
            Ok(Some(address)) => self.connect(now, deadline, address, interface, sockets),
            Ok(None) if now < deadline => None,
            Ok(None) | Err(NotFound) => {
                self.peer.cancel(&mut self.look_up, sockets);
                self.give_up(now, Failure::before_content(Reason::NameNotResolved))
            }
        }
    }

    fn connect(
        &mut self,
        now: Instant,
        deadline: Instant,
        address: IpAddress,
        interface: &mut Interface,
        sockets: &mut SocketSet<'_>,
    ) -> Option<Report> {
        let socket = sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
        self.local_port = self.local_port.wrapping_add(1);
        let remote = (address, self.delivery.config().port);
        if open(socket, interface, remote, self.local_port) {
            self.phase = Phase::Connecting { deadline };
            None
        } else {
            self.give_up(now, Failure::before_content(Reason::NotConnected))
        }
    }

    fn talk(&mut self, now: Instant, sockets: &mut SocketSet<'_>) -> Option<Report> {
        let socket = sockets.get_mut::<tcp::Socket<'_>>(self.tcp);
        exchange(self.delivery, now, socket);
        let verdict = self.delivery.verdict();
        if self.delivery.is_over() {
            // After a failure nothing more must reach the server: a message cut off here must not look
            // complete.
            match verdict {
                Some(Ok(())) => socket.close(),
                _ => socket.abort(),
            }
            self.phase = Phase::Closing {
                deadline: now.after(LINGER),
            };
        }
        match verdict {
            Some(Ok(())) => self.report(Ok(())),
            Some(Err(failure)) if self.delivery.is_over() => self.give_up(now, failure),
            _ => None,
        }
    }

    /// An attempt failed: waits for the next one, or reports.
    fn give_up(&mut self, now: Instant, failure: Failure) -> Option<Report> {
        let pause = self.retry.pause_after(self.attempts);
        if let Some(pause) = pause.filter(|_| failure.may_retry()) {
            self.phase = Phase::Waiting(now.after(pause));
            return None;
        }
        self.phase = Phase::Idle;
        self.report(Err(failure))
    }

    fn report(&mut self, result: Result<(), Failure>) -> Option<Report> {
        let first = !core::mem::replace(&mut self.reported, true);
        first.then_some(Report {
            attempts: self.attempts,
            result,
        })
    }
}

/// Whether both sides ended the connection, so that nothing more has to be sent.
pub(crate) fn has_ended(socket: &tcp::Socket<'_>) -> bool {
    matches!(socket.state(), tcp::State::Closed | tcp::State::TimeWait)
}

/// Starts a connection; `random` chooses the local port.
pub(crate) fn open(
    socket: &mut tcp::Socket<'_>,
    interface: &mut Interface,
    remote: (IpAddress, u16),
    random: u16,
) -> bool {
    socket.abort();
    // A flight leaves at once.
    socket.set_nagle_enabled(false);
    // The dynamic ports (RFC 6335, section 6).
    let local_port = 0xC000 | random;
    socket
        .connect(interface.context(), remote, local_port)
        .is_ok()
}
