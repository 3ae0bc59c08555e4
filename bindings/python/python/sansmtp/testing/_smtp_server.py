"""The server for tests, in a thread of its own, so that blocking and asynchronous code can talk to it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

import sansmtp
from sansmtp._core import Config, MailRequest, RecipientRequest, Reply, ServerConfig
from sansmtp._names import Security
from sansmtp.exceptions import ConfigError
from sansmtp.server import Mail, Server, Session, Verdict
from sansmtp.testing._certificates import Authority
from sansmtp.testing._mail import ReceivedMail
from sansmtp.testing._profiles import PROFILES, Profile
from sansmtp.testing._script import Rule, Script, Step


class SmtpServer:
    """A mail server on a free port of the loopback interface. It takes every mail, keeps it in :attr:`mails`, and
    fails where :meth:`refuse`, :meth:`delay` and :meth:`drop` say so.

    ``security`` is "danger-plaintext" (no TLS), "starttls" or "implicit-tls". ``user`` and ``password`` are what a
    client can sign in with; with ``require_auth`` it has to. ``profile`` is the name of a provider, such as "gmail",
    whose server this one sounds like; a provider wants TLS and a sign-in.
    """

    def __init__(
        self,
        *,
        security: Security | None = None,
        user: str | None = None,
        password: str | None = None,
        token: str | None = None,
        require_auth: bool | None = None,
        profile: str | Profile | None = None,
        hostname: str | None = None,
        max_size: int | None = None,
        extensions: list[str] | None = None,
        mechanisms: list[str] | None = None,
        authority: Authority | None = None,
    ) -> None:
        known = _profile(profile)
        self.profile = known
        if known is not None:
            security = security or "starttls"
            user, password = user or "user@example.org", password or "app-password"
            hostname, max_size = hostname or known.hostname, max_size or known.max_size
            extensions = list(known.extensions) if extensions is None else extensions
            mechanisms = list(known.mechanisms) if mechanisms is None else mechanisms
            require_auth = True if require_auth is None else require_auth
        self.security: Security = security or "danger-plaintext"
        self.user = user
        self.password = password
        self.token = token
        if mechanisms is None and user is not None:
            mechanisms = ["SCRAM-SHA-256", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"]
        #: The mails that were taken.
        self.mails: list[ReceivedMail] = []
        #: How many clients connected.
        self.connections = 0
        self._script = Script()
        self._arrived = threading.Condition()
        self._own_authority = authority is None and self.security != "danger-plaintext"
        self._authority = Authority() if self._own_authority else authority
        context = None
        if self.security != "danger-plaintext" and self._authority is not None:
            context = self._authority.server_context()
        self._config = ServerConfig(
            hostname or "localhost",
            security=self.security,
            max_size=26_214_400 if max_size is None else max_size,
            extensions=extensions or [
                "PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN",
            ],
            mechanisms=mechanisms or [],
            require_auth=bool(require_auth),
            danger_plaintext_auth=self.security == "danger-plaintext",
        )  # fmt: skip
        self._server = Server(_Collector(self), self._config, ssl_context=context)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None

    # Where it is.

    @property
    def host(self) -> str:
        """The name to connect to; the certificate is for it."""
        return "localhost" if self.security != "danger-plaintext" else "127.0.0.1"

    @property
    def port(self) -> int:
        """The port to connect to."""
        return self._server.port

    @property
    def url(self) -> str:
        """The server as a URL for :func:`sansmtp.from_url`, without user and password."""
        scheme = {"implicit-tls": "smtps", "starttls": "smtp", "danger-plaintext": "smtp+danger-plaintext"}
        return f"{scheme[self.security]}://{self.host}:{self.port}"

    @property
    def config(self) -> Config:
        """The configuration for a client, with user and password if there are any."""
        return Config(
            self.host,
            security=self.security,
            port=self.port,
            user=self.user,
            password=self.password,
            timeout=20,
            danger_plaintext_auth=self.security == "danger-plaintext",
        )

    @property
    def authority(self) -> Authority:
        """Who made the server's certificate."""
        if self._authority is None:
            raise ConfigError("a server without TLS has no certificate", actor="program")
        return self._authority

    def mailer(self) -> sansmtp.Mailer:
        """A mailer for this server, which trusts its certificate."""
        return sansmtp.Mailer(self.config, ssl_context=self._client_context())

    def async_mailer(self) -> sansmtp.AsyncMailer:
        """A mailer for asyncio or trio, which trusts the certificate."""
        return sansmtp.AsyncMailer(self.config, ssl_context=self._client_context())

    def _client_context(self) -> Any:
        return None if self.security == "danger-plaintext" else self.authority.client_context()

    # What it does.

    def refuse(
        self,
        step: Step,
        reply: Reply | int = 550,
        text: str = "Refused by the test",
        *,
        enhanced_code: str | None = None,
        address: str | None = None,
        times: int | None = None,
    ) -> Rule:
        """Says no at a step, with a code and a text or a whole reply such as ``server.profile.rate_limited``: always,
        or so many times; at "mail" and "rcpt" perhaps for one address only."""
        if isinstance(reply, int):
            reply = Reply(reply, text, enhanced_code=enhanced_code)
        return self._script.add(Rule(step, reply=reply, address=address, times=times))

    def delay(self, step: Step, seconds: float, *, address: str | None = None, times: int | None = None) -> Rule:
        """Waits before it goes on at a step."""
        return self._script.add(Rule(step, delay=seconds, address=address, times=times))

    def drop(self, step: Step, *, address: str | None = None, times: int | None = None) -> Rule:
        """Closes the connection without a word at a step. At "verdict" the client can not know what became of the
        message."""
        return self._script.add(Rule(step, drop=True, address=address, times=times))

    def reset(self) -> None:
        """Forgets all mails and all that was said about failures."""
        self._script.clear()
        self.mails.clear()

    def wait_for(self, count: int, timeout: float = 10.0) -> list[ReceivedMail]:
        """Waits until so many mails are there and returns all; TimeoutError if they do not come."""
        deadline = time.monotonic() + timeout
        with self._arrived:
            while len(self.mails) < count:
                if not self._arrived.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"{len(self.mails)} mails came, not {count}")
        return self.mails

    # Its life.

    def start(self) -> None:
        """Starts the thread and returns when clients can connect."""
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._serve, args=(started,), name="smtp-server", daemon=True)
        self._thread.start()
        started.result(20)

    def close(self) -> None:
        """Closes all connections and ends the thread."""
        thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._tell_to_stop)
            thread.join(20)
        if self._own_authority and self._authority is not None:
            self._authority.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SmtpServer {self.url}, {len(self.mails)} mails>"

    def _tell_to_stop(self) -> None:
        if self._stop is not None:
            self._stop.set()

    def _serve(self, started: Future[None]) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            stop = self._stop = asyncio.Event()
            try:
                await self._server.start()
            except BaseException as error:
                started.set_exception(error)
                raise
            started.set_result(None)
            await stop.wait()
            await self._server.close(grace=0.2)

        asyncio.run(main())

    def _take(self, mail: ReceivedMail) -> None:
        with self._arrived:
            self.mails.append(mail)
            self._arrived.notify_all()


