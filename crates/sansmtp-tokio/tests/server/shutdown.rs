//! How a server ends.

use crate::support::{Directory, Running, config, soon};
use sansmtp::config::Security;
use std::time::Duration;
use tokio::net::TcpStream;

const PLAIN: Security = Security::DangerPlaintext;
const GOODBYE: &str = "421 4.3.2 Service shutting down, closing";

#[tokio::test]
async fn a_transaction_may_end_in_the_grace_time() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut idle = running.hello().await;
    let mut busy = running.hello().await;
    busy.until_content().await;
    busy.say("half of it\r\n").await;

    running.handle.shutdown(Duration::from_secs(600));
    assert_eq!(idle.reply().await, GOODBYE);
    idle.ends().await;
    assert!(!running.served.is_finished());

    busy.say("the rest\r\n.\r\n").await;
    assert!(busy.reply().await.starts_with("250 2.0.0"));
    assert_eq!(busy.reply().await, GOODBYE);
    busy.ends().await;
    soon(running.served).await.unwrap();
    assert_eq!(directory.files("new").len(), 1);
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn the_grace_time_ends() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut busy = running.hello().await;
    busy.until_content().await;
    busy.say("half of it\r\n").await;
    running.handle.shutdown(Duration::ZERO);
    assert_eq!(busy.reply().await, GOODBYE);
    busy.ends().await;
    soon(running.served).await.unwrap();
    assert!(directory.files("new").is_empty());
    assert!(directory.files("tmp").is_empty());
}

#[tokio::test]
async fn a_second_shutdown_makes_the_grace_time_shorter() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut idle = running.hello().await;
    let mut busy = running.hello().await;
    busy.until_content().await;
    busy.say("half of it\r\n").await;
    running.handle.shutdown(Duration::from_secs(600));
    // Both sessions and the server have heard of it.
    assert_eq!(idle.reply().await, GOODBYE);
    idle.ends().await;

    running.handle.shutdown(Duration::from_secs(900));
    running.handle.shutdown(Duration::ZERO);
    assert_eq!(busy.reply().await, GOODBYE);
    busy.ends().await;
    soon(running.served).await.unwrap();
    assert!(directory.files("new").is_empty());
    assert!(directory.files("tmp").is_empty());
}

#[tokio::test]
async fn a_handshake_that_waits_does_not_hold_the_server() {
    let directory = Directory::new();
    let handler = directory.handler().await;
    let running = Running::start(config(), handler, Security::ImplicitTls).await;
    let silent = running.connect().await;
    // A second client is through, so the first one was accepted.
    let mut other = running.tls(running.connect().await.into_stream()).await;
    other.greeted().await;
    running.handle.shutdown(Duration::from_secs(600));
    assert_eq!(other.reply().await, GOODBYE);
    other.ends().await;
    silent.ends().await;
    soon(running.served).await.unwrap();
}
