//! The wire's parsers for tools that show a dialogue, and the transition table.

use crate::event::{mail_parameters, rcpt_parameters, reply};
use crate::names;
use crate::record::{Record, list};
use alloc::format;
use sansmtp::capability::{Capabilities, Extension};
use sansmtp::state::TRANSITIONS;
use sansmtp::wire::command::{Command, CommandError};
use sansmtp::wire::dot;
use sansmtp::wire::reply::ReplyLine;
use wasm_bindgen::prelude::*;

/// A reply line without its CR LF, taken apart; `undefined` if it is none.
#[wasm_bindgen(js_name = parseReply)]
pub fn parse_reply(line: &[u8]) -> JsValue {
    ReplyLine::parse(line).map_or(JsValue::UNDEFINED, |line| reply(line).done())
}

/// A command line without its CR LF, taken apart as a server with every extension would; an object with
/// `error` if it is no command. Credentials are masked in `masked`.
#[wasm_bindgen(js_name = parseCommand)]
pub fn parse_command(line: &[u8]) -> JsValue {
    let offered = Extension::ALL
        .into_iter()
        .fold(Capabilities::NONE, Capabilities::with);
    let command = match Command::parse(line, &offered) {
        Ok(command) => command,
        Err(error) => {
            return Record::new()
                .set(
                    "error",
                    match error {
                        CommandError::Unrecognized => "unrecognized",
                        CommandError::Control => "control",
                        CommandError::Arguments => "arguments",
                        CommandError::Address => "address",
                        CommandError::UnknownParameter => "unknown-parameter",
                        CommandError::TooLarge => "too-large",
                        _ => "other",
                    },
                )
                .done();
        }
    };
    let verb = |verb: &str| Record::new().set("verb", verb);
    match command {
        Command::Ehlo(name) => verb("EHLO").set("name", name),
        Command::Helo(name) => verb("HELO").set("name", name),
        Command::Lhlo(name) => verb("LHLO").set("name", name),
        Command::StartTls => verb("STARTTLS"),
        Command::Auth {
            mechanism,
            initial_response,
        } => verb("AUTH")
            .set("mechanism", mechanism)
            .set("initialResponse", initial_response.is_some()),
        Command::Mail {
            reverse_path,
            parameters,
        } => mail_parameters(verb("MAIL").set("from", reverse_path.as_str()), parameters),
        Command::Rcpt {
            forward_path,
            parameters,
        } => rcpt_parameters(verb("RCPT").set("to", forward_path.as_str()), parameters),
        Command::Data => verb("DATA"),
        Command::Bdat { last, .. } => verb(if last { "BDAT LAST" } else { "BDAT" }),
        Command::Rset => verb("RSET"),
        Command::Noop => verb("NOOP"),
        Command::Vrfy(argument) => verb("VRFY").set("argument", argument),
        Command::Expn(argument) => verb("EXPN").set("argument", argument),
        Command::Help(argument) => verb("HELP").set("argument", argument),
        Command::Etrn(argument) => verb("ETRN").set("argument", argument),
        Command::XClient(attributes) => verb("XCLIENT").set("argument", attributes.as_str()),
        Command::Quit => verb("QUIT"),
    }
    .set("masked", format!("{command:?}"))
    .done()
}

/// Mail data as it goes over the wire: dots doubled, line ends completed, the final dot behind it.
#[wasm_bindgen(js_name = dotStuff)]
pub fn dot_stuff(content: &[u8]) -> alloc::vec::Vec<u8> {
    let mut encoder = dot::Encoder::default();
    let mut out = alloc::vec![0; content.len().saturating_mul(2).saturating_add(2)];
    let (_, written) = encoder.encode(content, &mut out);
    out.truncate(written);
    out.extend_from_slice(encoder.terminator());
    out
}

/// Every transition of a session: `[from, step, to]`.
#[wasm_bindgen]
pub fn transitions() -> JsValue {
    list(TRANSITIONS.into_iter().map(|(from, step, to)| {
        list([names::state(from), names::step(step), names::state(to)].into_iter())
    }))
    .into()
}
