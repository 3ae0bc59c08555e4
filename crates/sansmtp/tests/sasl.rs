//! Every SASL mechanism: client machine against server machine, in pieces of
//! every size, and what the server says to clients that do it wrong.

use sansmtp::auth::{BindingKind, ChannelBinding, Credentials, Hash, Secret, StoredKeys};
use sansmtp::capability::{Mechanism, Mechanisms};
use sansmtp::client::{self, Client};
use sansmtp::config::{Config, EhloName, Security};
use sansmtp::error::{Error, Fault, Requirement};
use sansmtp::server::{self, Query, Server};
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::Reply;
use sansmtp::{Instant, Machine};

const NOW: Instant = Instant::from_millis(0);
const USER: &str = "us=er,\u{fc}";
const PASSWORD: &str = "s3cret-pw";
const PRETEND: [u8; 32] = [9; 32];

fn exporter(octet: u8) -> ChannelBinding {
    ChannelBinding::new(BindingKind::TlsExporter, &[octet; 32]).unwrap()
}

fn end_point() -> ChannelBinding {
    ChannelBinding::new(BindingKind::TlsServerEndPoint, &[4; 48]).unwrap()
}

/// How a session is set up, and what goes wrong in it.
#[derive(Clone, Copy)]
struct Setup<'a> {
    credentials: Credentials<'a>,
    offered: Mechanisms,
    allowed: Mechanisms,
    security: Security,
    danger: bool,
    client_binding: Option<ChannelBinding>,
    server_bindings: &'a [ChannelBinding],
    /// The EHLO reply is cleared of this on its way.
    stripped: &'a str,
    read: usize,
    write: usize,
}

