//! X.509 certificates (RFC 5280), read where they lie.

use super::CertificateError;
use super::key::{Algorithm, Hash, Kind, PublicKey};
#[cfg(feature = "rsa")]
use der::asn1::UintRef;
use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};

/// Object identifiers in their DER encoding, without tag and length.
mod oid {
    pub(super) const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1];
    pub(super) const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7];
    pub(super) const ECDSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
    #[cfg(feature = "p384")]
    pub(super) const P384: &[u8] = &[0x2B, 0x81, 4, 0, 34];
    #[cfg(any(feature = "p384", feature = "rsa"))]
    pub(super) const ECDSA_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3];
    #[cfg(feature = "rsa")]
    pub(super) const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1];
    #[cfg(feature = "rsa")]
    pub(super) const RSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11];
    #[cfg(feature = "rsa")]
    pub(super) const RSA_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 12];
    #[cfg(feature = "rsa")]
    pub(super) const RSA_SHA512: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 13];
    pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
    pub(super) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 17];
    pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 19];
    pub(super) const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1D, 32];
    pub(super) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37];
    pub(super) const ANY_EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37, 0];
    pub(super) const SERVER_AUTH: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 1];
}

/// Bits of KeyUsage (RFC 5280, section 4.2.1.3), the first named one highest.
const DIGITAL_SIGNATURE: u8 = 0x80;
const KEY_CERT_SIGN: u8 = 0x04;

