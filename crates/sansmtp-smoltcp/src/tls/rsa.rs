//! RSA signatures (RFC 8017), verified without an allocator.

use super::key::{Algorithm, Hash, Kind};
use super::montgomery::{Field, compare, limbs};
use core::cmp::Ordering;

/// The longest modulus: 4,096 bits.
const LIMBS: usize = 128;
const OCTETS: usize = LIMBS * 4;
/// The shortest: 2,048 bits (RFC 8446, section 4.2.3, leaves that to us; CAs issue no shorter ones).
const SHORTEST: usize = 256;

/// Whether a key of this modulus and exponent can be used: 2,048 to 4,096 bits, in whole limbs.
pub(crate) fn is_supported(modulus: &[u8], exponent: u32) -> bool {
    let whole = modulus.len().is_multiple_of(4) && modulus.first().is_some_and(|it| *it >= 0x80);
    let odd = modulus.last().is_some_and(|it| it & 1 == 1);
    whole
        && odd
        && (SHORTEST..=OCTETS).contains(&modulus.len())
        && exponent & 1 == 1
        && exponent > 1
}

/// Whether `signature` is one over what has this `digest`.
pub(crate) fn is_signed(
    modulus: &[u8],
    exponent: u32,
    algorithm: Algorithm,
    digest: &[u8],
    signature: &[u8],
) -> bool {
    if !is_supported(modulus, exponent) || signature.len() != modulus.len() {
        return false;
    }
    let mut encoded = [0; OCTETS];
    let Some(encoded) = encoded.get_mut(..modulus.len()) else {
        return false;
    };
    power(modulus, exponent, signature, encoded)
        && match algorithm.kind {
            Kind::RsaPkcs1 => is_pkcs1(encoded, algorithm.hash, digest),
            Kind::RsaPss => is_pss(encoded, algorithm.hash, digest),
            Kind::Ecdsa => false,
        }
}

/// EMSA-PKCS1-v1_5 (section 9.2): `00 01 FF ... FF 00`, the name of the hash function, the hash.
fn is_pkcs1(encoded: &[u8], hash: Hash, digest: &[u8]) -> bool {
    let (total, number) = match hash {
        Hash::Sha256 => (0x31, 1),
        Hash::Sha384 => (0x41, 2),
        Hash::Sha512 => (0x51, 3),
    };
    #[rustfmt::skip]
    let name = [
        0x30, total, 0x30, 0x0D, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, number, 5, 0, 4,
        digest.len() as u8,
    ];
    let Some(padding) = encoded.len().checked_sub(name.len() + digest.len() + 3) else {
        return false;
    };
    let expected = [0, 1]
        .into_iter()
        .chain(core::iter::repeat_n(0xFF, padding))
        .chain([0])
        .chain(name)
        .chain(digest.iter().copied());
    encoded.iter().copied().eq(expected)
}

/// EMSA-PSS (section 9.1.2) with a salt as long as the hash, and MGF1 with the same hash function.
fn is_pss(encoded: &mut [u8], hash: Hash, digest: &[u8]) -> bool {
    let length = digest.len();
    let Some((0xBC, rest)) = encoded.split_last_mut().map(|(last, rest)| (*last, rest)) else {
        return false;
    };
    let Some((block, seed)) = rest
        .len()
        .checked_sub(length)
        .and_then(|at| rest.split_at_mut_checked(at))
    else {
        return false;
    };
    if block.first().is_some_and(|first| *first >= 0x80) {
        return false;
    }
    for (counter, chunk) in (0_u32..).zip(block.chunks_mut(length)) {
        let mask = hash.digest(&[seed, &counter.to_be_bytes()]);
        for (octet, mask) in chunk.iter_mut().zip(mask.as_ref()) {
            *octet ^= mask;
        }
    }
    if let Some(first) = block.first_mut() {
        *first &= 0x7F;
    }
    let Some((padding, salt)) = block
        .len()
        .checked_sub(length)
        .and_then(|at| block.split_at_checked(at))
    else {
        return false;
    };
    let Some((1, zeros)) = padding.split_last() else {
        return false;
    };
    zeros.iter().all(|octet| *octet == 0)
        && hash.digest(&[&[0; 8], digest, salt]).as_ref() == &*seed
}

/// Writes `base` to the power of `exponent`, modulo `modulus`, into `out`. False if `base` is no remainder.
fn power(modulus: &[u8], exponent: u32, base: &[u8], out: &mut [u8]) -> bool {
    let length = modulus.len() / 4;
    let mut rooms = [[0; LIMBS]; 4];
    let [n, x, y, z] = rooms
        .each_mut()
        .map(|room| room.get_mut(..length).unwrap_or_default());
    if limbs(modulus, n).is_none() || limbs(base, x).is_none() || compare(x, n) != Ordering::Less {
        return false;
    }
    let field = Field::<LIMBS>::new(n);
    field.enter(x, y);
    field.raise(x, y, &[exponent]);
    // Back from Montgomery form: times one.
    y.fill(0);
    if let Some(lowest) = y.first_mut() {
        *lowest = 1;
    }
    field.multiply(x, y, z);
    for (octets, limb) in out.rchunks_mut(4).zip(&*z) {
        octets.copy_from_slice(&limb.to_be_bytes());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers() {
        // 2^2048 - 1 and an odd exponent: 2 is of order 2048 there.
        let modulus = [0xFF; 256];
        let mut base = [0; 256];
        base[255] = 2;
        for (exponent, octet, bit) in [
            (3, 255, 3),
            (17, 253, 1),
            (2047, 0, 7),
            (2049, 255, 1),
            (65_537, 255, 1),
        ] {
            let mut out = [0; 256];
            assert!(power(&modulus, exponent, &base, &mut out));
            let mut expected = [0; 256];
            expected[octet] = 1 << bit;
            assert_eq!(out, expected, "{exponent}");
        }
        // What is no remainder is no signature.
        assert!(!power(&modulus, 3, &modulus, &mut [0; 256]));
    }

    #[test]
    fn keys_that_are_none() {
        let mut modulus = [0xFF; 256];
        assert!(is_supported(&modulus, 65_537) && is_supported(&modulus, 3));
        assert!(!is_supported(&modulus, 1) && !is_supported(&modulus, 65_536));
        assert!(!is_supported(&modulus[..252], 3) && !is_supported(&[0xFF; 516], 3));
        assert!(!is_supported(&[0xFF; 257], 3) && !is_supported(&[], 3));
        modulus[255] = 0xFE;
        assert!(!is_supported(&modulus, 3));
        modulus[255] = 0xFF;
        modulus[0] = 0x7F;
        assert!(!is_supported(&modulus, 3));
    }
}
