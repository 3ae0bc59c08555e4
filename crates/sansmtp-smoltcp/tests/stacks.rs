//! Client and server over two smoltcp stacks, with virtual time: what the server stored, and what the
//! client reported.

mod support;

use sansmtp::config::{Config, EhloName, Security, Timeouts};
use sansmtp::envelope::{Envelope, Outcome, Recipient};
use sansmtp::error::Stage;
use sansmtp::wire::path::ReversePath;
use sansmtp::{Error, server};
use sansmtp_smoltcp::{Delivery, Failure, InMemory, Mailer, Peer, Reason, Report, Retry};
use smoltcp::socket::{dns, tcp};
use smoltcp::time::{Duration, Instant};
use support::{Mailboxes, SERVER, World, serve};

const MESSAGE: &[u8] = b"Subject: alert\r\n\r\n.hot\r\n..\r\n.\r\n93 degrees\r\n";
const RETRY: Retry = Retry {
    attempts: 5,
    first_pause: 1_000,
    longest_pause: 60_000,
};

struct Setup<'a> {
    host: &'a str,
    security: Security,
    recipients: &'a [&'a str],
    retry: Retry,
    buffer: usize,
    /// From which frame on the cable is cut, and for how many milliseconds.
    cut: Option<(usize, u64)>,
    /// The question that the server answers with 451, once.
    fail_at: Option<usize>,
    /// After so many exchanges the server resets the connection, once.
    reset_at: Option<usize>,
    by_name: bool,
}

const USUAL: Setup<'_> = Setup {
    host: "mx.example.org",
    security: Security::DangerPlaintext,
    recipients: &["b@example.org"],
    retry: RETRY,
    buffer: 1024,
    cut: None,
    fail_at: None,
    reset_at: None,
    by_name: false,
};

struct Run {
    report: Report,
    outcomes: Vec<Outcome>,
    mailboxes: Mailboxes,
    frames: usize,
    exchanges: usize,
    took: Duration,
}

fn run(setup: &Setup<'_>) -> Run {
    let mut world = World::new(setup.buffer);
    {
        let mut cut = world.cut.borrow_mut();
        cut.from = setup.cut.map(|(from, _)| from);
        cut.until = Instant::from_millis(setup.cut.map_or(0, |(_, until)| until as i64));
    }
    let config = Config::new(setup.host, setup.security)
        .unwrap()
        .port(25)
        .timeouts(Timeouts::all(5_000));
    let recipients: Vec<Recipient<'_>> = setup
        .recipients
        .iter()
        .map(|recipient| Recipient::parse(recipient).unwrap())
        .collect();
    let envelope = Envelope::new(ReversePath::parse("a@example.org").unwrap(), &recipients);
    let hostname = EhloName::parse("mx.example.org").unwrap();
    let mut server_config = server::Config::new(hostname, Security::DangerPlaintext);
    server_config.timeouts.command = 20_000;
    server_config.timeouts.content = 20_000;

    let peer = if setup.by_name {
        let queries = [const { None }; 1];
        let socket = dns::Socket::new(&[SERVER], Vec::from(queries));
        Peer::Dns(world.client.sockets.add(socket))
    } else {
        Peer::Address(SERVER)
    };
    let (mut line, mut outcomes) = ([0; 128], vec![Outcome::NotSent; recipients.len()]);
    let mut delivery = Delivery::new(
        &config,
        &envelope,
        InMemory::new(MESSAGE),
        &mut line,
        &mut outcomes,
    );
    let mut mailer = Mailer::new(&mut delivery, peer, world.client.tcp, setup.retry, 7);
    let mut mailboxes = Mailboxes {
        fail_at: setup.fail_at,
        ..Mailboxes::default()
    };
    let (mut report, mut exchanges) = (None, 0);
    serve(
        &mut world,
        &mut mailboxes,
        &server_config,
        |_, _| {
            exchanges += 1;
            setup.reset_at == Some(exchanges)
        },
        |world| {
            let host = &mut world.client;
            let now = sansmtp_smoltcp::core_instant(world.now);
            let new = mailer.poll(now, &mut host.interface, &mut host.sockets);
            assert!(new.is_none() || report.is_none(), "two reports");
            report = report.or(new);
            (mailer.is_idle(), mailer.poll_at())
        },
    );
    let socket = world
        .client
        .sockets
        .get::<tcp::Socket<'_>>(world.client.tcp);
    assert!(!socket.is_active());
    Run {
        report: report.expect("no report"),
        outcomes: mailer.outcomes().to_vec(),
        mailboxes,
        frames: world.cut.borrow().frames,
        exchanges,
        took: world.now - Instant::ZERO,
    }
}

const DELIVERED: Report = Report {
    attempts: 1,
    result: Ok(()),
};

#[track_caller]
fn assert_stored_once(run: &Run) {
    assert_eq!(run.mailboxes.stored.len(), 1);
    assert_eq!(run.mailboxes.stored[0].content, MESSAGE);
}

#[test]
fn a_mail_arrives_whatever_the_size_of_segments() {
    for buffer in [1, 2, 3, 7, 64, 1024, 4096] {
        let run = run(&Setup { buffer, ..USUAL });
        assert_eq!(run.report, DELIVERED, "buffer {buffer}");
        assert_stored_once(&run);
        assert_eq!(run.mailboxes.stored[0].recipients, ["b@example.org"]);
        assert_eq!(run.outcomes, [Outcome::Delivered]);
    }
}

