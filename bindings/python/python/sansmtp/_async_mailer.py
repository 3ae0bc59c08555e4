"""The mailer for asyncio, uvloop included, and for trio."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from sansmtp._async_link import AsyncLink
from sansmtp._async_stream import AsyncConnector, Lock, new_lock, open_stream, running_loop
from sansmtp._bulk import bulk
from sansmtp._core import Capabilities, ClientConnection, Config, SendResult
from sansmtp._message import AnyMessage, BulkOptions, Prepared, SendOptions, prepare
from sansmtp._parts import LIMITS, in_parts
from sansmtp._session import (
    BulkResult,
    NotCopied,
    checked_config,
    checked_messages,
    interrupted,
    is_delivered,
    is_stale,
    no_connection,
    not_delivered,
    socket_used_up,
    submit,
)
from sansmtp._steps import Connect, Drop, NextEvent, NextMessage, Part, Step, Steps
from sansmtp.exceptions import MisuseError, NotDeliveredError, RefusedError, SansmtpError, UnsupportedError
from sansmtp.sansio import Delivered, NotDelivered, Ready, StartTls, Verdict

_T = TypeVar("_T")


class AsyncMailer(NotCopied):
    """Sends mail through one server, from asyncio, or from trio if ``sansmtp[anyio]`` is installed.

    The connection is made when it is first needed, and kept for the next message. Use the mailer in an ``async with``
    block, or await :meth:`close` at the end. Tasks that share a mailer send one after the other; for more at the same
    time make several mailers.

    ``config`` is a :class:`sansmtp.Config` or a URL. ``ssl_context`` replaces ``ssl.create_default_context()``.
    ``connector`` opens the connection, for instance through a proxy; ``sock`` is a connected socket to use for the
    first connection, and without a ``connector`` for the only one.
    """

    def __init__(
        self,
        config: Config | str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        source_address: tuple[str, int] | None = None,
        sock: socket.socket | None = None,
        connector: AsyncConnector | None = None,
    ) -> None:
        self._config = checked_config(config)
        self._ssl_context = ssl_context
        self._source_address = source_address
        self._sock = sock
        self._connector = connector
        self._only_socket = sock is not None and connector is None
        self._lock_or_none: Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._link: AsyncLink | None = None

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
        nothing, unless it had the whole message; then the exception has a note (``__notes__``) that says so.
        """
        prepared = prepare(message, self._config.user, **options)
        async with self._lock:
            return await self._send(prepared)

    async def send_many(
        self,
        messages: Iterable[AnyMessage | BulkOptions] | AsyncIterable[AnyMessage | BulkOptions],
        *,
        progress: Callable[[int], object] | None = None,
    ) -> list[BulkResult]:
        """Sends many messages over one connection; see :meth:`sansmtp.Mailer.send_many`."""
        checked_messages(messages)
        steps = bulk(self._config.user, messages if isinstance(messages, Sequence) else None, progress)
        async with self._lock:
            return await self._drive(steps, _each(messages))

    async def _drive(self, steps: Steps[_T], source: AsyncIterator[AnyMessage | BulkOptions]) -> _T:
        """Does what the steps say until they have a result."""
        try:
            step = next(steps)
            while True:
                try:
                    answer = await self._perform(step, source)
                except SansmtpError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            found: _T = end.value
            return found
        except SansmtpError:
            raise  # The steps closed the connection where it is of no more use.
        except BaseException as error:
            if self._link is not None:
                interrupted(self._link.connection, error)
            self._drop()
            raise

    async def _perform(self, step: Step, source: AsyncIterator[AnyMessage | BulkOptions]) -> Any:
        """Does what sending many messages needs next."""
        match step:
            case Connect():
                link, reused = await self._connected()
                return link.connection, reused
            case NextMessage():
                return await anext(source, None)
            case NextEvent(follow):
                if self._link is None:
                    raise no_connection()
                return await self._link.next_event(follow)
            case Part():
                return await self._part()
            case Drop():
                return self._drop()

    async def close(self) -> None:
        """Says goodbye and closes the connection. The mailer can be used again: it connects anew."""
        async with self._lock:
            await self._part()

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

    async def _transact(self, link: AsyncLink, prepared: Prepared) -> SendResult:
        connection = link.connection
        try:
            submit(connection, prepared)
        except UnsupportedError as error:
            if error.requirement not in LIMITS:
                raise  # Nothing was sent: the session goes on.
            begun = SendResult.not_sent(prepared.envelope)
        except SansmtpError:
            self._drop()
            raise
        else:
            begun = await self._settle(link)
            if begun.ok or not begun.over_limit():
                return begun
        return await self._drive(in_parts(prepared, begun), _each(()))

    async def _settle(self, link: AsyncLink) -> SendResult:
        """Goes on to the verdict on what was submitted."""
        connection = link.connection
        try:
            while True:
                event = await link.next_event()
                if isinstance(event, (Delivered, NotDelivered)) or (isinstance(event, Verdict) and event.last):
                    result = connection.result()
                    if not is_delivered(event, result):
                        raise not_delivered(result, event)
                    return result
        except NotDeliveredError:
            if not connection.is_ready:
                self._drop()
            raise
        except SansmtpError as error:
            error.result = connection.result()
            self._drop()
            raise
        except BaseException as error:
            # In the middle of a message: without its end the server delivers nothing.
            interrupted(connection, error)
            self._drop()
            raise

    async def _connected(self) -> tuple[AsyncLink, bool]:
        """The connection, and whether it was there before."""
        link = self._link
        if link is not None and link.is_open:
            return link, True
        self._drop()
        config = self._config
        sock, self._sock = self._sock, None
        if sock is None and self._only_socket:
            raise socket_used_up()
        connection = ClientConnection(config)
        stream = await open_stream(
            config.host,
            config.port,
            config.connect_timeout,
            source_address=self._source_address,
            sock=sock,
            connector=self._connector,
        )
        link = AsyncLink(connection, stream)
        try:
            if connection.wants_tls:
                await link.start_tls(self._context(), config.host)
            while not isinstance(event := await link.next_event(), Ready):
                if isinstance(event, StartTls):
                    await link.start_tls(self._context(), config.host)
        except RefusedError:
            await link.part()
            raise
        except BaseException:
            stream.abort()
            raise
        self._link = link
        return link, False

    def _context(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
        return self._ssl_context

    @property
    def _lock(self) -> Lock:
        # Which library runs is known when the first method is awaited.
        lock, loop = self._lock_or_none, running_loop()
        if lock is None or loop is not self._loop:
            if self._loop is not None and not self._loop.is_closed():
                raise MisuseError(
                    "the mailer is used in another event loop", actor="program", next_step="make one for each loop"
                )
            # What belonged to a loop that is closed, such as that of an earlier asyncio.run, can not be used.
            self._link = None
            self._loop = loop
            lock = self._lock_or_none = new_lock()
        return lock

    async def _part(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.part()

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.stream.abort()


async def _each(
    messages: Iterable[AnyMessage | BulkOptions] | AsyncIterable[AnyMessage | BulkOptions],
) -> AsyncIterator[AnyMessage | BulkOptions]:
    if isinstance(messages, AsyncIterable):
        async for message in messages:
            yield message
    else:
        for message in messages:
            yield message
