//! One connection: setting the session up, a transaction, the farewell.

use super::check::{Finding, StepName, Steps};
use super::connect::{Connected, connect, look_up};
use super::content::Content;
use super::draft::Draft;
use super::error::{DialogueError, Error, SessionRefused};
use super::report::{Refused, Reply, Report};
use super::tap::Tap;
use super::text::Text;
use super::tls::Tls;
use super::wire::{Failure, Stream, Told, Watch, Wire};
use crate::clock::Clock;
use crate::{channel_binding, random};
use sansmtp::Machine;
use sansmtp::capability::Extension;
use sansmtp::client::{Allowance, Client, Session};
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
    /// The server's name, for reports.
    pub(super) host: Arc<str>,
}

/// A connection between two uses.
#[derive(Debug)]
pub(super) struct Connection {
    wire: Wire,
    session: Session,
    line: Box<[u8]>,
    number: u64,
    ready: bool,
    /// The message under way.
    draft: Draft,
    /// The message before it, while its verdict is due.
    earlier: Draft,
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

/// What came of a step of a transaction.
pub(super) struct Progress {
    /// The message before, if its verdict was due.
    pub(super) earlier: Option<Result<Report, Undelivered>>,
    /// This message; `None` while its verdict is due.
    pub(super) this: Option<Result<Report, Undelivered>>,
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
            draft: Draft::default(),
            earlier: Draft::default(),
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
    pub(super) async fn send(
        &mut self,
        setup: &Setup,
        envelope: &Envelope<'_>,
        content: &mut Content<'_>,
    ) -> Result<Report, Undelivered> {
        let progress = self.transact(setup, envelope, content, false).await;
        match progress.this {
            Some(result) => result,
            None => self.settle(setup).await,
        }
    }

    /// Sends one message. With `follow` its verdict may be left to the next call, of
    /// this or of [`Connection::settle`].
    pub(super) async fn transact(
        &mut self,
        setup: &Setup,
        envelope: &Envelope<'_>,
        content: &mut Content<'_>,
        follow: bool,
    ) -> Progress {
        let config = setup.config.as_config();
        let mut declared = *envelope;
        let mut client = Client::resume(self.session, &config, &mut self.line, None, None);
        if content.is_unseen() {
            let offered = client.capabilities().has(Extension::EightBitMime);
            content.declare_unseen(&mut declared, offered);
        }
        self.messages = self.messages.saturating_add(1);
        self.ready = false;
        let mut transaction = Transaction {
            wire: &mut self.wire,
            host: &setup.host,
            draft: &mut self.draft,
            earlier: &mut self.earlier,
        };
        let progress = match transaction.submit(&mut client, &declared) {
            Ok(()) => transaction.run(&mut client, content, follow).await,
            Err(undelivered) => Progress {
                earlier: None,
                this: Some(Err(undelivered)),
            },
        };
        self.ready = client.is_ready() && !client.allowance().is_spent();
        self.session = client.suspend();
        progress
    }

    /// Waits for the verdict on the message that was sent last.
    pub(super) async fn settle(&mut self, setup: &Setup) -> Result<Report, Undelivered> {
        let config = setup.config.as_config();
        let mut client = Client::resume(self.session, &config, &mut self.line, None, None);
        let mut transaction = Transaction {
            wire: &mut self.wire,
            host: &setup.host,
            draft: &mut self.draft,
            earlier: &mut self.earlier,
        };
        let mut nothing = Content::bytes(b"");
        let progress = transaction.run(&mut client, &mut nothing, false).await;
        let settled = progress.this.unwrap_or_else(|| {
            let report = transaction.draft.finish(&setup.host);
            Err(transaction.undelivered(unexpected(&client), report, false))
        });
        self.ready = client.is_ready() && !client.allowance().is_spent();
        self.session = client.suspend();
        settled
    }

