//! How far text goes on that passes as it is: its lines end with CR LF, and no CR
//! or LF stands alone.

use crate::octets;

/// How many octets `text` begins with that pass as they are, at least one.
///
/// `text` must not begin with CR or LF. With `DOTS` no line behind its first begins
/// with a dot. It may end anywhere in a line, also between CR and LF. It may end
/// sooner than it would have to.
pub(super) fn plain<const DOTS: bool>(text: &[u8]) -> usize {
    #[cfg(feature = "memchr")]
    {
        let near = text
            .first_chunk()
            .and_then(octets::words::find_in::<b'\r', b'\n'>);
        if near.is_none()
            && text.len() >= vectors::WORTHWHILE
            && let Some(length) = vectors::plain::<DOTS>(text)
        {
            return to_line_end(text, length);
        }
        with_crlf(text, near.or_else(|| octets::line_end(text)))
    }
    #[cfg(not(feature = "memchr"))]
    octets::line_end(text).unwrap_or(text.len())
}

/// The first line with its CR LF, or what is before a CR or LF that stands alone, if
/// it is known where the first CR or LF is.
#[cfg(feature = "memchr")]
fn with_crlf(text: &[u8], end: Option<usize>) -> usize {
    let end = end.unwrap_or(text.len());
    match text.get(end..) {
        Some([b'\r', b'\n', ..]) => end.wrapping_add(2),
        _ => end,
    }
}

/// From within a line to its end, so that what passes ends there.
#[cfg(feature = "memchr")]
fn to_line_end(text: &[u8], length: usize) -> usize {
    match text.split_at_checked(length) {
        Some(([.., b'\n'], _)) | None => length,
        Some((_, rest)) => length.wrapping_add(with_crlf(rest, octets::line_end(rest))),
    }
}

/// Loops over arrays, which the compiler turns into vector instructions.
#[cfg(feature = "memchr")]
mod vectors {
    use crate::octets;

    /// What fits into a vector of every target that has them.
    type Vector = [u8; 16];

    /// What is shorter than this is not worth the effort.
    pub(super) const WORTHWHILE: usize = 48;

    /// What is shorter is not searched for lines of one width.
    const LARGE: usize = 2048;

    /// `None` if less than a block passes.
    #[inline(never)]
    pub(super) fn plain<const DOTS: bool>(text: &[u8]) -> Option<usize> {
        lines_of_one_width::<DOTS>(text).or_else(|| any_lines::<DOTS>(text))
    }

    /// Lines that are as long as the second, as in base64: there nothing has to be
    /// searched for, only looked at. `None` if they are too few.
    fn lines_of_one_width<const DOTS: bool>(text: &[u8]) -> Option<usize> {
        if text.len() < LARGE {
            return None;
        }
        let first = octets::far_line_end(text)?;
        let Some([b'\r', b'\n', rest @ ..]) = text.get(first..) else {
            return None;
        };
        // Mostly it begins with a whole line, or with one whose dot was taken off.
        let width = [first, first.wrapping_add(1)]
            .into_iter()
            .find(|width| matches!(rest.get(*width..), Some([b'\r', b'\n', ..])))
            .or_else(|| octets::far_line_end(rest))?;
        let lines = match width / 16 {
            1 => equal_lines::<1, DOTS>(rest, width),
            2 => equal_lines::<2, DOTS>(rest, width),
            3 => equal_lines::<3, DOTS>(rest, width),
            4 => equal_lines::<4, DOTS>(rest, width),
            5 => equal_lines::<5, DOTS>(rest, width),
            6 => equal_lines::<6, DOTS>(rest, width),
            _ => return None,
        };
        (lines >= 4 * width).then(|| text.len().wrapping_sub(rest.len()).wrapping_add(lines))
    }

    /// How long the lines of this width at the beginning are together. `VECTORS` are
    /// whole in a line.
    fn equal_lines<const VECTORS: usize, const DOTS: bool>(text: &[u8], width: usize) -> usize {
        let mut length = 0_usize;
        for line in text.chunks_exact(width.saturating_add(2)) {
            let Some((line, end)) = line.split_last_chunk() else {
                break;
            };
            let (Some(vectors), Some(last)) = (
                line.as_chunks().0.first_chunk::<VECTORS>(),
                line.last_chunk(),
            ) else {
                break;
            };
            if u16::from_le_bytes(*end) != CR_LF || !is_line::<VECTORS, DOTS>(vectors, last) {
                break;
            }
            length = length.wrapping_add(width).wrapping_add(2);
        }
        length
    }

    const CR_LF: u16 = u16::from_le_bytes(*b"\r\n");

    /// A dot in front.
    const DOT: Vector = [b'.', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// Whether no octet is CR, LF or less, and the first no dot.
    #[inline(always)]
    fn is_line<const VECTORS: usize, const DOTS: bool>(
        vectors: &[Vector; VECTORS],
        last: &Vector,
    ) -> bool {
        let mut least = *last;
        for vector in vectors {
            for (least, octet) in least.iter_mut().zip(vector) {
                *least = (*least).min(*octet);
            }
        }
        let [first, ..] = vectors.as_slice() else {
            return false;
        };
        let mut good = true;
        for ((least, first), dot) in least.iter().zip(first).zip(&DOT) {
            // As signed numbers, which costs less; those above 127 are then looked at
            // elsewhere.
            good &= (*least as i8 > b'\r' as i8) & (!DOTS | (first != dot));
        }
        good
    }

    /// `None` if less than a block passes. It goes on for some 64 KiB only: behind a header
    /// lines of one width may have begun.
    fn any_lines<const DOTS: bool>(text: &[u8]) -> Option<usize> {
        let mut length = blocks::<32, DOTS>(text, 0, 1);
        if length > 0 {
            length = blocks::<256, DOTS>(text, length, 256);
            length = blocks::<32, DOTS>(text, length, 8);
        }
        (length > 0).then_some(length)
    }

    /// Goes on from `length` by blocks that pass, at most by so many.
    fn blocks<const SIZE: usize, const DOTS: bool>(
        text: &[u8],
        mut length: usize,
        most: usize,
    ) -> usize {
        let mut left = most;
        while left > 0 && text.get(length..).is_some_and(passes::<SIZE, DOTS>) {
            length = length.wrapping_add(SIZE);
            left = left.wrapping_sub(1);
        }
        length
    }

    /// Whether all is well with the line ends that begin in the next `SIZE` octets,
    /// with what is right before and behind them.
    #[inline(always)]
    fn passes<const SIZE: usize, const DOTS: bool>(text: &[u8]) -> bool {
        let [Some(first), Some(second), Some(third)] =
            [0, 1, 2].map(|from| text.get(from..).and_then(<[u8]>::first_chunk::<SIZE>))
        else {
            return false;
        };
        let mut odd = false;
        for ((a, b), c) in first.iter().zip(second).zip(third) {
            let (cr, lf, dot) = (*a == b'\r', *b == b'\n', *c == b'.');
            odd |= (cr != lf) | (DOTS & lf & dot);
        }
        !odd
    }
}
