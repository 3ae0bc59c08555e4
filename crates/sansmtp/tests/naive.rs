//! The codec beside implementations that are slow and plain: both must say the same of everything.

use proptest::prelude::*;
use sansmtp::capability::{Capabilities, Extension};
use sansmtp::wire::command::{Command, CommandError};
use sansmtp::wire::line::Framing;
use sansmtp::wire::path::{ForwardPath, Mailbox, ReversePath};

/// Words that addresses and commands are made of, and what breaks them.
fn words(from: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(from), 0..most).prop_map(|words| words.concat())
}

const ADDRESS: &[&str] = &[
    "a",
    "b",
    "Z9",
    "-",
    "_",
    ".",
    "..",
    "@",
    "\"",
    "\\",
    " ",
    "+",
    "!",
    "}",
    "(",
    ">",
    "<",
    ",",
    "\u{e9}",
    "\u{7f}",
    "\t",
    "x-y",
    "example.org",
    "d.e",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// `Local-part "@" Domain`, without address literals.
fn is_mailbox(address: &str) -> bool {
    let bytes = address.as_bytes();
    let ats = (0..bytes.len()).filter(|at| bytes[*at] == b'@');
    bytes.len() <= 254
        && ats
            .into_iter()
            .any(|at| is_local_part(&bytes[..at]) && is_domain(&bytes[at + 1..]))
}

fn is_local_part(local: &[u8]) -> bool {
    if let [b'"', inside @ .., b'"'] = local {
        let mut octets = inside.iter();
        while let Some(octet) = octets.next() {
            let good = match octet {
                b'\\' => octets.next().is_some_and(|next| (32..127).contains(next)),
                b'"' => false,
                octet => *octet >= 32 && *octet != 127,
            };
            if !good {
                return false;
            }
        }
        return true;
    }
    let atext =
        |b: &u8| b.is_ascii_alphanumeric() || *b >= 128 || b"!#$%&'*+-/=?^_`{|}~".contains(b);
    local
        .split(|b| *b == b'.')
        .all(|atom| !atom.is_empty() && atom.iter().all(atext))
}

fn is_domain(domain: &[u8]) -> bool {
    let inside = |b: &u8| b.is_ascii_alphanumeric() || *b >= 128 || b"-_".contains(b);
    domain.len() <= 255
        && domain.split(|b| *b == b'.').all(|label| {
            (1..=63).contains(&label.len())
                && label.iter().all(inside)
                && !label.starts_with(b"-")
                && !label.ends_with(b"-")
        })
}

/// What kind of answer a command line of MAIL or RCPT gets.
fn expected(verb: &str, address: &str) -> Result<String, CommandError> {
    if address.chars().any(|c| c.is_ascii_control() && c != '\t') {
        return Err(CommandError::Control);
    }
    let bad = Err(match verb {
        "MAIL FROM:" => CommandError::ReversePath,
        _ => CommandError::ForwardPath,
    });
    match (verb, address) {
        ("MAIL FROM:", "") => Ok(String::new()),
        ("RCPT TO:", name) if name.eq_ignore_ascii_case("postmaster") => {
            Ok("Postmaster".to_owned())
        }
        _ if is_mailbox(address) => Ok(address.to_owned()),
        _ => bad,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn addresses(address in words(ADDRESS, 14)) {
        let control = address.chars().any(|c| c.is_ascii_control());
        prop_assert_eq!(Mailbox::parse(&address).is_ok(), !control && is_mailbox(&address));
    }

    #[test]
    fn paths(
        verb in prop::sample::select(vec!["MAIL FROM:", "RCPT TO:"]),
        address in prop_oneof![words(ADDRESS, 8), Just("postMaster".to_owned()), Just(String::new())],
    ) {
        // A route and an end inside of the address are matters of their own.
        prop_assume!(!address.starts_with('@') && !address.contains('>'));
        let line = format!("{verb}<{address}>");
        let parsed = Command::parse(line.as_bytes(), &Capabilities::NONE).map(|command| match command {
            Command::Mail { reverse_path, .. } => reverse_path.as_str().to_owned(),
            Command::Rcpt { forward_path, .. } => forward_path.as_str().to_owned(),
            _ => panic!("another command"),
        });
        prop_assert_eq!(parsed, expected(verb, &address));
    }

    #[test]
    fn verbs(
        verb in prop::sample::select([&VERBS[..], &NO_VERBS].concat()),
        case in any::<u64>(),
        rest in words(&["", " ", "\t", "x", "\0", "\n", "\r", "\u{c}", "\u{e9}", "12", " LAST", "="], 4),
    ) {
        let verb: String = verb
            .chars()
            .enumerate()
            .map(|(at, c)| if case >> at & 1 == 0 { c } else { c.to_ascii_lowercase() })
            .collect();
        let line = format!("{verb}{rest}");
        let offered = Capabilities::NONE.with(Extension::Chunking);
        let parsed = Command::parse(line.as_bytes(), &offered);
        let trimmed = line.trim_end_matches([' ', '\t']);
        let (word, argument) = trimmed.split_once(' ').unwrap_or((trimmed, ""));
        let argument = argument.trim_matches([' ', '\t']);
        let known = VERBS.iter().find(|verb| verb.eq_ignore_ascii_case(word));
        let arguments = Err(CommandError::Arguments);
        let control = line.bytes().any(|b| b.is_ascii_control() && b != b'\t');
        let expected = match (known.copied(), argument) {
            (None, _) => Err(CommandError::Unrecognized),
            _ if control => Err(CommandError::Control),
            (Some("DATA"), "") => Ok(Command::Data),
            (Some("RSET"), "") => Ok(Command::Rset),
            (Some("QUIT"), "") => Ok(Command::Quit),
            (Some("STARTTLS"), "") => Ok(Command::StartTls),
            (Some("NOOP"), _) => Ok(Command::Noop),
            (Some("HELP"), subject) => Ok(Command::Help(subject)),
            (Some("VRFY" | "EXPN" | "EHLO" | "HELO"), "") => arguments,
            (Some("VRFY"), name) => Ok(Command::Vrfy(name)),
            (Some("EXPN"), name) => Ok(Command::Expn(name)),
            (Some("EHLO" | "HELO"), name) if !name.bytes().all(|b| b.is_ascii_graphic()) => arguments,
            (Some("EHLO"), name) => Ok(Command::Ehlo(name)),
            (Some("HELO"), name) => Ok(Command::Helo(name)),
            // Each of these has tests of its own.
            (Some("AUTH" | "BDAT" | "MAIL" | "RCPT"), _) => return Ok(()),
            _ => arguments,
        };
        prop_assert_eq!(parsed, expected, "{:?}", line);
    }

    #[test]
    fn lines(
        stream in words(&["\r\n", "\r", "\n", "a", "bc", "0123456789abcdef0123456789abcdef", " "], 30),
        split in 1..70_usize,
        room in 0..60_usize,
    ) {
        let mut framing = Framing::default();
        let mut storage = vec![0; room];
        let mut found = Vec::new();
        for mut piece in stream.as_bytes().chunks(split) {
            while !piece.is_empty() {
                let (used, line) = framing.take(&mut storage, piece);
                if let Some(line) = line {
                    found.push((line.bytes.to_vec(), line.length as usize, line.bare));
                }
                piece = &piece[used..];
            }
        }
        let mut whole: Vec<&str> = stream.split("\r\n").collect();
        let unfinished = whole.pop().unwrap_or_default();
        let expected: Vec<_> = whole
            .into_iter()
            .map(|line| {
                let shown = line.as_bytes()[..line.len().min(room)].to_vec();
                (shown, line.len(), line.contains(['\r', '\n']))
            })
            .collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(framing.pending() as usize, unfinished.len());
    }
}

const VERBS: [&str; 14] = [
    "EHLO", "HELO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT",
    "AUTH", "STARTTLS",
];

/// Near misses.
const NO_VERBS: [&str; 11] = [
    "FOO",
    "DAT",
    "DATAX",
    "STARTTL",
    "STARTTLSX",
    "STAR",
    "TTLS",
    "\u{4}ATA",
    "D\u{e9}A",
    "MAI",
    "",
];

/// The types that hold an address agree with each other.
#[test]
fn paths_are_mailboxes() {
    for address in [
        "a@b.example",
        "\"a b\"@c",
        "a..b@c",
        "a@[1.2.3.4]",
        "a@[1.2.3]",
        "x",
    ] {
        let mailbox = Mailbox::parse(address);
        assert_eq!(
            ReversePath::parse(address),
            mailbox.map(ReversePath::Mailbox)
        );
        assert_eq!(
            ForwardPath::parse(address),
            mailbox.map(ForwardPath::Mailbox)
        );
    }
}
