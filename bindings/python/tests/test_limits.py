"""Messages that a server takes only in parts (RFC 9422)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sansmtp
from scripted import HELLO, QUIT, scripted
from test_mailer import MESSAGE, plain

#: What a mailer is asked to send, one message after the other, and what came of each.
Send = Callable[[sansmtp.Config, list[Any]], list[sansmtp.BulkResult]]


def message(*recipients: str) -> dict[str, Any]:
    return {"message": MESSAGE, "sender": "a@example.org", "recipients": recipients}


def one_by_one(config: sansmtp.Config, messages: list[Any]) -> list[sansmtp.BulkResult]:
    with sansmtp.Mailer(config) as mailer:
        results = []
        for index, options in enumerate(messages):
            try:
                results.append(sansmtp.BulkResult(index, mailer.send(**options), None))
            except sansmtp.SansmtpError as error:
                results.append(sansmtp.BulkResult(index, error.result, error))
        return results


def one_by_one_asynchronous(config: sansmtp.Config, messages: list[Any]) -> list[sansmtp.BulkResult]:
    async def main() -> list[sansmtp.BulkResult]:
        async with sansmtp.AsyncMailer(config) as mailer:
            results = []
            for index, options in enumerate(messages):
                try:
                    results.append(sansmtp.BulkResult(index, await mailer.send(**options), None))
                except sansmtp.SansmtpError as error:
                    results.append(sansmtp.BulkResult(index, error.result, error))
            return results

    return asyncio.run(asyncio.wait_for(main(), 60))


def at_once(config: sansmtp.Config, messages: list[Any]) -> list[sansmtp.BulkResult]:
    with sansmtp.Mailer(config) as mailer:
        return mailer.send_many(messages)


def at_once_asynchronous(config: sansmtp.Config, messages: list[Any]) -> list[sansmtp.BulkResult]:
    async def main() -> list[sansmtp.BulkResult]:
        async with sansmtp.AsyncMailer(config) as mailer:
            return await mailer.send_many(messages)

    return asyncio.run(asyncio.wait_for(main(), 60))


WAYS = pytest.mark.parametrize("send", [one_by_one, one_by_one_asynchronous, at_once, at_once_asynchronous])


def hello(limits: str) -> str:
    return HELLO.replace("S: 250-PIPELINING\n", f"S: 250-LIMITS {limits}\n")


def transaction(*recipients: str, verdict: str = "250 ok", refusal: str = "") -> str:
    """One message, without PIPELINING; a refusal is that of the last recipient."""
    steps = ["C: *", "S: 250 ok"]
    for recipient in recipients:
        is_refused = refusal and recipient == recipients[-1]
        steps += [f"C: RCPT TO:<{recipient}>", f"S: {refusal if is_refused else '250 ok'}"]
    return "\n".join(["", *steps, "C: DATA", "S: 354 go", "C.", f"S: {verdict}", ""])


def statuses(result: sansmtp.BulkResult) -> list[str]:
    assert result.result is not None
    return [recipient.status for recipient in result.result.recipients]


@WAYS
def test_recipients_beyond_the_limit_go_in_another_transaction(send: Send) -> None:
    script = (
        hello("RCPTMAX=2")
        + transaction("b@example.org", "c@example.org")
        + transaction("d@example.org", verdict="250 last")
        + transaction("e@example.org")
        + QUIT
    )
    with scripted(script) as peer:
        results = send(plain(peer.port), [message("b@example.org", "c@example.org", "d@example.org"),
                                          message("e@example.org")])  # fmt: skip
    assert peer.connections == 1
    assert [result.ok for result in results] == [True, True]
    assert results[0].result is not None
    assert results[0].result.delivered == ["b@example.org", "c@example.org", "d@example.org"]
    assert [str(one.reply) for one in results[0].result.recipients] == ["250 ok", "250 ok", "250 last"]


@WAYS
def test_messages_beyond_the_limit_go_over_another_connection(send: Send) -> None:
    first = hello("MAILMAX=1") + transaction("b@example.org") + QUIT
    with scripted(first, first, first) as peer:
        results = send(plain(peer.port), [message("b@example.org")] * 3)
    assert peer.connections == 3
    assert [result.ok for result in results] == [True] * 3


@WAYS
def test_domains_are_counted_for_the_session(send: Send) -> None:
    first = hello("RCPTDOMAINMAX=1") + transaction("b@one.example", "d@one.example") + QUIT
    second = hello("RCPTDOMAINMAX=1") + transaction("c@two.example") + QUIT
    with scripted(first, second) as peer:
        (result,) = send(plain(peer.port), [message("b@one.example", "c@two.example", "d@one.example")])
    assert result.ok


@WAYS
def test_what_somebody_got_is_not_reported_failed(send: Send) -> None:
    lost = "\nC: *\nS: 250 ok\nC: *\nS: 250 ok\nC: DATA\nS: 354 go\nC.\nS!\n"
    with scripted(hello("RCPTMAX=1") + transaction("b@example.org") + lost) as peer:
        (result,) = send(plain(peer.port), [message("b@example.org", "c@example.org", "d@example.org")])
    assert result.error is None
    assert not result.ok
    assert statuses(result) == ["delivered", "unknown", "not-sent"]


@WAYS
def test_a_message_that_nobody_gets_is_an_error_with_all_replies(send: Send) -> None:
    script = hello("RCPTMAX=1") + transaction("b@example.org", verdict="550 5.7.1 no")
    script += transaction("c@example.org", verdict="554 5.6.0 never") + QUIT
    with scripted(script) as peer:
        (result,) = send(plain(peer.port), [message("b@example.org", "c@example.org")])
    assert isinstance(result.error, sansmtp.NotDeliveredError)
    assert statuses(result) == ["refused", "refused"]
    assert result.error.result is not None
    assert [one.reply and one.reply.code for one in result.error.result.recipients] == [550, 554]


@WAYS
def test_a_limit_that_was_not_stated(send: Send) -> None:
    script = HELLO.replace("S: 250-PIPELINING\n", "")
    script += transaction("b@example.org", "c@example.org", refusal="452 4.5.3 Too many recipients")
    script += transaction("c@example.org") + QUIT
    with scripted(script) as peer:
        (result,) = send(plain(peer.port), [message("b@example.org", "c@example.org")])
    assert result.ok


@WAYS
def test_a_server_that_refuses_everybody_as_too_many_is_asked_once(send: Send) -> None:
    script = HELLO.replace("S: 250-PIPELINING\n", "")
    script += "\nC: *\nS: 250 ok\nC: *\nS: 452 4.5.3 Too many recipients\n"
    with scripted(script + QUIT) as peer:
        (result,) = send(plain(peer.port), [message("b@example.org")])
    assert isinstance(result.error, sansmtp.NotDeliveredError)
    assert result.error.temporary


@WAYS
def test_one_transaction_after_the_other_where_commands_are_pipelined(send: Send) -> None:
    one = "C: *\nC: *\nC: DATA\nS: 250 ok\\n250 ok\\n354 go\nC.\nS: 250 ok\n"
    script = HELLO.replace("S: 250-PIPELINING\n", "S: 250-PIPELINING\nS: 250-LIMITS RCPTMAX=1\n") + one * 3 + QUIT
    first, second = message("b@example.org", "c@example.org"), message("d@example.org")
    with scripted(script) as peer:
        results = send(plain(peer.port), [first, second])
    assert [result.ok for result in results] == [True, True]
    assert [line for line in peer.said if line.startswith(b"RCPT")] == [
        b"RCPT TO:<b@example.org>\r\n",
        b"RCPT TO:<c@example.org>\r\n",
        b"RCPT TO:<d@example.org>\r\n",
    ]
