"""A client for asyncio with the names of aiosmtplib: ``import sansmtp.aio as aiosmtplib``.

::

    async with SMTP(hostname="smtp.example.org", port=587, username="me", password="secret") as smtp:
        await smtp.send_message(message)

What differs from aiosmtplib:

* commands leave in groups where the server offers PIPELINING, and small messages together with their envelope where
  it offers CHUNKING, which saves most of the waiting;
* :meth:`SMTP.login` takes the strongest mechanism that the server offers, SCRAM included;
* it runs under trio too, if ``sansmtp[anyio]`` is installed;
* a connection that is lost behind the final dot raises :class:`SMTPUnknownOutcome`.

For new programs :class:`sansmtp.AsyncMailer` has less to learn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from email.message import EmailMessage, Message
from types import TracebackType
from typing import Any, Self

from sansmtp._aio.connection import DEFAULT, SMTPTokenGenerator
from sansmtp._aio.errors import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPConnectResponseError,
    SMTPConnectTimeoutError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupported,
    SMTPReadTimeoutError,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPTimeoutError,
    SMTPUnknownOutcome,
)
from sansmtp._aio.response import SMTPResponse
from sansmtp._aio.transaction import Transaction
from sansmtp._async_stream import new_lock
from sansmtp._names import Buffer


class SMTP(Transaction):
    """A connection to a mail server.

    ``use_tls`` is TLS from the first octet (port 465). ``start_tls`` is STARTTLS: True wants it, None takes it where
    it is offered, False leaves it. With ``username`` and ``password``, or an ``oauth_token_generator``,
    :meth:`connect` signs in.
    """

    async def connect(self, **options: Any) -> SMTPResponse:
        """Connects, secures the connection and signs in, as the options say; those given here replace the earlier
        ones. Returns the greeting."""
        timeout = options.pop("timeout", DEFAULT)
        for name, value in options.items():
            attribute = {
                "username": "_username",
                "password": "_password",
                "oauth_token_generator": "_oauth_token_generator",
                "start_tls": "_start_tls",
            }.get(name, name)
            if not hasattr(self, attribute) or name.startswith("_"):
                raise TypeError(f"connect() got an unexpected keyword argument {name!r}")
            setattr(self, attribute, value)
        self._check_options()
        if self.is_connected:
            raise SMTPException("SMTP instance is already connected")
        self._command_lock, self._mail_lock = new_lock(), new_lock()
        try:
            greeting = await self._open(self.timeout if timeout is DEFAULT else timeout)
            if not self.use_tls and self._start_tls is not False:
                await self._ehlo_or_helo_if_needed()
                if self._start_tls or self.supports_extension("starttls"):
                    await self.starttls()
            if self._username is not None and (self._password is not None or self._oauth_token_generator is not None):
                await self._sign_in()
        except BaseException:
            self.close()
            raise
        return greeting

    async def __aenter__(self) -> Self:
        if not self.is_connected:
            await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(error, (ConnectionError, TimeoutError)) and self.is_connected:
                await self.quit()
        except (ConnectionError, SMTPResponseException, SMTPTimeoutError):
            pass  # Whatever was sent is safe; nothing depends on the goodbye.
        finally:
            self.close()

    def sendmail_sync(self, *args: Any, **kwargs: Any) -> tuple[dict[str, SMTPResponse], str]:
        """Connects, sends a mail and parts, in a loop of its own."""

        async def run() -> tuple[dict[str, SMTPResponse], str]:
            async with self:
                return await self.sendmail(*args, **kwargs)

        return asyncio.run(run())

    def send_message_sync(self, *args: Any, **kwargs: Any) -> tuple[dict[str, SMTPResponse], str]:
        """Connects, sends a message object and parts, in a loop of its own."""

        async def run() -> tuple[dict[str, SMTPResponse], str]:
            async with self:
                return await self.send_message(*args, **kwargs)

        return asyncio.run(run())

    def __repr__(self) -> str:
        state = "connected" if self.is_connected else "not connected"
        return f"<SMTP {self.hostname or 'localhost'}, {state}>"


async def send(
    message: EmailMessage | Message | str | Buffer,
    /,
    *,
    sender: str | None = None,
    recipients: str | Sequence[str] | None = None,
    mail_options: Iterable[str] | None = None,
    rcpt_options: Iterable[str] | None = None,
    **options: Any,
) -> tuple[dict[str, SMTPResponse], str]:
    """Sends one message over a connection of its own; ``options`` are those of :class:`SMTP`."""
    if isinstance(message, Message):
        async with SMTP(**options) as smtp:
            return await smtp.send_message(
                message, sender=sender, recipients=recipients, mail_options=mail_options, rcpt_options=rcpt_options
            )
    if not recipients:
        raise ValueError("Recipients must be provided with raw messages.")
    if not sender:
        raise ValueError("Sender must be provided with raw messages.")
    async with SMTP(**options) as smtp:
        return await smtp.sendmail(sender, recipients, message, mail_options=mail_options, rcpt_options=rcpt_options)


__all__ = [
    "SMTP",
    "SMTPAuthenticationError",
    "SMTPConnectError",
    "SMTPConnectResponseError",
    "SMTPConnectTimeoutError",
    "SMTPDataError",
    "SMTPException",
    "SMTPHeloError",
    "SMTPNotSupported",
    "SMTPReadTimeoutError",
    "SMTPRecipientRefused",
    "SMTPRecipientsRefused",
    "SMTPResponse",
    "SMTPResponseException",
    "SMTPSenderRefused",
    "SMTPServerDisconnected",
    "SMTPTimeoutError",
    "SMTPTokenGenerator",
    "SMTPUnknownOutcome",
    "send",
]
