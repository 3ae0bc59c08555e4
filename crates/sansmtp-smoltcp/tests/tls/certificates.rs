//! Which servers are trusted, and which are not.

use crate::harness::*;
use rcgen::PublicKeyData;
use rcgen::{
    BasicConstraints, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P384_SHA384, SanType, date_time_ymd,
};
use sansmtp::config::Security;
use sansmtp_smoltcp::tls::CertificateError;

#[test]
fn mail_goes_through_implicit_tls_and_starttls() {
    for security in [Security::ImplicitTls, Security::StartTls] {
        assert_delivered(&Case { security, ..good() }, "good");
    }
}

#[test]
fn good_certificates() {
    let root_ca = root(authority_params("root"));
    assert_delivered(
        &from(
            &root_ca,
            server_params(&["a.example.org", "b.example.org", "c.example.org", HOST]),
        ),
        "the host is the fourth name",
    );
    assert_delivered(
        &from(&root_ca, server_params(&["*.example.org"])),
        "wildcard",
    );
    let mut address = server_params(&[]);
    address.subject_alt_names = vec![SanType::IpAddress("192.0.2.25".parse().unwrap())];
    let case = from(&root_ca, address);
    assert_delivered(
        &Case {
            host: "192.0.2.25",
            ..case
        },
        "address",
    );

    let mut case = good();
    case.chain.push(case.chain[0].clone());
    assert_delivered(&case, "the certificate is sent twice");

    let mut case = with_middle(authority_params("middle"));
    assert_delivered(&case, "one authority between");
    case.chain.push(case.anchors[0].clone());
    assert_delivered(&case, "the root is sent too");
    case.chain.swap(1, 2);
    assert_delivered(&case, "in another order");

    let mut limited = authority_params("middle");
    limited.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    assert_delivered(
        &with_middle(limited),
        "no authority may follow, and none does",
    );

    let mut pinned_issuer = with_middle(authority_params("middle"));
    pinned_issuer.anchors = vec![pinned_issuer.chain[1].clone()];
    pinned_issuer.chain.truncate(1);
    assert_delivered(&pinned_issuer, "the middle is trusted itself");

    let key = key();
    let own = server_params(&[HOST])
        .self_signed(&key)
        .unwrap()
        .der()
        .to_vec();
    let case = Case {
        chain: vec![own.clone()],
        anchors: vec![b"no certificate".to_vec(), own],
        key,
        ..good()
    };
    assert_delivered(&case, "the server's own certificate is trusted");
}

