//! Comparing names, domains and hosts, and finding the nearest name. No allocation.

use super::Provider;
use crate::octets;

/// Whether two names are the same when ASCII case, spaces and punctuation do not count.
pub(super) fn same_name(left: &str, right: &str) -> bool {
    let mut letters = significant(left).peekable();
    letters.peek().is_some() && letters.eq(significant(right))
}

/// The domain of a mail address, or the text itself when it has no `@`.
pub(super) fn domain_of(address_or_domain: &str) -> Option<&str> {
    let domain = match octets::split_last(address_or_domain, b'@') {
        Some((_, domain)) => domain,
        None => address_or_domain,
    };
    let domain = trimmed_domain(domain);
    (!domain.is_empty()).then_some(domain)
}

/// The text without spaces around it and without the final dot of an absolute domain name.
pub(super) fn trimmed_domain(domain: &str) -> &str {
    let domain = domain.trim();
    domain.strip_suffix('.').unwrap_or(domain)
}

/// Whether a domain fits an entry of [`Provider::domains`].
pub(super) fn domain_matches(pattern: &str, domain: &str) -> bool {
    if let Some(name) = pattern.strip_suffix(".*") {
        octets::split_first(domain, b'.')
            .is_some_and(|(first, rest)| first.eq_ignore_ascii_case(name) && is_country(rest))
    } else if let Some(parent) = pattern.strip_prefix("*.") {
        domain
            .len()
            .checked_sub(parent.len())
            .and_then(|at| domain.split_at_checked(at))
            .is_some_and(|(start, end)| {
                end.eq_ignore_ascii_case(parent)
                    && start.len() > 1
                    && start.ends_with('.')
                    && !start.starts_with('.')
            })
    } else {
        pattern.eq_ignore_ascii_case(domain)
    }
}

/// Whether a host fits an entry of [`Provider::other_hosts`].
pub(super) fn host_matches(pattern: &str, host: &str) -> bool {
    let Some((start, end)) = octets::split_first(pattern, b'*') else {
        return pattern.eq_ignore_ascii_case(host);
    };
    let Some((head, rest)) = host.split_at_checked(start.len()) else {
        return false;
    };
    let Some((middle, tail)) = rest
        .len()
        .checked_sub(end.len())
        .and_then(|at| rest.split_at_checked(at))
    else {
        return false;
    };
    head.eq_ignore_ascii_case(start) && !middle.is_empty() && tail.eq_ignore_ascii_case(end)
}

/// Whether the host is the own machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.starts_with("127.") || host == "::1"
}

/// See [`Provider::did_you_mean`].
pub(super) fn nearest(name_or_address: &str) -> Option<&'static Provider> {
    let mut best: Option<(u8, &'static Provider)> = None;
    let mut consider = |provider: &'static Provider, distance: Option<u8>| {
        if let Some(distance) = distance
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, provider));
        }
    };
    let (typed, is_domain) = match octets::split_last(name_or_address, b'@') {
        Some((_, domain)) => (domain, true),
        None => (name_or_address, name_or_address.contains('.')),
    };
    let typed = Word::new(typed)?;
    for provider in Provider::all() {
        if !name_or_address.contains('@') {
            for name in provider.names() {
                consider(provider, typed.distance_within_limit(name));
            }
        }
        if is_domain {
            for domain in provider.domains {
                if !domain.contains('*') {
                    consider(provider, typed.distance_within_limit(domain));
                }
            }
        }
    }
    best.map(|(_, provider)| provider)
}

/// Most letters and digits of a name that [`nearest`] looks at.
const MAX_WORD: usize = 32;

/// The significant letters of a typed text.
struct Word {
    letters: [u8; MAX_WORD],
    len: usize,
}

impl Word {
    /// `None` for texts that are empty or too long.
    fn new(text: &str) -> Option<Self> {
        let mut word = Self {
            letters: [0; MAX_WORD],
            len: 0,
        };
        for letter in significant(text) {
            *word.letters.get_mut(word.len)? = letter;
            word.len = word.len.saturating_add(1);
        }
        (word.len > 0).then_some(word)
    }

    /// The number of wrong, missing, added or swapped letters, if a slip of the hand explains
    /// it ("optimal string alignment" distance).
    fn distance_within_limit(&self, name: &str) -> Option<u8> {
        let limit = match self.len {
            0..=2 => 0,
            3..=5 => 1,
            6..=8 => 2,
            _ => 3,
        };
        let name = Word::new(name)?;
        if name.len.abs_diff(self.len) > usize::from(limit) {
            return None;
        }
        // `row` is the table's last row, `above` the one before it; both without column 0.
        let mut row: [u8; MAX_WORD] = [0; MAX_WORD];
        for (cell, column) in row.iter_mut().zip(1u8..) {
            *cell = column;
        }
        let mut above = [u8::MAX; MAX_WORD];
        let mut above_start = u8::MAX;
        let mut last_typed = None;
        for (line, &typed) in (0u8..).zip(self.letters()) {
            let mut diagonal = line;
            let mut left = line.saturating_add(1);
            let (mut swap_from, mut above_left) = (u8::MAX, above_start);
            let mut last_wanted = None;
            let cells = row.iter_mut().zip(above.iter_mut());
            for (&wanted, (cell, above_cell)) in name.letters().iter().zip(cells) {
                let up = *cell;
                let mut least = diagonal.saturating_add(u8::from(typed != wanted));
                least = least.min(up.saturating_add(1));
                least = least.min(left.saturating_add(1));
                if last_typed == Some(wanted) && last_wanted == Some(typed) {
                    least = least.min(swap_from.saturating_add(1));
                }
                swap_from = above_left;
                above_left = *above_cell;
                *above_cell = up;
                *cell = least;
                diagonal = up;
                left = least;
                last_wanted = Some(wanted);
            }
            above_start = line;
            last_typed = Some(typed);
        }
        let distance = *row.get(name.len.checked_sub(1)?)?;
        (distance <= limit).then_some(distance)
    }

