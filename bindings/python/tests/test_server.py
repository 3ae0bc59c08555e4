"""The server and the fixture ``smtp_server``, with the standard library's client and our own."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from typing import cast

import pytest
import sansmtp
from sansmtp.testing import Authority, SmtpServer
from test_mailer import MESSAGE


def test_it_collects_mails(smtp_server: SmtpServer) -> None:
    with smtplib.SMTP(smtp_server.host, smtp_server.port) as client:
        client.sendmail("a@example.org", ["b@example.org", "c@example.org"], MESSAGE)
    (mail,) = smtp_server.mails
    assert (mail.sender, mail.recipients) == ("a@example.org", ["b@example.org", "c@example.org"])
    assert mail.content == MESSAGE
    assert (mail.subject, mail.text) == ("t", ".dot\nend\n")
    assert not mail.is_tls
    with smtp_server.mailer() as mailer:
        mailer.send(
            from_="a@example.org",
            to="b@example.org",
            subject="Grüße",
            text="Hällo",
            html="<b>Hällo</b>",
            attachments=[sansmtp.Attachment("täst.csv", b"a,b\r\n")],
        )
    mail = smtp_server.wait_for(2)[1]
    assert (mail.subject, mail.text.strip(), mail.html.strip()) == ("Grüße", "Hällo", "<b>Hällo</b>")
    assert mail.attachments == {"täst.csv": b"a,b\r\n"}
    smtp_server.reset()
    assert smtp_server.mails == []


@pytest.mark.smtp_server(security="starttls", user="me", password="s3cret-pw", require_auth=True)
def test_starttls_and_a_sign_in(smtp_server: SmtpServer) -> None:
    with smtplib.SMTP(smtp_server.host, smtp_server.port) as client:
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail("a@example.org", "b@example.org", MESSAGE)
        assert refused.value.smtp_code == 530
        client.starttls(context=smtp_server.authority.client_context())
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("me", "wr0ng")
        client.login("me", "s3cret-pw")
        client.sendmail("a@example.org", "b@example.org", MESSAGE)
    with smtp_server.mailer() as mailer:
        mailer.send(MESSAGE)
    assert [(mail.is_tls, mail.user) for mail in smtp_server.mails] == [(True, "me")] * 2


@pytest.mark.smtp_server(security="implicit-tls")
def test_implicit_tls(smtp_server: SmtpServer) -> None:
    context = smtp_server.authority.client_context()
    with smtplib.SMTP_SSL(smtp_server.host, smtp_server.port, context=context) as client:
        client.sendmail("a@example.org", "b@example.org", MESSAGE * 10_000)
    assert smtp_server.mails[0].content == MESSAGE * 10_000
    with pytest.raises(sansmtp.TlsError):
        sansmtp.Mailer(smtp_server.config).send(MESSAGE)


def test_the_environment_of_the_program_under_test(
    smtp_server_factory: Callable[..., SmtpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server_factory(security="starttls")
    monkeypatch.setenv("SMTP_URL", server.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority.ca_file))
    with sansmtp.Mailer(sansmtp.from_env()) as mailer:
        assert mailer.send(MESSAGE).ok


def test_refusals(smtp_server: SmtpServer) -> None:
    smtp_server.refuse("rcpt", 550, "No such user", enhanced_code="5.1.1", address="no@example.org")
    smtp_server.refuse("verdict", 452, "Later", times=1)
    with smtp_server.mailer() as mailer:
        with pytest.raises(sansmtp.NotDeliveredError) as caught:
            mailer.send(MESSAGE)
        assert (caught.value.code, caught.value.temporary) == (452, True)
        result = mailer.send(MESSAGE, sender="a@example.org", recipients=["no@example.org", "b@example.org"])
        assert result.delivered == ["b@example.org"]
        assert str(result.failed[0].reply) == "550 5.1.1 No such user"
    assert [mail.recipients for mail in smtp_server.mails] == [["b@example.org"]]


@pytest.mark.parametrize("step", ["greeting", "mail", "rcpt", "data", "verdict"])
@pytest.mark.parametrize("chunking", [True, False])
def test_a_refusal_at_each_step(smtp_server: SmtpServer, step: str, chunking: bool) -> None:
    smtp_server.refuse(step, 554, "Go away")  # type: ignore[arg-type]
    with sansmtp.Mailer(smtp_server.config.replace(chunking=chunking)) as mailer:
        with pytest.raises((sansmtp.NotDeliveredError, sansmtp.RefusedError), match="Go away") as caught:
            mailer.send(MESSAGE)
    assert (caught.value.code, caught.value.text) == (554, "Go away")
    assert smtp_server.mails == []


@pytest.mark.parametrize("step", ["greeting", "hello", "mail", "rcpt", "data", "content", "verdict"])
@pytest.mark.parametrize("chunking", [True, False])
def test_a_drop_at_each_step(smtp_server: SmtpServer, step: str, chunking: bool) -> None:
    smtp_server.drop(step)  # type: ignore[arg-type]
    with sansmtp.Mailer(smtp_server.config.replace(chunking=chunking)) as mailer:
        with pytest.raises(sansmtp.ConnectionLostError) as caught:
            mailer.send(MESSAGE)
    assert smtp_server.mails == []
    if step == "verdict":
        assert caught.value.outcome_unknown
    assert smtp_server.connections == 1


@pytest.mark.smtp_server(security="starttls")
@pytest.mark.parametrize("step", ["starttls", "mail"])
def test_a_drop_with_tls(smtp_server: SmtpServer, step: str) -> None:
    smtp_server.drop(step, times=1)  # type: ignore[arg-type]
    with smtp_server.mailer() as mailer:
        with pytest.raises((sansmtp.ConnectionLostError, sansmtp.TlsError)):
            mailer.send(MESSAGE)
        assert mailer.send(MESSAGE).ok


def test_a_delay(smtp_server: SmtpServer) -> None:
    smtp_server.delay("rcpt", 0.05, times=1)
    start = time.monotonic()
    with smtp_server.mailer() as mailer:
        assert mailer.send(MESSAGE).ok
        assert time.monotonic() - start >= 0.05
        smtp_server.delay("verdict", 30)
        mailer.close()
    with pytest.raises(sansmtp.TimedOutError) as caught:
        sansmtp.Mailer(smtp_server.config.replace(timeout=0.2)).send(MESSAGE)
    assert caught.value.outcome_unknown


def test_senseless_scripts(smtp_server: SmtpServer) -> None:
    with pytest.raises(ValueError, match="no step"):
        smtp_server.refuse("nothing")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="can not refuse"):
        smtp_server.refuse("hello")
    with pytest.raises(ValueError, match="400 to 599"):
        smtp_server.refuse("mail", 250)
    with pytest.raises(sansmtp.ConfigError):
        smtp_server.refuse("mail", 550, "a\r\nb")


@pytest.mark.smtp_server(profile="gmail", user="me@gmail.com", password="abcdefghijklmnop")
def test_the_profile_of_gmail(smtp_server: SmtpServer) -> None:
    context = smtp_server.authority.client_context()
    config = sansmtp.gmail("me@gmail.com", "abcd efgh ijkl mnop")
    assert smtp_server.config.user == config.user
    with smtp_server.mailer() as mailer:
        assert "gsmtp" in str(mailer.send(MESSAGE).reply)
        assert mailer.connect().max_size == 35_882_577
    with smtplib.SMTP(smtp_server.host, smtp_server.port) as client:
        assert client.ehlo()[1].startswith(b"smtp.gmail.com")
        client.starttls(context=context)
        with pytest.raises(smtplib.SMTPAuthenticationError, match="BadCredentials") as caught:
            client.login("me@gmail.com", "my own password")
        assert caught.value.smtp_code == 535
    assert smtp_server.profile is not None
    smtp_server.refuse("auth", smtp_server.profile.own_password)
    with pytest.raises(sansmtp.AuthenticationError) as refused:
        smtp_server.mailer().send(MESSAGE)
    assert refused.value.code == 534
    assert "app password" in str(refused.value)


def test_every_profile_works(smtp_server_factory: Callable[..., SmtpServer]) -> None:
    from sansmtp.testing import PROFILES

    for name in PROFILES:
        server = smtp_server_factory(profile=name)
        with server.mailer() as mailer:
            assert mailer.send(MESSAGE).ok
    with pytest.raises(sansmtp.ConfigError, match="gmail"):
        SmtpServer(profile="gmial")


def test_an_oauth2_token(smtp_server_factory: Callable[..., SmtpServer]) -> None:
    server = smtp_server_factory(security="starttls", user="me@example.org", password="pw", token="t0ken")
    context = server.authority.client_context()
    config = sansmtp.Config(
        server.host, security="starttls", port=server.port, user="me@example.org", oauth2_token="t0ken", timeout=20
    )
    with sansmtp.Mailer(config, ssl_context=context) as mailer:
        assert mailer.send(MESSAGE).ok
    with pytest.raises(sansmtp.AuthenticationError):
        sansmtp.Mailer(config.replace(oauth2_token="other"), ssl_context=context).send(MESSAGE)
    assert server.mails[0].user == "me@example.org"


@pytest.mark.parametrize("with_trustme", [True, False])
def test_authorities(with_trustme: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not with_trustme:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with Authority() as authority, SmtpServer(security="starttls", authority=authority) as server:
        with server.mailer() as mailer:
            assert mailer.send(MESSAGE).ok
        for name in ("127.0.0.1", "localhost"):
            config = sansmtp.Config(name, security="starttls", port=server.port, timeout=20)
            with sansmtp.Mailer(config, ssl_context=authority.client_context()) as mailer:
                assert mailer.send(MESSAGE).ok
    assert not authority.ca_file.exists()


class Everything:
    """A handler with every method, all of them async."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def connect(self, session: sansmtp.Session) -> None:
        self.seen.append("connect")

    async def hello(self, session: sansmtp.Session) -> None:
        self.seen.append(session.hello)

    async def password(self, session: sansmtp.Session, user: str) -> str | None:
        await asyncio.sleep(0)
        return {"me": "s3cret-pw"}.get(user)

    async def sender(self, session: sansmtp.Session, address: str, request: object) -> bool:
        return address != "evil@example.org"

    async def recipient(self, session: sansmtp.Session, address: str, request: object) -> sansmtp.Reply | None:
        await asyncio.sleep(0)
        return sansmtp.Reply(450, "Busy", enhanced_code="4.2.1") if address.startswith("busy") else None

    async def message(self, session: sansmtp.Session, mail: sansmtp.Mail) -> sansmtp.Reply:
        await asyncio.sleep(0)
        self.seen.append(f"{mail.sender} {[one.address for one in mail.recipients]} {len(mail.content)}")
        if b"crash" in mail.content:
            raise RuntimeError("this is a test")
        return sansmtp.Reply(250, f"Message {session.messages + 1} of {session.user}", enhanced_code="2.0.0")

    async def verify(self, session: sansmtp.Session, text: str) -> sansmtp.Reply:
        return sansmtp.Reply(250, f"<{text}@example.org>")

    def closed(self, session: sansmtp.Session) -> None:
        self.seen.append("closed")


