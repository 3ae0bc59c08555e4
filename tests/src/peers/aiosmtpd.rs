//! aiosmtpd, the server that Python projects test with.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::child::ServerProcess;
use super::{BUSY, MAILBOXES, PASSWORD, Peer, REFUSED, StoredMail, USER, UTF8_MAILBOX};
use crate::certs::Identity;
use crate::{Error, Security, tools};

/// A running aiosmtpd: AUTH PLAIN and LOGIN, every mail stored exactly as it came.
#[derive(Debug)]
pub struct Aiosmtpd {
    // Stopped before its directory goes.
    process: ServerProcess,
    plain: u16,
    implicit: u16,
    submission: u16,
    store: TempDir,
}

impl Aiosmtpd {
    /// Starts aiosmtpd with this certificate and returns when it listens.
    ///
    /// # Errors
    /// If it is not installed or does not start.
    pub fn start(identity: &Identity) -> Result<Self, Error> {
        let python = tools::python()?;
        let store = TempDir::with_prefix("sansmtp-aiosmtpd-")
            .map_err(|e| Error::during("a directory for aiosmtpd", e))?;
        let mailboxes: Vec<&str> = MAILBOXES.into_iter().chain([UTF8_MAILBOX]).collect();
        let people = json!({
            "mailboxes": mailboxes, "refused": REFUSED, "busy": BUSY,
            "user": USER, "password": PASSWORD,
        });
        let process = ServerProcess::start(
            "aiosmtpd",
            Command::new(python)
                .args(["-c", include_str!("aiosmtpd_server.py")])
                .arg(store.path())
                .arg(&identity.certificate)
                .arg(&identity.key)
                .arg(people.to_string()),
        )?;
        let [plain, implicit, submission] = process.wait_until("the start", |log| {
            Ok(log.iter().find_map(|line| ports(line)))
        })?;
        Ok(Self {
            process,
            plain,
            implicit,
            submission,
            store,
        })
    }
}

impl Peer for Aiosmtpd {
    fn name(&self) -> &'static str {
        "aiosmtpd"
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

    fn wait_for(&self, marker: &str, recipients: usize) -> Result<Vec<StoredMail>, Error> {
        let what = format!("mail with {marker:?} for {recipients} recipient(s)");
        self.process.wait_until(&what, |log| {
            let found = read_stored(self.store.path(), log, marker)?;
            let reached: usize = found.iter().map(|mail| mail.recipients.len()).sum();
            Ok((reached >= recipients).then_some(found))
        })
    }

    fn stored(&self, marker: &str) -> Result<Vec<StoredMail>, Error> {
        self.process.wait_until("the store", |log| {
            read_stored(self.store.path(), log, marker).map(Some)
        })
    }

    fn log(&self) -> String {
        self.process.log()
    }
}

/// The ports in a line `ready PLAIN IMPLICIT SUBMISSION`.
fn ports(line: &str) -> Option<[u16; 3]> {
    let ports: Option<Vec<u16>> = line
        .strip_prefix("ready ")?
        .split(' ')
        .map(|port| port.parse().ok())
        .collect();
    ports?.try_into().ok()
}

/// The mails that the log says are stored and that have `marker` in their headers.
fn read_stored(store: &Path, log: &[String], marker: &str) -> Result<Vec<StoredMail>, Error> {
    let mut found = Vec::new();
    for number in log.iter().filter_map(|line| line.strip_prefix("stored ")) {
        let file = store.join(number);
        let failed = |e| Error::during(file.display(), e);
        let message = fs::read(file.with_extension("eml")).map_err(failed)?;
        if !super::has_marker(&message, marker) {
            continue;
        }
        let envelope = fs::read(file.with_extension("json")).map_err(failed)?;
        let envelope: Value = serde_json::from_slice(&envelope)
            .map_err(|e| Error::during("the envelope that aiosmtpd wrote", e))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        found.push(StoredMail {
            reverse_path: text(&envelope["mail_from"]),
            recipients: envelope["rcpt_tos"]
                .as_array()
                .map(|list| list.iter().map(text).collect())
                .unwrap_or_default(),
            message,
        });
    }
    Ok(found)
}
