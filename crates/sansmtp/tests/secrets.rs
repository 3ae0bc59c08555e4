//! What the server remembers of a password once it was judged, and how it is put
//! aside in the middle of an AUTH exchange.

use sansmtp::capability::{Mechanism, Mechanisms};
use sansmtp::config::{EhloName, Security};
use sansmtp::server::{Config, Event, Query, Server};
use sansmtp::{Instant, Machine};

const NOW: Instant = Instant::from_millis(0);

fn config() -> Config<'static> {
    let hostname = EhloName::parse("mx.example.org").unwrap();
    Config::new(hostname, Security::DangerPlaintext)
        .mechanisms(
            Mechanisms::NONE
                .with(Mechanism::Plain)
                .with(Mechanism::Login),
        )
        .danger_plaintext_auth()
}

/// Hands `input` over and answers with yes; returns the credentials that were
/// asked for.
fn feed(server: &mut Server<'_>, mut input: &[u8]) -> Vec<String> {
    let mut logins = Vec::new();
    let mut out = [0; 512];
    loop {
        while server.transmit(NOW, &mut out) > 0 {}
        let (used, event) = server.receive(NOW, input).unwrap();
        input = &input[used..];
        match event {
            Some(Event::Request(request)) => {
                if let Query::Authenticate(login) = request.query() {
                    logins.push(format!("{} {}", login.user, login.password.reveal()));
                    let shown = format!("{login:?} {request:?}");
                    assert!(!shown.contains("s3cret"), "{shown}");
                }
                request.accept();
            }
            None if used == 0 => return logins,
            _ => {}
        }
    }
}

#[test]
fn nothing_is_left_in_the_line_buffer() {
    let config = config();
    for dialogue in [
        "AUTH PLAIN AHVzZXIAczNjcmV0LXB3\r\n",
        "AUTH LOGIN\r\ndXNlcg==\r\nczNjcmV0LXB3\r\n",
        // Refused for their form, broken off, or no command at all.
        "AUTH PLAIN AHVzZXIAczNjcmV0LXB3 x\r\n",
        "AUTH PLAIN czNjcmV0LXB3\r\n",
        "AUTHPLAIN AHVzZXIAczNjcmV0LXB3\r\n",
        "AUTH PLAIN AHVzZXIAczNjcmV0LXB3",
        "AUTH LOGIN\r\ndXNlcg==\r\nczNjcmV0",
    ] {
        let (mut line, mut reply) = ([0; 512], [0; 128]);
        {
            let mut server = Server::new(&config, &mut line, &mut reply, NOW);
            feed(&mut server, b"EHLO c\r\n");
            feed(&mut server, dialogue.as_bytes());
            let shown = format!("{server:?}");
            let octets = format!("{:?}", b"s3c").replace(['[', ']'], "");
            assert!(!shown.contains(&octets), "{shown}");
        }
        assert_eq!(line, [0; 512], "{dialogue:?}");
    }
    // What is over is wiped at once, not only at the end.
    let (mut line, mut reply) = ([0; 512], [0; 128]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    feed(&mut server, b"EHLO c\r\nAUTHX AHVzZXIAczNjcmV0LXB3\r\n");
    feed(&mut server, b"AUTH PLAIN AHVzZXIAczNjcmV0LXB3\r\n");
    let _ = server.suspend();
    assert_eq!(line, [0; 512]);
}

#[test]
fn a_session_can_be_put_aside_within_login() {
    let config = config();
    let (mut line, mut reply) = ([0; 512], [0; 128]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    feed(&mut server, b"EHLO c\r\nAUTH LOGIN\r\ndXNlcg==\r\nczNj");
    let session = server.suspend();
    let mut server = Server::resume(session, &config, &mut line, &mut reply);
    let logins = feed(&mut server, b"cmV0LXB3\r\n");
    assert_eq!(logins, ["user s3cret-pw"]);
    assert!(server.is_authenticated());
}
