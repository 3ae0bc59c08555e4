//! Commands (RFC 5321, section 4.1.1 and the extensions).

use super::param::{MailParameters, ParameterError, RcptParameters};
use super::path::{self, ForwardPath, Inside, ReversePath};
use super::window::Window;
#[cfg(feature = "mta")]
use super::xclient::XClient;
use crate::capability::{Capabilities, Extension};
use crate::octets::{self, OctetKind};

/// A command with its arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// EHLO: the client's name, and a wish to know the extensions.
    Ehlo(&'a str),
    /// HELO: the client's name.
    Helo(&'a str),
    /// LHLO: the client's name, in LMTP (RFC 2033, section 4.1).
    #[cfg(feature = "mta")]
    Lhlo(&'a str),
    /// STARTTLS (RFC 3207).
    StartTls,
    /// AUTH (RFC 4954): the mechanism's name as sent and the initial response,
    /// still in base64; `=` stands for an empty one.
    Auth {
        /// The name of the mechanism.
        mechanism: &'a str,
        /// The initial response.
        initial_response: Option<&'a str>,
    },
    /// MAIL: begins a transaction.
    Mail {
        /// Whom failures are reported to.
        reverse_path: ReversePath<'a>,
        /// The ESMTP parameters.
        parameters: MailParameters<'a>,
    },
    /// RCPT: one recipient.
    Rcpt {
        /// Whom the mail is for.
        forward_path: ForwardPath<'a>,
        /// The ESMTP parameters.
        parameters: RcptParameters<'a>,
    },
    /// DATA: the content follows.
    Data,
    /// BDAT: a chunk of the content follows (RFC 3030, section 2).
    Bdat {
        /// Octets of the chunk.
        size: u64,
        /// No chunk comes behind it.
        last: bool,
    },
    /// RSET: ends the transaction.
    Rset,
    /// NOOP.
    Noop,
    /// VRFY: is this a mailbox?
    Vrfy(&'a str),
    /// EXPN: who is on this list?
    Expn(&'a str),
    /// HELP, with a subject or an empty one.
    Help(&'a str),
    /// ETRN: send what is queued for a node (RFC 1985).
    #[cfg(feature = "mta")]
    Etrn(&'a str),
    /// XCLIENT: for whom the client connects.
    #[cfg(feature = "mta")]
    XClient(XClient<'a>),
    /// QUIT.
    Quit,
}

/// Why a line is not a command that can be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// No such command: 500.
    Unrecognized,
    /// A CR, LF, NUL or other control character is in an argument: 501.
    Control,
    /// An argument is missing, superfluous or malformed: 501.
    Arguments,
    /// The address of MAIL breaks the grammar: 501.
    ReversePath,
    /// The address of RCPT breaks the grammar: 501.
    ForwardPath,
    /// A parameter is not known or its extension is not offered: 555.
    UnknownParameter,
    /// The declared size can not be counted: 552.
    TooLarge,
    /// BDAT with wrong arguments: 501. With a size, so many octets of content
    /// follow; without one nobody can tell content from commands any more.
    Chunk {
        /// Octets of the chunk.
        size: Option<u64>,
    },
}

impl From<ParameterError> for CommandError {
    fn from(error: ParameterError) -> Self {
        match error {
            ParameterError::Unknown => Self::UnknownParameter,
            ParameterError::Syntax => Self::Arguments,
            ParameterError::TooLarge => Self::TooLarge,
        }
    }
}

impl<'a> Command<'a> {
    /// Parses a line without its CR LF. Parameters are known if the extension
    /// they belong to is in `offered`. Work is linear in the length of the line.
    ///
    /// # Errors
    /// [`CommandError`] tells which reply is due.
    pub fn parse(line: &'a [u8], offered: &Capabilities) -> Result<Self, CommandError> {
        Self::parse_with(line, &|| *offered)
    }

    /// The same, with what is offered told only where it matters.
    // By reference, so that the parser is compiled once for all who tell.
    pub(crate) fn parse_with(
        line: &'a [u8],
        offered: &dyn Fn() -> Capabilities,
    ) -> Result<Self, CommandError> {
        // No argument takes a control character, so it is looked for only in what was
        // not taken.
        Self::parse_clean(line, offered).map_err(|error| match error {
            CommandError::Unrecognized => error,
            _ if octets::is_text(line) => error,
            _ => CommandError::Control,
        })
    }

    fn parse_clean(
        line: &'a [u8],
        offered: &dyn Fn() -> Capabilities,
    ) -> Result<Self, CommandError> {
        let unrecognized = Err(CommandError::Unrecognized);
        let Some((verb, rest)) = line.split_first_chunk() else {
            return unrecognized;
        };
        let verb = upper(*verb);
        let rest = match tail(verb) {
            [] => rest,
            tail => match rest.split_at_checked(tail.len()) {
                Some((word, rest)) if word.eq_ignore_ascii_case(tail) => rest,
                _ => return unrecognized,
            },
        };
        let argument = trim(rest);
        if !argument.is_empty() && rest.first() != Some(&b' ') {
            return unrecognized;
        }
        let none = |command| {
            if argument.is_empty() {
                Ok(command)
            } else {
                Err(CommandError::Arguments)
            }
        };
        match verb {
            MAIL => mail(argument, offered),
            RCPT => rcpt(argument, offered),
            DATA => none(Self::Data),
            BDAT if offered().has(Extension::Chunking) => bdat(argument),
            EHLO => client_name(argument).map(Self::Ehlo),
            HELO => client_name(argument).map(Self::Helo),
            #[cfg(feature = "mta")]
            LHLO => client_name(argument).map(Self::Lhlo),
            RSET => none(Self::Rset),
            QUIT => none(Self::Quit),
            NOOP => text(argument).map(|_| Self::Noop),
            VRFY => text(argument)
                .and_then(|name| name_alone(name, &offered()))
                .map(Self::Vrfy),
            EXPN => text(argument)
                .and_then(|name| name_alone(name, &offered()))
                .map(Self::Expn),
            HELP => text(argument).map(Self::Help),
            #[cfg(feature = "mta")]
            ETRN if offered().has(Extension::Etrn) => node(argument).map(Self::Etrn),
            #[cfg(feature = "mta")]
            XCLI if offered().has(Extension::XClient) => text(argument).and_then(|text| {
                let attributes = XClient::parse(text).ok_or(CommandError::Arguments)?;
                Ok(Self::XClient(attributes))
            }),
            STAR => none(Self::StartTls),
            AUTH => auth(argument),
            _ => unrecognized,
        }
    }

    /// Renders the command as it goes over the wire, CR LF included.
    pub fn render(&self, out: &mut Window<'_>) {
        let (verb, argument) = match *self {
            Self::Ehlo(name) => ("EHLO ", name),
            Self::Helo(name) => ("HELO ", name),
            #[cfg(feature = "mta")]
            Self::Lhlo(name) => ("LHLO ", name),
            Self::StartTls => ("STARTTLS", ""),
            Self::Auth {
                mechanism,
                initial_response,
            } => {
                out.put(b"AUTH ");
                out.put(mechanism.as_bytes());
                match initial_response {
                    None => ("", ""),
                    Some(response) => (" ", response),
                }
            }
            Self::Mail {
                reverse_path,
                parameters,
            } => {
                out.put(b"MAIL FROM:");
                reverse_path.render(out);
                parameters.render(out);
                ("", "")
            }
            Self::Rcpt {
                forward_path,
                parameters,
            } => {
                out.put(b"RCPT TO:");
                forward_path.render(out);
                parameters.render(out);
                ("", "")
            }
            Self::Data => ("DATA", ""),
            Self::Bdat { size, last } => {
                out.put(b"BDAT ");
                out.put_decimal(size);
                (if last { " LAST" } else { "" }, "")
            }
            Self::Rset => ("RSET", ""),
            Self::Noop => ("NOOP", ""),
            Self::Vrfy(name) => ("VRFY ", name),
            Self::Expn(name) => ("EXPN ", name),
            Self::Help("") => ("HELP", ""),
            Self::Help(subject) => ("HELP ", subject),
            #[cfg(feature = "mta")]
            Self::Etrn(node) => ("ETRN ", node),
            #[cfg(feature = "mta")]
            Self::XClient(attributes) => {
                attributes.render(out);
                ("", "")
            }
            Self::Quit => ("QUIT", ""),
        };
        out.put(verb.as_bytes());
        out.put(argument.as_bytes());
        out.put(b"\r\n");
    }
}

/// Shows the command as it goes over the wire, with an initial response masked.
impl core::fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let masked = match *self {
            Self::Auth {
                mechanism,
                initial_response: Some(_),
            } => Self::Auth {
                mechanism,
                initial_response: Some("****"),
            },
            other => other,
        };
        let mut bytes = [0; 640];
        let mut window = Window::new(0, &mut bytes);
        masked.render(&mut window);
        let written = window.written();
        let line = bytes.get(..written).unwrap_or_default().trim_ascii_end();
        core::fmt::Display::fmt(&super::reply::Escaped(line), f)
    }
}

// The verbs as numbers, so that one comparison tells two of them apart.
const EHLO: u32 = upper(*b"EHLO");
const HELO: u32 = upper(*b"HELO");
const MAIL: u32 = upper(*b"MAIL");
const RCPT: u32 = upper(*b"RCPT");
const DATA: u32 = upper(*b"DATA");
const BDAT: u32 = upper(*b"BDAT");
const RSET: u32 = upper(*b"RSET");
const NOOP: u32 = upper(*b"NOOP");
const VRFY: u32 = upper(*b"VRFY");
const EXPN: u32 = upper(*b"EXPN");
const HELP: u32 = upper(*b"HELP");
const QUIT: u32 = upper(*b"QUIT");
const AUTH: u32 = upper(*b"AUTH");
const STAR: u32 = upper(*b"STAR");
#[cfg(feature = "mta")]
const LHLO: u32 = upper(*b"LHLO");
#[cfg(feature = "mta")]
const ETRN: u32 = upper(*b"ETRN");
#[cfg(feature = "mta")]
const XCLI: u32 = upper(*b"XCLI");

/// What a verb of more than four letters has behind those.
const fn tail(verb: u32) -> &'static [u8] {
    match verb {
        STAR => b"TTLS",
        #[cfg(feature = "mta")]
        XCLI => b"ENT",
        _ => b"",
    }
}

/// Four letters in upper case. Only the two cases of a letter give that letter.
const fn upper(word: [u8; 4]) -> u32 {
    u32::from_le_bytes(word) & 0xdfdf_dfdf
}

/// Without the spaces and tabs at both ends.
fn trim(mut argument: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = argument {
        argument = rest;
    }
    argument
}

/// The name behind EHLO and HELO. Real clients send more than the grammar
/// allows, so any printable word is taken.
fn client_name(argument: &[u8]) -> Result<&str, CommandError> {
    if argument.is_empty() || !OctetKind::GRAPHIC.all(argument) {
        return Err(CommandError::Arguments);
    }
    utf8(argument)
}

fn mail<'a>(
    argument: &'a [u8],
    offered: &dyn Fn() -> Capabilities,
) -> Result<Command<'a>, CommandError> {
    let (inside, rest) = path_behind(argument, b"FROM:", CommandError::ReversePath)?;
    Ok(Command::Mail {
        reverse_path: match inside {
            Inside::Nothing => ReversePath::Null,
            Inside::Mailbox(mailbox) => ReversePath::Mailbox(mailbox),
            // Without a domain there is nobody to report to.
            Inside::Postmaster => return Err(CommandError::ReversePath),
        },
        parameters: match rest {
            [] => MailParameters::default(),
            rest => MailParameters::parse(rest, &offered())?,
        },
    })
}

fn rcpt<'a>(
    argument: &'a [u8],
    offered: &dyn Fn() -> Capabilities,
) -> Result<Command<'a>, CommandError> {
    let (inside, rest) = path_behind(argument, b"TO:", CommandError::ForwardPath)?;
    Ok(Command::Rcpt {
        forward_path: match inside {
            Inside::Nothing => return Err(CommandError::ForwardPath),
            Inside::Mailbox(mailbox) => ForwardPath::Mailbox(mailbox),
            Inside::Postmaster => ForwardPath::Postmaster,
        },
        parameters: match rest {
            [] => RcptParameters::default(),
            rest => RcptParameters::parse(rest, &offered())?,
        },
    })
}

