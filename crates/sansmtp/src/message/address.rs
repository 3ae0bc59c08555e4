//! Header addresses: an optional display name and a mailbox.

use super::check::quoted;
use super::octets::{has, is_ascii, split_last, strip_last, trim};
use super::text::Source;
use crate::wire::path::{InvalidAddress, Mailbox};

/// An address for From, To and the other address fields: RFC 5322, section
/// 3.4, `mailbox`. What it holds has been checked, so it can always be written.
///
/// ```
/// use sansmtp::message::Address;
/// let address = Address::parse("Zoë Doe <zoe@example.org>")?;
/// assert_eq!(address.mailbox(), "zoe@example.org");
/// assert_eq!(address.domain(), "example.org");
/// # Ok::<(), sansmtp::message::AddressError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address<'a> {
    name: &'a str,
    /// The name is the inside of a quoted string: a backslash escapes.
    escaped: bool,
    mailbox: &'a str,
}

/// Why an address was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressError {
    /// A display name with a line break or another control character.
    NameControl,
    /// A quoted display name whose quotes do not match.
    NameQuotes,
    /// The `>` after the mailbox is missing, or something follows it.
    Bracket,
    /// No `@` in the mailbox.
    NoAt,
    /// A mailbox outside ASCII; only the display name can have such letters.
    NotAscii,
    /// What stands before the `@` is not a Local-part of RFC 5321.
    LocalPart,
    /// What stands after the `@` is not a Domain or address literal of RFC 5321.
    Domain,
    /// More than 64 octets before the `@`, or more than 254 in all.
    TooLong,
}

impl<'a> Address<'a> {
    /// A mailbox (`user@example.org`) with a display name; an empty name is none.
    ///
    /// # Errors
    /// The name has control characters, or the mailbox is not one of RFC 5321.
    pub fn new(name: &'a str, mailbox: &'a str) -> Result<Self, AddressError> {
        if name.bytes().any(|b| b.is_ascii_control()) {
            return Err(AddressError::NameControl);
        }
        check_mailbox(mailbox)?;
        Ok(Self {
            name: trim(name),
            escaped: false,
            mailbox,
        })
    }

    /// From the forms people type: `a@b`, `<a@b>`, `Name <a@b>`, `"Name" <a@b>`.
    /// An unquoted name may hold anything except `<`; it is quoted when written.
    ///
    /// # Errors
    /// As [`Address::new`]; also when quotes or angle brackets do not match.
    pub fn parse(text: &'a str) -> Result<Self, AddressError> {
        let text = trim(text);
        let (name, mailbox) = match split_last(text, b'<') {
            Some((name, rest)) => (
                trim(name),
                strip_last(rest, b'>').ok_or(AddressError::Bracket)?,
            ),
            None => ("", text),
        };
        let mut address = Self::new(name, mailbox)?;
        if let Some((b'"', mut rest)) = name.as_bytes().split_first() {
            let inside = rest.len().wrapping_sub(1);
            if !quoted(&mut rest) || !rest.is_empty() {
                return Err(AddressError::NameQuotes);
            }
            // Not trimmed if escaped: the last space may be the one that is.
            let name = name.get(1..).and_then(|name| name.get(..inside));
            address.name = name.unwrap_or_default();
            address.escaped = has(address.name, b'\\');
            if !address.escaped {
                address.name = trim(address.name);
            }
        } else if has(name, b'<') {
            return Err(AddressError::Bracket);
        }
        Ok(address)
    }

    /// The mailbox, as for MAIL and RCPT (without angle brackets).
    pub fn mailbox(&self) -> &'a str {
        self.mailbox
    }

    /// The domain or address literal, without the `@`.
    pub fn domain(&self) -> &'a str {
        split_last(self.mailbox, b'@').map_or("", |(_, domain)| domain)
    }

    /// The display name's characters; none when there is no name.
    pub fn name(&self) -> impl Iterator<Item = char> + 'a {
        let escaped = self.escaped;
        let mut after = false;
        self.name.chars().filter(move |&c| {
            after = escaped && c == '\\' && !after;
            !after
        })
    }

    pub(super) fn source(&self) -> Source<'a> {
        Source::new(self.name, self.escaped)
    }
}

impl core::fmt::Display for AddressError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NameControl => {
                "the display name has a line break or control character; remove it"
            }
            Self::NameQuotes => {
                "the quotes of the display name do not match; write \"Name\" <user@domain>"
            }
            Self::Bracket => "the angle brackets do not match; write Name <user@domain>",
            Self::NoAt => "the mailbox has no @; write user@domain",
            Self::NotAscii => {
                "the mailbox has characters outside ASCII; write the domain in its xn-- form, and ASCII before the @"
            }
            Self::LocalPart => {
                "the part before the @ is not valid; quote it if it has special characters"
            }
            Self::Domain => {
                "the part after the @ is not a domain name or [address]; check its spelling"
            }
            Self::TooLong => {
                "the mailbox is too long: 64 octets before the @ and 254 in all are allowed"
            }
        })
    }
}

