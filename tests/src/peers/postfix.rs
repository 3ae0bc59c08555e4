//! Postfix as an instance of its own, beside whatever the machine runs.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::child::ServerProcess;
use super::{BUSY, DOMAIN, MAILBOXES, PASSWORD, Peer, REFUSED, StoredMail, USER, UTF8_MAILBOX};
use crate::certs::Identity;
use crate::{Error, Security, process, tools};

/// Ports are found free and released before Postfix binds them, so somebody else may be faster.
const START_ATTEMPTS: usize = 5;

/// A running Postfix: SASL PLAIN, LOGIN and CRAM-MD5, a Maildir for each mailbox, relaying only after
/// AUTH (and then to nowhere).
///
/// Postfix can only be started by root.
#[derive(Debug)]
pub struct Postfix {
    // Stopped before its directory goes.
    process: ServerProcess,
    ports: Ports,
    directory: TempDir,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    plain: u16,
    implicit: u16,
    submission: u16,
}

impl Postfix {
    /// Starts Postfix with this certificate and returns when it answers.
    ///
    /// # Errors
    /// If Postfix or Cyrus SASL is not installed, if the caller is not root, or if it does not start.
    pub fn start(identity: &Identity) -> Result<Self, Error> {
        Self::start_with(identity, "")
    }