#[test]
fn bad_certificates() {
    use CertificateError as E;
    let root_ca = root(authority_params("root"));
    let stranger = root(authority_params("root"));
    let mut case = good();
    case.anchors = vec![root(authority_params("other")).der];
    assert_untrusted(&case, E::UnknownIssuer, "unknown authority");
    case.anchors = vec![stranger.der];
    assert_untrusted(&case, E::BadSignature, "another authority of the same name");
    case.anchors = vec![];
    assert_untrusted(&case, E::UnknownIssuer, "no anchors");
    case.anchors = vec![b"no certificate".to_vec()];
    assert_untrusted(&case, E::BadAnchor, "an anchor that is none");

    let mut expired = server_params(&[HOST]);
    expired.not_after = date_time_ymd(2026, 11, 20);
    assert_untrusted(&from(&root_ca, expired), E::Expired, "expired");
    let mut later = server_params(&[HOST]);
    later.not_before = date_time_ymd(2026, 12, 1);
    assert_untrusted(&from(&root_ca, later), E::NotYetValid, "not yet valid");
    assert_untrusted(&Case { now: 0, ..good() }, E::NotYetValid, "no clock");
    let mut old = authority_params("middle");
    old.not_after = date_time_ymd(2020, 1, 1);
    assert_untrusted(&with_middle(old), E::Expired, "expired authority");

    let wrong = from(&root_ca, server_params(&["mx.example.net"]));
    assert_untrusted(&wrong, E::WrongHost, "wrong host");
    let deep = Case {
        host: "a.mx.example.org",
        ..from(&root_ca, server_params(&["*.example.org"]))
    };
    assert_untrusted(&deep, E::WrongHost, "a wildcard is one label");
    let address = Case {
        host: "192.0.2.25",
        ..from(&root_ca, server_params(&["mx.example.org"]))
    };
    assert_untrusted(&address, E::WrongHost, "an address that is not named");
    let mut common_name = server_params(&[]);
    common_name
        .distinguished_name
        .push(DnType::CommonName, HOST);
    assert_untrusted(
        &from(&root_ca, common_name),
        E::WrongHost,
        "common name only",
    );
    let mut both = server_params(&["mx.example.net"]);
    both.distinguished_name.push(DnType::CommonName, HOST);
    assert_untrusted(
        &from(&root_ca, both),
        E::WrongHost,
        "common name beside another name",
    );

    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let mut no_authority = authority_params("middle");
        no_authority.is_ca = is_ca;
        let what = "issued by somebody who is no authority";
        assert_untrusted(&with_middle(no_authority), E::IssuerNotAllowed, what);
        let mut anchor = authority_params("root");
        anchor.is_ca = is_ca;
        let case = from(&root(anchor), server_params(&[HOST]));
        assert_untrusted(&case, E::IssuerNotAllowed, "an anchor that is no authority");
    }
    let mut no_signing = authority_params("middle");
    no_signing.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    assert_untrusted(
        &with_middle(no_signing),
        E::IssuerNotAllowed,
        "no keyCertSign",
    );
    let mut limited = authority_params("root");
    limited.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let limited = root(limited);
    let middle = below(&limited, authority_params("middle"));
    let mut case = from(&middle, server_params(&[HOST]));
    case.chain.push(middle.der);
    case.anchors = vec![limited.der];
    assert_untrusted(
        &case,
        E::IssuerNotAllowed,
        "the chain is too long for its root",
    );

    let mut client = server_params(&[HOST]);
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_untrusted(&from(&root_ca, client), E::WrongPurpose, "for clients only");
    let mut encipher = server_params(&[HOST]);
    encipher.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    assert_untrusted(
        &from(&root_ca, encipher),
        E::WrongPurpose,
        "no digitalSignature",
    );
    let mut constrained = authority_params("middle");
    constrained.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.net".into())],
        excluded_subtrees: vec![],
    });
    // It can not be read, so it counts for nothing.
    assert_untrusted(
        &with_middle(constrained),
        E::UnknownIssuer,
        "name constraints",
    );

    if cfg!(not(feature = "p384")) {
        let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let case = with_key(&root_ca, server_params(&[HOST]), p384);
        assert_untrusted(&case, E::UnsupportedKey, "a key of P-384");
    }
    let mut case = good();
    case.chain = vec![case.chain[0].clone(); 9];
    assert_untrusted(&case, E::TooMany, "nine certificates");
}

#[test]
fn a_certificate_without_its_key_is_worth_nothing() {
    // The server shows a good certificate and signs with another key: rustls refuses to be so configured, so
    // the certificate is changed behind its back.
    let mut case = good();
    let stolen = case.chain[0].clone();
    let own = key();
    let root = root(authority_params("root"));
    let mut params = server_params(&[HOST]);
    params.distinguished_name.push(DnType::CommonName, "thief");
    let mine = params.signed_by(&own, &root.issuer).unwrap().der().to_vec();
    case.key = own;
    case.chain = vec![mine, stolen];
    assert_untrusted(
        &case,
        CertificateError::BadSignature,
        "a good one behind an own one",
    );
}

