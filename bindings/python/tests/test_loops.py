"""Other loops than asyncio's own: uvloop and trio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sansmtp.aio
import trio
import uvloop
from sansmtp.testing import SmtpServer
from test_mailer import MESSAGE

LOOPS = pytest.mark.parametrize("loop", [uvloop.run, lambda main: trio.run(lambda: main)], ids=["uvloop", "trio"])


@LOOPS
def test_a_mailer(loop: Callable[[Any], None], smtp_server_factory: Callable[..., SmtpServer]) -> None:
    server = smtp_server_factory(security="starttls", user="me", password="s3cret-pw")

    async def main() -> None:
        async with server.async_mailer() as mailer:
            assert (await mailer.send(MESSAGE)).ok
            assert (await mailer.send(MESSAGE * 20_000)).ok
            results = await mailer.send_many([MESSAGE] * 3)
            assert all(result.ok for result in results)
        server.drop("verdict", times=1)
        with pytest.raises(sansmtp.ConnectionLostError) as caught:
            await server.async_mailer().send(MESSAGE)
        assert caught.value.outcome_unknown
        server.delay("rcpt", 30)
        with pytest.raises(sansmtp.TimedOutError):
            await sansmtp.AsyncMailer(
                server.config.replace(timeout=0.2), ssl_context=server.authority.client_context()
            ).send(MESSAGE)
        with pytest.raises(sansmtp.TlsError):
            await sansmtp.AsyncMailer(server.config).send(MESSAGE)

    loop(main())
    assert len(server.mails) == 5
    assert server.mails[1].content == MESSAGE * 20_000


@LOOPS
def test_the_names_of_aiosmtplib(loop: Callable[[Any], None], smtp_server: SmtpServer) -> None:
    async def main() -> None:
        async with sansmtp.aio.SMTP(hostname="127.0.0.1", port=smtp_server.port) as smtp:
            await smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE)
            assert smtp.get_transport_info("peername")[1] == smtp_server.port

    loop(main())
    assert len(smtp_server.mails) == 1


def test_trio_cancels(smtp_server: SmtpServer) -> None:
    smtp_server.delay("verdict", 30)

    async def main() -> None:
        mailer = smtp_server.async_mailer()
        with trio.move_on_after(0.2) as scope:
            await mailer.send(MESSAGE)
        assert scope.cancelled_caught
        assert not mailer.is_connected

    trio.run(main)


def test_a_server_under_uvloop() -> None:
    async def main() -> None:
        async with sansmtp.Server(object()) as server:
            config = sansmtp.Config("127.0.0.1", security="danger-plaintext", port=server.port, timeout=20)
            async with sansmtp.AsyncMailer(config) as mailer:
                assert (await mailer.send(MESSAGE)).ok

    uvloop.run(main())
