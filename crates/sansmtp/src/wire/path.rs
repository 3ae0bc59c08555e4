//! Mail addresses of the envelope (RFC 5321, section 4.1.2; RFC 6531, section
//! 3.3).

use super::window::Window;
use crate::octets::{self, OctetKind};
use core::fmt;

/// Longest path in octets, angle brackets included (RFC 5321, section
/// 4.5.3.1.3).
pub const PATH_LIMIT: usize = 256;
/// Longest domain in octets (RFC 5321, section 4.5.3.1.2).
pub const DOMAIN_LIMIT: usize = 255;

/// A mail address that fits between the angle brackets of MAIL and RCPT:
/// `Mailbox = Local-part "@" ( Domain / address-literal )`.
///
/// It can not hold CR, LF, NUL or an angle bracket outside of quotes. Octets
/// above 127 are UTF-8 and need SMTPUTF8.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mailbox<'a>(&'a str);

/// Why a text is not a mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidAddress {
    /// Nothing is there.
    Empty,
    /// A line break or another control character is inside.
    Control,
    /// There is no `@` with a domain behind it.
    NoDomain,
    /// The part before the `@` breaks the grammar.
    LocalPart,
    /// The part behind the `@` breaks the grammar.
    Domain,
    /// Longer than 254 octets.
    TooLong,
}

impl fmt::Display for InvalidAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the address is empty",
            Self::Control => "the address holds a line break or another control character",
            Self::NoDomain => "the address has no domain; write it as name@example.org",
            Self::LocalPart => "the part before the @ is not valid",
            Self::Domain => "the domain behind the @ is not valid",
            Self::TooLong => "the address is longer than 254 octets",
        })
    }
}

impl core::error::Error for InvalidAddress {}

impl<'a> Mailbox<'a> {
    /// Checks an address such as `name@example.org`, without angle brackets and
    /// display name.
    ///
    /// # Errors
    /// [`InvalidAddress`] says which part is wrong.
    pub fn parse(address: &'a str) -> Result<Self, InvalidAddress> {
        let bytes = address.as_bytes();
        if bytes.is_empty() {
            return Err(InvalidAddress::Empty);
        }
        if bytes.iter().any(u8::is_ascii_control) {
            return Err(InvalidAddress::Control);
        }
        if bytes.len() > PATH_LIMIT.wrapping_sub(2) {
            return Err(InvalidAddress::TooLong);
        }
        let Some(rest) = local_part(bytes) else {
            return Err(if octets::position(bytes, b'@').is_some() {
                InvalidAddress::LocalPart
            } else {
                InvalidAddress::NoDomain
            });
        };
        match rest.split_first() {
            None => Err(InvalidAddress::NoDomain),
            Some((b'@', rest)) => match domain(rest) {
                Some([]) => Ok(Self(address)),
                _ => Err(InvalidAddress::Domain),
            },
            Some(_) => Err(InvalidAddress::LocalPart),
        }
    }

    /// The whole address.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// The part before the `@`, quotes included.
    pub fn local_part(&self) -> &'a str {
        octets::split_last(self.0, b'@').map_or(self.0, |(local, _)| local)
    }

    /// The domain or the address literal with its brackets.
    pub fn domain(&self) -> &'a str {
        octets::split_last(self.0, b'@').map_or("", |(_, domain)| domain)
    }

    /// Whether it is ASCII, so that it needs no SMTPUTF8.
    pub const fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }
}

impl fmt::Display for Mailbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Mailbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// Whom failures are reported to: `Reverse-path = Path / "<>"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReversePath<'a> {
    /// Nobody: the sender of delivery reports (RFC 5321, section 4.5.5).
    Null,
    /// This mailbox.
    Mailbox(Mailbox<'a>),
}

/// Whom the mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForwardPath<'a> {
    /// `<Postmaster>` without a domain, which every server takes (RFC 5321,
    /// section 4.5.1).
    Postmaster,
    /// This mailbox.
    Mailbox(Mailbox<'a>),
}

