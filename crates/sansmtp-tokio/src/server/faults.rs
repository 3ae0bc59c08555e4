//! Things that go wrong on demand, for tests of clients.

use super::envelope::{MailEnvelope, MailRecipient};
use super::handler::{Body, Handler, Refusal, Verdict};
use super::info::SessionInfo;
use super::reply::OwnedReply;
use sansmtp::auth::StoredKeys;
use sansmtp::server::{Bearer, Digest, Identity, KeysWanted, Login};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::param::{MailParameters, RcptParameters};
use sansmtp::wire::path::{ForwardPath, ReversePath};
use sansmtp::wire::xclient::XClient;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Where in a session a [`Fault`] is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultStep {
    /// In place of the greeting.
    Connect,
    /// In answer to credentials.
    Auth,
    /// In answer to MAIL.
    Mail,
    /// In answer to RCPT.
    Recipient,
    /// In answer to DATA or the first BDAT.
    Data,
    /// While the content comes in.
    Content,
    /// When the content is complete; it is thrown away.
    Message,
    /// When the message has been stored: what the client hears is not what
    /// happened.
    Stored,
}

/// Something that goes wrong when a client comes to a step: it has to wait, gets
/// another reply, or loses the connection.
///
/// As a text it reads `[COUNTx ]STEP[=SUBJECT][ wait SECONDS][ close|REPLY]`:
///
/// ```
/// use sansmtp_tokio::server::{Fault, FaultStep, OwnedReply};
///
/// let unknown: Fault = "recipient=bad@example.org 550 5.1.1 No such user".parse()?;
/// let busy: Fault = "2x mail 451 4.3.0 Try again later".parse()?; // then all is well
/// let lost: Fault = "stored close".parse()?; // the mail is there, the 250 is not
/// let slow: Fault = "connect wait 1.5".parse()?;
///
/// let reply = OwnedReply::new(451, None, "Later")?;
/// assert_eq!(Fault::at(FaultStep::Mail).reply(reply), "mail 451 Later".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    step: FaultStep,
    subject: Option<String>,
    times: Option<u32>,
    wait: Duration,
    verdict: Verdict,
}

/// Why a text is no [`Fault`]. The one-line text says what to write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidFault {
    /// The step is none of those that are known.
    Step(String),
    /// The number of seconds is none.
    Wait(String),
    /// What follows is neither `close` nor a reply.
    Reply(String),
    /// It has no effect.
    Nothing,
}

/// A handler whose faults are played before it is asked.
#[derive(Debug)]
pub struct Faulty<H> {
    inner: H,
    faults: Arc<Faults>,
}

/// The content of a message that a fault may await.
#[derive(Debug)]
pub struct FaultyBody<B> {
    inner: B,
    faults: Arc<Faults>,
    reverse_path: String,
}

/// The faults, each with the number of times that it was played.
#[derive(Debug)]
struct Faults(Vec<(Fault, AtomicU32)>);

impl Fault {
    /// A fault at this step that has no effect yet.
    pub fn at(step: FaultStep) -> Self {
        Self {
            step,
            subject: None,
            times: None,
            wait: Duration::ZERO,
            verdict: Verdict::Accept,
        }
    }

    /// Only for this recipient, or this user; at other steps for this sender (with
    /// LMTP, [`FaultStep::Stored`] is a step of each recipient). Letter case does not
    /// matter.
    #[must_use]
    pub fn only(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Only the first few times; without, always.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The client has to wait.
    #[must_use]
    pub fn wait(mut self, time: Duration) -> Self {
        self.wait = time;
        self
    }

    /// The client gets this reply.
    #[must_use]
    pub fn reply(mut self, reply: OwnedReply) -> Self {
        self.verdict = Verdict::Reply(reply);
        self
    }

    /// The connection is closed without a word.
    #[must_use]
    pub fn close(mut self) -> Self {
        self.verdict = Verdict::Close;
        self
    }

    fn fits(&self, step: FaultStep, subject: &str) -> bool {
        let wanted = self.subject.as_deref();
        self.step == step && wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(subject))
    }
}

