"""A connection by way of anyio: for trio. It needs the extra ``sansmtp[anyio]``."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
import anyio.abc
from anyio.streams.tls import TLSAttribute, TLSStream

from sansmtp._async_stream import AsyncConnector, Ended, Expired, Turn
from sansmtp._link import no_delay, tls_error, took_too_long, unreachable

_T = TypeVar("_T")

_READ = 64 * 1024
#: anyio has no names but attributes.
_INFO = {
    "socket": anyio.abc.SocketAttribute.raw_socket,
    "peername": anyio.abc.SocketAttribute.remote_address,
    "sockname": anyio.abc.SocketAttribute.local_address,
    "ssl_object": TLSAttribute.ssl_object,
    "cipher": TLSAttribute.cipher,
    "peercert": TLSAttribute.peer_certificate,
}


async def open_anyio_stream(
    host: str,
    port: int,
    timeout: float,
    source_address: tuple[str, int] | None,
    sock: socket.socket | None,
    path: str | None,
    connector: AsyncConnector | None,
) -> AnyioStream:
    """Connects to host and port, or to the Unix socket ``path``, or takes a connected socket."""
    where = path or f"{host} port {port}"
    try:
        with anyio.fail_after(timeout):
            if sock is None and connector is not None:
                sock = await connector(host, port, timeout)
            if sock is not None:
                sock.setblocking(False)
                if sock.family == getattr(socket, "AF_UNIX", None):
                    return AnyioStream(await anyio.abc.UNIXSocketStream.from_socket(sock))
                return AnyioStream(await anyio.abc.SocketStream.from_socket(sock))
            if path is not None:
                return AnyioStream(await anyio.connect_unix(path))
            stream = await anyio.connect_tcp(host, port, local_host=source_address[0] if source_address else None)
    except TimeoutError as error:
        raise took_too_long(where) from error
    except OSError as error:
        raise unreachable(where, error) from error
    no_delay(stream.extra(anyio.abc.SocketAttribute.raw_socket))  # noqa: S610
    return AnyioStream(stream)


class AnyioStream:
    """A connection of anyio."""

    def __init__(self, stream: anyio.abc.SocketStream) -> None:
        self._raw = stream
        self._stream: anyio.abc.ByteStream = stream
        self._eof = False
        self._late = False

    @property
    def is_open(self) -> bool:
        return not self._eof

    async def start_tls(self, context: ssl.SSLContext, host: str, timeout: float | None) -> None:
        try:
            with anyio.fail_after(timeout):
                self._stream = await TLSStream.wrap(
                    self._stream, hostname=host, ssl_context=context, standard_compatible=False
                )
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
            cause = error if isinstance(error, OSError) else ConnectionResetError("the server closed the connection")
            raise tls_error(cause, host) from error

    async def send(self, data: bytes, timeout: float | None) -> None:
        if self._eof:
            return  # Perhaps the server said why before it closed.
        try:
            with anyio.move_on_after(timeout) as scope:
                await self._stream.send(data)
            # Nobody knows how much of it left.
            self._late = scope.cancelled_caught
            self._eof |= self._late
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def receive(self, timeout: float | None) -> bytes | None:
        if self._late:
            return b""
        try:
            with anyio.move_on_after(timeout):
                return await self._stream.receive(_READ)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, ssl.SSLError):
            self._eof = True
            return b""
        return None

    async def converse(self, turn: Callable[[bytes | None], Turn[_T]]) -> _T:
        received: bytes | None = None
        while True:
            told, data, timeout = turn(received)
            if told is not None:
                return told
            if data:
                await self.send(data, timeout)
                if self._late:
                    raise Expired
                received = None
                continue
            received = await self.receive(timeout)
            if received is None:
                raise Expired
            if not received:
                raise Ended

    def take(self) -> bytes:
        return b""

    def abort(self) -> None:
        self._eof = True
        # Without a word, TLS's farewell included; the stream notices when it is dropped.
        self._raw.extra(anyio.abc.SocketAttribute.raw_socket).close()  # noqa: S610

    def info(self, name: str) -> Any:
        attribute = _INFO.get(name)
        return None if attribute is None else self._stream.extra(attribute, None)  # noqa: S610