impl<'a> ReversePath<'a> {
    /// Checks an address; the empty text is the null reverse-path.
    ///
    /// # Errors
    /// [`InvalidAddress`] says which part is wrong.
    pub fn parse(address: &'a str) -> Result<Self, InvalidAddress> {
        if address.is_empty() {
            return Ok(Self::Null);
        }
        Mailbox::parse(address).map(Self::Mailbox)
    }

    /// The address, empty for the null reverse-path.
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Null => "",
            Self::Mailbox(mailbox) => mailbox.as_str(),
        }
    }

    pub(crate) fn render(&self, out: &mut Window<'_>) {
        render(self.as_str(), out);
    }
}

impl<'a> ForwardPath<'a> {
    /// Checks an address; `postmaster` alone, in any case, is taken.
    ///
    /// # Errors
    /// [`InvalidAddress`] says which part is wrong.
    pub fn parse(address: &'a str) -> Result<Self, InvalidAddress> {
        if address.eq_ignore_ascii_case("postmaster") {
            return Ok(Self::Postmaster);
        }
        Mailbox::parse(address).map(Self::Mailbox)
    }

    /// The address.
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Postmaster => "Postmaster",
            Self::Mailbox(mailbox) => mailbox.as_str(),
        }
    }

    pub(crate) fn render(&self, out: &mut Window<'_>) {
        render(self.as_str(), out);
    }
}

fn render(address: &str, out: &mut Window<'_>) {
    out.put(b"<");
    out.put(address.as_bytes());
    out.put(b">");
}

/// What stands between the angle brackets of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside<'a> {
    Nothing,
    /// `Postmaster`, in any case.
    Postmaster,
    Mailbox(Mailbox<'a>),
}

/// Reads a path with its angle brackets at the beginning of `input` and returns
/// what is inside, without the source route, and the input behind it:
/// `Path = "<" [ A-d-l ":" ] Mailbox ">"`. The source route is checked and
/// dropped (RFC 5321, appendix C). The content may be empty or `Postmaster`.
pub(crate) fn parse_path(input: &[u8]) -> Option<(Inside<'_>, &[u8])> {
    let mut inside = octets::strip(input, b'<')?;
    let route = inside.first() == Some(&b'@');
    if route {
        inside = source_route(inside)?;
    } else if let Some(rest) = octets::strip(inside, b'>') {
        return Some((Inside::Nothing, rest));
    }
    let Some(after) = mailbox(inside) else {
        let (name, rest) = inside.split_at_checked(10)?;
        let named = !route && name.eq_ignore_ascii_case(b"postmaster");
        let rest = octets::strip(rest, b'>').filter(|_| named)?;
        return Some((Inside::Postmaster, rest));
    };
    let rest = octets::strip(after, b'>')?;
    if input.len().wrapping_sub(rest.len()) > PATH_LIMIT {
        return None;
    }
    let address = inside.get(..inside.len().wrapping_sub(after.len()))?;
    let address = core::str::from_utf8(address).ok()?;
    Some((Inside::Mailbox(Mailbox(address)), rest))
}

/// Whether `name` is a domain or an address literal, ASCII only: what EHLO
/// carries.
pub(crate) fn is_domain(name: &[u8]) -> bool {
    name.is_ascii() && matches!(domain(name), Some([]))
}

// Each of these reads what its name says at the beginning of `input`, and returns
// what is behind it.

fn mailbox(input: &[u8]) -> Option<&[u8]> {
    domain(octets::strip(local_part(input)?, b'@')?)
}

/// `A-d-l ":"`, where `A-d-l = At-domain *( "," At-domain )`
fn source_route(mut input: &[u8]) -> Option<&[u8]> {
    loop {
        let rest = domain(octets::strip(input, b'@')?)?;
        match rest.split_first()? {
            (b',', behind) => input = behind,
            (b':', behind) => return Some(behind),
            _ => return None,
        }
    }
}

/// `Local-part = Dot-string / Quoted-string`
fn local_part(input: &[u8]) -> Option<&[u8]> {
    match input.split_first()? {
        (b'"', rest) => quoted_string(rest),
        _ => dot_string(input),
    }
}

