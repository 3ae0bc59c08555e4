//! From the server's certificate to a trust anchor.

use super::CertificateError;
use super::certificate::Certificate;
use super::key::PublicKey;
use super::name;
use sha2::{Digest, Sha256};

/// The most certificates that a server may send.
const SENT: usize = 8;
/// Signatures that are checked for one chain: a server can not keep the processor busy for long.
const SIGNATURES: u8 = 8;
/// Authorities between the anchor and the server's certificate.
const DEPTH: usize = 4;

/// What makes a server trustworthy.
///
/// Anchors and pins together ask for both: a chain to an anchor, and a pinned key in it.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// Certificates (DER) of authorities, or the server's own.
    /// `None` asks for no chain.
    anchors: Option<&'a [&'a [u8]]>,
    /// Empty asks for no pin, if there are anchors.
    pins: &'a [[u8; 32]],
}

impl<'a> Trust<'a> {
    /// Trusts servers with a chain to one of these certificates (DER): authorities, or the very
    /// certificate of the server. Its name and its time must be right too.
    pub const fn anchors(anchors: &'a [&'a [u8]]) -> Self {
        Self {
            anchors: Some(anchors),
            pins: &[],
        }
    }

    /// Also asks that a key in the chain is one of these: the SHA-256 of its SubjectPublicKeyInfo (as in RFC
    /// 7469, section 2.4). The key may be that of the server, of an authority or of the anchor.
    #[must_use]
    pub const fn and_pins(mut self, pins: &'a [[u8; 32]]) -> Self {
        self.pins = pins;
        self
    }

    /// Trusts a server because of its key alone: the SHA-256 of its SubjectPublicKeyInfo. Neither issuer nor
    /// name nor time of its certificate count, so no clock is needed.
    pub const fn pins_alone(pins: &'a [[u8; 32]]) -> Self {
        Self {
            anchors: None,
            pins,
        }
    }

    /// Checks the certificates that a server sent, its own first, and returns its key. `now` is in
    /// seconds since 1970.
    ///
    /// The others may come in any order, some of them twice or without use.
    ///
    /// # Errors
    /// The first thing that is wrong with the server's own certificate, else why no chain was found.
    pub(crate) fn check<'c>(
        &self,
        sent: &[&'c [u8]],
        host: &str,
        now: u64,
    ) -> Result<PublicKey<'c>, CertificateError> {
        let Some((own, others)) = sent.split_first() else {
            return Err(CertificateError::Missing);
        };
        if sent.len() > SENT {
            return Err(CertificateError::TooMany);
        }
        let server = Certificate::parse(own)?;
        let key = server.key.ok_or(CertificateError::UnsupportedKey)?;
        let Some(anchors) = self.anchors else {
            return if self.is_pinned(&server) {
                Ok(key)
            } else {
                Err(CertificateError::NotPinned)
            };
        };
        check_time(&server, now)?;
        if !server
            .alternative_names
            .is_some_and(|names| name::is_for(names, host))
        {
            return Err(CertificateError::WrongHost);
        }
        if !server.may_serve() {
            return Err(CertificateError::WrongPurpose);
        }
        let mut search = Search {
            trust: self,
            anchors,
            others,
            now,
            signatures: SIGNATURES,
            best: CertificateError::UnknownIssuer,
        };
        let pinned = self.is_pinned(&server);
        let is_anchor = anchors.contains(own);
        if is_anchor && pinned || search.up(&server, 0, pinned) {
            Ok(key)
        } else if is_anchor {
            Err(CertificateError::NotPinned)
        } else {
            Err(search.best)
        }
    }

    /// Whether the key is a pinned one, or none is asked for.
    fn is_pinned(&self, certificate: &Certificate<'_>) -> bool {
        self.pins.is_empty() && self.anchors.is_some()
            || self
                .pins
                .contains(&Sha256::digest(certificate.key_info).into())
    }
}

/// A search upwards, depth first.
struct Search<'s, 'c> {
    trust: &'s Trust<'s>,
    anchors: &'s [&'s [u8]],
    others: &'s [&'c [u8]],
    now: u64,
    signatures: u8,
    /// The most telling reason why a way ended.
    best: CertificateError,
}

impl Search<'_, '_> {
    /// Looks for the issuer of `certificate`, which has `below` authorities below it. `pinned` says whether
    /// a pinned key was met.
    fn up(&mut self, certificate: &Certificate<'_>, below: usize, pinned: bool) -> bool {
        for anchor in self.anchors {
            let Ok(issuer) = Certificate::parse(anchor) else {
                self.best = CertificateError::BadAnchor;
                continue;
            };
            if self.is_issued(certificate, &issuer, below) {
                if pinned || self.trust.is_pinned(&issuer) {
                    return true;
                }
                self.best = CertificateError::NotPinned;
            }
        }
        if below == DEPTH {
            return false;
        }
        for other in self.others {
            let Ok(issuer) = Certificate::parse(other) else {
                continue;
            };
            // A certificate that issued itself leads nowhere.
            if issuer.subject == issuer.issuer || !self.is_issued(certificate, &issuer, below) {
                continue;
            }
            if let Err(error) = check_time(&issuer, self.now) {
                self.best = error;
                continue;
            }
            let pinned = pinned || self.trust.is_pinned(&issuer);
            if self.up(&issuer, below + 1, pinned) {
                return true;
            }
        }
        false
    }

    /// Whether `issuer` had the right to sign `certificate`, and did.
    fn is_issued(
        &mut self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        below: usize,
    ) -> bool {
        if certificate.issuer != issuer.subject {
            return false;
        }
        if !issuer.may_issue(below) {
            self.best = CertificateError::IssuerNotAllowed;
            return false;
        }
        let (Some((algorithm, signature)), Some(key)) = (certificate.signature, issuer.key) else {
            self.best = CertificateError::UnsupportedKey;
            return false;
        };
        let Some(left) = self.signatures.checked_sub(1) else {
            self.best = CertificateError::TooMany;
            return false;
        };
        self.signatures = left;
        let good = key.signed(algorithm, &[certificate.signed], signature);
        if !good {
            self.best = CertificateError::BadSignature;
        }
        good
    }
}

fn check_time(certificate: &Certificate<'_>, now: u64) -> Result<(), CertificateError> {
    if now < certificate.not_before {
        return Err(CertificateError::NotYetValid);
    }
    if now > certificate.not_after {
        return Err(CertificateError::Expired);
    }
    Ok(())
}
