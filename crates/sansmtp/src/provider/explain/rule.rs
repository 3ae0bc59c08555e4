//! One rule: which refusals it fits, and what they mean.

use super::{Explanation, Refusal, Stage};

/// Fits a refusal when each of its lists that is not empty has a member that fits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) codes: &'static [u16],
    pub(super) enhanced: &'static [(u16, u16, u16)],
    pub(super) stages: &'static [Stage],
    pub(super) phrases: &'static [&'static str],
    pub(super) explanation: Explanation,
}

impl Rule {
    /// A rule for these reply codes; none means every code.
    pub(super) const fn on(codes: &'static [u16]) -> Self {
        Self {
            codes,
            enhanced: &[],
            stages: &[],
            phrases: &[],
            explanation: Explanation {
                meaning: "",
                next_step: "",
                url: None,
            },
        }
    }

    /// Only with one of these enhanced status codes.
    pub(super) const fn with(mut self, enhanced: &'static [(u16, u16, u16)]) -> Self {
        self.enhanced = enhanced;
        self
    }

    /// Only at one of these stages.
    pub(super) const fn at(mut self, stages: &'static [Stage]) -> Self {
        self.stages = stages;
        self
    }

    /// Only when the text contains one of these phrases, in any case.
    pub(super) const fn saying(mut self, phrases: &'static [&'static str]) -> Self {
        self.phrases = phrases;
        self
    }

    /// What it means and what to do.
    pub(super) const fn means(mut self, meaning: &'static str, next_step: &'static str) -> Self {
        self.explanation.meaning = meaning;
        self.explanation.next_step = next_step;
        self
    }

    /// An explanation that several rules share.
    pub(super) const fn is(mut self, explanation: Explanation) -> Self {
        self.explanation = explanation;
        self
    }

    /// The page that shows how.
    pub(super) const fn see(mut self, url: &'static str) -> Self {
        self.explanation.url = Some(url);
        self
    }

    pub(super) fn fits(&self, refusal: &Refusal<'_>) -> bool {
        (self.codes.is_empty() || self.codes.contains(&refusal.code))
            && (self.enhanced.is_empty()
                || refusal.enhanced.is_some_and(|code| {
                    self.enhanced.contains(&(
                        u16::from(code.class()),
                        code.subject(),
                        code.detail(),
                    ))
                }))
            && (self.stages.is_empty() || self.stages.contains(&refusal.stage))
            && (self.phrases.is_empty()
                || self
                    .phrases
                    .iter()
                    .any(|phrase| contains(refusal.text, phrase.as_bytes())))
    }
}

#[cfg(test)]
impl Rule {
    /// Refusals that this rule fits, for a test that none is hidden behind another.
    pub(super) fn samples(
        &self,
    ) -> impl Iterator<
        Item = (
            u16,
            Option<crate::wire::enhanced::EnhancedCode>,
            Stage,
            &'static str,
        ),
    > {
        const STAGES: &[Stage] = &[Stage::Auth, Stage::Mail, Stage::Rcpt, Stage::Content];
        let rule = *self;
        let codes = if rule.codes.is_empty() {
            &[550, 451]
        } else {
            rule.codes
        };
        let stages = if rule.stages.is_empty() {
            STAGES
        } else {
            rule.stages
        };
        let phrases = if rule.phrases.is_empty() {
            &[""]
        } else {
            rule.phrases
        };
        let enhanced = rule.enhanced.iter().map(|&(class, subject, detail)| {
            crate::wire::enhanced::EnhancedCode::new(class as u8, subject, detail)
        });
        let none = rule.enhanced.is_empty().then_some(None);
        enhanced.chain(none).flat_map(move |enhanced| {
            codes.iter().flat_map(move |&code| {
                stages.iter().flat_map(move |&stage| {
                    let phrases = phrases.iter();
                    phrases.map(move |&phrase| (code, enhanced, stage, phrase))
                })
            })
        })
    }
}

/// The explanation of the first rule that fits.
pub(super) fn first_match(rules: &[Rule], refusal: &Refusal<'_>) -> Option<Explanation> {
    rules
        .iter()
        .find(|rule| rule.fits(refusal))
        .map(|rule| rule.explanation)
}

/// Whether the text contains the phrase; ASCII case does not count.
pub(super) fn contains(text: &[u8], phrase: &[u8]) -> bool {
    let mut rest = text;
    loop {
        match rest.get(..phrase.len()) {
            None => return false,
            Some(start) if start.eq_ignore_ascii_case(phrase) => return true,
            Some(_) => match rest.split_first() {
                Some((_, shorter)) => rest = shorter,
                None => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_ignore_case() {
        assert!(contains(b"xx App Password yy", b"app password"));
        assert!(contains(b"app password", b"app password"));
        assert!(!contains(b"app passwor", b"app password"));
        assert!(!contains(b"", b"app"));
        assert!(contains("пароль: APP".as_bytes(), b"app"));
    }
}
