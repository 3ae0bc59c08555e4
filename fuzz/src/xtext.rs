//! xtext and original recipients: a naive decoder agrees, and what is decoded can be encoded again.

use crate::naive;
use sansmtp::wire::param::{Orcpt, Xtext};

/// Checks one text.
pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check_text(text);
    }
    // Any printable octets can be said in xtext.
    let plain: Vec<u8> = data
        .iter()
        .copied()
        .filter(|b| *b >= 32 && *b != 127)
        .collect();
    let encoded: String = plain
        .iter()
        .map(|&b| match b {
            33..=126 if b != b'+' && b != b'=' => (b as char).to_string(),
            _ => format!("+{b:02X}"),
        })
        .collect();
    let parsed = Xtext::parse(&encoded);
    assert_eq!(parsed.is_some(), encoded.len() <= 500);
    if let Some(parsed) = parsed {
        assert_eq!(parsed.decoded().collect::<Vec<u8>>(), plain);
    }
}

fn check_text(text: &str) {
    let expected = naive::xtext(text);
    let parsed = Xtext::parse(text);
    assert_eq!(parsed.is_some(), expected.is_some(), "{text:?}");
    if let (Some(parsed), Some(expected)) = (parsed, expected) {
        assert_eq!(parsed.as_str(), text);
        assert_eq!(parsed.decoded().collect::<Vec<u8>>(), expected);
    }
    let orcpt = text.split_once(';').filter(|(kind, address)| {
        let atom = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !kind.is_empty()
            && kind.bytes().all(atom)
            && !address.is_empty()
            && text.len() <= 500
            && naive::xtext(address).is_some()
    });
    let parsed = Orcpt::parse(text);
    let parts = parsed.map(|it| (it.addr_type(), it.address().as_str()));
    assert_eq!(parts, orcpt, "{text:?}");
}
