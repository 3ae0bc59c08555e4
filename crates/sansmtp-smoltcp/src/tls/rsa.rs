//! RSA signatures (RFC 8017), verified without an allocator.
//!
//! Everything here is public, so nothing has to take the same time for all values. Numbers are limbs of 32
//! bits, the lowest first; their length is that of the modulus.

use super::key::{Algorithm, Hash, Kind};
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
    let (mut n, mut x) = ([0; LIMBS], [0; LIMBS]);
    let (Some(n), Some(x)) = (limbs(modulus, &mut n), limbs(base, &mut x)) else {
        return false;
    };
    if compare(x, n) != Ordering::Less {
        return false;
    }
    let field = Field::new(n);
    // R in Montgomery form, which is two to the power of the modulus' length there.
    let mut r = [0; LIMBS];
    let Some(r) = r.get_mut(..n.len()) else {
        return false;
    };
    // One in Montgomery form: R - n, since n has all its bits.
    for (to, from) in r.iter_mut().zip(&*n) {
        *to = !from;
    }
    add_one(r);
    let mut two = [0; LIMBS];
    let Some(two) = two.get_mut(..n.len()) else {
        return false;
    };
    two.copy_from_slice(r);
    field.double(two);
    field.raise(r, two, n.len() as u32 * 32);
    let mut scratch = [0; LIMBS];
    let Some(scratch) = scratch.get_mut(..n.len()) else {
        return false;
    };
    // The base in Montgomery form.
    field.multiply(x, r, scratch);
    two.copy_from_slice(scratch);
    field.raise(x, two, exponent);
    // Back: times one.
    r.fill(0);
    if let Some(first) = r.first_mut() {
        *first = 1;
    }
    field.multiply(x, r, scratch);
    for (octets, limb) in out.rchunks_mut(4).zip(&*scratch) {
        octets.copy_from_slice(&limb.to_be_bytes());
    }
    true
}

/// Arithmetic modulo an odd number, in Montgomery form.
struct Field<'n> {
    n: &'n [u32],
    /// -1 / n modulo 2^32.
    inverse: u32,
}

impl<'n> Field<'n> {
    fn new(n: &'n [u32]) -> Self {
        let lowest = n.first().copied().unwrap_or(1);
        // Newton: each step doubles the bits that are right, from five on.
        let mut inverse = lowest.wrapping_mul(3) ^ 2;
        for _ in 0..3 {
            inverse = inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse)));
        }
        Self {
            n,
            inverse: inverse.wrapping_neg(),
        }
    }

    /// `a * b / R` into `out`.
    fn multiply(&self, a: &[u32], b: &[u32], out: &mut [u32]) {
        out.fill(0);
        let mut top = 0_u64;
        for b in b {
            let first = |limbs: &[u32]| limbs.first().copied().unwrap_or(0);
            let m = first(a)
                .wrapping_mul(*b)
                .wrapping_add(first(out))
                .wrapping_mul(self.inverse);
            let (mut carry, mut borrowed) = (0_u64, 0_u64);
            let mut below: Option<&mut u32> = None;
            for ((place, a), n) in out.iter_mut().zip(a).zip(self.n) {
                // Neither sum can overflow: (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1.
                let sum = u64::from(*place) + u64::from(*a) * u64::from(*b) + carry;
                carry = sum >> 32;
                let sum = u64::from(sum as u32) + u64::from(m) * u64::from(*n) + borrowed;
                borrowed = sum >> 32;
                // One limb lower: this divides by 2^32.
                if let Some(below) = below.replace(place) {
                    *below = sum as u32;
                }
            }
            let sum = top + carry + borrowed;
            if let Some(highest) = below {
                *highest = sum as u32;
            }
            top = sum >> 32;
        }
        self.reduce(out, top != 0);
    }

    /// `base` to the power of `exponent` (at least 1) into `out`.
    fn raise(&self, out: &mut [u32], base: &[u32], exponent: u32) {
        let mut room = [0; LIMBS];
        let Some(scratch) = room.get_mut(..out.len()) else {
            return;
        };
        out.copy_from_slice(base);
        for bit in (0..exponent.checked_ilog2().unwrap_or(0)).rev() {
            self.multiply(out, out, scratch);
            if exponent >> bit & 1 == 1 {
                self.multiply(scratch, base, out);
            } else {
                out.copy_from_slice(scratch);
            }
        }
    }

    fn double(&self, x: &mut [u32]) {
        let mut carry = 0;
        for limb in x.iter_mut() {
            let next = *limb >> 31;
            *limb = *limb << 1 | carry;
            carry = next;
        }
        self.reduce(x, carry != 0);
    }

    /// Takes n off if `x`, with a 1 in front of it if `over`, is not smaller.
    fn reduce(&self, x: &mut [u32], over: bool) {
        if !over && compare(x, self.n) == Ordering::Less {
            return;
        }
        let mut borrow = false;
        for (limb, n) in x.iter_mut().zip(self.n) {
            let (difference, first) = limb.overflowing_sub(*n);
            let (difference, second) = difference.overflowing_sub(u32::from(borrow));
            *limb = difference;
            borrow = first || second;
        }
    }
}

fn add_one(x: &mut [u32]) {
    for limb in x {
        *limb = limb.wrapping_add(1);
        if *limb != 0 {
            return;
        }
    }
}

fn compare(a: &[u32], b: &[u32]) -> Ordering {
    a.iter().rev().cmp(b.iter().rev())
}

/// A number from octets, the highest first, in whole limbs.
fn limbs<'r>(octets: &[u8], room: &'r mut [u32; LIMBS]) -> Option<&'r mut [u32]> {
    let room = room.get_mut(..octets.len() / 4)?;
    for (limb, octets) in room.iter_mut().zip(octets.rchunks(4)) {
        *limb = u32::from_be_bytes(octets.try_into().ok()?);
    }
    Some(room)
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
