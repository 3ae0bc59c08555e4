//! A resumable writer: renders a value again and again, and lets through only
//! the part that was not emitted yet.

use crate::octets;

/// A window onto the rendered form of a value.
///
/// The first `skip` bytes that are put are dropped, since an earlier call
/// emitted them; what follows goes to `out` until that is full. A caller keeps
/// only the count of emitted bytes between two calls, no output buffer.
#[derive(Debug)]
pub struct Window<'o> {
    skip: usize,
    out: &'o mut [u8],
    written: usize,
    cut: bool,
}

impl<'o> Window<'o> {
    /// A window that drops the first `skip` bytes and fills `out` with the rest.
    pub fn new(skip: usize, out: &'o mut [u8]) -> Self {
        Self {
            skip,
            out,
            written: 0,
            cut: false,
        }
    }

    /// Renders `bytes` next.
    #[cfg_attr(not(feature = "memchr"), inline(never))]
    #[cfg_attr(feature = "memchr", inline)]
    pub fn put(&mut self, bytes: &[u8]) {
        if !cfg!(feature = "memchr") {
            // The least code.
            for &octet in bytes {
                if let Some(less) = self.skip.checked_sub(1) {
                    self.skip = less;
                } else if let Some(slot) = self.out.get_mut(self.written) {
                    *slot = octet;
                    self.written = self.written.wrapping_add(1);
                } else {
                    self.cut = true;
                }
            }
            return;
        }
        // Nearly always: all of it, at once.
        if self.skip == 0
            && let Some(end) = self.written.checked_add(bytes.len())
            && let Some(room) = self.out.get_mut(self.written..end)
        {
            octets::copy(bytes, room);
            self.written = end;
            return;
        }
        self.put_part(bytes);
    }

    /// What was put before is still to be dropped, or not all fits.
    #[cold]
    fn put_part(&mut self, bytes: &[u8]) {
        let Some(fresh) = bytes.get(self.skip..) else {
            self.skip = self.skip.wrapping_sub(bytes.len());
            return;
        };
        self.skip = 0;
        let room = self.out.get_mut(self.written..).unwrap_or_default();
        let count = octets::copy(fresh, room);
        self.written = self.written.wrapping_add(count);
        self.cut |= count < fresh.len();
    }

    /// Renders `value` in decimal digits, with less code than
    /// [`Window::put_decimal`].
    pub(crate) fn put_number(&mut self, mut value: u32) {
        let mut digits = [0; 10];
        let mut start = digits.len();
        for digit in digits.iter_mut().rev() {
            *digit = b'0'.wrapping_add((value % 10) as u8);
            value /= 10;
            start = start.wrapping_sub(1);
            if value == 0 {
                break;
            }
        }
        self.put(digits.get(start..).unwrap_or_default());
    }

    /// Renders `value` in decimal digits.
    pub fn put_decimal(&mut self, mut value: u64) {
        if value < 1000 {
            let mut digits = Few::default();
            digits.push_number(value as u16);
            return self.put(digits.octets());
        }
        // Subtraction instead of division: a 64-bit division costs flash.
        let mut started = false;
        for power in POWERS_OF_TEN {
            let mut digit = b'0';
            while value >= power {
                value = value.wrapping_sub(power);
                digit = digit.wrapping_add(1);
            }
            started |= digit != b'0';
            if started {
                self.put(&[digit]);
            }
        }
    }

    /// How many bytes went into the output slice so far.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Whether all that was put has been emitted, by this call or earlier ones.
    pub fn finished(&self) -> bool {
        !self.cut
    }
}

/// A few octets, at most 16, that are put together before they are rendered.
#[derive(Default)]
pub(crate) struct Few {
    octets: [u8; 16],
    length: usize,
}

impl Few {
    pub(crate) fn push(&mut self, octet: u8) {
        if let Some(slot) = self.octets.get_mut(self.length) {
            *slot = octet;
            self.length = self.length.wrapping_add(1);
        }
    }

    /// Several at once.
    pub(crate) fn push_all<const N: usize>(&mut self, octets: [u8; N]) {
        if let Some(slot) = self
            .octets
            .get_mut(self.length..)
            .and_then(<[u8]>::first_chunk_mut)
        {
            *slot = octets;
            self.length = self.length.wrapping_add(N);
        }
    }

    /// A number below 1,000.
    #[inline]
    pub(crate) fn push_number(&mut self, number: u16) {
        if number >= 100 {
            self.push(digit(number / 100));
        }
        if number >= 10 {
            self.push(digit(number / 10));
        }
        self.push(digit(number));
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

/// The last digit.
pub(crate) const fn digit(number: u16) -> u8 {
    (number % 10) as u8 | b'0'
}

/// Shows a number without the machinery of formatting, which costs flash.
pub(crate) fn show_decimal(value: u64, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
    let mut digits = [0; 20];
    let mut window = Window::new(0, &mut digits);
    window.put_decimal(value);
    let written = window.written();
    let digits = digits.get(..written).unwrap_or_default();
    f.write_str(core::str::from_utf8(digits).unwrap_or_default())
}

/// From the largest that fits into 64 bits down to one.
const POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 19;
    while at > 0 {
        powers[at - 1] = powers[at] * 10;
        at -= 1;
    }
    powers
};

#[cfg(test)]
mod tests {
    use super::*;

    fn render(skip: usize, room: usize, pieces: &[&str]) -> (std::vec::Vec<u8>, bool) {
        let mut out = std::vec![0; room];
        let mut window = Window::new(skip, &mut out);
        for piece in pieces {
            window.put(piece.as_bytes());
        }
        let (written, finished) = (window.written(), window.finished());
        out.truncate(written);
        (out, finished)
    }

    #[test]
    fn any_cut_gives_the_same_bytes() {
        let pieces = ["MAIL FROM:<", "", "a@example.org", ">\r\n"];
        let whole = pieces.concat();
        for room in 1..=whole.len() + 2 {
            let mut got = std::vec::Vec::new();
            loop {
                let (bytes, finished) = render(got.len(), room, &pieces);
                got.extend_from_slice(&bytes);
                if finished {
                    break;
                }
                assert_eq!(bytes.len(), room, "a cut window is full");
            }
            assert_eq!(got, whole.as_bytes(), "room {room}");
        }
    }

    #[test]
    fn decimal_numbers() {
        for value in [0, 1, 9, 10, 42, 35_882_577, u64::from(u32::MAX), u64::MAX] {
            let mut out = [0; 20];
            let mut window = Window::new(0, &mut out);
            window.put_decimal(value);
            let written = window.written();
            assert_eq!(&out[..written], std::format!("{value}").as_bytes());

            let value = value as u32;
            let mut window = Window::new(0, &mut out);
            window.put_number(value);
            let written = window.written();
            assert_eq!(&out[..written], std::format!("{value}").as_bytes());
        }
    }
}
