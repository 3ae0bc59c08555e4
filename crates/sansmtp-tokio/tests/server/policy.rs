//! Who may send what to whom.

use crate::support::{Client, Directory, Running, config};
use sansmtp::config::Security;
use sansmtp_tokio::server::Relay;
use tokio::net::TcpStream;

const PLAIN: Security = Security::DangerPlaintext;

/// `\0alice\0s3cret`
const ALICE: &str = "AGFsaWNlAHMzY3JldA==";

async fn try_recipients(client: &mut Client<TcpStream>, strangers: bool) {
    client.expect("MAIL FROM:<a@example.org>", "250").await;
    for ours in [
        "b@example.org",
        "b@EXAMPLE.ORG",
        "\"b@example.net\"@example.org",
        "b%example.net@example.org",
        "example.net!b@example.org",
        "@example.net:b@example.org",
        "postmaster",
        "POSTMASTER",
    ] {
        client
            .expect(&format!("RCPT TO:<{ours}>"), "250 2.1.5")
            .await;
    }
    for theirs in [
        "b@example.net",
        "b@sub.example.org",
        "b@badexample.org",
        "b@example.org.example.net",
        "\"b@example.org\"@example.net",
        "b%example.org@example.net",
        "@example.org:b@example.net",
        "b@[127.0.0.1]",
        "b@[IPv6:::1]",
        "postmaster@example.net",
    ] {
        let begins = if strangers {
            "250 2.1.5"
        } else {
            "550 5.7.1 Relaying denied"
        };
        client.expect(&format!("RCPT TO:<{theirs}>"), begins).await;
    }
    for broken in ["b@example.org.", "b@example.org@example.net", "", "b"] {
        client.expect(&format!("RCPT TO:<{broken}>"), "501").await;
    }
    client.expect("RSET", "250").await;
}

#[tokio::test]
async fn who_may_send_to_whom() {
    for relay in [Relay::Deny, Relay::Authenticated] {
        let directory = Directory::new();
        let config = config()
            .password_auth()
            .danger_plaintext_auth()
            .max_errors(100);
        let handler = directory.handler().await.relay(relay);
        let running = Running::start(config, handler, PLAIN).await;
        let mut client = running.hello().await;
        try_recipients(&mut client, false).await;
        client.expect(&format!("AUTH PLAIN {ALICE}"), "235").await;
        try_recipients(&mut client, relay == Relay::Authenticated).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn an_address_literal_is_ours_only_if_it_was_named() {
    let directory = Directory::new();
    let handler = directory.handler().await.domain("[127.0.0.1]");
    let running = Running::start(config(), handler, PLAIN).await;
    let mut client = running.hello().await;
    client.expect("MAIL FROM:<>", "250").await;
    client.expect("RCPT TO:<b@[127.0.0.1]>", "250").await;
    client.expect("RCPT TO:<b@[127.0.0.2]>", "550 5.7.1").await;
    running.stop().await;
}

#[tokio::test]
async fn passwords() {
    let directory = Directory::new();
    let config = config().password_auth().danger_plaintext_auth();
    let running = Running::start(config, directory.handler().await, PLAIN).await;
    for (dialogue, ends) in [
        (&["AUTH PLAIN AGFsaWNlAHMzY3JldA=="][..], "235 2.7.0"),
        (&["AUTH PLAIN", "AGFsaWNlAHMzY3JldA=="], "235 2.7.0"),
        (&["AUTH LOGIN", "YWxpY2U=", "czNjcmV0"], "235 2.7.0"),
        (&["AUTH LOGIN YWxpY2U=", "czNjcmV0"], "235 2.7.0"),
        // Wrong password, unknown user, somebody else's name.
        (&["AUTH PLAIN AGFsaWNlAHdyb25n"], "535 5.7.8"),
        (&["AUTH LOGIN", "Ym9i", "czNjcmV0"], "535 5.7.8"),
        (&["AUTH PLAIN Ym9iAGFsaWNlAHMzY3JldA=="], "535 5.7.8"),
        (&["AUTH PLAIN !"], "501"),
        (&["AUTH LOGIN", "*"], "501"),
        (&["AUTH CRAM-MD5"], "504"),
    ] {
        let mut client = running.hello().await;
        let mut reply = String::new();
        for line in dialogue {
            reply = client.command(line).await;
        }
        assert!(reply.starts_with(ends), "{dialogue:?}: {reply}");
        client.expect("QUIT", "221").await;
        client.ends().await;
    }
    running.stop().await;
}

#[tokio::test]
async fn a_submission_server_wants_authentication() {
    let directory = Directory::new();
    let config = config()
        .password_auth()
        .danger_plaintext_auth()
        .require_auth();
    let running = Running::start(config, directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client.expect("MAIL FROM:<>", "530 5.7.0").await;
    client.expect(&format!("AUTH PLAIN {ALICE}"), "235").await;
    client.until_content().await;
    client.expect("x\r\n.", "250").await;
    let content = std::fs::read_to_string(&directory.files("new")[0]).unwrap();
    assert!(content.contains(" with ESMTPA id "), "{content}");
    running.stop().await;
}

#[tokio::test]
async fn queries_have_the_usual_answers() {
    let directory = Directory::new();
    let running = Running::start(config(), directory.handler().await, PLAIN).await;
    let mut client = running.hello().await;
    client.expect("VRFY b", "252").await;
    client.expect("EXPN list", "502").await;
    client.expect("HELP", "214-").await;
    client.expect("NOOP", "250").await;
    running.stop().await;
}
