"""Wrong values and types: exceptions that are documented, and nothing that goes out."""

from __future__ import annotations

import array
import copy
import pickle
from collections.abc import Callable
from email.message import EmailMessage, Message
from typing import Any

import pytest
import sansmtp
from sansmtp import sansio, smtplib
from sansmtp.testing import SmtpServer
from test_mailer import MESSAGE

PARTS: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"to": 1}, TypeError),
    ({"to": [1]}, TypeError),
    ({"text": b"x"}, TypeError),
    ({"subject": 5}, TypeError),
    ({"date": "today"}, TypeError),
    ({"nonsense": 1}, TypeError),
    ({"attachments": [sansmtp.Attachment("a", "text")]}, TypeError),  # type: ignore[arg-type]
    ({"attachments": ["/there/is/no/such/file"]}, FileNotFoundError),
    ({"attachments": [sansmtp.Attachment("a\r\nb", b"x")]}, sansmtp.MessageError),
    ({"attachments": [sansmtp.Attachment("a", b"x", content_type="a/b\r\nX: y")]}, sansmtp.MessageError),
    ({"attachments": "report.csv"}, TypeError),
    ({"headers": [("A", "b")]}, TypeError),
    ({"headers": {"A\r\nB": "c"}}, sansmtp.MessageError),
    ({"headers": {"A": "c\r\nX: y"}}, sansmtp.MessageError),
    ({"headers": {"A": "c\nX: y"}}, sansmtp.MessageError),
    ({"subject": "a\r\nBcc: evil@example.org"}, sansmtp.MessageError),
    ({"in_reply_to": "<a>\r\nX: y"}, sansmtp.MessageError),
    ({"text": "\ud800"}, sansmtp.MessageError),
    ({"to": ""}, sansmtp.AddressError),
    ({"to": "b"}, sansmtp.AddressError),
    ({"to": "b@example.org\r\nX: y"}, sansmtp.AddressError),
    ({"to": "b@example.org\0"}, sansmtp.AddressError),
    ({"from_": "a\n@example.org"}, sansmtp.AddressError),
    ({"sender": "a@example.org>\r\nRCPT TO:<evil@example.org"}, sansmtp.AddressError),
    ({"recipients": ["b@example.org\nDATA"]}, sansmtp.AddressError),
    ({"recipients": []}, sansmtp.UnsupportedError),
    ({"envid": "x" * 200}, sansmtp.EnvelopeError),
    ({"envid": "caf\u00e9"}, sansmtp.EnvelopeError),
    ({"ret": "everything"}, sansmtp.EnvelopeError),
    ({"notify": ["always"]}, sansmtp.EnvelopeError),
]


@pytest.mark.parametrize(("options", "expected"), PARTS, ids=[str(number) for number in range(len(PARTS))])
def test_parts(options: dict[str, Any], expected: type[Exception], smtp_server: SmtpServer) -> None:
    with smtp_server.mailer() as mailer:
        with pytest.raises(expected):
            mailer.send(**{"from_": "a@example.org", "to": "b@example.org", "text": "x", **options})
        # The mailer is not harmed.
        assert mailer.send(MESSAGE).ok
    assert len(smtp_server.mails) == 1


CONFIGS: list[Callable[[], object]] = [
    lambda: sansmtp.Config("h", port=70000),
    lambda: sansmtp.Config("h", port=-1),
    lambda: sansmtp.Config("a b"),
    lambda: sansmtp.Config("h", user="u\r\n", password="p"),
    lambda: sansmtp.Config("h", mechanisms=["X"]),
    lambda: sansmtp.from_url("smtps://u:p@"),
    lambda: sansmtp.gmail("me@gmail.com", ""),
    lambda: sansmtp.provider(""),
    lambda: sansmtp.Mailer("x"),
    lambda: sansmtp.ServerConfig("a b"),
    lambda: sansmtp.ServerConfig(extensions=["ETRN"]),
    lambda: sansmtp.ServerConfig(extensions=["NONE"]),
    lambda: sansmtp.ServerConfig(mechanisms=["GSSAPI"]),
    lambda: sansmtp.Reply(99, "x"),
    lambda: sansmtp.Reply(550, "x\r\ny"),
    lambda: sansmtp.Reply(550, "x", enhanced_code="2.0.0"),
]


@pytest.mark.parametrize("make", CONFIGS, ids=[str(number) for number in range(len(CONFIGS))])
def test_configurations(make: Callable[[], object]) -> None:
    with pytest.raises(sansmtp.ConfigError) as caught:
        make()
    assert isinstance(caught.value, ValueError)


def test_types_of_configurations() -> None:
    mailer: Any = sansmtp.Mailer
    config: Any = sansmtp.Config
    calls: list[tuple[Any, dict[str, Any]]] = [
        (mailer, {"config": 5}),
        (config, {"host": 5}),
        (config, {"host": "h", "port": "x"}),
    ]
    for make, options in calls:
        with pytest.raises(TypeError):
            make(**options)


