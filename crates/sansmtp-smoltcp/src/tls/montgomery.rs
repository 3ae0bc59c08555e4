//! Arithmetic modulo an odd number whose highest bit is set, in Montgomery form.
//!
//! Everything here is public, so nothing has to take the same time for all values. Numbers are limbs of 32 bits, the
//! lowest first; their length is that of the modulus, and R is two to the power of that many bits.

use core::cmp::Ordering;

/// A modulus of at most `N` limbs.
pub(crate) struct Field<'n, const N: usize> {
    n: &'n [u32],
    /// -1 / n modulo 2^32.
    inverse: u32,
    /// R * R modulo n, what brings a number into Montgomery form.
    square: [u32; N],
}

impl<'n, const N: usize> Field<'n, N> {
    pub(crate) fn new(n: &'n [u32]) -> Self {
        let lowest = n.first().copied().unwrap_or(1);
        // Newton: each step doubles the bits that are right, from five on.
        let mut inverse = lowest.wrapping_mul(3) ^ 2;
        for _ in 0..3 {
            inverse = inverse.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(inverse)));
        }
        let mut field = Self {
            n,
            inverse: inverse.wrapping_neg(),
            square: [0; N],
        };
        // One in Montgomery form: R - n, since n has all its bits. Two to the power of the bits of R is R there.
        let mut two = [0; N];
        for (to, from) in two.iter_mut().zip(n) {
            *to = !from;
        }
        let two = two.get_mut(..n.len()).unwrap_or_default();
        for limb in two.iter_mut() {
            *limb = limb.wrapping_add(1);
            if *limb != 0 {
                break;
            }
        }
        field.double(two);
        let mut square = [0; N];
        if let Some(square) = square.get_mut(..n.len()) {
            field.raise(square, two, &[n.len() as u32 * 32]);
        }
        field.square = square;
        field
    }

    /// `x` in Montgomery form.
    pub(crate) fn enter(&self, x: &[u32], out: &mut [u32]) {
        self.multiply(x, self.square.get(..self.n.len()).unwrap_or_default(), out);
    }

    /// `a * b / R` into `out`: the product of numbers in Montgomery form.
    pub(crate) fn multiply(&self, a: &[u32], b: &[u32], out: &mut [u32]) {
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

    /// `base`, in Montgomery form, to the power of `exponent` (limbs, at least 1) into `out`.
    pub(crate) fn raise(&self, out: &mut [u32], base: &[u32], exponent: &[u32]) {
        let mut room = [0; N];
        let Some(scratch) = room.get_mut(..out.len()) else {
            return;
        };
        out.copy_from_slice(base);
        let bits = exponent
            .iter()
            .rev()
            .flat_map(|limb| (0..32).rev().map(move |bit| limb >> bit & 1 == 1));
        // The highest one is the base itself.
        for bit in bits.skip_while(|bit| !bit).skip(1) {
            self.multiply(out, out, scratch);
            if bit {
                self.multiply(scratch, base, out);
            } else {
                out.copy_from_slice(scratch);
            }
        }
    }

    /// Takes n off if `x`, with a 1 in front of it if `over`, is not smaller.
    pub(crate) fn reduce(&self, x: &mut [u32], over: bool) {
        if over || compare(x, self.n) != Ordering::Less {
            take_off(x, self.n);
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

    /// Adds `y`.
    #[cfg(feature = "p384")]
    pub(crate) fn add(&self, x: &mut [u32], y: &[u32]) {
        let over = put_on(x, y);
        self.reduce(x, over);
    }

    /// Subtracts `y`.
    #[cfg(feature = "p384")]
    pub(crate) fn subtract(&self, x: &mut [u32], y: &[u32]) {
        if take_off(x, y) {
            put_on(x, self.n);
        }
    }
}

/// Adds, and returns whether a 1 is left over.
#[cfg(feature = "p384")]
pub(crate) fn put_on(x: &mut [u32], y: &[u32]) -> bool {
    let mut carry = false;
    for (limb, y) in x.iter_mut().zip(y) {
        let (sum, first) = limb.overflowing_add(*y);
        let (sum, second) = sum.overflowing_add(u32::from(carry));
        *limb = sum;
        carry = first || second;
    }
    carry
}

/// Subtracts, and returns whether a 1 is missing.
fn take_off(x: &mut [u32], y: &[u32]) -> bool {
    let mut borrow = false;
    for (limb, y) in x.iter_mut().zip(y) {
        let (difference, first) = limb.overflowing_sub(*y);
        let (difference, second) = difference.overflowing_sub(u32::from(borrow));
        *limb = difference;
        borrow = first || second;
    }
    borrow
}

pub(crate) fn compare(a: &[u32], b: &[u32]) -> Ordering {
    a.iter().rev().cmp(b.iter().rev())
}

/// A number from octets, the highest first, filled up with zeros. `None` if it has more octets than `room`.
pub(crate) fn limbs<'r>(octets: &[u8], room: &'r mut [u32]) -> Option<&'r mut [u32]> {
    if octets.len() > room.len() * 4 {
        return None;
    }
    room.fill(0);
    for (limb, octets) in room.iter_mut().zip(octets.rchunks(4)) {
        *limb = octets
            .iter()
            .fold(0, |limb, octet| limb << 8 | u32::from(*octet));
    }
    Some(room)
}