impl<'a> Setup<'a> {
    fn new(credentials: Credentials<'a>, offered: Mechanisms) -> Self {
        Self {
            credentials,
            offered,
            allowed: Mechanisms::ALL,
            security: Security::ImplicitTls,
            danger: false,
            client_binding: None,
            server_bindings: &[],
            stripped: "-",
            read: 1 << 16,
            write: 1 << 16,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    mechanism: Option<Mechanism>,
    /// What the server's driver was asked.
    asked: Vec<String>,
    error: Option<Error>,
    authenticated: bool,
    client_said: String,
    server_said: String,
}

fn no() -> Reply<'static> {
    Reply::new(535, EnhancedCode::new(5, 7, 8), "no").unwrap()
}

fn decide(request: server::Request<'_>, asked: &mut Vec<String>) {
    let own = |name: &str| name.is_empty() || name == USER;
    let yes = match request.query() {
        Query::Connect => true,
        Query::Authenticate(login) => {
            asked.push(format!("{} {}", login.mechanism, login.user));
            login.user == USER
                && login.password == Secret::new(PASSWORD)
                && own(login.authorization)
        }
        Query::Bearer(bearer) => {
            asked.push(format!("{} {}", bearer.mechanism, bearer.user));
            bearer.user == USER && bearer.token == Secret::new(PASSWORD)
        }
        Query::Authorize(identity) => {
            let (user, other) = (identity.user, identity.authorization);
            asked.push(format!("{} {user:?} for {other:?}", identity.mechanism));
            identity.mechanism == Mechanism::External || own(other)
        }
        Query::Keys(wanted) => {
            asked.push(format!("keys {} {}", wanted.mechanism, wanted.user));
            let keys = if wanted.user == USER {
                StoredKeys::derive(wanted.hash, PASSWORD, b"0123456789abcdef", 4096).unwrap()
            } else {
                StoredKeys::pretend(wanted.hash, &PRETEND, wanted.user, 4096)
            };
            request.answer_with_keys(&keys);
            return;
        }
        Query::Digest(digest) => {
            asked.push(format!("CRAM-MD5 {}", digest.user));
            digest.user == USER && digest.proves(Secret::new(PASSWORD))
        }
        other => panic!("{other:?}"),
    };
    if yes {
        request.accept();
    } else {
        request.answer(&no());
    }
}

fn run(setup: &Setup<'_>) -> Outcome {
    let mut config = Config::new("mx.example.org", setup.security)
        .unwrap()
        .credentials(setup.credentials)
        .mechanisms(setup.allowed);
    config.danger_plaintext_auth = setup.danger;
    let hostname = EhloName::parse("mx.example.org").unwrap();
    let mut server_config = server::Config::new(hostname, setup.security).mechanisms(setup.offered);
    server_config.danger_plaintext_auth = setup.danger;
    let (mut client_line, mut server_line, mut server_reply) = ([0; 512], [0; 512], [0; 512]);
    let mut outcome = Outcome {
        mechanism: None,
        asked: Vec::new(),
        error: None,
        authenticated: false,
        client_said: String::new(),
        server_said: String::new(),
    };
    let mut client = Client::new(&config, &mut client_line, NOW);
    let mut server = Server::new(&server_config, &mut server_line, &mut server_reply, NOW);
    client.set_entropy([7; 18]);
    server.set_entropy([8; 32]);
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let mut out = vec![0; setup.write];
    'session: for _ in 0..100_000 {
        if client.wants_tls() && server.wants_tls() {
            client.tls_established(NOW).unwrap();
            server.tls_established(NOW).unwrap();
            if let Some(binding) = setup.client_binding {
                client.set_channel_binding(binding);
            }
            for binding in setup.server_bindings {
                server.set_channel_binding(*binding);
            }
        }
        loop {
            loop {
                let n = server.transmit(NOW, &mut out);
                if n == 0 {
                    break;
                }
                to_client.extend_from_slice(&out[..n]);
                outcome
                    .server_said
                    .push_str(&String::from_utf8_lossy(&out[..n]));
            }
            let piece: Vec<u8> = to_server[..setup.read.min(to_server.len())].to_vec();
            let (used, event) = server.receive(NOW, &piece).unwrap();
            to_server.drain(..used);
            match event {
                Some(server::Event::Request(request)) => decide(request, &mut outcome.asked),
                None if used == 0 => break,
                _ => {}
            }
        }
        let mut rest = strip(&mut to_client, setup.stripped);
        while !rest.is_empty() {
            let piece = &rest[..setup.read.min(rest.len())];
            match client.receive(NOW, piece) {
                Err(error) => {
                    outcome.error = Some(error);
                    break 'session;
                }
                Ok((used, event)) => {
                    let over = matches!(
                        event,
                        Some(client::Event::Ready | client::Event::Refused { .. })
                    );
                    rest = &rest[used..];
                    if over {
                        outcome.authenticated = client.is_ready();
                        outcome.error = client.error();
                        break 'session;
                    }
                }
            }
        }
        to_client.clear();
        loop {
            let n = client.transmit(NOW, &mut out);
            if n == 0 {
                break;
            }
            to_server.extend_from_slice(&out[..n]);
            outcome
                .client_said
                .push_str(&String::from_utf8_lossy(&out[..n]));
        }
    }
    outcome.mechanism = client.mechanism();
    assert!(!format!("{client:?}{server:?}").contains(PASSWORD));
    if outcome.authenticated {
        assert!(server.is_authenticated());
    }
    drop(server);
    assert_eq!(server_line, [0; 512], "the line buffer is wiped");
    outcome
}

/// What somebody in between makes of the server's words.
fn strip<'a>(octets: &'a mut Vec<u8>, what: &str) -> &'a [u8] {
    if what != "-" {
        let text = String::from_utf8(std::mem::take(octets)).unwrap();
        *octets = text.replace(what, "").into_bytes();
    }
    octets
}

fn only(mechanism: Mechanism) -> Mechanisms {
    Mechanisms::NONE.with(mechanism)
}

fn password() -> Credentials<'static> {
    Credentials::password(USER, PASSWORD).unwrap()
}

