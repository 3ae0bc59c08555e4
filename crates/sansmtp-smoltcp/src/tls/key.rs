//! Public keys, and what they signed.

#[cfg(feature = "p384")]
use super::ecdsa384;
#[cfg(feature = "rsa")]
use super::rsa;
use embedded_tls::SignatureScheme;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use sha2::Sha256;

/// Octets of the longest key that this build knows, as [`PublicKey::copy`] keeps it.
const LONGEST: usize = if cfg!(feature = "rsa") {
    // Modulus and exponent.
    512 + 4
} else if cfg!(feature = "p384") {
    97
} else {
    65
};

/// A public key as it stands in a certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PublicKey<'a> {
    /// A point in SEC 1 form.
    P256(&'a [u8]),
    #[cfg(feature = "p384")]
    P384(&'a [u8]),
    /// Without leading zeros.
    #[cfg(feature = "rsa")]
    Rsa { modulus: &'a [u8], exponent: u32 },
}

/// How something was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Algorithm {
    pub(crate) kind: Kind,
    pub(crate) hash: Hash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ecdsa,
    #[cfg(feature = "rsa")]
    RsaPkcs1,
    #[cfg(feature = "rsa")]
    RsaPss,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    #[cfg(any(feature = "p384", feature = "rsa"))]
    Sha384,
    #[cfg(feature = "rsa")]
    Sha512,
}

/// The result of a hash function.
pub(crate) struct Digest {
    octets: [u8; if cfg!(any(feature = "p384", feature = "rsa")) {
        64
    } else {
        32
    }],
    length: usize,
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

impl Hash {
    /// Hashes `parts`, one after the other.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> Digest {
        fn run<H: sha2::Digest>(parts: &[&[u8]]) -> Digest {
            let mut hash = H::new();
            for part in parts {
                hash.update(part);
            }
            let result = hash.finalize();
            let mut digest = Digest {
                octets: [0; _],
                length: result.len(),
            };
            for (to, from) in digest.octets.iter_mut().zip(&result) {
                *to = *from;
            }
            digest
        }
        match self {
            Self::Sha256 => run::<Sha256>(parts),
            #[cfg(any(feature = "p384", feature = "rsa"))]
            Self::Sha384 => run::<sha2::Sha384>(parts),
            #[cfg(feature = "rsa")]
            Self::Sha512 => run::<sha2::Sha512>(parts),
        }
    }
}

impl PublicKey<'_> {
    /// Whether this key made `signature` over `parts`, one after the other.
    pub(crate) fn signed(&self, algorithm: Algorithm, parts: &[&[u8]], signature: &[u8]) -> bool {
        let digest = algorithm.hash.digest(parts);
        match (self, algorithm.kind) {
            (Self::P256(point), Kind::Ecdsa) => {
                let Ok(key) = p256::ecdsa::VerifyingKey::from_sec1_bytes(point) else {
                    return false;
                };
                p256::ecdsa::Signature::from_der(signature)
                    .is_ok_and(|it| key.verify_prehash(digest.as_ref(), &it).is_ok())
            }
            #[cfg(feature = "p384")]
            (Self::P384(point), Kind::Ecdsa) => {
                ecdsa384::is_signed(point, digest.as_ref(), signature)
            }
            #[cfg(feature = "rsa")]
            (Self::Rsa { modulus, exponent }, Kind::RsaPkcs1 | Kind::RsaPss) => {
                rsa::is_signed(modulus, *exponent, algorithm, digest.as_ref(), signature)
            }
            #[cfg(feature = "rsa")]
            _ => false,
        }
    }

    /// How this key signs a handshake by `scheme`, if it may (RFC 8446, section 4.2.3).
    pub(crate) fn algorithm(&self, scheme: SignatureScheme) -> Option<Algorithm> {
        let (kind, hash) = match (self, scheme) {
            (Self::P256(_), SignatureScheme::EcdsaSecp256r1Sha256) => (Kind::Ecdsa, Hash::Sha256),
            #[cfg(feature = "p384")]
            (Self::P384(_), SignatureScheme::EcdsaSecp384r1Sha384) => (Kind::Ecdsa, Hash::Sha384),
            #[cfg(feature = "rsa")]
            (Self::Rsa { .. }, SignatureScheme::RsaPssRsaeSha256) => (Kind::RsaPss, Hash::Sha256),
            #[cfg(feature = "rsa")]
            (Self::Rsa { .. }, SignatureScheme::RsaPssRsaeSha384) => (Kind::RsaPss, Hash::Sha384),
            #[cfg(feature = "rsa")]
            (Self::Rsa { .. }, SignatureScheme::RsaPssRsaeSha512) => (Kind::RsaPss, Hash::Sha512),
            _ => return None,
        };
        Some(Algorithm { kind, hash })
    }

    /// The key without what it was read from. `None` if it is too long.
    pub(crate) fn copy(&self) -> Option<OwnKey> {
        let (kind, octets, exponent) = match *self {
            Self::P256(point) => (KeyKind::P256, point, 0),
            #[cfg(feature = "p384")]
            Self::P384(point) => (KeyKind::P384, point, 0),
            #[cfg(feature = "rsa")]
            Self::Rsa { modulus, exponent } => (KeyKind::Rsa, modulus, exponent),
        };
        let mut own = OwnKey {
            kind,
            octets: [0; LONGEST],
            length: octets.len(),
            exponent,
        };
        for (to, from) in own.octets.get_mut(..octets.len())?.iter_mut().zip(octets) {
            *to = *from;
        }
        Some(own)
    }
}

/// A key that was copied.
#[derive(Clone, Debug)]
pub(crate) struct OwnKey {
    kind: KeyKind,
    octets: [u8; LONGEST],
    length: usize,
    #[cfg_attr(not(feature = "rsa"), expect(dead_code))]
    exponent: u32,
}

#[derive(Clone, Copy, Debug)]
enum KeyKind {
    P256,
    #[cfg(feature = "p384")]
    P384,
    #[cfg(feature = "rsa")]
    Rsa,
}

impl OwnKey {
    pub(crate) fn borrow(&self) -> PublicKey<'_> {
        let octets = self.octets.get(..self.length).unwrap_or_default();
        match self.kind {
            KeyKind::P256 => PublicKey::P256(octets),
            #[cfg(feature = "p384")]
            KeyKind::P384 => PublicKey::P384(octets),
            #[cfg(feature = "rsa")]
            KeyKind::Rsa => PublicKey::Rsa {
                modulus: octets,
                exponent: self.exponent,
            },
        }
    }
}