impl core::error::Error for AddressError {}

/// Whether a mailbox can stand in an envelope as well (RFC 5321, section 4.1.2),
/// without SMTPUTF8, and keeps to the sizes of section 4.5.3.1.
fn check_mailbox(mailbox: &str) -> Result<(), AddressError> {
    if !is_ascii(mailbox) {
        return Err(AddressError::NotAscii);
    }
    // A quoted local part may hold an @, a domain can not.
    let (local, _) = split_last(mailbox, b'@').ok_or(AddressError::NoAt)?;
    if local.len() > 64 {
        return Err(AddressError::TooLong);
    }
    match Mailbox::parse(mailbox) {
        Ok(_) => Ok(()),
        Err(InvalidAddress::Empty | InvalidAddress::NoDomain) => Err(AddressError::NoAt),
        Err(InvalidAddress::TooLong) => Err(AddressError::TooLong),
        Err(InvalidAddress::LocalPart) => Err(AddressError::LocalPart),
        Err(InvalidAddress::Domain) => Err(AddressError::Domain),
        Err(InvalidAddress::Control) => Err(match local.bytes().any(|b| b.is_ascii_control()) {
            true => AddressError::LocalPart,
            false => AddressError::Domain,
        }),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;

    #[test]
    fn forms_people_type() {
        for (text, name, mailbox) in [
            ("a@b", "", "a@b"),
            (" <a@b.example> ", "", "a@b.example"),
            ("Jo Doe <a@b>", "Jo Doe", "a@b"),
            ("Doe, Jo<a@b>", "Doe, Jo", "a@b"),
            ("\"Doe, Jo\" <a@b>", "Doe, Jo", "a@b"),
            (r#""Jo \"J\" \\ Doe" <a@b>"#, r#"Jo "J" \ Doe"#, "a@b"),
            (r#""a\ " <a@b>"#, "a ", "a@b"),
            ("\"a<b\" <a@b>", "a<b", "a@b"),
            ("Zoë <a@b>", "Zoë", "a@b"),
            (r#""x y"@b"#, "", r#""x y"@b"#),
            (r#""x@y"@b"#, "", r#""x@y"@b"#),
            ("a@[192.0.2.1]", "", "a@[192.0.2.1]"),
            ("a@[IPv6:2001:db8::1]", "", "a@[IPv6:2001:db8::1]"),
            ("o'hara+tag@x-1.example", "", "o'hara+tag@x-1.example"),
            ("a@under_score.example", "", "a@under_score.example"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.name().collect::<String>(), name, "{text}");
            assert_eq!(address.mailbox(), mailbox, "{text}");
        }
    }

    #[test]
    fn refusals() {
        let long = std::format!("{}@b", "x".repeat(65));
        let longer = std::format!("a@{}b", "x.".repeat(130));
        for (text, error) in [
            ("", AddressError::NoAt),
            ("ab", AddressError::NoAt),
            ("A <a@b", AddressError::Bracket),
            ("A <a@b> x", AddressError::Bracket),
            ("A <x> <a@b>", AddressError::Bracket),
            ("\"A <a@b>", AddressError::NameQuotes),
            ("\"A\"B\" <a@b>", AddressError::NameQuotes),
            ("\"A\\\" <a@b>", AddressError::NameQuotes),
            ("A\r\nBcc: x <a@b>", AddressError::NameControl),
            ("A\0 <a@b>", AddressError::NameControl),
            ("@b", AddressError::LocalPart),
            ("a..b@c", AddressError::LocalPart),
            (".a@c", AddressError::LocalPart),
            ("a b@c", AddressError::LocalPart),
            ("a\r\nb@c", AddressError::LocalPart),
            ("\"a\nb\"@c", AddressError::LocalPart),
            ("\"a\"b\"@c", AddressError::LocalPart),
            ("\"@c", AddressError::LocalPart),
            ("a@", AddressError::Domain),
            ("a@b\r\n", AddressError::Domain),
            ("a@b..c", AddressError::Domain),
            ("a@-b", AddressError::Domain),
            ("a@[1.2.3]", AddressError::Domain),
            ("a@[]", AddressError::Domain),
            ("a@[1 2]", AddressError::Domain),
            ("ä@b", AddressError::NotAscii),
            ("a@bücher.example", AddressError::NotAscii),
            (&long, AddressError::TooLong),
            (&longer, AddressError::TooLong),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text:?}");
        }
    }
}
