//! Mail through TLS to a server with rustls, in memory: which servers are trusted, and which are not.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use rand_core::OsRng;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PublicKeyData, SanType, date_time_ymd,
};
use rustls::ServerConnection;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sansmtp::config::{Config, EhloName, Security, Timeouts};
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::server::{Event, Query, Server};
use sansmtp::wire::path::ReversePath;
use sansmtp::{Error, Instant, Machine, error, server};
use sansmtp_smoltcp::tls::{CertificateError, Tls, TlsFailure, Trust};
use sansmtp_smoltcp::{Delivery, Failure, InMemory, PolledClock, Reason, poll_once};
use sha2::{Digest, Sha256};

const HOST: &str = "mx.example.org";
const MESSAGE: &[u8] = b"Subject: t\r\n\r\n.hot\r\n.\r\n";
/// 2026-11-23.
const NOW: u64 = 1_795_392_000;
static OLD: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];

/// What the server has, and what the client thinks of it.
struct Case {
    chain: Vec<Vec<u8>>,
    key: KeyPair,
    anchors: Vec<Vec<u8>>,
    pins: Vec<[u8; 32]>,
    /// Asks for no chain.
    pins_alone: bool,
    host: &'static str,
    now: u64,
    security: Security,
    provider: rustls::crypto::CryptoProvider,
    versions: &'static [&'static rustls::SupportedProtocolVersion],
    read_buffer: usize,
    /// The server's TLS records are cut into so many octets of content.
    fragment: Option<usize>,
}

/// A key with the parameters of its certificate, so that it can issue others.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
    key_info: Vec<u8>,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn server_params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "server");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn root(params: CertificateParams) -> Authority {
    let key = key();
    let der = params.self_signed(&key).unwrap().der().to_vec();
    authority(params, key, der)
}

fn below(issuer: &Authority, params: CertificateParams) -> Authority {
    let key = key();
    let der = params
        .signed_by(&key, &issuer.issuer)
        .unwrap()
        .der()
        .to_vec();
    authority(params, key, der)
}

fn authority(params: CertificateParams, key: KeyPair, der: Vec<u8>) -> Authority {
    let key_info = key.subject_public_key_info();
    Authority {
        issuer: Issuer::new(params, key),
        der,
        key_info,
    }
}

/// A server with a certificate from a root that the client trusts.
fn good() -> Case {
    from(&root(authority_params("root")), server_params(&[HOST]))
}

fn from(issuer: &Authority, params: CertificateParams) -> Case {
    with_key(issuer, params, key())
}

fn with_key(issuer: &Authority, params: CertificateParams, key: KeyPair) -> Case {
    let der = params
        .signed_by(&key, &issuer.issuer)
        .unwrap()
        .der()
        .to_vec();
    Case {
        chain: vec![der],
        key,
        anchors: vec![issuer.der.clone()],
        pins: Vec::new(),
        pins_alone: false,
        host: HOST,
        now: NOW,
        security: Security::ImplicitTls,
        provider: ring::default_provider(),
        versions: rustls::ALL_VERSIONS,
        read_buffer: 16_640,
        fragment: None,
    }
}

/// A chain of three: the root is trusted, the middle is sent along.
fn with_middle(middle: CertificateParams) -> Case {
    let root = root(authority_params("root"));
    let middle = below(&root, middle);
    let mut case = from(&middle, server_params(&[HOST]));
    case.chain.push(middle.der);
    case.anchors = vec![root.der];
    case
}

fn pin(key_info: &[u8]) -> [u8; 32] {
    Sha256::digest(key_info).into()
}

#[derive(Default)]
struct Pipe {
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    closed: bool,
}

struct Transport<'p>(&'p RefCell<Pipe>);

impl ErrorType for Transport<'_> {
    type Error = ErrorKind;
}

impl Read for Transport<'_> {
    async fn read(&mut self, out: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| {
            let mut pipe = self.0.borrow_mut();
            match pipe.to_client.read(out) {
                Ok(0) if !pipe.closed => Poll::Pending,
                Ok(length) => Poll::Ready(Ok(length)),
                Err(_) => Poll::Ready(Err(ErrorKind::Other)),
            }
        })
        .await
    }
}