impl<H> Faulty<H> {
    /// A handler that plays the first fault that fits, and else asks `inner`.
    pub fn new(inner: H, faults: impl IntoIterator<Item = Fault>) -> Self {
        let faults = faults.into_iter().map(|fault| (fault, AtomicU32::new(0)));
        Self {
            inner,
            faults: Arc::new(Faults(faults.collect())),
        }
    }

    /// The handler behind the faults.
    pub fn inner(&self) -> &H {
        &self.inner
    }
}

impl Faults {
    /// Plays the first fault that fits. Accept: nothing stands against going on.
    async fn play(&self, step: FaultStep, subject: &str) -> Verdict {
        let fault = self.0.iter().find(|(fault, played)| {
            fault.fits(step, subject)
                && match fault.times {
                    None => true,
                    Some(times) => played
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                            (n < times).then_some(n.saturating_add(1))
                        })
                        .is_ok(),
                }
        });
        let Some((fault, _)) = fault else {
            return Verdict::Accept;
        };
        if !fault.wait.is_zero() {
            tokio::time::sleep(fault.wait).await;
        }
        fault.verdict.clone()
    }

    /// What is said of a message that was stored.
    async fn stored(&self, subject: &str, verdict: Verdict) -> Verdict {
        match self.play(FaultStep::Stored, subject).await {
            Verdict::Accept => verdict,
            other => other,
        }
    }

    /// The same where only a no stands against going on.
    async fn refusal(&self, step: FaultStep, subject: &str) -> Result<(), Refusal> {
        match self.play(step, subject).await {
            Verdict::Accept => Ok(()),
            Verdict::Reply(reply) => Err(Refusal::Reply(reply)),
            Verdict::Close => Err(Refusal::Close),
        }
    }
}

// So that nothing that a handler decides is lost on the way.
#[warn(clippy::missing_trait_methods)]
impl<H: Handler> Handler for Faulty<H> {
    type Body = FaultyBody<H::Body>;

    async fn connect(&self, session: &SessionInfo) -> Verdict {
        match self.faults.play(FaultStep::Connect, "").await {
            Verdict::Accept => self.inner.connect(session).await,
            verdict => verdict,
        }
    }

    async fn hello(&self, session: &SessionInfo) {
        self.inner.hello(session).await;
    }

    async fn auth(&self, session: &SessionInfo, login: &Login<'_>) -> Verdict {
        match self.faults.play(FaultStep::Auth, login.user).await {
            Verdict::Accept => self.inner.auth(session, login).await,
            verdict => verdict,
        }
    }

    async fn scram_keys(
        &self,
        session: &SessionInfo,
        wanted: &KeysWanted<'_>,
    ) -> Option<StoredKeys> {
        self.inner.scram_keys(session, wanted).await
    }

    async fn authorize(&self, session: &SessionInfo, identity: &Identity<'_>) -> Verdict {
        match self.faults.play(FaultStep::Auth, identity.user).await {
            Verdict::Accept => self.inner.authorize(session, identity).await,
            verdict => verdict,
        }
    }

    async fn bearer(&self, session: &SessionInfo, bearer: &Bearer<'_>) -> Verdict {
        match self.faults.play(FaultStep::Auth, bearer.user).await {
            Verdict::Accept => self.inner.bearer(session, bearer).await,
            verdict => verdict,
        }
    }

    async fn digest(&self, session: &SessionInfo, digest: &Digest<'_>) -> Verdict {
        match self.faults.play(FaultStep::Auth, digest.user).await {
            Verdict::Accept => self.inner.digest(session, digest).await,
            verdict => verdict,
        }
    }

    async fn sender(
        &self,
        session: &SessionInfo,
        reverse_path: ReversePath<'_>,
        parameters: &MailParameters<'_>,
    ) -> Verdict {
        match self
            .faults
            .play(FaultStep::Mail, reverse_path.as_str())
            .await
        {
            Verdict::Accept => self.inner.sender(session, reverse_path, parameters).await,
            verdict => verdict,
        }
    }

    async fn recipient(
        &self,
        session: &SessionInfo,
        forward_path: ForwardPath<'_>,
        parameters: &RcptParameters<'_>,
    ) -> Verdict {
        let subject = forward_path.as_str();
        match self.faults.play(FaultStep::Recipient, subject).await {
            Verdict::Accept => {
                self.inner
                    .recipient(session, forward_path, parameters)
                    .await
            }
            verdict => verdict,
        }
    }

