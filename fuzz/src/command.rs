//! Commands: a naive parser agrees on what a line means or why it means nothing, and what is understood
//! reads back.

use crate::input::{Input, rendered};
use crate::naive;
use sansmtp::capability::{Capabilities, Extension};
use sansmtp::wire::command::{Command, CommandError};

/// The extensions whose parameters the naive parser knows.
const KNOWN: [Extension; 7] = [
    Extension::Size,
    Extension::EightBitMime,
    Extension::BinaryMime,
    Extension::SmtpUtf8,
    Extension::Dsn,
    Extension::Auth,
    Extension::Chunking,
];

/// Verbs of extensions that it does not know.
const UNKNOWN: [&str; 4] = ["LHLO", "ETRN", "XCLIENT", "PROXY"];

/// Checks octets as a line, under offers that their first octet chooses.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.octet();
    let mut offered = Capabilities::NONE;
    for (bit, extension) in KNOWN.into_iter().enumerate() {
        if choice >> bit & 1 == 0 {
            offered = offered.with(extension);
        }
    }
    let line = input.rest();
    let parsed = Command::parse(line, &offered);
    if UNKNOWN.iter().any(|verb| {
        let start = line.get(..verb.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(verb.as_bytes())
    }) {
        return;
    }
    let expected = naive(line, &offered);
    if std::str::from_utf8(line).is_err() && parsed.is_err() && expected.is_err() {
        // Which of two faults is told first makes no difference.
        return;
    }
    let said = parsed.map(|command| rendered(|out| command.render(out)));
    assert_eq!(
        said.as_ref().map(|it| String::from_utf8_lossy(it)),
        expected.as_ref().map(|it| String::from_utf8_lossy(it)),
        "{:?} {offered:?}",
        String::from_utf8_lossy(line)
    );
    if let (Ok(command), Ok(said)) = (parsed, said) {
        let inside = said.strip_suffix(b"\r\n").expect("an end of the line");
        assert!(!inside.iter().any(|b| b"\r\n\0".contains(b)), "{said:?}");
        assert_eq!(Command::parse(inside, &offered), Ok(command));
        // What is shown has no secret and no control character.
        let shown = format!("{command:?}");
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        if let Command::Auth {
            initial_response: Some(secret),
            mechanism,
        } = command
            && secret.len() > 4
            && !mechanism.contains(secret)
        {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

/// The same command as it would be sent, or why it is none.
fn naive(line: &[u8], offered: &Capabilities) -> Result<Vec<u8>, CommandError> {
    let text = |octets: &[u8]| -> Result<String, CommandError> {
        String::from_utf8(octets.to_vec()).map_err(|_| CommandError::Arguments)
    };
    let control = line.iter().any(|&b| b != b'\t' && (b < 32 || b == 127));
    let line = trim_end(line);
    let end = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    let verb = String::from_utf8_lossy(&line[..end]).to_ascii_uppercase();
    let argument = trim_start(&line[end..]);
    let words: Vec<&[u8]> = argument
        .split(|&b| b == b' ')
        .filter(|word| !word.is_empty())
        .collect();
    let bdat = verb == "BDAT" && offered.has(Extension::Chunking);
    match verb.as_str() {
        verb if control && (VERBS.contains(&verb) || bdat) => Err(CommandError::Control),
        "DATA" | "RSET" | "QUIT" | "STARTTLS" if argument.is_empty() => {
            Ok(format!("{verb}\r\n").into_bytes())
        }
        "DATA" | "RSET" | "QUIT" | "STARTTLS" => Err(CommandError::Arguments),
        "EHLO" | "HELO" => {
            if argument.is_empty() || !argument.iter().all(|b| (33..=126).contains(b)) {
                return Err(CommandError::Arguments);
            }
            Ok(format!("{verb} {}\r\n", text(argument)?).into_bytes())
        }
        "NOOP" => text(argument).map(|_| b"NOOP\r\n".to_vec()),
        "VRFY" | "EXPN" if argument.is_empty() => Err(CommandError::Arguments),
        "VRFY" | "EXPN" | "HELP" => {
            let mut argument = argument;
            text(argument)?;
            let utf8 = offered.has(Extension::SmtpUtf8) && verb != "HELP";
            while utf8
                && let Some(at) = argument.iter().rposition(|&b| b == b' ')
                && argument[at + 1..].eq_ignore_ascii_case(b"SMTPUTF8")
            {
                argument = trim_end(&argument[..at]);
            }
            let said = format!("{verb} {}", text(argument)?);
            let said = said.strip_suffix(' ').unwrap_or(&said);
            Ok(format!("{said}\r\n").into_bytes())
        }
        "AUTH" if words.is_empty() || words.len() > 2 => Err(CommandError::Arguments),
        "AUTH" => Ok(format!("AUTH {}\r\n", text(&words.join(&b' '))?).into_bytes()),
        "BDAT" if bdat => {
            let size = words.first().and_then(|word| naive::decimal(word));
            let last = words.get(1).map(|word| word.eq_ignore_ascii_case(b"LAST"));
            match (size, last, words.len()) {
                (Some(size), None, 1) => Ok(format!("BDAT {size}\r\n").into_bytes()),
                (Some(size), Some(true), 2) => Ok(format!("BDAT {size} LAST\r\n").into_bytes()),
                _ => Err(CommandError::Chunk { size }),
            }
        }
        "MAIL" => {
            let (address, rest) = path(argument, "FROM:", CommandError::ReversePath)?;
            if !address.is_empty() && naive::mailbox(address).is_none() {
                return Err(CommandError::ReversePath);
            }
            let parameters = mail_parameters(rest, offered)?;
            Ok(format!("MAIL FROM:<{address}>{parameters}\r\n").into_bytes())
        }
        "RCPT" => {
            let (address, rest) = path(argument, "TO:", CommandError::ForwardPath)?;
            let postmaster = address.eq_ignore_ascii_case("postmaster");
            if !postmaster && naive::mailbox(address).is_none() {
                return Err(CommandError::ForwardPath);
            }
            let address = if postmaster { "Postmaster" } else { address };
            let parameters = rcpt_parameters(rest, offered)?;
            Ok(format!("RCPT TO:<{address}>{parameters}\r\n").into_bytes())
        }
        _ => Err(CommandError::Unrecognized),
    }
}

/// All but BDAT, which has to be offered.
const VERBS: [&str; 13] = [
    "EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT", "AUTH",
    "STARTTLS",
];

fn trim_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|b| !b" \t".contains(b));
    &line[..end.map_or(0, |at| at + 1)]
}

fn trim_start(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|b| !b" \t".contains(b));
    &line[start.unwrap_or(line.len())..]
}

