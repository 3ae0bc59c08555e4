//! Reads choices off the front of the fuzzer's octets.

use sansmtp::wire::window::Window;

/// Octets that choices are read from; what is missing counts as 0.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Choices from these octets.
    pub fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The next octet.
    pub fn octet(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    /// The next two octets.
    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.octet(), self.octet()])
    }

    /// The octets up to this one, which is taken out; all if it does not come.
    pub fn until(&mut self, end: u8) -> &'a [u8] {
        let at = self.0.iter().position(|&b| b == end);
        let (taken, rest) = self.0.split_at(at.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        taken
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Cuts octets into pieces whose sizes come round and round from a seed.
pub fn pieces(octets: &[u8], seed: u16) -> impl Iterator<Item = &[u8]> {
    let mut rest = octets;
    let mut state = u32::from(seed).wrapping_mul(0x9e37_79b9) | 1;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let size = match seed % 4 {
            0 => rest.len(),
            1 => 1,
            _ => 1 + state as usize % 7,
        };
        let (piece, tail) = rest.split_at(size.min(rest.len()));
        rest = tail;
        Some(piece)
    })
}

/// All that is rendered, after a look at whether smaller windows show the same.
pub fn rendered(render: impl Fn(&mut Window<'_>)) -> Vec<u8> {
    let mut whole = vec![0; 1 << 14];
    let mut window = Window::new(0, &mut whole);
    render(&mut window);
    let (length, finished) = (window.written(), window.finished());
    assert!(finished, "more than 16 KiB were rendered");
    whole.truncate(length);
    // Each window renders the whole again, so small ones are for short texts.
    let rooms: &[usize] = if whole.len() <= 100 { &[1, 7] } else { &[64] };
    for &room in rooms {
        let mut got = Vec::new();
        loop {
            let mut out = vec![0; room];
            let mut window = Window::new(got.len(), &mut out);
            render(&mut window);
            let (written, finished) = (window.written(), window.finished());
            got.extend_from_slice(&out[..written]);
            if finished {
                break;
            }
        }
        assert_eq!(got, whole, "a window of {room} shows something else");
    }
    whole
}
