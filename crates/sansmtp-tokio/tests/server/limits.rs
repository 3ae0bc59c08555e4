//! Limits, and what is said when they are reached.

use crate::support::{Directory, Running, config, soon};
use sansmtp::config::Security;

const PLAIN: Security = Security::DangerPlaintext;

#[tokio::test]
async fn connections() {
    for config in [
        config().max_connections(2),
        config().max_connections_per_peer(2),
    ] {
        let directory = Directory::new();
        let running = Running::start(config, directory.handler().await, PLAIN).await;
        let mut first = running.hello().await;
        let _second = running.hello().await;
        let mut third = running.connect().await;
        assert!(third.reply().await.starts_with("421 4.7.0 "));
        third.ends().await;

        first.expect("QUIT", "221").await;
        first.ends().await;
        // The place is free once the server has seen the end, too.
        soon(async {
            while running.connect().await.reply().await.starts_with("421 ") {
                tokio::task::yield_now().await;
            }
        })
        .await;
        running.stop().await;
    }
}

#[tokio::test]
async fn recipients() {
    let directory = Directory::new();
    let config = config().max_recipients(2);
    let running = Running::start(config, directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    for _ in 0..2 {
        client.expect("MAIL FROM:<>", "250").await;
        client.expect("RCPT TO:<b@example.org>", "250").await;
        client.expect("RCPT TO:<c@example.org>", "250").await;
        client.expect("RCPT TO:<d@example.org>", "452 4.5.3").await;
        client.expect("DATA", "354").await;
        client.expect("x\r\n.", "250").await;
    }
    running.stop().await;
}

#[tokio::test]
async fn sizes() {
    let directory = Directory::new();
    let config = config().max_size(1000);
    let running = Running::start(config, directory.handler().await, PLAIN).await;
    let mut client = running.connect().await;
    client.reply().await;
    let ehlo = client.command("EHLO c").await;
    assert!(ehlo.contains("250-SIZE 1000\r\n"), "{ehlo}");
    client.expect("MAIL FROM:<> SIZE=1001", "552 5.3.4").await;
    client.until_content().await;
    client.say(&"12345678\r\n".repeat(100)).await;
    client.expect(".", "250 2.0.0").await;
    client.until_content().await;
    client.say(&"12345678\r\n".repeat(101)).await;
    client.expect(".", "552 5.3.4").await;
    client.expect("NOOP", "250").await;
    running.stop().await;
}

#[tokio::test]
async fn lines() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client.expect(&"x".repeat(100_000), "500 5.5.2").await;
    client.expect("NOOP", "250").await;
    running.stop().await;
}

#[tokio::test]
async fn errors() {
    let directory = Directory::new();
    let config = config().max_errors(3);
    let running = Running::start(config, directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    // More than what is answered: the last word must arrive all the same.
    client.say(&"NONSENSE\r\n".repeat(1000)).await;
    for _ in 0..3 {
        assert!(client.reply().await.starts_with("500 "));
    }
    assert!(client.reply().await.starts_with("421 4.7.0 "));
    client.ends().await;
    running.stop().await;
}
