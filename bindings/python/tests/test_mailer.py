"""The blocking mailer against a scripted server and one of another maker."""

from __future__ import annotations

import email
import email.policy
import io
import os
import socket
import ssl
import threading
from email.message import EmailMessage

import pytest
import sansmtp
from peers import PASSWORD, USER, AiosmtpdServer
from scripted import ACCEPT, HELLO, QUIT, scripted

MESSAGE = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: t\r\n\r\n.dot\r\nend\r\n"


def plain(port: int, **options: float) -> sansmtp.Config:
    """A configuration without TLS for a server on this machine."""
    return sansmtp.Config("127.0.0.1", security="danger-plaintext", port=port, timeout=options.get("timeout", 20))


def read(content: bytes) -> EmailMessage:
    """A received mail as the standard library reads it."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_message_goes_out_in_two_exchanges() -> None:
    with scripted(HELLO + ACCEPT + QUIT) as peer, sansmtp.Mailer(plain(peer.port)) as mailer:
        result = mailer.send(MESSAGE)
        assert result.ok
        assert result.delivered == ["b@example.org"]
        assert str(result.reply) == "250 2.0.0 Queued as 4711"
    assert peer.said[1:] == [
        b"MAIL FROM:<a@example.org> SIZE=65\r\n",
        b"RCPT TO:<b@example.org>\r\n",
        b"DATA\r\n",
        MESSAGE.replace(b"\n.dot", b"\n..dot") + b".\r\n",
        b"QUIT\r\n",
    ]


def test_keyword_arguments_make_a_message(aiosmtpd: AiosmtpdServer) -> None:
    with sansmtp.Mailer(plain(aiosmtpd.port)) as mailer:
        result = mailer.send(
            from_="Zoë <zoe@example.org>",
            to=["b@example.org", "C D <c@example.org>"],
            bcc="hidden@example.org",
            subject="Grüße",
            text="Hällo\n.\n",
            html="<p>Hällo",
            attachments=[sansmtp.Attachment("täst.csv", b"a,b\r\n")],
            headers={"X-Sensor": "7"},
        )
    assert result.delivered == ["b@example.org", "c@example.org", "hidden@example.org"]
    (mail,) = aiosmtpd.mails
    assert mail.sender == "zoe@example.org"
    assert b"hidden" not in mail.content
    message = read(mail.content)
    assert message["Subject"] == "Grüße"
    assert message["From"].addresses[0].display_name == "Zoë"
    assert message["X-Sensor"] == "7"
    assert message["Message-ID"].endswith("@example.org>")
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == "Hällo\n.\n"
    (attachment,) = message.iter_attachments()
    assert isinstance(attachment, EmailMessage)
    assert attachment.get_filename() == "täst.csv"
    assert attachment.get_content_type() == "text/csv"
    assert attachment.get_payload(decode=True) == b"a,b\r\n"


def email_message() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "A <a@example.org>"
    message["To"] = "b@example.org"
    message["Bcc"] = "hidden@example.org"
    message["Subject"] = "t"
    message.set_content("Hällo\n", cte="8bit")
    return message


def test_an_email_message_keeps_its_bcc_to_itself(aiosmtpd: AiosmtpdServer) -> None:
    message = email_message()
    with sansmtp.Mailer(plain(aiosmtpd.port)) as mailer:
        mailer.send(message)
    assert message["Bcc"] == "hidden@example.org"
    (mail,) = aiosmtpd.mails
    assert mail.recipients == ["b@example.org", "hidden@example.org"]
    assert b"hidden" not in mail.content
    assert read(mail.content).get_content() == "Hällo\r\n"


def test_a_server_without_8bitmime_gets_ascii() -> None:
    hello = HELLO.replace("S: 250-8BITMIME\n", "")
    accept = ACCEPT.replace("C: *\nC: *", "C: *\nC: *\nC: *").replace("S: 250 2.1.5 Ok", "S: 250 Ok\nS: 250 Ok")
    with scripted(hello + accept + QUIT) as peer, sansmtp.Mailer(plain(peer.port)) as mailer:
        assert mailer.send(email_message()).ok
    (content,) = [said for said in peer.said if b"Subject" in said]
    assert content.isascii()
    assert b"BODY" not in b"".join(peer.said)
    assert read(content.removesuffix(b".\r\n")).get_content() == "Hällo\n"


def test_octets_lose_their_bcc_field(aiosmtpd: AiosmtpdServer) -> None:
    octets = MESSAGE.replace(b"Subject", b"BCC: x@example.org,\r\n y@example.org\r\nSubject")
    with sansmtp.Mailer(plain(aiosmtpd.port)) as mailer:
        for form in (octets, bytearray(octets), memoryview(octets), io.BytesIO(octets)):
            mailer.send(form)
    for mail in aiosmtpd.mails:
        assert mail.recipients == ["b@example.org", "x@example.org", "y@example.org"]
        assert mail.content == MESSAGE
    assert len(aiosmtpd.mails) == 4


def test_one_refused_recipient_does_not_stop_the_others(aiosmtpd: AiosmtpdServer) -> None:
    with sansmtp.Mailer(plain(aiosmtpd.port)) as mailer:
        result = mailer.send(MESSAGE, sender="a@example.org", recipients=["no@example.org", "b@example.org"])
        assert not result.ok
        assert result.delivered == ["b@example.org"]
        (refused,) = result.failed
        assert refused.address == "no@example.org"
        assert refused.status == "refused"
        assert refused.reply is not None
        assert (refused.reply.code, refused.reply.enhanced_code) == (550, "5.1.1")
        assert refused.next_step
        # The session goes on, also behind a message that nobody took.
        with pytest.raises(sansmtp.NotDeliveredError) as caught:
            mailer.send(MESSAGE, sender="a@example.org", recipients=["no@example.org"])
        assert caught.value.code == 550
        assert caught.value.result is not None
        assert caught.value.result.delivered == []
        assert mailer.send(MESSAGE).ok
    assert [mail.recipients for mail in aiosmtpd.mails] == [["b@example.org"]] * 2


def test_starttls_and_auth(aiosmtpd_tls: AiosmtpdServer, client_tls: ssl.SSLContext) -> None:
    config = sansmtp.Config(
        "localhost", security="starttls", port=aiosmtpd_tls.port, user=USER, password=PASSWORD, timeout=20
    )
    with sansmtp.Mailer(config, ssl_context=client_tls) as mailer:
        assert "AUTH" in mailer.connect()
        assert mailer.send(MESSAGE).ok
        assert mailer.send(MESSAGE * 20_000).ok
    assert [(mail.is_tls, mail.user) for mail in aiosmtpd_tls.mails] == [(True, USER)] * 2
    assert aiosmtpd_tls.mails[1].content == MESSAGE * 20_000


def test_implicit_tls(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    config = sansmtp.Config("localhost", timeout=20)
    with scripted("TLS" + HELLO + ACCEPT + QUIT, context=server_tls) as peer:
        with sansmtp.Mailer(config.replace(port=peer.port), ssl_context=client_tls) as mailer:
            assert mailer.send(MESSAGE).ok


def test_a_wrong_password_is_explained(aiosmtpd_tls: AiosmtpdServer, client_tls: ssl.SSLContext) -> None:
    config = sansmtp.Config(
        "localhost", security="starttls", port=aiosmtpd_tls.port, user=USER, password="wr0ng-pw", timeout=20
    )
    mailer = sansmtp.Mailer(config, ssl_context=client_tls)
    with pytest.raises(sansmtp.AuthenticationError) as caught:
        mailer.send(MESSAGE)
    assert caught.value.code == 535
    assert caught.value.enhanced_code == "5.7.8"
    assert caught.value.stage == "auth"
    assert caught.value.next_step
    assert "wr0ng-pw" not in str(caught.value) + repr(caught.value) + repr(mailer) + repr(config)
    assert not mailer.is_connected


def test_a_stranger_certificate_is_refused(aiosmtpd_tls: AiosmtpdServer) -> None:
    config = sansmtp.Config("localhost", security="starttls", port=aiosmtpd_tls.port, timeout=20)
    with pytest.raises(sansmtp.TlsError, match="not trusted"):
        sansmtp.Mailer(config).send(MESSAGE)
    assert aiosmtpd_tls.mails == []


def test_plain_text_behind_starttls_is_an_attack(server_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    script = "S: 220 x\nC: *\nS: 250-x\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\\n250 injected\nEOF"
    config = sansmtp.Config("localhost", security="starttls", timeout=20)
    with scripted(script, context=server_tls) as peer:
        with pytest.raises((sansmtp.PeerError, sansmtp.TlsError)):
            sansmtp.Mailer(config.replace(port=peer.port), ssl_context=client_tls).send(MESSAGE)


@pytest.mark.parametrize(
    "options",
    [
        {"sender": "a@example.org\r\nRCPT TO:<x@example.org>"},
        {"recipients": ["b@example.org>\r\nDATA"]},
        {"recipients": ["b"]},
        {"envid": "x" * 200},
    ],
)
def test_nothing_can_be_smuggled_into_a_command(options: sansmtp.SendOptions) -> None:
    with scripted() as peer:
        envelope: sansmtp.SendOptions = {"sender": "a@example.org", "recipients": ["b@example.org"]}
        envelope.update(options)
        with pytest.raises(ValueError, match=r"address|part|domain|envid"):
            sansmtp.Mailer(plain(peer.port)).send(MESSAGE, **envelope)
        assert peer.connections == 0


def test_nothing_can_be_smuggled_into_a_header() -> None:
    mailer = sansmtp.Mailer(plain(1))
    with pytest.raises(sansmtp.MessageError, match="line break"):
        mailer.send(from_="a@example.org", to="b@example.org", subject="x\r\nBcc: evil@example.org", text="")
    with pytest.raises(sansmtp.AddressError):
        mailer.send(from_="a@example.org", to="b@example.org\r\nX: y", text="")


def test_wrong_types_are_type_errors() -> None:
    mailer = sansmtp.Mailer(plain(1))
    with pytest.raises(TypeError, match="encode it"):
        mailer.send("Subject: x\r\n\r\n")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="subject"):
        mailer.send(MESSAGE, subject="x")
    with pytest.raises(TypeError, match="binary"):
        mailer.send(io.StringIO("x"))  # type: ignore[arg-type]


def test_a_lost_connection_behind_the_final_dot_is_told_apart() -> None:
    with scripted(HELLO + ACCEPT.replace("S: 250 2.0.0 Queued as 4711\n", "S!")) as peer:
        with pytest.raises(sansmtp.ConnectionLostError) as caught:
            sansmtp.Mailer(plain(peer.port)).send(MESSAGE)
    assert caught.value.outcome_unknown
    assert caught.value.result is not None
    assert [recipient.status for recipient in caught.value.result.recipients] == ["unknown"]
    assert peer.connections == 1


def test_a_lost_connection_before_the_content_is_no_mail() -> None:
    with scripted(HELLO + "C: *\nS!") as peer:
        with pytest.raises(sansmtp.ConnectionLostError) as caught:
            sansmtp.Mailer(plain(peer.port)).send(MESSAGE)
    assert not caught.value.outcome_unknown
    assert caught.value.result is not None
    assert [recipient.status for recipient in caught.value.result.recipients] == ["not-sent"]


@pytest.mark.parametrize("end", ["S!", "S: 421 4.4.2 Idle for too long\nS!"])
def test_an_idle_close_is_survived(end: str) -> None:
    with scripted(HELLO + ACCEPT + end, HELLO + ACCEPT + QUIT) as peer:
        with sansmtp.Mailer(plain(peer.port)) as mailer:
            assert mailer.send(MESSAGE).ok
            assert mailer.send(MESSAGE).ok
    assert peer.connections == 2


def test_a_silent_server_times_out() -> None:
    with scripted("S: 220 x\nC: *\nEOF") as peer:
        with pytest.raises(sansmtp.TimedOutError) as caught:
            sansmtp.Mailer(plain(peer.port, timeout=0.2)).send(MESSAGE)
    assert caught.value.stage == "hello"
    assert isinstance(caught.value, TimeoutError)


def test_a_refused_session_is_left_politely() -> None:
    with scripted("S: 554-5.7.1 No service\nS: 554 5.7.1 for you\nC: QUIT\nS: 221 Bye") as peer:
        with pytest.raises(sansmtp.RefusedError) as caught:
            sansmtp.Mailer(plain(peer.port)).send(MESSAGE)
    assert caught.value.code == 554
    assert caught.value.text == "No service\nfor you"


def test_what_a_server_says_can_not_steer_a_terminal() -> None:
    with scripted("S: 554 \x1b[2Jgone\nC: QUIT\nS: 221 Bye") as peer:
        with pytest.raises(sansmtp.RefusedError) as caught:
            sansmtp.Mailer(plain(peer.port)).send(MESSAGE)
    assert "\x1b" not in str(caught.value)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(sansmtp.ConnectError) as caught:
        sansmtp.Mailer(plain(port)).send(MESSAGE)
    assert isinstance(caught.value, ConnectionError)
    assert caught.value.next_step


def test_send_many_goes_on_after_a_refusal(aiosmtpd: AiosmtpdServer) -> None:
    done: list[int] = []
    messages: list[sansmtp.AnyMessage | sansmtp.BulkOptions] = [
        MESSAGE,
        {"from_": "a@example.org", "to": "no@example.org", "text": "x"},
        {"from_": "broken", "to": "b@example.org", "text": "x"},
        {"from_": "a@example.org", "to": "b@example.org", "text": "x"},
    ]
    with sansmtp.Mailer(plain(aiosmtpd.port)) as mailer:
        results = mailer.send_many(messages, progress=done.append)
    assert [result.ok for result in results] == [True, False, False, True]
    assert isinstance(results[1].error, sansmtp.NotDeliveredError)
    assert isinstance(results[2].error, sansmtp.AddressError)
    assert done == [1, 1, 1, 1]
    assert len(aiosmtpd.mails) == 2


def test_threads_share_a_mailer(aiosmtpd: AiosmtpdServer) -> None:
    with sansmtp.Mailer(plain(aiosmtpd.port)) as mailer:
        threads = [threading.Thread(target=lambda: [mailer.send(MESSAGE) for _ in range(10)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(aiosmtpd.mails) == 40
    assert {mail.content for mail in aiosmtpd.mails} == {MESSAGE}


def test_a_forked_child_makes_its_own_connection() -> None:
    with scripted(HELLO + ACCEPT + ACCEPT + QUIT) as peer, sansmtp.Mailer(plain(peer.port)) as mailer:
        mailer.send(MESSAGE)
        child = os.fork()
        if child == 0:
            os._exit(0 if not mailer.is_connected else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert mailer.send(MESSAGE).ok


def test_a_connector_replaces_the_socket(aiosmtpd: AiosmtpdServer) -> None:
    asked: list[tuple[str, int]] = []

    def connector(host: str, port: int, timeout: float) -> socket.socket:
        asked.append((host, port))
        return socket.create_connection(("127.0.0.1", aiosmtpd.port), timeout)

    config = sansmtp.Config("mx.example.org", security="danger-plaintext", timeout=20)
    with sansmtp.Mailer(config, connector=connector) as mailer:
        assert mailer.send(MESSAGE).ok
    assert asked == [("mx.example.org", 25)]
