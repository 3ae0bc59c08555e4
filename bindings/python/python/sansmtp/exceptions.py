"""The exceptions of sansmtp.

All of them are :class:`SansmtpError`. Each says in ``message`` what was wrong and in ``next_step`` what to do. They
are split by who must act:

* a value that can not be used: :class:`ConfigError`, :class:`AddressError`, :class:`EnvelopeError`,
  :class:`MessageError` (all of them are :class:`ValueError` too);
* the server said no: :class:`RefusedError`, :class:`AuthenticationError`, :class:`NotDeliveredError`;
* the server lacks what is needed: :class:`UnsupportedError`; it breaks the protocol: :class:`PeerError`;
* the connection: :class:`ConnectError`, :class:`TlsError`, :class:`ConnectionLostError`, :class:`TimedOutError`;
* the program called at the wrong time: :class:`MisuseError`.
"""

from __future__ import annotations

from typing import Any, Literal

from sansmtp._core import SendResult
from sansmtp._names import Stage

Actor = Literal["user", "server", "time", "program"]


class SansmtpError(Exception):
    """What all exceptions of sansmtp have in common."""

    #: What was wrong, in one line.
    message: str
    #: What the error is about.
    stage: Stage | None
    #: The reply code, such as 535, if a server replied.
    code: int | None
    #: The enhanced status code, such as ``"5.7.8"``, if the reply carried one.
    enhanced_code: str | None
    #: The text of the server's reply; control characters in it are escaped.
    text: str | None
    #: What the reply means, where that is known.
    meaning: str | None
    #: What to do next, in a sentence.
    next_step: str | None
    #: A page that shows how, mostly the provider's own.
    url: str | None
    #: Whether the same attempt may succeed later.
    temporary: bool
    #: Whether the message may have been accepted although the server's final word did not arrive. A second
    #: attempt could deliver it twice.
    outcome_unknown: bool
    #: Who has to act.
    actor: Actor
    #: What the server lacks, for :class:`UnsupportedError`.
    requirement: str | None
    #: What became of each recipient, if a message was under way.
    result: SendResult | None

    def __init__(
        self,
        message: str,
        *,
        stage: Stage | None = None,
        code: int | None = None,
        enhanced_code: str | None = None,
        text: str | None = None,
        meaning: str | None = None,
        next_step: str | None = None,
        url: str | None = None,
        temporary: bool = False,
        outcome_unknown: bool = False,
        actor: Actor = "user",
        requirement: str | None = None,
        result: SendResult | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.stage = stage
        self.code = code
        self.enhanced_code = enhanced_code
        self.text = text
        self.meaning = meaning
        self.next_step = next_step
        self.url = url
        self.temporary = temporary
        self.outcome_unknown = outcome_unknown
        self.actor = actor
        self.requirement = requirement
        self.result = result

    def __reduce__(self) -> tuple[Any, ...]:
        # Results are objects of the core, which stay in their process.
        return _restored, (type(self), self.message, {**self.__dict__, "result": None})

    def __str__(self) -> str:
        lines = [self.message]
        if self.text:
            lines.append(f"  server: {self.text}")
        if self.meaning:
            lines.append(f"  meaning: {self.meaning}")
        if self.next_step:
            lines.append(f"  next step: {self.next_step}")
        if self.url:
            lines.append(f"  see: {self.url}")
        return "\n".join(lines)


def _restored(kind: type[SansmtpError], message: str, state: dict[str, Any]) -> SansmtpError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class ConfigError(SansmtpError, ValueError):
    """A configuration can not work."""


class AddressError(SansmtpError, ValueError):
    """A text is no mail address."""


class EnvelopeError(SansmtpError, ValueError):
    """An envelope or a query holds what can not be sent."""


class MessageError(SansmtpError, ValueError):
    """A message can not be written as it is."""


class RefusedError(SansmtpError):
    """The server refused the session."""


class AuthenticationError(RefusedError):
    """The server refused user and password, or the token."""


class NotDeliveredError(SansmtpError):
    """The server took the message for nobody; ``result`` has its reply for each recipient."""


class UnsupportedError(SansmtpError):
    """The server lacks what the configuration or the message needs; ``requirement`` names it."""


class PeerError(SansmtpError):
    """The server broke the protocol."""


class MisuseError(SansmtpError, RuntimeError):
    """A method was called at a point where it makes no sense."""


class TimedOutError(SansmtpError, TimeoutError):
    """The server took too long."""


class ConnectionLostError(SansmtpError, ConnectionError):
    """The connection was lost."""


class ConnectError(SansmtpError, ConnectionError):
    """No connection could be made."""


class TlsError(SansmtpError):
    """The TLS handshake failed, for instance since the certificate is not for this server."""


__all__ = [
    "Actor",
    "AddressError",
    "AuthenticationError",
    "ConfigError",
    "ConnectError",
    "ConnectionLostError",
    "EnvelopeError",
    "MessageError",
    "MisuseError",
    "NotDeliveredError",
    "PeerError",
    "RefusedError",
    "SansmtpError",
    "TimedOutError",
    "TlsError",
    "UnsupportedError",
]
