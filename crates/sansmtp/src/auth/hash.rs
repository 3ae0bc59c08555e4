//! Hash functions, HMAC (RFC 2104) and PBKDF2 (RFC 8018) around the compression
//! functions of RustCrypto. What those crates have around them links panic paths.

use zeroize::Zeroize;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Md5,
    Sha1,
    Sha256,
}

/// The output of a hash function; what a shorter one leaves is zero.
pub(crate) type Output = [u8; 32];

type State = [u32; 8];
type Block = [u8; 64];

impl Function {
    /// Octets of its output.
    pub(crate) const fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    const fn initial(self) -> State {
        match self {
            Self::Md5 => [
                0x6745_2301,
                0xefcd_ab89,
                0x98ba_dcfe,
                0x1032_5476,
                0,
                0,
                0,
                0,
            ],
            Self::Sha1 => [
                0x6745_2301,
                0xefcd_ab89,
                0x98ba_dcfe,
                0x1032_5476,
                0xc3d2_e1f0,
                0,
                0,
                0,
            ],
            Self::Sha256 => [
                0x6a09_e667,
                0xbb67_ae85,
                0x3c6e_f372,
                0xa54f_f53a,
                0x510e_527f,
                0x9b05_688c,
                0x1f83_d9ab,
                0x5be0_cd19,
            ],
        }
    }

    fn compress(self, state: &mut State, block: &Block) {
        let blocks = core::slice::from_ref(block);
        match self {
            Self::Md5 => {
                if let Some(state) = state.first_chunk_mut() {
                    md5::block_api::compress(state, blocks);
                }
            }
            Self::Sha1 => {
                if let Some(state) = state.first_chunk_mut() {
                    sha1::block_api::compress(state, blocks);
                }
            }
            Self::Sha256 => sha2::block_api::compress256(state, blocks),
        }
    }

    /// Writes the words that count to the beginning of `octets`.
    fn write(self, state: &State, octets: &mut [u8]) {
        let (places, _) = octets.as_chunks_mut();
        let words = self.length() >> 2;
        for (place, word) in places.iter_mut().zip(state.iter().take(words)) {
            *place = match self {
                Self::Md5 => word.to_le_bytes(),
                Self::Sha1 | Self::Sha256 => word.to_be_bytes(),
            };
        }
    }

    fn output(self, state: &State) -> Output {
        let mut output = [0; 32];
        self.write(state, &mut output);
        output
    }

    fn count(self, octets: u64) -> [u8; 8] {
        let bits = octets.wrapping_mul(8);
        match self {
            Self::Md5 => bits.to_le_bytes(),
            Self::Sha1 | Self::Sha256 => bits.to_be_bytes(),
        }
    }

    /// The hash of one text.
    pub(crate) fn hash(self, text: &[u8]) -> Output {
        let mut hasher = Hasher::new(self, self.initial(), 0);
        hasher.update(text);
        self.output(&hasher.finish())
    }
}

/// A text on its way through a hash function.
struct Hasher {
    function: Function,
    state: State,
    block: Block,
    filled: usize,
    /// Octets so far.
    length: u64,
}

impl Hasher {
    const fn new(function: Function, state: State, length: u64) -> Self {
        Self {
            function,
            state,
            block: [0; 64],
            filled: 0,
            length,
        }
    }

    fn update(&mut self, text: &[u8]) {
        for &octet in text {
            self.push(octet);
        }
        self.length = self.length.wrapping_add(text.len() as u64);
    }

    fn push(&mut self, octet: u8) {
        if let Some(place) = self.block.get_mut(self.filled) {
            *place = octet;
        }
        self.filled = self.filled.wrapping_add(1);
        if self.filled == self.block.len() {
            self.function.compress(&mut self.state, &self.block);
            self.filled = 0;
        }
    }

    fn finish(mut self) -> State {
        self.push(0x80);
        while self.filled != 56 {
            self.push(0);
        }
        for octet in self.function.count(self.length) {
            self.push(octet);
        }
        self.state
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
    }
}

/// `HMAC(key, ...)`: what follows from the key.
#[derive(Clone)]
pub(crate) struct Hmac {
    function: Function,
    inner: State,
    outer: State,
}

impl Drop for Hmac {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl Hmac {
    pub(crate) fn new(function: Function, key: &[u8]) -> Self {
        let mut block = [0; 64];
        let hashed;
        let key = match key.len() {
            0..=64 => key,
            _ => {
                hashed = function.hash(key);
                hashed.get(..function.length()).unwrap_or(&hashed)
            }
        };
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        let padded = |pad: u8| {
            let mut state = function.initial();
            let mut masked = block.map(|octet| octet ^ pad);
            function.compress(&mut state, &masked);
            masked.zeroize();
            state
        };
        let (inner, outer) = (padded(0x36), padded(0x5c));
        block.zeroize();
        Self {
            function,
            inner,
            outer,
        }
    }

