//! Our own server, in the same process.

use std::fs;
use std::path::Path;

use sansmtp::server::Login;
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::param::RcptParameters;
use sansmtp::wire::path::ForwardPath;
use sansmtp_tokio::maildir::Maildir;
use sansmtp_tokio::server::{
    Handler, MailEnvelope, MaildirBody, MaildirHandler, OwnedReply, Refusal, Server, ServerConfig,
    SessionInfo, Users, Verdict, tls_config_from_files,
};
use tokio::runtime::Runtime;

use super::{BUSY, DOMAIN, MAILBOXES, PASSWORD, Peer, REFUSED, StoredMail, USER, UTF8_MAILBOX};
use crate::certs::Identity;
use crate::{Error, Security};

/// A `sansmtp_tokio::Server` with a Maildir.
#[derive(Debug)]
pub struct Ours {
    maildir: tempfile::TempDir,
    plain: u16,
    implicit: u16,
    submission: u16,
    // Dropped with the peer, which ends the server.
    _runtime: Runtime,
}

impl Ours {
    /// Starts the server with this certificate.
    ///
    /// # Errors
    /// If it can not be started.
    pub fn start(identity: &Identity) -> Result<Self, Error> {
        let failed = |e| Error::during("our server", e);
        let maildir = tempfile::TempDir::with_prefix("sansmtp-ours-").map_err(failed)?;
        let runtime = Runtime::new().map_err(failed)?;
        let ports = runtime.block_on(start(identity, maildir.path()))?;
        let [plain, implicit, submission] = ports;
        Ok(Self {
            maildir,
            plain,
            implicit,
            submission,
            _runtime: runtime,
        })
    }
}

async fn start(identity: &Identity, maildir: &Path) -> Result<[u16; 3], Error> {
    let failed = |e: &dyn std::fmt::Display| Error::during("our server", e);
    let maildir = Maildir::create(maildir, DOMAIN)
        .await
        .map_err(|e| failed(&e))?;
    let tls =
        tls_config_from_files(&identity.certificate, &identity.key).map_err(|e| failed(&e))?;
    let config = ServerConfig::new(DOMAIN)
        .map_err(|e| failed(&e))?
        .password_auth();
    let open = Server::builder(config.clone().danger_plaintext_auth(), people(&maildir)?)
        .listen("127.0.0.1:0", Security::StartTls)
        .listen("127.0.0.1:0", Security::ImplicitTls)
        .tls(tls.clone())
        .bind()
        .await
        .map_err(|e| failed(&e))?;
    let submission = Server::builder(config.require_auth(), people(&maildir)?)
        .listen("127.0.0.1:0", Security::StartTls)
        .tls(tls)
        .bind()
        .await
        .map_err(|e| failed(&e))?;
    let addresses = [open.local_addrs(), submission.local_addrs()].concat();
    tokio::spawn(open.serve());
    tokio::spawn(submission.serve());
    let ports: Vec<u16> = addresses.iter().map(|address| address.port()).collect();
    ports
        .try_into()
        .map_err(|_| Error::new("our server listens on a wrong number of ports"))
}

fn people(maildir: &Maildir) -> Result<People, Error> {
    let mut users = Users::new();
    users
        .add(USER, PASSWORD)
        .map_err(|e| Error::during("our server's user", e))?;
    let store = MaildirHandler::new(maildir.clone(), DOMAIN)
        .domain(DOMAIN)
        .users(users);
    Ok(People { store })
}

/// Maildir delivery for the people that every peer knows.
struct People {
    store: MaildirHandler,
}

impl Handler for People {
    type Body = MaildirBody;

    async fn auth(&self, session: &SessionInfo, login: &Login<'_>) -> Verdict {
        self.store.auth(session, login).await
    }

    async fn recipient(
        &self,
        session: &SessionInfo,
        forward_path: ForwardPath<'_>,
        parameters: &RcptParameters<'_>,
    ) -> Verdict {
        let refusal = match forward_path.as_str() {
            BUSY => (
                450,
                EnhancedCode::new(4, 2, 1),
                "Mailbox busy, try again later",
            ),
            known if MAILBOXES.contains(&known) || known == UTF8_MAILBOX => {
                return self
                    .store
                    .recipient(session, forward_path, parameters)
                    .await;
            }
            local if local == REFUSED || local.ends_with(DOMAIN) => {
                (550, EnhancedCode::new(5, 1, 1), "No such mailbox")
            }
            _ => {
                return self
                    .store
                    .recipient(session, forward_path, parameters)
                    .await;
            }
        };
        let (code, enhanced, text) = refusal;
        OwnedReply::new(code, enhanced, text).map_or(Verdict::Accept, Verdict::Reply)
    }

    async fn data(
        &self,
        session: &SessionInfo,
        envelope: &MailEnvelope,
    ) -> Result<MaildirBody, Refusal> {
        self.store.data(session, envelope).await
    }
}

impl Peer for Ours {
    fn name(&self) -> &'static str {
        "our server"
    }

    fn port(&self, security: Security) -> u16 {
        match security {
            Security::DangerPlaintext | Security::StartTls => self.plain,
            Security::ImplicitTls => self.implicit,
        }
    }

    fn submission_port(&self) -> u16 {
        self.submission
    }

    // What the server answered with 250 is on disk: there is nothing to wait for.
    fn wait_for(&self, marker: &str, recipients: usize) -> Result<Vec<StoredMail>, Error> {
        let found = self.stored(marker)?;
        let reached: usize = found.iter().map(|mail| mail.recipients.len()).sum();
        if reached < recipients {
            return Err(Error::new(format!(
                "mail with {marker:?} was stored for {reached} of {recipients} recipients"
            )));
        }
        Ok(found)
    }

    fn stored(&self, marker: &str) -> Result<Vec<StoredMail>, Error> {
        let new = self.maildir.path().join("new");
        let failed = |e| Error::during(new.display(), e);
        let mut found = Vec::new();
        for entry in fs::read_dir(&new).map_err(failed)? {
            let file = fs::read(entry.map_err(failed)?.path()).map_err(failed)?;
            if super::has_marker(&file, marker) {
                found.push(take_apart(&file)?);
            }
        }
        Ok(found)
    }

    fn log(&self) -> String {
        String::new()
    }
}

/// Separates the trace fields that the server put in front from the message.
fn take_apart(file: &[u8]) -> Result<StoredMail, Error> {
    let mut reverse_path = None;
    let mut recipients = Vec::new();
    let mut received = false;
    let mut rest = file;
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, tail) = rest.split_at(end + 2);
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if let Some(path) = text.strip_prefix("Return-Path: <") {
            reverse_path = Some(path.trim_end_matches('>').to_owned());
        } else if let Some(recipient) = text.strip_prefix("Delivered-To: ") {
            recipients.push(recipient.to_owned());
        } else if text.starts_with("Received: ") && !received {
            received = true;
        } else if !(received && line.starts_with(b"\t")) {
            break;
        }
        rest = tail;
    }
    if !received {
        return Err(Error::new("a stored mail lacks its Received field"));
    }
    Ok(StoredMail {
        reverse_path: reverse_path.ok_or_else(|| Error::new("a stored mail lacks Return-Path"))?,
        recipients,
        message: rest.to_vec(),
    })
}
