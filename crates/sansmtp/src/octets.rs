//! Searching text and octets. The patterns of `str`, and some methods of slices,
//! need more code than firmware should carry, and link a panic path.

/// What stands before and after the last of this ASCII character.
pub(crate) fn split_last(text: &str, ascii: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|b| b == ascii)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands before and after the first of this ASCII character.
pub(crate) fn split_first(text: &str, ascii: u8) -> Option<(&str, &str)> {
    let at = position(text.as_bytes(), ascii)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The input without this octet at its start, if it is there.
pub(crate) fn strip(input: &[u8], octet: u8) -> Option<&[u8]> {
    match input.split_first() {
        Some((&first, rest)) if first == octet => Some(rest),
        _ => None,
    }
}

/// Whether no octet is above 127. What `str` has for this takes more flash.
pub(crate) fn is_ascii(text: &str) -> bool {
    if cfg!(feature = "memchr") {
        return text.is_ascii();
    }
    text.bytes().all(|octet| octet < 0x80)
}

/// Numbers of one to three digits, at most three of them with dots between, at the
/// front of `input`. They come as one number, ten bits for each, with the count of
/// octets that they take. It is 0 if there is no number where one should be.
#[cfg_attr(not(feature = "memchr"), inline(never))]
pub(crate) fn dotted(input: &[u8]) -> (u32, usize) {
    let (mut numbers, mut digits, mut dots, mut used) = (0_u32, 0_u8, 0_u8, 0_usize);
    for octet in input {
        let digit = u32::from(octet.wrapping_sub(b'0'));
        if digit < 10 && digits < 3 {
            let last = numbers & 0x3ff;
            numbers = numbers
                .wrapping_add(last.wrapping_mul(9))
                .wrapping_add(digit);
            digits = digits.wrapping_add(1);
        } else if *octet == b'.' && digits > 0 && dots < 2 {
            numbers <<= 10;
            (digits, dots) = (0, dots.wrapping_add(1));
        } else {
            break;
        }
        used = used.wrapping_add(1);
    }
    (if digits > 0 { numbers } else { 0 }, used)
}

/// Whether `word` is this name, in any case.
pub(crate) fn is_name(name: &str, word: &[u8]) -> bool {
    let name = name.as_bytes();
    // Most names come as they are written here; where flash counts more than speed, one
    // comparison does.
    let same = || cfg!(feature = "memchr") && is_same(name, word);
    name.len() == word.len() && (same() || name.eq_ignore_ascii_case(word))
}

/// Whether two short inputs of the same length surely are the same, by two words each that
/// may overlap.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    fn ends<const N: usize>(one: &[u8], other: &[u8]) -> bool {
        one.first_chunk::<N>() == other.first_chunk() && one.last_chunk::<N>() == other.last_chunk()
    }
    match one.len() {
        4..=8 => ends::<4>(one, other),
        9..=16 => ends::<8>(one, other),
        _ => one == other,
    }
}

/// Where the first of this octet is.
pub(crate) fn position(input: &[u8], octet: u8) -> Option<usize> {
    #[cfg(feature = "memchr")]
    return memchr::memchr(octet, input);
    #[cfg(not(feature = "memchr"))]
    input.iter().position(|&b| b == octet)
}

/// Where the first CR or LF is.
pub(crate) fn line_end(input: &[u8]) -> Option<usize> {
    #[cfg(feature = "memchr")]
    if let Some((near, far)) = input.split_at_checked(40) {
        return words::find::<b'\r', b'\n'>(near)
            .or_else(|| Some(far_line_end(far)?.saturating_add(near.len())));
    }
    first::<b'\r', b'\n'>(input)
}

/// The same, if it is expected to be far.
#[cfg(feature = "memchr")]
pub(crate) fn far_line_end(input: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\r', b'\n', input)
}

/// Where the first of two octets is, in a short input.
pub(crate) fn first<const A: u8, const B: u8>(input: &[u8]) -> Option<usize> {
    #[cfg(feature = "memchr")]
    return words::find::<A, B>(input);
    #[cfg(not(feature = "memchr"))]
    input.iter().position(|&b| b == A || b == B)
}

/// Searching by words of eight octets: faster in short inputs than to call a function
/// that uses vectors.
#[cfg(feature = "memchr")]
pub(crate) mod words {
    const EACH: u64 = u64::from_le_bytes([1; 8]);

    /// Where the first of two octets below 128 is in a word.
    #[inline(always)]
    pub(crate) fn find_in<const A: u8, const B: u8>(word: &[u8; 8]) -> Option<usize> {
        let word = u64::from_le_bytes(*word);
        // Most words have no octet that is so small.
        let limit = EACH * if A > B { A as u64 + 1 } else { B as u64 + 1 };
        if word.wrapping_sub(limit) & !word & (EACH << 7) == 0 {
            return None;
        }
        let found = zeros(word ^ (EACH * A as u64)) | zeros(word ^ (EACH * B as u64));
        (found != 0).then_some(found.trailing_zeros() as usize / 8)
    }

