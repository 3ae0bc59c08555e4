"""Many messages over one connection: what both mailers do, without the waiting.

The envelope of a message goes out behind the content of the one before, where the server offers that, so that a
message costs one exchange (RFC 2920, section 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sansmtp._core import ClientConnection, SendResult
from sansmtp._message import AnyMessage, BulkOptions, Prepared, SendOptions, prepare
from sansmtp._parts import LIMITS, in_parts
from sansmtp._session import BulkResult, ends_session, is_delivered, is_stale, not_delivered, submit
from sansmtp._steps import Connect, Drop, NextEvent, NextMessage, Step, Steps
from sansmtp.exceptions import MessageError, NotDeliveredError, SansmtpError, UnsupportedError
from sansmtp.sansio import ClientEvent, Delivered, NotDelivered, Verdict


@dataclass
class _Flight:
    """A message that was submitted and whose verdict is due."""

    index: int
    prepared: Prepared
    is_second_attempt: bool = False


class _Results:
    """The results, by the number of the message."""

    def __init__(self, progress: Callable[[int], object] | None) -> None:
        self._found: dict[int, BulkResult] = {}
        self._progress = progress

    def add(self, result: BulkResult) -> None:
        self._found[result.index] = result
        if self._progress is not None:
            self._progress(1)

    def failed(self, index: int, error: SansmtpError) -> None:
        self.add(BulkResult(index, error.result, error))

    def all(self) -> list[BulkResult]:
        return [self._found[index] for index in sorted(self._found)]


def bulk(
    user: str | None, ready: Sequence[Any] | None, progress: Callable[[int], object] | None
) -> Steps[list[BulkResult]]:
    """Sends messages. ``ready`` are the messages where all are known; else they are asked for one by one."""
    return _Bulk(user, ready, progress).run()


class _Bulk:
    def __init__(self, user: str | None, ready: Sequence[Any] | None, progress: Callable[[int], object] | None) -> None:
        self._user = user
        self._ready: Iterator[Any] | None = None if ready is None else iter(ready)
        self._results = _Results(progress)
        self._count = 0
        self._fatal: SansmtpError | None = None
        #: The message that was submitted last, and the one before, where its verdict is due.
        self._current: _Flight | None = None
        self._earlier: _Flight | None = None
        #: What was prepared and not submitted yet.
        self._waiting: _Flight | None = None
        #: What needs further transactions, and what came of the first.
        self._unfinished: list[tuple[_Flight, SendResult]] = []
        self._connection: ClientConnection | None = None
        #: Whether the connection worked before; then a server that closes it was just tired of waiting.
        self._proven = False

    def run(self) -> Steps[list[BulkResult]]:
        while True:
            yield from self._finish()
            flight = yield from self._next()
            if flight is None:
                break
            try:
                connection, reused = cast("tuple[ClientConnection, bool]", (yield Connect()))
                if connection is not self._connection:
                    self._connection, self._proven = connection, reused
                self._submit(connection, flight)
            except SansmtpError as error:
                if isinstance(error, UnsupportedError) and error.requirement in LIMITS:
                    self._unfinished.append((flight, SendResult.not_sent(flight.prepared.envelope)))
                    continue
                if flight.index == 0 and self._current is None and ends_session(error):
                    raise
                self._note_failure(flight, error)
                if not isinstance(error, UnsupportedError) and self._current is None:
                    yield Drop()
                continue
            yield from self._fly(connection)
        return self._results.all()

    def _finish(self) -> Generator[Step, Any, None]:
        """Sends what one transaction of the session could not have."""
        while self._unfinished:
            flight, begun = self._unfinished.pop(0)
            try:
                result = yield from in_parts(flight.prepared, begun)
            except SansmtpError as error:
                self._note_failure(flight, error)
            else:
                self._results.add(BulkResult(flight.index, result, None))

    def _fly(self, connection: ClientConnection) -> Generator[Step, Any, None]:
        """Goes on until nothing is under way, or the connection is lost."""
        while self._current is not None:
            try:
                event = cast("ClientEvent | None", (yield NextEvent(self._follow)))
            except SansmtpError as error:
                self._lost(connection, error)
                yield Drop()
                return
            if isinstance(event, (Delivered, NotDelivered)) or (isinstance(event, Verdict) and event.last):
                self._judge(connection, event)
                if not connection.is_ready and self._current is None:
                    yield Drop()
                    return

    def _follow(self) -> None:
        """Submits the next message behind the current one."""
        connection = self._connection
        if connection is None or self._earlier is not None or self._fatal is not None:
            return
        if self._waiting is None:
            self._waiting = self._take_ready()
        while self._waiting is not None:
            flight, self._waiting = self._waiting, None
            try:
                self._submit(connection, flight)
            except UnsupportedError as error:
                if error.requirement in LIMITS:
                    self._waiting = flight  # It is dealt with when nothing else is under way.
                    return
                self._results.failed(flight.index, error)
                self._waiting = self._take_ready()
                continue
            return

    def _submit(self, connection: ClientConnection, flight: _Flight) -> None:
        overlaps = connection.awaits_verdict
        submit(connection, flight.prepared)
        if overlaps:
            self._earlier = self._current
        self._current = flight

    def _judge(self, connection: ClientConnection, event: Delivered | NotDelivered | Verdict) -> None:
        result = connection.result()
        judged = self._earlier or self._current
        assert judged is not None
        if self._earlier is None:
            self._current = None
        self._earlier = None
        self._proven = True
        error: NotDeliveredError | None = None
        if is_delivered(event, result):
            if not result.ok and result.over_limit():
                self._unfinished.append((judged, result))
                return
        else:
            error = not_delivered(result, event)
        self._results.add(BulkResult(judged.index, result, error))

    def _lost(self, connection: ClientConnection, error: SansmtpError) -> None:
        """The connection is gone: the error is that of the message whose verdict was due. One that was only begun
        was not sent, and is tried again once where the connection had worked before."""
        error.result = connection.result()
        begun, earlier = self._current, self._earlier
        self._current, self._earlier = None, None
        if earlier is not None:
            self._results.failed(earlier.index, error)
        if begun is None:
            return
        unsent = earlier is not None or (self._proven and is_stale(error))
        if unsent and not begun.is_second_attempt:
            begun.is_second_attempt = True
            self._waiting = begun
        else:
            self._results.failed(begun.index, error)

    def _note_failure(self, flight: _Flight, error: SansmtpError) -> None:
        self._results.failed(flight.index, error)
        if ends_session(error):
            self._fatal = error

    def _next(self) -> Generator[Step, Any, _Flight | None]:
        """The next message that can be sent; None behind the last one."""
        if self._waiting is not None:
            flight, self._waiting = self._waiting, None
            return flight
        while True:
            if self._ready is not None:
                return self._take_ready()
            message = yield NextMessage()
            if message is None:
                return None
            made = self._prepare(message)
            if made is not None:
                return made

    def _take_ready(self) -> _Flight | None:
        if self._ready is None:
            return None
        for message in self._ready:
            flight = self._prepare(message)
            if flight is not None:
                return flight
        return None

    def _prepare(self, message: AnyMessage | BulkOptions) -> _Flight | None:
        index = self._count
        self._count += 1
        if self._fatal is not None:
            self._results.failed(index, self._fatal)
            return None
        try:
            if isinstance(message, dict):
                prepared = prepare(message.get("message"), self._user, **_options(message))
            else:
                prepared = prepare(message, self._user)
        except SansmtpError as error:
            self._results.failed(index, error)
            return None
        except (TypeError, ValueError, OSError) as cause:
            # A wrong value or a file that is not there: what was sent before must not go unreported.
            wrong = MessageError(str(cause))
            wrong.__cause__ = cause
            self._results.failed(index, wrong)
            return None
        return _Flight(index, prepared)


def _options(message: BulkOptions) -> SendOptions:
    return cast(SendOptions, {name: value for name, value in message.items() if name != "message"})
