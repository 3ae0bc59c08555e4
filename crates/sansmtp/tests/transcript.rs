//! The transcript shows what was said, and never a secret.

use proptest::prelude::*;
use sansmtp::transcript::Transcript;

/// Feeds `dialogue` (lines `C: ` and `S: `, `--` for TLS; `\r`, `\n` and `\t`
/// are escapes, `~` at the end leaves CR LF out) in pieces and shows what comes.
fn shown(dialogue: &[&str], piece: usize, show_content: bool) -> Vec<String> {
    let mut transcript = Transcript::new();
    if show_content {
        transcript = transcript.show_content();
    }
    let mut lines = Vec::new();
    for line in dialogue {
        if *line == "--" {
            transcript.tls(|entry| lines.push(entry.to_string()));
            continue;
        }
        let (speaker, text) = line.split_at(3);
        let octets = octets(text);
        for piece in octets.chunks(piece) {
            let sink = |entry: sansmtp::transcript::Entry<'_>| lines.push(entry.to_string());
            match speaker {
                "C: " => transcript.client(piece, sink),
                "S: " => transcript.server(piece, sink),
                _ => panic!("{line}"),
            }
        }
    }
    transcript.finish(|entry| lines.push(entry.to_string()));
    lines
}

fn octets(text: &str) -> Vec<u8> {
    let text = text
        .replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\\t", "\t");
    match text.strip_suffix('~') {
        Some(text) => text.into(),
        None => format!("{text}\r\n").into(),
    }
}

/// Each table is a dialogue and what is shown of it.
const DIALOGUES: &[(&[&str], &[&str])] = &[
    // A message from beginning to end; the content is left out.
    (
        &[
            "S: 220 mx.example.org ESMTP",
            "C: EHLO c.example.org",
            "S: 250-mx.example.org",
            "S: 250 PIPELINING",
            "C: MAIL FROM:<a@example.org>\\r\\nRCPT TO:<b@example.org>\\r\\nDATA",
            "S: 250 ok\\r\\n250 ok\\r\\n354 go",
            "C: Subject: x\\r\\n\\r\\n..hi\\r\\n.",
            "S: 250 taken",
            "C: QUIT",
            "S: 221 bye",
        ],
        &[
            "S: 220 mx.example.org ESMTP",
            "C: EHLO c.example.org",
            "S: 250-mx.example.org",
            "S: 250 PIPELINING",
            "C: MAIL FROM:<a@example.org>",
            "C: RCPT TO:<b@example.org>",
            "C: DATA",
            "S: 250 ok",
            "S: 250 ok",
            "S: 354 go",
            "C: [19 octets of content]",
            "S: 250 taken",
            "C: QUIT",
            "S: 221 bye",
        ],
    ),
    // LOGIN, and TLS in between.
    (
        &[
            "S: 220 hi",
            "C: STARTTLS",
            "S: 220 go",
            "--",
            "C: EHLO c",
            "S: 250 AUTH LOGIN",
            "C: AUTH LOGIN",
            "S: 334 VXNlcm5hbWU6",
            "C: dXNlcg==",
            "S: 334 UGFzc3dvcmQ6",
            "C: czNjcmV0LXB3",
            "S: 535-5.7.8 no\\r\\n535 5.7.8 not you",
            "C: NOOP",
        ],
        &[
            "S: 220 hi",
            "C: STARTTLS",
            "S: 220 go",
            "-- TLS --",
            "C: EHLO c",
            "S: 250 AUTH LOGIN",
            "C: AUTH LOGIN",
            "S: 334 VXNlcm5hbWU6",
            "C: ****",
            "S: 334 UGFzc3dvcmQ6",
            "C: ****",
            "S: 535-5.7.8 no",
            "S: 535 5.7.8 not you",
            "C: NOOP",
        ],
    ),
    // Refused at once while the client pipelines: nothing gets out afterwards.
    (
        &[
            "S: 220 hi",
            "C: NOOP\\r\\nAUTH LOGIN",
            "S: 250 ok\\r\\n504 no such thing",
            "C: czNjcmV0LXB3",
            "S: 500 5.5.1 Unknown command 'czNjcmV0LXB3'",
            "C: *",
            "C: QUIT",
        ],
        &[
            "S: 220 hi",
            "C: NOOP",
            "C: AUTH LOGIN",
            "S: 250 ok",
            "S: 504 no such thing",
            "C: ****",
            "S: 500 5.5.1 ****",
            "C: *",
            "C: QUIT",
        ],
    ),
    // What looks like AUTH is masked, what is asked for by 334 too.
    (
        &[
            "C: auth  plain xyz",
            "C: \\tAuTh\\tPLAIN\\txyz",
            "C: AUTHPLAIN xyz",
            "C: AUTH FOO",
            "C: AUTH xyz",
            "C: auth plain",
        ],
        &[
            "C: AUTH PLAIN ****",
            "C: ****",
            "C: ****",
            "C: ****",
            "C: ****",
            "C: ****",
        ],
    ),
    (
        &[
            "S: 220 hi",
            "C: X-SECRET-LOGIN",
            "S: 334 PGNoYWxsZW5nZUBleGFtcGxlLm9yZz4=",
            "C: MAIL",
            "S: 334 ",
            "C: QUIT",
            "S: 235 yes",
            "C: MAIL FROM:<a@b>",
        ],
        &[
            "S: 220 hi",
            "C: X-SECRET-LOGIN",
            "S: 334 ****",
            "C: ****",
            "S: 334 ",
            "C: ****",
            "S: 235 yes",
            "C: MAIL FROM:<a@b>",
        ],
    ),
    // Bare line ends, control characters, and a chunk.
    (
        &[
            "S: 220 hi\\n\u{1b}[2J",
            "C: NOOP\\nAUTH PLAIN xyz",
            "S: 250 ok\\r\\n500 what",
            "C: RSET\\rRSET",
            "C: BDAT 6\\r\\nQUIT\\r\\n~",
            "C: BDAT 3 LAST\\r\\nab~",
        ],
        &[
            "S: 220 hi\\u{a}",
            "S: \\u{1b}[2J",
            "C: NOOP\\u{a}",
            "C: AUTH PLAIN ****",
            "S: 250 ok",
            "S: 500 ****",
            "C: RSET\\u{d}",
            "C: RSET",
            "C: BDAT 6",
            "C: [6 octets of content]",
            "C: BDAT 3 LAST",
            "C: [2 octets of content]",
        ],
    ),
];

