//! ECDSA with P-384 (FIPS 186-5, SP 800-186), verified only.
//!
//! The crate `p384` would take 114 KB of flash on a microcontroller, since its field arithmetic is unrolled; this takes
//! a tenth, and some more time, as verification once in a connection allows.

use super::montgomery::{Field, compare, limbs, put_on};
use core::cmp::Ordering;
use der::asn1::UintRef;
use der::{Decode, Reader, SliceReader};

const LIMBS: usize = 12;
const OCTETS: usize = 48;

type Number = [u32; LIMBS];
type Modulus<'n> = Field<'n, LIMBS>;

/// The field's prime, the order of the group, the curve's b and its generator, lowest limb first.
#[rustfmt::skip]
mod curve {
    use super::Number;

    pub(super) const P: Number = [
        0xFFFF_FFFF, 0x0000_0000, 0x0000_0000, 0xFFFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFF,
        0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF,
    ];
    pub(super) const N: Number = [
        0xCCC5_2973, 0xECEC_196A, 0x48B0_A77A, 0x581A_0DB2, 0xF437_2DDF, 0xC763_4D81,
        0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF,
    ];
    pub(super) const B: Number = [
        0xD3EC_2AEF, 0x2A85_C8ED, 0x8A2E_D19D, 0xC656_398D, 0x5013_875A, 0x0314_088F,
        0xFE81_4112, 0x181D_9C6E, 0xE3F8_2D19, 0x988E_056B, 0xE23E_E7E4, 0xB331_2FA7,
    ];
    pub(super) const X: Number = [
        0x7276_0AB7, 0x3A54_5E38, 0xBF55_296C, 0x5502_F25D, 0x8254_2A38, 0x59F7_41E0,
        0x8BA7_9B98, 0x6E1D_3B62, 0xF320_AD74, 0x8EB1_C71E, 0xBE8B_0537, 0xAA87_CA22,
    ];
    pub(super) const Y: Number = [
        0x90EA_0E5F, 0x7A43_1D7C, 0x1D7E_819D, 0x0A60_B1CE, 0xB5F0_B8C0, 0xE9DA_3113,
        0x289A_147C, 0xF8F4_1DBD, 0x9292_DC29, 0x5D9E_98BF, 0x9626_2C6F, 0x3617_DE4A,
    ];
}

/// Whether `signature` (DER) is one of `key` (a point, SEC 1 without compression) over what has this `digest`.
pub(crate) fn is_signed(key: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    verify(key, digest, signature).unwrap_or(false)
}

