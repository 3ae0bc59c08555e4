"""The commands of :mod:`sansmtp.aio`, one by one, and what the server offers."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from sansmtp._aio.connection import DEFAULT, Connection
from sansmtp._aio.errors import (
    SMTPDataError,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from sansmtp._aio.response import SMTPResponse, wanted
from sansmtp._aio.words import bare_address, check_line, with_options
from sansmtp._async_stream import in_thread
from sansmtp._core import encode_content
from sansmtp._message import octets_of
from sansmtp._names import Buffer


class Commands(Connection):
    """A connection, driven command by command."""

    async def helo(self, *, hostname: str | None = None, timeout: float | None = DEFAULT) -> SMTPResponse:
        """Says HELO."""
        response = await self._command(f"HELO {await self._own_name(hostname)}", timeout)
        self._machine = None
        self.last_helo_response = response
        return wanted(response, (250,), SMTPHeloError)

    async def ehlo(self, *, hostname: str | None = None, timeout: float | None = DEFAULT) -> SMTPResponse:
        """Says EHLO and notes what the server offers."""
        line = f"EHLO {await self._own_name(hostname)}\r\n"
        if self._command_lock is None or self._stream is None:
            raise SMTPServerDisconnected("Server not connected")
        check_line(line[:-2])
        limit = self._limit(timeout)
        async with self._command_lock:
            await self._stream.send(line.encode("ascii"), limit)
            code, text, octets = await self._read_reply(limit)
        response = SMTPResponse(code, text)
        self._machine = None
        self._ehlo_response = response
        if code == 250:
            self._ehlo_octets = octets
            self.supports_esmtp = True
            self._note_extensions(text)
        return wanted(response, (250,), SMTPHeloError)

    async def help(self, *, timeout: float | None = DEFAULT) -> str:
        """Asks for help and returns the text."""
        await self._ehlo_or_helo_if_needed()
        response = await self._command("HELP", timeout)
        return wanted(response, (211, 214, 250), SMTPResponseException).message

    async def rset(self, *, timeout: float | None = DEFAULT) -> SMTPResponse:
        """Resets the session to the point before MAIL."""
        await self._ehlo_or_helo_if_needed()
        return wanted(await self._command("RSET", timeout), (250,), SMTPResponseException)

    async def noop(self, *, timeout: float | None = DEFAULT) -> SMTPResponse:
        """Does nothing, and shows that the connection works."""
        await self._ehlo_or_helo_if_needed()
        return wanted(await self._command("NOOP", timeout), (250,), SMTPResponseException)

    async def vrfy(
        self, address: str, /, *, options: Iterable[str] | None = None, timeout: float | None = DEFAULT
    ) -> SMTPResponse:
        """Asks whether an address is valid."""
        await self._ehlo_or_helo_if_needed()
        line, encoding = with_options(f"VRFY {bare_address(address)}", options)
        return wanted(await self._command(line, timeout, encoding), (250, 251, 252), SMTPResponseException)

    async def expn(
        self, address: str, /, *, options: Iterable[str] | None = None, timeout: float | None = DEFAULT
    ) -> SMTPResponse:
        """Asks who is on a list."""
        await self._ehlo_or_helo_if_needed()
        line, encoding = with_options(f"EXPN {bare_address(address)}", options)
        return wanted(await self._command(line, timeout, encoding), (250,), SMTPResponseException)

    async def quit(self, *, timeout: float | None = DEFAULT) -> SMTPResponse:
        """Says goodbye and closes the connection."""
        response = await self._command("QUIT", timeout)
        self.close()
        return wanted(response, (221,), SMTPResponseException)

    async def mail(
        self,
        sender: str,
        /,
        *,
        options: Iterable[str] | None = None,
        encoding: str = "ascii",
        timeout: float | None = DEFAULT,
    ) -> SMTPResponse:
        """Opens a transaction."""
        await self._ehlo_or_helo_if_needed()
        line = " ".join([f"MAIL FROM:<{bare_address(sender)}>", *(options or ())])
        response = await self._command(line, timeout, encoding)
        if response.code != 250:
            raise SMTPSenderRefused(response.code, response.message, sender)
        return response

    async def rcpt(
        self,
        recipient: str,
        /,
        *,
        options: Iterable[str] | None = None,
        encoding: str = "ascii",
        timeout: float | None = DEFAULT,
    ) -> SMTPResponse:
        """Names a recipient."""
        await self._ehlo_or_helo_if_needed()
        line = " ".join([f"RCPT TO:<{bare_address(recipient)}>", *(options or ())])
        response = await self._command(line, timeout, encoding)
        if response.code not in (250, 251):
            raise SMTPRecipientRefused(response.code, response.message, recipient)
        return response

    async def data(self, message: str | Buffer, /, *, timeout: float | None = DEFAULT) -> SMTPResponse:
        """Sends the content."""
        octets = octets_of(message)
        response = await self._command("DATA", timeout)
        if response.code != 354:
            raise SMTPDataError(response.code, response.message)
        if self._command_lock is None:
            raise SMTPServerDisconnected("Server not connected")
        async with self._command_lock:
            response = await self._exchange(encode_content(octets), self._limit(timeout))
        return wanted(response, (250,), SMTPDataError)

    # What the server offers.

    @property
    def last_ehlo_response(self) -> SMTPResponse | None:
        """The latest reply to EHLO."""
        return self._ehlo_response

    @property
    def is_ehlo_or_helo_needed(self) -> bool:
        """Whether neither EHLO nor HELO was said so far."""
        return self._ehlo_response is None and self.last_helo_response is None

    def supports_extension(self, extension: str, /) -> bool:
        """Whether the server offers an extension."""
        return extension.lower() in self.esmtp_extensions

    async def _ehlo_or_helo_if_needed(self) -> None:
        if not self.is_ehlo_or_helo_needed:
            return
        try:
            await self.ehlo()
        except SMTPHeloError:
            if not self.is_connected:
                raise
            await self.helo()

    def _note_extensions(self, text: str) -> None:
        self.esmtp_extensions, self.server_auth_methods = {}, []
        for line in text.split("\n")[1:]:
            keyword, _, parameters = line.strip().partition(" ")
            if keyword.upper().startswith("AUTH="):
                # The form of a draft, for clients of old.
                keyword, parameters = "AUTH", f"{keyword[5:]} {parameters}".strip()
            if not keyword:
                continue
            self.esmtp_extensions[keyword.lower()] = parameters
            if keyword.lower() == "auth":
                known = self.server_auth_methods
                known.extend(method for method in parameters.lower().split() if method not in known)

    async def _own_name(self, hostname: str | None) -> str:
        if hostname is not None:
            return hostname
        if self.local_hostname is None:
            # It may ask a name server.
            self.local_hostname = await in_thread(socket.getfqdn)
        return self.local_hostname
