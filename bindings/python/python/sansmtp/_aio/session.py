"""STARTTLS and AUTH for :mod:`sansmtp.aio`, and the machine that goes on from what was said."""

from __future__ import annotations

import re
import ssl
from typing import Any, NoReturn

from sansmtp._aio.commands import Commands
from sansmtp._aio.connection import DEFAULT
from sansmtp._aio.errors import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPNotSupported,
    SMTPReadTimeoutError,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
    SMTPUnknownOutcome,
)
from sansmtp._aio.response import SMTPResponse, wanted
from sansmtp._aio.words import text as as_text
from sansmtp._async_link import AsyncLink
from sansmtp._core import ClientConnection, Config
from sansmtp.exceptions import (
    AuthenticationError,
    ConnectionLostError,
    RefusedError,
    SansmtpError,
    TimedOutError,
    TlsError,
    UnsupportedError,
)
from sansmtp.sansio import Ready


class Session(Commands):
    """A connection that can be secured and signed in."""

    #: The mechanisms of :meth:`login`, best first.
    AUTH_METHODS = ("scram-sha-256", "scram-sha-1", "cram-md5", "plain", "login")

    @property
    def supported_auth_methods(self) -> list[str]:
        """The mechanisms that the server offers and that are here too, best first."""
        return [method for method in self.AUTH_METHODS if method in self.server_auth_methods]

    async def starttls(
        self,
        *,
        server_hostname: str | None = None,
        validate_certs: bool | None = None,
        client_cert: str | None = DEFAULT,
        client_key: str | None = DEFAULT,
        cert_bundle: str | None = DEFAULT,
        tls_context: ssl.SSLContext | None = DEFAULT,
        timeout: float | None = DEFAULT,
    ) -> SMTPResponse:
        """Secures the connection with TLS and checks the server's certificate."""
        for name, value in (
            ("client_cert", client_cert),
            ("client_key", client_key),
            ("cert_bundle", cert_bundle),
            ("tls_context", tls_context),
        ):
            if value is not DEFAULT:
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
        response = wanted(await self._command("STARTTLS", timeout), (220,), SMTPResponseException)
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
        self, username: str | bytes, password: str | bytes, /, *, timeout: float | None = DEFAULT
    ) -> SMTPResponse:
        """Signs in with the strongest mechanism that the server offers."""
        return await self._authenticate(username, timeout, None, password=as_text(password))

    async def auth_crammd5(
        self, username: str | bytes, password: str | bytes, /, *, timeout: float | None = DEFAULT
    ) -> SMTPResponse:
        """Signs in with CRAM-MD5."""
        return await self._authenticate(username, timeout, "CRAM-MD5", password=as_text(password))

    async def auth_plain(
        self, username: str | bytes, password: str | bytes, /, *, timeout: float | None = DEFAULT
    ) -> SMTPResponse:
        """Signs in with PLAIN."""
        return await self._authenticate(username, timeout, "PLAIN", password=as_text(password))

    async def auth_login(
        self, username: str | bytes, password: str | bytes, /, *, timeout: float | None = DEFAULT
    ) -> SMTPResponse:
        """Signs in with LOGIN."""
        return await self._authenticate(username, timeout, "LOGIN", password=as_text(password))

    async def auth_xoauth2(
        self, username: str | bytes, access_token: str | bytes, /, *, timeout: float | None = DEFAULT
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

    # The machine.

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
