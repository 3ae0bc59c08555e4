//! A server for tests of programs that send mail: it keeps what it gets, and
//! misbehaves on demand.
//!
//! ```
//! use sansmtp::config::Security;
//! use sansmtp::message::Mail;
//! use sansmtp_tokio::testing::TestServer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = TestServer::builder()
//!     .security(Security::StartTls) // with a certificate of its own
//!     .user("me", "pw")
//!     .fault("recipient=bad@example.org 550 5.1.1 No such user".parse()?)
//!     .start()
//!     .await?;
//!
//! let mail = Mail::new("me@example.org")
//!     .to("you@example.org")
//!     .to("bad@example.org")
//!     .subject("Hi")
//!     .text("Hello");
//! let report = server.mailer()?.send_mail(&mail).await?;
//! assert_eq!(report.refused().count(), 1);
//!
//! let [received] = &server.messages()[..] else { panic!() };
//! assert_eq!(received.envelope.recipients.len(), 1);
//! assert_eq!(received.session.user.as_deref(), Some("me"));
//! assert!(received.text().contains("\r\nSubject: Hi\r\n"));
//! # Ok(())
//! # }
//! ```

use crate::client::{self, Mailer, Tls};
use crate::server::{
    Body, Fault, Faulty, Handler, InvalidUser, MailEnvelope, Refusal, Server, ServerConfig,
    SessionInfo, Users, Verdict, tls_config,
};
use sansmtp::auth::StoredKeys;
use sansmtp::config::{OwnedConfig, OwnedCredentials, Security};
use sansmtp::server::{KeysWanted, Login};
use sansmtp::wire::param::RcptParameters;
use sansmtp::wire::path::ForwardPath;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A server on this machine that takes mail for everybody. It ends when it is
/// dropped.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    security: Security,
    certificate: String,
    credentials: Option<OwnedCredentials>,
    inbox: Arc<Inbox>,
    serving: JoinHandle<()>,
}

/// Sets up a [`TestServer`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    security: Security,
    user: Option<(String, String)>,
    faults: Vec<Fault>,
    max_size: Option<u64>,
}

/// A message that the server took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// Who sent it to whom.
    pub envelope: MailEnvelope,
    /// The session it came in: user, TLS, what the client called itself.
    pub session: SessionInfo,
    /// The octets of the message, with CR LF line ends.
    pub content: Vec<u8>,
}

/// Why a [`TestServer`] can not start: the user can not exist, or there is no free
/// port.
#[derive(Debug)]
pub struct StartError(Box<dyn Error + Send + Sync>);

#[derive(Debug, Default)]
struct Inbox {
    messages: Mutex<Vec<Received>>,
    arrived: Notify,
}

#[derive(Debug)]
struct Keeper {
    inbox: Arc<Inbox>,
    users: Users,
}

#[derive(Debug)]
struct Keeping {
    inbox: Arc<Inbox>,
    received: Received,
}

impl TestServer {
    /// A server without TLS and sign-in that takes everything.
    ///
    /// # Errors
    /// If there is no free port on the loopback address.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// A server with wishes.
    pub fn builder() -> Builder {
        Builder {
            security: Security::DangerPlaintext,
            user: None,
            faults: Vec::new(),
            max_size: None,
        }
    }

    /// Where it listens: a free port of 127.0.0.1.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate to trust, in PEM form. It is for `localhost` and 127.0.0.1.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// What a client has to know, with the credentials of the user if there is
    /// one. They are sent without TLS too: nothing leaves this machine.
    pub fn config(&self) -> OwnedConfig {
        let host = self.address.ip().to_string();
        let mut config = OwnedConfig::new(&host, self.security)
            .expect("an IP address is a host")
            .with_port(self.address.port());
        config.credentials = self.credentials.clone();
        config.danger_plaintext_auth = self.security == Security::DangerPlaintext;
        config
    }

    /// A mailer that sends to this server and trusts its certificate.
    ///
    /// # Errors
    /// [`client::Error::TrustRoots`] does not come up with a certificate made here.
    pub fn mailer(&self) -> Result<Mailer, client::Error> {
        Mailer::builder(self.config())
            .tls(Tls::pem(self.certificate.as_bytes())?)
            .build()
    }

