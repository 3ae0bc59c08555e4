"""A mail server for asyncio: the core speaks SMTP, a handler object of yours decides.

::

    class Handler:
        def recipient(self, session, address, request):
            return None if address.endswith("@example.org") else Reply(550, "No such user", enhanced_code="5.1.1")

        async def message(self, session, mail):
            await store(mail.content)

    async with Server(Handler(), port=2525) as server:
        await server.serve_forever()

A handler has any of the methods of :class:`Handler`, as plain functions or as ``async`` ones. While one runs the
client waits, and the other clients do not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias, cast

from sansmtp._core import (
    AuthenticateRequest,
    AuthorizeRequest,
    BearerRequest,
    ConnectRequest,
    Content,
    DataRequest,
    ExpandRequest,
    Hello,
    HelpRequest,
    MailRequest,
    MessageRequest,
    PasswordRequest,
    RecipientRequest,
    Reply,
    Reset,
    ServerConfig,
    ServerConnection,
    StartTls,
    VerifyRequest,
)
from sansmtp.exceptions import ConfigError, MisuseError, SansmtpError

_log = logging.getLogger("sansmtp.server")

#: What a method of a handler returns: nothing or True says yes in the usual words, False says no, a reply says either.
Verdict: TypeAlias = "Reply | bool | None"

#: The reply for a handler that raised something.
_BROKEN = Reply(451, "Local error in processing, try again later", enhanced_code="4.3.0")
_CREDENTIALS = Reply(535, "Authentication credentials invalid", enhanced_code="5.7.8")
_REFUSED = Reply(550, "Refused", enhanced_code="5.7.1")
_TOO_MANY = Reply(421, "Too many connections, try again later", enhanced_code="4.7.0")
#: The most octets of one read.
_READ = 64 * 1024
#: How much of what a client sends waits while a handler is busy, in octets.
_READ_AHEAD = 64 * 1024


@dataclass(frozen=True)
class Recipient:
    """Somebody whom a message is for, and what the client wants to know about it."""

    #: The address.
    address: str
    #: The parameters of RCPT.
    request: RecipientRequest


@dataclass
class Mail:
    """A message on its way in: the envelope, and the content once it is complete."""

    #: Whom failures are reported to; empty for nobody.
    sender: str
    #: The parameters of MAIL.
    request: MailRequest
    #: Whom it is for: those whom the handler took.
    recipients: list[Recipient] = field(default_factory=list)
    #: The message, with CR LF line ends.
    content: bytes = field(default=b"", repr=False)


class Session:
    """A connection of a client, for handlers."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        #: Where the client is.
        self.peer: Any = transport.get_extra_info("peername")
        #: What the client called itself in EHLO or HELO. Nothing is proven by it.
        self.hello = ""
        #: Whether it said EHLO.
        self.extended = False
        #: Who the client has proven to be.
        self.user: str | None = None
        #: How many messages were taken.
        self.messages = 0
        #: For the handler's own use.
        self.data: dict[str, Any] = {}

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS connection, if there is one."""
        found: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        return found

    def drop(self) -> None:
        """Closes the connection without a word."""
        self._transport.abort()

    def __repr__(self) -> str:
        return f"<Session of {self.peer}, {self.hello or 'no hello yet'}{', TLS' if self.tls else ''}>"


class Handler:
    """All that a handler may have, and what happens where it has not: a class to inherit from, or just to read.

    By default everybody is greeted, nobody can authenticate, every sender and recipient and message is taken.
    """

    def connect(self, session: Session) -> Verdict | Awaitable[Verdict]:
        """A client connected. Refuse with 554, or with 421 to close at once."""
        return None

    def hello(self, session: Session) -> Awaitable[None] | None:
        """A client said EHLO or HELO; its name is in ``session.hello``."""
        return None

    def password(self, session: Session, user: str) -> str | Awaitable[str | None] | None:
        """The password of a user, None if there is no such user. With it, the server checks PLAIN, LOGIN and SCRAM."""
        return None

    def auth(self, session: Session, user: str, password: str) -> Verdict | Awaitable[Verdict]:
        """Checks user and password by itself, for PLAIN and LOGIN; where it is there, ``password`` serves SCRAM."""
        return False

    def bearer(self, session: Session, user: str, token: str) -> Verdict | Awaitable[Verdict]:
        """Checks an OAuth2 access token."""
        return False

    def sender(
        self,
        session: Session,
        address: str,
        request: MailRequest,
    ) -> Verdict | Awaitable[Verdict]:
        """MAIL: may this sender send?"""
        return None

    def recipient(
        self,
        session: Session,
        address: str,
        request: RecipientRequest,
    ) -> Verdict | Awaitable[Verdict]:
        """RCPT: is there mail for this recipient?"""
        return None

    def data(self, session: Session, mail: Mail) -> Verdict | Awaitable[Verdict]:
        """DATA: shall the content come?"""
        return None

    def content(
        self,
        session: Session,
        mail: Mail,
        data: bytes,
    ) -> Awaitable[None] | None:
        """A stretch of the content came. A handler that has this method keeps it itself: ``mail.content`` stays
        empty."""
        return None

    def starttls(self, session: Session) -> Awaitable[None] | None:
        """A client asked for TLS; the handshake is next."""
        return None

    def message(self, session: Session, mail: Mail) -> Verdict | Awaitable[Verdict]:
        """The message is complete. A yes takes over the responsibility for it."""
        return None

    def verify(self, session: Session, text: str) -> Verdict | Awaitable[Verdict]:
        """VRFY. A yes answers 252, which tells nothing."""
        return None

    def expand(self, session: Session, text: str) -> Verdict | Awaitable[Verdict]:
        """EXPN. A yes answers 502."""
        return None

    def help(self, session: Session, text: str) -> Verdict | Awaitable[Verdict]:
        """HELP. A yes answers with the commands."""
        return None

    def closed(self, session: Session) -> None:
        """The connection is over."""


class Server:
    """A mail server on one address, for asyncio. Use it in an ``async with`` block, or call :meth:`start` and
    :meth:`close`.

    ``config`` says how it presents itself; with a security other than "danger-plaintext" it needs an
    ``ssl_context``. Port 0 takes a free one; see :attr:`port`.
    """

    def __init__(
        self,
        handler: object,
        config: ServerConfig | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        max_connections: int = 1000,
    ) -> None:
        self.config = ServerConfig() if config is None else config
        if (self.config.security == "danger-plaintext") != (ssl_context is None):
            raise ConfigError(
                f"security {self.config.security!r} and ssl_context do not go together",
                actor="program",
                next_step='give ssl_context with security "starttls" or "implicit-tls", and else neither',
            )
        self._host = host
        self._wanted_port = port
        self._ssl_context = ssl_context
        self._max_connections = max_connections
        self._calls = _Calls(handler)
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._host

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None or not self._server.sockets:
            return self._wanted_port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Listens. Returns when clients can connect."""
        if self._server is not None:
            raise MisuseError("the server runs already", actor="program")
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), self._host, self._wanted_port, backlog=1024
        )

    async def serve_forever(self) -> None:
        """Runs until it is cancelled."""
        if self._server is None:
            await self.start()
        assert self._server is not None
        await self._server.serve_forever()

    async def close(self, grace: float = 5.0) -> None:
        """Stops: takes no new connections, tells the clients, and cuts what still goes on after ``grace`` seconds."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for connection in list(self._connections):
            connection.shut_down()
        over = [connection.over for connection in self._connections]
        if over:
            await asyncio.wait(over, timeout=grace)
        for connection in list(self._connections):
            connection.abort()
        # The loop may end with this; what is closed only in its next round would be left open.
        cut = [future for future in over if not future.done()]
        if cut:
            await asyncio.wait(cut, timeout=1.0)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        state = "listens" if self._server else "does not listen"
        return f"<Server {self.config.hostname} on {self._host} port {self.port}, {state}>"


def _no(reply: Reply) -> Callable[..., Reply]:
    return lambda *_: reply


class _Calls:
    """The methods of a handler, looked up once."""

    def __init__(self, handler: object) -> None:
        def found(name: str, default: Callable[..., Any] | None) -> Any:
            method = getattr(handler, name, None)
            inherited = getattr(Handler, name) is getattr(type(handler), name, None)
            return default if method is None or inherited else method

        def take(*_: object) -> None:
            return None

        self.connect = found("connect", take)
        self.hello = found("hello", None)
        self.password = found("password", None)
        self.auth = found("auth", None)
        self.bearer = found("bearer", _no(_CREDENTIALS))
        self.sender = found("sender", take)
        self.recipient = found("recipient", take)
        self.data = found("data", take)
        self.content = found("content", None)
        self.starttls = found("starttls", None)
        self.message = found("message", take)
        self.verify = found("verify", take)
        self.expand = found("expand", take)
        self.help = found("help", take)
        self.closed = found("closed", take)


class _Connection(asyncio.BufferedProtocol):
    """One client."""

    def __init__(self, server: Server) -> None:
        loop = self._loop = asyncio.get_running_loop()
        self._server = server
        self._calls = server._calls
        self._connection = ServerConnection(server.config)
        # One buffer for all reads: asyncio would ask for a new one of 256 KiB each time.
        self._view = memoryview(bytearray(_READ))
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._mail: Mail | None = None
        self._content: list[bytes] = []
        self._busy: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = 0
        self._resting = False
        #: Whether what comes comes through TLS, while the handshake is under way.
        self._handshake: bool | None = None
        self._early: list[bytes] = []
        #: Done when the connection is over.
        self.over: asyncio.Future[None] = loop.create_future()

    # What the server calls.

    def shut_down(self) -> None:
        """Ends the session as soon as no message is under way."""
        self._connection.shutdown()
        if self._busy is None:
            self._run()

    def abort(self) -> None:
        """Closes without a word."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        if self._transport is not None:
            self._transport = transport
            return  # TLS is up; who did the handshake goes on.
        self._transport = transport
        self._session = Session(transport)
        self._server._connections.add(self)
        self._run()
        self._set_timer()

    def get_buffer(self, sizehint: int) -> memoryview:
        # A view: asyncio's TLS slices what it gets, and a slice of a bytearray is a copy.
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        data = self._view[:nbytes]
        if self._handshake is not None:
            self._take_early(bytes(data), self._handshake)
            return
        if self._busy is None:
            self._run(data)
            return
        self._connection.receive_data(data)
        if self._transport is not None:
            self._waiting += nbytes
            if self._waiting > _READ_AHEAD and not self._resting:
                self._resting = True
                self._transport.pause_reading()

    def _take_early(self, data: bytes, through_tls: bool) -> None:
        """What comes before it is known here that TLS is up."""
        if through_tls:
            self._early.append(data)
        else:
            # Plain text that would be taken for protected (RFC 3207, section 6).
            _log.info("%s: plain text behind STARTTLS", self._session)
            self.abort()

    def eof_received(self) -> None:
        # A client that closed its half may still wait for replies; asyncio closes when this returns.
        with contextlib.suppress(SansmtpError):
            self._connection.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._server._connections.discard(self)
        if self._busy is not None:
            self._busy.cancel()
        if not self.over.done():
            self.over.set_result(None)
        if self._session is not None:
            try:
                self._calls.closed(self._session)
            except Exception:
                _log.exception("the handler's method closed failed")

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self._resting:
            self._transport.resume_reading()

    # The dialogue.

    def _run(self, received: memoryview | None = None) -> None:
        """Goes on until the client has to say something, or a handler takes its time."""
        connection, transport = self._connection, self._transport
        assert transport is not None
        pending: Awaitable[Any] | None = None
        data = b""
        try:
            event, data = connection.advance(received)
            while event is not None:
                act = _ACTS.get(type(event))
                pending = None if act is None else act(self, event)
                if pending is not None:
                    break
                event, more = connection.advance()
                data = data + more if data else more
        except SansmtpError as error:
            _log.info("%s: %s", self._session, error.message)
            with contextlib.suppress(SansmtpError):
                data += connection.data_to_send()
            if data:
                transport.write(data)
            transport.close()
            return
        if data:
            transport.write(data)
        if pending is not None:
            self._busy = self._loop.create_task(self._finish(pending))
        elif connection.wants_tls:
            self._handshake = False
            self._busy = self._loop.create_task(self._start_tls())
        elif connection.is_closed:
            transport.close()

    async def _finish(self, pending: Awaitable[Callable[[], None] | None]) -> None:
        """Waits for a handler, then goes on."""
        try:
            done = await pending
            if done is not None:
                done()
        except SansmtpError:
            # The session ended while the handler was busy.
            self.abort()
            return
        self._go_on()

    def _go_on(self) -> None:
        self._busy = None
        self._waiting = 0
        if self._transport is None or self._transport.is_closing():
            return
        if self._resting:
            self._resting = False
            self._transport.resume_reading()
        self._run()

    async def _start_tls(self) -> None:
        transport, context = self._transport, self._server._ssl_context
        assert transport is not None
        assert context is not None
        # From here on asyncio hands over only what was protected.
        self._handshake = True
        try:
            secured = await self._loop.start_tls(
                transport, self, context, server_side=True, ssl_handshake_timeout=self._connection.timeout()
            )
        except (OSError, ssl.SSLError) as error:
            _log.info("%s: the TLS handshake failed: %s", self._session, error)
            self.abort()
            return
        if secured is None:
            self.abort()
            return
        self._transport = secured
        if self._session is not None:
            self._session._transport = secured
        self._handshake = None
        try:
            self._connection.tls_established()
            for data in self._early:
                self._connection.receive_data(data)
            self._early.clear()
        except SansmtpError as error:
            _log.info("%s: %s", self._session, error.message)
            self.abort()
            return
        self._go_on()

    def _set_timer(self) -> None:
        timeout = self._connection.timeout()
        # Where nothing is awaited now, something may be later.
        self._timer = self._loop.call_later(10.0 if timeout is None else timeout + 0.001, self._look_at_the_clock)

    def _look_at_the_clock(self) -> None:
        if self._busy is None:
            try:
                self._connection.handle_timeout()
            except SansmtpError as error:
                _log.info("%s: %s", self._session, error.message)
                self.abort()
                return
            self._run()
        if self._transport is not None and not self._transport.is_closing():
            self._set_timer()

    # What is done about each event. A result is what is still to be awaited, and then to be done.

    def _decide(
        self, verdict: Any, then: Callable[[], None] | None = None, no: Reply = _REFUSED
    ) -> Awaitable[Callable[[], None]] | None:
        """Gives the answer that follows from a verdict, at once if it is there."""
        if verdict is None or isinstance(verdict, (Reply, bool)):
            self._answer(verdict, then, no)
            return None
        if isinstance(verdict, Awaitable):
            return self._later(verdict, then, no)
        _log.error("a handler returned %r, which is no verdict", verdict)
        self._connection.answer(_BROKEN)
        return None

    async def _later(self, verdict: Awaitable[Any], then: Callable[[], None] | None, no: Reply) -> Callable[[], None]:
        try:
            decided = await verdict
        except Exception:
            _log.exception("a handler failed")
            decided = _BROKEN
        return lambda: self._answer(decided, then, no)

    def _answer(self, verdict: Any, then: Callable[[], None] | None, no: Reply) -> None:
        if verdict is None or verdict is True:
            if then is not None:
                then()
            self._connection.accept()
            return
        reply = no if verdict is False else verdict
        if not isinstance(reply, Reply):
            _log.error("a handler returned %r, which is no verdict", verdict)
            reply = _BROKEN
        if reply.is_positive and then is not None:
            then()
        self._connection.answer(reply)

    def _call(self, method: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return method(self._session, *arguments)
        except Exception:
            _log.exception("a handler failed")
            return _BROKEN

    def _on_connect(self, event: ConnectRequest) -> Any:
        if len(self._server._connections) > self._server._max_connections:
            return self._decide(_TOO_MANY)
        return self._decide(self._call(self._calls.connect))

    def _on_hello(self, event: Hello) -> Any:
        session = self._session
        assert session is not None
        session.hello, session.extended = event.name, event.extended
        self._mail = None
        if self._calls.hello is None:
            return None
        return self._tell(self._calls.hello)

    def _tell(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """Tells the handler something that needs no answer; what is to be awaited, if anything."""
        called = self._call(method, *arguments)
        return self._noted(called) if isinstance(called, Awaitable) else None

    async def _noted(self, called: Awaitable[Any]) -> None:
        try:
            await called
        except Exception:
            _log.exception("a handler failed")

    def _let_in(self, user: str) -> Callable[[], None]:
        def then() -> None:
            if self._session is not None:
                self._session.user = user

        return then

    def _on_authenticate(self, event: AuthenticateRequest) -> Any:
        if self._calls.auth is not None:
            if event.authorization not in ("", event.user):
                return self._decide(_CREDENTIALS)
            verdict = self._call(self._calls.auth, event.user, event.password)
            return self._decide(verdict, self._let_in(event.user), _CREDENTIALS)
        return self._on_password(event)

    def _on_password(self, event: AuthenticateRequest | PasswordRequest) -> Any:
        if self._calls.password is None:
            self._connection.answer_with_password(None)
            return None
        password = self._call(self._calls.password, event.user)
        if isinstance(password, Awaitable):
            return self._password_later(password, event)
        self._check_password(password, event)
        return None

    async def _password_later(
        self, password: Awaitable[Any], event: AuthenticateRequest | PasswordRequest
    ) -> Callable[[], None]:
        try:
            known = await password
        except Exception:
            _log.exception("a handler failed")
            known = _BROKEN
        return lambda: self._check_password(known, event)

    def _check_password(self, password: Any, event: AuthenticateRequest | PasswordRequest) -> None:
        connection = self._connection
        if isinstance(password, Reply):
            connection.answer(password)
            return
        connection.answer_with_password(password)
        if isinstance(event, AuthenticateRequest) and connection.is_authenticated and self._session is not None:
            self._session.user = event.user

    def _on_bearer(self, event: BearerRequest) -> Any:
        verdict = self._call(self._calls.bearer, event.user, event.token)
        return self._decide(verdict, self._let_in(event.user), _CREDENTIALS)

    def _on_authorize(self, event: AuthorizeRequest) -> Any:
        for_self = event.authorization in ("", event.user)
        return self._decide(for_self, self._let_in(event.user), _CREDENTIALS)

    def _on_mail(self, event: MailRequest) -> Any:
        mail = Mail(event.sender, event)

        def then() -> None:
            self._mail = mail

        return self._decide(self._call(self._calls.sender, event.sender, event), then)

    def _on_recipient(self, event: RecipientRequest) -> Any:
        mail = self._mail
        assert mail is not None

        def then() -> None:
            mail.recipients.append(Recipient(event.address, event))

        return self._decide(self._call(self._calls.recipient, event.address, event), then)

    def _on_data(self, event: DataRequest) -> Any:
        self._content.clear()
        return self._decide(self._call(self._calls.data, self._mail))

    def _on_content(self, event: Content) -> Any:
        if self._calls.content is None:
            self._content.append(event.data)
            return None
        return self._tell(self._calls.content, self._mail, event.data)

    def _on_message(self, event: MessageRequest) -> Any:
        mail, self._mail = self._mail, None
        assert mail is not None
        mail.content = b"".join(self._content)
        self._content.clear()
        return self._decide(self._call(self._calls.message, mail), self._count)

    def _count(self) -> None:
        if self._session is not None:
            self._session.messages += 1

    def _on_reset(self, event: Reset) -> Any:
        self._mail = None
        self._content.clear()

    def _on_verify(self, event: VerifyRequest) -> Any:
        return self._decide(self._call(self._calls.verify, event.text))

    def _on_expand(self, event: ExpandRequest) -> Any:
        return self._decide(self._call(self._calls.expand, event.text))

    def _on_help(self, event: HelpRequest) -> Any:
        return self._decide(self._call(self._calls.help, event.text))

    def _on_start_tls(self, event: StartTls) -> Any:
        if self._session is not None:
            self._session.hello = ""
        return None if self._calls.starttls is None else self._tell(self._calls.starttls)


_ACTS: dict[type, Callable[[_Connection, Any], Any]] = {
    ConnectRequest: _Connection._on_connect,
    Hello: _Connection._on_hello,
    AuthenticateRequest: _Connection._on_authenticate,
    PasswordRequest: _Connection._on_password,
    BearerRequest: _Connection._on_bearer,
    AuthorizeRequest: _Connection._on_authorize,
    MailRequest: _Connection._on_mail,
    RecipientRequest: _Connection._on_recipient,
    DataRequest: _Connection._on_data,
    Content: _Connection._on_content,
    MessageRequest: _Connection._on_message,
    Reset: _Connection._on_reset,
    VerifyRequest: _Connection._on_verify,
    ExpandRequest: _Connection._on_expand,
    HelpRequest: _Connection._on_help,
    StartTls: _Connection._on_start_tls,
}

__all__ = ["Handler", "Mail", "Recipient", "Server", "ServerConfig", "Session", "Verdict"]
