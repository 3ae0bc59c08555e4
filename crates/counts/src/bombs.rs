//! Input that is meant to cost more than its length. Each comes in two lengths, of which the larger must not
//! cost more for an octet.

use std::hint::black_box;

use sansmtp::capability::{Capabilities, Extension};
use sansmtp::wire::chunk::{Encoder, LineEnds};
use sansmtp::wire::command::Command;
use sansmtp::wire::line::Framing;
use sansmtp::wire::path::Mailbox;
use sansmtp::wire::reply::ReplyLine;
use sansmtp::wire::{base64, dot, ehlo};

use crate::{Case, Work};

/// How often the piece is repeated.
const COUNTS: [usize; 2] = [500, 4_000];

type Run = fn(&[u8]);

pub(crate) fn all() -> Vec<Case> {
    let bombs: [(&str, &str, &str, &str, Run); 24] = [
        ("quoted pairs", "RCPT TO:<\"", "\\\"", "", command),
        ("an open quote", "RCPT TO:<\"", "\"", "", command),
        ("comments", "RCPT TO:<", "(", "x@y>", command),
        ("closed comments", "RCPT TO:<", "(x)", "@y>", command),
        ("dots", "RCPT TO:<", "a.", "@y>", command),
        ("at signs", "RCPT TO:<", "a@", "y>", command),
        ("a source route", "RCPT TO:<", "@a,", "@b:c@d>", command),
        ("labels", "RCPT TO:<a@", "b.", "c>", command),
        ("a long label", "RCPT TO:<a@", "b", ">", command),
        (
            "an address literal",
            "RCPT TO:<a@[IPv6:",
            ":",
            "]>",
            command,
        ),
        (
            "groups of a literal",
            "RCPT TO:<a@[IPv6:",
            "1:",
            "]>",
            command,
        ),
        ("angle brackets", "RCPT TO:", "<", ">", command),
        ("spaces", "RCPT TO:<a@b>", " ", "x", command),
        ("parameters", "RCPT TO:<a@b>", " X=1", "", command),
        ("wishes", "RCPT TO:<a@b> NOTIFY=", "DELAY,", "", command),
        ("xtext", "MAIL FROM:<> ENVID=", "+2B", "", command),
        ("an address by itself", "\"", "\\a", "\"@b", address),
        ("a reply of digits", "250 5.", "1", "", reply),
        ("dots in a reply", "250 5", ".1", "", reply),
        ("a line of offers", "AUTH", " PLAIN", "", offers),
        ("equal signs of offers", "AUTH", "=", "", offers),
        ("stuffed dots", "", "\r\n..", "\r\n.\r\n", content),
        ("carriage returns", "", "\r", "\r\n.\r\n", content),
        ("base64", "", "QUFB", "", decode),
    ];
    let mut cases = Vec::new();
    for (name, begin, piece, end, run) in bombs {
        for count in COUNTS {
            cases.push(Case::new(
                format!("bomb, {count} times: {name}"),
                "octet",
                move || {
                    let input = format!("{begin}{}{end}", piece.repeat(count)).into_bytes();
                    Work::new(input.len(), move || run(black_box(&input)))
                },
            ));
        }
    }
    cases
}

fn command(line: &[u8]) {
    let offered = [Extension::Dsn, Extension::Size, Extension::SmtpUtf8]
        .into_iter()
        .fold(Capabilities::NONE, Capabilities::with);
    let _ = black_box(Command::parse(line, &offered));
}

fn address(text: &[u8]) {
    let _ = black_box(std::str::from_utf8(text).map(Mailbox::parse));
}

fn reply(line: &[u8]) {
    black_box(ReplyLine::parse(line));
}

fn offers(line: &[u8]) {
    let mut offered = Capabilities::NONE;
    ehlo::parse_line(line, &mut offered);
    black_box(offered);
}

/// Framing, both decoders and both encoders.
fn content(octets: &[u8]) {
    let mut storage = [0; 512];
    let mut rest = octets;
    let mut framing = Framing::default();
    while !rest.is_empty() {
        let (used, line) = framing.take(&mut storage, rest);
        black_box(line);
        rest = rest.get(used..).unwrap_or_default();
    }
    let mut rest = octets;
    let mut decoder = dot::Decoder::default();
    while !rest.is_empty() && !decoder.ended() {
        let (used, stretch) = decoder.decode(rest);
        black_box(stretch);
        rest = rest.get(used..).unwrap_or_default();
    }
    let mut out = [0; 512];
    let (mut rest, mut encoder) = (octets, dot::Encoder::default());
    while !rest.is_empty() {
        let (read, _) = encoder.encode(rest, &mut out);
        rest = rest.get(read..).unwrap_or_default();
    }
    black_box(Encoder::default().count(octets));
    let mut ends = LineEnds::default();
    ends.look(octets);
    black_box(ends);
}

fn decode(text: &[u8]) {
    let mut storage = [0; 32_000];
    for (to, from) in storage.iter_mut().zip(text) {
        *to = *from;
    }
    let length = text.len().min(storage.len());
    black_box(base64::decode_in_place(&mut storage[..length]));
}
