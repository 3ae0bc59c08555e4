"""A connection for asynchronous programs: asyncio, uvloop included, and what anyio serves besides."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from sansmtp._link import tls_error, took_too_long, unreachable

_T = TypeVar("_T")

#: Opens a connection to host and port within so many seconds: for proxies and sockets of one's own making.
AsyncConnector: TypeAlias = Callable[[str, int, float], Awaitable[socket.socket]]

#: The most octets of one read.
_READ = 16 * 1024
#: How much of what a peer sends is kept before reading rests, in octets.
_READ_AHEAD = 256 * 1024


#: What a driver says to what came: a result, or what is to be sent, and within how many seconds something is to come.
Turn: TypeAlias = tuple[_T | None, bytes, float | None]


class Expired(Exception):
    """Nothing came in time."""


class Ended(Exception):
    """The connection is at its end."""


class Stream(Protocol):
    """What a driver needs of a connection."""

    @property
    def is_open(self) -> bool:
        """Whether the connection is open, as far as is known."""
        ...

    async def start_tls(self, context: ssl.SSLContext, host: str, timeout: float | None) -> None:
        """Does the TLS handshake and checks the certificate."""

    async def send(self, data: bytes, timeout: float | None) -> None:
        """Sends; returns early if the peer says something meanwhile, or if it takes too long."""

    async def receive(self, timeout: float | None) -> bytes | None:
        """Waits for data: what came, nothing at the end of the connection, None if nothing came in time."""

    async def converse(self, turn: Callable[[bytes | None], Turn[_T]]) -> _T:
        """Takes turns with the peer until there is a result: ``turn`` is given what came, or None where more may be
        to be sent. Raises :class:`Expired` or :class:`Ended` instead."""
        ...

    def take(self) -> bytes:
        """What came and was not asked for yet."""
        ...

    def abort(self) -> None:
        """Closes without a word."""

    def info(self, name: str) -> Any:
        """What is known about the connection, by the names that asyncio has."""


class Lock(Protocol):
    """What asyncio's and anyio's locks have in common."""

    async def __aenter__(self) -> object: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> object: ...


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop of asyncio that is running; None where something else that anyio knows is."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def on_asyncio() -> bool:
    """Whether a loop of asyncio is running, and not something else that anyio knows."""
    return running_loop() is not None


def new_lock() -> Lock:
    """A lock of the library that is running."""
    if on_asyncio():
        return asyncio.Lock()
    import anyio

    return anyio.Lock()


async def in_thread(call: Callable[[], _T]) -> _T:
    """Calls something that blocks."""
    if on_asyncio():
        return await asyncio.to_thread(call)
    import anyio.to_thread

    return await anyio.to_thread.run_sync(call)


async def open_stream(
    host: str,
    port: int,
    timeout: float,
    *,
    source_address: tuple[str, int] | None = None,
    sock: socket.socket | None = None,
    path: str | None = None,
    connector: AsyncConnector | None = None,
) -> Stream:
    """Connects to host and port, or to the Unix socket ``path``, or takes a connected socket."""
    where = path or f"{host} port {port}"
    if not on_asyncio():
        from sansmtp._anyio_stream import open_anyio_stream

        return await open_anyio_stream(host, port, timeout, source_address, sock, path, connector)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            if sock is None and connector is not None:
                sock = await connector(host, port, timeout)
            if sock is not None:
                sock.setblocking(False)
                _, stream = await loop.create_connection(AsyncioStream, sock=sock)
            elif path is not None:
                _, stream = await loop.create_unix_connection(AsyncioStream, path)
            else:
                # uvloop does not know the race between addresses.
                race: Any = {"happy_eyeballs_delay": 0.25} if isinstance(loop, asyncio.BaseEventLoop) else {}
                _, stream = await loop.create_connection(AsyncioStream, host, port, local_addr=source_address, **race)
    except TimeoutError as error:
        raise took_too_long(where) from error
    except OSError as error:
        raise unreachable(where, error) from error
    return stream


class AsyncioStream(asyncio.BufferedProtocol):
    """A connection of asyncio. One timer serves many waits: where it fires too early, it is set anew. One buffer
    serves all reads: asyncio would ask for a new one of 256 KiB each time. A conversation goes on where data comes
    in; waking the task for each turn would cost a round of the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._view = memoryview(bytearray(_READ))
        self._received = b""
        self._waiter: asyncio.Future[Any] | None = None
        #: What is done about what comes, in place of waking who waits.
        self._turn: Callable[[bytes | None], Turn[Any]] | None = None
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._eof = False
        self._full = False
        self._resting = False

    @property
    def is_open(self) -> bool:
        transport = self._transport
        return transport is not None and not self._eof and not transport.is_closing()

    async def start_tls(self, context: ssl.SSLContext, host: str, timeout: float | None) -> None:
        transport = self._transport
        try:
            if transport is None or self._eof:
                raise ConnectionResetError("the server closed the connection")
            if self._received:
                raise ConnectionResetError("the server sent plain text")
            secured = await self._loop.start_tls(
                transport, self, context, server_hostname=host, ssl_handshake_timeout=timeout
            )
        except OSError as error:
            raise tls_error(error, host) from error
        if secured is None:
            raise tls_error(ConnectionResetError("the server closed the connection"), host)
        self._transport = secured

    async def send(self, data: bytes, timeout: float | None) -> None:
        if self._transport is None or self._eof:
            return  # Perhaps the server said why before it closed.
        self._transport.write(data)
        if self._full and not self._received:
            await self._wait(timeout)

    async def receive(self, timeout: float | None) -> bytes | None:
        if not self._received and not self._eof:
            await self._wait(timeout)
        if self._received:
            return self.take()
        return b"" if self._eof else None

    async def converse(self, turn: Callable[[bytes | None], Turn[_T]]) -> _T:
        received = self.take() or None
        while True:
            told, data, timeout = turn(received)
            if told is not None:
                return told
            received = None
            if data:
                await self.send(data, timeout)
                received = self.take() or None
                if self._full and received is None and not self._eof:
                    raise Expired
                continue
            if self._eof:
                raise Ended
            self._turn = turn
            try:
                told = await self._wait(timeout)
            finally:
                self._turn = None
            if told is not None:
                return cast(_T, told)
            received = self.take() or None

    def take(self) -> bytes:
        data, self._received = self._received, b""
        if self._resting and self._transport is not None:
            self._resting = False
            self._transport.resume_reading()
        return data

    def abort(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()

    def info(self, name: str) -> Any:
        return None if self._transport is None else self._transport.get_extra_info(name)

    async def _wait(self, timeout: float | None) -> Any:
        """Waits for anything to happen, or for the end of the time; in a conversation, for its result, or for room
        to send."""
        waiter = self._waiter = self._loop.create_future()
        self._set_deadline(timeout)
        try:
            return await waiter
        finally:
            self._waiter = None

    def _set_deadline(self, timeout: float | None) -> None:
        if timeout is None:
            self._deadline = None
        else:
            deadline = self._deadline = self._loop.time() + timeout
            timer = self._timer
            if timer is None or timer.when() > deadline:
                if timer is not None:
                    timer.cancel()
                self._timer = self._loop.call_at(deadline, self._look_at_the_clock)

    def _look_at_the_clock(self) -> None:
        self._timer = None
        if self._waiter is None or self._deadline is None:
            return
        if self._loop.time() >= self._deadline:
            self._wake(Expired)
        else:
            self._timer = self._loop.call_at(self._deadline, self._look_at_the_clock)

    def _wake(self, why: type[Exception] | None = None) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        if why is None or self._turn is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(why())

    def _take_turns(self, received: bytes) -> None:
        """Goes on with the conversation."""
        turn, waiter = self._turn, self._waiter
        assert turn is not None
        assert waiter is not None
        more: bytes | None = received
        try:
            while not self._full:
                told, data, timeout = turn(more)
                if told is not None:
                    waiter.set_result(told)
                    return
                if not data:
                    self._set_deadline(timeout)
                    return
                more = None
                if self._transport is not None:
                    self._transport.write(data)
        except Exception as error:
            waiter.set_exception(error)
            return
        if more is not None:
            self._received = more
        waiter.set_result(None)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses.
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        # A view: asyncio's TLS slices what it gets, and a slice of a bytearray is a copy.
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(self._view[:nbytes])
        # Where the task was cancelled, nothing more is said.
        if self._turn is not None and self._waiter is not None and not self._waiter.done():
            self._take_turns(data)
            return
        self._received = self._received + data if self._received else data
        if len(self._received) > _READ_AHEAD and self._transport is not None and not self._resting:
            self._resting = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._eof = True
        self._wake(Ended)

    def connection_lost(self, exc: Exception | None) -> None:
        self._eof = True
        self._wake(Ended)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._wake()
