//! What the core answers, so that a test can compare what JavaScript makes of the same table.

use sansmtp::error::Stage;
use sansmtp::provider::{Provider, Refusal, explain};
use sansmtp::wire::enhanced::EnhancedCode;

/// `names` holds `[text, what find gives, what did_you_mean gives]`, `refusals` `[host, stage, code, enhanced,
/// text, meaning, next step]`. Nothing is an empty text.
pub(crate) fn json() -> String {
    let names: Vec<String> = names().iter().map(|text| name(text)).collect();
    let refusals = refusals().join(",\n");
    format!(
        "{{\"names\":[{}],\n\"refusals\":[{refusals}]}}\n",
        names.join(",\n")
    )
}

fn name(text: &str) -> String {
    let found = Provider::find(text).map_or("", |provider| provider.id);
    let near = Provider::did_you_mean(text).map_or("", |provider| provider.id);
    format!("[{text:?},{found:?},{near:?}]")
}

/// Every name, domain and host, in several spellings and with slips of the hand.
fn names() -> Vec<String> {
    let mut all = Vec::new();
    for provider in Provider::all() {
        let mut words = vec![provider.id, provider.name];
        words.extend(provider.aliases);
        words.extend(provider.other_hosts);
        words.extend(provider.submission.iter().map(|endpoint| endpoint.host));
        for domain in provider.domains {
            words.push(domain);
            all.push(format!("someone@{}", domain.replace('*', "fr")));
            all.push(format!(
                "a@b@{}.",
                domain.to_uppercase().replace('*', "co.uk")
            ));
            all.push(domain.replace('*', "com"));
        }
        for word in words {
            let word = word.replace('*', "x");
            let letters: Vec<char> = word.chars().collect();
            let middle = letters.len() / 2;
            let mut swapped = letters.clone();
            swapped.swap(0, letters.len().min(2) - 1);
            let mut short = letters.clone();
            short.remove(middle);
            let mut long = letters.clone();
            long.insert(middle, 'q');
            all.extend([swapped, short, long].map(String::from_iter));
            all.push(format!("  {} ", word.to_uppercase()));
            all.push(word);
        }
    }
    all.extend(
        [
            "",
            "@",
            ".",
            "localhost",
            "127.0.0.1",
            "nothing like it",
            "ü",
        ]
        .map(String::from),
    );
    all
}

/// Codes, texts and stages against some providers and a stranger.
fn refusals() -> Vec<String> {
    const TEXTS: [&str; 24] = [
        "",
        "no",
        "5.7.8 Username and Password not accepted",
        "Application-specific password required",
        "Please log in with your web browser",
        "Authentication unsuccessful, basic authentication is disabled.",
        "SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled",
        "Client not authenticated to send mail",
        "SendAsDenied; anna not allowed to send as bob",
        "authentication failed",
        "Must issue a STARTTLS command first",
        "relay access denied",
        "user unknown",
        "mailbox full",
        "greylisted, try again",
        "blocked using zen.spamhaus.org",
        "message looks like spam",
        "SPF check failed",
        "quota exceeded",
        "message too large",
        "too many recipients",
        "prod.outlook.com says no",
        "gsmtp",
        "Invalid login: SENDGRID",
    ];
    const STAGES: [(Stage, &str); 6] = [
        (Stage::Greeting, "greeting"),
        (Stage::Auth, "auth"),
        (Stage::Mail, "mail"),
        (Stage::Rcpt, "rcpt"),
        (Stage::Data, "data"),
        (Stage::Content, "content"),
    ];
    const ENHANCED: [&str; 9] = [
        "", "5.7.8", "5.7.9", "5.7.139", "5.7.1", "5.1.1", "4.7.1", "5.2.2", "5.2.252",
    ];
    const CODES: [u16; 8] = [250, 421, 451, 454, 530, 534, 535, 550];
    let hosts = [
        "smtp.gmail.com",
        "smtp.office365.com",
        "smtp.mail.yahoo.com",
        "smtp.mail.me.com",
        "mail.gmx.net",
        "smtp.fastmail.com",
        "smtp.sendgrid.net",
        "smtp.qq.com",
        "smtp.zoho.com",
        "mx.example.org",
        "localhost",
    ];
    let mut all = Vec::new();
    for (at, host) in hosts.into_iter().enumerate() {
        for (code_at, code) in CODES.into_iter().enumerate() {
            for (stage_at, (stage, stage_name)) in STAGES.into_iter().enumerate() {
                for (text_at, text) in TEXTS.into_iter().enumerate() {
                    // Every pair of a text with the rest, but not every combination of all five.
                    let enhanced = ENHANCED[(at + code_at + stage_at + text_at) % ENHANCED.len()];
                    let refusal = Refusal {
                        code,
                        enhanced: EnhancedCode::parse_prefix(enhanced.as_bytes())
                            .map(|(code, _)| code),
                        text: text.as_bytes(),
                        stage,
                    };
                    let answer = explain(Provider::by_host(host), &refusal);
                    let (meaning, next_step) =
                        answer.map_or(("", ""), |it| (it.meaning, it.next_step));
                    all.push(format!(
                        "[{host:?},{stage_name:?},{code},{enhanced:?},{text:?},{meaning:?},{next_step:?}]"
                    ));
                }
            }
        }
    }
    all
}
