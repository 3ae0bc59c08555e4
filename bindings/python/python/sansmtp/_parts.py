"""A message that goes out in several transactions, since the server takes fewer recipients, or messages, at once
(RFC 9422)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

from sansmtp._core import ClientConnection, SendResult
from sansmtp._message import Prepared
from sansmtp._session import is_stale, not_delivered, submit
from sansmtp._steps import Connect, Drop, NextEvent, Part, Step, Steps
from sansmtp.exceptions import SansmtpError, UnsupportedError
from sansmtp.sansio import ClientEvent, Delivered, NotDelivered, Verdict

#: What the core finds unmet in a message that one transaction of this session can not have.
LIMITS = ("recipients", "messages")


def in_parts(whole: Prepared, begun: SendResult) -> Steps[SendResult]:
    """Sends with as many transactions and connections as it takes, and tells of all in one result. Raises if nobody
    got the message: what somebody got is never reported failed. ``begun`` is what a first transaction came to."""
    result = begun
    pending = begun.over_limit() if begun.delivered else list(range(len(begun.recipients)))
    failure: SansmtpError | None = None
    is_second_attempt = False
    while pending:
        places: list[int] = []
        connection: ClientConnection | None = None
        reused = False
        try:
            connection, reused = cast("tuple[ClientConnection, bool]", (yield Connect()))
            places = connection.admitted(whole.envelope, pending)
            if not places and reused:
                yield Part()  # The session has had all its messages; the next one has not.
                continue
            event = yield from _transact(connection, _part(whole, places or pending))
        except SansmtpError as error:
            if not isinstance(error, UnsupportedError):
                yield Drop()
            if places and reused and is_stale(error) and not is_second_attempt:
                is_second_attempt = True
                continue
            if connection is not None and places and not isinstance(error, UnsupportedError):
                result = result.with_part(places, connection.result())
            failure = error
            break
        part = connection.result()
        result = result.with_part(places, part)
        # Without progress it would be tried for ever.
        over = part.over_limit() if part.delivered else []
        sent = set(places)
        pending = [place for place in pending if place not in sent] + [places[index] for index in over]
        failure = None if part.delivered else not_delivered(part, event)
        if not connection.is_ready:
            yield Drop()
    if result.delivered or failure is None:
        return result
    failure.result = result
    raise failure


def _transact(connection: ClientConnection, part: Prepared) -> Generator[Step, Any, Delivered | NotDelivered | Verdict]:
    submit(connection, part)
    while True:
        event = cast("ClientEvent | None", (yield NextEvent(None)))
        if isinstance(event, (Delivered, NotDelivered)) or (isinstance(event, Verdict) and event.last):
            return event


def _part(whole: Prepared, places: list[int]) -> Prepared:
    def in_ascii() -> Prepared:
        assert whole.in_ascii is not None
        return _part(whole.in_ascii(), places)

    return Prepared(whole.envelope.part(places), whole.content, in_ascii if whole.in_ascii else None)
