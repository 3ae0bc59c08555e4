//! A mail over connections of any stack, with bounded retry.

use crate::content::Content;
use crate::delivery::Delivery;
use crate::failure::{Failure, Reason};
use crate::report::Report;
use crate::retry::Retry;
use crate::stream::{Clock, deliver, within};
use embedded_io_async::{Read, Write};

/// Makes connections: the TCP of the program.
///
/// An implementation for embassy-net makes a `TcpSocket` with buffers that it owns, looks the host up by
/// `Stack::dns_query`, and connects.
pub trait Connect {
    /// A connection.
    type Transport<'t>: Read + Write
    where
        Self: 't;

    /// Connects to the host, a name or an address. The time limit of the configuration
    /// ([`Timeouts::connect`](sansmtp::config::Timeouts::connect)) is kept by the caller: the future is then dropped.
    ///
    /// # Errors
    /// [`Reason::NameNotResolved`] or [`Reason::NotConnected`].
    fn connect(
        &mut self,
        host: &str,
        port: u16,
    ) -> impl Future<Output = Result<Self::Transport<'_>, Reason>>;

    /// Ends a connection. `in_peace`: everything was said, and should still reach the server; else nothing
    /// more may reach it, or a message that was cut off could look complete. The default drops the transport.
    fn close<'t>(transport: Self::Transport<'t>, in_peace: bool) -> impl Future<Output = ()>
    where
        Self: 't,
    {
        let _ = in_peace;
        drop(transport);
        async {}
    }
}

/// Sends a mail without TLS, and tries again as `retry` says, but never when the mail may have arrived.
///
/// `tls::Tls::send` does the same with TLS.
pub async fn send<C: Content>(
    delivery: &mut Delivery<'_, C>,
    connect: &mut impl Connect,
    retry: Retry,
    clock: &impl Clock,
) -> Report {
    send_by(
        delivery,
        connect,
        retry,
        clock,
        async |delivery, transport| {
            deliver(delivery, transport, clock).await;
        },
    )
    .await
}

/// [`send`], with the way to use a connection given.
pub(crate) async fn send_by<'d, C: Content, N: Connect>(
    delivery: &mut Delivery<'d, C>,
    connect: &mut N,
    retry: Retry,
    clock: &impl Clock,
    mut talk: impl AsyncFnMut(&mut Delivery<'d, C>, &mut N::Transport<'_>),
) -> Report {
    let mut attempts = 0_u8;
    loop {
        attempts = attempts.saturating_add(1);
        let config = delivery.config();
        let deadline = clock.now().after(config.timeouts.connect);
        let connection = connect.connect(config.host.as_str(), config.port);
        let result = match within(clock, Some(deadline), connection).await {
            None => Err(Failure::before_content(Reason::NotConnected)),
            Some(Err(reason)) => Err(Failure::before_content(reason)),
            Some(Ok(mut transport)) => {
                talk(delivery, &mut transport).await;
                let lost = Failure::before_content(Reason::NotConnected);
                let result = delivery.verdict().unwrap_or(Err(lost));
                N::close(transport, result.is_ok()).await;
                result
            }
        };
        match (result, retry.pause_after(attempts)) {
            (Err(failure), Some(pause)) if failure.may_retry() => {
                clock.until(clock.now().after(pause)).await;
            }
            _ => return Report { attempts, result },
        }
    }
}