    /// The same with further lines of `main.cf`.
    ///
    /// # Errors
    /// As [`Postfix::start`].
    pub fn start_with(identity: &Identity, main_cf: &str) -> Result<Self, Error> {
        let postfix = tools::find("postfix")?;
        let saslpasswd = tools::find("saslpasswd2")?;
        let account = Account::of_postfix()?;
        let mut last = Error::new("Postfix was not tried");
        for _ in 0..START_ATTEMPTS {
            let ports = Ports::free()?;
            let directory = TempDir::with_prefix("sansmtp-postfix-")
                .map_err(|e| Error::during("a directory for Postfix", e))?;
            configure(
                directory.path(),
                ports,
                identity,
                &account,
                &saslpasswd,
                main_cf,
            )
            .map_err(|e| Error::during("Postfix's configuration (it needs root)", e))?;
            let process = ServerProcess::start(
                "Postfix",
                Command::new("/bin/sh")
                    .args(["-c", SUPERVISE, "postfix-supervisor"])
                    .arg(&postfix)
                    .arg(directory.path()),
            )?;
            let started = process.wait_until("the start", |log| {
                Ok(log
                    .iter()
                    .any(|line| line.contains("daemon started"))
                    .then_some(()))
            });
            match started.and_then(|()| ports.answer()) {
                Ok(()) => {
                    return Ok(Self {
                        process,
                        ports,
                        directory,
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Peer for Postfix {
    fn name(&self) -> &'static str {
        "Postfix"
    }

    fn port(&self, security: Security) -> u16 {
        match security {
            Security::DangerPlaintext | Security::StartTls => self.ports.plain,
            Security::ImplicitTls => self.ports.implicit,
        }
    }

    fn submission_port(&self) -> u16 {
        self.ports.submission
    }

    fn wait_for(&self, marker: &str, recipients: usize) -> Result<Vec<StoredMail>, Error> {
        let what = format!("mail with {marker:?} for {recipients} recipient(s)");
        self.process.wait_until(&what, |_| {
            let found = self.stored(marker)?;
            Ok((found.len() >= recipients).then_some(found))
        })
    }

    fn stored(&self, marker: &str) -> Result<Vec<StoredMail>, Error> {
        let mut found = Vec::new();
        for maildir in entries(&self.directory.path().join("mail"))? {
            for file in entries(&maildir.join("new"))? {
                let bytes = fs::read(&file).map_err(|e| Error::during(file.display(), e))?;
                if super::has_marker(&bytes, marker) {
                    found.push(read_stored(&bytes)?);
                }
            }
        }
        Ok(found)
    }

    fn log(&self) -> String {
        self.process.log()
    }
}

/// Starts Postfix in the foreground, waits for the end of standard input, then stops Postfix and
/// removes its directory. `$1` is the postfix command, `$2` the directory.
const SUPERVISE: &str = r#"
"$1" -c "$2/etc" start-fg </dev/null &
cat >/dev/null
"$1" -c "$2/etc" stop >/dev/null 2>&1
wait
rm -rf -- "$2"
"#;

impl Ports {
    fn free() -> Result<Self, Error> {
        let failed = |e| Error::during("a free port", e);
        // Held all together, so that they differ.
        let held = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let [plain, implicit, submission] = held.map(|listener| {
            listener
                .and_then(|listener| listener.local_addr())
                .map(|address| address.port())
        });
        Ok(Self {
            plain: plain.map_err(failed)?,
            implicit: implicit.map_err(failed)?,
            submission: submission.map_err(failed)?,
        })
    }

    fn answer(self) -> Result<(), Error> {
        for port in [self.plain, self.implicit, self.submission] {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port))
                .map_err(|e| Error::during(format_args!("Postfix on port {port}"), e))?;
        }
        Ok(())
    }
}

/// The account that Postfix runs as.
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    fn of_postfix() -> Result<Self, Error> {
        let passwd =
            fs::read_to_string("/etc/passwd").map_err(|e| Error::during("/etc/passwd", e))?;
        passwd
            .lines()
            .find_map(|line| {
                let mut fields = line.strip_prefix("postfix:")?.split(':').skip(1);
                let uid = fields.next()?.parse().ok()?;
                let gid = fields.next()?.parse().ok()?;
                Some(Self { uid, gid })
            })
            .ok_or_else(|| Error::new("there is no user postfix; run: cargo xtask setup"))
    }
}

fn configure(
    at: &Path,
    ports: Ports,
    identity: &Identity,
    account: &Account,
    saslpasswd: &Path,
    more: &str,
) -> Result<(), Error> {
    let io = |e: std::io::Error| Error::during("file", e);
    // The mail system's own user must be able to walk in.
    fs::set_permissions(at, Permissions::from_mode(0o755)).map_err(io)?;
    for name in ["etc/sasl", "queue", "data", "mail"] {
        fs::create_dir_all(at.join(name)).map_err(io)?;
    }
    for name in ["data", "mail"] {
        chown(at.join(name), Some(account.uid), Some(account.gid)).map_err(io)?;
    }
    let etc = at.join("etc");
    fs::write(etc.join("main.cf"), main_cf(at, identity, account) + more).map_err(io)?;
    fs::write(etc.join("master.cf"), master_cf(ports)).map_err(io)?;
    fs::write(etc.join("mailboxes"), mailboxes()).map_err(io)?;
    fs::write(
        etc.join("refused"),
        format!("{REFUSED} 550 5.1.1 No such mailbox\n{BUSY} 450 4.2.1 Mailbox busy, try again\n"),
    )
    .map_err(io)?;
    let database = etc.join("sasl/db");
    fs::write(
        etc.join("sasl/smtpd.conf"),
        format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\n\
             mech_list: PLAIN LOGIN CRAM-MD5\n",
            database.display()
        ),
    )
    .map_err(io)?;
    let made = process::run(
        Command::new(saslpasswd)
            .args(["-p", "-c", "-u", DOMAIN, "-f"])
            .arg(&database)
            .arg(USER),
        PASSWORD.as_bytes(),
    )?;
    if made.code != Some(0) {
        return Err(Error::during("saslpasswd2", made.output));
    }
    chown(&database, Some(account.uid), Some(account.gid)).map_err(io)
}

fn main_cf(at: &Path, identity: &Identity, account: &Account) -> String {
    let at = at.display();
    format!(
        "\
compatibility_level = 3.6
config_directory = {at}/etc
queue_directory = {at}/queue
data_directory = {at}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {DOMAIN}
mydestination =
mynetworks =
local_header_rewrite_clients =
local_recipient_maps =
alias_maps =
smtputf8_enable = yes
message_size_limit = 67108864
virtual_transport = virtual
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = {at}/mail
virtual_mailbox_maps = texthash:{at}/etc/mailboxes
virtual_mailbox_limit = 0
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
default_transport = discard
relay_transport = discard
smtpd_recipient_restrictions = check_recipient_access texthash:{at}/etc/refused
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = {DOMAIN}
smtpd_sasl_security_options = noanonymous
cyrus_sasl_config_path = {at}/etc/sasl
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
",
        certificate = identity.certificate.display(),
        key = identity.key.display(),
        uid = account.uid,
        gid = account.gid,
    )
}

fn master_cf(ports: Ports) -> String {
    let Ports {
        plain,
        implicit,
        submission,
    } = ports;
    format!(
        "\
{plain} inet n - n - - smtpd
{implicit} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
{submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
flush unix n - n 1000? 0 flush
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"
    )
}

fn mailboxes() -> String {
    MAILBOXES
        .into_iter()
        .chain([UTF8_MAILBOX])
        .map(|address| {
            let local_part = address.split('@').next().unwrap_or(address);
            format!("{address} {local_part}/\n")
        })
        .collect()
}

/// The entries of a directory; none if it does not exist, as a Maildir before its first mail.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |e| Error::during(directory.display(), e);
    match fs::read_dir(directory) {
        Ok(list) => list
            .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
            .collect(),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(failed(e)),
    }
}

/// Takes the headers off that `virtual` and `smtpd` put in front, and restores CR LF.
fn read_stored(bytes: &[u8]) -> Result<StoredMail, Error> {
    let mut stored = StoredMail {
        reverse_path: String::new(),
        recipients: Vec::new(),
        message: Vec::new(),
    };
    let mut rest = bytes;
    for name in ["Return-Path", "X-Original-To", "Delivered-To", "Received"] {
        let (value, after) = take_header(rest, name).ok_or_else(|| {
            let start = String::from_utf8_lossy(bytes.get(..400).unwrap_or(bytes));
            Error::new(format!(
                "Postfix stored no {name} header where expected:\n{start}"
            ))
        })?;
        match name {
            "Return-Path" => stored.reverse_path = value.trim_matches(['<', '>']).to_owned(),
            "X-Original-To" => stored.recipients.push(value),
            _ => {}
        }
        rest = after;
    }
    for line in rest.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => stored.message.extend([line, b"\r\n"].concat()),
            None => stored.message.extend(line),
        }
    }
    Ok(stored)
}

/// Splits one header with its continuation lines off, if it has this name.
fn take_header<'a>(bytes: &'a [u8], name: &str) -> Option<(String, &'a [u8])> {
    let value_start = bytes.strip_prefix(name.as_bytes())?.strip_prefix(b": ")?;
    let length = value_start
        .windows(2)
        .position(|pair| matches!(pair, [b'\n', next] if !b" \t".contains(next)))?;
    let (value, rest) = value_start.split_at_checked(length)?;
    Some((String::from_utf8_lossy(value).into_owned(), rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_headers_are_taken_off_and_line_ends_restored() {
        let stored = read_stored(
            b"Return-Path: <a@x.test>\nX-Original-To: b@mx.test\nDelivered-To: b@mx.test\n\
              Received: from x\n\tby y; now\nReceived: older\n\nbody\n.\n",
        )
        .unwrap();
        assert_eq!(stored.reverse_path, "a@x.test");
        assert_eq!(stored.recipients, ["b@mx.test"]);
        assert_eq!(stored.message, b"Received: older\r\n\r\nbody\r\n.\r\n");
    }

    #[test]
    fn a_file_without_trace_headers_is_an_error() {
        assert!(read_stored(b"Subject: x\n\nbody\n").is_err());
    }
}