/// `FROM:` or `TO:` and a path. Spaces between them break the grammar, but
/// enough clients send one.
fn path_behind<'a>(
    argument: &'a [u8],
    keyword: &[u8],
    bad: CommandError,
) -> Result<(Inside<'a>, &'a [u8]), CommandError> {
    let (word, mut rest) = argument
        .split_at_checked(keyword.len())
        .ok_or(CommandError::Arguments)?;
    // Mostly as it is written here.
    if word != keyword && !word.eq_ignore_ascii_case(keyword) {
        return Err(CommandError::Arguments);
    }
    while let [b' ' | b'\t', behind @ ..] = rest {
        rest = behind;
    }
    path::parse_path(rest).ok_or(bad)
}

/// `AUTH SP sasl-mech [SP initial-response]`
fn auth(argument: &[u8]) -> Result<Command<'_>, CommandError> {
    let end = octets::position(argument, b' ').unwrap_or(argument.len());
    let (mechanism, mut response) = argument.split_at_checked(end).unwrap_or_default();
    while let [b' ', rest @ ..] = response {
        response = rest;
    }
    if mechanism.is_empty() || octets::position(response, b' ').is_some() {
        return Err(CommandError::Arguments);
    }
    Ok(Command::Auth {
        mechanism: text(mechanism)?,
        initial_response: match response {
            [] => None,
            response => Some(text(response)?),
        },
    })
}