    async fn data(
        &self,
        session: &SessionInfo,
        envelope: &MailEnvelope,
    ) -> Result<Self::Body, Refusal> {
        let reverse_path = envelope.reverse_path.clone();
        self.faults.refusal(FaultStep::Data, &reverse_path).await?;
        Ok(FaultyBody {
            inner: self.inner.data(session, envelope).await?,
            faults: Arc::clone(&self.faults),
            reverse_path,
        })
    }

    async fn verify(&self, session: &SessionInfo, name: &str) -> Verdict {
        self.inner.verify(session, name).await
    }

    async fn expand(&self, session: &SessionInfo, name: &str) -> Verdict {
        self.inner.expand(session, name).await
    }

    async fn help(&self, session: &SessionInfo, subject: &str) -> Verdict {
        self.inner.help(session, subject).await
    }

    async fn etrn(&self, session: &SessionInfo, node: &str) -> Verdict {
        self.inner.etrn(session, node).await
    }

    async fn xclient(&self, session: &SessionInfo, attributes: &XClient<'_>) -> Verdict {
        self.inner.xclient(session, attributes).await
    }

    async fn closed(&self, session: &SessionInfo) {
        self.inner.closed(session).await;
    }
}

impl<B: Body> FaultyBody<B> {
    /// What is behind it, unless the complete message is refused.
    async fn not_refused(self) -> Result<B, Verdict> {
        match self
            .faults
            .play(FaultStep::Message, &self.reverse_path)
            .await
        {
            Verdict::Accept => Ok(self.inner),
            verdict => {
                self.inner.abort().await;
                Err(verdict)
            }
        }
    }
}

// So that nothing that a handler decides is lost on the way.
#[warn(clippy::missing_trait_methods)]
impl<B: Body> Body for FaultyBody<B> {
    async fn write(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.faults
            .refusal(FaultStep::Content, &self.reverse_path)
            .await?;
        self.inner.write(chunk).await
    }

    async fn finish(self) -> Verdict {
        let faults = Arc::clone(&self.faults);
        let reverse_path = self.reverse_path.clone();
        let inner = match self.not_refused().await {
            Ok(inner) => inner,
            Err(verdict) => return verdict,
        };
        let verdict = inner.finish().await;
        match verdict.is_positive() {
            true => faults.stored(&reverse_path, verdict).await,
            false => verdict,
        }
    }

    async fn finish_each(self, recipients: &[MailRecipient]) -> Vec<Verdict> {
        let faults = Arc::clone(&self.faults);
        let inner = match self.not_refused().await {
            Ok(inner) => inner,
            Err(verdict) => return vec![verdict; recipients.len()],
        };
        let mut verdicts = inner.finish_each(recipients).await;
        // Here the fault may be that of one recipient.
        for (verdict, recipient) in verdicts.iter_mut().zip(recipients) {
            if verdict.is_positive() {
                *verdict = faults.stored(&recipient.address, verdict.clone()).await;
            }
        }
        verdicts
    }

    async fn abort(self) {
        self.inner.abort().await;
    }
}

impl FaultStep {
    const NAMES: [(&'static str, Self); 8] = [
        ("connect", Self::Connect),
        ("auth", Self::Auth),
        ("mail", Self::Mail),
        ("recipient", Self::Recipient),
        ("data", Self::Data),
        ("content", Self::Content),
        ("message", Self::Message),
        ("stored", Self::Stored),
    ];
}

impl FromStr for Fault {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        let (mut word, mut rest) = next_word(text);
        let count = word.strip_suffix('x').and_then(|n| n.parse::<u32>().ok());
        if count.is_some() {
            (word, rest) = next_word(rest);
        }
        let (name, subject) = match word.split_once('=') {
            Some((name, subject)) => (name, Some(subject.to_owned())),
            None => (word, None),
        };
        let known = FaultStep::NAMES.iter().find(|(known, _)| *known == name);
        let (_, step) = known.ok_or_else(|| InvalidFault::Step(name.to_owned()))?;
        let mut fault = Self {
            subject,
            times: count,
            ..Self::at(*step)
        };
        if let ("wait", after) = next_word(rest) {
            let (seconds, after) = next_word(after);
            let wait = seconds.parse().ok();
            fault.wait = wait
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(|| InvalidFault::Wait(seconds.to_owned()))?;
            rest = after;
        }
        fault.verdict = match rest.trim() {
            "" if fault.wait.is_zero() => return Err(InvalidFault::Nothing),
            "" => Verdict::Accept,
            "close" => Verdict::Close,
            reply => Verdict::Reply(
                parse_reply(reply).ok_or_else(|| InvalidFault::Reply(reply.to_owned()))?,
            ),
        };
        Ok(fault)
    }
}

fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(' ').unwrap_or((text, ""))
}

/// `Reply-code [ SP Enhanced-status-code ] [ SP text ]`
fn parse_reply(text: &str) -> Option<OwnedReply> {
    let (code, rest) = next_word(text);
    let (enhanced, text) = match EnhancedCode::parse_prefix(rest.as_bytes()) {
        Some((enhanced, text)) => (Some(enhanced), std::str::from_utf8(text).ok()?),
        None => (None, rest),
    };
    let digits = code.len() == 3 && !code.starts_with('3');
    let code = code.parse().ok().filter(|_| digits)?;
    OwnedReply::new(code, enhanced, text.trim().to_owned()).ok()
}

impl fmt::Display for InvalidFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => write!(
                f,
                "`{step}` is no step of a session; take connect, auth, mail, recipient, data, \
                 content, message or stored"
            ),
            Self::Wait(time) => write!(f, "`{time}` is no number of seconds; write wait 1.5"),
            Self::Reply(reply) => write!(
                f,
                "`{reply}` is no reply; write close, or a code with a text as 451 4.3.0 Later"
            ),
            Self::Nothing => f.write_str("nothing goes wrong; add wait SECONDS, close or a reply"),
        }
    }
}

impl std::error::Error for InvalidFault {}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, enhanced: Option<(u8, u16, u16)>, text: &str) -> OwnedReply {
        let enhanced =
            enhanced.and_then(|(class, subject, detail)| EnhancedCode::new(class, subject, detail));
        OwnedReply::new(code, enhanced, text.to_owned()).unwrap()
    }

    #[test]
    fn faults_as_text() {
        use FaultStep as S;
        for (text, fault) in [
            ("connect close", Fault::at(S::Connect).close()),
            (
                "auth=me 535 5.7.8 No",
                Fault::at(S::Auth)
                    .only("me")
                    .reply(reply(535, Some((5, 7, 8)), "No")),
            ),
            (
                "3x mail 421 Busy now",
                Fault::at(S::Mail)
                    .times(3)
                    .reply(reply(421, None, "Busy now")),
            ),
            (
                " data  wait 0.25 ",
                Fault::at(S::Data).wait(Duration::from_millis(250)),
            ),
            (
                "1x stored wait 2 close",
                Fault::at(S::Stored)
                    .times(1)
                    .wait(Duration::from_secs(2))
                    .close(),
            ),
            (
                "recipient=a@x 550",
                Fault::at(S::Recipient)
                    .only("a@x")
                    .reply(reply(550, None, "")),
            ),
        ] {
            assert_eq!(text.parse(), Ok(fault), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_faults() {
        for (text, error) in [
            ("", InvalidFault::Step(String::new())),
            ("rcpt close", InvalidFault::Step("rcpt".into())),
            ("2x", InvalidFault::Step(String::new())),
            ("mail", InvalidFault::Nothing),
            ("mail wait 0", InvalidFault::Nothing),
            ("mail wait", InvalidFault::Wait(String::new())),
            ("mail wait -1", InvalidFault::Wait("-1".into())),
            ("mail wait 1e99", InvalidFault::Wait("1e99".into())),
            ("mail wait NaN", InvalidFault::Wait("NaN".into())),
            ("mail closed", InvalidFault::Reply("closed".into())),
            ("mail 354 go", InvalidFault::Reply("354 go".into())),
            ("mail 99 x", InvalidFault::Reply("99 x".into())),
            ("mail 451 a\r\nb", InvalidFault::Reply("451 a\r\nb".into())),
        ] {
            assert_eq!(text.parse::<Fault>(), Err(error), "{text:?}");
        }
    }
}
