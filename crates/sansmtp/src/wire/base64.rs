//! Base64 with padding (RFC 4648, section 4), as SASL exchanges use it.

use super::window::Window;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes a value that comes in pieces into a [`Window`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Encoder {
    /// What was put last; the lower `bits` of it are not encoded yet.
    held: u32,
    bits: u8,
}

impl Encoder {
    /// Encodes the next piece.
    pub fn put(&mut self, bytes: &[u8], out: &mut Window<'_>) {
        for &byte in bytes {
            self.held = self.held << 8 | u32::from(byte);
            self.bits = self.bits.wrapping_add(8);
            while let Some(less) = self.bits.checked_sub(6) {
                self.bits = less;
                out.put(&[symbol(self.held.wrapping_shr(less.into()))]);
            }
        }
    }

    /// Encodes what is left, with padding.
    pub fn finish(self, out: &mut Window<'_>) {
        // Two or four bits, which lack two or one symbols.
        if self.bits > 0 {
            let filled = self.held << 6 >> self.bits;
            let padding = if self.bits == 2 { &b"=="[..] } else { b"=" };
            out.put(&[symbol(filled)]);
            out.put(padding);
        }
    }
}

/// Length in bytes of the encoded form of `length` bytes.
pub fn encoded_len(length: usize) -> usize {
    length.div_ceil(3).saturating_mul(4)
}

/// Decodes `text` where it lies and returns the length of the result.
///
/// Strict: the padding must be there, unused bits must be zero, nothing but the
/// alphabet is taken. `None` says that `text` is not base64 of this kind; its
/// content is unspecified then.
pub fn decode_in_place(text: &mut [u8]) -> Option<usize> {
    let total = text.len();
    if !total.is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|&&b| b == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut held = 0_u32;
    let mut written = 0_usize;
    for at in 0..total {
        let byte = *text.get(at)?;
        let sextet = if at < total.wrapping_sub(padding) {
            value(byte)?
        } else {
            0
        };
        held = held << 6 | u32::from(sextet);
        if at % 4 == 3 {
            let [_, a, b, c] = held.to_be_bytes();
            for (to, from) in text.get_mut(written..)?.iter_mut().zip([a, b, c]) {
                *to = from;
            }
            written = written.wrapping_add(3);
            held &= 0xff_ffff;
        }
    }
    let unused = match padding {
        1 => held & 0xff,
        2 => held & 0xffff,
        _ => 0,
    };
    (unused == 0).then_some(written.saturating_sub(padding))
}

fn symbol(sextet: u32) -> u8 {
    ALPHABET
        .get((sextet & 63) as usize)
        .copied()
        .unwrap_or_default()
}

fn value(symbol: u8) -> Option<u8> {
    Some(match symbol {
        b'A'..=b'Z' => symbol.wrapping_sub(b'A'),
        b'a'..=b'z' => symbol.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => symbol.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn encode(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = [0; 512];
        let mut window = Window::new(0, &mut out);
        let mut encoder = Encoder::default();
        for piece in pieces {
            encoder.put(piece, &mut window);
        }
        encoder.finish(&mut window);
        let written = window.written();
        out[..written].to_vec()
    }

    #[test]
    fn vectors_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(&[plain.as_bytes()]), coded.as_bytes());
            assert_eq!(encoded_len(plain.len()), coded.len());
            let mut text = coded.as_bytes().to_vec();
            let length = decode_in_place(&mut text).unwrap();
            assert_eq!(&text[..length], plain.as_bytes());
        }
    }

    #[test]
    fn pieces_join() {
        assert_eq!(
            encode(&[b"\0us", b"", b"er\0", b"pass"]),
            encode(&[b"\0user\0pass"])
        );
    }

    #[test]
    fn what_is_not_base64() {
        for bad in [
            "!!!!", "Zg=", "Zg", "Z===", "Zh==", "Zm9=", "Zg==Zg==", "Zm9v\n", "====",
        ] {
            let mut text = bad.as_bytes().to_vec();
            assert_eq!(decode_in_place(&mut text), None, "{bad:?}");
        }
    }
}
