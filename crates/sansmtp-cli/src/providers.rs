//! `sansmtp providers`: what the table knows.

use crate::args;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{BOLD, DIM, outln};
use sansmtp::config::Security;
use sansmtp::provider::{Endpoint, Provider, SignIn, UserName};
use serde_json::{Value, json};

/// Lists all providers, or shows one.
pub(crate) fn run(args: &args::Providers) -> Result<()> {
    match &args.name {
        None if args.json => {
            let all: Vec<_> = Provider::all().map(as_json).collect();
            outln!("{:#}", Value::from(all));
        }
        None => table(),
        Some(name) => {
            let provider = find(name)?;
            if args.json {
                outln!("{:#}", as_json(provider));
            } else {
                details(provider);
            }
        }
    }
    Ok(())
}

/// The provider that a person named, or what to type instead.
pub(crate) fn find(name: &str) -> Result<&'static Provider> {
    if let Some(provider) = Provider::find(name) {
        return Ok(provider);
    }
    let next = match Provider::did_you_mean(name) {
        Some(near) => format!(
            "did you mean `{}` ({})? `sansmtp providers` lists all",
            near.id, near.name
        ),
        None => "give the server with --server smtps://HOST or smtp://HOST:587; \
            `sansmtp providers` lists those that are known"
            .into(),
    };
    Err(Failure::new(
        Exit::Usage,
        format_args!("unknown provider `{name}`"),
        next,
    ))
}

/// Words for how a connection is protected.
pub(crate) fn security(security: Security) -> &'static str {
    match security {
        Security::ImplicitTls => "implicit TLS",
        Security::StartTls => "STARTTLS",
        Security::DangerPlaintext => "no TLS",
    }
}

fn table() {
    let width = |text: fn(&Provider) -> usize| Provider::all().map(text).max().unwrap_or_default();
    let id = width(|provider| provider.id.len());
    let server = width(|provider| first_server(provider).len());
    outln!(
        "{BOLD}{:id$}  {:server$}  {:8}  SIGN-IN{BOLD:#}",
        "PROVIDER",
        "SMTP SERVER",
        "SECURITY"
    );
    for provider in Provider::all() {
        let kind = match provider.submission.first() {
            Some(endpoint) if endpoint.security == Security::ImplicitTls => "TLS",
            Some(endpoint) => security(endpoint.security),
            None => "-",
        };
        outln!(
            "{:id$}  {:server$}  {kind:8}  {}",
            provider.id,
            first_server(provider),
            provider.sign_in.describe(),
        );
    }
    outln!(
        "\n{DIM}{} providers. `sansmtp providers NAME` shows one with its incoming servers \
         and what to do.{DIM:#}",
        Provider::all().count()
    );
}

fn first_server(provider: &Provider) -> String {
    provider.submission.first().map_or_else(
        || "-".into(),
        |server| format!("{}:{}", server.host, server.port),
    )
}

fn details(provider: &Provider) {
    outln!("{BOLD}{}{BOLD:#} ({})", provider.name, provider.id);
    if !provider.aliases.is_empty() {
        row("also known as", &provider.aliases.join(", "));
    }
    if !provider.domains.is_empty() {
        const SHOWN: usize = 6;
        let shown = provider.domains.len().min(SHOWN);
        let mut domains = provider.domains[..shown].join(", ");
        if provider.domains.len() > SHOWN {
            domains += &format!(" and {} more", provider.domains.len() - SHOWN);
        }
        row("addresses at", &domains);
    }
    servers("SMTP (sending)", provider.submission);
    servers("IMAP (reading)", provider.imap);
    servers("POP3 (reading)", provider.pop3);
    row("sign-in", provider.sign_in.describe());
    row("user name", &user_name(provider));
    row("what to do", provider.help);
    if let Some(url) = provider.help_url {
        row("see", url);
    }
    if !provider.submission.is_empty() {
        row("try it", &example(provider));
    }
}

fn example(provider: &Provider) -> String {
    let user = match provider.user_name {
        UserName::Issued => " --user USER",
        UserName::LocalPart | UserName::Address => " --user YOU@DOMAIN",
        _ => "",
    };
    let token = match provider.sign_in {
        SignIn::OAuth2 => " --oauth2-token-file FILE",
        _ => "",
    };
    match provider.domains.first() {
        Some(domain) if !domain.contains('*') => format!("sansmtp check you@{domain}{token}"),
        _ => format!("sansmtp check {}{user}{token}", provider.id),
    }
}

fn user_name(provider: &Provider) -> String {
    match provider.user_name {
        UserName::Address => "the whole mail address".into(),
        UserName::LocalPart => "what stands before the @ of the mail address".into(),
        UserName::Fixed(word) => format!("`{word}`, the same for everybody"),
        UserName::Issued => "given by the provider".into(),
        UserName::NotNeeded => "none".into(),
        _ => "see the provider's page".into(),
    }
}

fn servers(title: &str, endpoints: &[Endpoint]) {
    for (index, server) in endpoints.iter().enumerate() {
        let title = if index == 0 { title } else { "" };
        let words = security(server.security);
        row(title, &format!("{}:{} ({words})", server.host, server.port));
    }
}

fn row(title: &str, text: &str) {
    let mut title = title;
    for line in wrap(text, 62) {
        outln!("  {title:<15} {line}");
        title = "";
    }
}

/// Breaks a text at spaces; a word that is longer than a line stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

fn as_json(provider: &Provider) -> Value {
    let endpoints = |servers: &[Endpoint]| -> Vec<Value> {
        let words = |server: &Endpoint| match server.security {
            Security::ImplicitTls => "tls",
            Security::StartTls => "starttls",
            Security::DangerPlaintext => "none",
        };
        servers
            .iter()
            .map(|s| json!({"host": s.host, "port": s.port, "security": words(s)}))
            .collect()
    };
    json!({
        "id": provider.id,
        "name": provider.name,
        "aliases": provider.aliases,
        "domains": provider.domains,
        "smtp": endpoints(provider.submission),
        "imap": endpoints(provider.imap),
        "pop3": endpoints(provider.pop3),
        "sign_in": provider.sign_in.describe(),
        "accepts_password": provider.sign_in.accepts_password(),
        "accepts_oauth2": provider.sign_in.accepts_oauth2(),
        "user_name": user_name(provider),
        "help": provider.help,
        "help_url": provider.help_url,
    })
}