/// `Dot-string = Atom *("." Atom)`
fn dot_string(mut input: &[u8]) -> Option<&[u8]> {
    loop {
        let (atom, rest) = input.split_at_checked(OctetKind::ATEXT.span(input))?;
        if atom.is_empty() {
            return None;
        }
        let Some(behind) = octets::strip(rest, b'.') else {
            return Some(rest);
        };
        input = behind;
    }
}

/// `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`, from behind its first quote, where
/// `quoted-pairSMTP = %d92 %d32-126`
fn quoted_string(mut input: &[u8]) -> Option<&[u8]> {
    loop {
        input = match input {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b' '..=b'~', rest @ ..] => rest,
            [octet, rest @ ..] if OctetKind::QTEXT.has(*octet) => rest,
            _ => return None,
        }
    }
}

/// `Domain / address-literal`
fn domain(input: &[u8]) -> Option<&[u8]> {
    if let Some(literal) = octets::strip(input, b'[') {
        return address_literal(literal);
    }
    let (mut label, mut end) = (0_usize, 0_usize);
    loop {
        let octet = input.get(end).copied();
        if octet.is_some_and(|octet| OctetKind::LDH.has(octet)) {
            end = end.wrapping_add(1);
            continue;
        }
        if !is_label(input.get(label..end)?) {
            return None;
        }
        if octet != Some(b'.') {
            break;
        }
        end = end.wrapping_add(1);
        label = end;
    }
    if end > DOMAIN_LIMIT {
        return None;
    }
    input.get(end..)
}

/// `sub-domain = Let-dig [Ldh-str]`, at most 63 octets. The underscore counts
/// as a letter: names that break the rule that way are in use.
fn is_label(name: &[u8]) -> bool {
    name.len() <= 63
        && matches!(name, [first, ..] if *first != b'-')
        && matches!(name, [.., last] if *last != b'-')
}

/// `IPv4-address-literal / IPv6-address-literal` (RFC 5321, section 4.1.3), from
/// behind its bracket. No other kind has been registered.
fn address_literal(input: &[u8]) -> Option<&[u8]> {
    let end = octets::position(input, b']')?;
    let (address, rest) = input.split_at_checked(end)?;
    let valid = match address.split_at_checked(5) {
        Some((tag, address)) if tag.eq_ignore_ascii_case(b"IPv6:") => is_ipv6(address),
        _ => is_ipv4(address),
    };
    if valid {
        octets::strip(rest, b']')
    } else {
        None
    }
}

fn is_ipv4(address: &[u8]) -> bool {
    let mut parts = 0_u8;
    address.split(|&b| b == b'.').all(|part| {
        parts = parts.saturating_add(1);
        part.len() <= 3 && super::param::decimal(part).is_some_and(|n| n <= 255)
    }) && parts == 4
}