    /// What has arrived so far, in order.
    pub fn messages(&self) -> Vec<Received> {
        self.inbox.messages().clone()
    }

    /// Takes the first message out, and waits for one if there is none.
    pub async fn next_message(&self) -> Received {
        loop {
            let arrived = self.inbox.arrived.notified();
            {
                let mut messages = self.inbox.messages();
                if !messages.is_empty() {
                    return messages.remove(0);
                }
            }
            arrived.await;
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Builder {
    /// How connections are protected; without, not at all. With
    /// [`Security::StartTls`] TLS is offered, but mail is taken without it too.
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// A user who may sign in, by PLAIN, LOGIN or SCRAM; nobody may send without.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.user = Some((name.to_owned(), password.to_owned()));
        self
    }

    /// Something that goes wrong. The first fault that fits is played.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The largest message, in octets.
    pub fn max_size(mut self, octets: u64) -> Self {
        self.max_size = Some(octets);
        self
    }

    /// Starts it, inside a tokio runtime.
    ///
    /// # Errors
    /// The user can not exist, or there is no free port on the loopback address.
    pub async fn start(self) -> Result<TestServer, StartError> {
        self.try_start().await.map_err(StartError)
    }

    async fn try_start(self) -> Result<TestServer, Box<dyn Error + Send + Sync>> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names)?;
        let certificate = made.cert.pem();
        let key = made.signing_key.serialize_pem();
        let inbox = Arc::new(Inbox::default());
        let mut users = Users::new();
        let mut config = ServerConfig::new("localhost")?.dsn();
        if let Some(octets) = self.max_size {
            config = config.max_size(octets);
        }
        let mut credentials = None;
        if let Some((name, password)) = &self.user {
            users.add(name, password)?;
            let known = OwnedCredentials::password(name, password);
            credentials = Some(known.map_err(|_| InvalidUser::Password)?);
            config = config.password_auth().scram_auth().require_auth();
            if self.security == Security::DangerPlaintext {
                config = config.danger_plaintext_auth();
            }
        }
        let keeper = Keeper {
            inbox: Arc::clone(&inbox),
            users,
        };
        let server = Server::builder(config, Faulty::new(keeper, self.faults))
            .listen("127.0.0.1:0", self.security)
            .tls(tls_config(certificate.as_bytes(), key.as_bytes())?)
            .bind()
            .await?;
        let addresses = server.local_addrs();
        let address = *addresses.first().ok_or("the server listens nowhere")?;
        Ok(TestServer {
            address,
            security: self.security,
            certificate,
            credentials,
            inbox,
            serving: tokio::spawn(server.serve()),
        })
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the test server can not start: {}", self.0)
    }
}

impl Error for StartError {}

impl Received {
    /// The content as text; octets that are no UTF-8 are replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.content)
    }
}

impl Inbox {
    fn messages(&self) -> std::sync::MutexGuard<'_, Vec<Received>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Keeper {
    type Body = Keeping;

    async fn auth(&self, _: &SessionInfo, login: &Login<'_>) -> Verdict {
        self.users.verdict(login)
    }

    async fn scram_keys(&self, _: &SessionInfo, wanted: &KeysWanted<'_>) -> Option<StoredKeys> {
        self.users.keys(wanted.user, wanted.hash)
    }

    async fn recipient(
        &self,
        _: &SessionInfo,
        _: ForwardPath<'_>,
        _: &RcptParameters<'_>,
    ) -> Verdict {
        Verdict::Accept
    }

    async fn data(
        &self,
        session: &SessionInfo,
        envelope: &MailEnvelope,
    ) -> Result<Keeping, Refusal> {
        Ok(Keeping {
            inbox: Arc::clone(&self.inbox),
            received: Received {
                envelope: envelope.clone(),
                session: session.clone(),
                content: Vec::new(),
            },
        })
    }
}

impl Body for Keeping {
    async fn write(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.received.content.extend_from_slice(chunk);
        Ok(())
    }

    async fn finish(self) -> Verdict {
        self.inbox.messages().push(self.received);
        self.inbox.arrived.notify_waiters();
        Verdict::Accept
    }
}
