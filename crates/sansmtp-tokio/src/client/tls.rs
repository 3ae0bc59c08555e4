//! TLS: whom to trust, the handshake, and what can be wrong with it.

use super::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage,
    RootCertStore, SignatureScheme,
};

/// Whose certificates are trusted.
///
/// All connections of a mailer share it, so that TLS sessions are resumed.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    /// The verifier inside `config`, where that is known.
    verifier: Option<Arc<dyn ServerCertVerifier>>,
}

impl Tls {
    /// Trusts what the operating system trusts, the administrator's additions
    /// included.
    ///
    /// # Errors
    /// [`Error::TrustRoots`] if the system's certificates can not be read.
    #[cfg(feature = "platform-roots")]
    pub fn platform() -> Result<Self, Error> {
        let verifier = rustls_platform_verifier::Verifier::new(provider())
            .map_err(|error| Error::TrustRoots(error.to_string()))?;
        Self::verified_by(Arc::new(verifier))
    }

    /// Trusts Mozilla's list, which is compiled in.
    ///
    /// # Errors
    /// [`Error::TrustRoots`] does not come up with that list.
    #[cfg(feature = "webpki-roots")]
    pub fn webpki() -> Result<Self, Error> {
        Self::roots(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        })
    }

    /// Trusts these certificates and no other.
    ///
    /// # Errors
    /// [`Error::TrustRoots`] if there is none.
    pub fn roots(roots: RootCertStore) -> Result<Self, Error> {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| Error::TrustRoots(error.to_string()))?;
        Self::verified_by(verifier)
    }

    /// Trusts the certificates of a PEM file and no other.
    ///
    /// # Errors
    /// [`Error::TrustRoots`] if it holds none, or one that can not be read.
    pub fn pem(pem: &[u8]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| Error::TrustRoots(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| Error::TrustRoots(error.to_string()))?;
        }
        Self::roots(roots)
    }

    /// Uses this configuration as it is: own verifiers, client certificates, other
    /// cryptography.
    pub fn custom(config: Arc<ClientConfig>) -> Self {
        Self {
            config,
            verifier: None,
        }
    }

    /// What is used if nothing is said: the platform's roots, else Mozilla's list.
    pub(super) fn by_default() -> Result<Self, Error> {
        #[cfg(feature = "platform-roots")]
        return Self::platform();
        #[cfg(all(feature = "webpki-roots", not(feature = "platform-roots")))]
        return Self::webpki();
        #[cfg(not(any(feature = "webpki-roots", feature = "platform-roots")))]
        return Err(Error::TrustRoots(
            "this program was built without trusted certificates".to_owned(),
        ));
    }

    fn verified_by(verifier: Arc<dyn ServerCertVerifier>) -> Result<Self, Error> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::TrustRoots(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            verifier: Some(verifier),
        })
    }

    /// The same, but the certificates that the server shows are kept, also those
    /// that are not trusted.
    pub(super) fn recording(&self) -> (Self, Arc<Recorder>) {
        let recorder = Arc::new(Recorder {
            verifier: self.verifier.clone(),
            seen: Mutex::default(),
        });
        let mut config = (*self.config).clone();
        if self.verifier.is_some() {
            config
                .dangerous()
                .set_certificate_verifier(recorder.clone());
            // A resumed session shows no certificate.
            config.resumption = rustls::client::Resumption::disabled();
        }
        let tls = Self {
            config: Arc::new(config),
            verifier: self.verifier.clone(),
        };
        (tls, recorder)
    }

    /// Does the handshake and checks the certificate against `host`.
    pub(super) async fn handshake(
        &self,
        host: &str,
        port: u16,
        socket: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, TlsInfo), Error> {
        let failed = |fault, text: String| {
            Error::Tls(Box::new(TlsError {
                host: host.to_owned(),
                port,
                fault,
                text,
            }))
        };
        let name = server_name(host)
            .ok_or_else(|| failed(TlsFault::Other, "the host can not be verified".to_owned()))?;
        let stream = TlsConnector::from(self.config.clone())
            .connect(name, socket)
            .await
            .map_err(|error| failed(TlsFault::of(&error), describe(&error)))?;
        let info = TlsInfo::of(&stream);
        Ok((stream, info))
    }
}