/// What of a certificate matters for its verification. Everything is borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Certificate<'a> {
    /// The octets that the issuer signed.
    pub(crate) signed: &'a [u8],
    /// The issuer's signature, if its algorithm is known.
    pub(crate) signature: Option<(Algorithm, &'a [u8])>,
    /// Names as they are encoded.
    pub(crate) issuer: &'a [u8],
    pub(crate) subject: &'a [u8],
    /// Seconds since 1970, both included.
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
    /// SubjectPublicKeyInfo as it is encoded: what a pin is for.
    pub(crate) key_info: &'a [u8],
    /// The key, if it is of a known kind.
    pub(crate) key: Option<PublicKey<'a>>,
    /// The names in SubjectAltName, encoded one after the other.
    pub(crate) alternative_names: Option<&'a [u8]>,
    pub(crate) is_ca: bool,
    /// How many certificates of authorities may stand below this one.
    pub(crate) path_length: Option<u8>,
    key_usage: Option<u8>,
    /// ExtendedKeyUsage, if there is one, allows TLS servers.
    server_auth: Option<bool>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`]; [`CertificateError::UnknownCriticalExtension`] for one that must be
    /// understood and is not.
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, CertificateError> {
        let mut unknown_critical = false;
        let certificate = Self::read(der, &mut unknown_critical);
        match certificate {
            Ok(_) if unknown_critical => Err(CertificateError::UnknownCriticalExtension),
            Ok(certificate) => Ok(certificate),
            Err(_) => Err(CertificateError::Malformed),
        }
    }

    /// Whether the key may sign a TLS handshake of a server.
    pub(crate) fn may_serve(&self) -> bool {
        self.key_usage
            .is_none_or(|bits| bits & DIGITAL_SIGNATURE != 0)
            && self.server_auth != Some(false)
    }

    /// Whether the key may sign certificates of TLS servers, with `below` certificates of authorities
    /// between this one and the server's.
    pub(crate) fn may_issue(&self, below: usize) -> bool {
        self.is_ca
            && self.key_usage.is_none_or(|bits| bits & KEY_CERT_SIGN != 0)
            && self.server_auth != Some(false)
            && self
                .path_length
                .is_none_or(|limit| below <= usize::from(limit))
    }

    fn read(der: &'a [u8], unknown_critical: &mut bool) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let parts = sequence(&mut reader)?;
        reader.finish(())?;
        let mut parts = SliceReader::new(parts)?;
        let signed = parts.tlv_bytes()?;
        let algorithm = parts.tlv_bytes()?;
        let signature = BitStringRef::decode(&mut parts)?;
        let signature = signature.as_bytes().ok_or_else(malformed)?;
        parts.finish(())?;

        let mut outer = SliceReader::new(signed)?;
        let mut fields = SliceReader::new(sequence(&mut outer)?)?;
        skip_context(&mut fields, 0)?;
        // The serial number.
        fields.tlv_bytes()?;
        if fields.tlv_bytes()? != algorithm {
            return Err(malformed());
        }
        let issuer = fields.tlv_bytes()?;
        let mut validity = SliceReader::new(sequence(&mut fields)?)?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        let subject = fields.tlv_bytes()?;
        let key_info = fields.tlv_bytes()?;
        let mut certificate = Self {
            signed,
            signature: signature_algorithm(algorithm)?.map(|it| (it, signature)),
            issuer,
            subject,
            not_before,
            not_after,
            key_info,
            key: public_key(key_info)?,
            alternative_names: None,
            is_ca: false,
            path_length: None,
            key_usage: None,
            server_auth: None,
        };
        skip_context(&mut fields, 1)?;
        skip_context(&mut fields, 2)?;
        if !fields.is_finished() {
            let wrapper = AnyRef::decode(&mut fields)?;
            if !is_context(wrapper.header_tag(), 3) {
                return Err(malformed());
            }
            let mut wrapper = SliceReader::new(wrapper.value())?;
            let mut extensions = SliceReader::new(sequence(&mut wrapper)?)?;
            while !extensions.is_finished() {
                let extension = sequence(&mut extensions)?;
                *unknown_critical |= certificate.take_extension(extension)?;
            }
        }
        Ok(certificate)
    }

    /// Returns whether it is critical and unknown.
    fn take_extension(&mut self, extension: &'a [u8]) -> der::Result<bool> {
        let mut fields = SliceReader::new(extension)?;
        let identifier = value_of(&mut fields, Tag::ObjectIdentifier)?;
        let critical = if fields.peek_tag()? == Tag::Boolean {
            bool::decode(&mut fields)?
        } else {
            false
        };
        let value = value_of(&mut fields, Tag::OctetString)?;
        fields.finish(())?;
        let mut reader = SliceReader::new(value)?;
        match identifier {
            oid::BASIC_CONSTRAINTS => {
                let mut fields = SliceReader::new(sequence(&mut reader)?)?;
                if !fields.is_finished() && fields.peek_tag()? == Tag::Boolean {
                    self.is_ca = bool::decode(&mut fields)?;
                }
                if !fields.is_finished() {
                    self.path_length = Some(u8::decode(&mut fields)?);
                }
            }
            oid::KEY_USAGE => {
                let bits = BitStringRef::decode(&mut reader)?;
                self.key_usage = Some(bits.raw_bytes().first().copied().unwrap_or(0));
            }
            oid::EXTENDED_KEY_USAGE => {
                let mut purposes = SliceReader::new(sequence(&mut reader)?)?;
                let mut serves = false;
                while !purposes.is_finished() {
                    let purpose = value_of(&mut purposes, Tag::ObjectIdentifier)?;
                    serves |= matches!(purpose, oid::SERVER_AUTH | oid::ANY_EXTENDED_KEY_USAGE);
                }
                self.server_auth = Some(serves);
            }
            oid::SUBJECT_ALT_NAME => self.alternative_names = Some(sequence(&mut reader)?),
            // Any policy will do.
            oid::CERTIFICATE_POLICIES => {}
            _ => return Ok(critical),
        }
        Ok(false)
    }
}

/// Calls `visit` with the tag number and the octets of each name, until it says yes.
///
/// GeneralName is a choice by context-specific tags: 2 for a DNS name, 7 for an IP address.
pub(crate) fn any_name(names: &[u8], mut visit: impl FnMut(u8, &[u8]) -> bool) -> bool {
    let Ok(mut reader) = SliceReader::new(names) else {
        return false;
    };
    while !reader.is_finished() {
        let Ok(name) = AnyRef::decode(&mut reader) else {
            return false;
        };
        if let Tag::ContextSpecific { number, .. } = name.header_tag()
            && visit(number.value(), name.value())
        {
            return true;
        }
    }
    false
}

/// The key in SubjectPublicKeyInfo (RFC 5480, RFC 3279), if it is of a known kind.
fn public_key(key_info: &[u8]) -> der::Result<Option<PublicKey<'_>>> {
    let mut reader = SliceReader::new(key_info)?;
    let mut fields = SliceReader::new(sequence(&mut reader)?)?;
    let algorithm = algorithm_of(fields.tlv_bytes()?)?;
    let key = BitStringRef::decode(&mut fields)?;
    fields.finish(())?;
    let Some(key) = key.as_bytes() else {
        return Ok(None);
    };
    Ok(match algorithm {
        (oid::EC_PUBLIC_KEY, Some(oid::P256)) => Some(PublicKey::P256(key)),
        #[cfg(feature = "p384")]
        (oid::EC_PUBLIC_KEY, Some(oid::P384)) => Some(PublicKey::P384(key)),
        #[cfg(feature = "rsa")]
        (oid::RSA, _) => rsa_key(key)?,
        _ => None,
    })
}

/// RSAPublicKey (RFC 8017, appendix A.1.1).
#[cfg(feature = "rsa")]
fn rsa_key(key: &[u8]) -> der::Result<Option<PublicKey<'_>>> {
    let mut reader = SliceReader::new(key)?;
    let mut numbers = SliceReader::new(sequence(&mut reader)?)?;
    let modulus = UintRef::decode(&mut numbers)?.as_bytes();
    let exponent = UintRef::decode(&mut numbers)?.as_bytes();
    numbers.finish(())?;
    let value = exponent
        .iter()
        .fold(0_u32, |value, octet| value << 8 | u32::from(*octet));
    let known = exponent.len() <= 4 && super::rsa::is_supported(modulus, value);
    Ok(known.then_some(PublicKey::Rsa {
        modulus,
        exponent: value,
    }))
}

/// How a certificate was signed (RFC 5758, RFC 4055), if that is known.
fn signature_algorithm(algorithm: &[u8]) -> der::Result<Option<Algorithm>> {
    let (kind, hash) = match algorithm_of(algorithm)? {
        (oid::ECDSA_SHA256, None) => (Kind::Ecdsa, Hash::Sha256),
        #[cfg(any(feature = "p384", feature = "rsa"))]
        (oid::ECDSA_SHA384, None) => (Kind::Ecdsa, Hash::Sha384),
        #[cfg(feature = "rsa")]
        (oid::RSA_SHA256, _) => (Kind::RsaPkcs1, Hash::Sha256),
        #[cfg(feature = "rsa")]
        (oid::RSA_SHA384, _) => (Kind::RsaPkcs1, Hash::Sha384),
        #[cfg(feature = "rsa")]
        (oid::RSA_SHA512, _) => (Kind::RsaPkcs1, Hash::Sha512),
        _ => return Ok(None),
    };
    Ok(Some(Algorithm { kind, hash }))
}

/// Identifier and parameter of an AlgorithmIdentifier; only a parameter that is an identifier is told.
fn algorithm_of(algorithm: &[u8]) -> der::Result<(&[u8], Option<&[u8]>)> {
    let mut reader = SliceReader::new(algorithm)?;
    let mut fields = SliceReader::new(sequence(&mut reader)?)?;
    let identifier = value_of(&mut fields, Tag::ObjectIdentifier)?;
    if fields.is_finished() {
        return Ok((identifier, None));
    }
    let parameter = AnyRef::decode(&mut fields)?;
    fields.finish(())?;
    let parameter = match parameter.header_tag() {
        Tag::ObjectIdentifier => Some(parameter.value()),
        // Something that no known algorithm has.
        _ => Some(&[][..]),
    };
    Ok((identifier, parameter))
}

/// UTCTime or GeneralizedTime (RFC 5280, section 4.1.2.5), in seconds since 1970; what lies before is 0.
fn time(reader: &mut SliceReader<'_>) -> der::Result<u64> {
    let time = AnyRef::decode(reader)?;
    let digits = time.value().strip_suffix(b"Z").ok_or_else(malformed)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(malformed());
    }
    let mut pairs = digits.chunks(2).map(|pair| {
        pair.iter()
            .fold(0_u32, |value, digit| value * 10 + u32::from(digit - b'0'))
    });
    let mut next = |range: core::ops::RangeInclusive<u32>| match pairs.next() {
        Some(value) if range.contains(&value) => Ok(value),
        _ => Err(malformed()),
    };
    let any = 0..=99;
    let year = match (time.header_tag(), digits.len()) {
        (Tag::UtcTime, 12) => match next(any)? {
            year @ 50.. => 1900 + year,
            year => 2000 + year,
        },
        (Tag::GeneralizedTime, 14) => next(any.clone())? * 100 + next(any)?,
        _ => return Err(malformed()),
    };
    let (month, day) = (next(1..=12)?, next(1..=31)?);
    let (hour, minute, second) = (next(0..=23)?, next(0..=59)?, next(0..=59)?);
    // Years begin in March, so that a leap day is the last one.
    let (year, month) = match month {
        1 | 2 => (year.saturating_sub(1), month + 9),
        _ => (year, month - 3),
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let seconds = u64::from(hour * 3600 + minute * 60 + second);
    Ok(days
        .checked_sub(719_468)
        .map_or(0, |days| u64::from(days) * 86_400 + seconds))
}

/// The content of a SEQUENCE.
fn sequence<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    value_of(reader, Tag::Sequence)
}

fn value_of<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> der::Result<&'a [u8]> {
    let any = AnyRef::decode(reader)?;
    if any.header_tag() == tag {
        Ok(any.value())
    } else {
        Err(malformed())
    }
}

/// Skips an optional field with this context-specific tag.
fn skip_context(reader: &mut SliceReader<'_>, number: u8) -> der::Result<()> {
    if !reader.is_finished() && is_context(reader.peek_tag()?, number) {
        reader.tlv_bytes()?;
    }
    Ok(())
}

fn is_context(tag: Tag, number: u8) -> bool {
    matches!(tag, Tag::ContextSpecific { number: n, .. } if n == TagNumber::new(number))
}

fn malformed() -> der::Error {
    der::ErrorKind::Failed.into()
}

/// The tag of a value.
trait HeaderTag {
    fn header_tag(&self) -> Tag;
}

impl HeaderTag for AnyRef<'_> {
    fn header_tag(&self) -> Tag {
        der::Tagged::tag(self)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn seconds(tag: u8, text: &str) -> Option<u64> {
        let mut der = Vec::from([tag, text.len() as u8]);
        der.extend(text.bytes());
        let mut reader = SliceReader::new(&der).unwrap();
        time(&mut reader).ok()
    }

    #[test]
    fn times() {
        const UTC: u8 = 23;
        const GENERALIZED: u8 = 24;
        for (tag, text, expected) in [
            (UTC, "700101000000Z", 0),
            (UTC, "700102000001Z", 86_401),
            (UTC, "500101000000Z", 0),
            (UTC, "000229120000Z", 951_825_600),
            (UTC, "261123000000Z", 1_795_392_000),
            (UTC, "491231235959Z", 2_524_607_999),
            (GENERALIZED, "20500101000000Z", 2_524_608_000),
            (GENERALIZED, "21000301000000Z", 4_107_542_400),
            (GENERALIZED, "99991231235959Z", 253_402_300_799),
            (GENERALIZED, "00000101000000Z", 0),
        ] {
            assert_eq!(seconds(tag, text), Some(expected), "{text}");
        }
        for (tag, text) in [
            (UTC, "2611230000Z"),
            (UTC, "261123000000"),
            (UTC, "261123000000+0100"),
            (UTC, "20261123000000Z"),
            (UTC, "261323000000Z"),
            (UTC, "260023000000Z"),
            (UTC, "261100000000Z"),
            (UTC, "261123240000Z"),
            (UTC, "26112300000xZ"),
            (GENERALIZED, "261123000000Z"),
            (GENERALIZED, "20261123000000.5Z"),
            (22, "261123000000Z"),
        ] {
            assert_eq!(seconds(tag, text), None, "{text}");
        }
    }
}
