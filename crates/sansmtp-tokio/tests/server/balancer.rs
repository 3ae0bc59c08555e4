//! Clients behind a balancer: the PROXY protocol and XCLIENT.

use crate::support::{Client, Directory, Running, config, soon};
use sansmtp::config::Security;
use sansmtp_tokio::server::{Network, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const PLAIN: Security = Security::DangerPlaintext;
const V1: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 50000 25\r\n";
const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x11\xc0\0\x02\x07\xc6\x33\x64\x01\xc3\x50\0\x19\x02\0\x02mx";
const HEALTH_CHECK: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

fn loopback() -> Network {
    "127.0.0.0/8".parse().unwrap()
}

fn elsewhere() -> Network {
    "192.0.2.0/24".parse().unwrap()
}

async fn connect(running: &Running, header: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // Octet by octet: nothing depends on how it arrives.
    for octet in header {
        stream.write_all(&[*octet]).await.unwrap();
    }
    stream
}

/// Sends a message and returns what was stored.
async fn stored<S>(client: &mut Client<S>, directory: &Directory) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    client.until_content().await;
    client.say("Subject: x\r\n\r\nx\r\n.\r\n").await;
    assert!(client.reply().await.starts_with("250 "));
    directory.stored()
}

async fn start(config: ServerConfig, directory: &Directory, security: Security) -> Running {
    Running::start(config, directory.handler().await, security).await
}

#[tokio::test]
async fn the_client_is_whom_a_listed_balancer_names() {
    for (header, address) in [
        (V1, "([192.0.2.7])"),
        (V2, "([192.0.2.7])"),
        (HEALTH_CHECK, "([127.0.0.1])"),
    ] {
        let directory = Directory::new();
        let config = config().with_proxy_from(loopback());
        let running = start(config, &directory, PLAIN).await;
        let mut client = Client::new(connect(&running, header).await);
        client.greeted().await;
        let message = stored(&mut client, &directory).await;
        let received = format!("Received: from client.example.org {address}");
        assert!(message.contains(&received), "{message}");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_header_stands_in_front_of_tls() {
    for (header, security) in [(V1, Security::ImplicitTls), (V2, Security::ImplicitTls)] {
        let directory = Directory::new();
        let config = config().with_proxy_from(loopback());
        let running = start(config, &directory, security).await;
        let stream = connect(&running, header).await;
        let mut client = running.tls(stream).await;
        client.greeted().await;
        let message = stored(&mut client, &directory).await;
        assert!(message.contains("([192.0.2.7])"), "{message}");
        running.stop().await;
    }
}

#[tokio::test]
async fn without_a_header_a_balancer_is_dropped() {
    let directory = Directory::new();
    let config = config().with_proxy_from(loopback());
    let running = start(config, &directory, PLAIN).await;
    for octets in [
        &b"EHLO client.example.org\r\n"[..],
        b"PROXY TCP4 192.0.2.7 198.51.100.1 50000\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 50000 65536\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
    ] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(octets).await.unwrap();
        let mut said = Vec::new();
        // A reset is as good as an end.
        let _ = soon(tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut said)).await;
        assert_eq!(String::from_utf8_lossy(&said), "");
    }
    running.stop().await;
}

#[tokio::test]
async fn who_is_not_listed_can_not_pose_as_another() {
    let directory = Directory::new();
    let config = config()
        .with_proxy_from(elsewhere())
        .with_xclient_from(elsewhere());
    let running = start(config, &directory, PLAIN).await;
    let mut client = running.hello().await;
    client
        .expect("PROXY TCP4 192.0.2.7 198.51.100.1 50000 25", "500 5.5.1")
        .await;
    client.expect("XCLIENT ADDR=192.0.2.7", "500 5.5.1").await;
    let message = stored(&mut client, &directory).await;
    assert!(message.contains("([127.0.0.1])"), "{message}");
    running.stop().await;
}

/// A header makes nobody a balancer: XCLIENT is for those whose own address is
/// listed.
#[tokio::test]
async fn who_comes_through_a_balancer_is_none() {
    let directory = Directory::new();
    let config = config()
        .with_proxy_from(loopback())
        .with_xclient_from(loopback());
    let running = start(config, &directory, PLAIN).await;
    for header in [
        V1,
        // Nothing is known of the client, or it seems to be a balancer itself.
        b"PROXY UNKNOWN\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\0\0\0",
        b"PROXY TCP4 127.0.0.9 198.51.100.1 50000 25\r\n",
    ] {
        let mut client = Client::new(connect(&running, header).await);
        client.greeted().await;
        client.expect("XCLIENT ADDR=192.0.2.8", "500 5.5.1").await;
    }
    let mut balancer = Client::new(connect(&running, HEALTH_CHECK).await);
    balancer.greeted().await;
    balancer
        .expect("XCLIENT ADDR=192.0.2.8", "220 mx.example.org")
        .await;
    running.stop().await;
}

#[tokio::test]
async fn xclient_names_the_client() {
    let directory = Directory::new();
    let config = config().with_xclient_from(loopback());
    let running = start(config, &directory, PLAIN).await;
    let mut client = running.connect().await;
    assert_eq!(client.reply().await, "220 mx.example.org ESMTP ready");
    let offer = client.command("EHLO balancer.example.org").await;
    assert!(offer.contains("XCLIENT NAME ADDR"), "{offer}");
    client
        .say("XCLIENT ADDR=IPV6:2001:db8::7 NAME=[UNAVAILABLE] PORT=50000 LOGIN=alice\r\n")
        .await;
    client.greeted().await;
    let message = stored(&mut client, &directory).await;
    assert!(
        message.contains("Received: from client.example.org ([IPv6:2001:db8::7])\r\n\tby mx.example.org with ESMTPA"),
        "{message}"
    );
    running.stop().await;
}

#[tokio::test]
async fn connections_are_counted_for_the_client_not_for_the_balancer() {
    let directory = Directory::new();
    let config = config()
        .with_proxy_from(loopback())
        .max_connections_per_peer(1);
    let running = start(config, &directory, PLAIN).await;
    let mut first = Client::new(connect(&running, V1).await);
    first.greeted().await;
    let other = b"PROXY TCP4 192.0.2.8 198.51.100.1 50000 25\r\n";
    let mut second = Client::new(connect(&running, other).await);
    second.greeted().await;
    let mut third = Client::new(connect(&running, V2).await);
    let reply = third.reply().await;
    assert!(reply.starts_with("421 4.7.0"), "{reply}");
    running.stop().await;
}
