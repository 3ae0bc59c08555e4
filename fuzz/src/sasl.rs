//! SASL: what the server reads out of a response is what a naive decoder reads; what a client sends, the
//! server gets; and no server that does not know the password gets a client to believe it.

use crate::input::{Input, pieces};
use crate::naive;
use sansmtp::auth::{Credentials, Hash, StoredKeys};
use sansmtp::capability::{Mechanism, Mechanisms};
use sansmtp::client::{self, Client};
use sansmtp::config::{self, EhloName, Security};
use sansmtp::server::{self, Event, Query, Server};
use sansmtp::{Instant, Machine};

const NOW: Instant = Instant::from_millis(0);

/// Checks octets as responses, as credentials, and as challenges.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    match input.octet() {
        choice @ 0..150 => response(choice, input),
        choice @ 150..=254 => credentials(choice, input),
        // Thousands of hashes each.
        255 => hashed(input),
    }
    challenges(&data[data.len().min(1)..]);
}

/// What a server was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    authorization: String,
    user: String,
    secret: String,
}

fn server_config(mechanisms: Mechanisms) -> server::Config<'static> {
    let hostname = EhloName::parse("mx.example.org").expect("a name");
    server::Config::new(hostname, Security::DangerPlaintext)
        .mechanisms(mechanisms)
        .danger_plaintext_auth()
}

fn take(query: &Query<'_>) -> Option<Told> {
    let told = |authorization: &str, user: &str, secret: &str| Told {
        authorization: authorization.to_owned(),
        user: user.to_owned(),
        secret: secret.to_owned(),
    };
    match query {
        Query::Authenticate(login) => Some(told(
            login.authorization,
            login.user,
            login.password.reveal(),
        )),
        Query::Bearer(bearer) => Some(told("", bearer.user, bearer.token.reveal())),
        Query::Authorize(identity) => Some(told(identity.authorization, identity.user, "")),
        _ => None,
    }
}

/// An initial response to one of the mechanisms that show their secret.
fn response(choice: u8, input: Input<'_>) {
    let raw = input.rest();
    let (name, expected): (_, fn(&[u8]) -> Option<Told>) = match choice % 4 {
        0 => ("PLAIN", plain),
        1 => ("XOAUTH2", xoauth2),
        2 => ("OAUTHBEARER", oauthbearer),
        _ => ("EXTERNAL", external),
    };
    // Half of them as they are, half in base64, so that the inside is reached.
    let text = if choice < 75 {
        let clean = raw.iter().copied().filter(|b| (33..127).contains(b));
        String::from_utf8(clean.collect()).expect("ASCII")
    } else {
        naive::to_base64(raw)
    };
    if text.is_empty() || text.len() > 1500 {
        return;
    }
    let decoded = if text == "=" {
        Some(Vec::new())
    } else {
        naive::base64(text.as_bytes())
    };
    let expected = decoded.and_then(|decoded| expected(&decoded));
    let config = server_config(Mechanism::ALL.into_iter().collect());
    let stream = format!("EHLO c\r\nAUTH {name} {text}\r\n");
    let (mut line, mut reply) = ([0; 2048], [0; 512]);
    let mut server = Server::new(&config, &mut line, &mut reply, NOW);
    let mut told = None;
    let said = serve(&mut server, stream.as_bytes(), choice.into(), |query| {
        told = take(query)
    });
    assert_eq!(told, expected, "{stream:?}");
    let code = if told.is_some() { "235" } else { "501" };
    assert!(
        said.lines()
            .last()
            .is_some_and(|line| line.starts_with(code)),
        "{said}"
    );
}

