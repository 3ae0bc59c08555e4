"""The mailer for asyncio."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
import sansmtp
from peers import PASSWORD, USER, AiosmtpdServer
from sansmtp.testing import SmtpServer
from scripted import ACCEPT, HELLO, QUIT, scripted
from test_mailer import MESSAGE, plain


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(main, 60))


def test_sends_and_parts() -> None:
    async def main(port: int) -> None:
        async with sansmtp.AsyncMailer(plain(port)) as mailer:
            assert not mailer.is_connected
            result = await mailer.send(MESSAGE)
            assert result.ok
            assert str(result.reply) == "250 2.0.0 Queued as 4711"
            assert mailer.is_connected
        assert not mailer.is_connected

    with scripted(HELLO + ACCEPT + QUIT) as peer:
        run(main(peer.port))
    assert peer.said[-2:] == [MESSAGE.replace(b"\n.dot", b"\n..dot") + b".\r\n", b"QUIT\r\n"]


def test_starttls_auth_and_a_large_message(aiosmtpd_tls: AiosmtpdServer, client_tls: ssl.SSLContext) -> None:
    config = sansmtp.Config(
        "localhost", security="starttls", port=aiosmtpd_tls.port, user=USER, password=PASSWORD, timeout=20
    )

    async def main() -> None:
        async with sansmtp.AsyncMailer(config, ssl_context=client_tls) as mailer:
            assert (await mailer.send(MESSAGE)).ok
            assert (await mailer.send(MESSAGE * 20_000)).ok

    run(main())
    assert [(mail.is_tls, mail.user) for mail in aiosmtpd_tls.mails] == [(True, USER)] * 2
    assert aiosmtpd_tls.mails[1].content == MESSAGE * 20_000


def test_tasks_share_a_mailer(aiosmtpd: AiosmtpdServer) -> None:
    async def main() -> None:
        async with sansmtp.AsyncMailer(plain(aiosmtpd.port)) as mailer:
            results = await asyncio.gather(*(mailer.send(MESSAGE) for _ in range(20)))
            assert all(result.ok for result in results)

    run(main())
    assert len(aiosmtpd.mails) == 20


def test_send_many_takes_an_async_generator(aiosmtpd: AiosmtpdServer) -> None:
    async def messages() -> AsyncIterator[sansmtp.AnyMessage | sansmtp.BulkOptions]:
        yield MESSAGE
        yield {"from_": "a@example.org", "to": "no@example.org", "text": "x"}
        yield {"from_": "a@example.org", "to": "b@example.org", "text": "x"}

    async def main() -> None:
        async with sansmtp.AsyncMailer(plain(aiosmtpd.port)) as mailer:
            results = await mailer.send_many(messages())
        assert [result.ok for result in results] == [True, False, True]

    run(main())
    assert len(aiosmtpd.mails) == 2


def test_a_stranger_certificate_is_refused(aiosmtpd_tls: AiosmtpdServer) -> None:
    config = sansmtp.Config("localhost", security="starttls", port=aiosmtpd_tls.port, timeout=20)

    async def main() -> None:
        with pytest.raises(sansmtp.TlsError, match="not trusted"):
            await sansmtp.AsyncMailer(config).send(MESSAGE)

    run(main())
    assert aiosmtpd_tls.mails == []


def test_a_silent_server_times_out() -> None:
    async def main(port: int) -> None:
        with pytest.raises(sansmtp.TimedOutError) as caught:
            await sansmtp.AsyncMailer(plain(port, timeout=0.2)).send(MESSAGE)
        assert caught.value.stage == "hello"

    with scripted("S: 220 x\nC: *\nEOF") as peer:
        run(main(peer.port))


def test_an_idle_close_is_survived() -> None:
    async def main(port: int) -> None:
        async with sansmtp.AsyncMailer(plain(port)) as mailer:
            assert (await mailer.send(MESSAGE)).ok
            assert (await mailer.send(MESSAGE)).ok

    with scripted(HELLO + ACCEPT + "S!", HELLO + ACCEPT + QUIT) as peer:
        run(main(peer.port))
    assert peer.connections == 2


def test_a_cancelled_message_closes_the_connection() -> None:
    async def main(port: int) -> None:
        mailer = sansmtp.AsyncMailer(plain(port))
        await mailer.connect()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mailer.send(MESSAGE), 0.1)
        assert not mailer.is_connected

    with scripted(HELLO + "C: *\nC: *\nC: *\nEOF") as peer:
        run(main(peer.port))


def test_a_lost_connection_behind_the_final_dot_is_told_apart() -> None:
    async def main(port: int) -> None:
        with pytest.raises(sansmtp.ConnectionLostError) as caught:
            await sansmtp.AsyncMailer(plain(port)).send(MESSAGE)
        assert caught.value.outcome_unknown

    with scripted(HELLO + ACCEPT.replace("S: 250 2.0.0 Queued as 4711\n", "S!")) as peer:
        run(main(peer.port))


@pytest.mark.smtp_server(extensions=["PIPELINING", "SIZE"])
@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("step", ["rcpt", "verdict"])
def test_a_cancelled_task_knows_whether_the_server_had_it_all(smtp_server: SmtpServer, step: Any, many: bool) -> None:
    rule = smtp_server.delay(step, 60)

    async def main() -> None:
        mailer = smtp_server.async_mailer()
        task: asyncio.Task[Any] = asyncio.create_task(mailer.send_many([MESSAGE]) if many else mailer.send(MESSAGE))
        while not rule.used:  # noqa: ASYNC110 - it is used by another thread
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert not mailer.is_connected
        notes = getattr(caught.value, "__notes__", [])
        assert any("may deliver it" in note for note in notes) == (step == "verdict")

    run(main())


def test_one_loop_after_the_other(smtp_server: SmtpServer) -> None:
    mailer = smtp_server.async_mailer()
    for _ in range(2):

        async def main() -> None:
            assert (await mailer.send(MESSAGE)).ok
            await mailer.close()

        run(main())
    assert len(smtp_server.mails) == 2


def test_two_loops_at_the_same_time(smtp_server: SmtpServer) -> None:
    mailer = smtp_server.async_mailer()

    async def main() -> None:
        async with mailer:
            assert (await mailer.send(MESSAGE)).ok

            def other() -> None:
                with pytest.raises(sansmtp.MisuseError, match="another event loop"):
                    asyncio.run(mailer.close())

            await asyncio.to_thread(other)
            assert (await mailer.send(MESSAGE)).ok

    run(main())