/// `BDAT SP chunk-size [ SP "LAST" ]`, where `chunk-size = 1*DIGIT` (RFC 3030,
/// section 2)
fn bdat(argument: &[u8]) -> Result<Command<'_>, CommandError> {
    let end = octets::position(argument, b' ').unwrap_or(argument.len());
    let (size, mut last) = argument.split_at_checked(end).unwrap_or_default();
    let size = super::param::decimal(size);
    while let [b' ', rest @ ..] | [rest @ .., b' '] = last {
        last = rest;
    }
    match size {
        Some(size) if last.is_empty() || last.eq_ignore_ascii_case(b"LAST") => Ok(Command::Bdat {
            size,
            last: !last.is_empty(),
        }),
        size => Err(CommandError::Chunk { size }),
    }
}

/// Whether the line can be an AUTH.
pub(crate) fn is_auth(line: &[u8]) -> bool {
    line.first_chunk().is_some_and(|verb| upper(*verb) == AUTH)
}

/// Whether the line is, or was meant as, a BDAT.
pub(crate) fn is_bdat(line: &[u8]) -> bool {
    let verb = line.trim_ascii_start().get(..4).unwrap_or_default();
    verb.eq_ignore_ascii_case(b"BDAT")
}

/// `ETRN SP [option-character] node-name`: `@` stands for a domain with all below
/// it, `#` for a queue (RFC 1985, section 5.3).
#[cfg(feature = "mta")]
pub(crate) fn node(argument: &[u8]) -> Result<&str, CommandError> {
    let name = match argument.split_first() {
        Some((b'@' | b'#', name)) => name,
        _ => argument,
    };
    let good = !name.is_empty() && name.len() <= 255 && name.iter().all(u8::is_ascii_graphic);
    if !good || matches!(name.first(), Some(b'@' | b'#')) {
        return Err(CommandError::Arguments);
    }
    text(argument)
}

