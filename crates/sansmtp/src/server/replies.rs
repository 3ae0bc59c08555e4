//! The words of the replies that come up in several places.

use super::session::Words;
use crate::state::State;
use crate::wire::command::CommandError;

pub(super) const TOO_LARGE: Words = "552 5.3.4 Message is larger than this server takes\r\n";
pub(super) const LINE_TOO_LONG: Words = "550 5.6.0 A line of the message is too long\r\n";
pub(super) const BARE_IN_CONTENT: Words =
    "550 5.6.0 The message holds a CR or LF alone; lines end with CR LF\r\n";
pub(super) const SHUTTING_DOWN: Words = "421 4.3.2 Service shutting down, closing\r\n";
#[cfg(feature = "mta")]
pub(super) const TOO_MANY_MESSAGES: Words =
    "421 4.5.3 Too many messages in this session, closing\r\n";
pub(super) const BARE_LINE_END: Words =
    "500 5.5.2 Lines end with CR LF; a CR or LF alone is no line end\r\n";
pub(super) const MALFORMED: Words = "501 5.5.2 Malformed response\r\n";
// RFC 6531, section 3.5 has a code for each.
pub(super) const SENDER_NEEDS_SMTPUTF8: Words =
    "550 5.6.7 The address is not ASCII: SMTPUTF8 is needed\r\n";
pub(super) const RECIPIENT_NEEDS_SMTPUTF8: Words =
    "553 5.6.7 The address is not ASCII: SMTPUTF8 is needed\r\n";

pub(super) const ONLY_QUIT: Words = "503 5.5.1 Only QUIT is left\r\n";

pub(super) const RESPONSE_TOO_LONG: Words = "500 5.5.6 Response is too long\r\n";

pub(super) const AUTH_UNAVAILABLE: Words = "454 4.7.0 Temporary authentication failure\r\n";

pub(super) const NO_ENVELOPE: Words = "503 5.5.1 MAIL and RCPT come first\r\n";

pub(super) fn out_of_order(state: State) -> Words {
    match state {
        State::Greeted => "503 5.5.1 EHLO comes first\r\n",
        State::Mail | State::Recipients => "503 5.5.1 Not within a transaction\r\n",
        State::Chunking => "503 5.5.1 The message has begun: only BDAT or RSET\r\n",
        _ => "503 5.5.1 Bad sequence of commands\r\n",
    }
}

pub(super) fn complaint(error: CommandError) -> Words {
    match error {
        CommandError::Unrecognized => "500 5.5.1 Command not recognized\r\n",
        CommandError::Control => "501 5.5.2 Control character in command\r\n",
        CommandError::Arguments => "501 5.5.4 Syntax error in arguments\r\n",
        CommandError::ReversePath => "501 5.1.7 Bad address syntax\r\n",
        CommandError::ForwardPath => "501 5.1.3 Bad address syntax\r\n",
        CommandError::UnknownParameter => "555 5.5.4 Parameter not known or not offered\r\n",
        CommandError::TooLarge => TOO_LARGE,
        CommandError::Chunk { .. } => {
            "501 5.5.4 The size of the chunk can not be read, closing\r\n"
        }
    }
}