    /// Marks the first octet that is zero, perhaps also others behind it.
    #[inline(always)]
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(EACH) & !word & (EACH << 7)
    }

    pub(super) fn find<const A: u8, const B: u8>(input: &[u8]) -> Option<usize> {
        let mut before = 0_usize;
        for word in input.as_chunks().0 {
            if let Some(at) = find_in::<A, B>(word) {
                return Some(before.wrapping_add(at));
            }
            before = before.wrapping_add(8);
        }
        if before == input.len() {
            return None;
        }
        // The last eight octets; those looked at before have it not.
        if let Some(word) = input.last_chunk() {
            let at = find_in::<A, B>(word)?;
            return Some(input.len().wrapping_sub(8).wrapping_add(at));
        }
        input.iter().position(|&b| b == A || b == B)
    }
}

/// Copies as much as fits, and returns how much that is.
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    count
}

/// Whether all may stand in a command line: no control character but the tab.
pub(crate) fn is_text(octets: &[u8]) -> bool {
    let is_text = |octet: &u8| !octet.is_ascii_control() | (*octet == b'\t');
    let (vectors, rest) = octets.as_chunks::<16>();
    // Without a branch for each octet, so that vector instructions do it.
    let whole = |vector: &[u8; 16]| vector.iter().fold(true, |all, octet| all & is_text(octet));
    vectors.iter().all(whole) && rest.iter().all(is_text)
}

/// Kinds of octets, as a grammar names them: a value is a set of kinds.
#[derive(Clone, Copy)]
pub(crate) struct OctetKind(u8);

impl OctetKind {
    /// `atext` (RFC 5322, section 3.2.3), and UTF-8 of RFC 6531.
    pub(crate) const ATEXT: Self = Self(1);
    /// Letters, digits and hyphen, and what stands in domains besides: the underscore and
    /// UTF-8.
    pub(crate) const LDH: Self = Self(2);
    /// `qtextSMTP` (RFC 5321, section 4.1.2), and UTF-8.
    pub(crate) const QTEXT: Self = Self(4);
    /// `esmtp-keyword` (RFC 5321, section 4.1.2): letters, digits and hyphen.
    pub(crate) const KEYWORD: Self = Self(8);
    /// `esmtp-value` (RFC 5321, section 4.1.2), and UTF-8.
    pub(crate) const VALUE: Self = Self(16);
    /// Printable ASCII without the space.
    pub(crate) const GRAPHIC: Self = Self(32);
    /// `token` of RFC 2045, section 5.1.
    #[cfg(feature = "message-text")]
    pub(crate) const TOKEN: Self = Self(64);
    /// What a Q word of a phrase has as it is (RFC 2047, section 5 (3)).
    #[cfg(feature = "message-text")]
    pub(crate) const Q_WORD: Self = Self(128);

    /// Whether the octet is of this kind.
    #[inline]
    pub(crate) const fn has(self, octet: u8) -> bool {
        KINDS[octet as usize] & self.0 != 0
    }

    /// Whether all are.
    pub(crate) fn all(self, octets: &[u8]) -> bool {
        octets.iter().all(|octet| self.has(*octet))
    }

    /// How many octets of this kind `input` begins with.
    #[inline]
    pub(crate) fn span(self, input: &[u8]) -> usize {
        let end = input.iter().position(|octet| !self.has(*octet));
        end.unwrap_or(input.len())
    }
}

/// The kinds of each octet.
static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut at = 0;
    while at < 256 {
        let octet = at as u8;
        let utf8 = octet >= 0x80;
        let alphanumeric = octet.is_ascii_alphanumeric();
        let members = [
            (
                OctetKind::ATEXT,
                utf8 || alphanumeric || is_among(octet, ATEXT_SPECIALS),
            ),
            (
                OctetKind::LDH,
                utf8 || alphanumeric || octet == b'-' || octet == b'_',
            ),
            (
                OctetKind::QTEXT,
                matches!(octet, 32..=33 | 35..=91 | 93..=126 | 0x80..),
            ),
            (OctetKind::KEYWORD, alphanumeric || octet == b'-'),
            (
                OctetKind::VALUE,
                matches!(octet, b'!'..=b'<' | b'>'..=b'~' | 0x80..),
            ),
            (OctetKind::GRAPHIC, octet.is_ascii_graphic()),
            #[cfg(feature = "message-text")]
            (
                OctetKind::TOKEN,
                octet.is_ascii_graphic() && !is_among(octet, TSPECIALS),
            ),
            #[cfg(feature = "message-text")]
            (OctetKind::Q_WORD, alphanumeric || is_among(octet, b"!*+-/")),
        ];
        let mut member = 0;
        while member < members.len() {
            if members[member].1 {
                kinds[at] |= members[member].0.0;
            }
            member += 1;
        }
        at += 1;
    }
    kinds
};

const fn is_among(octet: u8, set: &[u8]) -> bool {
    let mut at = 0;
    while at < set.len() && set[at] != octet {
        at += 1;
    }
    at < set.len()
}

const ATEXT_SPECIALS: &[u8] = b"!#$%&'*+-/=?^_`{|}~";
#[cfg(feature = "message-text")]
const TSPECIALS: &[u8] = b"()<>@,;:\\\"/[]?=";