    /// The code of a text that comes in pieces.
    pub(crate) fn code(&self, text: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Output {
        self.function.output(&self.begin(text))
    }

    /// PBKDF2 with one block of output: `Hi(key, salt, iterations)` of RFC 5802.
    pub(crate) fn stretch(&self, salt: &[u8], iterations: u32) -> Output {
        let mut step = self.begin(|f| {
            f(salt);
            f(&[0, 0, 0, 1]);
        });
        let mut sum = step;
        let mut block = self.block_behind();
        for _ in 1..iterations {
            let inner = self.closing(&self.inner, &step, &mut block);
            step = self.closing(&self.outer, &inner, &mut block);
            for (to, from) in sum.iter_mut().zip(step) {
                *to ^= from;
            }
        }
        step.zeroize();
        block.zeroize();
        let output = self.function.output(&sum);
        sum.zeroize();
        output
    }

    fn begin(&self, text: impl FnOnce(&mut dyn FnMut(&[u8]))) -> State {
        let mut hasher = Hasher::new(self.function, self.inner, 64);
        text(&mut |piece| hasher.update(piece));
        let inner = hasher.finish();
        self.closing(&self.outer, &inner, &mut self.block_behind())
    }

    /// The last block of a text that is one block and an output, without the latter.
    fn block_behind(&self) -> Block {
        let length = self.function.length();
        let mut block = [0; 64];
        if let Some(place) = block.get_mut(length) {
            *place = 0x80;
        }
        let count = self.function.count(64_u64.wrapping_add(length as u64));
        for (to, from) in block.iter_mut().skip(56).zip(count) {
            *to = from;
        }
        block
    }

    /// The hash of an output behind one block that led to the state `from`.
    fn closing(&self, from: &State, output: &State, block: &mut Block) -> State {
        self.function.write(output, block);
        let mut state = *from;
        self.function.compress(&mut state, block);
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;
    use std::vec;

    fn hex(function: Function, output: &Output) -> String {
        let (octets, rest) = output.split_at(function.length());
        assert!(rest.iter().all(|octet| *octet == 0));
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    #[test]
    fn hashes() {
        for (function, text, expected) in [
            (Function::Md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
            (Function::Md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
            (
                Function::Sha1,
                "abc",
                "a9993e364706816aba3e25717850c26c9cd0d89d",
            ),
            (
                Function::Sha1,
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
            (
                Function::Sha256,
                "abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ] {
            assert_eq!(hex(function, &function.hash(text.as_bytes())), expected);
        }
    }

    /// RFC 2202 and RFC 4231.
    #[test]
    fn authentication_codes() {
        let long = [0xaa; 131];
        for (function, key, text, expected) in [
            (
                Function::Md5,
                &b"Jefe"[..],
                "what do ya want for nothing?",
                "750c783e6ab0b503eaa86e310a5db738",
            ),
            (
                Function::Sha1,
                b"Jefe",
                "what do ya want for nothing?",
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (
                Function::Sha256,
                b"Jefe",
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                Function::Sha256,
                &long,
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            let code = Hmac::new(function, key).code(|f| {
                for piece in text.as_bytes().chunks(5) {
                    f(piece);
                }
            });
            assert_eq!(hex(function, &code), expected);
        }
    }

    /// RFC 6070; the same inputs for SHA-256 are in wide use.
    #[test]
    fn stretched_passwords() {
        for (function, iterations, expected) in [
            (
                Function::Sha1,
                1,
                "0c60c80f961f0e71f3a9b524af6012062fe037a6",
            ),
            (
                Function::Sha1,
                4096,
                "4b007901b765489abead49d926f721d065a429c1",
            ),
            (
                Function::Sha256,
                4096,
                "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a",
            ),
        ] {
            let stretched = Hmac::new(function, b"password").stretch(b"salt", iterations);
            assert_eq!(hex(function, &stretched), expected);
        }
    }

    /// Against the crates that have all of it.
    #[test]
    fn any_length() {
        use hmac::{KeyInit, Mac};
        use sha2::Digest;
        for length in 0..200 {
            let text = vec![length as u8; length];
            let ours = Function::Sha256.hash(&text);
            assert_eq!(ours[..], sha2::Sha256::digest(&text)[..], "{length}");
            let mut theirs = hmac::Hmac::<sha2::Sha256>::new_from_slice(&text).unwrap();
            theirs.update(&text);
            let ours = Hmac::new(Function::Sha256, &text).code(|f| f(&text));
            assert_eq!(ours[..], theirs.finalize().into_bytes()[..], "{length}");
        }
    }
}
