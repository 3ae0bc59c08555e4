//! The report of a message that is under way. It is kept with the connection, so
//! that a message costs no allocation until its report is handed out.

use super::report::{RecipientReport, Reply, Report};
use super::text::Text;
use sansmtp::envelope::{Envelope, Outcome};
use sansmtp::error::Stage;
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::{Code, ReplyLine};
use std::sync::Arc;

/// What a reply says, besides its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) code: Code,
    pub(super) enhanced: Option<EnhancedCode>,
    /// What it means for whom it refuses; `None` if it does not refuse.
    pub(super) refusal: Option<Outcome>,
}

impl Heard {
    /// The reply that ends with this line.
    pub(super) fn of(last: &ReplyLine<'_>) -> Self {
        Self {
            code: last.code,
            enhanced: last.enhanced,
            refusal: Outcome::refused_by(last),
        }
    }
}

/// A report in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The addresses and the texts of replies.
    octets: Vec<u8>,
    recipients: Vec<Recipient>,
    /// The reply to the message as a whole.
    reply: Option<Noted>,
    /// The reply that refused the sender or a chunk, of which the end is still to
    /// be told.
    refused_before: Option<Noted>,
    failed_at: Option<Stage>,
}

/// Where a text stands.
type Span = (usize, usize);

/// A reply whose text was kept.
#[derive(Clone, Copy, Debug)]
struct Noted {
    heard: Heard,
    text: Span,
}

#[derive(Debug)]
struct Recipient {
    address: Span,
    outcome: Outcome,
    reply: Option<Noted>,
    refused_at: Option<Stage>,
}

/// What is kept for the next message, at most; enough for all but lists.
const KEPT: usize = 64 * 1024;

impl Draft {
    /// Begins with a new message.
    pub(super) fn begin(&mut self, envelope: &Envelope<'_>) {
        self.clear();
        for recipient in envelope.recipients {
            let address = self.keep(recipient.forward_path.as_str().as_bytes());
            self.recipients.push(Recipient {
                address,
                outcome: Outcome::NotSent,
                reply: None,
                refused_at: None,
            });
        }
    }

    /// Takes the reply to a RCPT.
    pub(super) fn answered(&mut self, index: usize, heard: Heard, text: &[u8]) {
        let reply = self.note(heard, text);
        if let Some(recipient) = self.recipients.get_mut(index) {
            // Accepted so far; the verdict on the message decides.
            recipient.refused_at = heard.refusal.map(|_| Stage::Rcpt);
            recipient.outcome = heard.refusal.unwrap_or(Outcome::NotSent);
            recipient.reply = Some(reply);
        }
    }

    /// Takes the verdict on the content for one recipient, in LMTP.
    pub(super) fn judged(&mut self, index: usize, heard: Heard, text: &[u8]) {
        let reply = self.note(heard, text);
        if let Some(recipient) = self.recipients.get_mut(index) {
            recipient.refused_at = heard.refusal.map(|_| Stage::Content);
            recipient.outcome = heard.refusal.unwrap_or(Outcome::Delivered);
            recipient.reply = Some(reply);
            if heard.refusal.is_none() {
                self.reply.get_or_insert(reply);
            }
        }
    }

    /// Whether anybody got the message.
    pub(super) fn is_for_anybody(&self) -> bool {
        let mut recipients = self.recipients.iter();
        recipients.any(|recipient| recipient.outcome == Outcome::Delivered)
    }

    /// Takes a reply that may refuse the message before its end.
    pub(super) fn passed(&mut self, heard: Heard, text: &[u8]) {
        self.refused_before = heard.refusal.map(|_| self.note(heard, text));
    }

    /// The server took the message.
    pub(super) fn taken(&mut self, heard: Heard, text: &[u8]) {
        self.settle(Outcome::Delivered, None);
        self.reply = Some(self.note(heard, text));
    }

    /// The server took the message for nobody.
    pub(super) fn failed(&mut self, stage: Stage, heard: Option<Heard>, text: &[u8]) {
        self.failed_at = Some(stage);
        if stage == Stage::Mail {
            // What was said about recipients without a sender means nothing.
            for recipient in &mut self.recipients {
                recipient.outcome = Outcome::NotSent;
                recipient.reply = None;
                recipient.refused_at = None;
            }
        }
        let refusal = match heard.filter(|heard| heard.refusal.is_some()) {
            Some(heard) => Some(self.note(heard, text)),
            None => self.refused_before,
        };
        if let Some(refusal) = refusal
            && let Some(outcome) = refusal.heard.refusal
        {
            self.settle(outcome, Some(refusal));
            self.reply = Some(refusal);
        }
    }

    /// The server closes before everybody has a verdict, in LMTP.
    pub(super) fn closed(&mut self, heard: Heard, text: &[u8]) {
        let refusal = self.note(heard, text);
        if let Some(outcome) = heard.refusal {
            self.settle(outcome, Some(refusal));
        }
    }

    /// The connection was lost behind the final dot.
    pub(super) fn unknown(&mut self) {
        self.settle(Outcome::Unknown, None);
    }

    /// Hands the report out.
    pub(super) fn finish(&mut self, host: &Arc<str>) -> Report {
        let octets: Arc<[u8]> = self.octets.as_slice().into();
        let text = |(start, end)| Text::part(&octets, start, end);
        let reply = |noted: Noted| Reply::new(noted.heard, text(noted.text));
        let recipients = self.recipients.iter().map(|recipient| RecipientReport {
            address: text(recipient.address),
            outcome: recipient.outcome,
            reply: recipient.reply.map(reply),
            refused_at: recipient.refused_at,
        });
        let report = Report {
            recipients: recipients.collect(),
            reply: self.reply.map(reply),
            host: Arc::clone(host),
            failed_at: self.failed_at,
        };
        self.clear();
        report
    }

    /// Gives the recipients that nothing was decided on their outcome, and the
    /// refusal that it rests on.
    fn settle(&mut self, outcome: Outcome, refusal: Option<Noted>) {
        let recipients = self.recipients.iter_mut();
        for recipient in recipients.filter(|r| r.outcome == Outcome::NotSent) {
            recipient.outcome = outcome;
            recipient.reply = refusal.or(recipient.reply);
        }
    }

    fn note(&mut self, heard: Heard, text: &[u8]) -> Noted {
        Noted {
            heard,
            text: self.keep(text),
        }
    }

    fn keep(&mut self, text: &[u8]) -> Span {
        let start = self.octets.len();
        self.octets.extend_from_slice(text);
        (start, self.octets.len())
    }

    fn clear(&mut self) {
        self.octets.clear();
        self.octets.shrink_to(KEPT);
        self.recipients.clear();
        self.recipients.shrink_to(KEPT / size_of::<Recipient>());
        self.reply = None;
        self.refused_before = None;
        self.failed_at = None;
    }
}
