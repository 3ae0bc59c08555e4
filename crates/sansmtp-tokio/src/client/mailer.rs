//! The public face of the client.

use super::check::Check;
use super::connection::Setup;
use super::content::Content;
use super::error::Error;
use super::parts::Parts;
use super::pool::{Pool, PoolConfig};
use super::report::Report;
use super::series::Series;
use super::tap::Tap;
use super::tls::Tls;
use super::transcript::Masked;
use crate::saslprep;
use crate::{clock, random};
use sansmtp::config::{OwnedConfig, Security};
use sansmtp::envelope::Envelope;
use sansmtp::message::{Mail, MailError};
use sansmtp::transcript::Entry;
use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Sends messages to one server, over connections that it keeps for the next
/// message.
///
/// It is cheap to clone, and all clones share the connections. Any number of
/// messages can be sent at the same time. When the last clone is dropped, idle
/// connections are closed without QUIT; [`Mailer::close`] is politer.
///
/// It must be used inside one tokio runtime, with time and I/O enabled.
#[derive(Clone)]
pub struct Mailer {
    pool: Arc<Pool>,
}

/// Sets up a [`Mailer`].
#[must_use]
pub struct Builder {
    config: OwnedConfig,
    tls: Option<Tls>,
    pool: PoolConfig,
    taps: Vec<Arc<dyn Tap>>,
}

impl Mailer {
    /// A mailer with the usual trusted certificates: those of the platform, or
    /// Mozilla's list if only that feature is on. No connection is made yet.
    ///
    /// # Errors
    /// [`Error::TrustRoots`] if TLS is wanted and the trusted certificates can not
    /// be used.
    pub fn new(config: OwnedConfig) -> Result<Self, Error> {
        Self::builder(config).build()
    }

    /// A mailer with further wishes.
    pub fn builder(config: OwnedConfig) -> Builder {
        Builder {
            config,
            tls: None,
            pool: PoolConfig::default(),
            taps: Vec::new(),
        }
    }