#[test]
fn pins() {
    use CertificateError as E;
    let root_ca = root(authority_params("root"));
    let case = from(&root_ca, server_params(&[HOST]));
    let own = pin(&case.key.subject_public_key_info());
    let issuer = pin(&root_ca.key_info);
    let wrong = [7; 32];
    let with = |pins: &[[u8; 32]], pins_alone, anchors: &[Vec<u8>], now| Case {
        pins: pins.to_vec(),
        pins_alone,
        anchors: anchors.to_vec(),
        now,
        chain: case.chain.clone(),
        key: KeyPair::try_from(case.key.serialize_der()).unwrap(),
        ..good()
    };
    let anchors = &case.anchors;
    assert_delivered(
        &with(&[wrong, own], false, anchors, NOW),
        "own key and chain",
    );
    assert_delivered(
        &with(&[issuer], false, anchors, NOW),
        "key of the issuer and chain",
    );
    assert_untrusted(
        &with(&[wrong], false, anchors, NOW),
        E::NotPinned,
        "wrong pin, good chain",
    );
    assert_untrusted(
        &with(&[own], false, &[], NOW),
        E::UnknownIssuer,
        "good pin, no chain",
    );
    assert_delivered(
        &with(&[own], true, &[], 0),
        "own key alone, without a clock",
    );
    assert_untrusted(
        &with(&[issuer], true, &[], NOW),
        E::NotPinned,
        "the issuer's key alone",
    );
    assert_untrusted(
        &with(&[wrong], true, &[], NOW),
        E::NotPinned,
        "wrong pin alone",
    );
    assert_untrusted(&with(&[], true, &[], NOW), E::NotPinned, "no pin alone");
}

/// A chain of an authority with `root_key`, one with `middle_key`, and a server with `key`.
#[cfg(any(feature = "p384", feature = "rsa"))]
fn chain_of(root_key: KeyPair, middle_key: KeyPair, key: KeyPair) -> Case {
    let root = root_with(authority_params("root"), root_key);
    let middle = below_with(&root, authority_params("middle"), middle_key);
    let mut case = with_key(&middle, server_params(&[HOST]), key);
    case.chain.push(middle.der);
    case.anchors = vec![root.der];
    case
}

#[cfg(feature = "p384")]
#[test]
fn p384() {
    use CertificateError as E;
    let p384 = || KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let keys: [fn() -> KeyPair; 2] = [key, || {
        KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap()
    }];
    for root_key in keys {
        for middle_key in keys {
            for server_key in keys {
                let case = chain_of(root_key(), middle_key(), server_key());
                let kinds = [
                    case.anchors[0].len(),
                    case.chain[1].len(),
                    case.chain[0].len(),
                ];
                assert_delivered(&case, &format!("{kinds:?}"));
            }
        }
    }
    let mut stranger = chain_of(p384(), p384(), p384());
    stranger.anchors = chain_of(p384(), p384(), p384()).anchors;
    assert_untrusted(&stranger, E::BadSignature, "another root of the same name");
    let case = chain_of(p384(), p384(), p384());
    let pins = vec![pin(&case.key.subject_public_key_info())];
    assert_delivered(&Case { pins, ..case }, "pinned");
}

#[cfg(feature = "rsa")]
#[test]
fn rsa() {
    use CertificateError as E;
    for bits in [2048, 3072, 4096] {
        let case = with_key(
            &root(authority_params("root")),
            server_params(&[HOST]),
            rsa_key(bits),
        );
        assert_delivered(&case, &format!("the server has {bits} bits"));
        let case = chain_of(rsa_key(bits), rsa_key(2048), key());
        assert_delivered(&case, &format!("the root has {bits} bits"));
    }
    // The same keys, so only what was signed tells them apart.
    let mut changed = chain_of(rsa_key(2048), rsa_key(3072), rsa_key(4096));
    assert_delivered(&changed, "three keys");
    let serial_number = 15;
    changed.chain[1][serial_number + 2] ^= 1;
    assert_untrusted(&changed, E::BadSignature, "a changed certificate");
    let case = chain_of(rsa_key(2048), rsa_key(2048), rsa_key(2048));
    let pins = vec![pin(&case.key.subject_public_key_info())];
    assert_delivered(&Case { pins, ..case }, "pinned");
}

#[cfg(not(feature = "rsa"))]
#[test]
fn an_rsa_chain_is_unknown_without_the_feature() {
    let root_ca = root_with(authority_params("root"), rsa_key(2048));
    let case = from(&root_ca, server_params(&[HOST]));
    assert_untrusted(&case, CertificateError::UnsupportedKey, "signed by RSA");
}
