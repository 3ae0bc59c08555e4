//! SASLprep (RFC 4013): several ways to type a name or password become one.

use std::borrow::Cow;

/// The prepared form; `None` if the text holds what must not be in it, or nothing is
/// left of it.
pub(crate) fn prepare(text: &str) -> Option<Cow<'_, str>> {
    let prepared = stringprep::saslprep(text).ok()?;
    Some(prepared).filter(|prepared| !prepared.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4013, section 3.
    #[test]
    fn the_examples_of_the_standard() {
        for (text, prepared) in [
            ("I\u{ad}X", Some("IX")),
            ("user", Some("user")),
            ("USER", Some("USER")),
            ("\u{aa}", Some("a")),
            ("\u{2168}", Some("IX")),
            ("\u{7}", None),
            ("\u{627}1", None),
            ("\u{ad}", None),
            ("u\u{308}", Some("\u{fc}")),
        ] {
            assert_eq!(prepare(text).as_deref(), prepared, "{text:?}");
        }
    }
}
