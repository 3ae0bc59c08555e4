//! The written cases of `hostile/hostile.json` against the machines alone, with their strict expectations.
//! `cargo xtask test --only hostile` plays the same over sockets.

use sansmtp_tests::Security;
use sansmtp_tests::hostile::class;
use sansmtp_tests::hostile::client::{self, Act, contains};
use sansmtp_tests::hostile::server::{self, Played, Step};
use sansmtp_tests::hostile::socket_client::Wish;
use serde_json::Value;

const WHOLE: usize = 1 << 20;

fn cases(role: &str) -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../hostile/hostile.json")).unwrap();
    let of_role = cases.into_iter().filter(|case| case["role"] == role);
    of_role.collect()
}

fn name(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

fn sends(case: &Value) -> Vec<&str> {
    let sends = case["send"].as_array().unwrap().iter();
    sends.map(|text| text.as_str().unwrap()).collect()
}

fn strings(value: &Value) -> Vec<&str> {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

/// Every character stands for one octet.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

/// `N TEXT`
fn repeated(text: &str) -> (usize, Vec<u8>) {
    let (count, text) = text.split_once(' ').unwrap();
    (count.parse().unwrap(), latin1(text))
}

/// What the client of a case does; what it sends without waiting belongs to the next step.
fn steps(case: &Value) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut before = Vec::new();
    for text in sends(case) {
        if let Some(more) = text.strip_prefix("@@more ") {
            before.extend(latin1(more));
        } else if let Some(repeat) = text.strip_prefix("@@repeat ") {
            let (count, octets) = repeated(repeat);
            before.extend(octets.repeat(count));
        } else if text == "@@tls" {
            steps.push(Step::Tls);
        } else if text == "@@shutdown" {
            if !before.is_empty() {
                steps.push(Step::Send(std::mem::take(&mut before)));
            }
            steps.push(Step::HalfClose);
        } else if !text.starts_with("@@") {
            before.extend(latin1(text));
            steps.push(Step::Send(std::mem::take(&mut before)));
        }
        // The others are pauses, pieces of one octet, and no wait for the greeting.
    }
    steps
}

/// The lines of the latest reply to EHLO, in capitals.
fn offer(played: &Played) -> String {
    let lines: Vec<&str> = played.said.lines().collect();
    let end = lines.iter().rposition(|line| line.starts_with("250-"));
    let Some(end) = end else {
        return String::new();
    };
    let begin = lines[..end]
        .iter()
        .rposition(|line| !line.starts_with("250-"));
    lines[begin.map_or(0, |at| at + 1)..=(end + 1).min(lines.len() - 1)]
        .join("\n")
        .to_uppercase()
}

/// What is wrong with what the server did, as the runner over sockets judges it.
fn judge(case: &Value, steps: &[Step], piece: usize) -> Vec<String> {
    let mut expected = case["expect"].as_object().unwrap().clone();
    if let Some(strict) = case["strict"].as_object() {
        expected.extend(strict.clone());
    }
    let config = server::config(Security::StartTls);
    let played = server::play(&config, steps, piece);
    let mut codes = played.last_codes().to_vec();
    if sends(case).first() == Some(&"@@nogreet") {
        // The greeting is among what the client reads last.
        codes.splice(..0, played.codes[0].iter().copied());
    }
    let closed = played.closed || played.error.is_some();
    let wants = |key: &str| expected.get(key).is_some_and(|value| value == true);
    let mut bad = Vec::new();
    if let Some(allowed) = expected.get("reply_codes") {
        let allowed = allowed.as_array().unwrap();
        if !codes
            .first()
            .is_some_and(|code| allowed.contains(&Value::from(*code)))
        {
            bad.push(format!("reply {codes:?}, not one of {allowed:?}"));
        }
    }
    let parted = closed && matches!(codes.first(), None | Some(221));
    if wants("reject") && !parted && codes.first().is_none_or(|code| *code < 400) {
        bad.push(format!("not rejected: {codes:?}"));
    }
    if wants("no_positive") && codes.iter().any(|code| *code < 400) {
        bad.push(format!("a positive reply: {codes:?}"));
    }
    let positive = codes.iter().filter(|code| **code < 300).count();
    if wants("no_second_message") && (codes.contains(&354) || positive > 1) {
        bad.push(format!("a second message or command got in: {codes:?}"));
    }
    if expected
        .get("n_replies")
        .is_some_and(|count| *count != codes.len())
    {
        bad.push(format!("so many replies: {codes:?}"));
    }
    // The first entry of the codes is the greeting.
    for (step, codes) in steps.iter().zip(played.codes.iter().skip(1)) {
        if *step == Step::Tls && !codes.is_empty() {
            bad.push(format!("answered inside TLS: {codes:?}"));
        }
    }
    for word in strings(expected.get("not_in_ehlo").unwrap_or(&Value::Null)) {
        if offer(&played).contains(word) {
            bad.push(format!("EHLO lists {word}"));
        }
    }
    match expected.get("connection").and_then(Value::as_str) {
        Some("closed") if !closed => bad.push("still open".into()),
        Some("open") if closed => bad.push("closed".into()),
        Some("open") => {
            let more = [steps, &[Step::send("NOOP\r\n")]].concat();
            let played = server::play(&config, &more, piece);
            if played.last_codes().last() != Some(&250) {
                bad.push(format!("unusable afterwards: {:?}", played.last_codes()));
            }
        }
        _ => {}
    }
    bad
}

#[test]
fn clients() {
    let cases = cases("server");
    let mut bad = Vec::new();
    for case in &cases {
        let steps = steps(case);
        let long = steps
            .iter()
            .any(|step| matches!(step, Step::Send(octets) if octets.len() > WHOLE));
        for piece in [1, 7, WHOLE] {
            if long && piece < WHOLE {
                continue;
            }
            let found = judge(case, &steps, piece);
            bad.extend(
                found
                    .iter()
                    .map(|what| format!("{} in pieces of {piece}: {what}", name(case))),
            );
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert_eq!(cases.len(), 97);
}

/// What the server of a case does, unless it needs a server that computes.
fn acts(case: &Value) -> Option<Vec<Act>> {
    let acts = sends(case).into_iter().map(|text| {
        Some(if let Some(now) = text.strip_prefix("@@nowait ") {
            Act::Now(latin1(now))
        } else if let Some(repeat) = text.strip_prefix("@@repeat ") {
            let (count, octets) = repeated(repeat);
            Act::Flood(octets, count)
        } else if let Some(text) = text.strip_prefix("@@bytewise ") {
            Act::Drip(latin1(text), 0)
        } else if text.starts_with("@@scram ") {
            return None;
        } else {
            match text {
                "@@data" => Act::Content,
                "@@tls" => Act::Tls,
                "@@close" => Act::Close,
                // Time goes by itself when nothing else happens.
                _ if text.starts_with("@@sleep ") => Act::Now(Vec::new()),
                _ => Act::reply(latin1(text)),
            }
        })
    });
    acts.collect()
}

fn wish(case: &Value) -> Wish {
    let options = &case["client"];
    let set = |key: &str, usual: &str| {
        let value = options["set"][key].as_str();
        value.unwrap_or(usual).to_owned()
    };
    Wish {
        security: match options["tls"].as_str() {
            Some("starttls") => Security::StartTls,
            Some("implicit") => Security::ImplicitTls,
            _ => Security::DangerPlaintext,
        },
        auth: match options["auth"].as_str() {
            Some("login") => "login",
            Some("plain") => "plain",
            Some("plain-require-tls") => "plain-require-tls",
            _ => "none",
        },
        ehlo: set("ehlo", "c.example.org"),
        from: set("mail_from", "a@example.org"),
        to: match strings(&options["set"]["rcpts"])[..] {
            [] => vec!["b@example.org".into()],
            ref some => some.iter().map(|to| (*to).to_owned()).collect(),
        },
        body: set(
            "body",
            "Subject: t\r\nFrom: <a@example.org>\r\n\r\nline\r\n.dot\r\n..two\r\nend\r\n",
        ),
        wrong_host: false,
    }
}

#[test]
fn servers() {
    let cases = cases("client");
    let (mut bad, mut computed) = (Vec::new(), 0);
    for case in &cases {
        // SCRAM without sockets has tests of its own in the core: tests/scram_hostile.rs.
        let Some(acts) = acts(case) else {
            computed += 1;
            continue;
        };
        let expected = case["expect"]["error"].as_str().unwrap();
        for (piece, room) in [(1, WHOLE), (7, 3), (WHOLE, 1), (WHOLE, WHOLE)] {
            // Tens of megabytes octet by octet show nothing more.
            let flood = acts.iter().any(|act| matches!(act, Act::Flood(..)));
            if flood && piece < WHOLE {
                continue;
            }
            let played = client::play_wish(&wish(case), &acts, piece, room);
            let class = played
                .as_ref()
                .map_or(class::INVALID, |played| played.class);
            let sent = played.map(|played| played.sent).unwrap_or_default();
            let sent = sent.to_ascii_lowercase();
            let has = |what: &str| contains(&sent, &what.to_ascii_lowercase());
            let mut found = Vec::new();
            if expected != "any" && (expected == "none") != (class == class::NONE) {
                found.push(format!("{class} instead of {expected}"));
            }
            for what in strings(&case["expect"]["must_send"]) {
                if !has(what) {
                    found.push(format!("did not send {what:?}"));
                }
            }
            for what in strings(&case["expect"]["must_not_send"]) {
                if has(what) {
                    found.push(format!("sent {what:?}"));
                }
            }
            bad.extend(
                found
                    .iter()
                    .map(|what| format!("{} in pieces of {piece}: {what}", name(case))),
            );
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert_eq!((cases.len(), computed), (41, 8));
}
