//! The words of an EHLO reply that the client of this build knows.

use crate::capability::{Extension, Mechanism};
use crate::octets;

/// What a word of an EHLO reply stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    Extension(Extension),
    Mechanism(Mechanism),
}

impl Keyword {
    /// Whether the client of this build knows any.
    pub(crate) const ARE_KNOWN: bool = COUNT != 0;

    /// What the word at the beginning of `words` stands for, in any case, and how long it
    /// is. Spaces and `=` part words.
    pub(crate) fn find(words: &[u8]) -> Option<&'static (&'static str, Self)> {
        let known = if cfg!(feature = "memchr") {
            let bucket = bucket(words);
            let end = START.get(bucket.wrapping_add(1));
            KNOWN.get(usize::from(*START.get(bucket)?)..usize::from(*end?))?
        } else {
            &KNOWN
        };
        known.iter().find(|(name, _)| {
            let ends = matches!(words.get(name.len()), None | Some(b' ' | b'='));
            ends && words
                .get(..name.len())
                .is_some_and(|word| octets::is_name(name, word))
        })
    }

    /// The word for it; empty for what this build does not know.
    #[cfg(feature = "auth")]
    pub(crate) fn name(self) -> &'static str {
        let known = KNOWN.iter().find(|known| known.1 == self);
        known.map_or("", |known| known.0)
    }
}

const BUCKETS: usize = 64;

/// Words that are equal but for the case of letters are in the same one: the first three
/// octets tell nearly all apart.
const fn bucket(words: &[u8]) -> usize {
    match words {
        [a, b, c, ..] => {
            let (a, b, c) = (*a & 0xdf, *b & 0xdf, *c & 0xdf);
            (a as usize + b as usize * 3 + c as usize) % BUCKETS
        }
        _ => 0,
    }
}

/// All that are known, one bucket behind the other. Mechanisms are those that the client
/// has, and all where it shows what is offered.
static KNOWN: [(&str, Keyword); COUNT] = TABLE.0;

/// Where each bucket begins, and where the last one ends.
static START: [u8; BUCKETS + 1] = TABLE.1;

const TABLE: ([(&str, Keyword); COUNT], [u8; BUCKETS + 1]) = {
    let mut known = [("", Keyword::Extension(Extension::Pipelining)); COUNT];
    let mut start = [0; BUCKETS + 1];
    let (mut number, mut to) = (0, 0);
    while number < BUCKETS {
        let mut from = 0;
        while from < ALL {
            let (name, keyword, is_used) = any(from);
            if is_used && bucket(name.as_bytes()) == number {
                known[to] = (name, keyword);
                to += 1;
            }
            from += 1;
        }
        number += 1;
        start[number] = to as u8;
    }
    (known, start)
};

const COUNT: usize = {
    let (mut count, mut from) = (0, 0);
    while from < ALL {
        count += any(from).2 as usize;
        from += 1;
    }
    count
};

const ALL: usize = Extension::ALL.len() + Mechanism::ALL.len();

/// Each that there is, and whether this build makes use of it.
const fn any(number: usize) -> (&'static str, Keyword, bool) {
    if number < Extension::ALL.len() {
        let extension = Extension::ALL[number];
        let keyword = Keyword::Extension(extension);
        return (extension.keyword(), keyword, extension.is_used());
    }
    let mechanism = Mechanism::ALL[number - Extension::ALL.len()];
    let is_used = mechanism.is_used() || cfg!(feature = "extensions");
    (mechanism.name(), Keyword::Mechanism(mechanism), is_used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_word_is_found_in_any_case() {
        for (name, keyword) in KNOWN {
            let lower = name.to_ascii_lowercase();
            for word in [name, lower.as_str()] {
                for behind in ["", " PLAIN", "=1", "  x"] {
                    let words = std::format!("{word}{behind}");
                    let found = Keyword::find(words.as_bytes());
                    assert!(found == Some(&(name, keyword)), "{words}");
                }
                let longer = std::format!("{word}-X");
                assert!(Keyword::find(longer.as_bytes()).is_none(), "{longer}");
            }
            assert!(Keyword::find(&name.as_bytes()[1..]).is_none(), "{name}");
        }
        for unknown in ["", " ", "XF", "XFOO", "SIZ"] {
            assert!(Keyword::find(unknown.as_bytes()).is_none(), "{unknown}");
        }
    }
}