/// Eight groups of one to four hexadecimal digits, one run of them may be `::`,
/// the last two may be an IPv4 address.
fn is_ipv6(address: &[u8]) -> bool {
    let mut groups = 0_u8;
    let mut gap = false;
    let mut rest = address;
    if let [b':', b':', tail @ ..] = rest {
        gap = true;
        rest = tail;
    }
    while !rest.is_empty() {
        let end = rest.iter().position(|&b| b == b':').unwrap_or(rest.len());
        let Some((group, tail)) = rest.split_at_checked(end) else {
            return false;
        };
        if tail.is_empty() && is_ipv4(group) {
            groups = groups.saturating_add(2);
            break;
        }
        if group.is_empty() || group.len() > 4 || !group.iter().all(u8::is_ascii_hexdigit) {
            return false;
        }
        groups = groups.saturating_add(1);
        rest = match tail {
            [] => tail,
            [b':', b':', tail @ ..] if !gap => {
                gap = true;
                tail
            }
            [b':', tail @ ..] if !tail.is_empty() => tail,
            _ => return false,
        };
    }
    if gap { groups < 8 } else { groups == 8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses() {
        for address in [
            "a@b",
            "first.last+tag@example.org",
            "!#$%&'*+-/=?^_`{|}~@example.org",
            "\"quoted string\"@example.org",
            "\"a\\\"b\\\\c@d\"@example.org",
            "\"\"@example.org",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@[IPv6:2001:db8::1:2]",
            "a@[IPv6:1:2:3:4:5:6:7:8]",
            "a@[IPv6:::ffff:192.0.2.1]",
            "a@xn--bcher-kva.example",
            "a@under_score.example",
            "jos\u{e9}@b\u{fc}cher.example",
        ] {
            let mailbox = Mailbox::parse(address).unwrap_or_else(|e| panic!("{address}: {e}"));
            assert_eq!(
                std::format!("{}@{}", mailbox.local_part(), mailbox.domain()),
                address
            );
            let path = std::format!("<{address}> SIZE=1");
            assert_eq!(
                parse_path(path.as_bytes()),
                Some((Inside::Mailbox(mailbox), &b" SIZE=1"[..]))
            );
        }
    }

    #[test]
    fn bad_addresses_say_why() {
        use InvalidAddress::*;
        let label64 = std::format!("a@{}.example", "d".repeat(64));
        let long = std::format!("a@{}", "dddddddd.".repeat(40));
        for (address, why) in [
            ("", Empty),
            ("a", NoDomain),
            ("a@", Domain),
            ("@b", LocalPart),
            (".a@b", LocalPart),
            ("a.@b", LocalPart),
            ("a..b@c", LocalPart),
            ("a b@c", LocalPart),
            ("a@b c", Domain),
            ("a@b..c", Domain),
            ("a@b.", Domain),
            ("a@.b", Domain),
            ("a@-b", Domain),
            ("a@b-", Domain),
            ("a@b@c", Domain),
            ("<a@b>", LocalPart),
            ("a@b>", Domain),
            ("a@b>\r\nRCPT TO:<c@d", Control),
            ("a\0@b", Control),
            ("\"a@b", LocalPart),
            ("\"a\"b@c", LocalPart),
            ("a@[127.0.0.256]", Domain),
            ("a@[127.0.0]", Domain),
            ("a@[127.0.0.1", Domain),
            ("a@[IPv6:::::::::::::]", Domain),
            ("a@[IPv6:1:2:3:4:5:6:7]", Domain),
            ("a@[IPv6:1:2:3:4:5:6:7:8:9]", Domain),
            ("a@[IPv6:1::2::3]", Domain),
            ("a@[IPv6:12345::]", Domain),
            ("a@[IPv6:1:]", Domain),
            ("a@[tag:x]", Domain),
            (label64.as_str(), Domain),
            (long.as_str(), TooLong),
            ("a(comment)@b", LocalPart),
        ] {
            assert_eq!(Mailbox::parse(address), Err(why), "{address:?}");
        }
    }

    #[test]
    fn paths() {
        assert_eq!(parse_path(b"<>"), Some((Inside::Nothing, &b""[..])));
        assert_eq!(
            parse_path(b"<POSTMASTER> X"),
            Some((Inside::Postmaster, &b" X"[..]))
        );
        assert_eq!(
            parse_path(b"<postmaster@b>"),
            Some((Inside::Mailbox(Mailbox("postmaster@b")), &b""[..]))
        );
        assert_eq!(
            parse_path(b"<@one.example,@[127.0.0.1]:a@b.example>"),
            Some((Inside::Mailbox(Mailbox("a@b.example")), &b""[..]))
        );
        for bad in [
            "",
            "a@b",
            "<a@b",
            "<a@b>>x"[..5].trim_end_matches('>'),
            "<@one:>x@y",
            "<@one,a@b>",
            "<a>",
            "< a@b>",
            "<a@b >",
            "<;sleep 66;>",
            "<a@b\r>",
            "<\"a\r\"@b>",
        ] {
            assert_eq!(parse_path(bad.as_bytes()), None, "{bad:?}");
        }
        let long = std::format!("<{}@example.org>", "a".repeat(300));
        assert_eq!(parse_path(long.as_bytes()), None);
        assert_eq!(parse_path(b"<\xff\xc0@b>"), None, "not UTF-8");
    }
}
