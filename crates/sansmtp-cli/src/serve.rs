//! `sansmtp serve`: a server that stores mail in a Maildir.

use crate::args;
use crate::certificate::{Made, self_signed};
use crate::client::block_on;
use crate::exit::Exit;
use crate::failure::{Failure, Result, describe};
use crate::listen::Listen;
use crate::output::{note, outln, warn};
use crate::password::read_secret;
use crate::target::url;
use sansmtp::server::Timeouts;
use sansmtp_tokio::maildir::Maildir;
use sansmtp_tokio::rustls;
use sansmtp_tokio::server::{
    BindError, Faulty, MaildirHandler, Relay, Server, ServerConfig, ShutdownHandle, Users,
    tls_config, tls_config_from_files,
};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tracing::Level;

/// How long clients may go on with what they began when the server is stopped.
const GRACE: Duration = Duration::from_secs(30);

/// Serves until it is told to stop.
pub(crate) fn run(args: &args::Serve) -> Result<()> {
    log_to_stderr(args.verbose);
    let listeners = args
        .listen
        .iter()
        .map(|text| Listen::parse(text))
        .collect::<Result<Vec<_>>>()?;
    let config = config(args, &listeners)?;
    let users = users(args)?;
    let tls = match listeners.iter().all(Listen::is_plaintext) {
        true => None,
        false => Some(certificate(args, &listeners)?),
    };
    if args.domain.is_empty() && users.is_empty() {
        warn("nobody but <Postmaster> can get mail: add --domain example.org or --user");
    }
    let config = match users.is_empty() {
        true => config,
        false => config.password_auth().scram_auth(),
    };
    block_on(serve(args, listeners, config, users, tls))
}

async fn serve(
    args: &args::Serve,
    listeners: Vec<Listen>,
    config: ServerConfig,
    users: Users,
    tls: Option<Arc<rustls::ServerConfig>>,
) -> Result<()> {
    let maildir = Maildir::create(&args.maildir, &args.hostname)
        .await
        .map_err(|error| {
            Failure::new(
                Exit::Io,
                format_args!(
                    "the Maildir {} can not be made: {}",
                    args.maildir.display(),
                    describe(&error)
                ),
                "check the path and who may write there",
            )
        })?;
    let mut handler = MaildirHandler::new(maildir, &args.hostname).relay(match users.is_empty() {
        true => Relay::Deny,
        false => Relay::Authenticated,
    });
    for domain in &args.domain {
        handler = handler.domain(domain);
    }
    let handler = Faulty::new(handler.users(users), args.fault.iter().cloned());
    let mut builder = Server::builder(config, handler);
    for listen in listeners {
        builder = match listen.lmtp {
            true => builder.listen_lmtp(listen.address, listen.security),
            false => builder.listen(listen.address, listen.security),
        };
    }
    if let Some(tls) = tls {
        builder = builder.tls(tls);
    }
    let server = builder.bind().await.map_err(|error| not_bound(&error))?;
    // Before anybody is told that the server is there, so that no signal is lost.
    stop_on_signals(server.shutdown_handle())?;
    for endpoint in server.endpoints() {
        let host = endpoint.address.ip().to_string();
        outln!(
            "listening {}",
            url(
                &host,
                endpoint.address.port(),
                endpoint.security,
                endpoint.lmtp
            )
        );
    }
    // A program that waits for the lines may read from a pipe.
    let _ = std::io::stdout().flush();
    note(format_args!(
        "mail goes into {}; stop with Ctrl-C",
        args.maildir.display()
    ));
    server.serve().await;
    note("stopped");
    Ok(())
}

fn config(args: &args::Serve, listeners: &[Listen]) -> Result<ServerConfig> {
    let mut config = ServerConfig::new(&args.hostname).map_err(|error| {
        let next = "write --hostname mail.example.org";
        Failure::new(Exit::Usage, format_args!("--hostname: {error}"), next)
    })?;
    for domain in &args.domain {
        // An address at the domain is as good a proof as any.
        let address = format!("postmaster@{domain}");
        if let Err(error) = sansmtp::wire::path::Mailbox::parse(&address) {
            let what = format!("--domain `{domain}`: {error}");
            return Err(Failure::new(
                Exit::Usage,
                what,
                "write --domain example.org",
            ));
        }
    }
    let idle = args.idle_timeout.saturating_mul(1000);
    let mut timeouts = Timeouts::default();
    timeouts.command = idle;
    timeouts.content = idle;
    timeouts.handshake = timeouts.handshake.min(idle);
    let connections = args.max_connections as usize;
    config = config
        // What is stored here has arrived: in time, and without another hop.
        .dsn()
        .require_tls()
        .deliver_by(0)
        .max_size(args.max_size)
        .max_recipients(args.max_recipients)
        .max_connections(connections)
        .timeouts(timeouts);
    if listeners.iter().all(Listen::is_loopback) {
        // All clients have the same address here.
        config = config.max_connections_per_peer(connections);
    }
    config.proxy_from.clone_from(&args.proxy_from);
    config.xclient_from.clone_from(&args.xclient_from);
    if args.danger_plaintext_auth {
        warn("passwords are taken without TLS: everybody on the way can read them");
        config = config.danger_plaintext_auth();
    }
    Ok(config)
}

