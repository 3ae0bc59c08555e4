//! Certificates that the command makes for itself.

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::fingerprint;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use sha2::{Digest, Sha256};

/// A certificate and its key, in PEM.
pub(crate) struct Made {
    /// The certificate.
    pub(crate) certificate: String,
    /// Its private key.
    pub(crate) key: zeroize::Zeroizing<String>,
    /// SHA-256 of the certificate, as `AB:CD:...`.
    pub(crate) fingerprint: String,
    /// The certificate to trust: the authority's, or the same one.
    pub(crate) root: String,
}

/// A certificate for these names and addresses that vouches for itself.
pub(crate) fn self_signed(names: Vec<String>) -> Result<Made> {
    make_self_signed(names).map_err(failed)
}

/// A certificate for these names and addresses from an authority that is made
/// for it and forgotten.
pub(crate) fn throw_away(names: Vec<String>) -> Result<Made> {
    make_throw_away(names).map_err(failed)
}

fn make_self_signed(names: Vec<String>) -> std::result::Result<Made, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = server(names)?.self_signed(&key)?;
    Ok(Made {
        fingerprint: fingerprint(&Sha256::digest(certificate.der())),
        root: certificate.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem().into(),
    })
}

fn make_throw_away(names: Vec<String>) -> std::result::Result<Made, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "sansmtp throw-away authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = server(names)?.signed_by(&key, &authority)?;
    Ok(Made {
        fingerprint: fingerprint(&Sha256::digest(certificate.der())),
        root: authority.pem(),
        certificate: certificate.pem(),
        key: key.serialize_pem().into(),
    })
}

fn server(names: Vec<String>) -> std::result::Result<CertificateParams, rcgen::Error> {
    let subject = names.first().cloned().unwrap_or_default();
    let mut params = CertificateParams::new(names)?;
    // With a mark of its own, so that it is not taken for another certificate of
    // the same name that a machine may trust.
    params
        .distinguished_name
        .push(DnType::OrganizationName, "made by sansmtp");
    params.distinguished_name.push(DnType::CommonName, subject);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    // From yesterday, since clocks differ, for a year: enough for tests, and short
    // enough to be noticed as no certificate of an authority.
    let zone = jiff::tz::TimeZone::UTC;
    let today = jiff::Timestamp::now().to_zoned(zone).date();
    let yesterday = today.yesterday().unwrap_or(today);
    let date = |year: i16, day: jiff::civil::Date| {
        // 28, so that the date exists in every year and month.
        let (month, day) = (day.month().unsigned_abs(), day.day().unsigned_abs().min(28));
        rcgen::date_time_ymd(i32::from(year), month, day)
    };
    params.not_before = date(yesterday.year(), yesterday);
    params.not_after = date(today.year() + 1, today);
    Ok(params)
}

fn failed(error: rcgen::Error) -> Failure {
    Failure::new(
        Exit::Software,
        format_args!("no certificate could be made: {error}"),
        "check --hostname, or give a certificate with --cert and --key",
    )
}
