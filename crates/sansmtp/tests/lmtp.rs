//! LMTP client and server against each other: whatever is refused, at RCPT or behind
//! the content, and however the octets are split, each recipient gets its own verdict.

use proptest::prelude::*;
use sansmtp::client::{self, Client};
use sansmtp::config::{Config, EhloName, Security};
use sansmtp::envelope::{Envelope, Recipient};
use sansmtp::server::{self, Query, Server};
use sansmtp::wire::path::ReversePath;
use sansmtp::wire::reply::Reply;
use sansmtp::{Instant, Machine};

const NOW: Instant = Instant::from_millis(0);

/// What the server makes of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unknown,
    Full,
    Delivered,
}

/// Sends a message twice over one session, and returns what the client was told of
/// each recipient, both times.
fn run(fates: &[Fate], read: usize, write: usize) -> [Vec<Option<Fate>>; 2] {
    let config = Config::new("mda.example.org", Security::DangerPlaintext)
        .unwrap()
        .lmtp();
    let hostname = EhloName::parse("mda.example.org").unwrap();
    let mut limits = server::Limits::default();
    limits.errors = 0;
    let server_config = server::Config::new(hostname, Security::DangerPlaintext)
        .lmtp()
        .limits(limits);
    let recipients = vec![Recipient::parse("b@example.org").unwrap(); fates.len()];
    let envelope = Envelope::new(ReversePath::Null, &recipients);
    let (mut client_line, mut server_line, mut reply) = ([0; 256], [0; 512], [0; 256]);
    let mut client = Client::new(&config, &mut client_line, NOW);
    let mut server = Server::new(&server_config, &mut server_line, &mut reply, NOW);
    let (mut to_server, mut to_client): (Vec<u8>, Vec<u8>) = Default::default();
    let mut out = vec![0; write];
    // The server's count of RCPT, and which of them it accepted.
    let (mut asked, mut accepted) = (0, Vec::new());
    let mut told = [vec![None; fates.len()], vec![None; fates.len()]];
    let mut round = 0;
    for _ in 0..100_000 {
        if client.is_closed() && server.is_closed() {
            return told;
        }
        while let written @ 1.. = server.transmit(NOW, &mut out) {
            to_client.extend_from_slice(&out[..written]);
        }
        let piece = to_server[..read.min(to_server.len())].to_vec();
        let (used, event) = server.receive(NOW, &piece).unwrap();
        to_server.drain(..used);
        if let Some(server::Event::Request(request)) = event {
            match request.query() {
                Query::Mail { .. } => {
                    (asked, accepted) = (0, Vec::new());
                    request.accept();
                }
                Query::Recipient { .. } => {
                    let fate = fates[asked];
                    asked += 1;
                    if fate == Fate::Unknown {
                        request.answer(&Reply::new(550, None, "unknown").unwrap());
                    } else {
                        accepted.push(fate);
                        request.accept();
                    }
                }
                Query::Delivery { recipient, .. } => match accepted[usize::from(recipient)] {
                    Fate::Full => request.answer(&Reply::new(452, None, "full\nreally").unwrap()),
                    _ => request.accept(),
                },
                _ => request.accept(),
            }
        }
        let piece = to_client[..read.min(to_client.len())].to_vec();
        let (used, event) = client.receive(NOW, &piece).unwrap();
        to_client.drain(..used);
        let mut over = false;
        match event {
            Some(client::Event::Ready) => client.submit(&envelope, NOW).unwrap(),
            Some(client::Event::Recipient { index, reply }) if !reply.is_positive() => {
                told[round][index] = Some(Fate::Unknown);
            }
            Some(client::Event::Verdict { index, reply, last }) => {
                assert_eq!(told[round][index], None, "one verdict each");
                told[round][index] = Some(match reply.is_positive() {
                    true => Fate::Delivered,
                    false => Fate::Full,
                });
                over = last;
            }
            Some(client::Event::NotDelivered { .. }) => over = true,
            _ => {}
        }
        if over {
            round += 1;
            match round {
                1 => client.submit(&envelope, NOW).unwrap(),
                _ => client.quit(NOW).unwrap(),
            }
        }
        while let written @ 1.. = client.transmit(NOW, &mut out) {
            to_server.extend_from_slice(&out[..written]);
        }
        if let Some(mut body) = client.body() {
            let mut content = &b"Subject: x\r\n\r\n.\r\n"[..];
            while !content.is_empty() {
                let (read, written) = body.write(NOW, content, &mut out);
                content = &content[read..];
                to_server.extend_from_slice(&out[..written]);
            }
            body.finish(NOW);
        }
    }
    panic!("the dialogue does not end: {told:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn each_recipient_gets_its_own_verdict(
        fates in proptest::collection::vec(
            prop_oneof![Just(Fate::Unknown), Just(Fate::Full), Just(Fate::Delivered)], 1..70),
        read in 1_usize..100,
        write in 1_usize..100,
    ) {
        let expected: Vec<_> = fates.iter().copied().map(Some).collect();
        prop_assert_eq!(run(&fates, read, write), [expected.clone(), expected]);
    }
}

#[test]
fn as_many_as_the_client_remembers() {
    let fates: Vec<Fate> = (0..client::LMTP_RECIPIENTS)
        .map(|number| [Fate::Delivered, Fate::Unknown, Fate::Full][number % 3])
        .collect();
    let expected: Vec<_> = fates.iter().copied().map(Some).collect();
    assert_eq!(run(&fates, 4096, 4096), [expected.clone(), expected]);
}