def test_an_async_handler(caplog: pytest.LogCaptureFixture) -> None:
    handler = Everything()
    config = sansmtp.ServerConfig(
        "mx.example.org", mechanisms=["SCRAM-SHA-256", "PLAIN"], danger_plaintext_auth=True, max_size=2_000_000
    )

    async def main() -> None:
        async with sansmtp.Server(handler, config) as server:
            client = sansmtp.Config(
                "127.0.0.1",
                security="danger-plaintext",
                port=server.port,
                user="me",
                password="s3cret-pw",
                ehlo_name="client.example.org",
                timeout=20,
                danger_plaintext_auth=True,
            )
            for mechanism in ("SCRAM-SHA-256", "PLAIN"):
                async with sansmtp.AsyncMailer(client.replace(mechanisms=[mechanism])) as mailer:
                    result = await mailer.send(MESSAGE)
                    assert str(result.reply) == "250 2.0.0 Message 1 of me"
                    assert str((await mailer.send(MESSAGE)).reply) == "250 2.0.0 Message 2 of me"
                    result = await mailer.send(MESSAGE, recipients=["busy@example.org", "b@example.org"])
                    assert (result.delivered, result.failed[0].address) == (["b@example.org"], "busy@example.org")
                    with pytest.raises(sansmtp.NotDeliveredError, match=r"550 5\.7\.1"):
                        await mailer.send(MESSAGE, sender="evil@example.org")
                    with pytest.raises(sansmtp.NotDeliveredError, match=r"451 4\.3\.0"):
                        await mailer.send(MESSAGE + b"crash\r\n")
                    big = MESSAGE * 20_000
                    assert len(big) < 2_000_000
                    assert (await mailer.send(big)).ok
                with pytest.raises(sansmtp.AuthenticationError):
                    await sansmtp.AsyncMailer(client.replace(mechanisms=[mechanism], password="wrong")).send(MESSAGE)
                with pytest.raises(sansmtp.AuthenticationError):
                    await sansmtp.AsyncMailer(client.replace(mechanisms=[mechanism], user="nobody", password="x")).send(
                        MESSAGE
                    )

    asyncio.run(asyncio.wait_for(main(), 60))
    assert "this is a test" in caplog.text
    assert handler.seen[:3] == ["connect", "client.example.org", "a@example.org ['b@example.org'] 65"]
    assert handler.seen.count("closed") == 6


