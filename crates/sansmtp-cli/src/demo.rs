//! `sansmtp demo`: two mails, sent and received on this machine over TLS.

use crate::args;
use crate::certificate::throw_away;
use crate::client::block_on;
use crate::client_failure;
use crate::exit::Exit;
use crate::failure::{Failure, Result, describe};
use crate::output::{BOLD, GOOD, bytes, outln};
use crate::target::url;
use crate::transcript::{RoundTrips, Transcript};
use sansmtp::config::{OwnedConfig, OwnedCredentials, Security};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::message::{Address, Attachment, Builder, Content, Date};
use sansmtp::wire::path::ReversePath;
use sansmtp_tokio::Mailer;
use sansmtp_tokio::client::Tls;
use sansmtp_tokio::maildir::Maildir;
use sansmtp_tokio::server::{Endpoint, MaildirHandler, Server, ServerConfig, Users, tls_config};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

const FROM: &str = "pump7@example.org";
const TO: &str = "ops@example.org";
const USER: &str = "pump7";
/// What a mail may need once the session is there: one for the envelope, one
/// for the content.
const ROUND_TRIPS: u32 = 2;

/// Shows it all; fails if anything differs from what it should be.
pub(crate) fn run(args: &args::Demo) -> Result<()> {
    block_on(demo(args))
}

async fn demo(args: &args::Demo) -> Result<()> {
    let directory = tempfile::Builder::new()
        .prefix("sansmtp-demo-")
        .tempdir()
        .map_err(|error| broken("no temporary directory", &describe(&error)))?;
    let place = Place::set_up(directory.path()).await?;

    outln!("\n{BOLD}1. An alert with an attachment, over STARTTLS and AUTH{BOLD:#}");
    let first = place.send(Security::StartTls).await?;
    outln!("\n{BOLD}2. The same over implicit TLS, to a local recipient without AUTH{BOLD:#}");
    let second = place.send(Security::ImplicitTls).await?;

    place.shutdown().await?;
    if args.keep {
        let path = directory.keep();
        outln!("\nThe mails are in {}", path.join("new").display());
    }
    outln!(
        "\n{GOOD}It works:{GOOD:#} 2 mails sent and received over TLS, byte for byte the same, \
         with {} and {} round trips.",
        first.transaction,
        second.transaction
    );
    Ok(())
}

/// The server, and what a client has to know of it.
struct Place {
    maildir: PathBuf,
    endpoints: Vec<Endpoint>,
    root: String,
    password: Zeroizing<String>,
    stop: sansmtp_tokio::server::ShutdownHandle,
    running: tokio::task::JoinHandle<()>,
}

impl Place {
    async fn set_up(directory: &Path) -> Result<Self> {
        outln!("{BOLD}A server on this machine{BOLD:#}");
        let made = throw_away(vec!["localhost".into(), "127.0.0.1".into()])?;
        outln!("   certificate  from a throw-away authority, SHA-256");
        outln!("                {}", made.fingerprint);
        let password = random_word()?;
        let mut users = Users::new();
        users
            .add(USER, &password)
            .map_err(|error| broken("the user can not be added", &error))?;
        let maildir = Maildir::create(directory, "localhost")
            .await
            .map_err(|error| broken("no Maildir", &describe(&error)))?;
        let handler = MaildirHandler::new(maildir, "localhost")
            .domain("example.org")
            .users(users);
        let config = ServerConfig::new("localhost")
            .map_err(|error| broken("the server can not be set up", &error))?
            .password_auth();
        let tls = tls_config(made.certificate.as_bytes(), made.key.as_bytes())
            .map_err(|error| broken("the certificate can not be used", &error))?;
        let server = Server::builder(config, handler)
            .listen("127.0.0.1:0", Security::StartTls)
            .listen("127.0.0.1:0", Security::ImplicitTls)
            .tls(tls)
            .bind()
            .await
            .map_err(|error| broken("the server does not start", &error))?;
        let endpoints = server.endpoints();
        for endpoint in &endpoints {
            outln!("   listening    {}", endpoint_url(endpoint));
        }
        outln!("   Maildir      {}", directory.display());
        Ok(Self {
            maildir: directory.to_owned(),
            endpoints,
            root: made.root,
            password,
            stop: server.shutdown_handle(),
            running: tokio::spawn(server.serve()),
        })
    }

