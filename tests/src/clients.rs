//! Clients of other makers, run against a given server.

mod curl;
mod msmtp;
mod s_nail;
mod smtp_source;
mod smtplib;
mod swaks;

use std::path::PathBuf;

use crate::mail::{self, Mail};
use crate::process::Finished;
use crate::{Error, Mechanism, Security};

/// The name that clients say in EHLO, where they can be told.
const EHLO_NAME: &str = "client.test";

/// A client program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// swaks, the test tool of mail administrators.
    Swaks,
    /// curl.
    Curl,
    /// msmtp, a sendmail replacement.
    Msmtp,
    /// s-nail, a mail user agent that writes headers itself.
    SNail,
    /// Python's smtplib.
    Smtplib,
    /// smtp-source of Postfix: no TLS, no AUTH, one recipient.
    SmtpSource,
}

/// The server that a client is sent to and how it is to connect.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name or address to connect to; the certificate must be valid for it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Protection, required if not [`Security::DangerPlaintext`].
    pub security: Security,
    /// PEM file with the only authority to trust.
    pub ca: Option<PathBuf>,
    /// Log in before the mail.
    pub login: Option<Login>,
}

/// Credentials and the one mechanism to use.
#[derive(Clone, Debug)]
pub struct Login {
    /// SASL mechanism.
    pub mechanism: Mechanism,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

/// How a client's attempt went.
#[derive(Clone, Debug)]
pub struct Report {
    /// The client says that the mail was sent (exit code 0). With several recipients see `output`.
    pub accepted: bool,
    /// Exit code; `None` if a signal ended the client.
    pub code: Option<i32>,
    /// Everything that the client printed, dialogue included where it can print that.
    pub output: String,
    /// What the server must have stored if the mail was accepted.
    pub sent: Sent,
}

/// What a client was told to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Exactly this message.
    Message(Vec<u8>),
    /// This body under headers that the client writes itself.
    Body(Vec<u8>),
}

impl Client {
    /// Every client, for loops over a test matrix.
    pub const ALL: [Self; 6] = [
        Self::Swaks,
        Self::Curl,
        Self::Msmtp,
        Self::SNail,
        Self::Smtplib,
        Self::SmtpSource,
    ];

    /// The name that its users know.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Swaks => "swaks",
            Self::Curl => "curl",
            Self::Msmtp => "msmtp",
            Self::SNail => "s-nail",
            Self::Smtplib => "smtplib",
            Self::SmtpSource => "smtp-source",
        }
    }

    /// True if the client can do TLS and AUTH at all.
    #[must_use]
    pub const fn can_log_in(self) -> bool {
        !matches!(self, Self::SmtpSource)
    }

    /// True if the client refuses a certificate for another host name. (swaks checks the chain only.)
    #[must_use]
    pub const fn checks_host_name(self) -> bool {
        !matches!(self, Self::Swaks | Self::SmtpSource)
    }

    /// True if the client can be given this protection, log-in and number of recipients and sends the
    /// mail as it is (s-nail encodes bodies with long lines).
    #[must_use]
    pub fn can_do(self, target: &Target, mail: &Mail) -> bool {
        match self {
            Self::SmtpSource => {
                let plain = target.security == Security::DangerPlaintext && target.login.is_none();
                plain && mail.recipients.len() == 1
            }
            Self::SNail => mail
                .body()
                .split(|&byte| byte == b'\n')
                .all(|line| line.len() < 900),
            Self::Swaks | Self::Curl | Self::Msmtp | Self::Smtplib => true,
        }
    }

    /// Sends `mail` to `target` and reports what came of it; a refused mail is a report, not an error.
    ///
    /// # Errors
    /// If the client is not installed, cannot do what the target asks for (see [`Client::can_do`]), or
    /// hangs.
    pub fn send(self, target: &Target, mail: &Mail) -> Result<Report, Error> {
        if !self.can_do(target, mail) {
            return Err(Error::new(format!(
                "{} can not send this mail with {:?}, log-in {:?}, {} recipients",
                self.name(),
                target.security,
                target.login.as_ref().map(|login| login.mechanism),
                mail.recipients.len()
            )));
        }
        match self {
            Self::Swaks => swaks::send(target, mail),
            Self::Curl => curl::send(target, mail),
            Self::Msmtp => msmtp::send(target, mail),
            Self::SNail => s_nail::send(target, mail),
            Self::Smtplib => smtplib::send(target, mail),
            Self::SmtpSource => smtp_source::send(target, mail),
        }
    }
}

impl Target {
    /// `localhost` at this port, without TLS and log-in.
    #[must_use]
    pub fn plaintext(port: u16) -> Self {
        Self {
            host: "localhost".to_owned(),
            port,
            security: Security::DangerPlaintext,
            ca: None,
            login: None,
        }
    }

    /// `localhost` at this port with this protection, trusting the authority in `ca` only.
    #[must_use]
    pub fn new(port: u16, security: Security, ca: impl Into<PathBuf>) -> Self {
        Self {
            security,
            ca: Some(ca.into()),
            ..Self::plaintext(port)
        }
    }

    /// The same target, after a log-in.
    #[must_use]
    pub fn login(mut self, mechanism: Mechanism, user: &str, password: &str) -> Self {
        self.login = Some(Login {
            mechanism,
            user: user.to_owned(),
            password: password.to_owned(),
        });
        self
    }
}

impl Report {
    /// Compares a stored message with what the client was told to send.
    ///
    /// # Errors
    /// If they differ; the text shows where.
    pub fn compare(&self, stored: &[u8]) -> Result<(), Error> {
        match &self.sent {
            Sent::Message(message) => mail::compare(message, stored),
            Sent::Body(body) => mail::compare(body, mail::body_of(stored)),
        }
    }

    fn of(finished: Finished, sent: Sent) -> Self {
        Self {
            accepted: finished.code == Some(0),
            code: finished.code,
            output: finished.output,
            sent,
        }
    }
}

/// Lines that end with LF alone, as programs on Unix read them.
fn unix_lines(bytes: &[u8]) -> Vec<u8> {
    bytes
        .split_inclusive(|&byte| byte == b'\n')
        .flat_map(|line| match line.strip_suffix(b"\r\n") {
            Some(line) => [line, b"\n"].concat(),
            None => line.to_vec(),
        })
        .collect()
}

/// Writes `bytes` to a file that lives as long as the returned handle.
fn temporary_file(bytes: &[u8]) -> Result<tempfile::NamedTempFile, Error> {
    use std::io::Write;
    let failed = |e| Error::during("a temporary file", e);
    let mut file = tempfile::NamedTempFile::with_prefix("sansmtp-mail-").map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_lines_have_no_cr() {
        assert_eq!(unix_lines(b"a\r\n\r\nb"), b"a\n\nb");
        assert_eq!(unix_lines(b""), b"");
    }
}
