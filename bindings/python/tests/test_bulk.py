"""Many messages over one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sansmtp
from sansmtp.testing import SmtpServer
from scripted import HELLO, QUIT, scripted
from test_mailer import MESSAGE, plain


def blocking(config: sansmtp.Config, messages: Any, **options: Any) -> list[sansmtp.BulkResult]:
    with sansmtp.Mailer(config) as mailer:
        return mailer.send_many(messages, **options)


def asynchronous(config: sansmtp.Config, messages: Any, **options: Any) -> list[sansmtp.BulkResult]:
    async def main() -> list[sansmtp.BulkResult]:
        async with sansmtp.AsyncMailer(config) as mailer:
            return await mailer.send_many(messages, **options)

    return asyncio.run(asyncio.wait_for(main(), 60))


WAYS = pytest.mark.parametrize("send_many", [blocking, asynchronous])
SendMany = Callable[..., list[sansmtp.BulkResult]]

FIRST = "C: *\nC: *\nC: DATA\nS: 250 ok\\n250 ok\\n354 go\n"
#: What follows is said before the verdict on what came before.
FOLLOWED = "C.\nC: MAIL FROM:<a@example.org> SIZE=65\nC: RCPT TO:<b@example.org>\nC: DATA\n"


@WAYS
def test_the_next_envelope_does_not_wait_for_the_verdict(send_many: SendMany) -> None:
    script = (
        HELLO
        + FIRST
        + FOLLOWED
        + "S: 250 one\\n250 ok\\n250 ok\\n354 go\n"
        + FOLLOWED
        + "S: 550 5.7.1 two\\n250 ok\\n250 ok\\n354 go\nC.\nS: 250 three"
        + QUIT
    )
    done: list[int] = []
    with scripted(script) as peer:
        results = send_many(plain(peer.port), [MESSAGE] * 3, progress=done.append)
    assert [(result.index, result.ok) for result in results] == [(0, True), (1, False), (2, True)]
    assert str(results[0].result and results[0].result.reply) == "250 one"
    assert results[1].error is not None
    assert (results[1].error.code, results[1].error.enhanced_code) == (550, "5.7.1")
    assert done == [1, 1, 1]
    assert peer.connections == 1


@WAYS
def test_a_connection_lost_between_two_messages(send_many: SendMany) -> None:
    """The first message may have been taken; the second was not, and goes over a new connection."""
    with scripted(HELLO + FIRST + FOLLOWED + "S!", HELLO + FIRST + "C.\nS: 250 two" + QUIT) as peer:
        results = send_many(plain(peer.port), [MESSAGE] * 2)
    assert [result.ok for result in results] == [False, True]
    assert isinstance(results[0].error, sansmtp.ConnectionLostError)
    assert results[0].error.outcome_unknown
    assert [one.status for one in results[0].result.recipients] == ["unknown"] if results[0].result else False
    assert peer.connections == 2


@WAYS
def test_a_message_that_can_not_be_sent_does_not_stop_the_others(send_many: SendMany, smtp_server: SmtpServer) -> None:
    smtp_server.refuse("rcpt", 550, "No such user", address="no@example.org")
    smtp_server.refuse("verdict", 452, "Later", times=1)
    good: sansmtp.SendOptions = {"from_": "a@example.org", "to": "b@example.org", "text": "x"}
    messages: list[Any] = [
        good,
        good,
        {**good, "to": "no@example.org"},
        {**good, "from_": "broken"},
        {**good, "require_tls": True},
        good,
        {**good, "to": ["no@example.org", "b@example.org"]},
        MESSAGE * 50_000,
        good,
    ]
    for form in (messages, iter(messages)):
        results = send_many(smtp_server.config.replace(chunking=False), form)
        smtp_server.refuse("verdict", 452, "Later", times=1)
        kinds = [type(result.error).__name__ if result.error else result.ok for result in results]
        assert kinds == [
            "NotDeliveredError", True, "NotDeliveredError", "AddressError", "UnsupportedError", True, False, True, True,
        ]  # fmt: skip
        assert results[6].result is not None
        assert results[6].result.delivered == ["b@example.org"]
    assert smtp_server.connections == 2
    assert len(smtp_server.mails) == 10


@WAYS
@pytest.mark.parametrize("chunking", [True, False])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "content", "verdict"])
def test_a_drop_anywhere_loses_or_doubles_nothing(
    send_many: SendMany, chunking: bool, step: Any, smtp_server: SmtpServer
) -> None:
    config = smtp_server.config.replace(chunking=chunking)
    messages = [MESSAGE.replace(b"Subject: t", b"Subject: %d" % number) for number in range(6)]
    smtp_server.delay(step, 0, times=3)
    smtp_server.drop(step, times=1)
    results = send_many(config, messages)
    taken = [int(mail.subject) for mail in smtp_server.mails]
    assert len(taken) == len(set(taken))
    for result in results:
        if result.ok:
            assert result.index in taken
        else:
            assert result.index not in taken
            assert isinstance(result.error, sansmtp.ConnectionLostError)
    assert sum(result.ok for result in results) >= 5


@WAYS
def test_no_session_at_all_is_raised(send_many: SendMany, smtp_server: SmtpServer) -> None:
    smtp_server.refuse("greeting", 554, "Go away")
    with pytest.raises(sansmtp.RefusedError):
        send_many(smtp_server.config, [MESSAGE] * 3)
    assert send_many(smtp_server.config, []) == []


@WAYS
def test_a_session_that_can_not_be_set_up_anew_fails_the_rest(send_many: SendMany, smtp_server: SmtpServer) -> None:
    def messages() -> Iterator[bytes]:
        yield MESSAGE
        smtp_server.drop("mail")
        smtp_server.refuse("greeting", 554, "Go away")
        yield MESSAGE
        yield MESSAGE

    results = send_many(smtp_server.config.replace(chunking=False), messages())
    assert [result.ok for result in results] == [True, False, False]
    assert [type(result.error) for result in results[1:]] == [sansmtp.RefusedError] * 2


def test_lmtp_has_a_verdict_for_each_recipient() -> None:
    script = """
        S: 220 x LMTP
        C: *
        S: 250-x
        S: 250 PIPELINING
        C: *
        C: *
        C: *
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
        C.
        S: 250 taken
        S: 452 4.2.2 mailbox full
        C: QUIT
        S: 221 bye
    """
    with scripted(script) as peer:
        config = sansmtp.Config("127.0.0.1", security="danger-plaintext", port=peer.port, lmtp=True, timeout=20)
        with sansmtp.Mailer(config) as mailer:
            result = mailer.send(MESSAGE, recipients=["b@example.org", "c@example.org"])
    assert peer.said[0].startswith(b"LHLO ")
    assert result.delivered == ["b@example.org"]
    assert str(result.failed[0].reply) == "452 4.2.2 mailbox full"


def test_wishes_for_the_way(smtp_server_factory: Callable[..., SmtpServer]) -> None:
    import datetime

    server = smtp_server_factory(
        security="starttls",
        extensions=["PIPELINING", "SIZE", "REQUIRETLS", "DELIVERBY", "FUTURERELEASE", "MT-PRIORITY", "DSN"],
    )
    with server.mailer() as mailer:
        mailer.send(
            MESSAGE, require_tls=True, deliver_by=(3600, "notify"), hold_for=60, priority=-3, envid="42", ret="full"
        )
        until = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
        mailer.send(MESSAGE, hold_until=until)
    first, second = (mail.mail_request for mail in server.mails)
    assert (first.require_tls, first.deliver_by, first.late) == (True, 3600, "notify")
    assert (first.hold_for, first.priority, first.envid, first.ret) == (60, -3, "42", "full")
    assert second.hold_until == int(until.timestamp())
    for wrong in ({"priority": 10}, {"hold_for": 1, "hold_until": until}, {"deliver_by": (0, "return")}):
        with pytest.raises(sansmtp.EnvelopeError):
            server.mailer().send(MESSAGE, **wrong)


@WAYS
@pytest.mark.parametrize("extensions", [["PIPELINING", "SIZE"], ["PIPELINING", "SIZE", "CHUNKING"], ["SIZE"]])
def test_large_messages(
    send_many: SendMany, extensions: list[str], smtp_server_factory: Callable[..., SmtpServer]
) -> None:
    server = smtp_server_factory(extensions=extensions)
    large = [MESSAGE * 20_000, MESSAGE + b"x" * 70 + b"\r\n" * 300_000, MESSAGE + b"no end" * 100_000]
    messages = [{"message": one, "sender": "a@example.org", "recipients": ["b@example.org"]} for one in large]
    assert all(result.ok for result in send_many(server.config, messages * 2))
    assert [mail.content for mail in server.mails] == [*large[:2], large[2] + b"\r\n"] * 2
