//! A delivery through TLS: implicit, or by STARTTLS.

use super::chain::Trust;
use super::cipher::Suite;
use super::error::TlsFailure;
use super::guard::{Guard, Progress};
use super::verifier::Verifier;
use crate::connect::{Connect, send_by};
use crate::content::Content;
use crate::delivery::Delivery;
use crate::exchange::Dialogue;
use crate::failure::Reason;
use crate::report::Report;
use crate::retry::Retry;
use crate::stream::{Clock, talk, within};
use core::cell::Cell;
use embedded_io_async::{Read, Write};
use embedded_tls::{
    CryptoProvider, TLS_RECORD_OVERHEAD, TlsConfig, TlsConnection, TlsContext, TlsError,
    TlsVerifier,
};
use rand_core::CryptoRngCore;

/// What TLS needs: trust, random numbers and buffers.
#[derive(Debug)]
pub struct Tls<'a, R> {
    trust: Trust<'a>,
    random: R,
    read: &'a mut [u8],
    write: &'a mut [u8],
}

impl<'a, R: CryptoRngCore> Tls<'a, R> {
    /// `read` takes whole records of the server: 16,640 octets are always enough; 4,096 are enough for
    /// most mail servers, whose longest record holds their certificates. `write` takes one record of ours:
    /// 512 octets at least.
    ///
    /// `random` must be fit for keys: a hardware generator, or one that was seeded from one.
    pub fn new(trust: Trust<'a>, random: R, read: &'a mut [u8], write: &'a mut [u8]) -> Self {
        Self {
            trust,
            random,
            read,
            write,
        }
    }

    /// Sends a mail over a fresh connection as its configuration says: with implicit TLS, by STARTTLS, or
    /// without. Afterwards [`Delivery::verdict`] says what became of it, and the connection can be closed.
    pub async fn deliver<C: Content>(
        &mut self,
        delivery: &mut Delivery<'_, C>,
        transport: &mut (impl Read + Write),
        clock: &impl Clock,
    ) {
        delivery.restart(clock.now());
        if !delivery.wants_tls() && talk(delivery, transport, clock).await.is_err() {
            delivery.receive_eof(clock.now());
        }
        if delivery.wants_tls() {
            self.secure(delivery, transport, clock).await;
        }
    }

    /// Sends a mail over connections that `connect` makes, as its configuration says, and tries again as
    /// `retry` says, but never when the mail may have arrived.
    pub async fn send<C: Content>(
        &mut self,
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
                self.deliver(delivery, transport, clock).await;
            },
        )
        .await
    }

    async fn secure<C: Content>(
        &mut self,
        delivery: &mut Delivery<'_, C>,
        transport: &mut (impl Read + Write),
        clock: &impl Clock,
    ) {
        if self.write.len() <= TLS_RECORD_OVERHEAD {
            // The library would panic.
            return delivery.fail(Reason::Tls(TlsFailure::BufferTooSmall));
        }
        let host = delivery.config().host.as_str();
        let mut provider = Provider {
            random: &mut self.random,
            verifier: Verifier::new(self.trust, host, clock.unix_time()),
        };
        let mut config = TlsConfig::new();
        if cfg!(feature = "rsa") {
            config = config.enable_rsa_signatures();
        }
        // An address is no server name (RFC 6066, section 3).
        if !host.contains(':') && host.parse::<core::net::Ipv4Addr>().is_err() {
            config = config.with_server_name(host.strip_suffix('.').unwrap_or(host));
        }
        let progress = Cell::new(Progress::Start);
        let guard = Guard::new(transport, &progress);
        let mut connection = TlsConnection::<_, Suite>::new(guard, self.read, self.write);
        let open = connection.open(TlsContext::new(&config, &mut provider));
        let opened = within(clock, delivery.poll_timeout(), open).await;
        // The library goes on if no certificate came.
        let proven = provider.verifier.is_proven();
        let result = match (opened, provider.verifier.error()) {
            (None, _) => return delivery.handle_timeout(clock.now()),
            (Some(_), Some(error)) => {
                return delivery.fail(Reason::Tls(TlsFailure::Certificate(error)));
            }
            (Some(Err(error)), None) => Err(error),
            (Some(Ok(())), None) => {
                if let Err(error) = proven {
                    return delivery.fail(Reason::Tls(TlsFailure::Certificate(error)));
                }
                progress.set(Progress::Open);
                delivery.tls_established(clock.now());
                talk(delivery, &mut connection, clock).await
            }
        };
        if let Err(error) = result {
            match failure(error, progress.get()) {
                Some(failure) => delivery.fail(Reason::Tls(failure)),
                None => delivery.receive_eof(clock.now()),
            }
        } else if let Some(Ok(())) = delivery.verdict() {
            // close_notify; nobody waits for its effect.
            let end = clock.now().after(delivery.config().timeouts.quit);
            within(clock, Some(end), connection.close()).await;
        }
    }
}

struct Provider<'r, 'a, R> {
    random: &'r mut R,
    verifier: Verifier<'a>,
}

impl<R: CryptoRngCore> CryptoProvider for Provider<'_, '_, R> {
    type CipherSuite = Suite;
    // There is no certificate of the client.
    type Signature = [u8; 0];

    fn rng(&mut self) -> impl CryptoRngCore {
        &mut *self.random
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Suite>, TlsError> {
        Ok(&mut self.verifier)
    }
}

/// What an error of the library means; `None` for a lost connection.
fn failure(error: TlsError, progress: Progress) -> Option<TlsFailure> {
    if progress == Progress::Refused {
        return Some(TlsFailure::Broken);
    }
    Some(match error {
        TlsError::ConnectionClosed | TlsError::IoError | TlsError::Io(_) => return None,
        TlsError::HandshakeAborted(_, description) => TlsFailure::Alert(description as u8),
        TlsError::InsufficientSpace | TlsError::OutOfMemory | TlsError::EncodeError => {
            TlsFailure::BufferTooSmall
        }
        // A ServerHello that answers another question than ours: TLS 1.2, another group
        // (HelloRetryRequest), another cipher.
        _ if progress == Progress::Hello => TlsFailure::Incompatible,
        TlsError::InvalidSignatureScheme => TlsFailure::Incompatible,
        TlsError::Unimplemented => TlsFailure::NotImplemented,
        // This is what the library makes of an alert after the handshake.
        TlsError::InternalError if progress == Progress::Open => TlsFailure::Aborted,
        _ => TlsFailure::Broken,
    })
}
