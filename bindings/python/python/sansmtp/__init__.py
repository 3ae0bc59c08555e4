"""Send mail: configure, send, done.

>>> import sansmtp
>>> with sansmtp.Mailer(sansmtp.gmail("me@gmail.com", "abcd efgh ijkl mnop")) as mailer:  # doctest: +SKIP
...     mailer.send(to="you@example.org", subject="Hello", text="It works.")

:class:`Mailer` is for ordinary programs, :class:`AsyncMailer` for asyncio, :mod:`sansmtp.smtplib` for programs that are
written for the standard library's module of that name, and :mod:`sansmtp.sansio` for transports of one's own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Unpack

from sansmtp._core import (
    Capabilities,
    Config,
    Endpoint,
    Envelope,
    Explanation,
    Provider,
    RecipientResult,
    Reply,
    SendResult,
    ServerConfig,
    did_you_mean,
    explain,
    find_provider,
    providers,
)
from sansmtp._mailer import Mailer
from sansmtp._message import AnyMessage, Attachment, BulkOptions, SendOptions
from sansmtp._presets import from_env, from_url, gmail, outlook, provider
from sansmtp._session import BulkResult
from sansmtp.exceptions import (
    AddressError,
    AuthenticationError,
    ConfigError,
    ConnectError,
    ConnectionLostError,
    EnvelopeError,
    MessageError,
    MisuseError,
    NotDeliveredError,
    PeerError,
    RefusedError,
    SansmtpError,
    TimedOutError,
    TlsError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from sansmtp._async_mailer import AsyncMailer
    from sansmtp.server import Handler, Mail, Server, Session


#: What needs asyncio, which a blocking program should not have to load.
_ASYNC = {
    "AsyncMailer": "sansmtp._async_mailer",
    "Handler": "sansmtp.server",
    "Mail": "sansmtp.server",
    "Server": "sansmtp.server",
    "Session": "sansmtp.server",
}


def __getattr__(name: str) -> Any:
    if name not in _ASYNC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_ASYNC[name]), name)
    globals()[name] = found
    return found


def send(config: Config | str, message: AnyMessage | None = None, **options: Unpack[SendOptions]) -> SendResult:
    """Sends one message over a connection of its own; see :meth:`Mailer.send`."""
    with Mailer(config) as mailer:
        return mailer.send(message, **options)


__all__ = [
    "AddressError",
    "AnyMessage",
    "AsyncMailer",
    "Attachment",
    "AuthenticationError",
    "BulkOptions",
    "BulkResult",
    "Capabilities",
    "Config",
    "ConfigError",
    "ConnectError",
    "ConnectionLostError",
    "Endpoint",
    "Envelope",
    "EnvelopeError",
    "Explanation",
    "Handler",
    "Mail",
    "Mailer",
    "MessageError",
    "MisuseError",
    "NotDeliveredError",
    "PeerError",
    "Provider",
    "RecipientResult",
    "RefusedError",
    "Reply",
    "SansmtpError",
    "SendOptions",
    "SendResult",
    "Server",
    "ServerConfig",
    "Session",
    "TimedOutError",
    "TlsError",
    "UnsupportedError",
    "did_you_mean",
    "explain",
    "find_provider",
    "from_env",
    "from_url",
    "gmail",
    "outlook",
    "provider",
    "providers",
    "send",
]
