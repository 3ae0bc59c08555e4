//! What became of a message, recipient by recipient.

use pyo3::prelude::*;
use sansmtp::client::Event;
use sansmtp::envelope::Outcome;
use sansmtp::error::Stage;
use sansmtp::provider::Provider;
use sansmtp::wire::reply::Code;

use crate::envelope::Envelope;
use crate::error;
use crate::reply::Reply;
use crate::repr::{self, Repr, event};

event! {
    /// What became of one recipient.
    RecipientResult {
        /// The address.
        address: String,
        /// "delivered": the server took the message. "refused": it did not. "not-sent": the attempt ended
        /// before. "unknown": the connection was lost while the server's final word was due.
        status: &'static str,
        /// The reply that decided, if there was one.
        reply: Option<Reply>,
        /// What to do about a refusal.
        next_step: Option<&'static str>,
    }
}

/// What became of a message.
#[pyclass(frozen, eq, module = "sansmtp._core")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SendResult {
    /// One result for each recipient, in the order of the envelope.
    #[pyo3(get)]
    recipients: Vec<RecipientResult>,
    /// The server's final word on the message; most servers name their queue identifier here.
    #[pyo3(get)]
    reply: Option<Reply>,
}

#[pymethods]
impl SendResult {
    /// Whether the server took the message for everybody.
    #[getter]
    fn ok(&self) -> bool {
        !self.recipients.is_empty() && self.failed().is_empty()
    }

    /// The addresses that the server took the message for.
    #[getter]
    fn delivered(&self) -> Vec<&str> {
        let delivered = self.recipients.iter().filter(|r| r.status == DELIVERED);
        delivered
            .map(|recipient| recipient.address.as_str())
            .collect()
    }

    /// The results of all other recipients.
    #[getter]
    fn failed(&self) -> Vec<RecipientResult> {
        let failed = self.recipients.iter().filter(|r| r.status != DELIVERED);
        failed.cloned().collect()
    }

    /// The places of the recipients that another transaction may take at once: the server refused them only since
    /// the message had too many (RFC 5321, section 4.5.3.1.10).
    fn over_limit(&self) -> Vec<usize> {
        let places = self.recipients.iter().enumerate();
        let over = places.filter(|(_, recipient)| recipient.wants_another_transaction());
        over.map(|(place, _)| place).collect()
    }

    /// The same with what became of the recipients at these places in a transaction of their own.
    fn with_part(&self, places: Vec<usize>, part: &Self) -> Self {
        let mut whole = self.clone();
        for (place, result) in places.into_iter().zip(&part.recipients) {
            if let Some(recipient) = whole.recipients.get_mut(place) {
                recipient.clone_from(result);
            }
        }
        // A word that took the message is not replaced by one that refused the rest of it.
        if part.recipients.iter().any(|r| r.status == DELIVERED) || whole.reply.is_none() {
            whole.reply.clone_from(&part.reply);
        }
        whole
    }

    /// What there is to tell of a message for this envelope before it was sent.
    #[staticmethod]
    fn not_sent(envelope: &Envelope) -> Self {
        let addresses = envelope.addresses();
        Tally::new(addresses.len()).result(addresses, false, None)
    }

    /// It never changes, so that it is its own copy.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// It never changes, so that it is its own copy.
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __repr__(&self) -> String {
        repr::object(
            "SendResult",
            &[
                ("delivered", self.delivered().repr()),
                ("failed", self.failed().repr()),
                ("reply", self.reply.repr()),
            ],
        )
    }
}

impl RecipientResult {
    fn wants_another_transaction(&self) -> bool {
        let code = self.reply.as_ref().filter(|_| self.status == REFUSED);
        let code = code.and_then(|reply| Some((Code::new(reply.code)?, reply.enhanced)));
        code.is_some_and(|(code, enhanced)| {
            Outcome::Refused { code, enhanced }.wants_another_transaction()
        })
    }
}

