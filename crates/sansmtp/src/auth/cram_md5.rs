//! CRAM-MD5 (RFC 2195): the client proves that it knows a password by hashing it
//! with a text of the server. The server needs the password itself, and whoever
//! listens can try passwords at leisure.

use super::hash::{Function, Hmac};
use subtle::ConstantTimeEq;

/// `HMAC-MD5(password, challenge)`
pub(crate) fn digest(password: &str, challenge: &[u8]) -> [u8; 16] {
    let code = Hmac::new(Function::Md5, password.as_bytes()).code(|f| f(challenge));
    code.first_chunk().copied().unwrap_or_default()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(digest: [u8; 16]) -> [u8; 32] {
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
        for (to, nibble) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
            *to = if nibble < 10 { b'0' } else { b'a' - 10 }.wrapping_add(nibble);
        }
    }
    digits
}

/// Whether `given`, in hexadecimal digits, is the digest; in constant time.
pub(crate) fn verify(password: &str, challenge: &[u8], given: &str) -> bool {
    let ours = hex(digest(password, challenge));
    ours.as_slice().ct_eq(given.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn example_of_rfc_2195() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        let digits = hex(digest("tanstaaftanstaaf", challenge));
        assert_eq!(&digits, b"b913a602c7eda7a495b4e6e7334d3890");
        let check = |password, digits| verify(password, challenge, digits);
        assert!(check(
            "tanstaaftanstaaf",
            "b913a602c7eda7a495b4e6e7334d3890"
        ));
        assert!(!check(
            "tanstaaftanstaaf",
            "b913a602c7eda7a495b4e6e7334d389"
        ));
        assert!(!check("tanstaaftanstaaf", ""));
        assert!(!check(
            "tanstaaftanstaa",
            "b913a602c7eda7a495b4e6e7334d3890"
        ));
    }
}
