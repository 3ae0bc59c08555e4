//! The server machine alone: how sessions end, and what AUTH hands on.

use sansmtp::capability::{Mechanism, Mechanisms};
use sansmtp::config::{EhloName, Security};
use sansmtp::server::{Config, Event, Query, Server};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::Reply;
use sansmtp::{Instant, Machine};

const NOW: Instant = Instant::from_millis(0);

fn config(security: Security) -> Config<'static> {
    Config::new(EhloName::parse("mx.example.org").unwrap(), security)
        .mechanisms(
            Mechanisms::NONE
                .with(Mechanism::Plain)
                .with(Mechanism::Login),
        )
        .danger_plaintext_auth()
}

/// Gives the machine `input`, one octet at a time, and returns what it says.
/// Every question is put to `answer`.
fn talk(
    server: &mut Server<'_>,
    input: &str,
    mut answer: impl FnMut(Query<'_>) -> Option<Reply<'static>>,
) -> String {
    let mut said = String::new();
    let mut out = [0; 64];
    let mut at = 0;
    loop {
        loop {
            let n = server.transmit(NOW, &mut out);
            if n == 0 {
                break;
            }
            said.push_str(std::str::from_utf8(&out[..n]).unwrap());
        }
        let end = input.len().min(at + 1);
        let (used, event) = server.receive(NOW, &input.as_bytes()[at..end]).unwrap();
        at += used;
        match event {
            Some(Event::Request(request)) => match answer(request.query()) {
                None => request.accept(),
                Some(reply) => request.answer(&reply),
            },
            Some(_) => {}
            None if used == 0 => return said,
            None => {}
        }
    }
}

#[test]
fn login_hands_on_user_and_password() {
    let config = config(Security::DangerPlaintext);
    let (mut line, mut reply) = ([0; 512], [0; 512]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    let mut seen = Vec::new();
    let said = talk(
        &mut server,
        "EHLO c\r\nAUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\n",
        |query| {
            if let Query::Authenticate(login) = query {
                seen.push((login.user.to_owned(), login.password.reveal().to_owned()));
            }
            None
        },
    );
    assert!(said.ends_with("235 2.7.0 Authentication successful\r\n"));
    assert_eq!(seen, [("alice".to_owned(), "secret".to_owned())]);
    drop(server);
    assert!(!line.windows(6).any(|w| w == b"secret"), "wiped");
}

#[test]
fn content_that_trickles_in_is_given_up() {
    let config = config(Security::DangerPlaintext);
    for (octets, pause, minutes) in [
        // One octet every two minutes: cut off where the first pause would be.
        (1, 120_000, 3..=4),
        // 1 KiB per second: never too slow, for two hours.
        (61_440, 60_000, 120..=120),
    ] {
        let (mut line, mut reply) = ([0; 512], [0; 512]);
        let mut server = Server::new(&config, &mut line, &mut reply, NOW);
        let until_data = "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\n";
        talk(&mut server, until_data, |_| None);
        let stretch = vec![b'x'; octets];
        let mut now = 0;
        while now < 7_200_000 {
            let next = now + pause;
            let deadline = server.poll_timeout().unwrap().millis();
            if deadline <= next {
                now = deadline;
                break;
            }
            now = next;
            let (used, _) = server.receive(Instant::from_millis(now), &stretch).unwrap();
            assert_eq!(used, octets);
        }
        assert!(minutes.contains(&(now / 60_000)), "{now}");
        server.handle_timeout(Instant::from_millis(now)).unwrap();
        let said = talk(&mut server, "", |_| None);
        assert_eq!(said.starts_with("421 4.4.2 "), octets == 1, "{said}");
    }
}

#[test]
fn an_answer_of_421_closes() {
    let busy = Reply::new(421, EnhancedCode::new(4, 7, 0), "Too many").unwrap();
    let config = config(Security::DangerPlaintext);
    for (question, input) in [
        ("Connect", ""),
        ("Mail", "EHLO c\r\nMAIL FROM:<>\r\n"),
        ("Verify", "EHLO c\r\nVRFY x\r\n"),
    ] {
        let (mut line, mut reply) = ([0; 512], [0; 512]);
        let mut server = Server::new(&config, &mut line, &mut reply, NOW);
        let said = talk(&mut server, input, |query| {
            format!("{query:?}").starts_with(question).then_some(busy)
        });
        assert!(said.ends_with("421 4.7.0 Too many\r\n"), "{said}");
        assert!(server.is_closed(), "{question}");
    }
}

#[test]
fn who_was_turned_away_can_not_talk_forever() {
    let go = Reply::new(554, None, "Not you").unwrap();
    let mut config = config(Security::DangerPlaintext);
    config.limits.errors = 3;
    let (mut line, mut reply) = ([0; 512], [0; 512]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    let said = talk(&mut server, &"NOOP\r\n".repeat(5), |_| Some(go));
    assert_eq!(said.matches("503 ").count(), 2, "{said}");
    assert!(server.is_closed());
}

#[test]
fn starttls_voids_the_authentication() {
    let config = config(Security::StartTls);
    let (mut line, mut reply) = ([0; 512], [0; 512]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    let auth = "EHLO c\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n";
    talk(&mut server, auth, |_| None);
    assert!(server.is_authenticated());
    talk(&mut server, "STARTTLS\r\n", |_| None);
    server.tls_established(NOW).unwrap();
    assert!(!server.is_authenticated());
}

#[test]
fn shutdown_waits_for_the_transaction_and_shutdown_now_does_not() {
    let config = config(Security::DangerPlaintext);
    let until_data = "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@c>\r\nDATA\r\nx\r\n";
    for now in [false, true] {
        let (mut line, mut reply) = ([0; 512], [0; 512]);
        let mut server = Server::new(&config, &mut line, &mut reply, NOW);
        talk(&mut server, until_data, |_| None);
        server.shutdown();
        assert_eq!(talk(&mut server, "", |_| None), "");
        let said = if now {
            server.shutdown_now();
            talk(&mut server, "", |_| None)
        } else {
            let said = talk(&mut server, ".\r\n", |_| None);
            said.strip_prefix("250 2.0.0 Message accepted\r\n")
                .unwrap()
                .to_owned()
        };
        assert_eq!(said, "421 4.3.2 Service shutting down, closing\r\n");
        assert!(server.is_closed());
    }
}
