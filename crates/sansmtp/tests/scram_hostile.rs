//! Servers that break SCRAM, against the client machine: a server of its own kind
//! that computes everything itself and lies where the case says so.

use hmac::{Hmac, KeyInit, Mac};
use sansmtp::auth::Credentials;
use sansmtp::client::{Client, Event};
use sansmtp::config::{Config, Security};
use sansmtp::error::{Error, Fault};
use sansmtp::wire::base64::{Encoder, decode_in_place, encoded_len};
use sansmtp::wire::window::Window;
use sansmtp::{Instant, Machine};
use sha2::{Digest, Sha256};

const NOW: Instant = Instant::from_millis(0);
const PASSWORD: &str = "s3cret-pw";

fn base64(octets: &[u8]) -> String {
    let mut out = vec![0; encoded_len(octets.len())];
    let mut window = Window::new(0, &mut out);
    let mut encoder = Encoder::default();
    encoder.put(octets, &mut window);
    encoder.finish(&mut window);
    String::from_utf8(out).unwrap()
}

fn decoded(text: &str) -> String {
    let mut octets = text.trim_end().as_bytes().to_vec();
    let length = decode_in_place(&mut octets).unwrap();
    octets.truncate(length);
    String::from_utf8(octets).unwrap()
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// `Hi` by its definition (RFC 5802, section 2.2).
fn hi(password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
    let mut u = hmac(password, &[salt, &[0, 0, 0, 1]].concat());
    let mut sum = u.clone();
    for _ in 1..iterations {
        u = hmac(password, &u);
        sum.iter_mut().zip(&u).for_each(|(a, b)| *a ^= b);
    }
    sum
}

/// How the session with a server of this kind ends.
fn session(variant: &str) -> Result<(), Error> {
    let credentials = Credentials::password("user", PASSWORD).unwrap();
    let config = Config::new("mx.example.org", Security::DangerPlaintext)
        .unwrap()
        .credentials(credentials);
    let mut line = [0; 512];
    let mut client = Client::new(&config, &mut line, NOW);
    client.set_entropy(*b"0123456789abcdefgh");
    let mut exchange = |text: String| -> Result<(bool, String), Error> {
        let mut rest = text.as_bytes();
        let mut ready = false;
        while !rest.is_empty() {
            let (used, event) = client.receive(NOW, rest)?;
            ready |= matches!(event, Some(Event::Ready));
            rest = &rest[used..];
        }
        let mut out = [0; 1024];
        let length = client.transmit(NOW, &mut out);
        Ok((ready, String::from_utf8(out[..length].to_vec()).unwrap()))
    };
    exchange("220 mx.example.org ESMTP\r\n".into())?;
    let (_, auth) = exchange("250-mx\r\n250 AUTH SCRAM-SHA-256\r\n".into())?;
    let first = decoded(auth.strip_prefix("AUTH SCRAM-SHA-256 ").unwrap());
    let bare = first.strip_prefix("n,,").unwrap();
    let client_nonce = bare.split_once(",r=").unwrap().1;
    if variant == "early235" {
        exchange("235 2.7.0 ok\r\n".into())?;
        return Ok(());
    }
    let nonce = match variant {
        "badnonce" => "attacker".to_owned(),
        "samenonce" => client_nonce.to_owned(),
        _ => format!("{client_nonce}SRV"),
    };
    let salt = b"saltsaltsalt";
    let said: u64 = match variant {
        "iter1" => 1,
        "iter0" => 0,
        "iterbig" => 4_294_967_295,
        "iterover" => 4_294_967_296 + 4096,
        _ => 4096,
    };
    let said_salt = if variant == "nosalt" {
        String::new()
    } else {
        base64(salt)
    };
    let mut server_first = format!("r={nonce},s={said_salt},i={said}");
    if variant == "mext" {
        server_first = format!("m=must,{server_first}");
    }
    let challenge = match variant {
        "nobase64" => "!!!!".to_owned(),
        "noencoding" => server_first.clone(),
        "empty" => String::new(),
        "long" => base64("x".repeat(3000).as_bytes()),
        _ => base64(server_first.as_bytes()),
    };
    let (_, last) = exchange(format!("334 {challenge}\r\n"))?;
    let last = decoded(&last);
    let (without_proof, proof) = last.split_once(",p=").unwrap();
    let message = format!("{bare},{server_first},{without_proof}");
    let salted = hi(PASSWORD.as_bytes(), salt, 4096);
    let client_key = hmac(&salted, b"Client Key");
    let stored_key = Sha256::digest(&client_key);
    let signature = hmac(&stored_key, message.as_bytes());
    let ours: Vec<u8> = client_key
        .iter()
        .zip(signature)
        .map(|(a, b)| a ^ b)
        .collect();
    assert_eq!(base64(&ours), proof, "the client's proof is right");
    let mut signature = hmac(&hmac(&salted, b"Server Key"), message.as_bytes());
    match variant {
        "badsig" => signature = vec![0; 32],
        "shortsig" => signature.truncate(31),
        "longsig" => signature.push(0),
        "nosig" => {
            exchange("235 2.7.0 ok\r\n".into())?;
            return Ok(());
        }
        _ => {}
    }
    let server_final = match variant {
        "eattr" => "e=other-error".to_owned(),
        "emptysig" => "v=".to_owned(),
        _ => format!("v={}", base64(&signature)),
    };
    let (_, answer) = exchange(format!("334 {}\r\n", base64(server_final.as_bytes())))?;
    assert_eq!(answer, "\r\n");
    if variant == "again" {
        exchange(format!("334 {}\r\n", base64(server_final.as_bytes())))?;
        return Ok(());
    }
    let (ready, _) = exchange("235 2.7.0 ok\r\n".into())?;
    assert!(ready);
    Ok(())
}

#[test]
fn an_honest_server() {
    assert_eq!(session("good"), Ok(()));
}

#[test]
fn dishonest_servers() {
    for variant in [
        "iter0",
        "iter1",
        "iterbig",
        "iterover",
        "nosalt",
        "mext",
        "badnonce",
        "samenonce",
        "badsig",
        "shortsig",
        "longsig",
        "emptysig",
        "eattr",
        "nobase64",
        "noencoding",
        "empty",
        "long",
        "again",
    ] {
        let result = session(variant);
        assert!(
            matches!(
                result,
                Err(Error::Peer {
                    fault: Fault::BadChallenge,
                    ..
                })
            ),
            "{variant}: {result:?}"
        );
    }
    for variant in ["nosig", "early235"] {
        let result = session(variant);
        assert!(
            matches!(
                result,
                Err(Error::Peer {
                    fault: Fault::ServerNotProven,
                    ..
                })
            ),
            "{variant}: {result:?}"
        );
    }
}