fn path<'a>(
    argument: &'a [u8],
    keyword: &str,
    bad: CommandError,
) -> Result<(&'a str, &'a [u8]), CommandError> {
    let start = argument.get(..keyword.len());
    if !start.is_some_and(|it| it.eq_ignore_ascii_case(keyword.as_bytes())) {
        return Err(CommandError::Arguments);
    }
    let rest = trim_start(&argument[keyword.len()..]);
    let (address, end) = naive::path(rest).ok_or(bad)?;
    Ok((address, &rest[end..]))
}

/// Calls `take` for each keyword with its value.
fn each(
    rest: &[u8],
    keywords: &[(&str, Extension)],
    offered: &Capabilities,
    mut take: impl FnMut(&str, Option<String>) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    if !rest.is_empty() && rest[0] != b' ' {
        return Err(CommandError::Arguments);
    }
    let mut seen = Vec::new();
    for word in rest.split(|&b| b == b' ').filter(|word| !word.is_empty()) {
        let end = word.iter().position(|&b| b == b'=');
        let keyword = &word[..end.unwrap_or(word.len())];
        let value = end.map(|end| &word[end + 1..]);
        let dashed = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
        let bad_keyword = keyword.first().is_none_or(|b| *b == b'-') || !keyword.iter().all(dashed);
        let bad_value = value.is_some_and(|value| {
            let odd = |b: &u8| *b < 33 || *b == b'=' || *b == 127;
            value.is_empty() || value.iter().any(odd) || std::str::from_utf8(value).is_err()
        });
        if bad_keyword || bad_value {
            return Err(CommandError::Arguments);
        }
        let keyword = String::from_utf8_lossy(keyword).to_ascii_uppercase();
        if !keywords
            .iter()
            .any(|(name, extension)| **name == keyword && offered.has(*extension))
        {
            return Err(CommandError::UnknownParameter);
        }
        if seen.contains(&keyword) {
            return Err(CommandError::Arguments);
        }
        let value = value.map(|value| String::from_utf8_lossy(value).into_owned());
        take(&keyword, value)?;
        seen.push(keyword);
    }
    Ok(())
}

