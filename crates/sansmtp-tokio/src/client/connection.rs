//! One connection: setting the session up, a transaction, the farewell.

use super::check::{Finding, StepName, Steps};
use super::connect::{Connected, connect, look_up};
use super::content::Content;
use super::error::{DialogueError, Error, SessionRefused};
use super::report::{Refused, Report};
use super::tap::Tap;
use super::tls::Tls;
use super::wire::{Failure, Stream, Told, Watch, Wire};
use crate::clock::Clock;
use crate::{channel_binding, random};
use sansmtp::Machine;
use sansmtp::client::{Client, Session};
use sansmtp::config::{Config, OwnedConfig};
use sansmtp::envelope::Envelope;
use sansmtp::error::{Error as CoreError, Stage};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

/// What all connections of a mailer need.
pub(super) struct Setup {
    pub(super) config: OwnedConfig,
    /// `None` only where the configuration uses no TLS.
    pub(super) tls: Option<Tls>,
    pub(super) taps: Vec<Arc<dyn Tap>>,
}

/// A connection between two uses.
#[derive(Debug)]
pub(super) struct Connection {
    wire: Wire,
    session: Session,
    line: Box<[u8]>,
    number: u64,
    ready: bool,
    /// Transactions so far.
    pub(super) messages: u32,
}

/// A message that was delivered to nobody.
pub(super) struct Undelivered {
    pub(super) error: Error,
    /// The server had not answered anything: with another connection the message
    /// can be sent without danger.
    pub(super) unheard: bool,
}

/// The longest reply line whose text is kept whole.
const LINE: usize = 4096;

impl Connection {
    /// Connects. The session is set up by [`Connection::open`].
    pub(super) async fn connect(
        setup: &Setup,
        number: u64,
        steps: &mut Steps,
    ) -> Result<Self, Error> {
        let (host, port) = (setup.config.host(), setup.config.port);
        let limit = Duration::from_millis(setup.config.timeouts.connect.into());
        let deadline = Instant::now() + limit;
        debug!(number, host, port, "connecting");
        steps.begin(StepName::Lookup);
        let addresses = look_up(host, port, deadline).await?;
        steps.found(|| Finding::Addresses(addresses.clone()));
        steps.begin(StepName::Connect);
        let Connected {
            socket,
            address,
            failed,
        } = connect(host, port, &addresses, deadline).await?;
        debug!(number, %address, "connected");
        steps.found(|| Finding::Connected { address, failed });
        let watch = Watch::new(setup.taps.clone(), number);
        watch.connected(address);
        let clock = Clock::start();
        let config = setup.config.as_config();
        let mut line = vec![0; LINE].into_boxed_slice();
        let mut client = Client::new(&config, &mut line, clock.now());
        // Without random octets there is no TLS either.
        if let Ok(entropy) = random::octets() {
            client.set_entropy(entropy);
        }
        let session = client.suspend();
        Ok(Self {
            wire: Wire::new(socket, clock, watch),
            session,
            line,
            number,
            ready: false,
            messages: 0,
        })
    }

    /// Sets the session up: greeting, EHLO, TLS, AUTH, in the order that the
    /// machine wants.
    pub(super) async fn open(
        &mut self,
        setup: &Setup,
        tls: Option<&Tls>,
        steps: &mut Steps,
    ) -> Result<(), Error> {
        let config = setup.config.as_config();
        let mut client = Client::resume(self.session, &config, &mut self.line, None, None);
        let result = open(
            &mut self.wire,
            &mut client,
            &config,
            tls,
            steps,
            self.number,
        )
        .await;
        // The output held credentials.
        self.wire.clear_output();
        self.ready = client.is_ready();
        self.session = client.suspend();
        result
    }

    /// Sends one message.
    pub(super) async fn transact(
        &mut self,
        setup: &Setup,
        envelope: &Envelope<'_>,
        content: &mut Content<'_>,
    ) -> Result<Report, Undelivered> {
        let config = setup.config.as_config();
        let mut client = Client::resume(self.session, &config, &mut self.line, None, None);
        self.ready = false;
        self.messages = self.messages.saturating_add(1);
        let result = transact(&mut self.wire, &mut client, &config, envelope, content).await;
        self.ready = client.is_ready();
        self.session = client.suspend();
        result
    }

