//! XCLIENT: a balancer, or a filter in front of the server, says for whom it
//! connects. Postfix describes it in its `XCLIENT_README`.

use super::ip;
use super::param::{Xtext, decimal};
use super::window::Window;
use core::net::IpAddr;

/// The attributes of one XCLIENT command, checked: each at most once, with a
/// value that can be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct XClient<'a>(&'a str);

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attribute<T> {
    /// This.
    Known(T),
    /// There is none, such as no name for an address: `[UNAVAILABLE]`.
    Unavailable,
    /// It could not be found out: `[TEMPUNAVAIL]`.
    TemporarilyUnavailable,
}

/// The protocol that the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// It said HELO.
    Smtp,
    /// It said EHLO.
    Esmtp,
}

impl<T> Attribute<T> {
    /// The value, if it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unavailable | Self::TemporarilyUnavailable => None,
        }
    }

    fn map<U>(self, f: impl FnOnce(T) -> Option<U>) -> Option<Attribute<U>> {
        Some(match self {
            Self::Known(value) => Attribute::Known(f(value)?),
            Self::Unavailable => Attribute::Unavailable,
            Self::TemporarilyUnavailable => Attribute::TemporarilyUnavailable,
        })
    }
}

/// The names, in the order in which a server lists them.
const NAMES: [&str; 8] = [
    "NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT",
];

impl<'a> XClient<'a> {
    /// The longest command, in octets.
    const LIMIT: usize = 500;

    /// Checks attributes such as `ADDR=192.0.2.1 NAME=client.example.org`:
    /// `attribute = name "=" xtext`, with single spaces between them; an IPv6
    /// address is written as `IPV6:2001:db8::1`. `None` if an attribute is not
    /// known, stands twice or can not be read.
    pub fn parse(attributes: &'a str) -> Option<Self> {
        if attributes.is_empty() || attributes.len() > Self::LIMIT {
            return None;
        }
        let this = Self(attributes);
        let mut seen = 0_u8;
        for word in attributes.as_bytes().split(|&b| b == b' ') {
            let (name, value) = split(word)?;
            let which = NAMES
                .iter()
                .position(|known| known.as_bytes().eq_ignore_ascii_case(name))?;
            let bit = 1_u8.wrapping_shl(which as u32);
            if seen & bit != 0 || value.is_empty() {
                return None;
            }
            seen |= bit;
        }
        let readable = |name, reads: bool| this.raw(name).is_none() || reads;
        let good = readable("NAME", this.name().is_some())
            && readable("ADDR", this.address().is_some())
            && readable("PORT", this.port().is_some())
            && readable("PROTO", this.protocol().is_some())
            && readable("HELO", this.helo().is_some())
            && readable("LOGIN", this.login().is_some())
            && readable("DESTADDR", this.destination_address().is_some())
            && readable("DESTPORT", this.destination_port().is_some());
        good.then_some(this)
    }

    /// The attributes as they are sent.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// NAME: the client's host name, as found for its address.
    pub fn name(&self) -> Option<Attribute<Xtext<'a>>> {
        self.xtext("NAME")
    }

    /// ADDR: the client's address.
    pub fn address(&self) -> Option<Attribute<IpAddr>> {
        self.xtext("ADDR")?.map(address)
    }

    /// PORT: the client's port.
    pub fn port(&self) -> Option<Attribute<u16>> {
        self.xtext("PORT")?.map(port)
    }

    /// PROTO: what the client speaks.
    pub fn protocol(&self) -> Option<Attribute<Protocol>> {
        self.xtext("PROTO")?.map(|text| {
            let is = |name: &str| text.as_str().eq_ignore_ascii_case(name);
            match (is("SMTP"), is("ESMTP")) {
                (true, _) => Some(Protocol::Smtp),
                (_, true) => Some(Protocol::Esmtp),
                _ => None,
            }
        })
    }

    /// HELO: what the client called itself.
    pub fn helo(&self) -> Option<Attribute<Xtext<'a>>> {
        self.xtext("HELO")
    }

    /// LOGIN: the user that the client has authenticated as.
    pub fn login(&self) -> Option<Attribute<Xtext<'a>>> {
        self.xtext("LOGIN")
    }

    /// DESTADDR: the address that the client connected to.
    pub fn destination_address(&self) -> Option<Attribute<IpAddr>> {
        self.xtext("DESTADDR")?.map(address)
    }

    /// DESTPORT: the port that the client connected to.
    pub fn destination_port(&self) -> Option<Attribute<u16>> {
        self.xtext("DESTPORT")?.map(port)
    }

    pub(super) fn render(&self, out: &mut Window<'_>) {
        out.put(b"XCLIENT ");
        out.put(self.0.as_bytes());
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        let mut words = self.0.as_bytes().split(|&b| b == b' ').filter_map(split);
        let (_, value) = words.find(|(word, _)| word.eq_ignore_ascii_case(name.as_bytes()))?;
        core::str::from_utf8(value).ok()
    }

    fn xtext(&self, name: &str) -> Option<Attribute<Xtext<'a>>> {
        let value = self.raw(name)?;
        if value.eq_ignore_ascii_case("[UNAVAILABLE]") {
            return Some(Attribute::Unavailable);
        }
        if value.eq_ignore_ascii_case("[TEMPUNAVAIL]") {
            return Some(Attribute::TemporarilyUnavailable);
        }
        Xtext::parse_octets(value).map(Attribute::Known)
    }
}