    /// The recipients, of those at these places of the envelope, that one more
    /// transaction may have.
    pub(super) fn admitted(
        &mut self,
        setup: &Setup,
        envelope: &Envelope<'_>,
        places: impl IntoIterator<Item = usize>,
    ) -> Vec<usize> {
        let mut allowance = self.allowance(setup);
        let places = places.into_iter();
        let admitted = places.filter(|place| {
            let recipient = envelope.recipients.get(*place);
            recipient.is_some_and(|recipient| allowance.admit(recipient))
        });
        admitted.collect()
    }

    /// Whether one more transaction may have all recipients.
    pub(super) fn admits_all(&mut self, setup: &Setup, envelope: &Envelope<'_>) -> bool {
        let mut allowance = self.allowance(setup);
        let mut recipients = envelope.recipients.iter();
        recipients.all(|recipient| allowance.admit(recipient))
    }

    fn allowance(&mut self, setup: &Setup) -> Allowance {
        let config = setup.config.as_config();
        Client::resume(self.session, &config, &mut self.line, None, None).allowance()
    }

    /// Says goodbye and closes; within content it can only close. What goes wrong here harms nobody.
    pub(super) async fn farewell(mut self, setup: &Setup) {
        if self.wire.is_within_content() {
            return;
        }
        let config = setup.config.as_config();
        let mut client = Client::resume(self.session, &config, &mut self.line, None, None);
        if client.quit(self.wire.clock.now()).is_err() {
            return;
        }
        let deadline = Instant::now() + Duration::from_millis(config.timeouts.quit.into());
        let mut nothing = Content::bytes(b"");
        while let Ok(told) = self.wire.next(&mut client, &mut nothing, false).await {
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
            .next(client, &mut nothing, false)
            .await
            .map_err(|failure| broken_off(host, failure, None))?;
        match told {
            Told::Reply { stage, heard } => match stage {
                Stage::Greeting => {
                    let text = wire.text();
                    steps.found(|| Finding::Greeting(Reply::new(heard, Text::whole(text))));
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
            Told::Refused { stage, heard } => {
                let reply = Reply::new(heard, Text::whole(wire.text()));
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

/// What a transaction works on.
struct Transaction<'t> {
    wire: &'t mut Wire,
    host: &'t Arc<str>,
    draft: &'t mut Draft,
    earlier: &'t mut Draft,
}

impl Transaction<'_> {
    fn submit<'c>(
        &mut self,
        client: &mut Client<'c>,
        envelope: &'c Envelope<'c>,
    ) -> Result<(), Undelivered> {
        let early = client.awaits_verdict();
        if let Err(error) = client.submit(envelope, self.wire.clock.now()) {
            let mut draft = Draft::default();
            draft.begin(envelope);
            let failure = Failure::Dialogue(error, None);
            return Err(self.undelivered(failure, draft.finish(self.host), false));
        }
        if early {
            std::mem::swap(self.draft, self.earlier);
        }
        self.draft.begin(envelope);
        Ok(())
    }

    async fn run(
        &mut self,
        client: &mut Client<'_>,
        content: &mut Content<'_>,
        follow: bool,
    ) -> Progress {
        let mut earlier = None;
        let mut unheard = true;
        let this = loop {
            let earlier_is_due = client.awaits_earlier_verdict();
            let told = match self.wire.next(client, content, follow).await {
                Ok(told) => told,
                Err(failure) if earlier_is_due => {
                    let (first, second) = self.both_lost(failure);
                    earlier = Some(Err(first));
                    break Some(Err(second));
                }
                Err(failure) => break Some(Err(self.lost(failure, unheard, earlier.is_some()))),
            };
            let text = self.wire.text();
            let draft = &mut *self.draft;
            match told {
                Told::MayFollow => break None,
                Told::Delivered { heard } if earlier_is_due => {
                    self.earlier.taken(heard, text);
                    earlier = Some(Ok(self.earlier.finish(self.host)));
                    continue;
                }
                Told::NotDelivered { stage, heard } if earlier_is_due => {
                    self.earlier.failed(stage, heard, text);
                    let report = self.earlier.finish(self.host);
                    earlier = Some(Err(not_delivered(report, false)));
                    continue;
                }
                Told::Reply { .. } => {}
                Told::Sender { heard } | Told::ChunkRefused { heard } => draft.passed(heard, text),
                Told::Recipient { index, heard } => draft.answered(index, heard, text),
                Told::Verdict { index, heard, last } => {
                    draft.judged(index, heard, text);
                    if last {
                        break Some(self.judge_all());
                    }
                }
                Told::Delivered { heard } => {
                    draft.taken(heard, text);
                    let report = draft.finish(self.host);
                    if let Some(reply) = &report.reply {
                        debug!(%reply, "message taken");
                    }
                    break Some(Ok(report));
                }
                Told::NotDelivered { stage, heard } => {
                    draft.failed(stage, heard, text);
                    break Some(Err(not_delivered(draft.finish(self.host), false)));
                }
                // In LMTP some may have got it before the server closes.
                Told::Refused { heard, .. } if draft.is_for_anybody() => {
                    draft.closed(heard, text);
                    break Some(Ok(draft.finish(self.host)));
                }
                Told::Refused { stage, heard } => {
                    draft.failed(stage, Some(heard), text);
                    break Some(Err(not_delivered(draft.finish(self.host), unheard)));
                }
                Told::TlsDue | Told::Ready | Told::Closed => {
                    let report = draft.finish(self.host);
                    break Some(Err(self.undelivered(unexpected(client), report, false)));
                }
            }
            unheard = false;
        };
        Progress { earlier, this }
    }

    /// All recipients got their verdict, in LMTP.
    fn judge_all(&mut self) -> Result<Report, Undelivered> {
        if !self.draft.is_for_anybody() {
            self.draft.failed(Stage::Content, None, b"");
        }
        let report = self.draft.finish(self.host);
        match report.failed_at {
            None => Ok(report),
            Some(_) => Err(not_delivered(report, false)),
        }
    }

    /// The connection was lost in the midst of this message. If it is over with
    /// the one `before` that, this one was not heard.
    fn lost(&mut self, failure: Failure, unheard: bool, before: bool) -> Undelivered {
        let unknown = is_unknown(&failure);
        if unknown {
            self.draft.unknown();
        }
        // A peer that breaks the protocol would do it again.
        let lost = match &failure {
            Failure::Dialogue(CoreError::Closed { .. } | CoreError::Timeout { .. }, _) => true,
            Failure::Dialogue(CoreError::Refused { .. }, _) => before,
            _ => false,
        };
        let report = self.draft.finish(self.host);
        self.undelivered(failure, report, unheard && lost && !unknown)
    }

    /// The connection was lost while the verdict on the message before was due;
    /// nothing of this one was heard.
    fn both_lost(&mut self, failure: Failure) -> (Undelivered, Undelivered) {
        if is_unknown(&failure) {
            self.earlier.unknown();
        }
        let without_doubt = match &failure {
            Failure::Dialogue(CoreError::Timeout { stage, .. }, _) => CoreError::Timeout {
                stage: *stage,
                outcome_unknown: false,
            },
            Failure::Dialogue(CoreError::Peer { stage, fault, .. }, _) => CoreError::Peer {
                stage: *stage,
                fault: *fault,
                outcome_unknown: false,
            },
            _ => CoreError::Closed {
                stage: Stage::Mail,
                outcome_unknown: false,
            },
        };
        let report = self.earlier.finish(self.host);
        let earlier = self.undelivered(failure, report, false);
        let report = self.draft.finish(self.host);
        let this = Failure::Dialogue(without_doubt, None);
        (earlier, self.undelivered(this, report, true))
    }

    fn undelivered(&self, failure: Failure, report: Report, unheard: bool) -> Undelivered {
        Undelivered {
            error: broken_off(self.host, failure, Some(report)),
            unheard,
        }
    }
}

fn is_unknown(failure: &Failure) -> bool {
    matches!(failure, Failure::Dialogue(error, _) if error.outcome_unknown())
}

fn not_delivered(report: Report, unheard: bool) -> Undelivered {
    Undelivered {
        error: Error::NotDelivered(Box::new(report)),
        unheard,
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