/// What a TLS handshake agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The version, such as `TLSv1_3`.
    pub version: String,
    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher_suite: String,
    /// The server's certificates in DER, its own first.
    pub certificates: Vec<CertificateDer<'static>>,
}

impl TlsInfo {
    fn of(stream: &TlsStream<TcpStream>) -> Self {
        let (_, session) = stream.get_ref();
        let name = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            version: name(session.protocol_version().and_then(|v| v.as_str())),
            cipher_suite: name(
                session
                    .negotiated_cipher_suite()
                    .and_then(|s| s.suite().as_str()),
            ),
            certificates: session
                .peer_certificates()
                .map(|chain| chain.to_vec())
                .unwrap_or_default(),
        }
    }
}

/// A TLS handshake that failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsError {
    /// The server.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is wrong.
    pub fault: TlsFault,
    /// The same in the words of the TLS library.
    pub text: String,
}

/// What can be wrong with a TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// No trusted authority vouches for the certificate.
    Untrusted,
    /// The certificate is for other names.
    WrongHost {
        /// The names it is for, as far as they are known.
        presented: Vec<String>,
    },
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotValidYet,
    /// The certificate was revoked.
    Revoked,
    /// The certificate is broken or must not be used for this.
    BadCertificate,
    /// The server did not speak TLS.
    NotTls,
    /// The two sides share no version or cipher suite.
    NothingInCommon,
    /// The server refused with an alert.
    Alert,
    /// The connection was lost.
    Closed,
    /// Something else.
    Other,
}

impl TlsFault {
    fn of(error: &io::Error) -> Self {
        match tls_cause(error) {
            None => Self::Closed,
            Some(rustls::Error::InvalidCertificate(error)) => Self::of_certificate(error),
            Some(rustls::Error::NoCertificatesPresented) => Self::BadCertificate,
            Some(
                rustls::Error::InvalidMessage(
                    InvalidMessage::InvalidContentType
                    | InvalidMessage::UnknownProtocolVersion
                    | InvalidMessage::MessageTooLarge
                    | InvalidMessage::InvalidEmptyPayload,
                )
                | rustls::Error::InappropriateMessage { .. },
            ) => Self::NotTls,
            Some(
                rustls::Error::PeerIncompatible(_)
                | rustls::Error::AlertReceived(
                    AlertDescription::ProtocolVersion
                    | AlertDescription::HandshakeFailure
                    | AlertDescription::InsufficientSecurity,
                ),
            ) => Self::NothingInCommon,
            Some(rustls::Error::AlertReceived(_)) => Self::Alert,
            Some(_) => Self::Other,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotValidYet
            }
            CertificateError::Revoked => Self::Revoked,
            CertificateError::UnknownIssuer => Self::Untrusted,
            CertificateError::NotValidForName => Self::WrongHost {
                presented: Vec::new(),
            },
            CertificateError::NotValidForNameContext { presented, .. } => Self::WrongHost {
                presented: presented.iter().map(|name| readable_name(name)).collect(),
            },
            // A self-signed certificate that calls itself an authority.
            CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
                Self::Untrusted
            }
            _ => Self::BadCertificate,
        }
    }

    /// What to do next, in a sentence.
    pub const fn next_step(&self) -> &'static str {
        match self {
            Self::Untrusted => {
                "check that this is the right server; if its certificate is self-signed or from an \
                 authority of your own, add that certificate to the trusted ones"
            }
            Self::WrongHost { .. } => {
                "use a name that the certificate is for; if the name was right, somebody may be in \
                 between"
            }
            Self::Expired => {
                "whoever runs the server must renew its certificate; check the date of this machine"
            }
            Self::NotValidYet => "check the date of this machine",
            Self::Revoked => "do not send: the certificate was withdrawn; ask whoever runs it",
            Self::BadCertificate => "whoever runs the server must replace its certificate",
            Self::NotTls => {
                "check port and security: port 465 wants implicit TLS, ports 587 and 25 want \
                 STARTTLS"
            }
            Self::NothingInCommon => "the server is too old: it must offer TLS 1.2 or 1.3",
            Self::Alert => "read what the server said, and ask whoever runs it",
            Self::Closed => "try again; if it stays, check that this port speaks TLS",
            Self::Other => "report what the TLS library says to whoever runs the server",
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port, text) = (&self.host, self.port, &self.text);
        match &self.fault {
            TlsFault::Untrusted => write!(
                f,
                "the certificate of {host} is not trusted: no known authority has issued it"
            ),
            TlsFault::WrongHost { presented } if presented.is_empty() => {
                write!(f, "the certificate is not for {host}")
            }
            TlsFault::WrongHost { presented } => write!(
                f,
                "the certificate is not for {host} but for {}",
                presented.join(", ")
            ),
            TlsFault::Expired => write!(f, "the certificate of {host} has expired: {text}"),
            TlsFault::NotValidYet => {
                write!(f, "the certificate of {host} is not valid yet: {text}")
            }
            TlsFault::Revoked => write!(f, "the certificate of {host} was revoked"),
            TlsFault::BadCertificate => {
                write!(f, "the certificate of {host} can not be used: {text}")
            }
            TlsFault::NotTls => write!(f, "{host} does not speak TLS on port {port}"),
            TlsFault::NothingInCommon => write!(
                f,
                "{host} and this program share no version or cipher suite of TLS: {text}"
            ),
            TlsFault::Alert => write!(f, "{host} refused the TLS handshake: {text}"),
            TlsFault::Closed => write!(
                f,
                "the connection to {host} was lost in the TLS handshake: {text}"
            ),
            TlsFault::Other => write!(f, "the TLS handshake with {host} failed: {text}"),
        }
    }
}

