//! The words of the replies that come up in several places.

use crate::state::State;
use crate::wire::command::CommandError;
use crate::wire::reply::Reply;

pub(super) const TOO_LARGE: Reply<'static> =
    Reply::fixed(552, (5, 3, 4), "Message is larger than this server takes");
pub(super) const LINE_TOO_LONG: Reply<'static> =
    Reply::fixed(550, (5, 6, 0), "A line of the message is too long");
pub(super) const BARE_IN_CONTENT: Reply<'static> = Reply::fixed(
    550,
    (5, 6, 0),
    "The message holds a CR or LF alone; lines end with CR LF",
);
pub(super) const SHUTTING_DOWN: Reply<'static> =
    Reply::fixed(421, (4, 3, 2), "Service shutting down, closing");
#[cfg(feature = "mta")]
pub(super) const TOO_MANY_MESSAGES: Reply<'static> =
    Reply::fixed(421, (4, 5, 3), "Too many messages in this session, closing");
pub(super) const BARE_LINE_END: Reply<'static> = Reply::fixed(
    500,
    (5, 5, 2),
    "Lines end with CR LF; a CR or LF alone is no line end",
);
pub(super) const MALFORMED: Reply<'static> = Reply::fixed(501, (5, 5, 2), "Malformed response");
pub(super) const NEEDS_SMTPUTF8: Reply<'static> = Reply::fixed(
    553,
    (5, 6, 7),
    "The address is not ASCII: SMTPUTF8 is needed",
);

pub(super) fn out_of_order(state: State) -> Reply<'static> {
    Reply::fixed(
        503,
        (5, 5, 1),
        match state {
            State::Greeted => "EHLO comes first",
            State::Mail | State::Recipients => "Not within a transaction",
            State::Chunking => "The message has begun: only BDAT or RSET",
            _ => "Bad sequence of commands",
        },
    )
}

pub(super) fn complaint(error: CommandError) -> Reply<'static> {
    match error {
        CommandError::Unrecognized => Reply::fixed(500, (5, 5, 1), "Command not recognized"),
        CommandError::Control => Reply::fixed(500, (5, 5, 2), "Control character in command"),
        CommandError::Arguments => Reply::fixed(501, (5, 5, 4), "Syntax error in arguments"),
        CommandError::Address => Reply::fixed(501, (5, 1, 3), "Bad address syntax"),
        CommandError::UnknownParameter => {
            Reply::fixed(555, (5, 5, 4), "Parameter not known or not offered")
        }
        CommandError::TooLarge => TOO_LARGE,
        CommandError::Chunk { .. } => Reply::fixed(
            501,
            (5, 5, 4),
            "The size of the chunk can not be read, closing",
        ),
    }
}
