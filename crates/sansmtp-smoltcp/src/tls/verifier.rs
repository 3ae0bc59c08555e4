//! Proof that the server is the one meant, for embedded-tls.

use super::chain::Trust;
use super::cipher::Suite;
use super::error::CertificateError;
use super::key::OwnKey;
use embedded_tls::{
    CertificateEntryRef, CertificateRef, CertificateVerifyRef, TlsError, TlsVerifier,
};
use sha2::{Digest as _, Sha256};

/// Follows the proof of one handshake.
///
/// The library calls a verifier when a certificate comes, and goes on without one if none comes. So the
/// verifier remembers how far the proof went, and a handshake counts only if it
/// [`is_proven`](Self::is_proven) in the end.
#[derive(Debug)]
pub(crate) struct Verifier<'a> {
    trust: Trust<'a>,
    host: &'a str,
    now: u64,
    proof: Result<Proof, CertificateError>,
}

#[derive(Debug)]
// There is one at a time, and no allocator.
#[cfg_attr(feature = "rsa", expect(clippy::large_enum_variant))]
enum Proof {
    /// Nothing came yet.
    None,
    /// The certificates are good; the server still has to show that it has the key.
    Certified {
        key: OwnKey,
        transcript: [u8; 32],
    },
    Complete,
}

impl<'a> Verifier<'a> {
    pub(crate) fn new(trust: Trust<'a>, host: &'a str, now: u64) -> Self {
        Self {
            trust,
            host,
            now,
            proof: Ok(Proof::None),
        }
    }

    /// Whether a good certificate came and the server has its key.
    pub(crate) fn is_proven(&self) -> Result<(), CertificateError> {
        match &self.proof {
            Ok(Proof::Complete) => Ok(()),
            Ok(_) => Err(CertificateError::Missing),
            Err(error) => Err(*error),
        }
    }

    /// What was wrong with the certificate, if anything was.
    pub(crate) fn error(&self) -> Option<CertificateError> {
        self.proof.as_ref().err().copied()
    }

    fn certify(
        &self,
        transcript: &Sha256,
        certificates: &CertificateRef<'_>,
    ) -> Result<Proof, CertificateError> {
        // Exactly one proof, in its order.
        let Ok(Proof::None) = self.proof else {
            return Err(CertificateError::Malformed);
        };
        let mut sent = [&[][..]; 16];
        for (place, entry) in sent.iter_mut().zip(&certificates.entries) {
            match entry {
                CertificateEntryRef::X509(certificate) => *place = certificate,
                CertificateEntryRef::RawPublicKey(_) => return Err(CertificateError::Malformed),
            }
        }
        let sent = sent.get(..certificates.entries.len()).unwrap_or_default();
        let key = self.trust.check(sent, self.host, self.now)?;
        Ok(Proof::Certified {
            key: key.copy().ok_or(CertificateError::UnsupportedKey)?,
            transcript: transcript.clone().finalize().into(),
        })
    }

    /// RFC 8446, section 4.4.3.
    fn prove(&self, verify: &CertificateVerifyRef<'_>) -> Result<Proof, CertificateError> {
        let Ok(Proof::Certified { key, transcript }) = &self.proof else {
            return Err(CertificateError::Missing);
        };
        let key = key.borrow();
        let algorithm = key
            .algorithm(verify.signature_scheme)
            .ok_or(CertificateError::UnsupportedKey)?;
        let signed: [&[u8]; 3] = [
            &[0x20; 64],
            b"TLS 1.3, server CertificateVerify\0",
            transcript,
        ];
        if key.signed(algorithm, &signed, verify.signature) {
            Ok(Proof::Complete)
        } else {
            Err(CertificateError::BadSignature)
        }
    }

    fn settle(&mut self, proof: Result<Proof, CertificateError>) -> Result<(), TlsError> {
        self.proof = proof;
        match self.proof {
            Ok(_) => Ok(()),
            Err(_) => Err(TlsError::InvalidCertificate),
        }
    }
}

