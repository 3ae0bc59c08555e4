//! The command line: what can be said, and the help that teaches it.

use crate::handling;
use clap::{Args, Parser, Subcommand};
use sansmtp::wire::handling::{DeliverBy, Hold, Priority};
use sansmtp::wire::param::Notify;
use sansmtp_tokio::server::Fault;
use sansmtp_tokio::server::Network;
use std::path::PathBuf;

/// Send, receive and check mail over SMTP.
#[derive(Debug, Parser)]
#[command(
    name = "sansmtp",
    version,
    propagate_version = true,
    disable_help_subcommand = false,
    arg_required_else_help = true,
    after_help = crate::help::TOP
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send a mail
    #[command(after_help = crate::help::SEND)]
    Send(Box<Send>),
    /// Receive mail: an SMTP server that stores it in a Maildir
    #[command(after_help = crate::help::SERVE)]
    Serve(Box<Serve>),
    /// Check step by step whether a server and an account work; sends no mail
    #[command(after_help = crate::help::CHECK)]
    Check(Box<Check>),
    /// Show the servers and the sign-in of mail providers
    #[command(after_help = crate::help::PROVIDERS)]
    Providers(Providers),
    /// Send and receive two mails on this machine, over TLS, and compare them
    #[command(after_help = crate::help::DEMO)]
    Demo(Demo),
}

/// Which server, and who we are there.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server and account")]
pub(crate) struct Connect {
    /// The provider of the account, as `gmail`; see `sansmtp providers`
    #[arg(long, value_name = "NAME", conflicts_with = "server")]
    pub(crate) provider: Option<String>,
    /// The server: smtps://HOST[:465] for implicit TLS, smtp://HOST[:587] for
    /// STARTTLS, lmtp://HOST[:24] for LMTP; a user may stand before the host, as
    /// smtps://USER@HOST
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The user name; default: as the provider wants it, made from --from
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The environment variable that holds the password
    #[arg(long, value_name = "VAR", default_value = crate::password::DEFAULT_VARIABLE, conflicts_with_all = ["password_file", "password"])]
    pub(crate) password_env: String,
    /// The file that holds the password in its first line
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    pub(crate) password_file: Option<PathBuf>,
    /// The password itself. Other users of this machine can see it, and the
    /// shell keeps it
    #[arg(
        long,
        allow_hyphen_values = true,
        value_name = "PASSWORD",
        hide_short_help = true
    )]
    pub(crate) password: Option<String>,
    /// The environment variable that holds an OAuth2 access token
    #[arg(long, value_name = "VAR", conflicts_with_all = ["password_env", "password_file", "password"])]
    pub(crate) oauth2_token_env: Option<String>,
    /// The file that holds an OAuth2 access token
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password_env", "password_file", "password", "oauth2_token_env"])]
    pub(crate) oauth2_token_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file, and no others
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Seconds that each step may take [default: those of RFC 5321]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) timeout: Option<u32>,
    /// What to call this machine in EHLO: a domain, or an address as [192.0.2.1]
    #[arg(long, value_name = "NAME")]
    pub(crate) ehlo: Option<String>,
    /// Use no TLS with smtp:// or lmtp://. Everybody on the way can read password and mail
    #[arg(long)]
    pub(crate) danger_plaintext: bool,
}

/// `sansmtp send`
#[derive(Args, Debug)]
pub(crate) struct Send {
    /// Which server.
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// The message.
    #[command(flatten)]
    pub(crate) message: Message,
    /// What the servers on the way are asked for.
    #[command(flatten)]
    pub(crate) handling: Handling,
    /// Show envelope, security and message; connect to nobody
    #[arg(long, help_heading = "Trial and output")]
    pub(crate) dry_run: bool,
    /// Show the dialogue with the server; secrets are masked
    #[arg(long, conflicts_with = "dry_run", help_heading = "Trial and output")]
    pub(crate) transcript: bool,
    /// Print the result as one JSON object
    #[arg(long, help_heading = "Trial and output")]
    pub(crate) json: bool,
}

