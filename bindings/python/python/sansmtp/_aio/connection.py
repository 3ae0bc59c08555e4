"""The connection of :mod:`sansmtp.aio`: how it is made, a command over it, and how it ends."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from sansmtp._aio.errors import (
    SMTPConnectError,
    SMTPConnectResponseError,
    SMTPConnectTimeoutError,
    SMTPException,
    SMTPReadTimeoutError,
    SMTPServerDisconnected,
)
from sansmtp._aio.response import SMTPResponse
from sansmtp._async_stream import Lock, Stream, open_stream
from sansmtp._core import ClientConnection, ReplyReader
from sansmtp.exceptions import (
    SansmtpError,
    TimedOutError,
)

#: Returns an OAuth2 access token.
SMTPTokenGenerator: TypeAlias = Callable[[], Awaitable[str]]

#: Stands for the value that the object was made with.
DEFAULT: Any = object()


class Connection:
    """What is known about a connection, and the way to it."""

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

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open, as far as is known."""
        return self._stream is not None and self._stream.is_open

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

    def get_transport_info(self, key: str) -> Any:
        """What is known about the connection, by the names that asyncio has, such as "peername"."""
        if self._stream is None:
            raise SMTPServerDisconnected("Server not connected")
        return self._stream.info(key)

    # Commands.

    async def execute_command(self, *args: bytes, timeout: float | None = DEFAULT) -> SMTPResponse:
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

    # Within.

    def _forget_session(self) -> None:
        self.last_helo_response = None
        self._ehlo_response = None
        self._ehlo_octets = b""
        self.esmtp_extensions = {}
        self.server_auth_methods = []
        self.supports_esmtp = False
        self._machine = None

    def _limit(self, timeout: float | None) -> float | None:
        return self.timeout if timeout is DEFAULT else timeout

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
