//! The codec by itself.

use std::hint::black_box;

use sansmtp::capability::{Capabilities, Extension};
use sansmtp::wire::command::Command;
use sansmtp::wire::line::Framing;
use sansmtp::wire::reply::ReplyLine;
use sansmtp::wire::{chunk, dot, ehlo};

use crate::corpus::{COMMON, EHLO_REPLY, Kind, MIXED, REPLIES, on_wire};
use crate::machines;
use crate::{Case, Work};

/// Octets of the large contents.
const LARGE: usize = 1 << 20;
/// How many octets come or go at once, as with a common socket buffer.
pub(crate) const PIECE: usize = 16 * 1024;

pub(crate) fn all() -> Vec<Case> {
    let mut cases = vec![
        commands("parse a command line, 8 common", COMMON),
        commands("parse a command line, 24 mixed", MIXED),
        replies(),
        ehlo_reply(),
    ];
    for kind in [Kind::Text, Kind::Base64, Kind::Prose, Kind::Dotted] {
        cases.push(take_dots(kind));
        cases.push(add_dots(kind));
        cases.push(add_line_ends(kind));
    }
    cases.extend(machines::all());
    cases.extend(crate::bombs::all());
    cases
}

/// Framing and parsing, as the server does it.
fn commands(name: &'static str, lines: &'static [&'static str]) -> Case {
    Case::new(name, "line", move || {
        let offered = [
            Extension::Size,
            Extension::EightBitMime,
            Extension::SmtpUtf8,
            Extension::Dsn,
            Extension::Chunking,
            Extension::Auth,
        ]
        .into_iter()
        .fold(Capabilities::NONE, Capabilities::with);
        let mut storage = vec![0; 512];
        Work::new(lines.len(), move || {
            for line in lines {
                let (_, line) = Framing::default().take(&mut storage, black_box(line.as_bytes()));
                let line = line.expect("a whole line");
                let command = Command::parse(line.bytes, black_box(&offered));
                assert!(black_box(&command).is_ok());
            }
        })
    })
}

fn replies() -> Case {
    Case::new("parse a reply", "reply", || {
        let mut storage = vec![0; 512];
        Work::new(REPLIES.len(), move || {
            for reply in REPLIES {
                let mut rest = black_box(reply.as_bytes());
                while !rest.is_empty() {
                    let (used, line) = Framing::default().take(&mut storage, rest);
                    let line = line.expect("a whole line");
                    assert!(black_box(ReplyLine::parse(line.bytes)).is_some());
                    rest = &rest[used..];
                }
            }
        })
    })
}

fn ehlo_reply() -> Case {
    Case::new("parse an EHLO reply of eight lines", "reply", || {
        let mut storage = vec![0; 512];
        let reply = EHLO_REPLY.concat();
        Work::new(1, move || {
            let mut capabilities = Capabilities::NONE;
            let mut rest = black_box(reply.as_bytes());
            while !rest.is_empty() {
                let (used, line) = Framing::default().take(&mut storage, rest);
                let line = ReplyLine::parse(line.expect("a whole line").bytes).expect("a reply");
                ehlo::parse_line(line.text, &mut capabilities);
                rest = &rest[used..];
            }
            assert!(black_box(&capabilities).has(Extension::Chunking));
        })
    })
}

/// Finds the end of mail data and removes the added dots.
fn take_dots(kind: Kind) -> Case {
    let name = format!("take dots out, {}", kind.name());
    Case::new(name, "octet", move || {
        let wire = on_wire(&kind.content(LARGE));
        Work::new(wire.len(), move || {
            let mut decoder = dot::Decoder::default();
            for piece in black_box(&wire).chunks(PIECE) {
                let mut rest = piece;
                while !rest.is_empty() {
                    let (read, content) = decoder.decode(rest);
                    black_box(content);
                    rest = &rest[read..];
                }
            }
            assert!(decoder.ended() && !decoder.bare());
        })
    })
}

/// Adds the dots.
fn add_dots(kind: Kind) -> Case {
    let name = format!("put dots in, {}", kind.name());
    Case::new(name, "octet", move || {
        let content = kind.content(LARGE);
        let mut out = vec![0; PIECE];
        Work::new(content.len(), move || {
            let mut encoder = dot::Encoder::default();
            let mut rest = black_box(&content[..]);
            while !rest.is_empty() {
                let (read, written) = encoder.encode(rest, &mut out);
                black_box(&out[..written]);
                rest = &rest[read..];
            }
            black_box(encoder);
        })
    })
}

/// Makes chunks: no dots, but line ends.
fn add_line_ends(kind: Kind) -> Case {
    let name = format!("make chunks, {}", kind.name());
    Case::new(name, "octet", move || {
        let content = kind.content(LARGE);
        let mut out = vec![0; 2 * PIECE];
        Work::new(content.len(), move || {
            let mut encoder = chunk::Encoder::default();
            for piece in black_box(&content).chunks(PIECE) {
                let expected = encoder.count(piece);
                let mut rest = piece;
                let mut whole = 0;
                while !rest.is_empty() {
                    let (read, written) = encoder.encode(rest, &mut out);
                    black_box(&out[..written]);
                    whole += written;
                    rest = &rest[read..];
                }
                assert_eq!(whole, expected);
            }
        })
    })
}
