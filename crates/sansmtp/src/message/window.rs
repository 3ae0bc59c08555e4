//! The resumable writer: a segment is rendered anew for each output slice,
//! and the window lets only the bytes through that were not emitted yet.

/// Shows the part of a rendered segment that starts `skip` bytes in and is as
/// long as the output slice. So a segment needs no buffer of its own.
#[derive(Debug)]
pub(crate) struct Window<'o> {
    skip: usize,
    out: &'o mut [u8],
    written: usize,
    cut: bool,
}

impl<'o> Window<'o> {
    /// A window that drops the first `skip` bytes and fills `out` with the rest.
    pub(crate) fn new(skip: usize, out: &'o mut [u8]) -> Self {
        Self {
            skip,
            out,
            written: 0,
            cut: false,
        }
    }

    /// Appends bytes to the segment.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let hidden = self.skip.min(bytes.len());
        self.skip -= hidden;
        let shown = bytes.get(hidden..).unwrap_or_default();
        let room = self.out.get_mut(self.written..).unwrap_or_default();
        self.cut |= shown.len() > room.len();
        self.written += shown.len().min(room.len());
        for (to, from) in room.iter_mut().zip(shown) {
            *to = *from;
        }
    }

    /// How many bytes of the output slice are filled.
    pub(crate) fn written(&self) -> usize {
        self.written
    }

    /// Whether everything that was put has been emitted, now or earlier.
    pub(crate) fn finished(&self) -> bool {
        !self.cut
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn every_skip_and_length_shows_the_right_part() {
        let whole = b"ab\r\nlonger";
        for skip in 0..=whole.len() {
            for len in 0..=whole.len() + 1 {
                let mut out = [0; 16];
                let mut window = Window::new(skip, out.get_mut(..len).unwrap());
                window.put(b"ab");
                window.put(b"");
                window.put(b"\r\n");
                window.put(b"longer");
                let (written, finished) = (window.written(), window.finished());
                let expected = &whole[skip..whole.len().min(skip + len)];
                assert_eq!(&out[..written], expected);
                assert_eq!(finished, skip + len >= whole.len());
            }
        }
    }
}
