//! What can go wrong, who must act, and what to do.

use super::connect::Attempt;
use super::report::{Refused, Reply, Report};
use super::tls::TlsError;
use sansmtp::error::{Error as CoreError, Stage};
use sansmtp::message::MailError;
use sansmtp::provider::Explanation;
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::Code;
use std::fmt;
use std::io;

/// Why a message was not sent, or a mailer can not work.
///
/// `Display` is one line that says what was wrong; [`Error::next_step`] says
/// what to do. A message that the server took with 250 is never an error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The trusted certificates can not be used.
    TrustRoots(String),
    /// The host name could not be looked up.
    Lookup(Box<LookupError>),
    /// No address of the server could be connected to.
    Connect(Box<ConnectError>),
    /// The TLS handshake failed.
    Tls(Box<TlsError>),
    /// The server refused the session: the greeting, EHLO, STARTTLS or AUTH.
    SessionRefused(Box<SessionRefused>),
    /// The server refused the message for everybody: the sender, every recipient,
    /// DATA, or the content. The report has the replies. A message that only some
    /// recipients were refused for is no error, see
    /// [`Report::all_delivered`].
    NotDelivered(Box<Report>),
    /// The dialogue broke off: the server broke the protocol, lacks what is
    /// needed, took too long, or the connection was lost.
    Dialogue(Box<DialogueError>),
    /// The content could not be read. The message was not delivered.
    Content(io::Error),
    /// The mail can not be sent as it is: an address or another part is not valid.
    Mail(MailError),
    /// [`Mailer::close`](super::Mailer::close) was called.
    MailerClosed,
}

/// A host name that could not be looked up.
#[derive(Debug)]
#[non_exhaustive]
pub struct LookupError {
    /// The name.
    pub host: String,
    /// What the resolver said.
    pub source: io::Error,
}

/// A server that could not be connected to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectError {
    /// The server.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Every address that was tried, and what went wrong.
    pub attempts: Vec<Attempt>,
}

/// A session that the server refused.
#[derive(Clone, Debug)]
pub struct SessionRefused {
    pub(super) host: String,
    pub(super) refused: Refused,
}

/// A dialogue that broke off.
#[derive(Debug)]
#[non_exhaustive]
pub struct DialogueError {
    /// The server.
    pub host: String,
    /// What went wrong, in the words of the protocol core.
    pub error: CoreError,
    /// What the socket said, if it was the cause.
    pub io: Option<io::Error>,
    /// What is known of the recipients, if a message was under way.
    pub report: Option<Report>,
}

impl Error {
    /// What to do next, in a sentence or two.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::TrustRoots(_) => {
                "give the certificates to trust, or install the system's (ca-certificates)"
            }
            Self::Lookup(_) => "check the spelling of the host name and the network connection",
            Self::Connect(error) => error.next_step(),
            Self::Tls(error) => error.fault.next_step(),
            Self::SessionRefused(error) => error.refused.next_step(),
            Self::NotDelivered(report) => report
                .cause()
                .map_or("read the replies for each recipient", |refused| {
                    refused.next_step()
                }),
            Self::Dialogue(error) => error.error.next_step(),
            Self::Content(_) => "check that the file can be read to its end, and send again",
            Self::Mail(_) => "correct that part of the mail; nothing was sent",
            Self::MailerClosed => "make a new mailer",
        }
    }

    /// What the server's refusal means, with a page that shows what to do where
    /// one is known.
    pub fn explanation(&self) -> Option<Explanation> {
        self.refused()?.explanation
    }

    /// Whether the same attempt may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Lookup(error) => error.is_temporary(),
            Self::Connect(_) => true,
            Self::Tls(error) => error.fault == super::TlsFault::Closed,
            Self::SessionRefused(error) => error.refused.as_core().is_temporary(),
            Self::NotDelivered(report) => report.is_temporary(),
            Self::Dialogue(error) => error.error.is_temporary(),
            Self::TrustRoots(_) | Self::Content(_) | Self::Mail(_) | Self::MailerClosed => false,
        }
    }

    /// Whether the message may have been accepted although no 250 arrived: the
    /// connection was lost behind the final dot. A second attempt could deliver
    /// it twice, so the mailer makes none.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Dialogue(error) if error.error.outcome_unknown())
    }

    /// What the dialogue was at, where there was one.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Self::Dialogue(error) => error.error.stage(),
            _ => Some(self.refused()?.stage),
        }
    }

    /// The server's reply, if it refused. For a message that every recipient was
    /// refused for it is the reply to the first.
    pub fn reply(&self) -> Option<Reply> {
        Some(self.refused()?.reply)
    }

    /// The reply code, if the server refused.
    pub fn code(&self) -> Option<Code> {
        Some(self.reply()?.code())
    }

    /// The enhanced status code, if the server refused and gave one.
    pub fn enhanced(&self) -> Option<EnhancedCode> {
        self.reply()?.enhanced()
    }

    /// What is known of each recipient, if a message was under way.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::NotDelivered(report) => Some(report),
            Self::Dialogue(error) => error.report.as_ref(),
            _ => None,
        }
    }

    fn refused(&self) -> Option<Refused> {
        match self {
            Self::SessionRefused(error) => Some(error.refused.clone()),
            Self::NotDelivered(report) => report.cause(),
            _ => None,
        }
    }
}

