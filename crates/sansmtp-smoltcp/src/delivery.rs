//! One mail on one connection.

use crate::content::Content;
use crate::exchange::Dialogue;
use crate::failure::{Failure, Reason};
use sansmtp::client::{Client, Event, Session};
use sansmtp::config::Config;
use sansmtp::envelope::{Envelope, Outcome};
use sansmtp::error::Stage;
use sansmtp::wire::reply::ReplyLine;
use sansmtp::{Error, Instant, Machine};

/// Octets of the message between its source and the socket.
const STAGING: usize = 64;

/// One mail on one connection: the client of the core together with an envelope and a content, so that
/// only octets and time are left to be moved.
///
/// After the verdict it says goodbye by itself. For another attempt, on another connection, call
/// [`restart`](Self::restart).
#[derive(Debug)]
pub struct Delivery<'c, C> {
    config: &'c Config<'c>,
    envelope: &'c Envelope<'c>,
    content: C,
    line: &'c mut [u8],
    outcomes: &'c mut [Outcome],
    session: Session,
    staged: [u8; STAGING],
    /// What of `staged` is still to be sent.
    from: u8,
    to: u8,
    over: bool,
    verdict: Option<Result<(), Failure>>,
    /// The last refusal of a sender or recipient; a temporary one is kept.
    refusal: Option<Error>,
}

impl<'c, C: Content> Delivery<'c, C> {
    /// A mail with this envelope and content, to be sent on a connection that is set up as `config`
    /// says.
    ///
    /// `line` holds reply lines that arrive in pieces: 128 octets at least, 512 to see long replies whole.
    /// `outcomes` has a place for each recipient, or none if nobody wants to know.
    pub fn new(
        config: &'c Config<'c>,
        envelope: &'c Envelope<'c>,
        content: C,
        line: &'c mut [u8],
        outcomes: &'c mut [Outcome],
    ) -> Self {
        let origin = Instant::from_millis(0);
        let session = Client::new(config, &mut [], origin).suspend();
        Self {
            config,
            envelope,
            content,
            line,
            outcomes,
            session,
            staged: [0; STAGING],
            from: 0,
            to: 0,
            over: false,
            verdict: None,
            refusal: None,
        }
    }

    /// Begins (again) on a fresh connection.
    pub fn restart(&mut self, now: Instant) {
        self.session = Client::new(self.config, self.line, now).suspend();
        self.content.rewind();
        self.outcomes.fill(Outcome::NotSent);
        (self.from, self.to) = (0, 0);
        self.over = false;
        self.verdict = None;
        self.refusal = None;
    }

    /// How to reach the server.
    pub fn config(&self) -> &'c Config<'c> {
        self.config
    }

    /// What became of the mail, once that is known: the server took it for at least one recipient, or it
    /// is not delivered on this connection.
    pub fn verdict(&self) -> Option<Result<(), Failure>> {
        self.verdict
    }

    /// What became of each recipient.
    pub fn outcomes(&self) -> &[Outcome] {
        self.outcomes
    }

    /// Whether TLS is due: see [`Machine::wants_tls`].
    pub fn wants_tls(&mut self) -> bool {
        !self.over && self.with_client(|client| client.wants_tls())
    }

    /// Says that everything goes through TLS from now on.
    pub fn tls_established(&mut self, now: Instant) {
        if let Err(error) = self.with_client(|client| client.tls_established(now)) {
            self.fail(Reason::Smtp(error));
        }
    }

    /// Gives up on this connection, for a reason outside of the dialogue.
    pub fn fail(&mut self, reason: Reason) {
        self.over = true;
        if self.verdict.is_some() {
            return;
        }
        let outcome_unknown = self.with_client(|client| client.outcome_unknown());
        if outcome_unknown {
            self.settle_outcomes(Outcome::Unknown);
        }
        self.verdict = Some(Err(Failure {
            reason,
            outcome_unknown,
        }));
    }