/// Feeds a server and says yes to everything; returns what it said.
fn serve(
    server: &mut Server<'_>,
    stream: &[u8],
    seed: u16,
    mut ask: impl FnMut(&Query<'_>),
) -> String {
    let mut said = Vec::new();
    let mut out = [0; 512];
    for mut piece in std::iter::once(&b""[..]).chain(pieces(stream, seed)) {
        loop {
            let written = server.transmit(NOW, &mut out);
            said.extend_from_slice(&out[..written]);
            if written > 0 {
                continue;
            }
            let (used, event) = server.receive(NOW, piece).expect("no error");
            piece = &piece[used..];
            match event {
                Some(Event::Request(request)) => {
                    ask(&request.query());
                    request.accept();
                }
                Some(_) => {}
                None if used == 0 => break,
                None => {}
            }
        }
    }
    String::from_utf8(said).expect("text")
}

/// RFC 4616, section 2
fn plain(response: &[u8]) -> Option<Told> {
    let text = std::str::from_utf8(response).ok()?;
    let parts: Vec<&str> = text.split('\0').collect();
    match parts[..] {
        [authorization, user, secret] if !user.is_empty() && !secret.is_empty() => Some(Told {
            authorization: authorization.into(),
            user: user.into(),
            secret: secret.into(),
        }),
        _ => None,
    }
}

fn token(auth: &str) -> Option<String> {
    let value = auth.strip_prefix("auth=")?;
    let (scheme, token) = value.split_at_checked(7)?;
    let good = scheme.eq_ignore_ascii_case("bearer ")
        && !token.is_empty()
        && token.bytes().all(|b| (33..127).contains(&b));
    good.then(|| token.to_owned())
}

fn xoauth2(response: &[u8]) -> Option<Told> {
    let text = std::str::from_utf8(response).ok()?;
    let parts: Vec<&str> = text.split('\u{1}').collect();
    let [user, auth, "", ""] = parts[..] else {
        return None;
    };
    let user = user.strip_prefix("user=")?;
    (!user.bytes().any(|b| b.is_ascii_control())).then_some(())?;
    Some(Told {
        user: user.into(),
        secret: token(auth)?,
        ..Told::default()
    })
}

/// RFC 7628, section 3.1
fn oauthbearer(response: &[u8]) -> Option<Told> {
    let at = response.iter().position(|&b| b == 1)?;
    let header = std::str::from_utf8(&response[..at]).ok()?;
    let name = match header {
        "n,," | "y,," => "",
        _ => {
            let name = header.strip_prefix('n').or(header.strip_prefix('y'))?;
            name.strip_prefix(",a=")?.strip_suffix(',')?
        }
    };
    let mut user = String::new();
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        match c {
            '=' if rest.starts_with("=2C") => user.push(','),
            '=' if rest.starts_with("=3D") => user.push('='),
            '=' | ',' | '\0' => return None,
            c => user.push(c),
        }
        rest = &rest[if c == '=' { 3 } else { c.len_utf8() }..];
    }
    (!user.bytes().any(|b| b.is_ascii_control())).then_some(())?;
    let pairs = response[at + 1..].strip_suffix(b"\x01\x01")?;
    let auth = pairs
        .split(|&b| b == 1)
        .find(|pair| pair.starts_with(b"auth="))?;
    Some(Told {
        user,
        secret: token(std::str::from_utf8(auth).ok()?)?,
        ..Told::default()
    })
}

fn external(response: &[u8]) -> Option<Told> {
    let text = std::str::from_utf8(response).ok()?;
    (!text.bytes().any(|b| b.is_ascii_control())).then(|| Told {
        authorization: text.into(),
        ..Told::default()
    })
}

/// Credentials go from the client to the server as they are.
fn credentials(choice: u8, mut input: Input<'_>) {
    let user = String::from_utf8_lossy(input.until(0)).into_owned();
    let secret = String::from_utf8_lossy(input.rest()).into_owned();
    if user.len() + secret.len() > 1000 {
        return;
    }
    let mechanism = match choice % 4 {
        0 => Mechanism::Plain,
        1 => Mechanism::Login,
        2 => Mechanism::XOAuth2,
        _ => Mechanism::OAuthBearer,
    };
    let made = match mechanism {
        Mechanism::Plain | Mechanism::Login => Credentials::password(&user, &secret),
        _ => Credentials::oauth2(&user, &secret),
    };
    let Ok(made) = made else { return };
    let mechanisms = Mechanisms::NONE.with(mechanism);
    let told = log_in(made, mechanisms, choice.into(), |_| None);
    let (told, ready) = (told.0.expect("credentials arrive"), told.1);
    assert!(ready);
    assert_eq!(
        (&told.user, &told.secret),
        (&user, &secret),
        "{mechanism:?}"
    );
}

/// SCRAM and CRAM-MD5 with the right and the wrong password.
fn hashed(mut input: Input<'_>) {
    let choice = input.octet();
    let user = String::from_utf8_lossy(input.until(0)).into_owned();
    let secret = String::from_utf8_lossy(input.rest()).into_owned();
    let Ok(made) = Credentials::password(&user, &secret) else {
        return;
    };
    if user.len() + secret.len() > 300 {
        return;
    }
    let (mechanism, hash) = match choice % 2 {
        0 => (Mechanism::ScramSha1, Hash::Sha1),
        _ => (Mechanism::ScramSha256, Hash::Sha256),
    };
    let Some(right) = StoredKeys::derive(hash, &secret, b"salt", 4096) else {
        return;
    };
    let wrong = StoredKeys::derive(hash, &format!("{secret}x"), b"salt", 4096);
    let wrong = wrong.unwrap_or_else(|| StoredKeys::pretend(hash, &[7; 32], &user, 4096));
    for (keys, works) in [(right, true), (wrong, false)] {
        let mechanisms = Mechanisms::NONE.with(mechanism);
        let (told, ready) = log_in(made, mechanisms, choice.into(), |_| Some(&keys));
        // A user whose name SASLprep refuses can not log in at all.
        let prepared = told.is_some() == ready && ready == works || !ready && told.is_none();
        assert!(prepared, "{user:?} {secret:?} {works} {told:?} {ready}");
        if let Some(told) = told {
            assert_eq!(told.user, user);
        }
    }
}

