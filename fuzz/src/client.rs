//! The client against a server that says anything: however its octets are split, the dialogue is the same;
//! one verdict for each message, and the password stays where it belongs.

use crate::input::{Input, pieces};
use crate::naive;
use sansmtp::auth::Credentials;
use sansmtp::client::{Client, Event};
use sansmtp::config::{Config, Security};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::wire::path::ReversePath;
use sansmtp::{Instant, Machine};

const NOW: Instant = Instant::from_millis(0);
const PASSWORD: &str = "s3cret-pw";
const BODY: &[u8] = b"Subject: t\r\n\r\n.dot\r\nend";

/// Checks octets as flights of a server, with NUL between them.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (choice, seed) = (input.octet(), input.short());
    let flights: Vec<&[u8]> = input.rest().split(|&b| b == 0).collect();
    let whole = run(choice, &flights, 0);
    let split = run(choice, &flights, seed | 1);
    assert_eq!(whole, split, "{choice} {flights:?}");
}

/// All that was seen.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    sent: Vec<u8>,
    events: Vec<String>,
    end: String,
}

fn run(choice: u8, flights: &[&[u8]], seed: u16) -> Seen {
    let security = match choice % 3 {
        0 => Security::DangerPlaintext,
        1 => Security::StartTls,
        _ => Security::ImplicitTls,
    };
    let mut config = Config::new("mx.example.org", security)
        .expect("a host")
        .chunking(choice & 8 != 0);
    let credentials = Credentials::password("user", PASSWORD).expect("credentials");
    config.credentials = (choice & 16 != 0).then_some(credentials);
    config.limits.scram_iterations = 4096;
    config.limits.reply_lines = 20;
    let recipients =
        ["b@example.org", "c@example.org"].map(|it| Recipient::parse(it).expect("one"));
    let sender = ReversePath::parse("a@example.org").expect("an address");
    let mut envelope = Envelope::new(sender, &recipients);
    envelope.size = (choice & 32 != 0).then_some(BODY.len() as u64);
    let mut line = [0; 512];
    let mut client = Client::new(&config, &mut line, NOW);
    client.set_entropy([3; 18]);
    let mut driver = Driver {
        seen: Seen::default(),
        envelope: &envelope,
        submitted: 0,
        verdicts: 0,
        tls: false,
    };
    for flight in flights {
        if client.wants_tls() {
            client.tls_established(NOW).expect("TLS is wanted");
            driver.tls = true;
        }
        let flight = [flight, &b""[..]].concat();
        for piece in pieces(&flight, seed) {
            if !driver.feed(&mut client, piece) {
                return driver.seen;
            }
        }
        driver.transmit(&mut client);
    }
    let end = client.receive_eof();
    driver.seen.end = format!("{end:?}");
    if let Err(error) = end {
        // What was told as delivered stays delivered.
        assert!(!error.outcome_unknown() || driver.verdicts < driver.submitted);
    }
    driver.seen
}

struct Driver<'e> {
    seen: Seen,
    envelope: &'e Envelope<'e>,
    submitted: usize,
    verdicts: usize,
    tls: bool,
}

impl<'e> Driver<'e> {
    /// Feeds a piece; false if the machine has failed.
    fn feed(&mut self, client: &mut Client<'e>, piece: &[u8]) -> bool {
        let mut rest = piece;
        loop {
            let (used, event) = match client.receive(NOW, rest) {
                Ok(received) => received,
                Err(error) => {
                    self.seen.end = format!("{error:?}");
                    assert_eq!(client.receive(NOW, b"250 ok\r\n").err(), Some(error));
                    return false;
                }
            };
            rest = &rest[used..];
            let Some(event) = event else {
                if used > 0 {
                    continue;
                }
                assert!(rest.is_empty() || client.is_closed(), "stuck with {rest:?}");
                return true;
            };
            self.seen.events.push(format!("{event:?}"));
            let verdict = match event {
                Event::Delivered { reply } => {
                    assert!(reply.is_positive());
                    true
                }
                Event::NotDelivered { .. } => true,
                _ => false,
            };
            self.verdicts += usize::from(verdict);
            assert!(self.verdicts <= self.submitted);
            let ready = matches!(event, Event::Ready) || verdict;
            if ready && client.is_ready() && self.submitted < 3 {
                self.submitted += usize::from(client.submit(self.envelope, NOW).is_ok());
            }
        }
    }

    /// Sends all that the machine has to say, content included.
    fn transmit(&mut self, client: &mut Client<'e>) {
        let mut out = [0; 256];
        for _ in 0..1_000 {
            let written = client.transmit(NOW, &mut out);
            self.say(&out[..written]);
            if written > 0 {
                continue;
            }
            let Some(mut body) = client.body() else {
                return;
            };
            let mut rest = BODY;
            let mut content = Vec::new();
            loop {
                let (read, written) = body.write(NOW, rest, &mut out);
                content.extend_from_slice(&out[..written]);
                rest = &rest[read..];
                if (read, written) == (0, 0) {
                    break;
                }
            }
            body.finish(NOW);
            self.say(&content);
        }
        panic!("the client sends without an end");
    }

    fn say(&mut self, octets: &[u8]) {
        self.seen.sent.extend_from_slice(octets);
        if !self.tls {
            let sent = &self.seen.sent;
            let shows = |octets: &[u8]| {
                let secret = PASSWORD.as_bytes();
                octets.windows(secret.len()).any(|it| it == secret)
            };
            let mut words = sent.split(|b| b" \r\n".contains(b));
            assert!(
                !shows(sent) && !words.any(|it| naive::base64(it).is_some_and(|it| shows(&it)))
            );
        }
    }
}