fn verify(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<bool> {
    let group = Modulus::new(&curve::N);
    let (r, s) = signature_of(signature)?;
    // FIPS 186-5, section 6.4.2: the leftmost bits of the digest.
    let mut z = number(digest.get(..OCTETS).unwrap_or(digest))?;
    group.reduce(&mut z, false);
    let mut to_invert = [0; LIMBS];
    group.enter(&s, &mut to_invert);
    // By Fermat: to the power of n - 2.
    let mut exponent = curve::N;
    if let Some(lowest) = exponent.first_mut() {
        *lowest = lowest.wrapping_sub(2);
    }
    let mut inverse = [0; LIMBS];
    group.raise(&mut inverse, &to_invert, &exponent);
    // A number times one in Montgomery form is no longer in that form.
    let (mut u, mut v) = ([0; LIMBS], [0; LIMBS]);
    group.multiply(&z, &inverse, &mut u);
    group.multiply(&r, &inverse, &mut v);

    let curve = Curve::new();
    let key = curve.point(key)?;
    let sum = curve.combine(&u, &v, &key);
    if sum.z == [0; LIMBS] {
        return Some(false);
    }
    // The x of the sum is r modulo n; it is below p, which is less than two n.
    let mut candidate = r;
    let mut matches = curve.has_x(&sum, &candidate);
    let over = put_on(&mut candidate, &curve::N);
    if !over && compare(&candidate, &curve::P) == Ordering::Less {
        matches |= curve.has_x(&sum, &candidate);
    }
    Some(matches)
}

/// r and s, both from 1 to n - 1.
fn signature_of(der: &[u8]) -> Option<(Number, Number)> {
    let mut reader = SliceReader::new(der).ok()?;
    let parts = der::asn1::AnyRef::decode(&mut reader).ok()?;
    reader.finish(()).ok()?;
    if der::Tagged::tag(&parts) != der::Tag::Sequence {
        return None;
    }
    let mut parts = SliceReader::new(parts.value()).ok()?;
    let mut next = || {
        let part = number(UintRef::decode(&mut parts).ok()?.as_bytes())?;
        let inside = part != [0; LIMBS] && compare(&part, &curve::N) == Ordering::Less;
        inside.then_some(part)
    };
    let (r, s) = (next()?, next()?);
    parts.is_finished().then_some((r, s))
}

fn number(octets: &[u8]) -> Option<Number> {
    let mut number = [0; LIMBS];
    limbs(octets, &mut number)?;
    Some(number)
}

/// A point in projective coordinates, in Montgomery form; z is zero for the point at infinity.
#[derive(Clone, Copy)]
struct Point {
    x: Number,
    y: Number,
    z: Number,
}

struct Curve {
    field: Modulus<'static>,
    b: Number,
    one: Number,
}

impl Curve {
    fn new() -> Self {
        let field = Modulus::new(&curve::P);
        let (mut b, mut one) = ([0; LIMBS], [0; LIMBS]);
        field.enter(&curve::B, &mut b);
        let mut unit = [0; LIMBS];
        if let Some(lowest) = unit.first_mut() {
            *lowest = 1;
        }
        field.enter(&unit, &mut one);
        Self { field, b, one }
    }

    /// A point of the curve; anything else is none.
    fn point(&self, sec1: &[u8]) -> Option<Point> {
        let (4, coordinates) = sec1.split_first().map(|(first, rest)| (*first, rest))? else {
            return None;
        };
        if coordinates.len() != 2 * OCTETS {
            return None;
        }
        let (x, y) = coordinates.split_at_checked(OCTETS)?;
        let (x, y) = (number(x)?, number(y)?);
        let below = |it: &Number| compare(it, &curve::P) == Ordering::Less;
        if !below(&x) || !below(&y) {
            return None;
        }
        let point = self.affine(&x, &y);
        // y^2 = x^3 - 3 x + b.
        let mut right = self.times(&self.times(&point.x, &point.x), &point.x);
        for _ in 0..3 {
            self.field.subtract(&mut right, &point.x);
        }
        self.field.add(&mut right, &self.b);
        (self.times(&point.y, &point.y) == right).then_some(point)
    }

    fn affine(&self, x: &Number, y: &Number) -> Point {
        let mut point = Point {
            x: [0; LIMBS],
            y: [0; LIMBS],
            z: self.one,
        };
        self.field.enter(x, &mut point.x);
        self.field.enter(y, &mut point.y);
        point
    }

    /// u times the generator plus v times `key`, both at once.
    fn combine(&self, u: &Number, v: &Number, key: &Point) -> Point {
        let generator = self.affine(&curve::X, &curve::Y);
        let mut sum = Point {
            x: [0; LIMBS],
            y: self.one,
            z: [0; LIMBS],
        };
        for (u, v) in u.iter().rev().zip(v.iter().rev()) {
            for bit in (0..32).rev() {
                sum = self.plus(&sum, &sum);
                for (scalar, point) in [(u, &generator), (v, key)] {
                    if scalar >> bit & 1 == 1 {
                        sum = self.plus(&sum, point);
                    }
                }
            }
        }
        sum
    }

    /// Whether the x of a point that is not at infinity is this.
    fn has_x(&self, point: &Point, x: &Number) -> bool {
        let mut entered = [0; LIMBS];
        self.field.enter(x, &mut entered);
        self.times(&entered, &point.z) == point.x
    }

    fn times(&self, a: &Number, b: &Number) -> Number {
        let mut product = [0; LIMBS];
        self.field.multiply(a, b, &mut product);
        product
    }

    fn sum(&self, a: &Number, b: &Number) -> Number {
        let mut sum = *a;
        self.field.add(&mut sum, b);
        sum
    }

    fn difference(&self, a: &Number, b: &Number) -> Number {
        let mut difference = *a;
        self.field.subtract(&mut difference, b);
        difference
    }

    fn triple(&self, a: &Number) -> Number {
        self.sum(&self.sum(a, a), a)
    }

    /// The complete addition of Renes, Costello and Batina (2016), algorithm 4: right for all points, also for two
    /// that are the same and for the one at infinity.
    fn plus(&self, p: &Point, q: &Point) -> Point {
        let xx = self.times(&p.x, &q.x);
        let yy = self.times(&p.y, &q.y);
        let zz = self.times(&p.z, &q.z);
        let cross = |a: &Number, b: &Number, c: &Number, d: &Number, ac: &Number, bd: &Number| {
            let product = self.times(&self.sum(a, b), &self.sum(c, d));
            self.difference(&product, &self.sum(ac, bd))
        };
        let xy = cross(&p.x, &p.y, &q.x, &q.y, &xx, &yy);
        let yz = cross(&p.y, &p.z, &q.y, &q.z, &yy, &zz);
        let xz = cross(&p.x, &p.z, &q.x, &q.z, &xx, &zz);

        let bzz = self.triple(&self.difference(&xz, &self.times(&self.b, &zz)));
        let minus = self.difference(&yy, &bzz);
        let plus = self.sum(&yy, &bzz);

        let zz3 = self.triple(&zz);
        let bxz = self.difference(&self.times(&self.b, &xz), &self.sum(&zz3, &xx));
        let bxz3 = self.triple(&bxz);
        let xx3 = self.difference(&self.triple(&xx), &zz3);
        Point {
            x: self.difference(&self.times(&plus, &xy), &self.times(&yz, &bxz3)),
            y: self.sum(&self.times(&plus, &minus), &self.times(&xx3, &bxz3)),
            z: self.sum(&self.times(&minus, &yz), &self.times(&xy, &xx3)),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use p384::ecdsa::signature::hazmat::PrehashSigner;
    use p384::ecdsa::{Signature, SigningKey};
    use rand_core::{OsRng, RngCore};
    use std::vec::Vec;

    #[test]
    fn what_another_implementation_signed_is_good_and_nothing_else() {
        for length in [32, 48, 64] {
            let key = SigningKey::random(&mut OsRng);
            let other = SigningKey::random(&mut OsRng);
            let point = |key: &SigningKey| {
                Vec::from(key.verifying_key().to_encoded_point(false).as_bytes())
            };
            let mut digest = std::vec![0; length];
            OsRng.fill_bytes(&mut digest);
            let signature: Signature = key.sign_prehash(&digest).unwrap();
            let der = signature.to_der();
            assert!(is_signed(&point(&key), &digest, der.as_bytes()));
            assert!(!is_signed(&point(&other), &digest, der.as_bytes()));
            // (r, n - s) is a signature too.
            let (r, s) = signature.split_scalars();
            let mirrored = Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
            assert!(is_signed(
                &point(&key),
                &digest,
                mirrored.to_der().as_bytes()
            ));
            let swapped = Signature::from_scalars(s.to_bytes(), r.to_bytes()).unwrap();
            assert!(!is_signed(
                &point(&key),
                &digest,
                swapped.to_der().as_bytes()
            ));
            for place in [0, 7, 31] {
                let mut changed = digest.clone();
                changed[place] ^= 1;
                assert!(!is_signed(&point(&key), &changed, der.as_bytes()));
            }
            let cut = der.as_bytes().split_last().unwrap().1;
            assert!(!is_signed(&point(&key), &digest, cut));
        }
        // A digest of n, and of all ones, is more than a scalar.
        let key = SigningKey::random(&mut OsRng);
        let signature: Signature = key.sign_prehash(&[0xFF; 48]).unwrap();
        let point = key.verifying_key().to_encoded_point(false);
        assert!(is_signed(
            point.as_bytes(),
            &[0xFF; 48],
            signature.to_der().as_bytes()
        ));
    }

    #[test]
    fn numbers_out_of_range_are_no_signature() {
        let n: Vec<u8> = [0]
            .into_iter()
            .chain(curve::N.iter().rev().flat_map(|limb| limb.to_be_bytes()))
            .collect();
        let der = |r: &[u8], s: &[u8]| {
            let mut der = std::vec![0x30, (r.len() + s.len() + 4) as u8];
            for number in [r, s] {
                der.extend([2, number.len() as u8]);
                der.extend(number);
            }
            der
        };
        assert!(signature_of(&der(&[1], &[1])).is_some());
        for (r, s) in [
            (&[0][..], &[1][..]),
            (&[1], &[0]),
            (&n, &[1]),
            (&[1], &n),
            (&[0x80], &[1]),
        ] {
            assert!(signature_of(&der(r, s)).is_none(), "{r:?} {s:?}");
        }
        let mut longer = der(&[1], &[1]);
        longer.push(0);
        assert!(signature_of(&longer).is_none() && signature_of(&[]).is_none());
    }

    #[test]
    fn the_generator_is_of_its_order() {
        let curve = Curve::new();
        let mut sec1 = [4; 97];
        for (number, octets) in [curve::X, curve::Y].iter().zip(sec1[1..].chunks_mut(48)) {
            for (limb, octets) in number.iter().zip(octets.rchunks_mut(4)) {
                octets.copy_from_slice(&limb.to_be_bytes());
            }
        }
        let generator = curve.point(&sec1).unwrap();
        let none = [0; LIMBS];
        assert_eq!(curve.combine(&curve::N, &none, &generator).z, none);
        assert_eq!(curve.combine(&none, &none, &generator).z, none);
        // Half from each side.
        let mut rest = curve::N;
        rest[0] -= 5;
        let mut five = none;
        five[0] = 5;
        assert_eq!(curve.combine(&rest, &five, &generator).z, none);
        assert_ne!(curve.combine(&rest, &none, &generator).z, none);
        // What is no point of the curve.
        sec1[96] ^= 1;
        assert!(curve.point(&sec1).is_none());
        sec1[0] = 2;
        assert!(curve.point(&sec1).is_none() && curve.point(&[]).is_none());
    }
}
