//! What became of a message.

use super::draft::Heard;
use super::text::Text;
use sansmtp::envelope::Outcome;
use sansmtp::error::{Error as CoreError, Stage};
use sansmtp::provider::{Explanation, Provider, Refusal, explain};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::{Code, Escaped};
use std::fmt;
use std::sync::Arc;

/// A whole reply of the server, all lines of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    code: Code,
    enhanced: Option<EnhancedCode>,
    text: Text,
}

impl Reply {
    /// The reply code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The enhanced status code, if there was one (RFC 2034).
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.enhanced
    }

    /// The text without codes, safe to show: lines separated by `\n`, control
    /// characters escaped.
    pub fn text(&self) -> String {
        let lines: Vec<String> = self.lines().map(|line| Escaped(line).to_string()).collect();
        lines.join("\n")
    }

    /// The text without codes as the server sent it, lines separated by `\n`. It
    /// is what a stranger said: do not show it unescaped.
    pub fn raw_text(&self) -> &[u8] {
        self.text.octets()
    }

    /// The lines of the text, as the server sent them.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.raw_text().split(|octet| *octet == b'\n')
    }

    pub(super) fn new(heard: Heard, text: Text) -> Self {
        Self {
            code: heard.code,
            enhanced: heard.enhanced,
            text,
        }
    }

    fn explain(&self, host: &str, stage: Stage) -> Option<Explanation> {
        let refusal = Refusal {
            code: self.code.get(),
            enhanced: self.enhanced,
            text: self.raw_text(),
            stage,
        };
        explain(Provider::by_host(host), &refusal)
    }
}

/// Codes and text in one line, control characters escaped.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for line in self.lines().filter(|line| !line.is_empty()) {
            write!(f, " {}", Escaped(line))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A reply that refuses, what it refused, and what that means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) stage: Stage,
    pub(super) reply: Reply,
    pub(super) explanation: Option<Explanation>,
}

impl Refused {
    pub(super) fn new(host: &str, stage: Stage, reply: Reply) -> Self {
        Self {
            explanation: reply.explain(host, stage),
            stage,
            reply,
        }
    }

    /// The same in the core's words, which know what can be done about it.
    pub(super) fn as_core(&self) -> CoreError {
        CoreError::Refused {
            stage: self.stage,
            code: self.reply.code,
            enhanced: self.reply.enhanced,
        }
    }

    pub(super) fn next_step(&self) -> &'static str {
        self.explanation
            .map_or(self.as_core().next_step(), |known| known.next_step)
    }
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecipientReport {
    pub(super) address: Text,
    /// What became of it.
    pub outcome: Outcome,
    /// The server's reply that the outcome rests on: the one to this recipient's
    /// RCPT, or the one that refused the message later on. `None` if there is none.
    pub reply: Option<Reply>,
    /// Where this recipient was refused, and not the message: RCPT, or with LMTP the
    /// content.
    pub(super) refused_at: Option<Stage>,
}

impl RecipientReport {
    /// The address, as it stands in the envelope.
    pub fn address(&self) -> &str {
        std::str::from_utf8(self.address.octets()).unwrap_or_default()
    }
}

/// What became of a message, for each recipient in the order of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// One entry for each recipient of the envelope.
    pub recipients: Vec<RecipientReport>,
    /// The reply to the message as a whole: the 250 that took it, or the reply
    /// that refused the sender, DATA or the content. `None` if every recipient was
    /// refused, or the connection was lost before.
    pub reply: Option<Reply>,
    pub(super) host: Arc<str>,
    /// What failed, if the message was delivered to nobody.
    pub(super) failed_at: Option<Stage>,
}

impl Report {
    /// Whether the server took the message for every recipient.
    pub fn all_delivered(&self) -> bool {
        self.refused().next().is_none() && self.delivered().next().is_some()
    }

    /// The recipients that the server took the message for.
    pub fn delivered(&self) -> impl Iterator<Item = &RecipientReport> {
        let recipients = self.recipients.iter();
        recipients.filter(|recipient| recipient.outcome == Outcome::Delivered)
    }

    /// The recipients that were not delivered to, for whatever reason.
    pub fn refused(&self) -> impl Iterator<Item = &RecipientReport> {
        let recipients = self.recipients.iter();
        recipients.filter(|recipient| recipient.outcome != Outcome::Delivered)
    }

    /// What failed, if the message was delivered to nobody: MAIL, RCPT, DATA or
    /// the content.
    pub fn failed_at(&self) -> Option<Stage> {
        self.failed_at
    }

    /// What the refusal of this recipient means and what to do next. `None` for a
    /// recipient that was not refused.
    pub fn explanation(&self, recipient: &RecipientReport) -> Option<Explanation> {
        let stage = match recipient.outcome {
            Outcome::Refused { .. } => recipient.refused_at.or(self.failed_at)?,
            _ => return None,
        };
        recipient.reply.as_ref()?.explain(&self.host, stage)
    }

    /// Takes over what became of a part of the recipients, which stand at these places
    /// of the whole envelope.
    pub(super) fn take_part(&mut self, part: Self, places: &[usize]) {
        for (place, recipient) in places.iter().zip(part.recipients) {
            if let Some(whole) = self.recipients.get_mut(*place) {
                *whole = recipient;
            }
        }
        if self.delivered().next().is_some() {
            self.failed_at = None;
            self.reply = self.reply.take().or(part.reply);
        } else {
            self.failed_at = part.failed_at;
            self.reply = part.reply;
        }
    }

    /// The places of recipients that were refused only since there were too many.
    pub(super) fn over_limit(&self) -> Vec<usize> {
        let places = self.recipients.iter().enumerate();
        let over = places.filter(|(_, one)| one.outcome.wants_another_transaction());
        over.map(|(place, _)| place).collect()
    }

    /// The refusal that speaks for the failure: that of the message, or of the
    /// first recipient.
    pub(super) fn cause(&self) -> Option<Refused> {
        let stage = self.failed_at?;
        let reply = match &self.reply {
            Some(reply) => reply,
            None => self.recipients.iter().find_map(|r| r.reply.as_ref())?,
        };
        Some(Refused::new(&self.host, stage, reply.clone()))
    }

    /// Whether sending the same again later may deliver it to more recipients.
    pub fn is_temporary(&self) -> bool {
        self.recipients
            .iter()
            .any(|recipient| match recipient.outcome {
                Outcome::Refused { code, enhanced } => CoreError::Refused {
                    stage: Stage::Rcpt,
                    code,
                    enhanced,
                }
                .is_temporary(),
                _ => false,
            })
    }
}

/// One line: how many got it, and what was said about the first who did not.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, delivered) = (self.recipients.len(), self.delivered().count());
        if delivered == all {
            return match &self.reply {
                Some(reply) => write!(f, "delivered to all {all} recipients: {reply}"),
                None => write!(f, "delivered to all {all} recipients"),
            };
        }
        if let (Some(stage), Some(reply)) = (self.failed_at, &self.reply) {
            return write!(f, "the server refused {stage}: {reply}");
        }
        write!(f, "delivered to {delivered} of {all} recipients")?;
        let Some(first) = self.refused().next() else {
            return Ok(());
        };
        let fate = match first.outcome {
            Outcome::Refused { .. } => "was refused",
            Outcome::Unknown => "may have got it or not",
            _ => "did not get it",
        };
        write!(f, "; {} {fate}", first.address())?;
        match &first.reply {
            Some(reply) if first.refused_at.is_some() => write!(f, ": {reply}"),
            _ => Ok(()),
        }
    }
}
