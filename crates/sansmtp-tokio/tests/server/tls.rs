//! STARTTLS and implicit TLS.

use crate::support::{Directory, Running, config};
use sansmtp::config::Security;
use sansmtp_tokio::server::{Server, TlsError, tls_config};

#[tokio::test]
async fn starttls_then_auth() {
    let directory = Directory::new();
    let config = config().password_auth();
    let handler = directory.handler().await;
    let running = Running::start(config, handler, Security::StartTls).await;
    let mut client = running.connect().await;
    client.reply().await;
    let offer = client.command("EHLO liar.example.net").await;
    assert!(offer.contains("STARTTLS"), "{offer}");
    assert!(!offer.contains("AUTH"), "{offer}");
    client
        .expect("AUTH PLAIN AGFsaWNlAHMzY3JldA==", "538 5.7.11")
        .await;
    client.expect("STARTTLS", "220 2.0.0").await;

    let mut client = running.tls(client.into_stream()).await;
    client.expect("MAIL FROM:<>", "503").await;
    let offer = client.command("EHLO client.example.org").await;
    assert!(!offer.contains("STARTTLS"), "{offer}");
    assert!(offer.contains("AUTH PLAIN LOGIN"), "{offer}");
    client
        .expect("AUTH PLAIN AGFsaWNlAHMzY3JldA==", "235")
        .await;
    client.until_content().await;
    client.expect("x\r\n.", "250").await;
    client.expect("QUIT", "221").await;
    // An end without close_notify would be an error.
    client.ends().await;
    let content = std::fs::read_to_string(&directory.files("new")[0]).unwrap();
    assert!(content.contains("from client.example.org ("), "{content}");
    assert!(content.contains(" with ESMTPSA id "), "{content}");
    running.stop().await;
}

#[tokio::test]
async fn commands_behind_starttls_are_not_taken_into_tls() {
    let directory = Directory::new();
    let handler = directory.handler().await;
    let running = Running::start(config(), handler, Security::StartTls).await;
    let mut client = running.hello().await;
    client
        .say("STARTTLS\r\nMAIL FROM:<evil@example.net>\r\n")
        .await;
    // Whatever is said of it, it is the last word.
    let reply = client.reply().await;
    assert!(!reply.starts_with("250"), "{reply}");
    client.ends().await;
    running.stop().await;
}

#[tokio::test]
async fn implicit_tls() {
    let directory = Directory::new();
    let handler = directory.handler().await;
    let config = config().password_auth();
    let running = Running::start(config, handler, Security::ImplicitTls).await;
    let mut client = running.tls(running.connect().await.into_stream()).await;
    client.greeted().await;
    client.until_content().await;
    client.say(&"0123456789\r\n".repeat(20_000)).await;
    client.expect(".", "250").await;
    client.expect("QUIT", "221").await;
    client.ends().await;
    let content = std::fs::read_to_string(&directory.files("new")[0]).unwrap();
    assert!(content.contains(" with ESMTPS id "), "{content}");

    // Who speaks in the clear there is cut off, and others are served on.
    let mut plain = running.connect().await;
    plain.say("EHLO client.example.org\r\n").await;
    drop(plain);
    let mut client = running.tls(running.connect().await.into_stream()).await;
    client.greeted().await;
    running.stop().await;
}

#[tokio::test]
async fn tls_needs_a_certificate() {
    let directory = Directory::new();
    let server = Server::builder(config(), directory.handler().await)
        .listen("127.0.0.1:0", Security::StartTls)
        .bind()
        .await;
    let error = server.err().unwrap().to_string();
    assert_eq!(error, "TLS is asked for, but there is no certificate");
    assert!(matches!(tls_config(b"", b""), Err(TlsError::NoCertificate)));
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = pair.cert.pem();
    assert!(matches!(
        tls_config(chain.as_bytes(), chain.as_bytes()),
        Err(TlsError::NoKey)
    ));
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    assert!(matches!(
        tls_config(chain.as_bytes(), other.as_bytes()),
        Err(TlsError::Rejected(_))
    ));
}
