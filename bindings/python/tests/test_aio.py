"""The client with the names of aiosmtplib, next to that one where both must do the same."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest
import sansmtp.aio
from peers import PASSWORD, USER, AiosmtpdServer
from sansmtp.testing import SmtpServer
from scripted import HELLO, scripted
from test_async_mailer import run
from test_mailer import MESSAGE, email_message

BOTH = pytest.mark.parametrize("library", [aiosmtplib, sansmtp.aio], ids=["aiosmtplib", "sansmtp"])


def test_every_name_of_aiosmtplib_is_there() -> None:
    missing = set(aiosmtplib.__all__) - set(sansmtp.aio.__all__)
    assert missing == {"SMTPStatus"}
    public = {name for name in dir(aiosmtplib.SMTP) if not name.startswith("_")}
    assert public - set(dir(sansmtp.aio.SMTP)) == set()


@BOTH
def test_sendmail_tells_who_was_refused(library: Any, aiosmtpd: AiosmtpdServer) -> None:
    async def main() -> None:
        async with library.SMTP(hostname="127.0.0.1", port=aiosmtpd.port, start_tls=False) as smtp:
            assert smtp.is_connected
            refused, said = await smtp.sendmail("A <a@example.org>", ["b@example.org", "no@example.org"], MESSAGE)
            assert refused == {"no@example.org": (550, "5.1.1 No such user here")}
            assert said == "2.0.0 Taken"
            with pytest.raises(library.SMTPRecipientsRefused) as caught:
                await smtp.sendmail("a@example.org", "no@example.org", MESSAGE)
            assert [(one.code, one.recipient) for one in caught.value.recipients] == [(550, "no@example.org")]
            with pytest.raises(ValueError, match="not permitted"):
                await smtp.sendmail("a@example.org", ["b c@example.org"], MESSAGE)
            assert await smtp.send_message(email_message()) == ({}, "2.0.0 Taken")
            assert (await smtp.noop()).code == 250
            assert smtp.supports_extension("size")
            assert str(await smtp.rset()).startswith("250 ")
        assert not smtp.is_connected
        with pytest.raises(library.SMTPServerDisconnected):
            await smtp.noop()

    run(main())
    assert [mail.recipients for mail in aiosmtpd.mails] == [
        ["b@example.org"],
        ["b@example.org", "hidden@example.org"],
    ]
    assert b"hidden" not in aiosmtpd.mails[1].content


@BOTH
def test_command_by_command(library: Any, aiosmtpd: AiosmtpdServer) -> None:
    async def main() -> None:
        smtp = library.SMTP(hostname="127.0.0.1", port=aiosmtpd.port, start_tls=False, local_hostname="c.example.org")
        assert (await smtp.connect()).code == 220
        assert smtp.is_ehlo_or_helo_needed
        response = await smtp.ehlo()
        assert response.code == 250
        assert smtp.last_ehlo_response == response
        assert "8bitmime" in smtp.esmtp_extensions
        assert (await smtp.mail("a@example.org", options=["BODY=8BITMIME"])).code == 250
        assert (await smtp.rcpt("b@example.org")).code == 250
        with pytest.raises(library.SMTPRecipientRefused) as refused:
            await smtp.rcpt("no@example.org")
        assert (refused.value.code, refused.value.recipient) == (550, "no@example.org")
        assert (await smtp.data(MESSAGE)).code == 250
        with pytest.raises(library.SMTPResponseException):
            await smtp.expn("list")
        assert (await smtp.vrfy("b@example.org")).code in (250, 252)
        assert "RCPT" in await smtp.help()
        assert (await smtp.execute_command(b"NOOP")).code == 250
        with pytest.raises(ValueError, match="prohibited"):
            await smtp.execute_command(b"NOOP\r\nQUIT")
        assert smtp.get_transport_info("peername")[1] == aiosmtpd.port
        assert (await smtp.quit()).code == 221
        assert not smtp.is_connected

    run(main())
    assert aiosmtpd.mails[0].content == MESSAGE


@BOTH
@pytest.mark.parametrize("start_tls", [None, True])
def test_starttls_and_login(
    library: Any, start_tls: bool | None, aiosmtpd_tls: AiosmtpdServer, client_tls: Any
) -> None:
    async def main() -> None:
        options = {"hostname": "localhost", "port": aiosmtpd_tls.port, "tls_context": client_tls}
        async with library.SMTP(**options, start_tls=start_tls, username=USER, password=PASSWORD) as smtp:
            await smtp.sendmail("a@example.org", "b@example.org", MESSAGE)
        async with library.SMTP(**options) as smtp:
            with pytest.raises(library.SMTPAuthenticationError) as caught:
                await smtp.login(USER, "wr0ng")
            assert caught.value.code == 535
            assert smtp.is_connected
            assert (await smtp.auth_plain(USER, PASSWORD)).code == 235
            await smtp.sendmail("a@example.org", "b@example.org", MESSAGE)
        await library.send(MESSAGE, sender="a@example.org", recipients=["b@example.org"], username=USER,
                           password=PASSWORD, **options)  # fmt: skip

    run(main())
    assert [(mail.is_tls, mail.user) for mail in aiosmtpd_tls.mails] == [(True, USER)] * 3


@BOTH
def test_a_stranger_certificate(library: Any, aiosmtpd_tls: AiosmtpdServer) -> None:
    async def main() -> None:
        with pytest.raises((library.SMTPException, OSError)):
            await library.SMTP(hostname="localhost", port=aiosmtpd_tls.port).connect()
        async with library.SMTP(hostname="localhost", port=aiosmtpd_tls.port, validate_certs=False) as smtp:
            assert smtp.get_transport_info("ssl_object") is not None

    run(main())


@pytest.mark.parametrize("method", ["login", "auth_login", "auth_plain"])
def test_mechanisms(method: str, smtp_server_factory: Callable[..., SmtpServer]) -> None:
    server = smtp_server_factory(security="implicit-tls", user="me", password="s3cret-pw", token="t0ken")

    async def main() -> None:
        context = server.authority.client_context()
        async with sansmtp.aio.SMTP(hostname="localhost", port=server.port, use_tls=True, tls_context=context) as smtp:
            with pytest.raises(sansmtp.aio.SMTPAuthenticationError):
                await smtp.auth_xoauth2("me", "other")
            assert (await getattr(smtp, method)("me", b"s3cret-pw")).code == 235
            with pytest.raises(sansmtp.aio.SMTPNotSupported):
                await smtp.auth_crammd5("me", "s3cret-pw")
            assert "scram-sha-256" in smtp.supported_auth_methods
            await smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE * 20_000)

        async def token() -> str:
            return "t0ken"

        async with sansmtp.aio.SMTP(hostname="localhost", port=server.port, use_tls=True, tls_context=context,
                                    username="me", oauth_token_generator=token) as smtp:  # fmt: skip
            await smtp.sendmail("a@example.org", ["b@example.org"], bytearray(MESSAGE))

    run(main())
    assert [(mail.user, len(mail.content)) for mail in server.mails] == [("me", len(MESSAGE) * 20_000), ("me", 65)]


def test_options_of_the_envelope(smtp_server: SmtpServer) -> None:
    async def main() -> None:
        async with sansmtp.aio.SMTP(hostname="127.0.0.1", port=smtp_server.port) as smtp:
            await smtp.sendmail(
                "a@example.org",
                ["b@example.org"],
                MESSAGE,
                mail_options=["RET=HDRS", "BODY=8BITMIME"],
                rcpt_options=["NOTIFY=SUCCESS,DELAY"],
            )
            # What the core does not know goes command by command.
            await smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE, mail_options=["ENVID=42"])
            with pytest.raises(sansmtp.aio.SMTPSenderRefused) as refused:
                await smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE, mail_options=["XX=1"])
            assert refused.value.code == 555
            await smtp.sendmail("a@example.org", ["ü@example.org"], MESSAGE, mail_options=["smtputf8"])

    run(main())
    first, second, third = smtp_server.mails
    assert (first.mail_request.ret, first.mail_request.body) == ("headers", "8bitmime")
    assert first.recipient_requests[0].notify == ["success", "delay"]
    assert second.mail_request.envid == "42"
    assert third.recipients == ["ü@example.org"]


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "verdict"])
def test_refusals(step: str, smtp_server: SmtpServer) -> None:
    smtp_server.refuse(step, 451, "Not now", enhanced_code="4.3.0", times=1)  # type: ignore[arg-type]
    classes = {"mail": sansmtp.aio.SMTPSenderRefused, "rcpt": sansmtp.aio.SMTPRecipientsRefused}

    async def main() -> None:
        async with sansmtp.aio.SMTP(hostname="127.0.0.1", port=smtp_server.port) as smtp:
            with pytest.raises(classes.get(step, sansmtp.aio.SMTPDataError)):
                await smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE)
            await smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE)

    run(main())
    assert len(smtp_server.mails) == 1


def test_what_can_go_wrong(smtp_server: SmtpServer) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(sansmtp.aio.SMTPConnectError):
            await sansmtp.aio.SMTP(hostname="127.0.0.1", port=port).connect()
        smtp_server.drop("verdict", times=1)
        smtp = sansmtp.aio.SMTP(hostname="127.0.0.1", port=smtp_server.port)
        await smtp.connect()
        with pytest.raises(sansmtp.aio.SMTPUnknownOutcome):
            await smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE)
        assert not smtp.is_connected
        smtp_server.delay("hello", 30)
        await smtp.connect(start_tls=False)
        for address in ("b@example.org\r\nDATA", "b\n@example.org", "b@example.org> SIZE=1", ""):
            with pytest.raises(ValueError, match=r".+"):
                await smtp.sendmail("a@example.org", [address], MESSAGE)
        with pytest.raises(sansmtp.aio.SMTPReadTimeoutError):
            await smtp.ehlo(timeout=0.1)
        assert not smtp.is_connected
        smtp_server.delay("greeting", 30)
        with pytest.raises(sansmtp.aio.SMTPConnectTimeoutError):
            await smtp.connect(timeout=0.1)
        for options in ({"use_tls": True, "start_tls": True}, {"port": 1, "socket_path": "/x"}, {"hostname": "a\r\nb"}):
            with pytest.raises(ValueError, match=r".+"):
                sansmtp.aio.SMTP(**options)

    run(main())
    assert smtp_server.mails == []


def test_plain_text_behind_starttls_is_refused() -> None:
    async def main(port: int) -> None:
        smtp = sansmtp.aio.SMTP(hostname="127.0.0.1", port=port, start_tls=True, local_hostname="c")
        with pytest.raises(sansmtp.aio.SMTPException, match="plain text"):
            await smtp.connect()

    with scripted("S: 220 x\nC: *\nS: 250-x\nS: 250 STARTTLS\nC: *\nS: 220 go\\n250 injected\nEOF") as peer:
        run(main(peer.port))


def test_tasks_share_a_connection(smtp_server: SmtpServer) -> None:
    async def main() -> None:
        async with sansmtp.aio.SMTP(hostname="127.0.0.1", port=smtp_server.port) as smtp:
            sending: list[Coroutine[Any, Any, Any]] = [
                smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE) for _ in range(20)
            ]
            await asyncio.gather(*sending, *(smtp.noop() for _ in range(20)))

    run(main())
    assert len(smtp_server.mails) == 20
    assert smtp_server.connections == 1


def test_without_a_loop(smtp_server: SmtpServer) -> None:
    smtp = sansmtp.aio.SMTP(hostname="127.0.0.1", port=smtp_server.port)
    message = EmailMessage()
    message["From"], message["To"] = "a@example.org", "b@example.org"
    assert smtp.send_message_sync(message)[0] == {}
    assert smtp.sendmail_sync("a@example.org", "b@example.org", MESSAGE)[0] == {}
    assert len(smtp_server.mails) == 2


def test_a_server_that_only_knows_helo() -> None:
    transaction = "C: *\nS: 250 ok\nC: *\nS: 250 ok\nC: *\nS: 354 go\nC.\nS: 250 ok\nC: *\nS: 221 bye"
    script = "S: 220 x\nC: *\nS: 500 what\nC: *\nS: 250 x\n" + transaction

    async def main(port: int) -> None:
        async with sansmtp.aio.SMTP(hostname="127.0.0.1", port=port, start_tls=False, local_hostname="c") as smtp:
            await smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE)
            assert not smtp.supports_esmtp

    with scripted(script) as peer:
        run(main(peer.port))
    assert peer.said[1:4] == [b"HELO c\r\n", b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.org>\r\n"]


def test_commands_leave_in_groups() -> None:
    async def main(port: int) -> None:
        async with sansmtp.aio.SMTP(hostname="127.0.0.1", port=port, start_tls=False, local_hostname="c") as smtp:
            await smtp.sendmail("a@example.org", ["b@example.org"], MESSAGE)

    script = HELLO + "C: *\nC: *\nC: DATA\nS: 250 ok\\n250 ok\\n354 go\nC.\nS: 250 ok\nC: *\nS: 221 bye"
    with scripted(script) as peer:
        run(main(peer.port))


@pytest.mark.parametrize("content", [5, None, ["x"]])
def test_what_is_no_message(content: Any, smtp_server: SmtpServer) -> None:
    async def main() -> None:
        async with sansmtp.aio.SMTP(hostname="127.0.0.1", port=smtp_server.port) as smtp:
            with pytest.raises(TypeError):
                await smtp.sendmail("a@example.org", ["b@example.org"], content)

    asyncio.run(main())
    assert smtp_server.mails == []
