"""The mailer for ordinary, blocking programs."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from sansmtp._bulk import bulk
from sansmtp._core import Capabilities, ClientConnection, Config, SendResult
from sansmtp._link import Connector, Link
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
from sansmtp.exceptions import NotDeliveredError, RefusedError, SansmtpError, UnsupportedError
from sansmtp.sansio import ClientEvent, Delivered, NotDelivered, Ready, StartTls, Verdict

_T = TypeVar("_T")

_fork_count = 0
#: Guards the locks of the mailers while they are replaced in a child.
_renewal = threading.Lock()


def _forked() -> None:
    global _fork_count, _renewal
    _fork_count += 1
    _renewal = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class Mailer(NotCopied):
    """Sends mail through one server.

    The connection is made when it is first needed, and kept for the next message. Use the mailer in a ``with``
    block, or call :meth:`close` at the end. It may be shared between threads, which then send one after the other,
    and survives ``os.fork``: the child makes a connection of its own.

    ``config`` is a :class:`sansmtp.Config` or a URL such as ``smtps://user:password@smtp.example.org``.
    ``ssl_context`` replaces ``ssl.create_default_context()``. ``connector`` opens the connection in place of
    ``socket.create_connection``, for instance through a proxy; ``sock`` is a connected socket to use for the first
    connection, and without a ``connector`` for the only one.
    """

    def __init__(
        self,
        config: Config | str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        source_address: tuple[str, int] | None = None,
        sock: socket.socket | None = None,
        connector: Connector | None = None,
    ) -> None:
        self._config = checked_config(config)
        self._ssl_context = ssl_context
        self._source_address = source_address
        self._sock = sock
        self._connector = connector
        self._only_socket = sock is not None and connector is None
        self._own_lock = threading.RLock()
        self._lock_forks = _fork_count
        self._forks = _fork_count
        self._link: Link | None = None
        self._connection = ClientConnection(self._config)

    @property
    def config(self) -> Config:
        """The configuration."""
        return self._config

    @property
    def is_connected(self) -> bool:
        """Whether a connection is open, as far as is known."""
        return self._link is not None and self._forks == _fork_count

    def connect(self) -> Capabilities:
        """Connects, does the TLS handshake and authenticates, unless that was done. Returns what the server offers.

        :meth:`send` does the same by itself; call it to learn early whether the configuration works.
        """
        with self._lock:
            self._ensure_connected()
            return self._connection.capabilities

    def send(self, message: AnyMessage | None = None, **options: Unpack[SendOptions]) -> SendResult:
        """Sends a message and returns what became of each recipient.

        ``message`` is an :class:`email.message.EmailMessage`, octets, or a binary file; or leave it out and give the
        parts: ``to``, ``subject``, ``text``, ``html``, ``attachments`` and so on. ``sender`` and ``recipients``
        override the envelope that follows from the message.

        Returns as soon as the server took the message for at least one recipient; look at ``result.failed`` for the
        others. Raises :class:`NotDeliveredError` if it took the message for nobody, and another
        :class:`SansmtpError` if the session failed.
        """
        prepared = prepare(message, self._config.user, **options)
        with self._lock:
            return self._send(prepared)

    def send_many(
        self,
        messages: Iterable[AnyMessage | BulkOptions],
        *,
        progress: Callable[[int], object] | None = None,
    ) -> list[BulkResult]:
        """Sends many messages over one connection and returns what became of each.

        A message is anything that :meth:`send` takes; a dictionary stands for keyword arguments, with a finished
        message as ``message``. Give a list or tuple rather than a generator: then the next envelope need not wait for
        the verdict on the message before. ``progress`` is
        called with 1 after each message, as the method ``update`` of a tqdm bar wants it. One message that fails
        does not keep the others from being sent. Raises if no session can be set up for the first message; if it can
        not be set up anew later, the rest is reported with that error.
        """
        checked_messages(messages)
        steps = bulk(self._config.user, messages if isinstance(messages, Sequence) else None, progress)
        with self._lock:
            return self._drive(steps, iter(messages))

    def _drive(self, steps: Steps[_T], source: Iterator[AnyMessage | BulkOptions]) -> _T:
        """Does what the steps say until they have a result."""
        try:
            step = next(steps)
            while True:
                try:
                    answer = self._perform(step, source)
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
                interrupted(self._connection, error)
            self._drop()
            raise

    def _perform(self, step: Step, source: Iterator[AnyMessage | BulkOptions]) -> Any:
        """Does what sending many messages needs next."""
        match step:
            case Connect():
                reused = self._ensure_connected()
                return self._connection, reused
            case NextMessage():
                return next(source, None)
            case NextEvent(follow):
                link = self._link
                if link is None:
                    raise no_connection()
                return self._next_event(link, follow)
            case Part():
                return self.close()
            case Drop():
                return self._drop()

    def close(self) -> None:
        """Says goodbye and closes the connection. The mailer can be used again: it connects anew."""
        with self._lock:
            link = self._current_link()
            if link is None:
                return
            try:
                self._connection.quit()
                while not self._connection.is_closed:
                    self._next_event(link)
            except (SansmtpError, OSError):
                pass  # Whatever was sent is safe; nothing depends on the goodbye.
            finally:
                self._drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "connected" if self.is_connected else "not connected"
        return f"<Mailer {self._config.host}:{self._config.port}, {state}>"

    def _send(self, prepared: Prepared) -> SendResult:
        reused = self._ensure_connected()
        try:
            return self._transact(prepared)
        except SansmtpError as error:
            if not reused or not is_stale(error):
                raise
        self._ensure_connected()
        return self._transact(prepared)

    def _transact(self, prepared: Prepared) -> SendResult:
        link = self._link
        if link is None:
            raise no_connection()
        connection = self._connection
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
            begun = self._settle(link)
            if begun.ok or not begun.over_limit():
                return begun
        return self._drive(in_parts(prepared, begun), iter(()))

    def _settle(self, link: Link) -> SendResult:
        """Goes on to the verdict on what was submitted."""
        connection = self._connection
        try:
            while True:
                event = self._next_event(link)
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

    def _ensure_connected(self) -> bool:
        """Connects if need be. Whether the connection was there before."""
        if self._current_link() is not None:
            return True
        sock, self._sock = self._sock, None
        if sock is None and self._only_socket:
            raise socket_used_up()
        connection = self._connection = ClientConnection(self._config)
        link = self._link = Link.connect(self._config, self._source_address, sock, self._connector)
        try:
            if connection.wants_tls:
                self._start_tls(link)
            while not isinstance(event := self._next_event(link), Ready):
                if isinstance(event, StartTls):
                    self._start_tls(link)
        except RefusedError:
            self.close()
            raise
        except BaseException:
            self._drop()
            raise
        return False

    def _start_tls(self, link: Link) -> None:
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()
        if not self._connection.wants_tls:
            self._connection.next_event()  # It raises: the server spoilt the handshake beforehand.
        link.start_tls(self._ssl_context, self._config.host, self._connection.timeout())
        self._connection.tls_established()

    def _next_event(self, link: Link, follow: Callable[[], None] | None = None) -> ClientEvent | None:
        """Reads and writes until the machine says something; None when the dialogue is over. ``follow`` may submit
        the next message when only a verdict is missing."""
        connection = self._connection
        received: bytes | None = None
        while True:
            event, data, timeout = connection.advance(received)
            if event is not None:
                return event
            if data:
                if follow is not None and connection.awaits_verdict:
                    follow()
                    data += connection.data_to_send()
                received = None
                try:
                    link.send(data, timeout, connection)
                except (ConnectionError, ssl.SSLError):
                    pass  # Perhaps the server said why before it closed.
                else:
                    continue
            received = link.receive(timeout)
            if received is None:
                connection.handle_timeout()
            elif not received:
                connection.receive_eof()
                return None

    @property
    def _lock(self) -> threading.RLock:
        # In a child it may be held by a thread that is not there.
        if self._lock_forks != _fork_count:
            with _renewal:
                if self._lock_forks != _fork_count:
                    self._own_lock = threading.RLock()
                    self._lock_forks = _fork_count
        return self._own_lock

    def _current_link(self) -> Link | None:
        """The connection, unless it belongs to the process that this one was forked from."""
        if self._link is not None and self._forks != _fork_count:
            self._drop()
        self._forks = _fork_count
        return self._link

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
