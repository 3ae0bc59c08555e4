//! xtext and original recipients: a naive decoder agrees, and what is decoded can be encoded again.

use crate::naive;
use sansmtp::wire::param::{Orcpt, Xtext};

/// Checks one text.
pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check_text(text);
    }
    // Any printable ASCII can be said in xtext, and nothing else.
    let plain: Vec<u8> = data
        .iter()
        .copied()
        .filter(|b| matches!(b, b' '..=b'~'))
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
    let text = String::from_utf8(plain.clone()).expect("ASCII");
    let mut buffer = [0; 500];
    assert_eq!(Xtext::encode(&text, &mut buffer), parsed);
    if let Some(parsed) = parsed {
        assert_eq!(parsed.decoded().collect::<Vec<u8>>(), plain);
    }
}

fn check_text(text: &str) {
    let mut buffer = [0; 500];
    let encoded = Xtext::encode(text, &mut buffer);
    assert!(encoded.is_none() || text.bytes().all(|b| matches!(b, b' '..=b'~')));
    let expected = naive::xtext(text).filter(|it| it.is_ascii());
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
            && naive::original_recipient(kind, address)
    });
    let parsed = Orcpt::parse(text);
    let parts = parsed.map(|it| (it.addr_type(), it.address().as_str()));
    assert_eq!(parts, orcpt, "{text:?}");
}
