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
import io
import os
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from email.generator import BytesGenerator
from email.message import EmailMessage, Message
from email.policy import EmailPolicy, Policy
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, Self, TypeAlias

from sansmtp._aio_errors import (
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
from sansmtp._aio_words import bare_address, check_line, envelope_options, with_options
from sansmtp._aio_words import octets as as_octets
from sansmtp._aio_words import text as as_text
from sansmtp._async_link import AsyncLink
from sansmtp._async_stream import Lock, Stream, in_thread, new_lock, open_stream
from sansmtp._core import ClientConnection, Config, Envelope, Reply, ReplyReader, SendResult, encode_content
from sansmtp._message import addresses_of, without_bcc_fields
from sansmtp._names import Buffer
from sansmtp.exceptions import (
    AuthenticationError,
    ConnectionLostError,
    EnvelopeError,
    RefusedError,
    SansmtpError,
    TimedOutError,
    TlsError,
    UnsupportedError,
)
from sansmtp.sansio import Delivered, NotDelivered, Ready

#: Returns an OAuth2 access token.
SMTPTokenGenerator: TypeAlias = Callable[[], Awaitable[str]]

#: Stands for the value that the object was made with.
_DEFAULT: Any = object()


class SMTPResponse(NamedTuple):
    """A reply: its code and its text."""

    code: int
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


class SMTP:
    """A connection to a mail server.

    ``use_tls`` is TLS from the first octet (port 465). ``start_tls`` is STARTTLS: True wants it, None takes it where
    it is offered, False leaves it. With ``username`` and ``password``, or an ``oauth_token_generator``,
    :meth:`connect` signs in.
    """

    #: The mechanisms of :meth:`login`, best first.
    AUTH_METHODS = ("scram-sha-256", "scram-sha-1", "cram-md5", "plain", "login")

    def __init__(
        self,
        *,
        hostname: str | None = None,
        port: int | None = None,
        username: str | bytes | None = None,
        password: str | bytes | None = None,
        oauth_token_generator: SMTPTokenGenerator | None = None,
        local_hostname: str | None = None,
        source_address: tuple[str, int] | None = None,
        timeout: float | None = 60,
        use_tls: bool = False,
        start_tls: bool | None = None,
        validate_certs: bool = True,
        client_cert: str | None = None,
        client_key: str | None = None,
        tls_context: ssl.SSLContext | None = None,
        cert_bundle: str | None = None,
        socket_path: str | bytes | os.PathLike[str] | None = None,
        sock: socket.socket | None = None,
    ) -> None:
        self.hostname = hostname
        self.port = port
        self._username = username
        self._password = password
        self._oauth_token_generator = oauth_token_generator
        self.local_hostname = local_hostname
        self.source_address = source_address
        self.timeout = timeout
        self.use_tls = use_tls
        self._start_tls = start_tls
        self.validate_certs = validate_certs
        self.client_cert = client_cert
        self.client_key = client_key
        self.tls_context = tls_context
        self.cert_bundle = cert_bundle
        self.socket_path = socket_path
        self.sock = sock
        self._stream: Stream | None = None
        self._reader = ReplyReader()
        self._machine: ClientConnection | None = None
        self._is_tls = False
        self._command_lock: Lock | None = None
        self._mail_lock: Lock | None = None
        #: The latest reply to HELO.
        self.last_helo_response: SMTPResponse | None = None
        self._ehlo_response: SMTPResponse | None = None
        self._ehlo_octets = b""
        #: What the server offers: the keywords in lower case, and what stands behind them.
        self.esmtp_extensions: dict[str, str] = {}
        #: The SASL mechanisms that the server offers, in lower case.
        self.server_auth_methods: list[str] = []
        #: Whether the server understood EHLO.
        self.supports_esmtp = False
        self._check_options()

    # The connection.

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open, as far as is known."""
        return self._stream is not None and self._stream.is_open

    async def connect(self, **options: Any) -> SMTPResponse:
        """Connects, secures the connection and signs in, as the options say; those given here replace the earlier
        ones. Returns the greeting."""
        timeout = options.pop("timeout", _DEFAULT)
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
            greeting = await self._open(self.timeout if timeout is _DEFAULT else timeout)
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

    async def _open(self, limit: float | None) -> SMTPResponse:
        port = self.port
        if port is None:
            port = 465 if self.use_tls else 587 if self._start_tls else 25
        host = self.hostname or "localhost"
        sock, self.sock = self.sock, None
        path = None if self.socket_path is None else os.fsdecode(self.socket_path)
        try:
            self._stream = await open_stream(
                host, port, 86_400.0 if limit is None else limit, source_address=self.source_address, sock=sock,
                path=path,
            )  # fmt: skip
            self._reader = ReplyReader()
            self._forget_session()
            self._is_tls = False
            if self.use_tls:
                await self._stream.start_tls(self._tls_context(), host, limit)
                self._is_tls = True
        except TimedOutError as error:
            raise SMTPConnectTimeoutError(f"Timed out connecting to {host} on port {port}") from error
        except SansmtpError as error:
            raise SMTPConnectError(f"Error connecting to {host} on port {port}: {error.message}") from error
        try:
            response = await self._read_response(limit)
        except SMTPReadTimeoutError as error:
            raise SMTPConnectTimeoutError("Timed out waiting for server ready message") from error
        if response.code != 220:
            raise SMTPConnectResponseError(response.code, response.message)
        return response

    def close(self) -> None:
        """Closes the connection without a word."""
        stream, self._stream = self._stream, None
        self._machine = None
        self._is_tls = False
        if stream is not None:
            stream.abort()

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

    def get_transport_info(self, key: str) -> Any:
        """What is known about the connection, by the names that asyncio has, such as "peername"."""
        if self._stream is None:
            raise SMTPServerDisconnected("Server not connected")
        return self._stream.info(key)

    def __repr__(self) -> str:
        state = "connected" if self.is_connected else "not connected"
        return f"<SMTP {self.hostname or 'localhost'}, {state}>"

    # Commands.

    async def execute_command(self, *args: bytes, timeout: float | None = _DEFAULT) -> SMTPResponse:
        """Sends a command and returns the reply, whatever it is."""
        line = b" ".join(args)
        if b"\r" in line or b"\n" in line:
            raise ValueError("Command arguments contain prohibited newline characters")
        if self._command_lock is None:
            raise SMTPServerDisconnected("Server not connected")
        async with self._command_lock:
            response = await self._exchange(line + b"\r\n", self._limit(timeout))
        if response.code == 421:
            self.close()
        return response

    async def _command(self, line: str, timeout: float | None, encoding: str = "ascii") -> SMTPResponse:
        return await self.execute_command(line.encode(encoding), timeout=timeout)

    async def _exchange(self, data: bytes, limit: float | None) -> SMTPResponse:
        if self._stream is None or not self._stream.is_open:
            self.close()
            raise SMTPServerDisconnected("Server not connected")
        try:
            await self._stream.send(data, limit)
        except BaseException:
            self.close()
            raise
        return await self._read_response(limit)

    async def _read_response(self, limit: float | None) -> SMTPResponse:
        return SMTPResponse(*(await self._read_reply(limit))[:2])

    async def _read_reply(self, limit: float | None) -> tuple[int, str, bytes]:
        try:
            while (reply := self._reader.next_reply()) is None:
                stream = self._stream
                data = b"" if stream is None else await stream.receive(limit)
                if data is None:
                    raise SMTPReadTimeoutError("Timed out waiting for server response")
                if not data:
                    raise SMTPServerDisconnected("Connection lost")
                self._reader.receive_data(data)
        except SansmtpError as error:
            self.close()
            raise SMTPException(f"Malformed SMTP response: {error.message}") from error
        except BaseException:
            self.close()
            raise
        return reply

    async def helo(self, *, hostname: str | None = None, timeout: float | None = _DEFAULT) -> SMTPResponse:
        """Says HELO."""
        response = await self._command(f"HELO {await self._own_name(hostname)}", timeout)
        self._machine = None
        self.last_helo_response = response
        return _wanted(response, (250,), SMTPHeloError)

    async def ehlo(self, *, hostname: str | None = None, timeout: float | None = _DEFAULT) -> SMTPResponse:
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
        return _wanted(response, (250,), SMTPHeloError)

    async def help(self, *, timeout: float | None = _DEFAULT) -> str:
        """Asks for help and returns the text."""
        await self._ehlo_or_helo_if_needed()
        response = await self._command("HELP", timeout)
        return _wanted(response, (211, 214, 250), SMTPResponseException).message

    async def rset(self, *, timeout: float | None = _DEFAULT) -> SMTPResponse:
        """Resets the session to the point before MAIL."""
        await self._ehlo_or_helo_if_needed()
        return _wanted(await self._command("RSET", timeout), (250,), SMTPResponseException)

    async def noop(self, *, timeout: float | None = _DEFAULT) -> SMTPResponse:
        """Does nothing, and shows that the connection works."""
        await self._ehlo_or_helo_if_needed()
        return _wanted(await self._command("NOOP", timeout), (250,), SMTPResponseException)

    async def vrfy(
        self, address: str, /, *, options: Iterable[str] | None = None, timeout: float | None = _DEFAULT
    ) -> SMTPResponse:
        """Asks whether an address is valid."""
        await self._ehlo_or_helo_if_needed()
        line, encoding = with_options(f"VRFY {bare_address(address)}", options)
        return _wanted(await self._command(line, timeout, encoding), (250, 251, 252), SMTPResponseException)

    async def expn(
        self, address: str, /, *, options: Iterable[str] | None = None, timeout: float | None = _DEFAULT
    ) -> SMTPResponse:
        """Asks who is on a list."""
        await self._ehlo_or_helo_if_needed()
        line, encoding = with_options(f"EXPN {bare_address(address)}", options)
        return _wanted(await self._command(line, timeout, encoding), (250,), SMTPResponseException)

    async def quit(self, *, timeout: float | None = _DEFAULT) -> SMTPResponse:
        """Says goodbye and closes the connection."""
        response = await self._command("QUIT", timeout)
        self.close()
        return _wanted(response, (221,), SMTPResponseException)

    async def mail(
        self,
        sender: str,
        /,
        *,
        options: Iterable[str] | None = None,
        encoding: str = "ascii",
        timeout: float | None = _DEFAULT,
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
        timeout: float | None = _DEFAULT,
    ) -> SMTPResponse:
        """Names a recipient."""
        await self._ehlo_or_helo_if_needed()
        line = " ".join([f"RCPT TO:<{bare_address(recipient)}>", *(options or ())])
        response = await self._command(line, timeout, encoding)
        if response.code not in (250, 251):
            raise SMTPRecipientRefused(response.code, response.message, recipient)
        return response

    async def data(self, message: str | Buffer, /, *, timeout: float | None = _DEFAULT) -> SMTPResponse:
        """Sends the content."""
        octets = as_octets(message)
        response = await self._command("DATA", timeout)
        if response.code != 354:
            raise SMTPDataError(response.code, response.message)
        if self._command_lock is None:
            raise SMTPServerDisconnected("Server not connected")
        async with self._command_lock:
            response = await self._exchange(encode_content(octets), self._limit(timeout))
        return _wanted(response, (250,), SMTPDataError)

    # The session.

    @property
    def last_ehlo_response(self) -> SMTPResponse | None:
        """The latest reply to EHLO."""
        return self._ehlo_response

    @property
    def is_ehlo_or_helo_needed(self) -> bool:
        """Whether neither EHLO nor HELO was said so far."""
        return self._ehlo_response is None and self.last_helo_response is None

    @property
    def supported_auth_methods(self) -> list[str]:
        """The mechanisms that the server offers and that are here too, best first."""
        return [method for method in self.AUTH_METHODS if method in self.server_auth_methods]

    def supports_extension(self, extension: str, /) -> bool:
        """Whether the server offers an extension."""
        return extension.lower() in self.esmtp_extensions

    async def starttls(
        self,
        *,
        server_hostname: str | None = None,
        validate_certs: bool | None = None,
        client_cert: str | None = _DEFAULT,
        client_key: str | None = _DEFAULT,
        cert_bundle: str | None = _DEFAULT,
        tls_context: ssl.SSLContext | None = _DEFAULT,
        timeout: float | None = _DEFAULT,
    ) -> SMTPResponse:
        """Secures the connection with TLS and checks the server's certificate."""
        for name, value in (
            ("client_cert", client_cert),
            ("client_key", client_key),
            ("cert_bundle", cert_bundle),
            ("tls_context", tls_context),
        ):
            if value is not _DEFAULT:
                setattr(self, name, value)
        if validate_certs is not None:
            self.validate_certs = validate_certs
        self._check_options()
        if self._is_tls:
            raise SMTPException("Connection already using TLS")
        await self._ehlo_or_helo_if_needed()
        if not self.supports_extension("starttls"):
            raise SMTPNotSupported("SMTP STARTTLS extension not supported by server.")
        context = self._tls_context()
        response = _wanted(await self._command("STARTTLS", timeout), (220,), SMTPResponseException)
        stream = self._stream
        if stream is None:
            raise SMTPServerDisconnected("Server not connected")
        if self._reader.has_rest or stream.take():
            self.close()
            raise SMTPException("The server sent plain text after it had agreed on TLS")
        host = server_hostname or self.hostname or "localhost"
        try:
            await stream.start_tls(context, host, self._limit(timeout))
        except BaseException as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise SMTPTimeoutError("Timed out in the TLS handshake") from error
            if isinstance(error, TlsError):
                raise SMTPConnectError(error.message) from error
            raise
        self._is_tls = True
        self._forget_session()
        return response

    # Signing in.

    async def login(
        self, username: str | bytes, password: str | bytes, /, *, timeout: float | None = _DEFAULT
    ) -> SMTPResponse:
        """Signs in with the strongest mechanism that the server offers."""
        return await self._authenticate(username, timeout, None, password=as_text(password))

    async def auth_crammd5(
        self, username: str | bytes, password: str | bytes, /, *, timeout: float | None = _DEFAULT
    ) -> SMTPResponse:
        """Signs in with CRAM-MD5."""
        return await self._authenticate(username, timeout, "CRAM-MD5", password=as_text(password))

    async def auth_plain(
        self, username: str | bytes, password: str | bytes, /, *, timeout: float | None = _DEFAULT
    ) -> SMTPResponse:
        """Signs in with PLAIN."""
        return await self._authenticate(username, timeout, "PLAIN", password=as_text(password))

    async def auth_login(
        self, username: str | bytes, password: str | bytes, /, *, timeout: float | None = _DEFAULT
    ) -> SMTPResponse:
        """Signs in with LOGIN."""
        return await self._authenticate(username, timeout, "LOGIN", password=as_text(password))

    async def auth_xoauth2(
        self, username: str | bytes, access_token: str | bytes, /, *, timeout: float | None = _DEFAULT
    ) -> SMTPResponse:
        """Signs in with XOAUTH2."""
        return await self._authenticate(username, timeout, "XOAUTH2", oauth2_token=as_text(access_token))

    async def _sign_in(self) -> None:
        assert self._username is not None
        if self._oauth_token_generator is not None:
            await self.auth_xoauth2(self._username, await self._oauth_token_generator())
        elif self._password is not None:
            await self.login(self._username, self._password)

    async def _authenticate(
        self,
        username: str | bytes,
        timeout: float | None,
        mechanism: str | None,
        *,
        password: str | None = None,
        oauth2_token: str | None = None,
    ) -> SMTPResponse:
        await self._ehlo_or_helo_if_needed()
        if not self.supports_extension("auth"):
            raise SMTPNotSupported("The SMTP AUTH extension is not supported by this server.")
        mechanisms = [mechanism] if mechanism else None
        if mechanism is None and not any(
            method in self.server_auth_methods for method in self.AUTH_METHODS if method != "cram-md5"
        ):
            mechanisms = ["CRAM-MD5"]
        machine = self._shown(
            timeout, user=as_text(username), password=password, oauth2_token=oauth2_token, mechanisms=mechanisms
        )
        assert self._command_lock is not None
        async with self._command_lock:
            await self._drive(machine, Ready)
        return SMTPResponse(235, "Authentication succeeded")

    # Mail.

    async def sendmail(
        self,
        sender: str,
        recipients: str | Sequence[str],
        message: str | Buffer,
        /,
        *,
        mail_options: Iterable[str] | None = None,
        rcpt_options: Iterable[str] | None = None,
        timeout: float | None = _DEFAULT,
    ) -> tuple[dict[str, SMTPResponse], str]:
        """Sends a mail. Returns the recipients that were refused, with the replies, and the server's final word;
        raises if nobody gets it."""
        names = [recipients] if isinstance(recipients, str) else list(recipients)
        octets = as_octets(message)
        # A bad address must not leave half an envelope on the server.
        reverse_path, forward_paths = bare_address(sender), [bare_address(name) for name in names]
        options = envelope_options(list(mail_options or ()), list(rcpt_options or ()))
        envelope = Envelope(reverse_path, forward_paths, size=len(octets), **(options or {}))
        if self._mail_lock is None:
            raise SMTPServerDisconnected("Server not connected")
        async with self._mail_lock:
            await self._ehlo_or_helo_if_needed()
            if options is None:
                return await self._sendmail_in_steps(
                    sender, names, octets, list(mail_options or ()), list(rcpt_options or ()), timeout
                )
            return await self._transact(envelope, names, sender, octets, timeout)

    async def _transact(
        self, envelope: Envelope, names: list[str], sender: str, octets: bytes, timeout: float | None
    ) -> tuple[dict[str, SMTPResponse], str]:
        # The machine has its time limits from the beginning.
        if self._machine is None or timeout is not _DEFAULT:
            self._machine = self._shown(timeout)
        machine = self._machine
        assert self._command_lock is not None
        async with self._command_lock:
            try:
                machine.submit(envelope, octets)
            except UnsupportedError as error:
                raise SMTPNotSupported(error.message) from error
            except SansmtpError as error:
                self._fail(error)
            event = await self._drive(machine, (Delivered, NotDelivered))
        result = machine.result()
        if timeout is not _DEFAULT:
            self._machine = None
        refused = {
            name: _response(recipient.reply)
            for name, recipient in zip(names, result.recipients, strict=True)
            if recipient.status == "refused" and recipient.reply is not None
        }
        if isinstance(event, NotDelivered):
            self._not_delivered(event, result, refused, sender)
        return refused, _response(event.reply).message

    def _not_delivered(
        self, event: NotDelivered, result: SendResult, refused: dict[str, SMTPResponse], sender: str
    ) -> NoReturn:
        reply = event.reply or next((one.reply for one in result.recipients if one.reply is not None), None)
        code, text = (554, "") if reply is None else _response(reply)
        if code == 421:
            self.close()
        if event.stage == "mail":
            raise SMTPSenderRefused(code, text, sender)
        if event.stage == "rcpt":
            raise SMTPRecipientsRefused([SMTPRecipientRefused(*answer, name) for name, answer in refused.items()])
        raise SMTPDataError(code, text)

    async def _sendmail_in_steps(
        self,
        sender: str,
        recipients: list[str],
        octets: bytes,
        mail_options: list[str],
        rcpt_options: list[str],
        timeout: float | None,
    ) -> tuple[dict[str, SMTPResponse], str]:
        """One command after the other: for options that the core does not know."""
        utf8 = any(option.lower() == "smtputf8" for option in mail_options)
        if utf8 and not self.supports_extension("smtputf8"):
            raise SMTPNotSupported("SMTPUTF8 is not supported by this server")
        encoding = "utf-8" if utf8 else "ascii"
        if self.supports_extension("size"):
            mail_options.insert(0, f"size={len(octets)}")
        try:
            await self.mail(sender, options=mail_options, encoding=encoding, timeout=timeout)
            failed: list[SMTPRecipientRefused] = []
            for recipient in recipients:
                try:
                    await self.rcpt(recipient, options=rcpt_options, encoding=encoding, timeout=timeout)
                except SMTPRecipientRefused as error:
                    failed.append(error)
            if len(failed) == len(recipients):
                raise SMTPRecipientsRefused(failed)
            response = await self.data(octets, timeout=timeout)
        except (SMTPResponseException, SMTPRecipientsRefused):
            if self.is_connected:
                await self._command("RSET", timeout)
            raise
        return {error.recipient: SMTPResponse(error.code, error.message) for error in failed}, response.message

    async def send_message(
        self,
        message: EmailMessage | Message,
        /,
        *,
        sender: str | None = None,
        recipients: str | Sequence[str] | None = None,
        mail_options: Iterable[str] | None = None,
        rcpt_options: Iterable[str] | None = None,
        timeout: float | None = _DEFAULT,
    ) -> tuple[dict[str, SMTPResponse], str]:
        """Sends a message object; the envelope comes from its header unless it is given."""
        if sender is None or recipients is None:
            try:
                author, mailboxes = addresses_of(message)
            except EnvelopeError as error:
                if sender is None:
                    raise ValueError(error.message) from error
                author, mailboxes = sender, []
            sender = author if sender is None else sender
            recipients = mailboxes if recipients is None else recipients
        names = [recipients] if isinstance(recipients, str) else list(recipients)
        if not names:
            raise ValueError("No recipient headers provided in message")
        await self._ehlo_or_helo_if_needed()
        options = list(mail_options or ())
        lower = [option.lower() for option in options]
        utf8 = not all(name.isascii() for name in (sender, *names))
        if utf8:
            if not self.supports_extension("smtputf8"):
                raise SMTPNotSupported(
                    "An address containing non-ASCII characters was provided, but SMTPUTF8 is not supported by this"
                    " server"
                )
            if "smtputf8" not in lower:
                options.append("SMTPUTF8")
        eight_bit = self.supports_extension("8bitmime")
        if eight_bit and not any(option.startswith("body=") for option in lower):
            options.append("BODY=8BITMIME")
        policy: Policy = message.policy.clone(linesep="\r\n", cte_type="8bit" if eight_bit else "7bit")
        if utf8 and isinstance(policy, EmailPolicy):
            policy = policy.clone(utf8=True)
        flat = io.BytesIO()
        BytesGenerator(flat, mangle_from_=False, policy=policy).flatten(without_bcc_fields(message))
        return await self.sendmail(
            sender, names, flat.getvalue(), mail_options=options, rcpt_options=rcpt_options, timeout=timeout
        )

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

    # Within.

    async def _ehlo_or_helo_if_needed(self) -> None:
        if not self.is_ehlo_or_helo_needed:
            return
        try:
            await self.ehlo()
        except SMTPHeloError:
            if not self.is_connected:
                raise
            await self.helo()

    def _forget_session(self) -> None:
        self.last_helo_response = None
        self._ehlo_response = None
        self._ehlo_octets = b""
        self.esmtp_extensions = {}
        self.server_auth_methods = []
        self.supports_esmtp = False
        self._machine = None

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

    def _shown(self, timeout: float | None, **login: Any) -> ClientConnection:
        """A machine that is shown what was said so far, and goes on from there."""
        host = self.hostname or "localhost"
        limit = self._limit(timeout)
        config = Config(
            host if re.fullmatch(r"[A-Za-z0-9.-]+", host) else "localhost",
            security="implicit-tls" if self._is_tls else "danger-plaintext",
            timeout=86_400.0 if limit is None else limit,
            danger_plaintext_auth=True,
            **login,
        )
        machine = ClientConnection(config)
        try:
            if self._is_tls:
                machine.tls_established()
            machine.receive_data(b"220 .\r\n")
            machine.next_event()
            machine.data_to_send()
            # HELO is answered as by a server that offers nothing.
            machine.receive_data(self._ehlo_octets or b"250 .\r\n")
            while not machine.is_ready and machine.next_event() is not None:
                pass
        except SansmtpError as error:
            self._fail(error)
        while machine.is_ready and machine.next_event() is not None:
            pass
        return machine

    async def _drive(self, machine: ClientConnection, until: Any) -> Any:
        """Reads and writes until the machine says what is waited for."""
        if self._stream is None or not self._stream.is_open:
            self.close()
            raise SMTPServerDisconnected("Server not connected")
        link = AsyncLink(machine, self._stream)
        try:
            while True:
                event = await link.next_event()
                if isinstance(event, until):
                    return event
                if event is None:
                    raise SMTPServerDisconnected("Connection lost")
        except SansmtpError as error:
            self._fail(error)
        except BaseException:
            self.close()
            raise

    def _fail(self, error: SansmtpError) -> NoReturn:
        """Raises the exception that this module has for an error of the core."""
        refused = isinstance(error, (AuthenticationError, UnsupportedError)) and error.code != 421
        if not refused:
            self.close()
        text = error.text or error.message
        if error.enhanced_code:
            text = f"{error.enhanced_code} {text}"
        if error.outcome_unknown:
            raise SMTPUnknownOutcome(error.message) from error
        if isinstance(error, AuthenticationError):
            raise SMTPAuthenticationError(error.code or 535, text) from error
        if isinstance(error, RefusedError):
            raise SMTPResponseException(error.code or 554, text) from error
        if isinstance(error, UnsupportedError):
            raise SMTPNotSupported(error.message) from error
        if isinstance(error, TimedOutError):
            raise SMTPReadTimeoutError("Timed out waiting for server response") from error
        if isinstance(error, ConnectionLostError):
            raise SMTPServerDisconnected(error.message) from error
        raise SMTPException(error.message) from error

    def _limit(self, timeout: float | None) -> float | None:
        return self.timeout if timeout is _DEFAULT else timeout

    async def _own_name(self, hostname: str | None) -> str:
        if hostname is not None:
            return hostname
        if self.local_hostname is None:
            # It may ask a name server.
            self.local_hostname = await in_thread(socket.getfqdn)
        return self.local_hostname

    def _tls_context(self) -> ssl.SSLContext:
        if self.tls_context is not None:
            return self.tls_context
        context = ssl.create_default_context(cafile=self.cert_bundle)
        if not self.validate_certs:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.client_cert is not None:
            context.load_cert_chain(self.client_cert, keyfile=self.client_key)
        return context

    def _check_options(self) -> None:
        if self._password is not None and self._oauth_token_generator is not None:
            raise ValueError("password and oauth_token_generator are mutually exclusive")
        if self._start_tls and self.use_tls:
            raise ValueError("The start_tls and use_tls options are not compatible.")
        if self.tls_context is not None and self.client_cert is not None:
            raise ValueError("Either a TLS context or a certificate/key must be provided")
        if self.sock is not None and self.socket_path is not None:
            raise ValueError("Either a socket or a socket path must be provided, not both")
        if (self.sock is not None or self.socket_path is not None) and self.port is not None:
            raise ValueError("If using a socket, port is not required")
        for name in ("hostname", "local_hostname"):
            value = getattr(self, name)
            if value is not None and ("\r" in value or "\n" in value):
                raise ValueError(f"The {name} param contains prohibited newline characters")


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


def _wanted(response: SMTPResponse, codes: tuple[int, ...], error: type[SMTPResponseException]) -> SMTPResponse:
    if response.code not in codes:
        raise error(response.code, response.message)
    return response


def _response(reply: Reply) -> SMTPResponse:
    text = reply.text if reply.enhanced_code is None else f"{reply.enhanced_code} {reply.text}"
    return SMTPResponse(reply.code, text)


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
