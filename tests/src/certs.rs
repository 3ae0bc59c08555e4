//! A certification authority and server certificates, good and bad, as PEM files.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;

use crate::Error;

/// A certificate and its private key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// PEM file with the certificate.
    pub certificate: PathBuf,
    /// PEM file with the private key (PKCS #8).
    pub key: PathBuf,
}

/// One authority and what it signed, in a directory of their own that is removed on drop.
#[derive(Debug)]
pub struct Certs {
    directory: TempDir,
    /// PEM file with the authority's certificate: what a client must trust.
    pub ca: PathBuf,
    /// The same in DER.
    pub ca_der: PathBuf,
    /// Valid for `localhost` and 127.0.0.1.
    pub server: Identity,
    /// Names as in `server`, but signed by an authority that nobody trusts.
    pub untrusted: Identity,
    /// Signed by the trusted authority, but for `wrong.example` only.
    pub wrong_host: Identity,
    /// Signed by the trusted authority for the right names, but no longer valid since 2001.
    pub expired: Identity,
    /// The right name is the fourth of four.
    pub fourth_name: Identity,
    /// `localhost` is the common name; there is no alternative name.
    pub common_name_only: Identity,
    /// Names as in `server`; the file holds the certificate twice.
    pub sent_twice: Identity,
    /// Names as in `server`, issued by an authority below the trusted one, which is in the file.
    pub chained: Identity,
    /// Names as in `server`, issued by somebody whom the trusted authority certified as no authority.
    pub issued_by_nobody: Identity,
}

impl Certs {
    /// Makes new keys and certificates.
    ///
    /// # Errors
    /// If a key cannot be made or a file cannot be written.
    pub fn new() -> Result<Self, Error> {
        let directory = TempDir::with_prefix("sansmtp-certs-")
            .map_err(|e| Error::during("a directory for certificates", e))?;
        let at = directory.path();
        let ca = Authority::new("sansmtp test authority")?;
        let stranger = Authority::new("sansmtp untrusted authority")?;
        let ca_file = at.join("ca.pem");
        write(&ca_file, &ca.pem)?;
        let ca_der = at.join("ca.der");
        fs::write(&ca_der, &ca.der).map_err(|e| Error::during(ca_der.display(), e))?;
        let here = ["localhost", "127.0.0.1"];
        Ok(Self {
            server: ca.issue(at, "server", &here, Validity::Usual)?,
            untrusted: stranger.issue(at, "untrusted", &here, Validity::Usual)?,
            wrong_host: ca.issue(at, "wrong_host", &["wrong.example"], Validity::Usual)?,
            expired: ca.issue(at, "expired", &here, Validity::Over)?,
            fourth_name: ca.issue(
                at,
                "fourth_name",
                &["a.test", "b.test", "c.test", "localhost"],
                Validity::Usual,
            )?,
            common_name_only: ca.issue(at, "localhost", &[], Validity::Usual)?,
            sent_twice: ca
                .issue(at, "sent_twice", &here, Validity::Usual)?
                .followed_by(None)?,
            chained: ca.issue_below(at, "chained", &here, Standing::Authority)?,
            issued_by_nobody: ca.issue_below(at, "issued_by_nobody", &here, Standing::Nobody)?,
            ca: ca_file,
            ca_der,
            directory,
        })
    }

    /// The directory with all files.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

#[derive(Clone, Copy)]
enum Validity {
    Usual,
    Over,
}

/// What the issuer of a certificate may do.
#[derive(Clone, Copy)]
enum Standing {
    Authority,
    Nobody,
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
}

impl Identity {
    /// Adds a certificate to the file: this one, or once more its own.
    fn followed_by(self, other: Option<&str>) -> Result<Self, Error> {
        let failed = |e| Error::during(self.certificate.display(), e);
        let own = fs::read_to_string(&self.certificate).map_err(failed)?;
        write(
            &self.certificate,
            &format!("{own}{}", other.unwrap_or(&own)),
        )?;
        Ok(self)
    }
}

impl Authority {
    fn new(name: &str) -> Result<Self, Error> {
        let failed = |e: rcgen::Error| Error::during("the test authority", e);
        let key = KeyPair::generate().map_err(failed)?;
        let params = Self::params(name);
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            issuer: Issuer::new(params, key),
        })
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }

    /// A certificate whose issuer was certified by this authority, and stands behind it in the file.
    fn issue_below(
        &self,
        directory: &Path,
        file: &str,
        names: &[&str],
        standing: Standing,
    ) -> Result<Identity, Error> {
        let failed = |e: rcgen::Error| Error::during("the authority between", e);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = Self::params("sansmtp authority between");
        if let Standing::Nobody = standing {
            params.is_ca = IsCa::ExplicitNoCa;
        }
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let between = Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            issuer: Issuer::new(params, key),
        };
        between
            .issue(directory, file, names, Validity::Usual)?
            .followed_by(Some(&between.pem))
    }

    fn issue(
        &self,
        directory: &Path,
        file: &str,
        names: &[&str],
        validity: Validity,
    ) -> Result<Identity, Error> {
        let failed = |e: rcgen::Error| Error::during("a test certificate", e);
        let key = KeyPair::generate().map_err(failed)?;
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, file);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if let Validity::Over = validity {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        let identity = Identity {
            certificate: directory.join(format!("{file}.pem")),
            key: directory.join(format!("{file}.key.pem")),
        };
        write(&identity.certificate, &certificate.pem())?;
        write(&identity.key, &key.serialize_pem())?;
        Ok(identity)
    }
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    fs::write(file, text).map_err(|e| Error::during(file.display(), e))
}