fn text(argument: &[u8]) -> Result<&str, CommandError> {
    if !octets::is_text(argument) {
        return Err(CommandError::Control);
    }
    utf8(argument)
}

fn utf8(argument: &[u8]) -> Result<&str, CommandError> {
    core::str::from_utf8(argument).map_err(|_| CommandError::Arguments)
}

/// The argument of VRFY and EXPN without the parameter SMTPUTF8, which may follow it
/// (RFC 6531, section 3.7.4.2).
fn name_alone<'a>(argument: &'a str, offered: &Capabilities) -> Result<&'a str, CommandError> {
    let mut name = argument;
    while let Some((before, parameter)) = octets::split_last(name, b' ')
        && parameter.eq_ignore_ascii_case("SMTPUTF8")
        && offered.has(Extension::SmtpUtf8)
    {
        // More than one says no more, and what is left reads back as itself.
        name = before.trim_ascii_end();
    }
    if name.is_empty() {
        return Err(CommandError::Arguments);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn offered() -> Capabilities {
        Capabilities::NONE
            .with(Extension::Size)
            .with(Extension::Dsn)
            .with(Extension::Chunking)
            .with(Extension::Etrn)
            .with(Extension::XClient)
    }

    #[test]
    fn commands_there_and_back() {
        for line in [
            "EHLO [127.0.0.1]",
            "HELO mail.example.org",
            "STARTTLS",
            "AUTH PLAIN",
            "AUTH PLAIN =",
            "MAIL FROM:<>",
            "MAIL FROM:<a@example.org> SIZE=100",
            "RCPT TO:<Postmaster>",
            "RCPT TO:<\"x y\"@example.org> NOTIFY=NEVER",
            "DATA",
            "BDAT 0",
            "BDAT 18446744073709551615 LAST",
            "RSET",
            "NOOP",
            "VRFY root",
            "EXPN staff",
            "HELP",
            "HELP MAIL",
            "QUIT",
        ] {
            let command = Command::parse(line.as_bytes(), &offered()).unwrap();
            let mut out = [0; 128];
            let mut window = Window::new(0, &mut out);
            command.render(&mut window);
            let written = window.written();
            assert_eq!(out[..written], *format!("{line}\r\n").as_bytes());
        }
    }

    #[cfg(feature = "mta")]
    #[test]
    fn rarer_commands() {
        for line in [
            "LHLO client.example.org",
            "ETRN example.org",
            "ETRN @example.org",
            "ETRN #queue7",
            "XCLIENT ADDR=192.0.2.1 NAME=client.example.org",
        ] {
            let command = Command::parse(line.as_bytes(), &offered()).unwrap();
            let mut out = [0; 128];
            let mut window = Window::new(0, &mut out);
            command.render(&mut window);
            let written = window.written();
            assert_eq!(out[..written], *format!("{line}\r\n").as_bytes());
        }
        for line in [
            "LHLO",
            "LHLO a b",
            "ETRN",
            "ETRN @",
            "ETRN #",
            "ETRN @#x",
            "ETRN a b",
            "ETRN \u{e9}",
            "XCLIENT",
            "XCLIENT FOO=1",
            "XCLIENT ADDR=x",
        ] {
            let parsed = Command::parse(line.as_bytes(), &offered());
            assert_eq!(parsed, Err(CommandError::Arguments), "{line}");
        }
        for line in ["ETRN example.org", "XCLIENT ADDR=192.0.2.1"] {
            let parsed = Command::parse(line.as_bytes(), &Capabilities::NONE);
            assert_eq!(parsed, Err(CommandError::Unrecognized), "{line}");
        }
    }

    #[test]
    fn verify_in_utf8() {
        let utf8 = offered().with(Extension::SmtpUtf8);
        for (line, name) in [
            ("VRFY root", "root"),
            (
                "VRFY b\u{fc}cher@example.org SMTPUTF8",
                "b\u{fc}cher@example.org",
            ),
            ("EXPN Friends of Bill smtputf8", "Friends of Bill"),
            ("VRFY SMTPUTF8", "SMTPUTF8"),
            ("VRFY x  smtputf8 SMTPUTF8", "x"),
        ] {
            match Command::parse(line.as_bytes(), &utf8) {
                Ok(Command::Vrfy(said) | Command::Expn(said)) => assert_eq!(said, name),
                other => panic!("{other:?}"),
            }
        }
        let plain = Command::parse(b"VRFY root SMTPUTF8", &offered());
        assert_eq!(plain, Ok(Command::Vrfy("root SMTPUTF8")));
    }

    #[test]
    fn what_servers_tolerate() {
        for (line, same) in [
            ("ehlo a", "EHLO a"),
            ("mail from: <a@b>  size=1 ", "MAIL FROM:<a@b> SIZE=1"),
            ("Rcpt To:<@x:a@b>", "RCPT TO:<a@b>"),
            ("QUIT ", "QUIT"),
            ("bdat  007  last ", "BDAT 7 LAST"),
            ("NOOP whatever", "NOOP"),
            ("rcpt to:<postmaster>", "RCPT TO:<Postmaster>"),
        ] {
            assert_eq!(
                Command::parse(line.as_bytes(), &offered()),
                Command::parse(same.as_bytes(), &offered()),
                "{line}"
            );
        }
    }

    #[test]
    fn lines_that_are_no_commands() {
        use CommandError::*;
        for (line, why) in [
            ("", Unrecognized),
            (" EHLO a", Unrecognized),
            ("FOO", Unrecognized),
            ("MAILFROM:<a@b>", Unrecognized),
            ("STARTTLSX", Unrecognized),
            ("NO\0OP", Unrecognized),
            ("RSET\nRSET", Unrecognized),
            ("\x16\x03\x01\0\u{7f}", Unrecognized),
            ("QUIT \0", Control),
            ("EHLO c\u{8}", Control),
            ("MAIL FROM:<a@b\r>", Control),
            ("EHLO", Arguments),
            ("EHLO a b", Arguments),
            ("EHLO \u{e9}", Arguments),
            ("DATA now", Arguments),
            ("RSET x", Arguments),
            ("STARTTLS now", Arguments),
            ("QUIT x", Arguments),
            ("VRFY", Arguments),
            ("AUTH", Arguments),
            ("AUTH PLAIN a b", Arguments),
            ("MAIL", Arguments),
            ("MAIL TO:<a@b>", Arguments),
            ("MAIL FROM:a@b", ReversePath),
            ("MAIL FROM:<a@b", ReversePath),
            ("MAIL FROM:<a>", ReversePath),
            ("MAIL FROM:<postmaster>", ReversePath),
            ("RCPT TO:<>", ForwardPath),
            ("RCPT TO:<@a:>", ForwardPath),
            ("MAIL FROM:<a@b>SIZE=1", Arguments),
            ("MAIL FROM:<a@b> FOO", UnknownParameter),
            ("MAIL FROM:<a@b> SMTPUTF8", UnknownParameter),
            ("MAIL FROM:<a@b> SIZE=99999999999999999999", TooLarge),
        ] {
            assert_eq!(
                Command::parse(line.as_bytes(), &offered()),
                Err(why),
                "{line:?}"
            );
        }
    }

    #[test]
    fn chunks_that_can_not_be_read() {
        for (line, size) in [
            ("BDAT", None),
            ("BDAT -5 LAST", None),
            ("BDAT +5", None),
            ("BDAT 0x5", None),
            ("BDAT 5LAST", None),
            ("BDAT LAST 5", None),
            ("BDAT 18446744073709551616", None),
            ("BDAT 18446744073709551621 LAST", None),
            ("BDAT 000000000000000000005", None),
            ("BDAT 5 LAST LAST", Some(5)),
            ("BDAT 5 FIRST", Some(5)),
            ("BDAT 5 6", Some(5)),
        ] {
            let parsed = Command::parse(line.as_bytes(), &offered());
            assert_eq!(parsed, Err(CommandError::Chunk { size }), "{line}");
        }
        assert_eq!(
            Command::parse(b"BDAT 5", &Capabilities::NONE),
            Err(CommandError::Unrecognized)
        );
        assert!(is_bdat(b" bDat 5") && !is_bdat(b"DATA"));
    }

    #[test]
    fn an_initial_response_is_never_shown() {
        let command = Command::parse(b"AUTH PLAIN AHVzZXIAcGFzcw==", &offered()).unwrap();
        assert_eq!(format!("{command:?}"), "AUTH PLAIN ****");
    }
}