@pytest.mark.parametrize("name", ["Subject", "X-Other", "To"])
def test_headers_of_message_objects(name: str, smtp_server: SmtpServer) -> None:
    """Not every policy of the standard library looks at what it writes."""
    for kind in (Message, EmailMessage):
        message = kind()
        message["From"] = "a@example.org"
        value = "b@example.org\r\nBcc: evil@example.org"
        try:
            message[name] = value
        except ValueError:
            continue  # This one does.
        with smtp_server.mailer() as mailer, pytest.raises(sansmtp.MessageError, match="line break"):
            mailer.send(message, recipients=["b@example.org"])
        with smtplib.SMTP(smtp_server.host, smtp_server.port) as smtp, pytest.raises(ValueError, match="line break"):
            smtp.send_message(message, "a@example.org", ["b@example.org"])
    assert smtp_server.mails == []


@pytest.mark.parametrize(
    "body", [b"\r", b"\n", b"", b".", b"\r\n", b"\r\r", b".\r", b"\r\n.\r\n", b"\0", b"\r" * 70_000, b"\n." * 40_000]
)
@pytest.mark.parametrize("chunking", [True, False])
def test_odd_contents_arrive_as_one_message(body: bytes, chunking: bool, smtp_server: SmtpServer) -> None:
    with sansmtp.Mailer(smtp_server.config.replace(chunking=chunking)) as mailer:
        assert mailer.send(body, sender="", recipients=["b@example.org"]).ok
    (mail,) = smtp_server.mails
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    assert mail.content == (b"".join(line + b"\r\n" for line in lines) if body else b"")


def test_every_bytes_like_object_is_taken(smtp_server: SmtpServer) -> None:
    forms: list[Any] = [
        bytearray(MESSAGE),
        memoryview(MESSAGE),
        memoryview(MESSAGE[::-1])[::-1],
        memoryview(b"".join(bytes([octet, 0]) for octet in MESSAGE))[::2],
    ]
    with smtp_server.mailer() as mailer:
        for form in forms:
            mailer.send(form)
    assert [mail.content for mail in smtp_server.mails] == [MESSAGE] * len(forms)
    numbers: Any = array.array("I", [1])
    with pytest.raises(TypeError, match="bytes"):
        sansio.ClientConnection(sansio.Config("h")).receive_data(numbers)


def test_exceptions_can_cross_to_another_process(smtp_server: SmtpServer) -> None:
    smtp_server.refuse("rcpt", 550, "No such user", enhanced_code="5.1.1")
    with smtp_server.mailer() as mailer, pytest.raises(sansmtp.NotDeliveredError) as caught:
        mailer.send(MESSAGE)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (copied.code, copied.enhanced_code, copied.text) == (550, "5.1.1", "No such user")
    assert str(copied) == str(caught.value)


def test_none_is_what_was_not_given(smtp_server: SmtpServer) -> None:
    nothing: dict[str, Any] = dict.fromkeys(["cc", "bcc", "html", "attachments", "headers", "sender", "recipients"])
    with smtp_server.mailer() as mailer:
        assert mailer.send(from_="a@example.org", to="b@example.org", text="x", **nothing).ok
        assert mailer.send(MESSAGE, sender=None, recipients=None).ok  # type: ignore[arg-type]


def test_recipients_that_can_be_read_once(smtp_server: SmtpServer) -> None:
    with smtp_server.mailer() as mailer:
        addresses = (f"{name}@example.org" for name in "bcd")
        assert len(mailer.send(MESSAGE, recipients=addresses).delivered) == 3
    assert smtp_server.mails[0].recipients == ["b@example.org", "c@example.org", "d@example.org"]


def test_one_message_is_not_many(smtp_server: SmtpServer) -> None:
    with smtp_server.mailer() as mailer:
        singles: tuple[Any, ...] = (MESSAGE, "x", {"message": MESSAGE}, EmailMessage(), memoryview(MESSAGE))
        for one in singles:
            with pytest.raises(TypeError, match="list of messages"):
                mailer.send_many(one)
    assert smtp_server.mails == []


def test_a_wrong_value_among_many_is_told_with_the_rest(smtp_server: SmtpServer) -> None:
    good = {"from_": "a@example.org", "to": "b@example.org", "text": "x"}
    missing = {**good, "attachments": ["/there/is/no/such/file"]}
    messages: list[Any] = [good, {**good, "too": "x"}, 5, missing, {**good, "text": 5}, good]
    with smtp_server.mailer() as mailer:
        results = mailer.send_many(messages)
    assert [result.ok for result in results] == [True, False, False, False, False, True]
    assert {type(result.error) for result in results[1:5]} == {sansmtp.MessageError}
    assert isinstance(results[3].error and results[3].error.__cause__, FileNotFoundError)
    assert len(smtp_server.mails) == 2


@pytest.mark.parametrize("kind", [sansmtp.Mailer, sansmtp.AsyncMailer])
def test_what_holds_a_connection_or_a_secret_does_not_multiply(kind: type[Any]) -> None:
    config = sansmtp.Config("mx.example.org", user="u", password="s3cret-pw")
    for call in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="make another one"):
            call(kind(config))
    with pytest.raises(TypeError):
        pickle.dumps(config)
    # Settings that hold a configuration can be copied: it never changes.
    assert copy.deepcopy({"mail": config})["mail"] is config
    assert copy.copy(config) is config


def test_results_can_be_copied(smtp_server: SmtpServer) -> None:
    with smtp_server.mailer() as mailer:
        result = mailer.send(MESSAGE)
        (of_many,) = mailer.send_many([MESSAGE])
    for value in (result, result.recipients[0], result.reply, of_many):
        assert copy.deepcopy(value) == value
