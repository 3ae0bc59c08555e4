"""The mailer for asyncio, uvloop included."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterable, Callable, Iterable
from types import TracebackType
from typing import Self, Unpack

from sansmtp._core import Capabilities, ClientConnection, Config, SendResult
from sansmtp._link import tls_error, unreachable
from sansmtp._message import AnyMessage, Prepared, SendOptions, prepare
from sansmtp._session import (
    BulkResult,
    checked_config,
    ends_session,
    is_stale,
    not_delivered,
    submit,
)
from sansmtp.exceptions import NotDeliveredError, RefusedError, SansmtpError, TimedOutError, UnsupportedError
from sansmtp.sansio import ClientEvent, Delivered, NotDelivered, Ready, StartTls


class AsyncMailer:
    """Sends mail through one server, from asyncio.

    The connection is made when it is first needed, and kept for the next message. Use the mailer in an ``async with``
    block, or await :meth:`close` at the end. Tasks that share a mailer send one after the other; for more at the same
    time make several mailers.

    ``config`` is a :class:`sansmtp.Config` or a URL. ``ssl_context`` replaces ``ssl.create_default_context()``.
    ``sock`` is a connected socket to use for the first connection, for instance one that leads through a proxy.
    """

    def __init__(
        self,
        config: Config | str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        source_address: tuple[str, int] | None = None,
        sock: socket.socket | None = None,
    ) -> None:
        self._config = checked_config(config)
        self._ssl_context = ssl_context
        self._source_address = source_address
        self._sock = sock
        self._lock = asyncio.Lock()
        self._link: _Link | None = None

    @property
    def config(self) -> Config:
        """The configuration."""
        return self._config

    @property
    def is_connected(self) -> bool:
        """Whether a connection is open, as far as is known."""
        return self._link is not None and self._link.is_open

    async def connect(self) -> Capabilities:
        """Connects, does the TLS handshake and authenticates, unless that was done. Returns what the server offers."""
        async with self._lock:
            link, _ = await self._connected()
            return link.connection.capabilities

    async def send(self, message: AnyMessage | None = None, **options: Unpack[SendOptions]) -> SendResult:
        """Sends a message and returns what became of each recipient; see :meth:`sansmtp.Mailer.send`.

        If the task is cancelled in the middle of a message, the connection is closed and the server delivers
        nothing, unless it had the whole message.
        """
        prepared = prepare(message, self._config.user, **options)
        async with self._lock:
            return await self._send(prepared)

    async def send_many(
        self,
        messages: Iterable[AnyMessage | SendOptions] | AsyncIterable[AnyMessage | SendOptions],
        *,
        progress: Callable[[int], object] | None = None,
    ) -> list[BulkResult]:
        """Sends many messages over one connection; see :meth:`sansmtp.Mailer.send_many`."""
        results: list[BulkResult] = []
        fatal: SansmtpError | None = None
        async for message in _each(messages):
            index = len(results)
            result: SendResult | None = None
            error = fatal
            if fatal is None:
                try:
                    result = await (self.send(**message) if isinstance(message, dict) else self.send(message))
                except SansmtpError as raised:
                    result, error = raised.result, raised
                    if ends_session(raised):
                        if index == 0:
                            raise
                        fatal = raised
            results.append(BulkResult(index, result, error))
            if progress is not None:
                progress(1)
        return results

    async def close(self) -> None:
        """Says goodbye and closes the connection. The mailer can be used again: it connects anew."""
        async with self._lock:
            link, self._link = self._link, None
            if link is not None:
                await link.part()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        state = "connected" if self.is_connected else "not connected"
        return f"<AsyncMailer {self._config.host}:{self._config.port}, {state}>"

    async def _send(self, prepared: Prepared) -> SendResult:
        link, reused = await self._connected()
        try:
            return await self._transact(link, prepared)
        except SansmtpError as error:
            if not reused or not is_stale(error):
                raise
        link, _ = await self._connected()
        return await self._transact(link, prepared)

    async def _transact(self, link: _Link, prepared: Prepared) -> SendResult:
        connection = link.connection
        try:
            submit(connection, prepared)
        except UnsupportedError:
            raise  # Nothing was sent: the session goes on.
        except SansmtpError:
            self._drop()
            raise
        try:
            while True:
                event = await link.next_event()
                if isinstance(event, Delivered):
                    return connection.result()
                if isinstance(event, NotDelivered):
                    raise not_delivered(connection.result(), event)
        except NotDeliveredError:
            if not connection.is_ready:
                self._drop()
            raise
        except SansmtpError as error:
            error.result = connection.result()
            self._drop()
            raise
        except BaseException:
            # In the middle of a message: without its end the server delivers nothing.
            self._drop()
            raise

    async def _connected(self) -> tuple[_Link, bool]:
        """The connection, and whether it was there before."""
        link = self._link
        if link is not None and link.is_open:
            return link, True
        self._drop()
        link = _Link(self._config)
        sock, self._sock = self._sock, None
        try:
            await link.connect(sock, self._source_address)
            if link.connection.wants_tls:
                await link.start_tls(self._context())
            while not isinstance(event := await link.next_event(), Ready):
                if isinstance(event, StartTls):
                    await link.start_tls(self._context())
        except RefusedError:
            await link.part()
            raise
        except BaseException:
            link.drop()
            raise
        self._link = link
        return link, False

    def _context(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
        return self._ssl_context

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.drop()


class _Link(asyncio.Protocol):
    """A connection of asyncio together with its machine."""

    def __init__(self, config: Config) -> None:
        self.connection = ClientConnection(config)
        self._config = config
        self._pid = os.getpid()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._eof = False
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        transport = self._transport
        return transport is not None and not transport.is_closing() and not self._eof

    async def connect(self, sock: socket.socket | None, source_address: tuple[str, int] | None) -> None:
        """Connects to the configured server."""
        config = self._config
        where = f"{config.host} port {config.port}"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(config.connect_timeout):
                if sock is not None:
                    await loop.create_connection(lambda: self, sock=sock)
                else:
                    await loop.create_connection(
                        lambda: self,
                        config.host,
                        config.port,
                        local_addr=source_address,
                        happy_eyeballs_delay=0.25,
                    )
        except TimeoutError as error:
            raise TimedOutError(
                f"connecting to {where} took too long",
                stage="greeting",
                temporary=True,
                actor="time",
                next_step="check host, port and network; some networks block outgoing mail ports",
            ) from error
        except OSError as error:
            raise unreachable(where, error) from error

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Does the TLS handshake and checks the certificate."""
        loop = asyncio.get_running_loop()
        transport = self._transport
        try:
            if transport is None or self._eof:
                raise ConnectionResetError("the server closed the connection")
            secured = await loop.start_tls(
                transport,
                self,
                context,
                server_hostname=self._config.host,
                ssl_handshake_timeout=self.connection.timeout(),
            )
        except OSError as error:
            raise tls_error(error, self._config.host) from error
        if secured is None:
            raise tls_error(ConnectionResetError("the server closed the connection"), self._config.host)
        self._transport = secured
        self.connection.tls_established()

    async def next_event(self) -> ClientEvent | None:
        """Reads and writes until the machine says something; None when the dialogue is over."""
        connection = self.connection
        while True:
            event = connection.next_event()
            if event is not None:
                return event
            while data := connection.data_to_send():
                if self._transport is not None and not self._eof:
                    self._transport.write(data)
                if self._paused:
                    await self._wait()
            if self._eof:
                connection.receive_eof()
                return None
            await self._wait()

    async def part(self) -> None:
        """Says goodbye and closes."""
        try:
            if self.is_open:
                self.connection.quit()
                while not self.connection.is_closed:
                    await self.next_event()
        except (SansmtpError, OSError):
            pass  # Whatever was sent is safe; nothing depends on the goodbye.
        finally:
            self.drop()

    def drop(self) -> None:
        """Closes without a word."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()

    async def _wait(self) -> None:
        """Waits for the peer, and for the deadline of what is due."""
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        # One timer serves many waits: when it fires too early, it is set anew.
        if self._timer is None:
            self._set_timer()
        try:
            await waiter
        finally:
            self._waiter = None
        self.connection.handle_timeout()

    def _set_timer(self) -> None:
        timeout = self.connection.timeout()
        if timeout is not None:
            self._timer = asyncio.get_running_loop().call_later(min(timeout, 1.0), self._look_at_the_clock)

    def _look_at_the_clock(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self.connection.timeout() == 0.0:
            self._wake()
        else:
            self._set_timer()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.connection.receive_data(data)
        self._wake()

    def eof_received(self) -> None:
        self._eof = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self._eof = True
        self._wake()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()


async def _each(
    messages: Iterable[AnyMessage | SendOptions] | AsyncIterable[AnyMessage | SendOptions],
) -> AsyncIterable[AnyMessage | SendOptions]:
    if isinstance(messages, AsyncIterable):
        async for message in messages:
            yield message
    else:
        for message in messages:
            yield message
