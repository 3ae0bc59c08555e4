//! What the TLS library can not do, and what it can not bear.

use crate::harness::*;
use rand_core::OsRng;
use rustls::crypto::ring;
use sansmtp::Instant;
use sansmtp::config::{Config, Security, Timeouts};
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::error::{Error, Stage};
use sansmtp::wire::path::ReversePath;
use sansmtp_smoltcp::tls::{Tls, TlsFailure, Trust};
use sansmtp_smoltcp::{Delivery, InMemory, PolledClock, Reason, poll_once};
use std::cell::RefCell;
use std::pin::pin;

#[test]
fn what_the_library_can_not_do_is_said() {
    let old = Case {
        versions: OLD,
        ..good()
    };
    assert_fails(
        &old,
        TlsFailure::Alert(70),
        "TLS 1.2 only: protocol_version",
    );
    let mut provider = ring::default_provider();
    provider.kx_groups = vec![ring::kx_group::X25519];
    // handshake_failure
    assert_fails(
        &Case { provider, ..good() },
        TlsFailure::Alert(40),
        "X25519 only",
    );
    let mut provider = ring::default_provider();
    provider.cipher_suites = vec![ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
    assert_fails(
        &Case { provider, ..good() },
        TlsFailure::Alert(40),
        "no AES-128-GCM",
    );
    let small = Case {
        read_buffer: 256,
        ..good()
    };
    assert_fails(&small, TlsFailure::BufferTooSmall, "a small buffer");
    assert_delivered(
        &Case {
            read_buffer: 1024,
            ..good()
        },
        "1 KiB is enough for this chain",
    );
}

#[test]
fn what_the_library_would_panic_on_never_reaches_it() {
    let case = Case {
        new_key: true,
        ..good()
    };
    assert_fails(&case, TlsFailure::NotImplemented, "KeyUpdate");
    let asked = Case {
        wants_certificate: Some(false),
        ..good()
    };
    assert_delivered(&asked, "a certificate of the client is wished for");
    let must = Case {
        wants_certificate: Some(true),
        ..good()
    };
    assert_fails(&must, TlsFailure::Aborted, "a certificate is insisted on");
}

#[test]
fn a_silent_server_and_a_lost_connection_are_errors_of_the_dialogue() {
    let config = Config::new(HOST, Security::ImplicitTls)
        .unwrap()
        .timeouts(Timeouts::all(5_000));
    let recipients = [Recipient::parse("b@example.org").unwrap()];
    let envelope = Envelope::new(ReversePath::parse("a@example.org").unwrap(), &recipients);
    let (retry, old) = (server_hello(true), server_hello(false));
    for (said, closed, expected, write_buffer) in [
        (&b""[..], false, "time out"),
        (b"", true, "lost"),
        (b"220 mx.example.org ESMTP\r\n", false, "no TLS"),
        // A record in the clear behind the ServerHello, application data before it, too short a one.
        (b"\x17\x03\x03\x00\x20", false, "no TLS"),
        (b"\x14\x03\x03\x00\x01\x01", false, "no TLS"),
        (b"\x16\x03\x03\x00\x00", false, "no TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x28", false, "alert"),
        (&retry, false, "incompatible"),
        (&old, false, "incompatible"),
    ]
    .map(|(said, closed, expected)| (said, closed, expected, 1024))
    .into_iter()
    // Too small for any record, and for our first one.
    .chain([0, 1, 128, 129].map(|write_buffer| (&b""[..], false, "buffer", write_buffer)))
    {
        let (mut line, mut outcomes) = ([0; 128], [Outcome::NotSent]);
        let mut delivery = Delivery::new(
            &config,
            &envelope,
            InMemory::new(MESSAGE),
            &mut line,
            &mut outcomes,
        );
        let (mut read, mut write) = (vec![0; 4096], vec![0; write_buffer]);
        let mut tls = Tls::new(Trust::anchors(&[]), OsRng, &mut read, &mut write);
        let pipe = RefCell::new(Pipe {
            to_client: said.iter().copied().collect(),
            closed,
            ..Pipe::default()
        });
        let time = std::cell::Cell::new(0);
        let clock = PolledClock(|| Instant::from_millis(time.get()), || NOW);
        let mut transport = Transport(&pipe);
        {
            let mut sending = pin!(tls.deliver(&mut delivery, &mut transport, &clock));
            while poll_once(sending.as_mut()).is_pending() {
                time.set(time.get() + 1_000);
                assert!(time.get() < 100_000);
            }
        }
        let failure = delivery.verdict().unwrap().unwrap_err();
        let stage = Stage::StartTls;
        let expected = match expected {
            "time out" => Reason::Smtp(Error::Timeout {
                stage,
                outcome_unknown: false,
            }),
            "lost" => Reason::Smtp(Error::Closed {
                stage,
                outcome_unknown: false,
            }),
            "alert" => Reason::Tls(TlsFailure::Alert(40)),
            "incompatible" => Reason::Tls(TlsFailure::Incompatible),
            "buffer" => Reason::Tls(TlsFailure::BufferTooSmall),
            _ => Reason::Tls(TlsFailure::Broken),
        };
        assert_eq!(failure.reason, expected, "{said:?}");
    }
}

#[test]
fn records_of_any_size_carry_the_dialogue_but_not_half_a_handshake_message() {
    let case = |fragment| Case {
        security: Security::StartTls,
        fragment: Some(fragment),
        ..good()
    };
    // The chain of one certificate fits.
    assert_delivered(&case(1024), "1,024 octets");
    assert_fails(
        &case(256),
        TlsFailure::Broken,
        "certificates over several records",
    );
}

/// A ServerHello (RFC 8446, section 4.1.3): the wish for another group (HelloRetryRequest), or TLS 1.2.
fn server_hello(retry: bool) -> Vec<u8> {
    let mut hello = vec![3, 3];
    hello.extend(match retry {
        true => {
            *b"\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91\
            \xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C"
        }
        false => [7; 32],
    });
    // No session, the cipher, no compression.
    hello.extend([0, 0x13, 1, 0]);
    let extensions: &[u8] = match retry {
        // TLS 1.3, and X25519 as the key share.
        true => &[0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 29],
        false => &[0, 0],
    };
    hello.extend(extensions);
    let mut record = vec![
        22,
        3,
        3,
        0,
        hello.len() as u8 + 4,
        2,
        0,
        0,
        hello.len() as u8,
    ];
    record.extend(hello);
    record
}
