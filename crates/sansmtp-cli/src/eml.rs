//! Finished messages: who they are from and for, and what must not be sent.

use crate::addresses::mailboxes;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use std::path::Path;

/// A message that somebody else wrote, ready to be sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Eml {
    /// The message with CRLF line ends and without blind copies.
    pub(crate) content: Vec<u8>,
    /// The one who sends: Sender, else the first of From; in a message that was
    /// sent on, Resent-Sender and Resent-From.
    pub(crate) sender: Option<String>,
    /// The recipients of To, Cc and Bcc, or of their Resent- forms, each once.
    pub(crate) recipients: Vec<String>,
    /// The content has octets above 127.
    pub(crate) eight_bit: bool,
    /// The headers have octets above 127.
    pub(crate) utf8_headers: bool,
    /// How many Bcc fields were taken out.
    pub(crate) blind_copies: usize,
}

/// Parses a message; `place` names it in errors.
pub(crate) fn parse(place: &Path, bytes: &[u8]) -> Result<Eml> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = Reader { rest: bytes };
    let mut eml = Eml::default();
    let mut names = Names::default();
    let mut line_number = 0_usize;
    // The separator of mbox files is no header.
    if bytes.starts_with(b"From ") {
        reader.line();
        line_number += 1;
    }
    while let Some(line) = reader.line() {
        line_number += 1;
        if line.is_empty() {
            break;
        }
        let mut field = line.to_vec();
        let mut folded = line.to_vec();
        while matches!(reader.rest.first(), Some(b' ' | b'\t')) {
            let Some(more) = reader.line() else { break };
            line_number += 1;
            folded.extend_from_slice(b"\r\n");
            folded.extend_from_slice(more);
            field.extend_from_slice(more);
        }
        let Some((name, value)) = split_field(&field) else {
            return Err(Failure::new(
                Exit::Data,
                format_args!(
                    "{} is no message: line {line_number} is no header",
                    place.display()
                ),
                "begin with headers such as `Subject: Hello`, then an empty line, then the text",
            ));
        };
        let blind = names.take(name, value).map_err(|()| {
            Failure::new(
                Exit::Data,
                format_args!(
                    "{}: the header at line {line_number} is not UTF-8",
                    place.display()
                ),
                "store the message as UTF-8, or name the recipients with --to",
            )
        })?;
        if blind {
            eml.blind_copies += 1;
            continue;
        }
        eml.utf8_headers |= !folded.is_ascii();
        eml.content.extend_from_slice(&folded);
        eml.content.extend_from_slice(b"\r\n");
    }
    if eml.content.is_empty() {
        return Err(Failure::new(
            Exit::Data,
            format_args!("{} has no headers", place.display()),
            "begin with headers such as `Subject: Hello`, then an empty line, then the text",
        ));
    }
    eml.content.extend_from_slice(b"\r\n");
    eml.content.reserve(reader.rest.len());
    while let Some(line) = reader.line() {
        eml.content.extend_from_slice(line);
        eml.content.extend_from_slice(b"\r\n");
    }
    eml.eight_bit = !eml.content.is_ascii();
    (eml.sender, eml.recipients) = names.envelope();
    Ok(eml)
}

/// Lines that end with CRLF, LF or CR: receivers disagree on what a lone one
/// means, so each is taken as a line end.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|b| matches!(b, b'\r' | b'\n'));
        let Some(end) = end else {
            return Some(std::mem::take(&mut self.rest));
        };
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest
            .strip_prefix(b"\r\n")
            .or_else(|| rest.get(1..))
            .unwrap_or_default();
        Some(line)
    }
}

/// Name and value of a header: printable ASCII without space, then a colon.
fn split_field(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = field.iter().position(|&b| b == b':')?;
    let (name, value) = (&field[..colon], &field[colon + 1..]);
    // Old messages have a space before the colon (RFC 5322, section 4.5).
    let name = name.trim_ascii_end();
    let printable = name.iter().all(|b| matches!(b, b'!'..=b'~'));
    (!name.is_empty() && printable).then_some((name, value))
}

/// Who a message names.
#[derive(Default)]
struct Names {
    original: Parties,
    resent: Parties,
}

#[derive(Default)]
struct Parties {
    sender: Option<String>,
    from: Option<String>,
    recipients: Vec<String>,
}

