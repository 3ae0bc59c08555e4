//! The named cases of hostile input, without sockets and with them; and a sample of the families over sockets.

use sansmtp_tests::Security;
use sansmtp_tests::certs::Certs;
use sansmtp_tests::hostile::client::contains;
use sansmtp_tests::hostile::model::Word;
use sansmtp_tests::hostile::server::Step;
use sansmtp_tests::hostile::socket_server::Target;
use sansmtp_tests::hostile::{class, client, client_cases, server, server_cases, socket_client};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

const WHOLE: usize = 1 << 20;

/// Calls `run` for every item, some at the same time; all failures are told together.
fn for_each<T: Sync>(items: &[T], run: impl Fn(&T) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let mut failures = Vec::new();
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        failures.extend(run(item).err());
                    }
                    failures
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn server_config(case: &server_cases::Case) -> sansmtp::server::Config<'static> {
    server::config(case.security)
}

/// The steps of a case, with NOOP at their end where the session is open.
fn steps(case: &server_cases::Case) -> Vec<Step> {
    let mut steps = case.steps.clone();
    if case.open {
        steps.push(Step::send("NOOP\r\n"));
    }
    steps
}

#[test]
fn hostile_clients_without_sockets() {
    let cases = server_cases::all();
    for case in &cases {
        for piece in [1, 2, 7, WHOLE] {
            let played = server::play(&server_config(case), &steps(case), piece);
            let mut codes = played.codes.clone();
            if case.open {
                assert_eq!(
                    codes.pop().unwrap(),
                    [250],
                    "{} {piece}: {}",
                    case.name,
                    played.said
                );
            }
            assert_eq!(
                codes.last().unwrap(),
                &case.codes,
                "{} {piece}: {}",
                case.name,
                played.said
            );
            assert_eq!(played.taken.len(), case.taken, "{} {piece}", case.name);
        }
    }
    assert!(cases.len() >= 110, "{}", cases.len());
}

#[test]
fn hostile_clients_over_sockets() {
    let certs = Certs::new().unwrap();
    let target = Target::start(&certs).unwrap();
    let cases = server_cases::all();
    for_each(&cases, |case| {
        let steps = steps(case);
        let expected = server::play(&server_config(case), &steps, WHOLE);
        let compared = target.compare(case.security, &steps, &expected);
        compared.map_err(|error| format!("{}: {error}", case.name))
    });
    let taken: usize = cases.iter().map(|case| case.taken).sum();
    assert_eq!(target.stored().unwrap(), taken);
}

/// A sample of what the families try: the server over sockets does what its machine does.
#[test]
fn a_sample_of_the_families_over_sockets() {
    let certs = Certs::new().unwrap();
    let target = Target::start(&certs).unwrap();
    let config = server::config(Security::DangerPlaintext).danger_plaintext_auth();
    let mut samples: Vec<Vec<Step>> = Vec::new();
    // Every pair of commands, as two writes and as one.
    for first in Word::ALL {
        for second in Word::ALL {
            let (first, second) = (
                format!("{}\r\n", first.line()),
                format!("{}\r\n", second.line()),
            );
            samples.push(vec![Step::send(&first), Step::send(&second)]);
            samples.push(vec![
                Step::send("EHLO c\r\n"),
                Step::send(format!("{first}{second}")),
            ]);
        }
    }
    // Every line end around a dot.
    let ends = ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\0\n", "\x0b", ""];
    let envelope = "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n";
    for before in ends {
        for behind in ends {
            let rest = format!("hi{before}.{behind}MAIL FROM:<s@example.org>\r\nRSET\r\n");
            samples.push(vec![
                Step::send(envelope),
                Step::send(rest),
                Step::send("\r\n.\r\nNOOP\r\n"),
            ]);
        }
    }
    // Every octet in a command.
    for octet in 0..=u8::MAX {
        let line = [
            b"EHLO c\r\nMAIL FROM:<a",
            &[octet][..],
            b"b@example.org>\r\nNOOP\r\n",
        ]
        .concat();
        samples.push(vec![Step::Send(line)]);
    }
    assert!(samples.len() > 1_000);
    for_each(&samples, |steps| {
        let expected = server::play(&config, steps, WHOLE);
        let compared = target.compare(Security::DangerPlaintext, steps, &expected);
        compared.map_err(|error| format!("{steps:?}: {error}"))
    });
}

