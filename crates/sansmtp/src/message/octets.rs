//! Searching text octet by octet. The patterns of `str` decode characters and
//! need more code, and some of them a panic path, than firmware should carry.

pub(super) use crate::octets::split_last;

/// Whether the text has this ASCII character.
pub(super) fn has(text: &str, ascii: u8) -> bool {
    text.bytes().any(|b| b == ascii)
}

/// The text without this ASCII character at its end, if it is there.
pub(super) fn strip_last(text: &str, ascii: u8) -> Option<&str> {
    match text.as_bytes() {
        [rest @ .., b] if *b == ascii => text.get(..rest.len()),
        _ => None,
    }
}

/// The text without spaces and tabs at its start.
pub(super) fn trim_start(mut text: &str) -> &str {
    while let [b' ' | b'\t', ..] = text.as_bytes() {
        text = text.get(1..).unwrap_or_default();
    }
    text
}

/// The text without spaces and tabs at its start and end.
pub(super) fn trim(text: &str) -> &str {
    let mut text = trim_start(text);
    while let [rest @ .., b' ' | b'\t'] = text.as_bytes() {
        text = text.get(..rest.len()).unwrap_or_default();
    }
    text
}

/// Whether all of the text is ASCII.
pub(super) fn is_ascii(text: &str) -> bool {
    text.bytes().all(|b| b < 128)
}