impl Write for Transport<'_> {
    async fn write(&mut self, octets: &[u8]) -> Result<usize, ErrorKind> {
        self.0.borrow_mut().to_server.extend(octets);
        Ok(octets.len())
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// What became of a mail.
#[derive(Debug)]
struct Run {
    verdict: Result<(), Failure>,
    stored: Vec<Vec<u8>>,
}

fn run(case: &Case) -> Run {
    let config = Config::new(case.host, case.security)
        .unwrap()
        .timeouts(Timeouts::all(5_000));
    let recipients = [Recipient::parse("b@example.org").unwrap()];
    let envelope = Envelope::new(ReversePath::parse("a@example.org").unwrap(), &recipients);
    let (mut line, mut outcomes) = ([0; 128], [Outcome::NotSent]);
    let mut delivery = Delivery::new(
        &config,
        &envelope,
        InMemory::new(MESSAGE),
        &mut line,
        &mut outcomes,
    );
    let anchors: Vec<&[u8]> = case.anchors.iter().map(Vec::as_slice).collect();
    let trust = match case.pins_alone {
        true => Trust::pins_alone(&case.pins),
        false => Trust::anchors(&anchors).and_pins(&case.pins),
    };
    let (mut read, mut write) = (vec![0; case.read_buffer], vec![0; 1024]);
    let mut tls = Tls::new(trust, OsRng, &mut read, &mut write);

    let hostname = EhloName::parse("mx.example.org").unwrap();
    let server_config = server::Config::new(hostname, case.security);
    let (mut server_line, mut reply) = ([0; 512], [0; 128]);
    let pipe = RefCell::new(Pipe::default());
    let mut far = Far {
        server: Server::new(
            &server_config,
            &mut server_line,
            &mut reply,
            Instant::from_millis(0),
        ),
        tls: None,
        clear: VecDeque::new(),
        current: Vec::new(),
        stored: Vec::new(),
    };
    // The clock moves only when nothing else does.
    let clock = std::cell::Cell::new(0);
    let polled = PolledClock(|| Instant::from_millis(clock.get()), || case.now);
    let mut transport = Transport(&pipe);
    {
        let mut sending = pin!(tls.deliver(&mut delivery, &mut transport, &polled));
        for round in 0.. {
            assert!(round < 100_000, "it does not end");
            if poll_once(sending.as_mut()).is_ready() {
                break;
            }
            if !far.work(case, &mut pipe.borrow_mut()) {
                clock.set(clock.get() + 100);
            }
        }
    }
    Run {
        verdict: delivery.verdict().expect("no verdict"),
        stored: far.stored,
    }
}

/// The other end.
struct Far<'c> {
    server: Server<'c>,
    tls: Option<ServerConnection>,
    /// What came through TLS, or in the clear, and was not taken yet.
    clear: VecDeque<u8>,
    current: Vec<u8>,
    stored: Vec<Vec<u8>>,
}

impl Far<'_> {
    /// Whether something moved.
    fn work(&mut self, case: &Case, pipe: &mut Pipe) -> bool {
        let now = Instant::from_millis(0);
        let mut moved = !pipe.to_server.is_empty();
        if self.tls.is_none() && self.server.wants_tls() {
            self.tls = Some(server_connection(case));
        }
        match &mut self.tls {
            None => self.clear.extend(pipe.to_server.drain(..)),
            Some(tls) => {
                while !pipe.to_server.is_empty() && !pipe.closed {
                    tls.read_tls(&mut pipe.to_server).unwrap();
                    match tls.process_new_packets() {
                        Ok(_) => {
                            let mut clear = Vec::new();
                            let _ = tls.reader().read_to_end(&mut clear);
                            self.clear.extend(clear);
                        }
                        Err(_) => {
                            while tls.wants_write() {
                                tls.write_tls(&mut pipe.to_client).unwrap();
                            }
                            pipe.closed = true;
                        }
                    }
                }
                if self.server.wants_tls() && !tls.is_handshaking() {
                    self.server.tls_established(now).unwrap();
                }
            }
        }
        loop {
            let mut out = [0; 512];
            let length = self.server.transmit(now, &mut out);
            match &mut self.tls {
                Some(tls) if self.server.is_tls() => {
                    tls.writer().write_all(&out[..length]).unwrap();
                }
                _ => pipe.to_client.extend(&out[..length]),
            }
            let input = self.clear.make_contiguous();
            let (used, event) = self.server.receive(now, input).unwrap();
            let quiet = used == 0 && event.is_none();
            match event {
                Some(Event::Content(octets)) => self.current.extend(octets),
                Some(Event::Request(request)) => {
                    if let Query::Message { .. } = request.query() {
                        self.stored.push(core::mem::take(&mut self.current));
                    }
                    request.accept();
                }
                _ => {}
            }
            self.clear.drain(..used);
            moved |= length > 0 || !quiet;
            if quiet && length == 0 {
                break;
            }
        }
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() && !pipe.closed {
                tls.write_tls(&mut pipe.to_client).unwrap();
                moved = true;
            }
        }
        if self.server.is_closed() {
            pipe.closed = true;
        }
        moved
    }
}

fn server_connection(case: &Case) -> ServerConnection {
    let chain = case.chain.iter().cloned().map(CertificateDer::from);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(case.key.serialize_der()));
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(case.provider.clone()))
        .with_protocol_versions(case.versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.collect(), key)
        .unwrap();
    config.max_fragment_size = case.fragment;
    ServerConnection::new(Arc::new(config)).unwrap()
}