impl SessionRefused {
    /// The server.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What it refused.
    pub fn stage(&self) -> Stage {
        self.refused.stage
    }

    /// What it said.
    pub fn reply(&self) -> &Reply {
        &self.refused.reply
    }
}

impl LookupError {
    /// Resolvers tell "not now" from "no such name" in their text alone.
    fn is_temporary(&self) -> bool {
        self.source.kind() == io::ErrorKind::TimedOut
            || self.source.to_string().contains("emporary failure")
    }
}

impl ConnectError {
    fn next_step(&self) -> &'static str {
        let all = |kinds: &[io::ErrorKind]| {
            let mut attempts = self.attempts.iter();
            attempts.all(|attempt| kinds.contains(&attempt.error.kind()))
        };
        if all(&[io::ErrorKind::ConnectionRefused]) {
            "check host and port, and that the server runs; 465 and 587 are the usual ports"
        } else if all(&[io::ErrorKind::TimedOut]) {
            "a firewall may block the port (many networks block port 25); try port 465 or 587"
        } else {
            "check the network connection, host and port"
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrustRoots(text) => write!(f, "no trusted certificates: {text}"),
            Self::Lookup(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
            Self::SessionRefused(error) => error.fmt(f),
            Self::NotDelivered(report) => report.fmt(f),
            Self::Dialogue(error) => error.fmt(f),
            Self::Content(error) => write!(f, "the content could not be read: {error}"),
            Self::Mail(error) => error.fmt(f),
            Self::MailerClosed => f.write_str("the mailer is closed"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Lookup(error) => Some(&error.source),
            Self::Content(error) => Some(error),
            Self::Mail(error) => Some(error),
            Self::Dialogue(error) => Some(&error.error),
            _ => None,
        }
    }
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the host {} could not be looked up: {}",
            self.host, self.source
        )
    }
}

impl std::error::Error for LookupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can not connect to {} port {}", self.host, self.port)?;
        let mut separator = ": ";
        for attempt in &self.attempts {
            let why = match attempt.error.kind() {
                io::ErrorKind::TimedOut => "no answer in time".to_owned(),
                io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
                _ => attempt.error.to_string(),
            };
            write!(f, "{separator}{} {why}", attempt.address)?;
            separator = "; ";
        }
        Ok(())
    }
}

impl std::error::Error for ConnectError {}

impl fmt::Display for SessionRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, stage, reply) = (&self.host, self.refused.stage, &self.refused.reply);
        write!(f, "{host} refused {stage}: {reply}")
    }
}

impl std::error::Error for SessionRefused {}

impl fmt::Display for DialogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.host, self.error)?;
        match &self.io {
            Some(io) => write!(f, " ({io})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DialogueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