    fn letters(&self) -> &[u8] {
        self.letters.get(..self.len).unwrap_or(&[])
    }
}

/// Letters and digits in lower case. Bytes above ASCII count as they are.
fn significant(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        .map(|byte| byte.to_ascii_lowercase())
}

/// Whether the text is a country's top level domain, alone or after `co.` or `com.`.
fn is_country(suffix: &str) -> bool {
    let country = match octets::split_first(suffix, b'.') {
        Some((second, country)) => {
            if !second.eq_ignore_ascii_case("co") && !second.eq_ignore_ascii_case("com") {
                return false;
            }
            country
        }
        None => suffix,
    };
    country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(typed: &str, name: &str) -> Option<u8> {
        Word::new(typed).and_then(|typed| typed.distance_within_limit(name))
    }

    #[test]
    fn distance_counts_slips() {
        assert_eq!(distance("gmail", "gmail"), Some(0));
        assert_eq!(distance("gmial", "gmail"), Some(1), "swapped");
        assert_eq!(distance("mgail", "gmail"), Some(1), "swapped at the start");
        assert_eq!(distance("gmali", "gmail"), Some(1), "swapped at the end");
        assert_eq!(distance("gmal", "gmail"), Some(1), "missing");
        assert_eq!(distance("gmaill", "gmail"), Some(1), "added");
        assert_eq!(distance("gnail", "gmail"), Some(1), "wrong");
        assert_eq!(distance("gnial", "gmail"), None, "too far for five letters");
        assert_eq!(distance("otulokk", "outlook"), Some(2));
        assert_eq!(distance("qq", "q"), None, "short names must be exact");
        assert_eq!(distance("", "gmail"), None);
        let long = "abcdefghabcdefghabcdefghabcdefgh";
        assert_eq!(distance(long, long), Some(0));
        assert!(Word::new("abcdefghabcdefghabcdefghabcdefghi").is_none());
    }

    #[test]
    fn names_ignore_case_and_punctuation() {
        assert!(same_name("Web.de", "web de"));
        assert!(!same_name("1&1", "1und1"));
        assert!(same_name("Microsoft 365", "MICROSOFT-365"));
        assert!(!same_name("", ""));
        assert!(!same_name("...", " - "));
        assert!(!same_name("gmail", "gmai"));
        assert!(!same_name("gmai", "gmail"));
    }

    #[test]
    fn domain_patterns() {
        for (pattern, domain, fits) in [
            ("yahoo.*", "yahoo.fr", true),
            ("yahoo.*", "YAHOO.CO.UK", true),
            ("yahoo.*", "yahoo.com.br", true),
            ("yahoo.*", "yahoo.com", false),
            ("yahoo.*", "yahoo.org.uk", false),
            ("yahoo.*", "yahoo.co", true),
            ("yahoo.*", "notyahoo.fr", false),
            ("yahoo.*", "mail.yahoo.fr", false),
            ("yahoo.*", "yahoo.f1", false),
            ("yahoo.*", "yahoo.", false),
            ("*.onmicrosoft.com", "contoso.onmicrosoft.com", true),
            ("*.onmicrosoft.com", "onmicrosoft.com", false),
            ("*.onmicrosoft.com", ".onmicrosoft.com", false),
            ("*.onmicrosoft.com", "xonmicrosoft.com", false),
            ("*.onmicrosoft.com", "é.onmicrosoft.com", true),
            ("gmail.com", "GMail.com", true),
            ("gmail.com", "gmail.com.example", false),
        ] {
            assert_eq!(domain_matches(pattern, domain), fits, "{pattern} {domain}");
        }
    }

    #[test]
    fn host_patterns() {
        let ses = "email-smtp*.amazonaws.com";
        assert!(host_matches(ses, "email-smtp.eu-north-1.amazonaws.com"));
        assert!(host_matches(ses, "EMAIL-SMTP-FIPS.us-east-1.amazonaws.com"));
        assert!(!host_matches(ses, "email-smtp.amazonaws.com.example.org"));
        assert!(!host_matches(ses, "email-smtp.amazonaws.org"));
        assert!(!host_matches("a*.b", "a.b"), "a star stands for something");
        assert!(!host_matches("aaa*aaa", "aaaaa"), "no overlap");
        assert!(!host_matches("a*b", "é"));
    }
}
