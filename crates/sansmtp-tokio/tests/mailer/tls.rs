//! Certificates and handshakes that are wrong, each in its own words.

use super::peer::{Certificates, Listener, ONE};
use super::{MESSAGE, envelope, recipients};
use sansmtp_tokio::client::{Error, PoolConfig, Tls, TlsFault};
use sansmtp_tokio::rustls::HandshakeKind;
use sansmtp_tokio::sansmtp::config::{OwnedConfig, Security};
use sansmtp_tokio::{Mailer, sansmtp};

/// What the handshake with a server that uses `certificates` fails with.
async fn failure(certificates: &Certificates, mailer: &Mailer, listener: &Listener) -> Error {
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let peer = listener.accept().await;
        assert!(peer.tls(certificates).await.is_err());
    };
    let (_, result) = tokio::join!(server, mailer.send(&envelope, MESSAGE));
    let error = result.unwrap_err();
    assert!(!error.outcome_unknown() && !error.is_temporary());
    assert!(!error.to_string().contains('\n') && !error.next_step().is_empty());
    error
}

fn fault(error: &Error) -> &TlsFault {
    match error {
        Error::Tls(error) => &error.fault,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn untrusted() {
    let listener = Listener::bind().await;
    let (server, other) = (Certificates::good(), Certificates::good());
    let mailer = other.mailer(listener.config(Security::ImplicitTls));
    let error = failure(&server, &mailer, &listener).await;
    assert_eq!(*fault(&error), TlsFault::Untrusted);
    assert!(error.to_string().contains("is not trusted"), "{error}");
}

#[tokio::test]
async fn check_shows_the_certificate_that_is_not_trusted() {
    let listener = Listener::bind().await;
    let (server, other) = (Certificates::good(), Certificates::good());
    let mailer = other.mailer(listener.config(Security::ImplicitTls));
    let accept = async {
        assert!(listener.accept().await.tls(&server).await.is_err());
    };
    let (_, check) = tokio::join!(accept, mailer.check());
    assert_eq!(check.certificates.len(), 1);
    assert_eq!(check.failure.unwrap().name.as_str(), "TLS");
}

#[tokio::test]
async fn wrong_host() {
    let listener = Listener::bind().await;
    let certificates = Certificates::new("mx.example.net", (2020, 4000));
    let mailer = certificates.mailer(listener.config(Security::ImplicitTls));
    let error = failure(&certificates, &mailer, &listener).await;
    assert!(
        matches!(fault(&error), TlsFault::WrongHost { .. }),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "the certificate is not for 127.0.0.1 but for mx.example.net"
    );
}

#[tokio::test]
async fn expired_and_not_valid_yet() {
    for (years, expected, words) in [
        ((2020, 2021), TlsFault::Expired, "has expired"),
        ((3999, 4000), TlsFault::NotValidYet, "is not valid yet"),
    ] {
        let listener = Listener::bind().await;
        let certificates = Certificates::new("127.0.0.1", years);
        let mailer = certificates.mailer(listener.config(Security::ImplicitTls));
        let error = failure(&certificates, &mailer, &listener).await;
        assert_eq!(*fault(&error), expected);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn plain_text_on_the_tls_port() {
    let listener = Listener::bind().await;
    let mailer = Certificates::good().mailer(listener.config(Security::ImplicitTls));
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept().await;
        peer.say("220 mx.example.org ESMTP Postfix").await;
        peer.flight_octets().await;
    };
    let (_, result) = tokio::join!(server, mailer.send(&envelope, MESSAGE));
    let error = result.unwrap_err();
    assert_eq!(*fault(&error), TlsFault::NotTls);
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
    assert!(error.next_step().contains("587"));
}

#[tokio::test]
async fn the_server_does_not_offer_starttls() {
    let listener = Listener::bind().await;
    let mailer = Certificates::good().mailer(listener.config(Security::StartTls));
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("PIPELINING").await;
        assert_eq!(peer.rest().await, "");
    };
    let (_, result) = tokio::join!(server, mailer.send(&envelope, MESSAGE));
    let error = result.unwrap_err();
    let Error::Dialogue(inner) = &error else {
        panic!("{error}");
    };
    let expected = sansmtp::Error::Unmet(sansmtp::error::Requirement::StartTls);
    assert_eq!(inner.error, expected);
    assert!(error.next_step().contains("implicit TLS"));
}

#[tokio::test]
async fn what_is_injected_before_tls_is_refused() {
    let listener = Listener::bind().await;
    let mailer = Certificates::good().mailer(listener.config(Security::StartTls));
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept_session("STARTTLS").await;
        peer.expect("STARTTLS").await;
        peer.write(b"220 go\r\n250 injected\r\n").await;
        assert_eq!(peer.rest().await, "");
    };
    let (_, result) = tokio::join!(server, mailer.send(&envelope, MESSAGE));
    let error = result.unwrap_err();
    assert!(error.to_string().contains("plain text"), "{error}");
}

#[tokio::test]
async fn the_next_connection_resumes_the_tls_session() {
    let listener = Listener::bind().await;
    let certificates = Certificates::good();
    let pool = PoolConfig {
        max_messages_per_connection: 1,
        ..ONE
    };
    let mailer = Mailer::builder(listener.config(Security::ImplicitTls))
        .tls(certificates.trusted())
        .pool(pool)
        .build()
        .unwrap();
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let (mut peer, kind) = listener
                .accept()
                .await
                .tls_kind(&certificates)
                .await
                .unwrap();
            kinds.push(kind);
            peer.say("220 hi").await;
            peer.hello("").await;
            peer.take_message().await;
            peer.quit().await;
        }
        assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);
    };
    let client = async {
        mailer.send(&envelope, MESSAGE).await.unwrap();
        mailer.send(&envelope, MESSAGE).await.unwrap();
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[tokio::test]
async fn a_name_is_verified_and_asked_for() {
    let listener = Listener::bind().await;
    let certificates = Certificates::new("localhost", (2020, 4000));
    let config = OwnedConfig::new("localhost", Security::ImplicitTls).unwrap();
    let mailer = certificates.mailer(config.with_port(listener.address().port()));
    let to = recipients(&["a@example.org"]);
    let envelope = envelope(&to);
    let server = async {
        let mut peer = listener.accept().await.tls(&certificates).await.unwrap();
        peer.say("220 hi").await;
        peer.hello("").await;
        peer.take_message().await;
        peer.quit().await;
    };
    let client = async {
        let report = mailer.send(&envelope, MESSAGE).await.unwrap();
        assert!(report.all_delivered());
        mailer.close().await;
    };
    tokio::join!(server, client);
}

#[test]
fn roots_in_pem() {
    assert!(matches!(Tls::pem(b"nothing"), Err(Error::TrustRoots(_))));
    let broken = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    assert!(matches!(Tls::pem(broken), Err(Error::TrustRoots(_))));
    assert!(Tls::pem(Certificates::good().pem.as_bytes()).is_ok());
}
