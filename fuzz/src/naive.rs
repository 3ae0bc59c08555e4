//! Second implementations, written from the RFCs and not from the core: slow and plain.

use std::net::Ipv6Addr;

/// `1*DIGIT` that fits 64 bits, and is not longer than 20 digits.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

fn is_control(octet: u8) -> bool {
    octet < 32 || octet == 127
}

/// `atext` (RFC 5322, section 3.2.3) with UTF-8 (RFC 6531, section 3.3).
fn is_atext(octet: u8) -> bool {
    octet >= 128 || octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}

/// Where the local part at the beginning ends.
pub fn local_part(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'"') {
        let mut at = 1;
        loop {
            match text.get(at)? {
                b'"' => return Some(at + 1),
                b'\\' => {
                    let quoted = *text.get(at + 1)?;
                    if !(32..=126).contains(&quoted) {
                        return None;
                    }
                    at += 2;
                }
                octet if is_control(*octet) => return None,
                _ => at += 1,
            }
        }
    }
    let end = text
        .iter()
        .position(|&b| b != b'.' && !is_atext(b))
        .unwrap_or(text.len());
    let atoms = text[..end].split(|&b| b == b'.');
    (end > 0 && atoms.into_iter().all(|atom| !atom.is_empty())).then_some(end)
}

/// Where the domain or address literal at the beginning ends.
pub fn domain(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'[') {
        let end = text.iter().position(|&b| b == b']')?;
        return is_literal(&text[1..end]).then_some(end + 1);
    }
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b >= 128 || b"-_.".contains(&b);
    let end = text.iter().position(|&b| !in_name(b)).unwrap_or(text.len());
    let labels = text[..end].split(|&b| b == b'.');
    let good = |label: &[u8]| {
        (1..=63).contains(&label.len()) && label[0] != b'-' && label[label.len() - 1] != b'-'
    };
    (end <= 255 && labels.into_iter().all(good)).then_some(end)
}

fn is_literal(inside: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(inside) else {
        return false;
    };
    match text.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("ipv6:") => {
            // Numbers of an IPv4 part may begin with zeros here, but not in the library.
            let mut address = text[5..].to_owned();
            if let Some(at) = address.rfind(':')
                && let Some(ipv4) = ipv4(&address[at + 1..])
            {
                address = format!("{}{ipv4}", &address[..=at]);
            }
            address.parse::<Ipv6Addr>().is_ok()
        }
        _ => ipv4(text).is_some(),
    }
}

fn ipv4(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('.').collect();
    let numbers: Option<Vec<String>> = parts
        .iter()
        .map(|part| {
            let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            let number: u16 = digits.then(|| part.parse().ok())??;
            (number <= 255).then(|| number.to_string())
        })
        .collect();
    numbers
        .filter(|numbers| numbers.len() == 4)
        .map(|numbers| numbers.join("."))
}

/// `Mailbox` of RFC 5321, section 4.1.2, at most 254 octets: where the `@` is.
pub fn mailbox(text: &str) -> Option<usize> {
    let octets = text.as_bytes();
    if octets.len() > 254 || octets.iter().any(|&b| is_control(b)) {
        return None;
    }
    let at = local_part(octets)?;
    (octets.get(at) == Some(&b'@') && domain(&octets[at + 1..]) == Some(octets.len() - at - 1))
        .then_some(at)
}

/// A path with its brackets at the beginning: the address without source route, and where the path ends.
pub fn path(text: &[u8]) -> Option<(&str, usize)> {
    let mut at = 1;
    if text.first() != Some(&b'<') {
        return None;
    }
    let routed = text.get(1) == Some(&b'@');
    if routed {
        loop {
            if text.get(at) != Some(&b'@') {
                return None;
            }
            at += 1;
            at += domain(text.get(at..)?)?;
            let next = *text.get(at)?;
            at += 1;
            match next {
                b',' => {}
                b':' => break,
                _ => return None,
            }
        }
    }
    let start = at;
    let postmaster = text.get(at..at + 11);
    if !routed && text.get(at) == Some(&b'>') {
        // Empty.
    } else if !routed && postmaster.is_some_and(|it| it.eq_ignore_ascii_case(b"postmaster>")) {
        at += 10;
    } else {
        at += local_part(text.get(at..)?)?;
        if text.get(at) != Some(&b'@') {
            return None;
        }
        at += 1;
        at += domain(text.get(at..)?)?;
    }
    let address = std::str::from_utf8(text.get(start..at)?).ok()?;
    (text.get(at) == Some(&b'>') && at < 256).then_some((address, at + 1))
}

/// Whether an original recipient of this type may be written so: in xtext that stands for ASCII, or of the type
/// `utf-8` and with UTF-8 as it is.
pub fn original_recipient(kind: &str, address: &str) -> bool {
    let mut rest = address.to_string();
    if kind.eq_ignore_ascii_case("utf-8") {
        rest.retain(|c| c.is_ascii());
        // An escape is whole before what is left out.
        if address
            .split(|c: char| !c.is_ascii())
            .any(|part| xtext(part).is_none())
        {
            return false;
        }
    }
    xtext(&rest).is_some_and(|it| it.is_ascii())
}

/// `xtext` of RFC 3461, section 4: what it stands for, if that has no control character.
pub fn xtext(text: &str) -> Option<Vec<u8>> {
    if text.len() > 500 {
        return None;
    }
    let octets = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < octets.len() {
        match octets[at] {
            b'+' => {
                let hex = text.get(at + 1..at + 3)?;
                if hex.bytes().any(|b| !b"0123456789ABCDEF".contains(&b)) {
                    return None;
                }
                let octet = u8::from_str_radix(hex, 16).ok()?;
                if is_control(octet) {
                    return None;
                }
                decoded.push(octet);
                at += 3;
            }
            octet @ 33..=126 if octet != b'=' => {
                decoded.push(octet);
                at += 1;
            }
            _ => return None,
        }
    }
    Some(decoded)
}

/// Base64 (RFC 4648, section 4), strict.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let body: &[u8] = match text {
        [body @ .., b'=', b'='] | [body @ .., b'='] => body,
        body => body,
    };
    let mut bits = Vec::new();
    for symbol in body {
        let value = ALPHABET.iter().position(|b| b == symbol)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let whole = bits.len() / 8 * 8;
    if bits[whole..].iter().any(|&bit| bit == 1) {
        return None;
    }
    Some(
        bits[..whole]
            .chunks(8)
            .map(|octet| octet.iter().fold(0, |sum, bit| sum << 1 | *bit as u8))
            .collect(),
    )
}

/// Base64 of these octets.
pub fn to_base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in octets.chunks(3) {
        let sum = (0..3).fold(0_u32, |sum, at| {
            sum << 8 | u32::from(three.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            if at > three.len() {
                text.push('=');
            } else {
                text.push(ALPHABET[(sum >> (18 - 6 * at) & 63) as usize] as char);
            }
        }
    }
    text
}

/// Text with CR LF for every CR LF, CR and LF.
pub fn crlf(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\r' if text.get(at + 1) == Some(&b'\n') => {
                lines.extend_from_slice(b"\r\n");
                at += 1;
            }
            b'\r' | b'\n' => lines.extend_from_slice(b"\r\n"),
            octet => lines.push(octet),
        }
        at += 1;
    }
    lines
}

/// Whether a CR or LF stands alone.
pub fn has_bare(text: &[u8]) -> bool {
    (0..text.len()).any(|at| match text[at] {
        b'\r' => text.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || text[at - 1] != b'\r',
        _ => false,
    })
}