fn users(args: &args::Serve) -> Result<Users> {
    let mut users = Users::new();
    if !args.user.is_empty() {
        warn(
            "a password on the command line can be seen by other users of this machine; \
             --users FILE is safer",
        );
    }
    for user in &args.user {
        add(&mut users, user, "--user")?;
    }
    if let Some(path) = &args.users {
        let text = read_secret(path)?;
        for (index, line) in text.lines().enumerate() {
            let place = format!("{} line {}", path.display(), index + 1);
            if !line.trim().is_empty() && !line.starts_with('#') {
                add(&mut users, line, &place)?;
            }
        }
    }
    Ok(users)
}

/// The text is not quoted: it may hold a password.
fn add(users: &mut Users, user: &str, place: &str) -> Result<()> {
    let failure = |what: &dyn std::fmt::Display| {
        let next = "write NAME:PASSWORD";
        Failure::new(Exit::Config, format_args!("{place}: {what}"), next)
    };
    let (name, password) = user
        .split_once(':')
        .ok_or_else(|| failure(&"there is no colon between name and password"))?;
    users.add(name, password).map_err(|error| failure(&error))
}

fn certificate(args: &args::Serve, listeners: &[Listen]) -> Result<Arc<rustls::ServerConfig>> {
    if let (Some(chain), Some(key)) = (&args.cert, &args.key) {
        return tls_config_from_files(chain, key).map_err(|error| {
            Failure::new(
                Exit::Config,
                error,
                "give the certificate chain with --cert and its private key with --key, in PEM",
            )
        });
    }
    let mut names = vec![args.hostname.clone()];
    for name in ["localhost", "127.0.0.1", "::1"]
        .into_iter()
        .chain(listeners.iter().map(Listen::host))
    {
        names.push(name.to_owned());
    }
    let distinct: BTreeSet<_> = names.iter().skip(1).cloned().collect();
    names.truncate(1);
    names.extend(distinct.into_iter().filter(|name| *name != args.hostname));
    // Not for an address literal, nor for "all addresses".
    names.retain(|name| !name.starts_with('[') && name != "0.0.0.0" && name != "::");
    let made = self_signed(names)?;
    announce(&made, args.write_cert.as_deref())?;
    tls_config(made.certificate.as_bytes(), made.key.as_bytes())
        .map_err(|error| Failure::new(Exit::Software, error, "give a certificate with --cert"))
}

fn announce(made: &Made, path: Option<&Path>) -> Result<()> {
    note(format_args!(
        "self-signed certificate made for this run, SHA-256 {}",
        made.fingerprint
    ));
    let Some(path) = path else {
        return Ok(());
    };
    std::fs::write(path, &made.root).map_err(|error| {
        Failure::new(
            Exit::Io,
            format_args!("can not write {}: {}", path.display(), describe(&error)),
            "check the path and who may write there",
        )
    })?;
    note(format_args!(
        "clients can trust it with --ca {}",
        path.display()
    ));
    Ok(())
}

fn not_bound(error: &BindError) -> Failure {
    let next = match error {
        BindError::Listen(_, error) => match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "ports below 1024 need rights of their own: take a higher one, or grant them"
            }
            std::io::ErrorKind::AddrInUse => {
                "another program listens there: take another port, or port 0 for a free one"
            }
            _ => "check the address: it must be one of this machine",
        },
        _ => "check --listen, --cert and --key",
    };
    Failure::new(Exit::Unavailable, error, next)
}

/// The first signal ends the server with grace, the second at once.
fn stop_on_signals(handle: ShutdownHandle) -> Result<()> {
    let mut signals = Signals::new().map_err(|error| {
        Failure::new(
            Exit::Software,
            format_args!("signals can not be watched: {}", describe(&error)),
            "check the limits of the system",
        )
    })?;
    tokio::spawn(async move {
        signals.next().await;
        note("stopping; once more to stop at once");
        handle.shutdown(GRACE);
        signals.next().await;
        handle.shutdown(Duration::ZERO);
    });
    Ok(())
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without it the system ends the program by itself.
        let _ = tokio::signal::ctrl_c().await;
    }
}

fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::TRACE,
    };
    let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    // There is no other subscriber that it could meet.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .try_init();
}
