//! Providers and rules as JSON.

use super::rule::Rule;
use super::{Explanation, Family, ORDINARY_HELP, Provider, general, known};
use crate::config::Security;
use crate::provider::{Endpoint, UserName};
use core::fmt::{Result, Write};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// Writes the whole table and the rules of [`explain()`](super::explain()) as one JSON object, for a binding that
/// brings them as data of its own: they are larger than the machines, and not every program needs them.
///
/// `providers` holds the entries in the order of the table; empty fields are left out. `families` holds for
/// each number of `family` the rules in the order in which they are tried, `general` those for every server
/// behind them; of a rule, each list that is there must have a member that fits. `marks` tells the family of an unknown
/// server by a phrase of its text. A rule names its explanation by its place in `explanations`, as do
/// `temporary`, `permanent` and `badCredentials`; an explanation is the meaning, the next step, and perhaps a
/// page. `ordinaryHelp` is the help that is no advice.
///
/// # Errors
/// Those of `out`.
pub fn write_json(out: &mut dyn Write) -> Result {
    let mut explanations = Vec::new();
    let mut families: Vec<Family> = Vec::new();
    let mut place_of = |family: Family| {
        families
            .iter()
            .position(|known| *known == family)
            .unwrap_or_else(|| {
                families.push(family);
                families.len() - 1
            })
    };
    place_of(Family::Other);
    let marks = list(known::MARKS, |(mark, family)| {
        format!("[{},{}]", text(mark), place_of(family))
    });
    let providers = list(Provider::all(), |it| provider(it, place_of(it.family)));
    let rules = list(&families, |family| {
        list(known::rules(*family), |it| rule(it, &mut explanations))
    });
    let general = list(general::RULES, |it| rule(it, &mut explanations));
    writeln!(out, "{{\"providers\":{providers},")?;
    writeln!(out, "\"families\":{rules},")?;
    writeln!(out, "\"general\":{general},\"marks\":{marks},")?;
    for (key, explanation) in [
        ("temporary", general::TEMPORARY),
        ("permanent", general::PERMANENT),
        ("badCredentials", general::BAD_CREDENTIALS),
    ] {
        write!(out, "\"{key}\":{},", place(explanation, &mut explanations))?;
    }
    write!(out, "\"ordinaryHelp\":{},", text(ORDINARY_HELP))?;
    let explanations = list(explanations, |it| {
        list([it.meaning, it.next_step].into_iter().chain(it.url), text)
    });
    writeln!(out, "\n\"explanations\":{explanations}}}")
}

fn provider(provider: &Provider, family: usize) -> String {
    let user_name = match provider.user_name {
        UserName::Address => "address",
        UserName::LocalPart => "local-part",
        UserName::Fixed(name) => name,
        UserName::Issued => "issued",
        UserName::NotNeeded => "none",
    };
    let sign_in = provider.sign_in;
    let mut fields = Vec::new();
    fields.push(format!(
        "\"id\":{},\"name\":{},\"signIn\":{},\"password\":{},\"oauth2\":{},\"userName\":{},\"help\":{}",
        text(provider.id),
        text(provider.name),
        text(sign_in.describe()),
        u8::from(sign_in.accepts_password()),
        u8::from(sign_in.accepts_oauth2()),
        text(user_name),
        text(provider.help)
    ));
    for (key, value) in [
        ("aliases", list(provider.aliases, |it| text(it))),
        ("domains", list(provider.domains, |it| text(it))),
        ("hosts", list(provider.other_hosts, |it| text(it))),
        ("submission", list(provider.submission, endpoint)),
        ("imap", list(provider.imap, endpoint)),
        ("pop3", list(provider.pop3, endpoint)),
        ("helpUrl", provider.help_url.map_or_else(String::new, text)),
        (
            "family",
            if family > 0 {
                family.to_string()
            } else {
                String::new()
            },
        ),
    ] {
        if !value.is_empty() && value != "[]" {
            fields.push(format!("\"{key}\":{value}"));
        }
    }
    format!("{{{}}}\n", fields.join(","))
}

fn endpoint(endpoint: &Endpoint) -> String {
    let security = match endpoint.security {
        Security::ImplicitTls => "tls",
        Security::StartTls => "starttls",
        Security::DangerPlaintext => "danger-plaintext",
    };
    format!(
        "[{},{},{}]",
        text(endpoint.host),
        endpoint.port,
        text(security)
    )
}

fn rule(rule: &Rule, explanations: &mut Vec<Explanation>) -> String {
    let enhanced = list(rule.enhanced, |(class, subject, detail)| {
        format!("\"{class}.{subject}.{detail}\"")
    });
    let mut fields = std::vec![format!("\"is\":{}", place(rule.explanation, explanations))];
    for (key, value) in [
        ("codes", list(rule.codes, ToString::to_string)),
        ("enhanced", enhanced),
        (
            "stages",
            list(rule.stages, |stage| (*stage as u8).to_string()),
        ),
        ("phrases", list(rule.phrases, |it| text(it))),
    ] {
        if value != "[]" {
            fields.push(format!("\"{key}\":{value}"));
        }
    }
    format!("{{{}}}\n", fields.join(","))
}

/// Where an explanation stands among those that were met so far.
fn place(explanation: Explanation, explanations: &mut Vec<Explanation>) -> usize {
    explanations
        .iter()
        .position(|known| *known == explanation)
        .unwrap_or_else(|| {
            explanations.push(explanation);
            explanations.len() - 1
        })
}

fn list<T>(items: impl IntoIterator<Item = T>, item: impl FnMut(T) -> String) -> String {
    let items: Vec<String> = items.into_iter().map(item).collect();
    format!("[{}]", items.join(","))
}

/// A JSON string. The table has no control characters.
fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