fn check_sent(case: &client_cases::Case, sent: &[u8]) -> Result<(), String> {
    let shown = || format!("{}: {:?}", case.name, String::from_utf8_lossy(sent));
    let missing = case.sends.iter().find(|what| !contains(sent, what));
    let leaked = case.keeps.iter().find(|what| contains(sent, what));
    match (missing, leaked) {
        (Some(what), _) => Err(format!("{} lacks {what:?}", shown())),
        (_, Some(what)) => Err(format!("{} holds {what:?}", shown())),
        _ => Ok(()),
    }
}

#[test]
fn hostile_servers_without_sockets() {
    let cases = client_cases::all();
    for case in &cases {
        // Handshakes that fail are the adapter's.
        let handshake = case.wish.wrong_host
            || case.name.contains("-handshake")
            || case.name == "no-tls-at-all";
        for (piece, room) in [(1, WHOLE), (7, 3), (WHOLE, 1), (WHOLE, WHOLE)] {
            let Some(played) = client::play_wish(&case.wish, &case.acts, piece, room) else {
                assert_eq!(case.class, class::INVALID, "{}", case.name);
                continue;
            };
            if handshake {
                continue;
            }
            // The mailer calls it so where a server refuses TLS.
            assert_eq!(
                played.class, case.class,
                "{} {piece}: {played:?}",
                case.name
            );
            check_sent(case, &played.sent).unwrap();
        }
    }
    assert!(cases.len() >= 70, "{}", cases.len());
}

#[test]
fn hostile_servers_over_sockets() {
    play_all(|| Command::new(env!("CARGO_BIN_EXE_hostile-client")));
}

/// The same through the Python package: `SANSMTP_PYTHON` names an interpreter that has it.
#[test]
#[ignore = "needs the installed Python package; cargo xtask python runs it"]
fn hostile_servers_against_the_python_package() {
    let python = std::env::var_os("SANSMTP_PYTHON").expect("SANSMTP_PYTHON is not set");
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../bindings/python/tests/programs/hostile_client.py");
    play_all(|| {
        let mut program = Command::new(&python);
        program.arg(&script);
        program
    });
}

/// The same through the npm package.
#[test]
#[ignore = "needs the built npm package; cargo xtask wasm runs it"]
fn hostile_servers_against_the_npm_package() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../bindings/wasm/test/programs/hostile_client.mjs");
    play_all(|| {
        let mut program = Command::new("node");
        program.arg(&script);
        program
    });
}

fn play_all(program: impl Fn() -> Command + Sync) {
    let certs = Certs::new().unwrap();
    for_each(&client_cases::all(), |case| {
        let outcome = socket_client::play(program(), &certs, &case.wish, &case.acts)
            .map_err(|e| e.to_string())?;
        let told = || format!("{}: {}", case.name, outcome.output.trim_end());
        if outcome.class != case.class || outcome.success != (case.class == class::NONE) {
            return Err(format!("{} instead of {}", told(), case.class));
        }
        if outcome
            .output
            .trim_end()
            .bytes()
            .any(|octet| octet.is_ascii_control())
        {
            return Err(format!("{:?} can change a terminal", outcome.output));
        }
        // What the system holds for both ends of a connection, at most.
        if outcome.taken > 16_000_000 {
            return Err(format!("{}: {} octets were taken", told(), outcome.taken));
        }
        check_sent(case, &outcome.sent)
    });
}

/// Without a server there is nothing that could be sent, and nothing is made up.
#[test]
fn what_is_not_built_in_is_told_apart() {
    let program = env!("CARGO_BIN_EXE_hostile-client");
    let run = |arguments: &[&str]| {
        std::process::Command::new(program)
            .args(arguments)
            .output()
            .unwrap()
    };
    assert_eq!(run(&["localhost", "1"]).status.code(), Some(64));
    let json = r#"{"ehlo":"c","mail_from":"a@example.org","rcpts":["b\r\n@example.org"],"user":"u","password":"p","body":""}"#;
    let output = run(&["localhost", "1", "none", "none", json]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        output.stdout.starts_with(class::INVALID.as_bytes()),
        "{output:?}"
    );
}
