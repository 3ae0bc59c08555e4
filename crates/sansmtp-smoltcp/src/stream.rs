//! A delivery over any transport of embedded-io-async.

use crate::content::Content;
use crate::delivery::Delivery;
use crate::exchange::Dialogue;
use crate::failure::Reason;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use embedded_io_async::{Read, Write};
use sansmtp::Instant;

/// Octets that are moved at once.
const CHUNK: usize = 256;

/// The time, and how to wait for it.
pub trait Clock {
    /// Milliseconds since any origin.
    fn now(&self) -> Instant;

    /// Waits until this time; it is dropped if something happens before.
    fn until(&self, at: Instant) -> impl Future<Output = ()>;

    /// Seconds since 1970, for the validity of certificates. A device that does not know them says 0, and
    /// sees that no certificate is valid yet.
    fn unix_time(&self) -> u64;
}

/// A clock for futures that are polled by hand again and again: waiting is looking at the time.
///
/// The functions give the milliseconds since the start, and the seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct PolledClock<M, U>(pub M, pub U);

impl<M: Fn() -> Instant, U: Fn() -> u64> Clock for PolledClock<M, U> {
    fn now(&self) -> Instant {
        self.0()
    }

    async fn until(&self, at: Instant) {
        poll_fn(|_| match self.0() >= at {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    fn unix_time(&self) -> u64 {
        self.1()
    }
}

/// Polls a future once, without an executor: call it after each poll of the network, until it is ready.
pub fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Sends a mail over a fresh connection without TLS. Afterwards [`Delivery::verdict`] says what became of
/// it, and the connection can be closed.
pub async fn deliver<C: Content>(
    delivery: &mut Delivery<'_, C>,
    transport: &mut (impl Read + Write),
    clock: &impl Clock,
) {
    delivery.restart(clock.now());
    if !delivery.wants_tls() && talk(delivery, transport, clock).await.is_err() {
        delivery.receive_eof(clock.now());
    }
    if delivery.wants_tls() {
        delivery.fail(Reason::NoTls);
    }
}

/// Talks until the dialogue is over or wants TLS.
///
/// # Errors
/// That of the transport; the delivery does not know it yet.
pub(crate) async fn talk<C: Content, T: Read + Write>(
    delivery: &mut Delivery<'_, C>,
    transport: &mut T,
    clock: &impl Clock,
) -> Result<(), T::Error> {
    let mut buffer = [0; CHUNK];
    loop {
        let mut spoke = false;
        loop {
            let length = delivery.transmit(clock.now(), &mut buffer);
            let Some(octets) = buffer.get(..length).filter(|octets| !octets.is_empty()) else {
                break;
            };
            spoke = true;
            let mut rest = octets;
            while !rest.is_empty() {
                let deadline = delivery.poll_timeout();
                let Some(written) = within(clock, deadline, transport.write(rest)).await else {
                    delivery.handle_timeout(clock.now());
                    break;
                };
                rest = rest.get(written?..).unwrap_or_default();
            }
        }
        if spoke {
            let deadline = delivery.poll_timeout();
            if let Some(flushed) = within(clock, deadline, transport.flush()).await {
                flushed?;
            }
        }
        if delivery.is_over() || delivery.wants_tls() {
            return Ok(());
        }
        let deadline = delivery.poll_timeout();
        match within(clock, deadline, transport.read(&mut buffer)).await {
            None => delivery.handle_timeout(clock.now()),
            Some(Ok(0)) => delivery.receive_eof(clock.now()),
            Some(Err(error)) => return Err(error),
            Some(Ok(length)) => {
                let mut rest = buffer.get(..length).unwrap_or_default();
                while !rest.is_empty() {
                    let taken = delivery.receive(clock.now(), rest);
                    if taken == 0 {
                        break;
                    }
                    rest = rest.get(taken..).unwrap_or_default();
                }
            }
        }
    }
}

/// Waits for `future`, but not longer than until `deadline`.
pub(crate) async fn within<F: Future>(
    clock: &impl Clock,
    deadline: Option<Instant>,
    future: F,
) -> Option<F::Output> {
    let Some(deadline) = deadline else {
        return Some(future.await);
    };
    let (mut future, mut end) = (pin!(future), pin!(clock.until(deadline)));
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        end.as_mut().poll(context).map(|()| None)
    })
    .await
}
