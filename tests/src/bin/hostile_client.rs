//! A mail client for tests against hostile servers.
//!
//! ```text
//! hostile-client HOST PORT TLS AUTH JSON
//! ```
//!
//! - TLS: `none`, `starttls` or `implicit`. The certificates in the PEM file that `SSL_CERT_FILE` names
//!   are trusted.
//! - AUTH: `none`, `plain`, `login`, `plain-require-tls` or `scram-sha-256`. Without TLS a password may go
//!   out, except for `plain-require-tls`. The mailer takes the best mechanism that is offered, so the peer
//!   decides by its offer which one is seen; with `scram-sha-256` nothing but SCRAM will do.
//! - JSON: an object with `ehlo`, `mail_from`, `rcpts`, `user`, `password`, `body`, and `timeout` in seconds.
//!
//! It sends one message and exits with 0 if all recipients got it, with 77 for an AUTH that it
//! does not know, and else with 1 and the class of the error as the first word on standard output.

use sansmtp::capability::Mechanisms;
use sansmtp::config::{OwnedConfig, OwnedCredentials, Timeouts};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::wire::path::ReversePath;
use sansmtp_tests::Security;
use sansmtp_tests::hostile::class;
use sansmtp_tokio::client::{Error, Mailer, Report, Tls};
use serde_json::Value;
use std::process::ExitCode;

/// The exit code for what this program has not.
const NOT_OFFERED: u8 = 77;

/// What AUTH may be.
const AUTHS: [&str; 5] = [
    "none",
    "plain",
    "login",
    "plain-require-tls",
    "scram-sha-256",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, port, tls, auth, json] = &arguments[..] else {
        eprintln!("usage: hostile-client HOST PORT TLS AUTH JSON");
        return ExitCode::from(64);
    };
    if !AUTHS.contains(&auth.as_str()) {
        println!("not-offered: AUTH is one of {}", AUTHS.join(", "));
        return ExitCode::from(NOT_OFFERED);
    }
    match run(host, port, tls, auth, json) {
        Ok(()) => {
            println!("{}", class::NONE);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{}: {}", failure.class, failure.text);
            ExitCode::FAILURE
        }
    }
}

/// What went wrong, in the words of the test cases.
struct Failure {
    class: &'static str,
    text: String,
}

fn failure(class: &'static str, text: impl std::fmt::Display) -> Failure {
    Failure {
        class,
        text: text.to_string(),
    }
}

fn run(host: &str, port: &str, tls: &str, auth: &str, json: &str) -> Result<(), Failure> {
    let usage = |what: &str| failure("usage", what);
    let wishes: Value = serde_json::from_str(json).map_err(|e| failure("usage", e))?;
    let text = |key: &str| {
        let value = wishes.get(key).and_then(Value::as_str);
        value.ok_or_else(|| failure("usage", format_args!("JSON lacks {key}")))
    };
    let security = match tls {
        "none" => Security::DangerPlaintext,
        "starttls" => Security::StartTls,
        "implicit" => Security::ImplicitTls,
        _ => return Err(usage("TLS is none, starttls or implicit")),
    };
    let seconds = wishes.get("timeout").and_then(Value::as_f64).unwrap_or(4.0);
    let mut config = OwnedConfig::new(host, security)
        .and_then(|config| config.with_ehlo_name(text("ehlo").unwrap_or_default()))
        .map_err(|e| failure(class::INVALID, e))?
        .with_port(port.parse().map_err(|_| usage("PORT is a number"))?)
        .with_timeouts(Timeouts::all((seconds * 1000.0) as u32));
    if auth != "none" {
        let credentials = OwnedCredentials::password(text("user")?, text("password")?)
            .map_err(|e| failure(class::INVALID, e))?;
        config = config.with_credentials(credentials);
        config.danger_plaintext_auth = auth != "plain-require-tls";
        if auth == "scram-sha-256" {
            config = config.with_mechanisms(Mechanisms::SCRAM);
        }
    }
    let addresses: Vec<&str> = wishes
        .get("rcpts")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let recipients: Vec<Recipient<'_>> = addresses
        .into_iter()
        .map(Recipient::parse)
        .collect::<Result<_, _>>()
        .map_err(|e| failure(class::INVALID, e))?;
    let sender = ReversePath::parse(text("mail_from")?).map_err(|e| failure(class::INVALID, e))?;
    let envelope = Envelope::new(sender, &recipients);
    let mut builder = Mailer::builder(config);
    if security != Security::DangerPlaintext {
        let file = std::env::var_os("SSL_CERT_FILE")
            .ok_or_else(|| usage("SSL_CERT_FILE names no certificates"))?;
        let pem = std::fs::read(file).map_err(|e| failure("usage", e))?;
        builder = builder.tls(Tls::pem(&pem).map_err(|e| classify(&e))?);
    }
    let mailer = builder.build().map_err(|e| classify(&e))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| failure("runtime", e))?;
    let report = runtime.block_on(async {
        let result = mailer.send(&envelope, text("body")?).await;
        mailer.close().await;
        result.map_err(|e| classify(&e))
    })?;
    all_delivered(&report)
}

fn all_delivered(report: &Report) -> Result<(), Failure> {
    if report.all_delivered() {
        Ok(())
    } else {
        Err(failure(class::PARTIAL, report))
    }
}

fn classify(error: &Error) -> Failure {
    failure(class::of(error), error)
}