#[test]
fn what_is_shown_does_not_depend_on_the_pieces() {
    for (dialogue, expected) in DIALOGUES {
        let whole = shown(dialogue, 4096, false);
        assert_eq!(whole, *expected, "{dialogue:?}");
        for piece in 1..80 {
            assert_eq!(shown(dialogue, piece, false), whole, "pieces of {piece}");
        }
    }
}

#[test]
fn content_is_shown_on_demand() {
    let dialogue = [
        "S: 220 hi",
        "C: DATA",
        "S: 354 go",
        "C: Subject: x\\r\\n..a\\rb\\r\\n.",
        "C: QUIT",
    ];
    for piece in 1..40 {
        assert_eq!(
            shown(&dialogue, piece, true),
            [
                "S: 220 hi",
                "C: DATA",
                "S: 354 go",
                "C: Subject: x",
                "C: ..a\\u{d}",
                "C: b",
                "C: .",
                "C: QUIT",
            ]
        );
    }
}

#[test]
fn long_lines_and_large_content_are_counted() {
    let long = format!("S: 250 {}", "x".repeat(1_000_000));
    let lines = shown(&[&long], 8192, false);
    assert_eq!(lines[0].len(), 3 + 512 + " [999,492 octets more]".len());
    assert!(lines[0].ends_with("x [999,492 octets more]"));
    let content = format!("C: {}\\r\\n.", "x".repeat(5_242_878));
    let lines = shown(&["C: DATA", "S: 354 go", &content], 8192, false);
    assert_eq!(lines[2], "C: [5,242,880 octets of content]");
}

const SECRET: &str = "s3cret-pw";

/// The secret as it may stand in a response: in base64, alone and behind
/// prefixes of each length modulo 3.
fn responses() -> Vec<String> {
    [
        "",
        "\0user\0",
        "\0us\0",
        "user=u\x01auth=Bearer ",
        "n,a=u,\x01",
    ]
    .iter()
    .map(|prefix| base64(format!("{prefix}{SECRET}").as_bytes()))
    .collect()
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, b| bits << 8 | u32::from(*b))
            << (8 * (3 - group.len()));
        for at in 0..4 {
            text.push(if at <= group.len() {
                char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63])
            } else {
                '='
            });
        }
    }
    text
}

