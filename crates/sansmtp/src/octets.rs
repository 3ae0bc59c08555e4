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

/// Takes a number of one to `most` digits from the front of `input`; `most` is at
/// most 4.
pub(crate) fn number(input: &mut &[u8], most: usize) -> Option<u16> {
    let mut value = None;
    for _ in 0..most {
        let Some((&digit @ b'0'..=b'9', rest)) = input.split_first() else {
            break;
        };
        let digit = u16::from(digit.wrapping_sub(b'0'));
        value = Some(value.unwrap_or(0_u16).wrapping_mul(10).wrapping_add(digit));
        *input = rest;
    }
    value
}
