//! What ties AUTH to a TLS connection (RFC 5929, RFC 9266).

use sansmtp::auth::{BindingKind, ChannelBinding};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio_rustls::rustls::{ConnectionCommon, ProtocolVersion};

/// `tls-exporter`, with TLS 1.3 only: before, it is safe only under conditions
/// that the TLS library does not tell of (RFC 9266, section 4.2).
pub(crate) fn exporter<D>(connection: &ConnectionCommon<D>) -> Option<ChannelBinding> {
    if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    let octets = connection
        .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""))
        .ok()?;
    ChannelBinding::new(BindingKind::TlsExporter, &octets)
}

/// `tls-server-end-point`: the hash of the server's certificate in DER. `None` if
/// its signature is of a kind that the standard names no hash function for.
pub(crate) fn end_point(certificate: &[u8]) -> Option<ChannelBinding> {
    let hash = match signature_hash(certificate)? {
        SignatureHash::Sha256 => Sha256::digest(certificate).to_vec(),
        SignatureHash::Sha384 => Sha384::digest(certificate).to_vec(),
        SignatureHash::Sha512 => Sha512::digest(certificate).to_vec(),
    };
    ChannelBinding::new(BindingKind::TlsServerEndPoint, &hash)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignatureHash {
    Sha256,
    Sha384,
    Sha512,
}

/// The hash function of the certificate's signature; SHA-256 stands in for MD5 and
/// SHA-1 (RFC 5929, section 4.1).
fn signature_hash(certificate: &[u8]) -> Option<SignatureHash> {
    const SEQUENCE: u8 = 0x30;
    const OBJECT_IDENTIFIER: u8 = 0x06;
    // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm
    // SEQUENCE { algorithm OBJECT IDENTIFIER, ... }, ... } (RFC 5280, section 4.1)
    let (certificate, _) = element(SEQUENCE, certificate)?;
    let (_, rest) = element(SEQUENCE, certificate)?;
    let (algorithm, _) = element(SEQUENCE, rest)?;
    let (oid, _) = element(OBJECT_IDENTIFIER, algorithm)?;
    // PKCS #1 and ECDSA, by their last octets.
    let pkcs1 = oid.strip_prefix(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01]);
    let ecdsa = oid.strip_prefix(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04]);
    match (pkcs1, ecdsa) {
        (Some([4 | 5 | 11]), _) | (_, Some([1] | [3, 2])) => Some(SignatureHash::Sha256),
        (Some([12]), _) | (_, Some([3, 3])) => Some(SignatureHash::Sha384),
        (Some([13]), _) | (_, Some([3, 4])) => Some(SignatureHash::Sha512),
        _ => None,
    }
}

/// The content of the DER element that `input` begins with, and what follows.
fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = input.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let add = |sum: usize, octet: &u8| sum << 8 | usize::from(*octet);
            (octets.iter().fold(0, add), rest)
        }
        _ => return None,
    };
    (first == tag).then_some(())?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    #[test]
    fn the_hash_is_that_of_the_signature() {
        for (algorithm, length) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, 32),
            (&rcgen::PKCS_ECDSA_P384_SHA384, 48),
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let params = CertificateParams::new(["mx.example.org".to_owned()]).unwrap();
            let certificate = params.self_signed(&key).unwrap();
            let binding = end_point(certificate.der()).unwrap();
            assert_eq!(binding.kind(), BindingKind::TlsServerEndPoint);
            assert_eq!(binding.octets().len(), length);
            for cut in 0..certificate.der().len() / 2 {
                assert!(end_point(&certificate.der()[..cut]).is_none());
            }
        }
        // The standard leaves Ed25519 open.
        let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let params = CertificateParams::new(["mx.example.org".to_owned()]).unwrap();
        assert!(end_point(params.self_signed(&key).unwrap().der()).is_none());
    }
}