#[track_caller]
fn assert_delivered(case: &Case, what: &str) {
    let run = run(case);
    assert_eq!(run.verdict, Ok(()), "{what}");
    assert_eq!(run.stored, [MESSAGE], "{what}");
}

#[track_caller]
fn assert_fails(case: &Case, expected: TlsFailure, what: &str) {
    let run = run(case);
    let failure = run.verdict.expect_err(what);
    assert_eq!(failure.reason, Reason::Tls(expected), "{what}");
    assert!(!failure.outcome_unknown && !failure.may_retry(), "{what}");
    assert!(run.stored.is_empty(), "{what}");
}

#[track_caller]
fn assert_untrusted(case: &Case, expected: CertificateError, what: &str) {
    assert_fails(case, TlsFailure::Certificate(expected), what);
}

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

    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let case = with_key(&root_ca, server_params(&[HOST]), p384);
    assert_untrusted(&case, E::UnsupportedKey, "a key of P-384");
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

#[test]
fn what_the_library_can_not_do_is_said() {
    let old = Case {
        versions: OLD,
        ..good()
    };
    assert_fails(
        &old,
        TlsFailure::Alert(70),
        "TLS 1.2 only: protocol_version",
    );
    let mut provider = ring::default_provider();
    provider.kx_groups = vec![ring::kx_group::X25519];
    // handshake_failure
    assert_fails(
        &Case { provider, ..good() },
        TlsFailure::Alert(40),
        "X25519 only",
    );
    let mut provider = ring::default_provider();
    provider.cipher_suites = vec![ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
    assert_fails(
        &Case { provider, ..good() },
        TlsFailure::Alert(40),
        "no AES-128-GCM",
    );
    let small = Case {
        read_buffer: 256,
        ..good()
    };
    assert_fails(&small, TlsFailure::BufferTooSmall, "a small buffer");
    assert_delivered(
        &Case {
            read_buffer: 1024,
            ..good()
        },
        "1 KiB is enough for this chain",
    );
}

#[test]
fn a_silent_server_and_a_lost_connection_are_errors_of_the_dialogue() {
    let config = Config::new(HOST, Security::ImplicitTls)
        .unwrap()
        .timeouts(Timeouts::all(5_000));
    let recipients = [Recipient::parse("b@example.org").unwrap()];
    let envelope = Envelope::new(ReversePath::parse("a@example.org").unwrap(), &recipients);
    for (said, closed, expected) in [
        (&b""[..], false, "time out"),
        (b"", true, "lost"),
        (b"220 mx.example.org ESMTP\r\n", false, "no TLS"),
        // A record in the clear behind the ServerHello, application data before it, too short a one.
        (b"\x17\x03\x03\x00\x20", false, "no TLS"),
        (b"\x14\x03\x03\x00\x01\x01", false, "no TLS"),
        (b"\x16\x03\x03\x00\x00", false, "no TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x28", false, "alert"),
    ] {
        let (mut line, mut outcomes) = ([0; 128], [Outcome::NotSent]);
        let mut delivery = Delivery::new(
            &config,
            &envelope,
            InMemory::new(MESSAGE),
            &mut line,
            &mut outcomes,
        );
        let (mut read, mut write) = (vec![0; 4096], vec![0; 1024]);
        let mut tls = Tls::new(Trust::anchors(&[]), OsRng, &mut read, &mut write);
        let pipe = RefCell::new(Pipe {
            to_client: said.iter().copied().collect(),
            closed,
            ..Pipe::default()
        });
        let time = std::cell::Cell::new(0);
        let clock = PolledClock(|| Instant::from_millis(time.get()), || NOW);
        let mut transport = Transport(&pipe);
        {
            let mut sending = pin!(tls.deliver(&mut delivery, &mut transport, &clock));
            while poll_once(sending.as_mut()).is_pending() {
                time.set(time.get() + 1_000);
                assert!(time.get() < 100_000);
            }
        }
        let failure = delivery.verdict().unwrap().unwrap_err();
        let stage = error::Stage::StartTls;
        let expected = match expected {
            "time out" => Reason::Smtp(Error::Timeout {
                stage,
                outcome_unknown: false,
            }),
            "lost" => Reason::Smtp(Error::Closed {
                stage,
                outcome_unknown: false,
            }),
            "alert" => Reason::Tls(TlsFailure::Alert(40)),
            _ => Reason::Tls(TlsFailure::Broken),
        };
        assert_eq!(failure.reason, expected, "{said:?}");
    }
}

#[test]
fn records_of_any_size_carry_the_dialogue_but_not_half_a_handshake_message() {
    let case = |fragment| Case {
        security: Security::StartTls,
        fragment: Some(fragment),
        ..good()
    };
    // The chain of one certificate fits.
    assert_delivered(&case(1024), "1,024 octets");
    assert_fails(
        &case(256),
        TlsFailure::Broken,
        "certificates over several records",
    );
}
