"""A connection of an asynchronous program together with its machine."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from sansmtp._async_stream import Ended, Expired, Stream, Turn
from sansmtp._core import ClientConnection
from sansmtp.exceptions import SansmtpError
from sansmtp.sansio import ClientEvent


class AsyncLink:
    """Moves octets between a machine and a stream."""

    def __init__(self, connection: ClientConnection, stream: Stream) -> None:
        self.connection = connection
        self.stream = stream

    @property
    def is_open(self) -> bool:
        """Whether the connection is open, as far as is known."""
        return self.stream.is_open

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Does the TLS handshake, unless the server spoilt it beforehand."""
        connection = self.connection
        if not connection.wants_tls:
            connection.next_event()
        await self.stream.start_tls(context, host, connection.timeout())
        connection.tls_established()

    async def next_event(self, follow: Callable[[], None] | None = None) -> ClientEvent | None:
        """Reads and writes until the machine says something; None when the dialogue is over. ``follow`` may submit
        the next message when only a verdict is missing."""
        connection = self.connection

        def turn(received: bytes | None) -> Turn[ClientEvent]:
            told, data, timeout = connection.advance(received)
            if data and follow is not None and connection.awaits_verdict:
                follow()
                data += connection.data_to_send()
            return told, data, timeout

        while True:
            try:
                return await self.stream.converse(turn)
            except Expired:
                connection.handle_timeout()
            except Ended:
                connection.receive_eof()
                return None

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
            self.stream.abort()
