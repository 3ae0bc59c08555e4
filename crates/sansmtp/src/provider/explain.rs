//! What a refusing reply means, in words for a person who only wants to send mail.

mod general;
#[cfg(feature = "std")]
mod json;
mod known;
mod rule;

#[cfg(feature = "std")]
pub use json::write_json;

use super::table::ORDINARY_HELP;
use super::{Family, Provider};
use crate::error::Stage;
use crate::wire::enhanced::EnhancedCode;

/// A refusing reply and what it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The reply code (RFC 5321, section 4.2), 400 to 599.
    pub code: u16,
    /// The enhanced status code (RFC 3463). Where it is `None` and the
    /// text starts with one, that one is used.
    pub enhanced: Option<EnhancedCode>,
    /// The reply's text without the code: one line, or several joined by any separator. More
    /// lines explain better, since some providers tell cases apart only there.
    pub text: &'a [u8],
    /// What the reply answered.
    pub stage: Stage,
}

/// What a refusal means and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Explanation {
    /// What happened: one or two sentences.
    pub meaning: &'static str,
    /// What the person must do next: one or two sentences.
    pub next_step: &'static str,
    /// A page, mostly the provider's own, that shows how.
    pub url: Option<&'static str>,
}

/// Explains a refusal.
///
/// What the provider is known for comes first, then what the codes mean in general (RFC 5321,
/// RFC 3463, RFC 4954). For a server of which only the host name is known, hand over
/// [`Provider::by_host`]; without a provider, some are recognised by the mark they leave in
/// their replies. `None` only for codes that are no refusal (below 400 or above 599).
///
/// Always performs a bounded amount of work: each known phrase is searched in the text once.
///
/// ```
/// use sansmtp::error::Stage;
/// use sansmtp::provider::{Provider, Refusal, explain};
/// use sansmtp::wire::enhanced::EnhancedCode;
///
/// let refusal = Refusal {
///     code: 534,
///     enhanced: EnhancedCode::new(5, 7, 9),
///     text: b"Application-specific password required. - gsmtp",
///     stage: Stage::Auth,
/// };
/// let explanation = explain(Provider::by_host("smtp.gmail.com"), &refusal).unwrap();
/// assert!(explanation.meaning.starts_with("Google wants an app password"));
/// assert!(explanation.next_step.contains("myaccount.google.com/apppasswords"));
/// ```
#[must_use]
pub fn explain(provider: Option<&Provider>, refusal: &Refusal<'_>) -> Option<Explanation> {
    if !(400..=599).contains(&refusal.code) {
        return None;
    }
    let refusal = &Refusal {
        enhanced: refusal
            .enhanced
            .or_else(|| Some(EnhancedCode::parse_prefix(refusal.text)?.0)),
        ..*refusal
    };
    let family = provider.map_or_else(
        || known::family_by_mark(refusal.text),
        |provider| provider.family,
    );
    let found = rule::first_match(known::rules(family), refusal)
        .or_else(|| rule::first_match(general::RULES, refusal));
    let mut explanation = match found {
        Some(explanation) => explanation,
        None if refusal.code < 500 => general::TEMPORARY,
        None => general::PERMANENT,
    };
    // The general advice on credentials becomes concrete where the provider's own is known.
    if let (Some(provider), Stage::Auth) = (provider, refusal.stage) {
        let has_advice = provider.help != ORDINARY_HELP && provider.sign_in.accepts_password();
        if explanation == general::BAD_CREDENTIALS && has_advice {
            explanation.next_step = provider.help;
        }
        explanation.url = explanation.url.or(provider.help_url);
    }
    Some(explanation)
}

#[cfg(test)]
mod tests;
