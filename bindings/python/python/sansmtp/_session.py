"""What the blocking and the asynchronous mailer share: everything but the waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import NoReturn, SupportsIndex

from sansmtp._core import ClientConnection, Config, SendResult
from sansmtp._message import Prepared
from sansmtp._names import Buffer, Stage
from sansmtp.exceptions import (
    ConfigError,
    ConnectError,
    MisuseError,
    NotDeliveredError,
    RefusedError,
    SansmtpError,
    TlsError,
    UnsupportedError,
)
from sansmtp.sansio import Delivered, NotDelivered, Verdict


@dataclass(frozen=True)
class BulkResult:
    """What became of one message of many."""

    #: The number of the message, from 0.
    index: int
    #: What became of each recipient; None if nothing was sent.
    result: SendResult | None
    #: Why the message was not delivered.
    error: SansmtpError | None

    @property
    def ok(self) -> bool:
        """Whether the server took the message for everybody."""
        return self.result is not None and self.result.ok


def checked_config(config: Config | str) -> Config:
    """A configuration that a connection can be made with."""
    if isinstance(config, str):
        config = Config.from_url(config)
    if not isinstance(config, Config):
        raise TypeError(f"a configuration is a Config or a URL, not {type(config).__name__}")
    if config.needs_password:
        raise ConfigError(
            f"there is a user {config.user!r}, but no password",
            next_step="give it with config.replace(password=...), or use sansmtp.from_env()",
        )
    return config


def checked_messages(messages: object) -> None:
    """Raises for one message in the place of many."""
    if isinstance(messages, (str, Mapping, Message, Buffer)):
        raise TypeError(f"messages is a list of messages, not {type(messages).__name__}")


def submit(connection: ClientConnection, prepared: Prepared) -> None:
    """Submits a message, in ASCII if the server takes nothing else."""
    try:
        connection.submit(prepared.envelope, prepared.content)
    except UnsupportedError as error:
        if error.requirement != "8bitmime" or prepared.in_ascii is None:
            raise
        ascii_only = prepared.in_ascii()
        connection.submit(ascii_only.envelope, ascii_only.content)


def interrupted(connection: ClientConnection, error: BaseException) -> None:
    """Notes on an exception that comes from elsewhere, such as a cancellation, that the message may be delivered all
    the same: the server had it as a whole."""
    try:
        connection.receive_eof()
    except SansmtpError as lost:
        if lost.outcome_unknown:
            error.add_note("the server had the whole message and may deliver it: look before you send it again")


class NotCopied:
    """Something that holds a connection, which two can not use."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is neither copied nor pickled: make another one of the same config")


def is_delivered(event: Delivered | NotDelivered | Verdict, result: SendResult) -> bool:
    """Whether somebody gets the message. In LMTP each recipient has a verdict of its own."""
    if isinstance(event, Verdict):
        return bool(result.delivered)
    return isinstance(event, Delivered)


def not_delivered(result: SendResult, event: Delivered | NotDelivered | Verdict) -> NotDeliveredError:
    """The exception for a message that was taken for nobody."""
    refused = next((recipient for recipient in result.recipients if recipient.reply is not None), None)
    reply = event.reply or (refused and refused.reply)
    stage: Stage = event.stage if isinstance(event, NotDelivered) else "content"
    if reply is None:
        return NotDeliveredError("the message was not delivered", stage=stage, result=result)
    codes = f"{reply.code} {reply.enhanced_code}" if reply.enhanced_code else f"{reply.code}"
    return NotDeliveredError(
        f"the server took the message for nobody: {codes}",
        stage=stage,
        code=reply.code,
        enhanced_code=reply.enhanced_code,
        text=reply.text,
        next_step=refused.next_step if refused else None,
        temporary=reply.is_temporary,
        actor="time" if reply.is_temporary else "user",
        result=result,
    )


def is_stale(error: SansmtpError) -> bool:
    """Whether the server just had closed an idle connection: nothing was handed over."""
    lost = isinstance(error, (RefusedError, ConnectionError)) and not isinstance(error, ConnectError)
    return lost and error.temporary and not error.outcome_unknown


def ends_session(error: SansmtpError) -> bool:
    """Whether no session can be set up, so that trying the next message makes no sense."""
    return isinstance(error, (ConnectError, TlsError)) or (
        isinstance(error, (RefusedError, UnsupportedError, TimeoutError))
        and error.result is None
        and error.stage in ("greeting", "hello", "starttls", "auth")
    )


def no_connection() -> MisuseError:
    """The exception for a driver that lost its connection between two steps."""
    return MisuseError("there is no connection", actor="program")


def socket_used_up() -> ConnectError:
    """The exception for a second connection where only one socket was given."""
    return ConnectError(
        "the socket that was given is used up",
        actor="program",
        next_step="give connector=, which opens a socket whenever one is needed",
    )