/// What the servers on the way are asked for. If the first one does not offer it,
/// nothing is sent.
#[derive(Args, Debug)]
#[command(next_help_heading = "Delivery, where the server offers it")]
pub(crate) struct Handling {
    /// When to report on the delivery: success, failure, delay by commas, or never
    #[arg(long, value_name = "WHEN", value_parser = handling::report)]
    pub(crate) report: Option<Notify>,
    /// Every server on the way must use TLS, or give the mail back
    #[arg(long)]
    pub(crate) require_tls: bool,
    /// Keep the mail back for this time, as 90s, 15m, 2h or 3d
    #[arg(long, value_name = "TIME", value_parser = handling::hold_for, conflicts_with = "hold_until")]
    pub(crate) hold_for: Option<Hold>,
    /// Keep the mail back until then, as 2026-12-24T18:00:00+01:00
    #[arg(long, value_name = "DATE", value_parser = handling::hold_until)]
    pub(crate) hold_until: Option<Hold>,
    /// Give the mail back if it is not delivered in this time
    #[arg(long, value_name = "TIME", value_parser = handling::deliver_by, conflicts_with = "notify_after")]
    pub(crate) deliver_by: Option<DeliverBy>,
    /// Tell the sender if it is not delivered in this time, and go on
    #[arg(long, value_name = "TIME", value_parser = handling::notify_after)]
    pub(crate) notify_after: Option<DeliverBy>,
    /// How urgent it is, from -9 to 9
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = handling::priority)]
    pub(crate) priority: Option<Priority>,
}

/// What to send, and to whom.
#[derive(Args, Debug)]
#[command(next_help_heading = "Message")]
pub(crate) struct Message {
    /// The author, as `me@example.org` or `My Name <me@example.org>`
    #[arg(long, short, value_name = "ADDRESS", required_unless_present = "eml")]
    pub(crate) from: Option<String>,
    /// A recipient; several by commas or by giving it again
    #[arg(long, short, value_name = "ADDRESS")]
    pub(crate) to: Vec<String>,
    /// A recipient of a copy
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) cc: Vec<String>,
    /// A recipient that the others do not see
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bcc: Vec<String>,
    /// Where answers should go
    #[arg(long, value_name = "ADDRESS", conflicts_with = "eml")]
    pub(crate) reply_to: Vec<String>,
    /// Whom failures are reported to, if not the author; '' for nobody
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) envelope_from: Option<String>,
    /// The subject, in any script
    #[arg(
        long,
        short,
        allow_hyphen_values = true,
        value_name = "TEXT",
        conflicts_with = "eml"
    )]
    pub(crate) subject: Option<String>,
    /// The text; without any body option it is read from standard input
    #[arg(long, short, allow_hyphen_values = true, value_name = "TEXT", conflicts_with_all = ["body_file", "eml"])]
    pub(crate) body: Option<String>,
    /// The text from a file, - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "eml")]
    pub(crate) body_file: Option<PathBuf>,
    /// An HTML document, beside the text or alone
    #[arg(long, allow_hyphen_values = true, value_name = "HTML", conflicts_with_all = ["html_file", "eml"])]
    pub(crate) html: Option<String>,
    /// An HTML document from a file, - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "eml")]
    pub(crate) html_file: Option<PathBuf>,
    /// A file that goes along; its type is guessed unless it is given, as in
    /// log.csv:text/csv
    #[arg(long, short, value_name = "FILE[:TYPE]", conflicts_with = "eml")]
    pub(crate) attach: Vec<std::ffi::OsString>,
    /// A further header, as 'X-Device: pump 7'
    #[arg(long, value_name = "NAME: VALUE", conflicts_with = "eml")]
    pub(crate) header: Vec<String>,
    /// The Message-ID of the mail that this one answers
    #[arg(long, value_name = "ID", conflicts_with = "eml")]
    pub(crate) in_reply_to: Option<String>,
    /// A finished message with headers, - for standard input. Sender and
    /// recipients come from its headers unless options name them; Bcc is removed
    #[arg(long, value_name = "FILE")]
    pub(crate) eml: Option<PathBuf>,
}