impl core::fmt::Debug for XClient<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}

fn split(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = word.iter().position(|&b| b == b'=')?;
    let (name, value) = word.split_at_checked(at)?;
    Some((name, value.get(1..)?))
}

/// `IPv4-address / "IPV6:" IPv6-address`. No character of either needs encoding.
fn address(text: Xtext<'_>) -> Option<IpAddr> {
    let text = text.as_str();
    match text.split_at_checked(5) {
        Some((tag, rest)) if tag.eq_ignore_ascii_case("IPV6:") => {
            ip::parse_v6(rest.as_bytes()).map(IpAddr::V6)
        }
        _ => ip::parse_v4(text.as_bytes()).map(IpAddr::V4),
    }
}

fn port(text: Xtext<'_>) -> Option<u16> {
    decimal(text.as_str().as_bytes()).and_then(|port| u16::try_from(port).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::String;

    #[test]
    fn attributes() {
        let all = XClient::parse(
            "NAME=client.example.org ADDR=192.0.2.1 PORT=50000 PROTO=ESMTP HELO=a+2Bb LOGIN=user \
             DESTADDR=IPV6:2001:db8::1 DESTPORT=25",
        )
        .unwrap();
        let text = |attribute: Option<Attribute<Xtext<'_>>>| {
            let octets = attribute.unwrap().known().unwrap().decoded();
            octets.map(char::from).collect::<String>()
        };
        assert_eq!(text(all.name()), "client.example.org");
        assert_eq!(
            all.address(),
            Some(Attribute::Known("192.0.2.1".parse().unwrap()))
        );
        assert_eq!(all.port(), Some(Attribute::Known(50_000)));
        assert_eq!(all.protocol(), Some(Attribute::Known(Protocol::Esmtp)));
        assert_eq!(text(all.helo()), "a+b");
        assert_eq!(text(all.login()), "user");
        assert_eq!(
            all.destination_address(),
            Some(Attribute::Known("2001:db8::1".parse().unwrap()))
        );
        assert_eq!(all.destination_port(), Some(Attribute::Known(25)));

        let some =
            XClient::parse("name=[UNAVAILABLE] addr=ipv6:::1 login=[tempunavail] port=0").unwrap();
        assert_eq!(some.name(), Some(Attribute::Unavailable));
        assert_eq!(
            some.address(),
            Some(Attribute::Known("::1".parse().unwrap()))
        );
        assert_eq!(some.login(), Some(Attribute::TemporarilyUnavailable));
        assert_eq!(some.helo(), None);
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            " ",
            "NAME",
            "NAME=",
            "=x",
            "FOO=bar",
            "NAME=x  ADDR=192.0.2.1",
            " NAME=x",
            "NAME=x ",
            "NAME=x NAME=y",
            "NAME=x name=y",
            "NAME=a\r\nQUIT",
            "NAME=a+0D+0AQUIT",
            "NAME=+",
            "NAME=caf\u{e9}",
            "ADDR=client",
            "ADDR=::1",
            "ADDR=IPV6:192.0.2.1",
            "ADDR=192.0.2.1+31",
            "ADDR=192.0.2.1:25",
            "PORT=65536",
            "PORT=-1",
            "PROTO=LMTP",
            "DESTADDR=x",
            "DESTPORT=x",
        ] {
            assert_eq!(XClient::parse(text), None, "{text:?}");
        }
        let long = std::format!("HELO={}", "x".repeat(496));
        assert_eq!(XClient::parse(&long), None);
    }

    proptest! {
        #[test]
        fn any_text(text in "((NAME|ADDR|PORT|HELO|X)=[a-zA-Z0-9.:+\\[\\] =]{0,12} ?){1,4}") {
            if let Some(attributes) = XClient::parse(&text) {
                prop_assert_eq!(attributes.as_str(), text.as_str());
                prop_assert!(!text.bytes().any(|b| b.is_ascii_control()));
            }
        }
    }
}