def test_pipelined_commands_are_answered_in_one_write() -> None:
    async def main() -> None:
        async with sansmtp.Server(Everything()) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(
                b"EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nhi\r\n.\r\n"
                b"VRFY me\r\nNOOP\r\nQUIT\r\n"
            )
            replies = (await reader.read(-1)).decode().splitlines()
            writer.close()
            last = [line for line in replies if line[3:4] == " "]
            assert [line[:3] for line in last] == ["220", "250", "250", "250", "354", "250", "250", "250", "221"]
            assert "250 2.0.0 <me@example.org>" in last

    asyncio.run(asyncio.wait_for(main(), 60))


def test_a_client_that_closes_or_babbles_harms_nobody() -> None:
    async def main() -> None:
        config = sansmtp.ServerConfig(max_errors=3, timeout=20)
        async with sansmtp.Server(Everything(), config, max_connections=2) as server:
            for octets in (b"", b"EHLO c\r\nMAIL FROM:<a@example.org>\r\n", b"\0\xff\r\n" * 1000, b"A" * 1_000_000):
                reader, writer = await asyncio.open_connection(server.host, server.port)
                writer.write(octets)
                writer.write_eof()
                with contextlib.suppress(ConnectionError):
                    await reader.read(-1)
                writer.close()
            held = [await asyncio.open_connection(server.host, server.port) for _ in range(2)]
            for reader, _ in held:
                assert (await reader.readline()).startswith(b"220")
            reader, writer = await asyncio.open_connection(server.host, server.port)
            assert (await reader.readline()).startswith(b"421 4.7.0")
            assert await reader.read(-1) == b""
            for _, other in [*held, (reader, writer)]:
                other.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_a_silent_client_is_told_goodbye() -> None:
    async def main() -> None:
        async with sansmtp.Server(object(), sansmtp.ServerConfig(timeout=0.1)) as server:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            said = await reader.read(-1)
            assert said.startswith(b"220 ")
            assert b"\r\n421 " in said
            writer.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_close_tells_the_clients() -> None:
    async def main() -> None:
        server = sansmtp.Server(object())
        await server.start()
        reader, writer = await asyncio.open_connection(server.host, server.port)
        assert (await reader.readline()).startswith(b"220")
        await server.close()
        assert (await reader.read(-1)).startswith(b"421")
        writer.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_nothing_is_left_open(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    ended: list[str] = []

    class Handler:
        def closed(self, session: sansmtp.Session) -> None:
            ended.append(session.hello)

    async def main() -> None:
        config = sansmtp.ServerConfig(security="implicit-tls")
        server = sansmtp.Server(Handler(), config, ssl_context=server_tls)
        await server.start()
        # A client that never answers the end of TLS.
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=client_tls, server_hostname="localhost"
        )
        await reader.readline()
        writer.write(b"EHLO c.example\r\n")
        await reader.readuntil(b"250 ")
        cast(asyncio.Transport, writer.transport).pause_reading()
        await server.close(grace=0)
        assert ended == ["c.example"]
        writer.transport.abort()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_text_behind_starttls_is_refused(smtp_server_factory: Callable[..., SmtpServer]) -> None:
    server = smtp_server_factory(security="starttls")
    with socket.create_connection((server.host, server.port), 20) as sock:
        sock.sendall(b"EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil@example.org>\r\n")
        said = b""
        while data := sock.recv(4096):
            said += data
    assert b"250 2.1.0" not in said


def test_tls_needs_both_halves(server_tls: ssl.SSLContext) -> None:
    with pytest.raises(sansmtp.ConfigError, match="do not go together"):
        sansmtp.Server(object(), sansmtp.ServerConfig(security="starttls"))
    with pytest.raises(sansmtp.ConfigError, match="do not go together"):
        sansmtp.Server(object(), ssl_context=server_tls)
