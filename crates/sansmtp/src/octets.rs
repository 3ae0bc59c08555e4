//! Searching text and octets. The patterns of `str`, and some methods of slices,
//! need more code than firmware should carry, and link a panic path.

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