    /// Sends one mail, reads it back and compares.
    async fn send(&self, security: Security) -> Result<RoundTrips> {
        let transcript = Arc::new(Transcript::new(|line| outln!("   {line}")));
        let mailer = self.mailer(security, transcript.clone())?;

        let from = [parse("Pump 7", FROM)?];
        let to = [parse("", TO)?];
        let log = log();
        let attachments = [Attachment::new(
            "temperature.csv",
            "text/csv; charset=utf-8",
            Content::Bytes(log.as_bytes()),
        )];
        let now = jiff::Timestamp::now().as_second();
        let mut entropy = [0; 16];
        getrandom::fill(&mut entropy).map_err(|error| broken("no random numbers", &error))?;
        let message = Builder::new()
            .from(&from)
            .to(&to)
            .subject("Pump 7: 93 °C")
            .date(Date::from_unix(now, 0).map_err(|error| broken("no date", &error))?)
            .entropy(entropy)
            .text("Temperature above the limit:\n.5 K per minute and rising.\n")
            .attachments(&attachments)
            .build()
            .map_err(|error| broken("the message can not be made", &error))?;
        let expected = message
            .to_vec()
            .map_err(|error| broken("the message can not be written", &error))?;
        let reverse_path =
            ReversePath::parse(FROM).map_err(|error| broken("the sender", &error))?;
        let recipients = [Recipient::parse(TO).map_err(|error| broken("the recipient", &error))?];
        let envelope = Envelope::new(reverse_path, &recipients);

        let before = files(&self.maildir)?;
        let report = mailer
            .send(&envelope, &message)
            .await
            .map_err(|error| client_failure::failure(&error))?;
        mailer.close().await;
        if !report.all_delivered() {
            return Err(client_failure::partial(&report));
        }
        let round_trips = transcript.round_trips();
        let stored = self.read_back(&before)?;
        let trace = compare(&stored, &expected)?;
        outln!(
            "   {GOOD}stored{GOOD:#}       {}: the server's {} of trace, then the message",
            bytes(stored.len() as u64),
            bytes(trace as u64)
        );
        outln!(
            "   {GOOD}the same{GOOD:#}     all {} bytes of it are as they were sent",
            expected.len()
        );
        outln!(
            "   {GOOD}round trips{GOOD:#}  {} for the mail, {} to set up the session",
            round_trips.transaction,
            round_trips.setup
        );
        if !(1..=ROUND_TRIPS).contains(&round_trips.transaction) {
            let what = format!("the mail took {} round trips", round_trips.transaction);
            return Err(broken(&what, &"two were expected"));
        }
        Ok(round_trips)
    }

    fn mailer(&self, security: Security, transcript: Arc<Transcript>) -> Result<Mailer> {
        let endpoint = self
            .endpoints
            .iter()
            .find(|endpoint| endpoint.security == security)
            .ok_or_else(|| broken("the server does not listen", &"an address is missing"))?;
        let mut config = OwnedConfig::new("127.0.0.1", security)
            .map_err(|error| broken("the client can not be set up", &error))?
            .with_port(endpoint.address.port());
        if security == Security::StartTls {
            let credentials = OwnedCredentials::password(USER, &self.password)
                .map_err(|error| broken("the client can not be set up", &error))?;
            config = config.with_credentials(credentials);
        }
        let tls = Tls::pem(self.root.as_bytes());
        let tls = tls.map_err(|error| client_failure::failure(&error))?;
        Mailer::builder(config)
            .tls(tls)
            .tap(transcript)
            .build()
            .map_err(|error| client_failure::failure(&error))
    }

    /// The one file that was not there before.
    fn read_back(&self, before: &BTreeSet<PathBuf>) -> Result<Vec<u8>> {
        let after = files(&self.maildir)?;
        let mut new = after.difference(before);
        let (Some(path), None) = (new.next(), new.next()) else {
            return Err(broken(
                "the mail is not in the Maildir",
                &"one new file was expected",
            ));
        };
        std::fs::read(path).map_err(|error| broken("the mail can not be read", &describe(&error)))
    }

    async fn shutdown(self) -> Result<()> {
        self.stop.shutdown(Duration::from_secs(5));
        self.running
            .await
            .map_err(|error| broken("the server did not stop", &error))
    }
}

/// The length of the trace fields in front, if all the rest is as expected.
fn compare(stored: &[u8], expected: &[u8]) -> Result<usize> {
    let trace = stored.len().checked_sub(expected.len());
    let halves = trace.and_then(|trace| stored.split_at_checked(trace));
    match halves {
        Some((trace, message))
            if message == expected
                && trace.starts_with(b"Return-Path: <pump7@example.org>\r\n") =>
        {
            Ok(trace.len())
        }
        _ => Err(broken(
            "the stored mail differs from the one that was sent",
            &format_args!(
                "{} bytes were sent, {} are stored",
                expected.len(),
                stored.len()
            ),
        )),
    }
}

fn files(maildir: &Path) -> Result<BTreeSet<PathBuf>> {
    let list = || -> std::io::Result<BTreeSet<PathBuf>> {
        std::fs::read_dir(maildir.join("new"))?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    list().map_err(|error| broken("the Maildir can not be read", &describe(&error)))
}

/// Ten hours of temperatures, one a minute.
fn log() -> String {
    let mut log = String::from("minute,celsius\r\n");
    for minute in 0..600 {
        let celsius = 63 + minute / 20;
        // Writing to a string does not fail.
        let _ = write!(log, "{minute},{celsius}\r\n");
    }
    log
}

fn parse<'a>(name: &'a str, mailbox: &'a str) -> Result<Address<'a>> {
    Address::new(name, mailbox).map_err(|error| broken("an address", &error))
}

fn random_word() -> Result<Zeroizing<String>> {
    let mut octets = Zeroizing::new([0; 16]);
    getrandom::fill(&mut *octets).map_err(|error| broken("no random numbers", &error))?;
    let mut word = Zeroizing::new(String::with_capacity(32));
    for octet in octets.iter() {
        let _ = write!(word, "{octet:02x}");
    }
    Ok(word)
}

fn endpoint_url(endpoint: &Endpoint) -> String {
    let host = endpoint.address.ip().to_string();
    url(&host, endpoint.address.port(), endpoint.security, false)
}

/// What must not happen here: no other machine takes part.
fn broken(what: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Software,
        format_args!("the demo failed: {what}: {why}"),
        "this is a defect, or something on this machine blocks connections to itself",
    )
}
