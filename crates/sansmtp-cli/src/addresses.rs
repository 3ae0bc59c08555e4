//! Lists of addresses, as people type them and as headers hold them.

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use sansmtp::message::{Address, OwnedAddress};
use sansmtp::wire::path::{ForwardPath, ReversePath};

/// The addresses of an option that may be given again and may hold several.
pub(crate) fn parse_all<'a>(option: &str, texts: &'a [String]) -> Result<Vec<Address<'a>>> {
    let mut addresses = Vec::new();
    for text in texts {
        for part in split(text) {
            addresses.push(parse(option, part)?);
        }
    }
    Ok(addresses)
}

/// The same, still as they were typed.
pub(crate) fn list(texts: &[String]) -> Vec<OwnedAddress> {
    let parts = texts.iter().flat_map(|text| split(text));
    parts.map(OwnedAddress::from).collect()
}

/// One address of an option.
pub(crate) fn parse<'a>(option: &str, text: &'a str) -> Result<Address<'a>> {
    Address::parse(text)
        .map_err(|error| Failure::advised(Exit::Data, format_args!("{option} `{text}`: {error}")))
}

/// A recipient for the envelope.
pub(crate) fn forward_path<'a>(place: &str, text: &'a str) -> Result<ForwardPath<'a>> {
    ForwardPath::parse(text).map_err(|error| {
        Failure::new(
            Exit::Data,
            format_args!("{place} `{text}`: {error}"),
            "write it as name@example.org",
        )
    })
}

/// A sender for the envelope; empty for nobody.
pub(crate) fn reverse_path<'a>(place: &str, text: &'a str) -> Result<ReversePath<'a>> {
    ReversePath::parse(text).map_err(|error| {
        Failure::new(
            Exit::Data,
            format_args!("{place} `{text}`: {error}"),
            "write it as name@example.org",
        )
    })
}

/// Splits at the commas that are not inside of quotes, brackets or comments.
/// Line breaks stay where they are, so that they are refused later.
pub(crate) fn split(list: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    scan(list, |at, c, depth| {
        if depth == Depth::Top && c == ',' {
            parts.push(&list[begin..at]);
            begin = at + 1;
        }
    });
    parts.push(&list[begin..]);
    // An empty text is kept, so that it is refused and not ignored.
    if parts.len() > 1 {
        parts.retain(|part| !part.trim_matches(' ').is_empty());
    }
    parts
}

/// The bare mailboxes of an unfolded header value: RFC 5322, section 3.4,
/// `address-list`. Names, comments, group names and routes are dropped.
pub(crate) fn mailboxes(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut angle: Option<String> = None;
    let mut take = |current: &mut String, angle: &mut Option<String>| {
        let mailbox = angle.take().unwrap_or_else(|| std::mem::take(current));
        current.clear();
        // `@a,@b:` before the mailbox is a route of old (RFC 5322, section 4.4).
        let mailbox = match mailbox.strip_prefix('@') {
            Some(route) => route.split_once(':').map_or("", |(_, mailbox)| mailbox),
            None => &mailbox,
        };
        let mailbox = mailbox.trim();
        if !mailbox.is_empty() {
            found.push(mailbox.to_owned());
        }
    };
    scan(value, |_, c, depth| match (depth, c) {
        (Depth::Comment, _) | (Depth::Top, '>') => {}
        (Depth::Top, ',' | ';') => take(&mut current, &mut angle),
        // The name of a group ends here.
        (Depth::Top, ':') => current.clear(),
        (Depth::Top, '<') => angle = Some(String::new()),
        (Depth::Angle, _) => {
            if let Some(angle) = &mut angle {
                angle.push(c);
            }
        }
        _ => current.push(c),
    });
    take(&mut current, &mut angle);
    found
}

/// Where a character of an address list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Top,
    Quoted,
    Comment,
    Angle,
    Literal,
}

/// Calls `visit` for each character. Quotes, brackets and parentheses count as
/// inside, `<` and `>` as outside.
fn scan(list: &str, mut visit: impl FnMut(usize, char, Depth)) {
    let (mut quoted, mut escaped, mut angle, mut literal) = (false, false, false, false);
    let mut comments = 0_u32;
    for (at, c) in list.char_indices() {
        let depth = |quoted: bool, comments: u32, angle: bool, literal: bool| match () {
            () if comments > 0 => Depth::Comment,
            () if angle => Depth::Angle,
            () if quoted => Depth::Quoted,
            () if literal => Depth::Literal,
            () => Depth::Top,
        };
        if escaped {
            escaped = false;
            visit(at, c, depth(quoted, comments, angle, literal));
            continue;
        }
        let before = depth(quoted, comments, angle, literal);
        match c {
            '\\' if quoted || comments > 0 => escaped = true,
            '"' if comments == 0 => quoted = !quoted,
            '(' if !quoted => comments += 1,
            ')' if comments > 0 && !quoted => {
                comments -= 1;
                visit(at, c, before);
                continue;
            }
            '<' if !quoted && comments == 0 => {
                angle = true;
                visit(at, c, before);
                continue;
            }
            '>' if !quoted && comments == 0 => angle = false,
            '[' if !quoted && comments == 0 => literal = true,
            ']' if !quoted && comments == 0 => {
                literal = false;
                visit(at, c, before);
                continue;
            }
            _ => {}
        }
        let after = depth(quoted, comments, angle, literal);
        // A closing quote belongs to the quoted string.
        visit(at, c, if c == '"' && !quoted { before } else { after });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_typed() {
        assert_eq!(split("a@b"), ["a@b"]);
        assert_eq!(split("a@b, Jo <c@d>,"), ["a@b", " Jo <c@d>"]);
        assert_eq!(
            split(r#""Doe, Jo" <a@b>,c@d"#),
            [r#""Doe, Jo" <a@b>"#, "c@d"]
        );
        assert_eq!(split(r#""a\",b" <a@b>"#), [r#""a\",b" <a@b>"#]);
        assert_eq!(split(""), [""]);
        assert_eq!(split("a@b\r\n,c@d"), ["a@b\r\n", "c@d"]);
    }

    #[test]
    fn lists_in_headers() {
        for (value, expected) in [
            ("a@b", &["a@b"][..]),
            ("Jo <a@b>, c@d (the other)", &["a@b", "c@d"]),
            ("Team: a@b, Jo <c@d>; e@f", &["a@b", "c@d", "e@f"]),
            ("undisclosed-recipients:;", &[]),
            (r#""Doe, \"J\" <x@y>" <a@b>"#, &["a@b"]),
            (r#""x y"@b"#, &[r#""x y"@b"#]),
            (r#"<"x>y"@b>"#, &[r#""x>y"@b"#]),
            ("a@[IPv6:::1], b@c", &["a@[IPv6:::1]", "b@c"]),
            ("<@r,@s:a@b>", &["a@b"]),
            ("(nested (comment), x@y) a@b", &["a@b"]),
            ("", &[]),
            (" , ,", &[]),
        ] {
            assert_eq!(mailboxes(value), expected, "{value}");
        }
    }
}