fn auth_line() -> impl Strategy<Value = String> {
    (
        prop::sample::select(vec![
            "", " ", "\t ", "\0", "1. ", "\x0b", "NOOP\n", "RSET\r",
        ]),
        prop::sample::select(vec!["AUTH", "auth", "aUtH", "AU\0TH", "AUTH-", "A UTH"]),
        prop::sample::select(vec![" ", "  ", "\t", "=", "", "\0"]),
        prop::sample::select(vec!["PLAIN", "plain", "LOGIN", "XOAUTH2", "FOO", ""]),
        prop::sample::select(vec![" ", "  ", "\t", "", " = ", "\n", "\r"]),
    )
        .prop_map(|(before, verb, gap, mechanism, behind)| {
            format!("{before}{verb}{gap}{mechanism}{behind}")
        })
}

/// Lines of a server, and what it may do to an AUTH.
fn server_line() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "220 hi",
        "250-a\r\n250 b",
        "250 ok",
        "334 VXNlcm5hbWU6",
        "334 ",
        "334",
        "235 yes",
        "535 no",
        "504 no",
        "354 go",
        "421 bye",
        "junk",
        "334-a",
        "",
    ])
    .prop_map(str::to_owned)
}

fn command_line() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "EHLO c",
        "NOOP",
        "MAIL FROM:<a@b>",
        "RCPT TO:<c@d>",
        "DATA",
        "RSET\nRSET",
        "text",
        ".",
        "",
        "BDAT 3\r\nabc",
        "*",
        "STARTTLS",
    ])
    .prop_map(str::to_owned)
}

#[derive(Clone, Debug)]
enum Step {
    Command(String),
    Server(String),
    /// AUTH with the secret in it.
    Initial(String, usize),
    /// AUTH alone, then the responses, pipelined or each behind a 334.
    Exchange(String, Vec<usize>, bool),
    Tls,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => command_line().prop_map(Step::Command),
        6 => server_line().prop_map(Step::Server),
        4 => (auth_line(), 0..6_usize).prop_map(|(line, at)| Step::Initial(line, at)),
        4 => (auth_line(), prop::collection::vec(0..6_usize, 0..3), any::<bool>())
            .prop_map(|(line, at, waits)| Step::Exchange(line, at, waits)),
        1 => Just(Step::Tls),
    ]
}

proptest! {
    /// Whatever the two say before and after, in any order and in any pieces: no
    /// secret that follows AUTH or a 334 is shown.
    #[test]
    fn no_secret_gets_out(
        steps in prop::collection::vec(step(), 1..12),
        pieces in prop::collection::vec(1..60_usize, 1..8),
        content in any::<bool>(),
    ) {
        let responses = responses();
        let response = |at: usize| responses.get(at).map_or(SECRET, String::as_str).to_owned();
        let mut said: Vec<(bool, String)> = Vec::new();
        // Content may hold anything, and so may the replies to it.
        let has_content = steps
            .iter()
            .any(|step| matches!(step, Step::Server(line) if line.starts_with("354")));
        for step in &steps {
            match step {
                Step::Command(line) => said.push((true, line.clone())),
                Step::Server(line) => said.push((false, line.clone())),
                Step::Initial(line, at) => {
                    said.push((true, format!("{line}{}", response(*at))));
                    if !has_content {
                        said.push((false, format!("501 what is {}", response(*at))));
                    }
                }
                Step::Exchange(line, list, waits) => {
                    said.push((true, line.clone()));
                    for at in list {
                        if *waits {
                            said.push((false, "334 UGFzc3dvcmQ6".into()));
                        }
                        said.push((true, response(*at)));
                    }
                }
                Step::Tls => said.push((true, String::new())),
            }
        }
        let mut transcript = Transcript::new();
        if content && !has_content {
            transcript = transcript.show_content();
        }
        let mut log = String::new();
        let mut sizes = pieces.iter().cycle();
        for (client, line) in &said {
            if line.is_empty() && *client {
                transcript.tls(|entry| log += &entry.to_string());
                continue;
            }
            let octets = format!("{line}\r\n").into_bytes();
            let mut rest = &octets[..];
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                rest = tail;
                let sink = |entry: sansmtp::transcript::Entry<'_>| {
                    log += &entry.to_string();
                    log.push('\n');
                };
                if *client {
                    transcript.client(piece, sink);
                } else {
                    transcript.server(piece, sink);
                }
            }
        }
        transcript.finish(|entry| log += &entry.to_string());
        for secret in responses.iter().map(String::as_str).chain([SECRET, "czNjcmV0"]) {
            prop_assert!(!log.contains(secret), "{secret} in {log:?} of {said:?}");
        }
    }
}
