"""What is measured: ``subjects.py NAME HOST PORT COUNT SIZE`` sends so many messages over one connection, or serves
until it is ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

SENDER, RECIPIENTS = "alice@example.com", ["bob@example.org"]


def message(size: int) -> bytes:
    """A message of this size in octets."""
    head = b"From: <alice@example.com>\r\nTo: <bob@example.org>\r\nSubject: bench\r\n\r\n"
    line = b"abcdefghijklmnopqrstuvwxyz" * 3 + b"\r\n"
    return (head + line * (size // len(line) + 1))[: size - 2] + b"\r\n"


def with_smtplib(host: str, port: int, count: int, content: bytes) -> None:
    import smtplib

    with smtplib.SMTP(host, port, local_hostname="a.example") as smtp:
        for _ in range(count):
            smtp.sendmail(SENDER, RECIPIENTS, content)


def with_drop_in(host: str, port: int, count: int, content: bytes) -> None:
    import sansmtp.smtplib as smtplib

    with smtplib.SMTP(host, port, local_hostname="a.example") as smtp:
        for _ in range(count):
            smtp.sendmail(SENDER, RECIPIENTS, content)


def with_mailer(host: str, port: int, count: int, content: bytes) -> None:
    import sansmtp

    config = sansmtp.Config(host, security="danger-plaintext", port=port)
    with sansmtp.Mailer(config) as mailer:
        for _ in range(count):
            mailer.send(content, sender=SENDER, recipients=RECIPIENTS)


def bulk(count: int, content: bytes) -> list[Any]:
    return [{"message": content, "sender": SENDER, "recipients": RECIPIENTS}] * count


def with_send_many(host: str, port: int, count: int, content: bytes) -> None:
    import sansmtp

    config = sansmtp.Config(host, security="danger-plaintext", port=port)
    with sansmtp.Mailer(config) as mailer:
        assert all(result.ok for result in mailer.send_many(bulk(count, content)))


def with_async_send_many(host: str, port: int, count: int, content: bytes) -> None:
    import sansmtp

    async def main() -> None:
        config = sansmtp.Config(host, security="danger-plaintext", port=port)
        async with sansmtp.AsyncMailer(config) as mailer:
            assert all(result.ok for result in await mailer.send_many(bulk(count, content)))

    asyncio.run(main())


def with_aiosmtplib(host: str, port: int, count: int, content: bytes) -> None:
    import aiosmtplib

    async def main() -> None:
        async with aiosmtplib.SMTP(hostname=host, port=port, local_hostname="a.example", start_tls=False) as smtp:
            for _ in range(count):
                await smtp.sendmail(SENDER, RECIPIENTS, content)

    asyncio.run(main())


def with_aio(host: str, port: int, count: int, content: bytes) -> None:
    import sansmtp.aio

    async def main() -> None:
        async with sansmtp.aio.SMTP(hostname=host, port=port, local_hostname="a.example", start_tls=False) as smtp:
            for _ in range(count):
                await smtp.sendmail(SENDER, RECIPIENTS, content)

    asyncio.run(main())


def with_async_mailer(host: str, port: int, count: int, content: bytes) -> None:
    import sansmtp

    async def main() -> None:
        config = sansmtp.Config(host, security="danger-plaintext", port=port)
        async with sansmtp.AsyncMailer(config) as mailer:
            for _ in range(count):
                await mailer.send(content, sender=SENDER, recipients=RECIPIENTS)

    asyncio.run(main())


def aiosmtpd_server(host: str, port: int, count: int, content: bytes) -> None:
    from functools import partial

    from aiosmtpd.smtp import SMTP

    class Sink:
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
            return "250 2.0.0 Ok"

    async def main() -> None:
        loop = asyncio.get_running_loop()
        new = partial(SMTP, Sink(), loop=loop, hostname="sink.example.com", ident="x", data_size_limit=64 << 20)
        server = await loop.create_server(new, host, port)
        print("ready", flush=True)
        await server.serve_forever()

    asyncio.run(main())


def our_server(host: str, port: int, count: int, content: bytes) -> None:
    import sansmtp

    class Sink:
        def message(self, session: sansmtp.Session, mail: sansmtp.Mail) -> None:
            pass

    async def main() -> None:
        server = sansmtp.Server(Sink(), sansmtp.ServerConfig("sink.example.com", max_size=64 << 20), port=port)
        await server.start()
        print("ready", flush=True)
        await server.serve_forever()

    asyncio.run(main())


SUBJECTS: dict[str, Callable[[str, int, int, bytes], None]] = {
    "smtplib": with_smtplib,
    "sansmtp.smtplib": with_drop_in,
    "sansmtp.Mailer": with_mailer,
    "sansmtp.Mailer, send_many": with_send_many,
    "aiosmtplib": with_aiosmtplib,
    "sansmtp.aio.SMTP": with_aio,
    "sansmtp.AsyncMailer": with_async_mailer,
    "sansmtp.AsyncMailer, send_many": with_async_send_many,
    "aiosmtpd": aiosmtpd_server,
    "sansmtp.Server": our_server,
}

if __name__ == "__main__":
    name, host, port, count, size = sys.argv[1:]
    SUBJECTS[name](host, int(port), int(count), message(int(size)))