    /// Sends a message.
    ///
    /// `content` is the message with its headers: `&[u8]`, `&str`, a composed
    /// [`Message`](sansmtp::message::Message), or a [`Content`] that is read while
    /// it is sent. Where the envelope does not state the size, and the content's
    /// length is known, that is declared; octets in memory that are not ASCII are
    /// declared as 8BITMIME, and so is what a reader gives, which nobody has seen
    /// ([`Content::reader`]).
    ///
    /// Where the server takes fewer recipients at once (LIMITS, RFC 9422, or 452 for
    /// those over its limit), the message goes out in several transactions, over new
    /// connections if need be, and the report is one. A reader can not be read twice:
    /// if a session of its own does not do, such a message is refused with
    /// [`Requirement::Recipients`] before anything is sent, or the rest of the
    /// recipients reported as refused.
    ///
    /// [`Requirement::Recipients`]: sansmtp::error::Requirement::Recipients
    ///
    /// If a connection that was kept turns out to be lost before the server has
    /// answered anything, the message is sent over a new one. It is never sent
    /// again after that.
    ///
    /// If the future is dropped, the connection is closed. A message whose final
    /// dot had been sent by then may have been accepted or not.
    ///
    /// # Errors
    /// The message was delivered to nobody, or it is not known whether it was
    /// ([`Error::outcome_unknown`]). A message that the server took with 250 for at
    /// least one recipient is `Ok`: look at [`Report::all_delivered`].
    pub async fn send<'a>(
        &self,
        envelope: &Envelope<'_>,
        content: impl Into<Content<'a>>,
    ) -> Result<Report, Error> {
        let mut content = content.into();
        let mut envelope = *envelope;
        content.declare(&mut envelope);
        let pool = &self.pool;
        let mut lease = pool.lease().await?;
        loop {
            let connection = &mut lease.connection;
            if !connection.admits_all(&pool.setup, &envelope) {
                if content.is_repeatable() {
                    let all = (0..envelope.recipients.len()).collect();
                    return Parts::new(pool, &envelope).send(lease, content, all).await;
                }
                if lease.was_used() {
                    // A session that has just begun may take them.
                    lease = pool.renew(lease).await?;
                    continue;
                }
            }
            let used = lease.was_used();
            let connection = &mut lease.connection;
            let sent = connection.send(&pool.setup, &envelope, &mut content);
            match sent.await {
                Err(lost) if lost.unheard && used && content.rewind() => {
                    lease = pool.replace(lease).await?;
                }
                Ok(report) if content.is_repeatable() => {
                    let rest = report.over_limit();
                    if rest.is_empty() {
                        pool.give_back(lease);
                        return Ok(report);
                    }
                    let mut parts = Parts::new(pool, &envelope);
                    parts.begin_with(report);
                    return parts.send(lease, content, rest).await;
                }
                result => {
                    pool.give_back(lease);
                    return result.map_err(|lost| lost.error);
                }
            }
        }
    }

    /// Sends many messages, one after the other over one connection at a time, and
    /// tells for each what became of it: its number, from 0, and what
    /// [`Mailer::send`] would return.
    ///
    /// Where the server offers PIPELINING, the next envelope leaves together with
    /// the content of the message before, so that a message costs one round trip.
    /// Messages are taken from the iterator one at a time, and told of in their
    /// order; the end of a message may wait until the iterator has given the next,
    /// so it should not block. To use several connections, send from several tasks.
    ///
    /// If the future is dropped, the connection is closed. A message that was taken
    /// from the iterator and not told of may have been accepted or not.
    pub async fn send_all<'m>(
        &self,
        messages: impl IntoIterator<Item = (Envelope<'m>, Content<'m>)>,
        told: impl FnMut(usize, Result<Report, Error>),
    ) {
        let mut series = Series::new(&self.pool, told);
        for (envelope, content) in messages {
            series.send(envelope, content).await;
        }
        series.finish().await;
    }

    /// Composes a mail and sends it to everybody in To, Cc and Bcc, dated now.
    ///
    /// Attachments must be in memory. For streamed ones, and for wishes that the
    /// envelope has beyond addresses, use [`Mail::check`] with [`Mailer::send`].
    ///
    /// # Errors
    /// [`Error::Mail`] names the part of the mail that is not valid; else as
    /// [`Mailer::send`].
    pub async fn send_mail(&self, mail: &Mail) -> Result<Report, Error> {
        let checked = mail.check().map_err(Error::Mail)?;
        let envelope = checked.envelope().map_err(Error::Mail)?;
        let entropy = random::octets().map_err(Error::Content)?;
        let date = clock::date()
            .ok_or_else(|| Error::Content(io::Error::other("the system's clock is before 1970")))?;
        let message = checked
            .message(date, entropy)
            .map_err(|error| Error::Mail(MailError::Message(error)))?;
        self.send(&envelope, &message).await
    }

    /// Goes through all steps of a session, on a connection of its own, and sends
    /// no mail: name look-up, connect, greeting, EHLO, TLS, AUTH, QUIT.
    pub async fn check(&self) -> Check {
        Check::run(&self.pool.setup, self.pool.next_number()).await
    }

    /// Takes no more messages, says QUIT on idle connections and waits until that
    /// is done, at most for the time limit of QUIT. Messages that are under way are
    /// still sent, those that wait for a connection are not
    /// ([`Error::MailerClosed`]).
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The configuration.
    pub fn config(&self) -> &OwnedConfig {
        &self.pool.setup.config
    }
}

impl Builder {
    /// Whose certificates are trusted.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How many connections there are and how long they live.
    pub fn pool(mut self, pool: PoolConfig) -> Self {
        self.pool = pool;
        self
    }

    /// Who gets a transcript of all dialogues, line by line: the number of the
    /// connection, and the line. Secrets are masked and content is left out. It is
    /// called from the tasks that send, and must not block.
    pub fn transcript(self, sink: impl Fn(u64, Entry<'_>) + Send + Sync + 'static) -> Self {
        self.tap(Arc::new(Masked::new(sink)))
    }

    /// Who watches the dialogue as it is; there may be several. The octets hold
    /// passwords: see [`Tap`].
    pub fn tap(mut self, tap: Arc<dyn Tap>) -> Self {
        self.taps.push(tap);
        self
    }

    /// The mailer.
    ///
    /// # Errors
    /// [`Error::TrustRoots`] if TLS is wanted and the trusted certificates can not
    /// be used.
    pub fn build(mut self) -> Result<Mailer, Error> {
        let credentials = self.config.credentials.take();
        self.config.credentials = credentials.map(|credentials| {
            credentials.prepared_by(|text| saslprep::prepare(text).map(Cow::into_owned))
        });
        let tls = match (self.tls, self.config.security) {
            (Some(tls), _) => Some(tls),
            (None, Security::DangerPlaintext) => None,
            (None, Security::ImplicitTls | Security::StartTls) => Some(Tls::by_default()?),
        };
        let setup = Setup {
            host: self.config.host().into(),
            config: self.config,
            tls,
            taps: self.taps,
        };
        Ok(Mailer {
            pool: Arc::new(Pool::new(setup, self.pool)),
        })
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("config", self.config())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