/// `sansmtp serve`
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Where to listen: smtp://ADDRESS:PORT (STARTTLS is offered) or
    /// smtps://ADDRESS:PORT (implicit TLS), or lmtp://ADDRESS:PORT for LMTP; may be
    /// given again. Port 0 takes a free one
    #[arg(long, value_name = "URL", default_value = "smtp://127.0.0.1:2525")]
    pub(crate) listen: Vec<String>,
    /// Store mail in this Maildir; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) maildir: PathBuf,
    /// The server's name for its greeting
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub(crate) hostname: String,
    /// Take mail for this domain from everybody; may be given again. All other
    /// recipients need a sign-in
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) domain: Vec<String>,
    /// A user who may sign in; may be given again. Other users of this machine
    /// can see it
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub(crate) user: Vec<String>,
    /// Users who may sign in: a file with one NAME:PASSWORD a line
    #[arg(long, value_name = "FILE")]
    pub(crate) users: Option<PathBuf>,
    /// The certificate chain in PEM; without it one is made at start
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key in PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Write the certificate that was made to this file, for clients' --ca
    #[arg(long, value_name = "FILE", conflicts_with = "cert")]
    pub(crate) write_cert: Option<PathBuf>,
    /// Take passwords without TLS. Everybody on the way can read them
    #[arg(long)]
    pub(crate) danger_plaintext_auth: bool,
    /// Take the client's address from the PROXY header that balancers in this
    /// network, as 192.0.2.0/24, begin every connection with; may be given again
    #[arg(long, value_name = "NETWORK")]
    pub(crate) proxy_from: Vec<Network>,
    /// Let balancers in this network name the client by XCLIENT; may be given again
    #[arg(long, value_name = "NETWORK")]
    pub(crate) xclient_from: Vec<Network>,
    /// The largest message in bytes; K, M and G may follow
    #[arg(long, value_name = "SIZE", default_value = "25M", value_parser = size)]
    pub(crate) max_size: u64,
    /// The most recipients of one message
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) max_recipients: u16,
    /// The most connections at a time
    #[arg(long, value_name = "COUNT", default_value = "256", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_connections: u32,
    /// Seconds after which a silent client is sent away
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) idle_timeout: u32,
    /// Let something go wrong, for tests of clients; may be given again
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Vec<Fault>,
    /// Say more on standard error; twice for everything
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// `sansmtp check`
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// A provider, a mail address at a provider, or a server's URL
    #[arg(value_name = "PROVIDER|ADDRESS|URL", conflicts_with_all = ["provider", "server"], required_unless_present_any = ["provider", "server"])]
    pub(crate) target: Option<String>,
    /// Which server.
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// Print the result as one JSON object
    #[arg(long, help_heading = "Trial and output")]
    pub(crate) json: bool,
}

/// `sansmtp providers`
#[derive(Args, Debug)]
pub(crate) struct Providers {
    /// Show this one in detail; without it all are listed
    #[arg(value_name = "NAME|ADDRESS")]
    pub(crate) name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sansmtp demo`
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Keep the Maildir and say where it is
    #[arg(long)]
    pub(crate) keep: bool,
}

/// A number of bytes with an optional K, M or G (powers of 1,024).
fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits
        .parse::<u64>()
        .ok()
        .filter(|&count| count > 0)
        .and_then(|count| count.checked_mul(1 << shift))
        .ok_or_else(|| "write a number of bytes, as 500K, 25M or 1G".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!(size("10"), Ok(10));
        assert_eq!(size("25M"), Ok(25 << 20));
        for wrong in ["", "M", "0", "-1", "1T", "99999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