#[test]
fn each_recipient_has_an_outcome() {
    let run = run(&Setup {
        recipients: &["b@example.org", "no@example.org", "c@example.org"],
        ..USUAL
    });
    assert_eq!(run.report, DELIVERED);
    assert_eq!(
        run.mailboxes.stored[0].recipients,
        ["b@example.org", "c@example.org"]
    );
    assert!(matches!(
        run.outcomes[..],
        [Outcome::Delivered, Outcome::Refused { code, .. }, Outcome::Delivered] if code.get() == 550
    ));
}

#[test]
fn a_permanent_refusal_is_not_tried_again() {
    let run = run(&Setup {
        recipients: &["no@example.org"],
        ..USUAL
    });
    assert_eq!(run.report.attempts, 1);
    let failure = run.report.result.unwrap_err();
    assert!(
        matches!(
            failure.reason,
            Reason::Smtp(Error::Refused { stage: Stage::Rcpt, code, .. }) if code.get() == 550
        ),
        "{failure:?}"
    );
    assert!(!failure.outcome_unknown);
    assert_eq!(run.mailboxes.stored.len(), 0);
}

#[test]
fn a_temporary_refusal_of_any_step_is_tried_again() {
    // Connect, MAIL, RCPT, DATA, the message.
    let questions = run(&USUAL).mailboxes.questions;
    assert_eq!(questions, 5);
    for fail_at in 1..=questions {
        let run = run(&Setup {
            fail_at: Some(fail_at),
            ..USUAL
        });
        assert_eq!(run.report.attempts, 2, "question {fail_at}");
        assert_eq!(run.report.result, Ok(()));
        assert_stored_once(&run);
    }
}

#[test]
fn the_name_of_the_server_is_looked_up() {
    let good = run(&Setup {
        by_name: true,
        ..USUAL
    });
    assert_eq!(good.report, DELIVERED);
    assert_stored_once(&good);
    let literal = run(&Setup {
        by_name: true,
        host: "192.0.2.25",
        ..USUAL
    });
    assert_eq!(literal.report, DELIVERED);
    // The first address is that of a dead machine.
    let second = run(&Setup {
        by_name: true,
        host: "m2.example.org",
        ..USUAL
    });
    assert_eq!((second.report.attempts, second.report.result), (2, Ok(())));
    assert_stored_once(&second);
    let unknown = run(&Setup {
        by_name: true,
        host: "mx.example.net",
        ..USUAL
    });
    assert_eq!(unknown.report.attempts, RETRY.attempts);
    assert_eq!(
        unknown.report.result.unwrap_err().reason,
        Reason::NameNotResolved
    );
}

#[test]
fn a_dead_network_is_reported_after_all_attempts() {
    let run = run(&Setup {
        cut: Some((0, u64::MAX >> 12)),
        ..USUAL
    });
    assert_eq!(
        run.report,
        Report {
            attempts: 5,
            result: Err(Failure {
                reason: Reason::NotConnected,
                outcome_unknown: false,
            }),
        }
    );
    // Five time-outs of 5 s, pauses of 1, 2, 4 and 8 s.
    assert_eq!(run.took.secs(), 40);
}

#[test]
fn tls_is_not_forgotten() {
    for security in [Security::StartTls, Security::ImplicitTls] {
        let run = run(&Setup { security, ..USUAL });
        assert_eq!(run.report.result.unwrap_err().reason, Reason::NoTls);
        assert_eq!(run.frames, 0);
    }
}

/// The mail is stored exactly once, or its fate is said to be unknown; never is it stored twice.
#[track_caller]
fn assert_once_or_unknown(run: &Run, what: &str) {
    let stored = run.mailboxes.stored.len();
    assert!(stored <= 1, "{what}: stored {stored} times");
    match run.report.result {
        Ok(()) => assert_eq!(stored, 1, "{what}: reported, not stored"),
        Err(failure) => assert!(failure.outcome_unknown, "{what}: {failure:?}"),
    }
    if stored == 1 {
        assert_eq!(run.mailboxes.stored[0].content, MESSAGE, "{what}");
    }
}

#[test]
fn an_outage_at_any_frame_never_delivers_twice() {
    for buffer in [1024, 16] {
        let frames = run(&Setup { buffer, ..USUAL }).frames;
        let mut unknown = 0;
        for from in 0..frames {
            // A short one that TCP survives, and one that outlives every deadline of the first attempt.
            for length in [2_000, 30_000] {
                let run = run(&Setup {
                    buffer,
                    cut: Some((from, length)),
                    // The server has one socket, which is busy until its own time is out.
                    retry: Retry {
                        attempts: 8,
                        ..RETRY
                    },
                    ..USUAL
                });
                assert_once_or_unknown(&run, &format!("frame {from}, {length} ms"));
                unknown += usize::from(run.report.result.is_err());
            }
        }
        assert!(unknown > 0 && unknown < frames, "{unknown} of {frames}");
    }
}

#[test]
fn a_reset_at_any_step_never_delivers_twice() {
    for buffer in [1024, 16] {
        let exchanges = run(&Setup { buffer, ..USUAL }).exchanges;
        let mut again = 0;
        for reset_at in 1..=exchanges {
            let run = run(&Setup {
                buffer,
                reset_at: Some(reset_at),
                ..USUAL
            });
            assert_once_or_unknown(&run, &format!("exchange {reset_at}"));
            again += usize::from(run.report.attempts == 2 && run.report.result.is_ok());
        }
        assert!(again > 0, "no second attempt in {exchanges}");
    }
}
