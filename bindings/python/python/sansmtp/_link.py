"""A connected socket with time limits, at the cost of one system call for each read or write."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import struct
import sys
from collections.abc import Callable
from typing import TypeAlias

from sansmtp._core import ClientConnection, Config
from sansmtp.exceptions import ConnectError, TimedOutError, TlsError

#: Opens a connection to host and port within so many seconds: for proxies and sockets of one's own making.
Connector: TypeAlias = Callable[[str, int, float], socket.socket]

#: The longest that the kernel waits before the time is looked at, in seconds.
_LONGEST_TICK = 4.0
_SHORTEST_TICK = 2.0**-10
_READ = 8192


class Link:
    """A socket that is read and written with time limits.

    A socket of Python with a timeout asks the kernel twice for everything: first whether it is ready. So the
    kernel's own limits are set instead, coarse ones and once, and a wait that they end is gone on with. Sockets of
    other makers (gevent and the like) and systems without such limits keep Python's way.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._tick = 0.0
        self._kernel_limits = sys.platform != "win32" and type(sock).__module__ in ("socket", "ssl")

    @classmethod
    def connect(
        cls,
        config: Config,
        source_address: tuple[str, int] | None,
        sock: socket.socket | None,
        connector: Connector | None,
    ) -> Link:
        """Connects to the configured server, or takes a connected socket."""
        where = f"{config.host} port {config.port}"
        try:
            if sock is not None:
                pass
            elif connector is not None:
                sock = connector(config.host, config.port, config.connect_timeout)
            else:
                sock = socket.create_connection((config.host, config.port), config.connect_timeout, source_address)
        except TimeoutError as error:
            raise took_too_long(where) from error
        except OSError as error:
            raise unreachable(where, error) from error
        no_delay(sock)
        return cls(sock)

    def start_tls(self, context: ssl.SSLContext, host: str, timeout: float | None) -> None:
        """Does the TLS handshake and checks the certificate."""
        self._tick = 0.0
        self.sock.settimeout(timeout)
        try:
            self.sock = context.wrap_socket(self.sock, server_hostname=host)
        except TimeoutError as error:
            raise TimedOutError(
                "the TLS handshake took too long",
                stage="starttls",
                temporary=True,
                actor="time",
                next_step="check the port: 465 wants implicit TLS, 587 STARTTLS",
            ) from error
        except OSError as error:
            raise tls_error(error, host) from error

    def send(self, data: bytes, timeout: float | None, connection: ClientConnection) -> None:
        """Sends all of ``data``. Raises when the connection's time is over; ``timeout`` is what is left of it now."""
        rest: bytes | memoryview = data
        while True:
            self._limit(timeout)
            try:
                sent = self.sock.send(rest)
            except (BlockingIOError, TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                connection.handle_timeout()
            else:
                if sent == len(rest):
                    return
                rest = memoryview(rest)[sent:]
            timeout = connection.timeout()

    def receive(self, timeout: float | None) -> bytes | None:
        """Waits for data: what came, nothing at the end of the connection, None if nothing came so far."""
        self._limit(timeout)
        try:
            return self.sock.recv(_READ)
        except (BlockingIOError, TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except (ConnectionError, ssl.SSLError):
            return b""

    def close(self) -> None:
        """Closes the connection without a word."""
        self.sock.close()

    def _limit(self, timeout: float | None) -> None:
        wanted = _LONGEST_TICK if timeout is None else min(max(timeout, _SHORTEST_TICK), _LONGEST_TICK)
        # Powers of two, so that the limit need not be set anew for each of many short waits.
        if self._tick <= wanted < 2 * self._tick or (wanted == _LONGEST_TICK == self._tick):
            return
        self._tick = 2.0 ** math.floor(math.log2(wanted))
        if self._kernel_limits:
            if self.sock.gettimeout() is not None:
                self.sock.settimeout(None)
            limit = struct.pack("@ll", int(self._tick), int(self._tick % 1 * 1_000_000))
            try:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            except OSError:
                self._kernel_limits = False
            else:
                return
        self.sock.settimeout(self._tick)


def no_delay(sock: socket.socket) -> None:
    """Small packets leave at once; a socket of another kind, such as a Unix one, has no such option."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def took_too_long(where: str) -> TimedOutError:
    """The exception for a connection that was not made in time."""
    return TimedOutError(
        f"connecting to {where} took too long",
        stage="greeting",
        temporary=True,
        actor="time",
        next_step="check host, port and network; some networks block outgoing mail ports",
    )


def unreachable(where: str, error: OSError) -> ConnectError:
    """The exception for a connection that could not be made."""
    return ConnectError(
        f"no connection to {where}: {error.strerror or error}",
        stage="greeting",
        temporary=True,
        actor="time",
        next_step="check host, port and network; some networks block outgoing mail ports",
    )


def tls_error(error: OSError, host: str) -> TlsError:
    """The exception for a handshake that failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        message = f"the certificate of {host} is not trusted: {error.verify_message}"
        next_step = "check the host name; for a server with a certificate of its own give ssl_context="
    else:
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        message = f"the TLS handshake with {host} failed: {reason}"
        next_step = "check port and security: 465 wants implicit TLS, 587 STARTTLS"
    return TlsError(message, stage="starttls", next_step=next_step)