impl Repr for RecipientResult {
    fn repr(&self) -> String {
        self.__repr__()
    }
}

const DELIVERED: &str = "delivered";
const REFUSED: &str = "refused";

/// Gathers the results of a transaction from its events.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    recipients: Vec<Standing>,
    sender: Option<Reply>,
    verdict: Option<Reply>,
}

#[derive(Clone, Debug)]
enum Standing {
    Pending,
    Accepted,
    Delivered,
    /// Delivered, with a reply of its own.
    Judged(Reply),
    Refused(Stage, Reply),
}

impl Tally {
    /// A tally for a transaction with so many recipients.
    pub(crate) fn new(recipients: usize) -> Self {
        Self {
            recipients: vec![Standing::Pending; recipients],
            sender: None,
            verdict: None,
        }
    }

    /// Takes an event and the complete reply that belongs to it.
    pub(crate) fn take(&mut self, event: &Event<'_>, reply: Option<&Reply>) {
        match (event, reply) {
            (Event::Sender { .. }, Some(reply)) => self.sender = Some(reply.clone()),
            (Event::Recipient { index, reply: line }, Some(reply)) => {
                if let Some(recipient) = self.recipients.get_mut(*index) {
                    *recipient = if line.is_positive() {
                        Standing::Accepted
                    } else {
                        Standing::Refused(Stage::Rcpt, reply.clone())
                    };
                }
            }
            (Event::ChunkRefused { .. }, Some(reply)) => self.verdict = Some(reply.clone()),
            (
                Event::Verdict {
                    index, reply: line, ..
                },
                Some(reply),
            ) => {
                if let Some(recipient) = self.recipients.get_mut(*index) {
                    *recipient = if line.is_positive() {
                        self.verdict = Some(reply.clone());
                        Standing::Judged(reply.clone())
                    } else {
                        Standing::Refused(Stage::Content, reply.clone())
                    };
                }
            }
            (Event::Delivered { .. }, Some(reply)) => {
                self.verdict = Some(reply.clone());
                for recipient in &mut self.recipients {
                    if matches!(recipient, Standing::Accepted) {
                        *recipient = Standing::Delivered;
                    }
                }
            }
            (Event::NotDelivered { stage, .. }, reply) => {
                // The refusal of a chunk came in an event of its own.
                self.verdict = reply.cloned().or_else(|| self.verdict.take());
                // A refused MAIL is a refusal for everybody, whatever came of the pipelined RCPTs.
                let refusal = match stage {
                    Stage::Mail => self.sender.clone(),
                    _ => self.verdict.clone(),
                };
                let Some(refusal) = refusal else { return };
                for recipient in &mut self.recipients {
                    if *stage == Stage::Mail || matches!(recipient, Standing::Accepted) {
                        *recipient = Standing::Refused(*stage, refusal.clone());
                    }
                }
            }
            _ => {}
        }
    }

    /// The results as they stand now.
    pub(crate) fn result(
        &self,
        addresses: &[String],
        outcome_unknown: bool,
        provider: Option<&Provider>,
    ) -> SendResult {
        let recipients = addresses.iter().zip(&self.recipients);
        let recipients = recipients.map(|(address, standing)| {
            let (status, reply, next_step) = match standing {
                Standing::Delivered => (DELIVERED, self.verdict.clone(), None),
                Standing::Judged(reply) => (DELIVERED, Some(reply.clone()), None),
                Standing::Refused(stage, reply) => (
                    REFUSED,
                    Some(reply.clone()),
                    error::explanation(reply, *stage, provider).map(|found| found.next_step),
                ),
                Standing::Accepted if outcome_unknown => ("unknown", None, None),
                Standing::Accepted | Standing::Pending => ("not-sent", None, None),
            };
            RecipientResult {
                address: address.clone(),
                status,
                reply,
                next_step,
            }
        });
        SendResult {
            recipients: recipients.collect(),
            reply: self.verdict.clone(),
        }
    }
}