impl TlsVerifier<Suite> for Verifier<'_> {
    /// The host was given before.
    fn set_hostname_verification(&mut self, _: &str) -> Result<(), TlsError> {
        Ok(())
    }

    fn verify_certificate(
        &mut self,
        transcript: &Sha256,
        certificates: CertificateRef<'_>,
    ) -> Result<(), TlsError> {
        let proof = self.certify(transcript, &certificates);
        self.settle(proof)
    }

    fn verify_signature(&mut self, verify: CertificateVerifyRef<'_>) -> Result<(), TlsError> {
        let proof = self.prove(&verify);
        self.settle(proof)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use embedded_tls::SignatureScheme;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use p256::ecdsa::{DerSignature, SigningKey};
    use p256::pkcs8::DecodePrivateKey;
    use rcgen::{CertificateParams, KeyPair};
    use std::vec::Vec;

    const NOW: u64 = 1_795_392_000;

    struct Server {
        certificate: Vec<u8>,
        key: SigningKey,
    }

    fn server() -> Server {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["mx.example.org".into()]).unwrap();
        Server {
            certificate: params.self_signed(&key).unwrap().der().to_vec(),
            key: SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap(),
        }
    }

    fn show(verifier: &mut Verifier<'_>, server: &Server, transcript: &Sha256) -> bool {
        let mut message = CertificateRef::with_context(&[]);
        message
            .add(CertificateEntryRef::X509(&server.certificate))
            .unwrap();
        verifier.verify_certificate(transcript, message).is_ok()
    }

    fn sign(
        verifier: &mut Verifier<'_>,
        key: &SigningKey,
        transcript: &Sha256,
        signature_scheme: SignatureScheme,
    ) -> bool {
        let mut digest = Sha256::new();
        digest.update([0x20; 64]);
        digest.update(b"TLS 1.3, server CertificateVerify\0");
        digest.update(transcript.clone().finalize());
        let signature: DerSignature = key.sign_prehash(&digest.finalize()).unwrap();
        let verify = CertificateVerifyRef {
            signature_scheme,
            signature: signature.as_bytes(),
        };
        verifier.verify_signature(verify).is_ok()
    }

    const SCHEME: SignatureScheme = SignatureScheme::EcdsaSecp256r1Sha256;

    /// embedded-tls finishes a handshake in which messages are missing, or come in another order.
    #[test]
    fn only_the_whole_proof_in_its_order_counts() {
        let (good, thief) = (server(), server());
        let anchors = [&good.certificate[..]];
        let (said, other) = (Sha256::new_with_prefix("a"), Sha256::new_with_prefix("b"));
        let verifier = || Verifier::new(Trust::anchors(&anchors), "mx.example.org", NOW);

        let mut whole = verifier();
        assert!(show(&mut whole, &good, &said) && sign(&mut whole, &good.key, &said, SCHEME));
        assert_eq!(whole.is_proven(), Ok(()));

        assert_eq!(verifier().is_proven(), Err(CertificateError::Missing));
        let mut unsigned = verifier();
        assert!(show(&mut unsigned, &good, &said));
        assert_eq!(unsigned.is_proven(), Err(CertificateError::Missing));
        let mut early = verifier();
        assert!(!sign(&mut early, &good.key, &said, SCHEME));
        assert!(!show(&mut early, &good, &said));
        assert!(early.is_proven().is_err());

        let mut stolen = verifier();
        assert!(show(&mut stolen, &good, &said) && !sign(&mut stolen, &thief.key, &said, SCHEME));
        assert_eq!(stolen.is_proven(), Err(CertificateError::BadSignature));
        let mut replayed = verifier();
        assert!(
            show(&mut replayed, &good, &said) && !sign(&mut replayed, &good.key, &other, SCHEME)
        );
        assert_eq!(replayed.is_proven(), Err(CertificateError::BadSignature));
        let mut twice = verifier();
        assert!(show(&mut twice, &good, &said) && !show(&mut twice, &good, &said));
        assert!(twice.is_proven().is_err());
        let mut scheme = verifier();
        assert!(show(&mut scheme, &good, &said));
        let rsa = SignatureScheme::RsaPssRsaeSha256;
        assert!(!sign(&mut scheme, &good.key, &said, rsa));
        assert_eq!(scheme.is_proven(), Err(CertificateError::UnsupportedKey));
        let mut unknown = verifier();
        assert!(!show(&mut unknown, &thief, &said));
        assert!(!sign(&mut unknown, &thief.key, &said, SCHEME));
        assert!(unknown.is_proven().is_err());
    }
}
