//! Searching text and octets. The patterns of `str`, and some methods of slices,
//! need more code than firmware should carry, and link a panic path.

/// Whether the text has this ASCII character.
pub(crate) fn has(text: &str, ascii: u8) -> bool {
    text.bytes().any(|b| b == ascii)
}

/// What stands before and after the last of this ASCII character.
pub(crate) fn split_last(text: &str, ascii: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|b| b == ascii)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands before and after the first of this ASCII character.
pub(crate) fn split_first(text: &str, ascii: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|b| b == ascii)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The input without this octet at its start, if it is there.
pub(crate) fn strip(input: &[u8], octet: u8) -> Option<&[u8]> {
    match input.split_first() {
        Some((&first, rest)) if first == octet => Some(rest),
        _ => None,
    }
}

/// The text without this ASCII character at its start, if it is there.
pub(crate) fn strip_first(text: &str, ascii: u8) -> Option<&str> {
    match text.as_bytes().first() {
        Some(&b) if b == ascii => text.get(1..),
        _ => None,
    }
}

/// The text without this ASCII character at its end, if it is there.
pub(crate) fn strip_last(text: &str, ascii: u8) -> Option<&str> {
    match text.as_bytes() {
        [rest @ .., b] if *b == ascii => text.get(..rest.len()),
        _ => None,
    }
}

/// The text without spaces and tabs at its start.
pub(crate) fn trim_start(mut text: &str) -> &str {
    while let [b' ' | b'\t', ..] = text.as_bytes() {
        text = text.get(1..).unwrap_or_default();
    }
    text
}

/// The text without spaces and tabs at its start and end.
pub(crate) fn trim(text: &str) -> &str {
    let mut text = trim_start(text);
    while let [rest @ .., b' ' | b'\t'] = text.as_bytes() {
        text = text.get(..rest.len()).unwrap_or_default();
    }
    text
}

/// Whether all of the text is ASCII.
pub(crate) fn is_ascii(text: &str) -> bool {
    text.bytes().all(|b| b < 128)
}