class _Collector:
    """The handler of the server: asks the script, then takes everything."""

    def __init__(self, owner: SmtpServer) -> None:
        self._owner = owner

    def connect(self, session: Session) -> Verdict | Awaitable[Verdict]:
        self._owner.connections += 1
        profile = self._owner.profile
        return self._at("greeting", session, None if profile is None else profile.greeting)

    def hello(self, session: Session) -> Awaitable[None] | None:
        delay, drop, _ = self._owner._script.at("hello")
        return _do(session, delay, drop)

    def starttls(self, session: Session) -> Awaitable[None] | None:
        delay, drop, _ = self._owner._script.at("starttls")
        return _do(session, delay, drop)

    def password(self, session: Session, user: str) -> Any:
        owner = self._owner
        delay, drop, reply = owner._script.at("auth")
        known: Any = reply or (owner.password if user == owner.user else None)
        return _later(session, delay, drop, known) if delay or drop else known

    def auth(self, session: Session, user: str, password: str) -> Verdict | Awaitable[Verdict]:
        owner = self._owner
        right = user == owner.user and password == owner.password
        verdict: Verdict = right
        if owner.profile is not None and not right:
            verdict = owner.profile.bad_password
        return self._at("auth", session, verdict)

    def bearer(self, session: Session, user: str, token: str) -> Verdict | Awaitable[Verdict]:
        owner = self._owner
        right = owner.token is not None and token == owner.token and user in ("", owner.user)
        verdict: Verdict = right
        if owner.profile is not None and not right:
            verdict = owner.profile.bad_password
        return self._at("auth", session, verdict)

    def sender(self, session: Session, address: str, request: MailRequest) -> Verdict | Awaitable[Verdict]:
        return self._at("mail", session, None, address)

    def recipient(self, session: Session, address: str, request: RecipientRequest) -> Verdict | Awaitable[Verdict]:
        return self._at("rcpt", session, None, address)

    def data(self, session: Session, mail: Mail) -> Verdict | Awaitable[Verdict]:
        session.data.pop("content", None)
        return self._at("data", session, None)

    def content(self, session: Session, mail: Mail, data: bytes) -> Awaitable[None] | None:
        kept: list[bytes] = session.data.setdefault("content", [])
        kept.append(data)
        if len(kept) > 1:
            return None
        delay, drop, _ = self._owner._script.at("content")
        return _do(session, delay, drop)

    def message(self, session: Session, mail: Mail) -> Verdict | Awaitable[Verdict]:
        delay, drop, reply = self._owner._script.at("verdict")
        profile = self._owner.profile
        if not drop and reply is None:
            self._owner._take(
                ReceivedMail(
                    sender=mail.sender,
                    recipients=[recipient.address for recipient in mail.recipients],
                    content=b"".join(session.data.pop("content", ())),
                    is_tls=session.tls is not None,
                    user=session.user,
                    hello=session.hello,
                    mail_request=mail.request,
                    recipient_requests=[recipient.request for recipient in mail.recipients],
                )
            )
        verdict = reply or (None if profile is None else profile.taken)
        return _later(session, delay, drop, verdict) if delay or drop else verdict

    def _at(
        self, step: Step, session: Session, usual: Verdict, address: str | None = None
    ) -> Verdict | Awaitable[Verdict]:
        delay, drop, reply = self._owner._script.at(step, address)
        verdict = usual if reply is None else reply
        return _later(session, delay, drop, verdict) if delay or drop else verdict


async def _later(session: Session, delay: float, drop: bool, verdict: Any) -> Any:
    await asyncio.sleep(delay)
    if drop:
        session.drop()
    return verdict


def _do(session: Session, delay: float, drop: bool) -> Awaitable[None] | None:
    return _later(session, delay, drop, None) if delay or drop else None


def _profile(profile: str | Profile | None) -> Profile | None:
    if profile is None or isinstance(profile, Profile):
        return profile
    known = PROFILES.get(profile)
    if known is None:
        raise ConfigError(
            f"there is no profile {profile!r}", actor="program", next_step=f"choose from {', '.join(PROFILES)}"
        )
    return known