    /// Lends the client its buffer for a moment.
    fn with_client<T>(&mut self, act: impl FnOnce(&mut Client<'_>) -> T) -> T {
        let mut client = Client::resume(
            self.session,
            self.config,
            self.line,
            Some(self.envelope),
            None,
        );
        let result = act(&mut client);
        self.session = client.suspend();
        result
    }

    /// Takes one line at most. Returns how much was taken and whether more may be to be said.
    fn receive_once(&mut self, now: Instant, input: &[u8]) -> (usize, bool) {
        let mut client = Client::resume(
            self.session,
            self.config,
            self.line,
            Some(self.envelope),
            None,
        );
        let (used, news) = match client.receive(now, input) {
            Ok((used, None)) => (used, News::Nothing),
            Ok((used, Some(event))) => (used, News::of(event)),
            Err(error) => (0, News::Failed(error)),
        };
        self.session = client.suspend();
        self.take(now, news);
        (
            used,
            !self.over && (used > 0 || !matches!(news, News::Nothing)),
        )
    }

    fn take(&mut self, now: Instant, news: News) {
        match news {
            News::Nothing | News::Moved => {}
            News::Ready => {
                let envelope = self.envelope;
                let mut client =
                    Client::resume(self.session, self.config, self.line, Some(envelope), None);
                let submitted = client.submit(envelope, now);
                self.session = client.suspend();
                if let Err(error) = submitted {
                    self.conclude(now, Err(error));
                }
            }
            News::SenderRefused(error) => self.refusal = Some(error),
            News::RecipientRefused(index, error) => {
                if let Some(outcome) = self.outcomes.get_mut(index) {
                    *outcome = outcome_of(error);
                }
                if !self.refusal.is_some_and(|refusal| refusal.is_temporary()) {
                    self.refusal = Some(error);
                }
            }
            News::Delivered => {
                self.settle_outcomes(Outcome::Delivered);
                self.conclude(now, Ok(()));
            }
            News::NotDelivered(error) => {
                if let Some(error) = error {
                    self.settle_outcomes(outcome_of(error));
                }
                let error = error.or(self.refusal).unwrap_or(Error::Closed {
                    stage: Stage::Mail,
                    outcome_unknown: false,
                });
                self.conclude(now, Err(error));
            }
            News::Refused(error) => self.conclude(now, Err(error)),
            News::Failed(error) => {
                // Behind a verdict only QUIT could go wrong, which harms nobody.
                self.fail(Reason::Smtp(error));
            }
            News::Closed => self.over = true,
        }
    }

    /// The verdict is known: says goodbye.
    fn conclude(&mut self, now: Instant, verdict: Result<(), Error>) {
        self.verdict
            .get_or_insert(verdict.map_err(|error| Failure::before_content(Reason::Smtp(error))));
        if self.with_client(|client| client.quit(now)).is_err() {
            self.over = true;
        }
    }

    /// What became of all recipients that nothing is known about yet.
    fn settle_outcomes(&mut self, settled: Outcome) {
        for outcome in self.outcomes.iter_mut() {
            if *outcome == Outcome::NotSent {
                *outcome = settled;
            }
        }
    }

    /// Writes content into `out` if the server waits for it.
    fn transmit_content(&mut self, now: Instant, out: &mut [u8]) -> usize {
        let mut client = Client::resume(
            self.session,
            self.config,
            self.line,
            Some(self.envelope),
            None,
        );
        let mut written = 0;
        let mut failed = None;
        while let Some(mut body) = client.body() {
            let room = out.get_mut(written..).unwrap_or_default();
            if room.is_empty() {
                break;
            }
            if self.from == self.to {
                match self.content.read(&mut self.staged) {
                    Ok(0) => {
                        body.finish(now);
                        break;
                    }
                    Ok(length) => {
                        self.from = 0;
                        self.to = length.min(STAGING) as u8;
                    }
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            let chunk = self
                .staged
                .get(usize::from(self.from)..usize::from(self.to));
            let (read, more) = body.write(now, chunk.unwrap_or_default(), room);
            self.from = self.from.saturating_add(read as u8);
            written += more;
            if read == 0 && more == 0 {
                break;
            }
        }
        self.session = client.suspend();
        if let Some(error) = failed {
            self.fail(Reason::Content(error));
        }
        written
    }
}

impl<C: Content> Dialogue for Delivery<'_, C> {
    fn receive(&mut self, now: Instant, input: &[u8]) -> usize {
        let mut taken = 0;
        while !self.over {
            let (used, more) = self.receive_once(now, input.get(taken..).unwrap_or_default());
            taken += used;
            if !more {
                break;
            }
        }
        taken
    }

    fn receive_eof(&mut self, _now: Instant) {
        match self.with_client(|client| client.receive_eof()) {
            Ok(()) => self.over = true,
            Err(error) => self.fail(Reason::Smtp(error)),
        }
    }

    fn transmit(&mut self, now: Instant, out: &mut [u8]) -> usize {
        if self.over {
            return 0;
        }
        let content = self.transmit_content(now, out);
        let room = out.get_mut(content..).unwrap_or_default();
        content + self.with_client(|client| client.transmit(now, room))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        if self.over {
            return None;
        }
        // The buffer is not looked at for that.
        Client::resume(self.session, self.config, &mut [], None, None).poll_timeout()
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.over {
            return;
        }
        match self.with_client(|client| (client.handle_timeout(now), client.is_closed())) {
            (Ok(()), closed) => self.over |= closed,
            (Err(error), _) if self.verdict.is_none() => self.fail(Reason::Smtp(error)),
            // A server that refused the session may still answer QUIT.
            (Err(_), _) => {}
        }
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

/// What an event means for the mail, without the borrowed text.
#[derive(Clone, Copy)]
enum News {
    Nothing,
    /// The dialogue went on.
    Moved,
    Ready,
    SenderRefused(Error),
    RecipientRefused(usize, Error),
    Delivered,
    NotDelivered(Option<Error>),
    Refused(Error),
    Failed(Error),
    Closed,
}

impl News {
    fn of(event: Event<'_>) -> Self {
        match event {
            Event::Ready => Self::Ready,
            Event::Sender { reply } if !reply.is_positive() => {
                Self::SenderRefused(refusal(Stage::Mail, reply))
            }
            Event::Recipient { index, reply } if !reply.is_positive() => {
                Self::RecipientRefused(index, refusal(Stage::Rcpt, reply))
            }
            Event::Delivered { .. } => Self::Delivered,
            Event::NotDelivered { stage, reply } => {
                Self::NotDelivered(reply.map(|reply| refusal(stage, reply)))
            }
            Event::Refused { stage, reply } => Self::Refused(refusal(stage, reply)),
            Event::Closed => Self::Closed,
            _ => Self::Moved,
        }
    }
}

fn refusal(stage: Stage, reply: ReplyLine<'_>) -> Error {
    Error::Refused {
        stage,
        code: reply.code,
        enhanced: reply.enhanced,
    }
}

fn outcome_of(error: Error) -> Outcome {
    match error {
        Error::Refused { code, enhanced, .. } => Outcome::Refused { code, enhanced },
        _ => Outcome::NotSent,
    }
}
