//! The wire's parsers for programs that show a dialogue, and the transition table.

use crate::client::reply_line;
use crate::codec::Answer;
use crate::server::{mail_parameters, rcpt_parameters};
use sansmtp::capability::{Capabilities, Extension};
use sansmtp::state::TRANSITIONS;
use sansmtp::wire::command::{Command, CommandError};
use sansmtp::wire::dot;
use sansmtp::wire::reply::ReplyLine;

/// Takes a reply line apart (1) or a command line (2), gives mail data the form of the wire (3), or gives the
/// transition table (4).
pub(crate) fn call(operation: u8, argument: &[u8], answer: &mut Answer) {
    match operation {
        1 => {
            if let Some(line) = answer.some(ReplyLine::parse(argument)) {
                reply_line(answer, line);
            }
        }
        2 => command(argument, answer),
        3 => dot_stuff(argument, answer),
        4 => {
            for (from, step, to) in TRANSITIONS {
                answer.byte(from as u8);
                answer.byte(step as u8);
                answer.byte(to as u8);
            }
        }
        _ => {}
    }
}

/// A command line as a server with every extension takes it: 255 and what is wrong, or its number, two
/// texts, a number, and the parameters.
fn command(line: &[u8], answer: &mut Answer) {
    let offered = Extension::ALL
        .into_iter()
        .fold(Capabilities::NONE, Capabilities::with);
    let command = match Command::parse(line, &offered) {
        Ok(command) => command,
        Err(error) => {
            answer.byte(u8::MAX);
            return answer.byte(match error {
                CommandError::Unrecognized => 0,
                CommandError::Control => 1,
                CommandError::Arguments => 2,
                CommandError::ReversePath | CommandError::ForwardPath => 3,
                CommandError::UnknownParameter => 4,
                CommandError::TooLarge => 5,
                _ => 6,
            });
        }
    };
    let (kind, first, second, number) = match command {
        Command::Ehlo(name) => (0, name, "", 0),
        Command::Helo(name) => (1, name, "", 0),
        Command::StartTls => (2, "", "", 0),
        Command::Auth {
            mechanism,
            initial_response,
        } => (3, mechanism, initial_response.map_or("", |_| "yes"), 0),
        Command::Mail { reverse_path, .. } => (4, reverse_path.as_str(), "", 0),
        Command::Rcpt { forward_path, .. } => (5, forward_path.as_str(), "", 0),
        Command::Data => (6, "", "", 0),
        Command::Bdat { size, last } => (7, if last { "LAST" } else { "" }, "", size),
        Command::Rset => (8, "", "", 0),
        Command::Noop => (9, "", "", 0),
        Command::Vrfy(text) => (10, text, "", 0),
        Command::Expn(text) => (11, text, "", 0),
        Command::Help(text) => (12, text, "", 0),
        Command::Quit => (13, "", "", 0),
        // What only relays say: there if another crate of the workspace wants the feature.
        #[allow(unreachable_patterns, reason = "depends on a feature of the core")]
        _ => {
            answer.byte(u8::MAX);
            return answer.byte(0);
        }
    };
    answer.byte(kind);
    answer.text(first);
    answer.text(second);
    answer.number(number as f64);
    match command {
        Command::Mail { parameters, .. } => mail_parameters(answer, parameters),
        Command::Rcpt { parameters, .. } => rcpt_parameters(answer, parameters),
        _ => {}
    }
}

/// Dots doubled, line ends completed, the final dot behind it.
fn dot_stuff(content: &[u8], answer: &mut Answer) {
    let mut encoder = dot::Encoder::default();
    let mut out = alloc::vec![0; content.len().saturating_mul(2).saturating_add(2)];
    let (_, written) = encoder.encode(content, &mut out);
    answer.raw(out.get(..written).unwrap_or_default());
    answer.raw(encoder.terminator());
}
