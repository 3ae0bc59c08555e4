//! IP addresses as text, without the panic paths that the standard library's own
//! parser and formatter link.

use super::window::Window;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `192.0.2.1`: four numbers without leading zeros.
pub(super) fn parse_v4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut parts = text.split(|&b| b == b'.');
    let mut next = || octet(parts.next()?);
    let octets = [next()?, next()?, next()?, next()?];
    parts.next().is_none().then(|| octets.into())
}

/// `2001:db8::1`, also with an IPv4 address at its end (RFC 4291, section 2.2).
pub(super) fn parse_v6(text: &[u8]) -> Option<Ipv6Addr> {
    let gap = text.windows(2).position(|pair| pair == b"::");
    let (head, tail) = match gap {
        None => (text, &[][..]),
        Some(at) => (text.get(..at)?, text.get(at.wrapping_add(2)..)?),
    };
    let (head, head_count) = groups(head, gap.is_none())?;
    let (tail, tail_count) = groups(tail, true)?;
    let count = head_count.wrapping_add(tail_count);
    // The gap stands for at least one group.
    let fits = if gap.is_some() {
        count < 8
    } else {
        head_count == 8
    };
    if !fits {
        return None;
    }
    let mut all = head;
    let mut place = 8_usize.wrapping_sub(tail_count);
    for group in tail.iter().take(tail_count) {
        *all.get_mut(place)? = *group;
        place = place.wrapping_add(1);
    }
    Some(all.into())
}

pub(super) fn render(address: IpAddr, out: &mut Window<'_>) {
    match address {
        IpAddr::V4(address) => render_v4(address, out),
        IpAddr::V6(address) => render_v6(address, out),
    }
}

fn render_v4(address: Ipv4Addr, out: &mut Window<'_>) {
    let mut separator: &[u8] = b"";
    for octet in address.octets() {
        out.put(separator);
        out.put_decimal(u64::from(octet));
        separator = b".";
    }
}

/// The longest row of at least two zero groups becomes `::` (RFC 5952, section 4).
fn render_v6(address: Ipv6Addr, out: &mut Window<'_>) {
    let groups = address.segments();
    let (mut gap, mut gap_end, mut row) = (8_usize, 8_usize, 0_usize);
    let mut longest = 1_usize;
    for (at, group) in groups.iter().enumerate() {
        row = if *group == 0 { row.wrapping_add(1) } else { 0 };
        if row > longest {
            longest = row;
            gap_end = at.wrapping_add(1);
            gap = gap_end.wrapping_sub(row);
        }
    }
    for (at, group) in groups.iter().enumerate() {
        if at >= gap && at < gap_end {
            if at == gap {
                out.put(b"::");
            }
            continue;
        }
        if at > 0 && at != gap_end {
            out.put(b":");
        }
        put_hex(*group, out);
    }
}

fn put_hex(group: u16, out: &mut Window<'_>) {
    let mut started = false;
    for shift in [12, 8, 4, 0] {
        let value = (group >> shift) as u8 & 15;
        started |= value != 0 || shift == 0;
        if started {
            let base = if value < 10 { b'0' } else { b'a' - 10 };
            out.put(&[base.wrapping_add(value)]);
        }
    }
}

/// `1*3DIGIT` up to 255, without leading zeros.
fn octet(digits: &[u8]) -> Option<u8> {
    let canonical = digits.len() == 1 || digits.first() != Some(&b'0');
    let value = super::param::decimal(digits).filter(|_| canonical)?;
    u8::try_from(value).ok()
}

/// Groups of hexadecimal digits with colons between them; the last may be an IPv4
/// address. An empty text has none.
fn groups(text: &[u8], ends: bool) -> Option<([u16; 8], usize)> {
    let mut groups = [0; 8];
    let mut count = 0_usize;
    if text.is_empty() {
        return Some((groups, count));
    }
    let mut words = text.split(|&b| b == b':').peekable();
    let mut put = |group: u16| {
        *groups.get_mut(count)? = group;
        count = count.wrapping_add(1);
        Some(())
    };
    while let Some(word) = words.next() {
        if ends && words.peek().is_none() && word.contains(&b'.') {
            let [a, b, c, d] = parse_v4(word)?.octets();
            put(u16::from_be_bytes([a, b]))?;
            put(u16::from_be_bytes([c, d]))?;
        } else {
            put(group(word)?)?;
        }
    }
    Some((groups, count))
}

/// `1*4HEXDIG`
fn group(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    digits.iter().try_fold(0_u16, |value, &digit| {
        let digit = match digit {
            b'0'..=b'9' => digit.wrapping_sub(b'0'),
            b'a'..=b'f' => digit.wrapping_sub(b'a').wrapping_add(10),
            b'A'..=b'F' => digit.wrapping_sub(b'A').wrapping_add(10),
            _ => return None,
        };
        Some(value.wrapping_shl(4) | u16::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::{String, ToString};

    fn rendered(address: IpAddr) -> String {
        let mut out = [0; 64];
        let mut window = Window::new(0, &mut out);
        render(address, &mut window);
        let written = window.written();
        String::from_utf8(out[..written].to_vec()).unwrap()
    }

    fn same(text: &str) {
        assert_eq!(parse_v4(text.as_bytes()), text.parse().ok(), "{text}");
        assert_eq!(parse_v6(text.as_bytes()), text.parse().ok(), "{text}");
    }

    #[test]
    fn what_the_standard_library_says() {
        for text in [
            "",
            ".",
            ":",
            "::",
            ":::",
            "1",
            "1.2.3.4",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "0.0.0.0",
            "1..3.4",
            "1.2.3.",
            " 1.2.3.4",
            "1::",
            "::1",
            "1::2::3",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "::1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7::",
            "::1:2:3:4:5:6:7:8",
            "1:2:3:4::5:6:7:8",
            ":1:2",
            "1:2:",
            "12345::",
            "::ffff:192.0.2.1",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "1.2.3.4::",
            "::1.2.3.4:1",
            "g::",
            "::%1",
            "ABCD::ef01",
            "0:0:0:0:0:0:0:0",
            "[::1]",
            "::1 ",
        ] {
            same(text);
        }
    }

    proptest! {
        #[test]
        fn any_text(text in "[0-9a-fA-F.:g]{0,24}") {
            same(&text);
        }

        #[test]
        fn there_and_back(octets: [u8; 4], groups: [u16; 8], zeros: u8) {
            let v4 = Ipv4Addr::from(octets);
            prop_assert_eq!(rendered(v4.into()), v4.to_string());
            prop_assert_eq!(parse_v4(v4.to_string().as_bytes()), Some(v4));
            let mut groups = groups;
            for (at, group) in groups.iter_mut().enumerate() {
                if zeros >> at & 1 == 1 {
                    *group = 0;
                }
            }
            let v6 = Ipv6Addr::from(groups);
            prop_assert_eq!(parse_v6(rendered(v6.into()).as_bytes()), Some(v6));
            prop_assert_eq!(parse_v6(v6.to_string().as_bytes()), Some(v6));
            // The standard library shows IPv4 in IPv6 in its own way.
            if v6.to_ipv4().is_none() {
                prop_assert_eq!(rendered(v6.into()), v6.to_string());
            }
        }
    }
}