impl std::error::Error for TlsError {}

/// Keeps the certificates that a server shows, and lets another verifier judge.
#[derive(Debug)]
pub(super) struct Recorder {
    verifier: Option<Arc<dyn ServerCertVerifier>>,
    seen: Mutex<Vec<CertificateDer<'static>>>,
}

impl Recorder {
    /// The certificates, the server's own first.
    pub(super) fn seen(&self) -> Vec<CertificateDer<'static>> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn inner(&self) -> Result<&dyn ServerCertVerifier, rustls::Error> {
        self.verifier
            .as_deref()
            .ok_or_else(|| rustls::Error::General("there is no verifier".to_owned()))
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut seen = vec![end_entity.clone().into_owned()];
        seen.extend(intermediates.iter().map(|c| c.clone().into_owned()));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        self.inner()?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner()
            .map(ServerCertVerifier::supported_verify_schemes)
            .unwrap_or_default()
    }
}

/// The cryptography, named here so that no default of the process matters.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The name to ask for (SNI) and to verify. A final dot and the zone of a
/// link-local address are of no concern to certificates.
fn server_name(host: &str) -> Option<ServerName<'static>> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let address = host.split('%').next().unwrap_or(host);
    match address.parse::<IpAddr>() {
        Ok(address) => Some(ServerName::IpAddress(address.into())),
        Err(_) => ServerName::try_from(host.to_owned()).ok(),
    }
}

fn tls_cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref::<rustls::Error>()
}

fn describe(error: &io::Error) -> String {
    tls_cause(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// `DnsName("mx.example.org")` becomes `mx.example.org`.
fn readable_name(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.rsplit_once(')'));
    let inner = inner.map_or(name, |(inner, _)| inner);
    sansmtp::wire::reply::Escaped(inner.trim_matches('"').as_bytes()).to_string()
}