impl Names {
    /// Takes a header; `Ok(true)` if it must not be sent.
    fn take(&mut self, name: &[u8], value: &[u8]) -> std::result::Result<bool, ()> {
        let name = name.to_ascii_lowercase();
        let (parties, name) = match name.strip_prefix(b"resent-") {
            Some(name) => (&mut self.resent, name),
            None => (&mut self.original, &*name),
        };
        if !matches!(name, b"sender" | b"from" | b"to" | b"cc" | b"bcc") {
            return Ok(false);
        }
        let value = std::str::from_utf8(value).map_err(drop)?;
        let mut found = mailboxes(value);
        match name {
            b"sender" => parties.sender = parties.sender.take().or(found.into_iter().next()),
            b"from" => parties.from = parties.from.take().or(found.into_iter().next()),
            _ => parties.recipients.append(&mut found),
        }
        Ok(name == b"bcc")
    }

    fn envelope(self) -> (Option<String>, Vec<String>) {
        let Self { original, resent } = self;
        // Who sends a message on names the new recipients in Resent- fields
        // (RFC 5322, section 3.6.6).
        let parties = if resent.recipients.is_empty() {
            original
        } else {
            resent
        };
        let mut recipients = Vec::new();
        for recipient in parties.recipients {
            if !recipients.contains(&recipient) {
                recipients.push(recipient);
            }
        }
        (parties.sender.or(parties.from), recipients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eml(text: &str) -> Result<Eml> {
        parse(Path::new("mail.eml"), text.as_bytes())
    }

    #[test]
    fn blind_copies_go_to_the_envelope_only() {
        let eml = eml(
            "From: Jo <a@b>\nTo: c@d,\n e@f\nBcc: g@h,\n\ti@j\nSubject: x\n y\nCC: c@d\n\n.\nBcc: not a header\n",
        )
        .unwrap();
        assert_eq!(eml.sender.as_deref(), Some("a@b"));
        assert_eq!(eml.recipients, ["c@d", "e@f", "g@h", "i@j"]);
        assert_eq!(
            std::str::from_utf8(&eml.content).unwrap(),
            "From: Jo <a@b>\r\nTo: c@d,\r\n e@f\r\nSubject: x\r\n y\r\nCC: c@d\r\n\r\n.\r\nBcc: not a header\r\n"
        );
        assert_eq!(eml.blind_copies, 1);
        assert!(!eml.eight_bit && !eml.utf8_headers);
    }

    #[test]
    fn sent_on() {
        let eml = eml(
            "Resent-From: r@s\r\nResent-To: t@u\r\nResent-Bcc: v@w\r\nFrom: a@b\r\nTo: c@d\r\n\r\n",
        )
        .unwrap();
        assert_eq!(eml.sender.as_deref(), Some("r@s"));
        assert_eq!(eml.recipients, ["t@u", "v@w"]);
        assert!(!String::from_utf8(eml.content).unwrap().contains("v@w"));
    }

    #[test]
    fn line_ends_marks_and_separators() {
        let eml = eml("\u{feff}From: a@b\rSender : c@d\r\n\nx\ry\n\rä").unwrap();
        assert_eq!(eml.sender.as_deref(), Some("c@d"));
        assert_eq!(
            std::str::from_utf8(&eml.content).unwrap(),
            "From: a@b\r\nSender : c@d\r\n\r\nx\r\ny\r\n\r\nä\r\n"
        );
        assert!(eml.eight_bit && !eml.utf8_headers);
        let mbox = parse(Path::new("m"), b"From x@y Mon Jan 1\nFrom: a@b\n\n").unwrap();
        assert_eq!(mbox.content, b"From: a@b\r\n\r\n");
        let utf8 = parse(Path::new("m"), "Subject: ä\n\n".as_bytes()).unwrap();
        assert!(utf8.utf8_headers);
    }

    #[test]
    fn no_messages() {
        for text in [
            "",
            "\n",
            "Hello\nyou\n",
            ": x\n\n",
            "A b: c\n\n",
            "Bcc: a@b\n\n",
        ] {
            let failure = eml(text).unwrap_err();
            assert_eq!(failure.exit, Exit::Data, "{text:?}");
        }
        assert!(parse(Path::new("m"), b"To: \xff@b\n\n").is_err());
    }
}