    /// Says goodbye and closes. What goes wrong here harms nobody.
    pub(super) async fn farewell(mut self, setup: &Setup) {
        let config = setup.config.as_config();
        let mut client = Client::resume(self.session, &config, &mut self.line, None, None);
        if client.quit(self.wire.clock.now()).is_err() {
            return;
        }
        let deadline = Instant::now() + Duration::from_millis(config.timeouts.quit.into());
        let mut nothing = Content::bytes(b"");
        while let Ok(told) = self.wire.next(&mut client, &mut nothing).await {
            if matches!(told, Told::Closed) {
                break;
            }
        }
        let _ = timeout_at(deadline, self.wire.stream.shutdown()).await;
        debug!(number = self.number, "closed");
    }

    /// Whether another message can be sent over it.
    pub(super) fn is_ready(&self) -> bool {
        self.ready && self.wire.is_quiet()
    }

    /// Whether the server has closed it, or said something, while it was idle.
    pub(super) fn has_stirred(&mut self) -> bool {
        self.wire.has_stirred()
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

async fn open(
    wire: &mut Wire,
    client: &mut Client<'_>,
    config: &Config<'_>,
    tls: Option<&Tls>,
    steps: &mut Steps,
    number: u64,
) -> Result<(), Error> {
    let host = config.host.as_str();
    let mut nothing = Content::bytes(b"");
    steps.begin(StepName::Greeting);
    loop {
        let told = wire
            .next(client, &mut nothing)
            .await
            .map_err(|failure| broken_off(host, failure, None))?;
        match told {
            Told::Reply { stage, reply } => match stage {
                Stage::Greeting => {
                    steps.found(|| Finding::Greeting(reply));
                    steps.begin(StepName::Hello);
                }
                Stage::Hello => {
                    steps.found(|| Finding::Capabilities(*client.capabilities()));
                    steps.begin(match client.stage() {
                        Stage::StartTls => StepName::StartTls,
                        Stage::Auth => StepName::Auth,
                        _ => StepName::Hello,
                    });
                }
                _ => {}
            },
            Told::TlsDue => {
                if steps.is_at(StepName::StartTls) {
                    steps.found(|| Finding::StartTls);
                }
                steps.begin(StepName::Tls);
                let info = shake_hands(wire, client, config, tls).await?;
                debug!(number, version = info.version, "TLS established");
                steps.found(|| Finding::Tls(info));
                steps.begin(match client.stage() {
                    Stage::Greeting => StepName::Greeting,
                    _ => StepName::Hello,
                });
            }
            Told::Ready => {
                debug!(number, "session ready");
                steps.found(|| match client.mechanism() {
                    Some(mechanism) => Finding::Authenticated(mechanism),
                    None => Finding::Capabilities(*client.capabilities()),
                });
                return Ok(());
            }
            Told::Refused { stage, reply, .. } => {
                return Err(Error::SessionRefused(Box::new(SessionRefused {
                    host: host.to_owned(),
                    refused: Refused::new(host, stage, reply),
                })));
            }
            _ => return Err(broken_off(host, unexpected(client), None)),
        }
    }
}

/// Does the TLS handshake before the machine's deadline.
async fn shake_hands(
    wire: &mut Wire,
    client: &mut Client<'_>,
    config: &Config<'_>,
    tls: Option<&Tls>,
) -> Result<super::TlsInfo, Error> {
    let host = config.host.as_str();
    // What was said in the clear counts no more.
    wire.clear();
    let (Stream::Plain(socket), Some(tls)) =
        (std::mem::replace(&mut wire.stream, Stream::Gone), tls)
    else {
        return Err(broken_off(host, unexpected(client), None));
    };
    let handshake = tls.handshake(host, config.port, socket);
    let (stream, info) = match client.poll_timeout() {
        None => handshake.await?,
        Some(deadline) => match timeout_at(wire.clock.at(deadline), handshake).await {
            Ok(done) => done?,
            Err(_) => {
                let error = match client.handle_timeout(wire.clock.now()) {
                    Err(error) => error,
                    Ok(()) => CoreError::Timeout {
                        stage: Stage::StartTls,
                        outcome_unknown: false,
                    },
                };
                return Err(broken_off(host, Failure::Dialogue(error, None), None));
            }
        },
    };
    let binding = channel_binding::exporter(stream.get_ref().1).or_else(|| {
        let certificate = info.certificates.first()?;
        channel_binding::end_point(certificate)
    });
    wire.stream = Stream::Tls(Box::new(stream));
    client
        .tls_established(wire.clock.now())
        .map_err(|error| broken_off(host, Failure::Dialogue(error, None), None))?;
    if let Some(binding) = binding {
        client.set_channel_binding(binding);
    }
    wire.tap_tls();
    Ok(info)
}

async fn transact<'c>(
    wire: &mut Wire,
    client: &mut Client<'c>,
    config: &Config<'_>,
    envelope: &'c Envelope<'c>,
    content: &mut Content<'_>,
) -> Result<Report, Undelivered> {
    let host = config.host.as_str();
    let mut report = Report::new(host, envelope);
    if let Err(error) = client.submit(envelope, wire.clock.now()) {
        return Err(Undelivered {
            error: broken_off(host, Failure::Dialogue(error, None), Some(report)),
            unheard: false,
        });
    }
    let mut unheard = true;
    let mut refused_before = None;
    loop {
        let told = match wire.next(client, content).await {
            Ok(told) => told,
            Err(failure) => {
                let unknown =
                    matches!(&failure, Failure::Dialogue(error, _) if error.outcome_unknown());
                if unknown {
                    report.unknown();
                }
                // A peer that breaks the protocol would do it again.
                let lost = matches!(
                    &failure,
                    Failure::Dialogue(CoreError::Closed { .. } | CoreError::Timeout { .. }, _)
                );
                return Err(Undelivered {
                    error: broken_off(host, failure, Some(report)),
                    unheard: unheard && lost && !unknown,
                });
            }
        };
        match told {
            Told::Reply { .. } => {}
            Told::Sender { outcome, reply } => {
                refused_before = outcome.map(|outcome| (outcome, reply));
            }
            Told::ChunkRefused { outcome, reply } => {
                refused_before = outcome.map(|outcome| (outcome, reply));
            }
            Told::Recipient {
                index,
                outcome,
                reply,
            } => report.answered(index, outcome, reply),
            Told::Delivered { reply } => {
                debug!(%reply, "message taken");
                report.taken(reply);
                return Ok(report);
            }
            Told::NotDelivered { stage, refused } => {
                report.failed(stage, refused.or(refused_before));
                return Err(Undelivered {
                    error: Error::NotDelivered(Box::new(report)),
                    unheard: false,
                });
            }
            Told::Refused {
                stage,
                outcome,
                reply,
            } => {
                report.failed(stage, outcome.map(|outcome| (outcome, reply)));
                return Err(Undelivered {
                    error: Error::NotDelivered(Box::new(report)),
                    unheard,
                });
            }
            Told::TlsDue | Told::Ready | Told::Closed => {
                return Err(Undelivered {
                    error: broken_off(host, unexpected(client), Some(report)),
                    unheard: false,
                });
            }
        }
        unheard = false;
    }
}

/// The machine said what can not come here.
fn unexpected(client: &Client<'_>) -> Failure {
    let error = client.error().unwrap_or(CoreError::Closed {
        stage: client.stage(),
        outcome_unknown: client.outcome_unknown(),
    });
    Failure::Dialogue(error, Some(io::ErrorKind::NotConnected.into()))
}

fn broken_off(host: &str, failure: Failure, report: Option<Report>) -> Error {
    match failure {
        Failure::Content(error) => Error::Content(error),
        Failure::Dialogue(error, io) => Error::Dialogue(Box::new(DialogueError {
            host: host.to_owned(),
            error,
            io,
            report,
        })),
    }
}