/// Lets a client log in at a server; what the server was told, and whether the client is content.
fn log_in<'k>(
    credentials: Credentials<'_>,
    mechanisms: Mechanisms,
    seed: u16,
    keys: impl Fn(&str) -> Option<&'k StoredKeys>,
) -> (Option<Told>, bool) {
    let config = config::Config::new("mx.example.org", Security::DangerPlaintext)
        .expect("a host")
        .credentials(credentials)
        .danger_plaintext_auth();
    let server_config = server_config(mechanisms);
    let (mut client_line, mut server_line, mut reply) = ([0; 4096], [0; 4096], [0; 512]);
    let mut client = Client::new(&config, &mut client_line, NOW);
    client.set_entropy([3; 18]);
    let mut server = Server::new(&server_config, &mut server_line, &mut reply, NOW);
    server.set_entropy([5; 32]);
    let (mut told, ready) = (None, false);
    let mut out = [0; 4096];
    let mut to_server = Vec::new();
    for _ in 0..12 {
        let mut to_client = Vec::new();
        for mut piece in std::iter::once(&b""[..]).chain(pieces(&to_server, seed)) {
            loop {
                let written = server.transmit(NOW, &mut out);
                to_client.extend_from_slice(&out[..written]);
                if written > 0 {
                    continue;
                }
                let (used, event) = server.receive(NOW, piece).expect("no error");
                piece = &piece[used..];
                match event {
                    Some(Event::Request(request)) => {
                        let query = request.query();
                        if let Query::Keys(wanted) = query {
                            match keys(wanted.user) {
                                Some(keys) => request.answer_with_keys(keys),
                                None => request.accept(),
                            }
                            continue;
                        }
                        told = told.or(take(&query));
                        request.accept();
                    }
                    Some(_) => {}
                    None if used == 0 => break,
                    None => {}
                }
            }
        }
        to_server.clear();
        let mut rest = &to_client[..];
        loop {
            let Ok((used, event)) = client.receive(NOW, rest) else {
                return (told, ready);
            };
            rest = &rest[used..];
            match event {
                Some(client::Event::Ready) => return (told, true),
                Some(_) => {}
                None if used == 0 => break,
                None => {}
            }
        }
        loop {
            let written = client.transmit(NOW, &mut out);
            to_server.extend_from_slice(&out[..written]);
            if written == 0 {
                break;
            }
        }
    }
    (told, ready)
}

/// A server that knows nothing says anything at all within SCRAM.
fn challenges(data: &[u8]) {
    let credentials = Credentials::password("user", "s3cret-pw").expect("credentials");
    let mut config = config::Config::new("mx.example.org", Security::DangerPlaintext)
        .expect("a host")
        .credentials(credentials);
    // So that the fuzzer does not wait for hashes.
    config.limits.scram_iterations = 4096;
    let mut line = [0; 512];
    let mut client = Client::new(&config, &mut line, NOW);
    client.set_entropy([3; 18]);
    let mut sent = Vec::new();
    let mut out = [0; 512];
    let start = b"220 mx\r\n250-mx\r\n250 AUTH SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN\r\n";
    let lines = start.split_inclusive(|&b| b == b'\n').map(<[u8]>::to_vec);
    let answers = data.split(|&b| b == 0).map(|challenge| {
        let challenge = match challenge {
            [b'+', raw @ ..] => naive::to_base64(raw).into_bytes(),
            [b'!', code @ ..] => return [code, b"\r\n"].concat(),
            raw => raw.to_vec(),
        };
        [b"334 ", &challenge[..], b"\r\n"].concat()
    });
    for line in lines.chain(answers) {
        let mut rest = &line[..];
        while !rest.is_empty() {
            let Ok((used, event)) = client.receive(NOW, rest) else {
                return assert!(!shows_secret(&sent));
            };
            assert!(
                !matches!(event, Some(client::Event::Ready)),
                "believed {data:?}"
            );
            rest = &rest[used..];
            if used == 0 && event.is_none() {
                break;
            }
        }
        loop {
            let written = client.transmit(NOW, &mut out);
            sent.extend_from_slice(&out[..written]);
            if written == 0 {
                break;
            }
        }
    }
    assert!(!shows_secret(&sent));
}

/// Whether the password is in what was sent, in base64 or not.
fn shows_secret(sent: &[u8]) -> bool {
    let secret = b"s3cret-pw";
    let contains = |octets: &[u8]| octets.windows(secret.len()).any(|it| it == secret);
    let words = sent.split(|b| b" \r\n".contains(b));
    contains(sent) || words.filter_map(naive::base64).any(|word| contains(&word))
}
