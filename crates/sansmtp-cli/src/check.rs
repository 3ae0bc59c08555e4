//! `sansmtp check`: every step on the way to a session, with its verdict.

use crate::args;
use crate::client::{block_on, mailer};
use crate::client_failure;
use crate::failure::{Failure, Result, escape};
use crate::output::{BOLD, DIM, ERROR, GOOD, duration, fingerprint, note, outln};
use crate::providers::security;
use crate::send::as_json;
use crate::target::Target;
use sansmtp_tokio::client::{Check, Finding, StepName};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Goes through the steps and shows them.
pub(crate) fn run(args: &args::Check) -> Result<()> {
    let result = examine(args);
    if let (Err(failure), true) = (&result, args.json) {
        outln!("{:#}", json!({"ok": false, "error": as_json(failure)}));
    }
    let (target, check) = result?;
    let failure = check
        .failure
        .as_ref()
        .map(|failed| client_failure::failure(&failed.error));
    if args.json {
        outln!("{:#}", report_json(&target, &check, failure.as_ref()));
    } else {
        report(&target, &check);
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

fn examine(args: &args::Check) -> Result<(Target, Check)> {
    let (mut connect, mut address) = (args.connect.clone(), None);
    match args.target.as_deref() {
        Some(url) if url.contains("://") => connect.server = Some(url.to_owned()),
        Some(mailbox) if mailbox.contains('@') => {
            crate::addresses::parse("the address", mailbox)?;
            // An unknown domain gets the same words as in `send`.
            address = Some(mailbox.to_owned());
        }
        Some(name) => connect.provider = Some(name.to_owned()),
        None => {}
    }
    let mut target = Target::resolve_for_check(&connect, address.as_deref())?;
    target.sign_in(&connect)?;
    if target.user.is_none() && !args.json {
        note("no user name given: the sign-in is not checked (--user NAME)");
    }
    let mailer = mailer(&target, &connect, None)?;
    let check = block_on(async { Ok(mailer.check().await) })?;
    Ok((target, check))
}

fn report(target: &Target, check: &Check) {
    outln!(
        "{BOLD}Checking {} ({}){BOLD:#}",
        target.url(),
        security(target.config.security)
    );
    for step in &check.steps {
        line(true, step.name, step.elapsed, &finding(&step.finding));
        if let Finding::Tls(_) = &step.finding {
            certificate(check);
        }
    }
    match &check.failure {
        Some(failed) => {
            line(false, failed.name, failed.elapsed, "");
            if failed.name == StepName::Tls {
                certificate(check);
            }
        }
        None => {
            let what = match &target.config.credentials {
                Some(credentials) => format!("signed in as {}", escape(credentials.user())),
                None => "not signed in".into(),
            };
            outln!("{GOOD}Everything works{GOOD:#}: {what}; no mail was sent");
        }
    }
}

fn line(ok: bool, name: StepName, elapsed: Duration, text: &str) {
    let time = duration(elapsed);
    match ok {
        true => outln!("{GOOD}ok    {GOOD:#} {name:<12} {DIM}{time:>8}{DIM:#}  {text}"),
        false => outln!("{ERROR}failed{ERROR:#} {name:<12} {DIM}{time:>8}{DIM:#}  {text}"),
    }
}

fn finding(finding: &Finding) -> String {
    match finding {
        Finding::Addresses(addresses) => {
            let addresses: Vec<_> = addresses.iter().map(|a| a.ip().to_string()).collect();
            addresses.join(", ")
        }
        Finding::Connected { address, failed } => {
            let mut text = address.to_string();
            for attempt in failed {
                text += &format!("; {} did not answer: {}", attempt.address, attempt.error);
            }
            text
        }
        Finding::Greeting(reply) => reply.to_string(),
        Finding::Capabilities(capabilities) => {
            let mut words: Vec<String> = capabilities
                .iter()
                .map(|extension| extension.keyword().to_owned())
                .collect();
            if let Some(size) = words.iter_mut().find(|word| *word == "SIZE")
                && capabilities.max_size > 0
            {
                *size = format!("SIZE {}", capabilities.max_size);
            }
            let mechanisms: Vec<_> = capabilities.mechanisms.iter().map(|m| m.name()).collect();
            if let Some(auth) = words.iter_mut().find(|word| *word == "AUTH") {
                *auth = format!("AUTH {}", mechanisms.join("/"));
            }
            words.join(", ")
        }
        Finding::StartTls => "agreed".into(),
        Finding::Tls(info) => format!("{}, {}", info.version, info.cipher_suite),
        Finding::Authenticated(mechanism) => format!("accepted with {}", mechanism.name()),
        Finding::Closed => "left politely".into(),
        _ => String::new(),
    }
}

/// What a person wants to know of the server's own certificate.
struct Details {
    subject: String,
    issuer: String,
    names: Vec<String>,
    from: String,
    to: String,
    days_left: i64,
    fingerprint: String,
}

impl Details {
    fn of(check: &Check) -> Option<Self> {
        let der = check.certificates.first()?;
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = match certificate.subject_alternative_name() {
            Ok(Some(names)) => names.value.general_names.iter().filter_map(name).collect(),
            _ => Vec::new(),
        };
        let validity = certificate.validity();
        let time = |time: i64| match jiff::Timestamp::from_second(time) {
            Ok(time) => time.strftime("%Y-%m-%d").to_string(),
            Err(_) => "?".into(),
        };
        let left = validity.not_after.timestamp() - jiff::Timestamp::now().as_second();
        Some(Self {
            subject: escape(certificate.subject()),
            issuer: escape(certificate.issuer()),
            names,
            from: time(validity.not_before.timestamp()),
            to: time(validity.not_after.timestamp()),
            days_left: left.div_euclid(86_400),
            fingerprint: fingerprint(&Sha256::digest(der)),
        })
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(escape(name)),
        GeneralName::IPAddress(octets) => {
            if let Ok(v4) = <[u8; 4]>::try_from(*octets) {
                Some(std::net::Ipv4Addr::from(v4).to_string())
            } else {
                let v6 = <[u8; 16]>::try_from(*octets).ok()?;
                Some(std::net::Ipv6Addr::from(v6).to_string())
            }
        }
        _ => None,
    }
}

fn certificate(check: &Check) {
    let Some(details) = Details::of(check) else {
        return;
    };
    let row = |title: &str, text: &str| outln!("       {DIM}{title:<12}{DIM:#} {text}");
    row("subject", &details.subject);
    row("for", &details.names.join(", "));
    row("issuer", &details.issuer);
    let left = match details.days_left {
        ..0 => "expired".to_owned(),
        days => format!("{days} days left"),
    };
    row(
        "valid",
        &format!("{} to {} ({left})", details.from, details.to),
    );
    row("SHA-256", &details.fingerprint);
}

fn report_json(target: &Target, check: &Check, failure: Option<&Failure>) -> Value {
    let step = |name: StepName, elapsed: Duration, ok: bool, text: Option<String>| {
        json!({
            "step": name.as_str(),
            "ok": ok,
            "milliseconds": elapsed.as_secs_f64() * 1000.0,
            "finding": text,
        })
    };
    let mut steps: Vec<_> = check
        .steps
        .iter()
        .map(|s| step(s.name, s.elapsed, true, Some(finding(&s.finding))))
        .collect();
    if let Some(failed) = &check.failure {
        steps.push(step(failed.name, failed.elapsed, false, None));
    }
    let certificate = Details::of(check).map(|details| {
        json!({
            "subject": details.subject,
            "names": details.names,
            "issuer": details.issuer,
            "not_before": details.from,
            "not_after": details.to,
            "days_left": details.days_left,
            "sha256": details.fingerprint,
        })
    });
    json!({
        "ok": failure.is_none(),
        "server": target.url(),
        "security": security(target.config.security),
        "user": target.user,
        "steps": steps,
        "certificate": certificate,
        "error": failure.map(as_json),
    })
}
