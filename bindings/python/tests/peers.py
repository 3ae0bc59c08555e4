"""A server of another maker that runs in the test's own process."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER = "user"
PASSWORD = "s3cret-pw"


@dataclass(frozen=True)
class Mail:
    """A mail that the server took."""

    sender: str
    recipients: list[str]
    content: bytes
    is_tls: bool
    user: str | None


class _Handler:
    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("no"):
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        login: bytes | None = session.auth_data
        user = login.decode() if session.authenticated and login else None
        self.mails.append(
            Mail(envelope.mail_from or "", list(envelope.rcpt_tos), content, session.ssl is not None, user)
        )
        return "250 2.0.0 Taken"


class AiosmtpdServer:
    """aiosmtpd on a free port of the loopback interface."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, require_auth: bool = False) -> None:
        self._handler = _Handler()
        options: dict[str, Any] = {"data_size_limit": 10_000_000, "enable_SMTPUTF8": True}
        if tls is not None:
            options |= {"tls_context": tls, "require_starttls": True}
        if require_auth:
            options |= {"auth_required": True, "authenticator": _authenticate}
        self._controller = _Controller(self._handler, hostname="127.0.0.1", port=0, **options)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._controller.actual_port

    @property
    def mails(self) -> list[Mail]:
        """What it took."""
        return self._handler.mails

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()


class _Controller(Controller):
    """Port 0 is only known when the server runs; the start-up check asks for it then."""

    actual_port = 0

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = self.actual_port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: LoginPassword
) -> AuthResult:
    good = isinstance(login, LoginPassword) and login.login == USER.encode() and login.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False, auth_data=login.login if good else None)