fn mail_parameters(rest: &[u8], offered: &Capabilities) -> Result<String, CommandError> {
    let mut offered = *offered;
    if offered.has(Extension::BinaryMime) {
        offered = offered.with(Extension::EightBitMime);
    }
    let offered = &offered;
    let keywords = [
        ("SIZE", Extension::Size),
        ("BODY", Extension::EightBitMime),
        ("SMTPUTF8", Extension::SmtpUtf8),
        ("RET", Extension::Dsn),
        ("ENVID", Extension::Dsn),
        ("AUTH", Extension::Auth),
    ];
    let mut said: Vec<(usize, String)> = Vec::new();
    each(rest, &keywords, offered, |keyword, value| {
        let place = keywords.iter().position(|(name, _)| *name == keyword);
        let place = place.expect("a known keyword");
        if keyword == "SMTPUTF8" {
            said.push((place, " SMTPUTF8".into()));
            return value.map_or(Ok(()), |_| Err(CommandError::Arguments));
        }
        let value = value.ok_or(CommandError::Arguments)?;
        let upper = value.to_ascii_uppercase();
        let good = match keyword {
            "SIZE" => value.len() <= 20 && value.bytes().all(|b| b.is_ascii_digit()),
            "BODY" => {
                ["7BIT", "8BITMIME"].contains(&upper.as_str())
                    || upper == "BINARYMIME" && offered.has(Extension::BinaryMime)
            }
            "RET" => ["FULL", "HDRS"].contains(&upper.as_str()),
            "ENVID" => value.len() <= 100 && naive::xtext(&value).is_some_and(|it| it.is_ascii()),
            _ => naive::xtext(&value).is_some(),
        };
        if !good {
            return Err(CommandError::Arguments);
        }
        let value = match keyword {
            "SIZE" => match value.parse::<u64>() {
                Ok(size) => size.to_string(),
                Err(_) => return Err(CommandError::TooLarge),
            },
            "BODY" | "RET" => upper,
            _ => value,
        };
        said.push((place, format!(" {keyword}={value}")));
        Ok(())
    })?;
    said.sort();
    Ok(said.into_iter().map(|(_, text)| text).collect())
}

fn rcpt_parameters(rest: &[u8], offered: &Capabilities) -> Result<String, CommandError> {
    let keywords = [("NOTIFY", Extension::Dsn), ("ORCPT", Extension::Dsn)];
    let mut said = Vec::new();
    each(rest, &keywords, offered, |keyword, value| {
        let value = value.ok_or(CommandError::Arguments)?;
        if keyword == "ORCPT" {
            let (kind, address) = value.split_once(';').ok_or(CommandError::Arguments)?;
            let atom = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            let good = !kind.is_empty()
                && kind.bytes().all(atom)
                && value.len() <= 500
                && !address.is_empty()
                && naive::original_recipient(kind, address)
                && (address.is_ascii() || offered.has(Extension::SmtpUtf8));
            said.push(format!(" ORCPT={value}"));
            return good.then_some(()).ok_or(CommandError::Arguments);
        }
        let upper = value.to_ascii_uppercase();
        if upper == "NEVER" {
            said.push(" NOTIFY=NEVER".into());
            return Ok(());
        }
        let wishes: Vec<&str> = upper.split(',').collect();
        let mut ordered = Vec::new();
        for name in ["SUCCESS", "FAILURE", "DELAY"] {
            match wishes.iter().filter(|wish| **wish == name).count() {
                0 => {}
                1 => ordered.push(name),
                _ => return Err(CommandError::Arguments),
            }
        }
        if ordered.len() != wishes.len() {
            return Err(CommandError::Arguments);
        }
        said.push(format!(" NOTIFY={}", ordered.join(",")));
        Ok(())
    })?;
    said.sort();
    Ok(said.concat())
}
