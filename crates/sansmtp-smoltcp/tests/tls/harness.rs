//! A client and a server with rustls, in memory.

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
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConnection};
use sansmtp::config::{Config, EhloName, Security, Timeouts};
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::server::{Event, Query, Server};
use sansmtp::wire::path::ReversePath;
use sansmtp::{Instant, Machine, server};
use sansmtp_smoltcp::tls::{CertificateError, Tls, TlsFailure, Trust};
use sansmtp_smoltcp::{Delivery, Failure, InMemory, PolledClock, Reason, poll_once};
use sha2::{Digest, Sha256};

pub(crate) const HOST: &str = "mx.example.org";
pub(crate) const MESSAGE: &[u8] = b"Subject: t\r\n\r\n.hot\r\n.\r\n";
/// 2026-11-23.
pub(crate) const NOW: u64 = 1_795_392_000;
pub(crate) static OLD: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];

/// What the server has, and what the client thinks of it.
pub(crate) struct Case {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: KeyPair,
    pub(crate) anchors: Vec<Vec<u8>>,
    pub(crate) pins: Vec<[u8; 32]>,
    /// Asks for no chain.
    pub(crate) pins_alone: bool,
    pub(crate) host: &'static str,
    pub(crate) now: u64,
    pub(crate) security: Security,
    pub(crate) provider: rustls::crypto::CryptoProvider,
    pub(crate) versions: &'static [&'static rustls::SupportedProtocolVersion],
    pub(crate) read_buffer: usize,
    /// The server's TLS records are cut into so many octets of content.
    pub(crate) fragment: Option<usize>,
    /// The server asks for a certificate of the client: true if it insists.
    pub(crate) wants_certificate: Option<bool>,
    /// The server takes a new key once it heard something.
    pub(crate) new_key: bool,
}

/// A key with the parameters of its certificate, so that it can issue others.
pub(crate) struct Authority {
    pub(crate) issuer: Issuer<'static, KeyPair>,
    pub(crate) der: Vec<u8>,
    pub(crate) key_info: Vec<u8>,
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

pub(crate) fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

pub(crate) fn server_params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "server");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// A key for tests; RSA keys take too long to be made.
pub(crate) fn rsa_key(bits: usize) -> KeyPair {
    let key: &[u8] = match bits {
        2048 => include_bytes!("rsa_2048.pk8"),
        3072 => include_bytes!("rsa_3072.pk8"),
        _ => include_bytes!("rsa_4096.pk8"),
    };
    KeyPair::from_pkcs8_der_and_sign_algo(&key.into(), &PKCS_RSA_SHA256).unwrap()
}

pub(crate) fn root(params: CertificateParams) -> Authority {
    root_with(params, key())
}

pub(crate) fn root_with(params: CertificateParams, key: KeyPair) -> Authority {
    let der = params.self_signed(&key).unwrap().der().to_vec();
    authority(params, key, der)
}

pub(crate) fn below(issuer: &Authority, params: CertificateParams) -> Authority {
    below_with(issuer, params, key())
}

pub(crate) fn below_with(issuer: &Authority, params: CertificateParams, key: KeyPair) -> Authority {
    let der = params
        .signed_by(&key, &issuer.issuer)
        .unwrap()
        .der()
        .to_vec();
    authority(params, key, der)
}

pub(crate) fn authority(params: CertificateParams, key: KeyPair, der: Vec<u8>) -> Authority {
    let key_info = key.subject_public_key_info();
    Authority {
        issuer: Issuer::new(params, key),
        der,
        key_info,
    }
}

/// A server with a certificate from a root that the client trusts.
pub(crate) fn good() -> Case {
    from(&root(authority_params("root")), server_params(&[HOST]))
}

pub(crate) fn from(issuer: &Authority, params: CertificateParams) -> Case {
    with_key(issuer, params, key())
}

pub(crate) fn with_key(issuer: &Authority, params: CertificateParams, key: KeyPair) -> Case {
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
        wants_certificate: None,
        new_key: false,
    }
}

/// A chain of three: the root is trusted, the middle is sent along.
pub(crate) fn with_middle(middle: CertificateParams) -> Case {
    let root = root(authority_params("root"));
    let middle = below(&root, middle);
    let mut case = from(&middle, server_params(&[HOST]));
    case.chain.push(middle.der);
    case.anchors = vec![root.der];
    case
}

pub(crate) fn pin(key_info: &[u8]) -> [u8; 32] {
    Sha256::digest(key_info).into()
}

#[derive(Default)]
pub(crate) struct Pipe {
    pub(crate) to_server: VecDeque<u8>,
    pub(crate) to_client: VecDeque<u8>,
    pub(crate) closed: bool,
}

pub(crate) struct Transport<'p>(pub(crate) &'p RefCell<Pipe>);

impl ErrorType for Transport<'_> {
    type Error = ErrorKind;
}

impl Read for Transport<'_> {
    async fn read(&mut self, out: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| {
            let mut pipe = self.0.borrow_mut();
            match std::io::Read::read(&mut pipe.to_client, out) {
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
pub(crate) struct Run {
    pub(crate) verdict: Result<(), Failure>,
    pub(crate) stored: Vec<Vec<u8>>,
}

pub(crate) fn run(case: &Case) -> Run {
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
pub(crate) struct Far<'c> {
    server: Server<'c>,
    tls: Option<ServerConnection>,
    /// What came through TLS, or in the clear, and was not taken yet.
    clear: VecDeque<u8>,
    current: Vec<u8>,
    pub(crate) stored: Vec<Vec<u8>>,
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
            if case.new_key && moved && !tls.is_handshaking() {
                tls.refresh_traffic_keys().unwrap();
            }
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

pub(crate) fn server_connection(case: &Case) -> ServerConnection {
    let chain = case.chain.iter().cloned().map(CertificateDer::from);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(case.key.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(case.provider.clone()))
        .with_protocol_versions(case.versions)
        .unwrap();
    let mut config = match case.wants_certificate {
        None => config.with_no_client_auth(),
        Some(insists) => {
            let mut roots = RootCertStore::empty();
            roots
                .add(root(authority_params("clients")).der.into())
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                Arc::new(case.provider.clone()),
            );
            let verifier = match insists {
                true => verifier.build(),
                false => verifier.allow_unauthenticated().build(),
            };
            config.with_client_cert_verifier(verifier.unwrap())
        }
    }
    .with_single_cert(chain.collect(), key)
    .unwrap();
    config.max_fragment_size = case.fragment;
    ServerConnection::new(Arc::new(config)).unwrap()
}

#[track_caller]
pub(crate) fn assert_delivered(case: &Case, what: &str) {
    let run = run(case);
    assert_eq!(run.verdict, Ok(()), "{what}");
    assert_eq!(run.stored, [MESSAGE], "{what}");
}

#[track_caller]
pub(crate) fn assert_fails(case: &Case, expected: TlsFailure, what: &str) {
    let run = run(case);
    let failure = run.verdict.expect_err(what);
    assert_eq!(failure.reason, Reason::Tls(expected), "{what}");
    assert!(!failure.outcome_unknown && !failure.may_retry(), "{what}");
    assert!(run.stored.is_empty(), "{what}");
}

#[track_caller]
pub(crate) fn assert_untrusted(case: &Case, expected: CertificateError, what: &str) {
    assert_fails(case, TlsFailure::Certificate(expected), what);
}