fn fitting(mechanism: Mechanism) -> Credentials<'static> {
    match mechanism {
        Mechanism::XOAuth2 | Mechanism::OAuthBearer => Credentials::oauth2(USER, PASSWORD).unwrap(),
        Mechanism::External => Credentials::external("").unwrap(),
        _ => password(),
    }
}

#[test]
fn every_mechanism_in_pieces_of_every_size() {
    for mechanism in Mechanism::ALL {
        let bindings = [exporter(3), end_point()];
        for binding in bindings {
            let mut setup = Setup::new(fitting(mechanism), only(mechanism));
            setup.client_binding = Some(binding);
            setup.server_bindings = &bindings;
            if !mechanism.binds_channel() {
                setup.client_binding = None;
                setup.server_bindings = &[];
            }
            let whole = run(&setup);
            assert!(whole.authenticated, "{mechanism}: {whole:?}");
            assert_eq!(whole.mechanism, Some(mechanism));
            assert!(whole.server_said.contains("\r\n235 2.7.0"));
            for read in [1, 2, 3, 7, 19, 64] {
                for write in [1, 2, 5, 17, 100] {
                    (setup.read, setup.write) = (read, write);
                    assert_eq!(
                        run(&setup),
                        whole,
                        "{mechanism}, read {read}, write {write}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_the_driver_is_asked() {
    for (mechanism, asked) in [
        (Mechanism::Plain, &[format!("PLAIN {USER}")][..]),
        (Mechanism::CramMd5, &[format!("CRAM-MD5 {USER}")]),
        (Mechanism::XOAuth2, &[format!("XOAUTH2 {USER}")]),
        (Mechanism::OAuthBearer, &[format!("OAUTHBEARER {USER}")]),
        (Mechanism::External, &["EXTERNAL \"\" for \"\"".into()]),
        (
            Mechanism::ScramSha256,
            &[
                format!("keys SCRAM-SHA-256 {USER}"),
                format!("SCRAM-SHA-256 {USER:?} for \"\""),
            ],
        ),
    ] {
        let outcome = run(&Setup::new(fitting(mechanism), only(mechanism)));
        assert_eq!(outcome.asked, asked, "{mechanism}");
    }
    let boss = Credentials::external("b=o,ss").unwrap();
    let outcome = run(&Setup::new(boss, only(Mechanism::External)));
    assert_eq!(outcome.asked, ["EXTERNAL \"\" for \"b=o,ss\""]);
}

#[test]
fn wrong_credentials_are_refused() {
    for mechanism in Mechanism::ALL {
        if mechanism == Mechanism::External {
            continue;
        }
        let bindings = [exporter(3)];
        for (user, secret) in [(USER, "other"), ("nobody", PASSWORD)] {
            let credentials = match fitting(mechanism) == password() {
                true => Credentials::password(user, secret),
                false => Credentials::oauth2(user, secret),
            };
            let mut setup = Setup::new(credentials.unwrap(), only(mechanism));
            if mechanism.binds_channel() {
                setup.client_binding = Some(bindings[0]);
                setup.server_bindings = &bindings;
            }
            let outcome = run(&setup);
            assert!(!outcome.authenticated, "{mechanism}");
            assert!(
                matches!(outcome.error, Some(Error::Refused { code, .. }) if code.get() == 535),
                "{mechanism}: {outcome:?}"
            );
            // The octets of refusals are the same whether or not the user is known.
            if mechanism.reveals_secret() {
                continue;
            }
            assert!(!outcome.asked.iter().any(|asked| asked.contains(" for ")));
        }
    }
}

#[test]
fn the_strongest_is_chosen() {
    let order = [
        Mechanism::ScramSha256Plus,
        Mechanism::ScramSha1Plus,
        Mechanism::ScramSha256,
        Mechanism::ScramSha1,
        Mechanism::CramMd5,
        Mechanism::Plain,
        Mechanism::Login,
    ];
    let bindings = [exporter(3)];
    for first in 0..order.len() {
        let offered = order[first..].iter().copied().collect();
        let mut setup = Setup::new(password(), offered);
        setup.client_binding = Some(bindings[0]);
        setup.server_bindings = &bindings;
        let outcome = run(&setup);
        assert!(outcome.authenticated, "{outcome:?}");
        assert_eq!(outcome.mechanism, Some(order[first]));
        // Without being asked, CRAM-MD5 is passed over.
        setup.allowed = Config::MECHANISMS;
        let expected = match order[first] {
            Mechanism::CramMd5 => Mechanism::Plain,
            other => other,
        };
        assert_eq!(run(&setup).mechanism, Some(expected));
        // Only as strong as the program wants.
        setup.allowed = Mechanisms::SCRAM;
        let outcome = run(&setup);
        if first < 4 {
            assert!(outcome.authenticated);
        } else {
            assert_eq!(outcome.error, Some(Error::Unmet(Requirement::Mechanism)));
            assert!(!outcome.client_said.contains("AUTH"));
        }
    }
}

#[test]
fn a_downgrade_is_found_by_the_server() {
    let bindings = [exporter(3)];
    let offered = only(Mechanism::ScramSha256).with(Mechanism::ScramSha256Plus);
    let mut setup = Setup::new(password(), offered);
    setup.client_binding = Some(bindings[0]);
    setup.server_bindings = &bindings;
    setup.stripped = " SCRAM-SHA-256-PLUS";
    let outcome = run(&setup);
    assert_eq!(outcome.mechanism, Some(Mechanism::ScramSha256));
    assert!(
        !outcome.authenticated && outcome.asked.is_empty(),
        "{outcome:?}"
    );
    // Nobody in between: a client that can bind, a server that can not.
    setup.server_bindings = &[];
    assert!(run(&setup).authenticated);
    // A client that can not bind.
    setup.client_binding = None;
    setup.server_bindings = &bindings;
    setup.stripped = "-";
    assert!(run(&setup).authenticated);
}

#[test]
fn another_tls_connection_is_found() {
    let (ours, theirs) = ([exporter(3)], exporter(4));
    let mut setup = Setup::new(password(), only(Mechanism::ScramSha256Plus));
    setup.server_bindings = &ours;
    setup.client_binding = Some(theirs);
    let outcome = run(&setup);
    assert!(
        matches!(outcome.error, Some(Error::Refused { .. })),
        "{outcome:?}"
    );
    // A type that the server does not have.
    setup.client_binding = Some(end_point());
    assert!(matches!(run(&setup).error, Some(Error::Refused { .. })));
}

#[test]
fn without_tls_no_password_leaves_but_scram_works() {
    let mut setup = Setup::new(password(), Mechanisms::ALL);
    setup.security = Security::DangerPlaintext;
    let outcome = run(&setup);
    assert_eq!(outcome.mechanism, Some(Mechanism::ScramSha256));
    assert!(outcome.authenticated);
    let line = outcome
        .server_said
        .lines()
        .find(|line| line.contains("AUTH"));
    assert_eq!(line, Some("250-AUTH CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256"));
    setup.offered = only(Mechanism::Plain);
    assert_eq!(run(&setup).error, Some(Error::Unmet(Requirement::Auth)));
    setup.danger = true;
    assert!(run(&setup).authenticated);
}

#[test]
fn a_lying_server_is_found() {
    // It has the keys of another password, and says yes to everything.
    let config = Config::new("mx.example.org", Security::DangerPlaintext)
        .unwrap()
        .credentials(password());
    for end in [
        "235 2.7.0 ok\r\n",
        "334 \r\n",
        "334 dj1BQUFB\r\n",
        "334 ZT1vdGhlci1lcnJvcg==\r\n",
    ] {
        let mut line = [0; 512];
        let mut client = Client::new(&config, &mut line, NOW);
        client.set_entropy([0; 18]);
        // The nonce is 24 times "A".
        let challenge = "334 cj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFTUlYscz1jMkZzZEE9PSxpPTQwOTY=\r\n";
        let words = [
            "220 hi\r\n",
            "250-mx\r\n",
            "250 AUTH SCRAM-SHA-256\r\n",
            challenge,
            end,
        ];
        let mut result = Ok(());
        for word in words {
            while client.transmit(NOW, &mut [0; 512]) > 0 {}
            assert_eq!(result, Ok(()), "before {word}");
            result = client.receive(NOW, word.as_bytes()).map(|_| ());
        }
        let expected = match end.starts_with("235") {
            true => Fault::ServerNotProven,
            false => Fault::BadChallenge,
        };
        assert!(
            matches!(result, Err(Error::Peer { fault, .. }) if fault == expected),
            "{end}: {result:?}"
        );
        assert!(!client.is_ready());
    }
}

/// Says these lines to a server that offers all; returns what it answers behind
/// EHLO.
fn say(lines: &[&str]) -> Vec<String> {
    let hostname = EhloName::parse("mx.example.org").unwrap();
    let config = server::Config::new(hostname, Security::ImplicitTls).mechanisms(Mechanisms::ALL);
    let (mut line, mut reply, mut out) = ([0; 512], [0; 512], [0; 4096]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    server.tls_established(NOW).unwrap();
    server.set_entropy([8; 32]);
    server.set_channel_binding(exporter(3));
    let mut answers = Vec::new();
    for text in [&["EHLO c"], lines].concat() {
        let octets = format!("{text}\r\n").into_bytes();
        let mut rest = &octets[..];
        let mut answer = String::new();
        loop {
            let n = server.transmit(NOW, &mut out);
            answer.push_str(std::str::from_utf8(&out[..n]).unwrap());
            let (used, event) = server.receive(NOW, rest).unwrap();
            rest = &rest[used..];
            match event {
                Some(server::Event::Request(request)) => decide(request, &mut Vec::new()),
                None if used == 0 && n == 0 => break,
                _ => {}
            }
        }
        answers.push(answer.trim_end().to_owned());
    }
    answers.split_off(1)
}

fn base64(text: &[u8]) -> String {
    let mut out = vec![0; sansmtp::wire::base64::encoded_len(text.len())];
    let mut window = sansmtp::wire::window::Window::new(0, &mut out);
    let mut encoder = sansmtp::wire::base64::Encoder::default();
    encoder.put(text, &mut window);
    encoder.finish(&mut window);
    String::from_utf8(out).unwrap()
}

#[test]
fn clients_that_do_it_wrong() {
    const MALFORMED: &str = "501 5.5.2 Malformed response";
    const NOT_BOUND: &str = "535 5.7.8 Channel binding does not fit the mechanisms offered";
    for (name, first, expected) in [
        ("SCRAM-SHA-256", "n,,n=user", MALFORMED),
        ("SCRAM-SHA-256", "n,,n=,r=abc", MALFORMED),
        ("SCRAM-SHA-256", "n,,n=user,r=", MALFORMED),
        ("SCRAM-SHA-256", "n,,n=us=er,r=abc", MALFORMED),
        ("SCRAM-SHA-256", "n,,n=user=2,r=abc", MALFORMED),
        ("SCRAM-SHA-256", "n,,n=us\u{0}er,r=abc", MALFORMED),
        ("SCRAM-SHA-256", "n,,m=x,n=user,r=abc", MALFORMED),
        ("SCRAM-SHA-256", "n,,n=user,r=abc,m=x", MALFORMED),
        ("SCRAM-SHA-256", "n,a=,n=user,r=abc", MALFORMED),
        ("SCRAM-SHA-256", "n,b=x,n=user,r=abc", MALFORMED),
        ("SCRAM-SHA-256", "x,,n=user,r=abc", MALFORMED),
        ("SCRAM-SHA-256", "n=user,r=abc", MALFORMED),
        ("SCRAM-SHA-256", "n,,n=user,r=a\u{e9}", MALFORMED),
        ("SCRAM-SHA-256", "", MALFORMED),
        ("SCRAM-SHA-256", "y,,n=user,r=abc", NOT_BOUND),
        ("SCRAM-SHA-256", "p=tls-exporter,,n=user,r=abc", NOT_BOUND),
        ("SCRAM-SHA-256-PLUS", "n,,n=user,r=abc", NOT_BOUND),
        ("SCRAM-SHA-256-PLUS", "y,,n=user,r=abc", NOT_BOUND),
        (
            "SCRAM-SHA-256-PLUS",
            "p=tls-unique,,n=user,r=abc",
            NOT_BOUND,
        ),
        ("XOAUTH2", "user=a", MALFORMED),
        ("XOAUTH2", "user=a\u{1}auth=Basic x\u{1}\u{1}", MALFORMED),
        ("XOAUTH2", "user=a\u{1}auth=Bearer \u{1}\u{1}", MALFORMED),
        ("OAUTHBEARER", "n,a=a,\u{1}\u{1}", MALFORMED),
        (
            "OAUTHBEARER",
            "p=tls-exporter,,\u{1}auth=Bearer x\u{1}\u{1}",
            MALFORMED,
        ),
        (
            "OAUTHBEARER",
            "n,a=a=b,\u{1}auth=Bearer x\u{1}\u{1}",
            MALFORMED,
        ),
        ("EXTERNAL", "a\u{0}b", MALFORMED),
        ("CRAM-MD5", "user 0123", MALFORMED),
    ] {
        let coded = base64(first.as_bytes());
        let coded = if coded.is_empty() { "=" } else { &coded };
        let answers = say(&[&format!("AUTH {name} {coded}"), "NOOP"]);
        assert_eq!(answers, [expected, "250 2.0.0 Ok"], "{name} {first:?}");
        // The same as a response of its own.
        if name == "CRAM-MD5" || coded == "=" {
            continue;
        }
        let answers = say(&[&format!("AUTH {name}"), coded, "NOOP"]);
        assert_eq!(
            answers,
            ["334", expected, "250 2.0.0 Ok"],
            "{name} {first:?}"
        );
    }
    let first = base64(b"n,,n=user,r=abc");
    let begin = format!("AUTH SCRAM-SHA-256 {first}");
    for (last, expected) in [
        ("*", "501 5.7.0 Authentication cancelled"),
        ("!!!!", MALFORMED),
        ("", MALFORMED),
        ("Yz1iaXdz", MALFORMED),
    ] {
        let answers = say(&[&begin, last, "NOOP"]);
        assert!(answers[0].starts_with("334 cj1hYmN"), "{answers:?}");
        assert_eq!(answers[1..], [expected, "250 2.0.0 Ok"], "{last:?}");
    }
    assert_eq!(
        say(&["AUTH GSSAPI"]),
        ["504 5.5.4 Mechanism is not available"]
    );
    assert_eq!(
        say(&["AUTH CRAM-MD5", "*"])[1],
        "501 5.7.0 Authentication cancelled"
    );
}

#[test]
fn a_nonce_comes_up_once_and_unknown_users_do_not_stand_out() {
    let first = |user: &str| {
        format!(
            "AUTH SCRAM-SHA-256 {}",
            base64(format!("n,,n={user},r=abc").as_bytes())
        )
    };
    let answers = say(&[
        &first("nobody"),
        "*",
        &first("nobody"),
        "*",
        &first(USER.trim_start_matches("us=er,")),
        "*",
    ]);
    let text = |answer: &str| {
        let mut octets = answer.strip_prefix("334 ").unwrap().as_bytes().to_vec();
        let length = sansmtp::wire::base64::decode_in_place(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    };
    let (one, two) = (text(&answers[0]), text(&answers[2]));
    let part = |text: &str, at| text.split(',').nth(at).unwrap().to_owned();
    assert_ne!(part(&one, 0), part(&two, 0), "the nonce is fresh");
    assert_eq!(part(&one, 1), part(&two, 1), "the salt stays");
    assert_eq!(
        part(&one, 1).len(),
        "s=".len() + 24,
        "16 octets, as others have"
    );
    assert_eq!(part(&one, 2), "i=4096");
    let challenges: Vec<_> = say(&["AUTH CRAM-MD5", "*", "AUTH CRAM-MD5"]);
    assert_ne!(challenges[0], challenges[2]);
}

#[test]
fn keys_are_kept_and_checked() {
    for hash in [Hash::Sha1, Hash::Sha256] {
        let keys = StoredKeys::derive(hash, PASSWORD, b"salt", 5000).unwrap();
        let copy = StoredKeys::from_parts(
            hash,
            keys.iterations(),
            keys.salt(),
            keys.stored_key(),
            keys.server_key(),
        );
        assert_eq!(copy.as_ref(), Some(&keys));
        assert!(keys.verify(PASSWORD) && !keys.verify("s3cret") && !keys.verify(""));
        let pretended = StoredKeys::pretend(hash, &PRETEND, "user", 4096);
        assert!(!pretended.verify(PASSWORD));
        assert_eq!(pretended, StoredKeys::pretend(hash, &PRETEND, "user", 4096));
        assert_ne!(
            pretended.salt(),
            StoredKeys::pretend(hash, &PRETEND, "user2", 4096).salt()
        );
        let short = &keys.stored_key()[1..];
        assert!(StoredKeys::from_parts(hash, 5000, b"s", short, keys.server_key()).is_none());
        assert!(
            StoredKeys::from_parts(hash, 4095, b"s", keys.stored_key(), keys.server_key())
                .is_none()
        );
        assert!(StoredKeys::derive(hash, PASSWORD, b"", 5000).is_none());
        assert!(StoredKeys::derive(hash, PASSWORD, &[1; 65], 5000).is_none());
        assert_eq!(
            StoredKeys::derive(hash, PASSWORD, b"s", 1)
                .unwrap()
                .iterations(),
            4096
        );
    }
}

#[test]
fn a_driver_that_lets_go_of_the_request_can_answer() {
    let hostname = EhloName::parse("mx.example.org").unwrap();
    let config =
        server::Config::new(hostname, Security::DangerPlaintext).mechanisms(Mechanisms::ALL);
    let (mut line, mut reply, mut out) = ([0; 512], [0; 512], [0; 512]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    server.set_entropy([8; 32]);
    let _ = server.receive(NOW, b"").unwrap();
    let keys = StoredKeys::pretend(Hash::Sha256, &PRETEND, "user", 4096);
    assert!(
        server.answer_with_keys(&keys).is_err(),
        "nothing of that kind is asked"
    );
    server.accept().unwrap();
    while server.transmit(NOW, &mut out) > 0 {}
    let auth = format!("AUTH SCRAM-SHA-256 {}\r\n", base64(b"n,,n=user,r=abc"));
    for line in ["EHLO c\r\n", &auth] {
        let _ = server.receive(NOW, line.as_bytes()).unwrap();
        while server.transmit(NOW, &mut out) > 0 {}
    }
    assert!(server.is_asking());
    server.answer_with_keys(&keys).unwrap();
    let n = server.transmit(NOW, &mut out);
    assert!(
        out[..n].starts_with(b"334 cj1hYmN"),
        "{:?}",
        String::from_utf8_lossy(&out[..n])
    );
    // Keys of another kind are of no use, and a mere yes is no key.
    let _ = server.receive(NOW, b"*\r\n").unwrap();
    while server.transmit(NOW, &mut out) > 0 {}
    for keys in [
        Some(StoredKeys::pretend(Hash::Sha1, &PRETEND, "user", 1)),
        None,
    ] {
        let _ = server.receive(NOW, auth.as_bytes()).unwrap();
        match &keys {
            Some(keys) => server.answer_with_keys(keys).unwrap(),
            None => server.accept().unwrap(),
        }
        let n = server.transmit(NOW, &mut out);
        assert!(out[..n].starts_with(b"454 4.7.0 Temporary"), "{keys:?}");
        assert!(!server.is_authenticated());
    }
}
