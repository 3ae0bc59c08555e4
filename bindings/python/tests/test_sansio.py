"""The connections without I/O: client and server against each other, with a clock of their own."""

from __future__ import annotations

import itertools
from typing import assert_never

import pytest
from sansmtp import sansio
from sansmtp.exceptions import ConfigError, EnvelopeError, MisuseError, PeerError, TimedOutError
from sansmtp.sansio import (
    Answer,
    AuthenticateRequest,
    AuthorizeRequest,
    BearerRequest,
    ChunkRefused,
    ClientConnection,
    Closed,
    ConnectRequest,
    Content,
    ContentWanted,
    DataRequest,
    Delivered,
    ExpandRequest,
    Hello,
    HelpRequest,
    MailRequest,
    MessageRequest,
    NotDelivered,
    PasswordRequest,
    Ready,
    RecipientReply,
    RecipientRequest,
    Refused,
    ReplyReceived,
    Reset,
    SenderReply,
    ServerConnection,
    StartTls,
    Verdict,
    VerifyRequest,
)

CONTENT = b"Subject: t\r\n\r\n.dot\r\n..two\r\n.\r\nend\r\n"


class Dialogue:
    """One message from a client to a server; ``size`` octets are handed over at a time."""

    def __init__(self, mechanism: str, size: int) -> None:
        self.clock = 0.0
        self.size = size
        self.client_events: list[str] = []
        self.server_events: list[str] = []
        self.stored: list[bytes] = []
        self.logins: list[tuple[str, str]] = []
        self._content = bytearray()
        config = sansio.Config(
            "mx.example.org",
            security="danger-plaintext",
            user="user" if mechanism else None,
            password="s3cret-pw" if mechanism else None,
            danger_plaintext_auth=True,
        )
        server_config = sansio.ServerConfig(
            "mx.example.org",
            mechanisms=[mechanism] if mechanism else [],
            require_auth=bool(mechanism),
            danger_plaintext_auth=True,
        )
        self.client = ClientConnection(config, clock=lambda: self.clock)
        self.server = ServerConnection(server_config, clock=lambda: self.clock)
        self.envelope = sansio.Envelope("a@example.org", ["b@example.org", "no@example.org"], size=len(CONTENT))

    def run(self) -> None:
        to_server = to_client = b""
        for _ in range(20_000):
            if self.client.is_closed and self.server.is_closed:
                return
            piece, to_server = to_server[: self.size], to_server[self.size :]
            self.server.receive_data(piece)
            while True:
                progress = False
                while (event := self.server.next_event()) is not None:
                    self.serve(event)
                    progress = True
                if data := self.server.data_to_send():
                    to_client += data
                    progress = True
                if not progress:
                    break
            piece, to_client = to_client[: self.size], to_client[self.size :]
            self.client.receive_data(piece)
            while (told := self.client.next_event()) is not None:
                self.act(told)
            to_server += self.client.data_to_send()
        pytest.fail(f"no end: {self.client!r} {self.server!r}")

    def act(self, event: sansio.ClientEvent) -> None:
        self.client_events.append(repr(event))
        match event:
            case Ready():
                self.client.submit(self.envelope, CONTENT)
            case Delivered(_) | NotDelivered(_, _):
                self.client.quit()
            case (
                ReplyReceived()
                | StartTls()
                | Refused()
                | SenderReply()
                | RecipientReply()
                | ContentWanted()
                | ChunkRefused()
                | Answer()
                | Closed()
                | Verdict()
            ):
                pass
            case other:
                assert_never(other)

    def serve(self, event: sansio.ServerEvent) -> None:
        match event:
            case Content(data):
                self._content += data
                return
            case RecipientRequest(address) if address.startswith("no"):
                self.server.answer(sansio.Reply(550, f"{address}\nis not here", enhanced_code="5.1.1"))
            case AuthenticateRequest(user, password):
                assert "s3cret" not in repr(event)
                self.logins.append((user, password))
                self.server.accept()
            case PasswordRequest(mechanism, user):
                assert mechanism == "SCRAM-SHA-256"
                self.logins.append((user, "s3cret-pw"))
                self.server.answer_with_password("s3cret-pw")
            case AuthorizeRequest(_, user, authorization):
                assert (user, authorization) == ("user", "")
                self.server.accept()
            case BearerRequest():
                pytest.fail("nobody has a token")
            case MessageRequest(size):
                assert size == len(self._content)
                self.stored.append(bytes(self._content))
                self._content.clear()
                self.server.accept()
            case (
                ConnectRequest()
                | MailRequest()
                | RecipientRequest()
                | DataRequest()
                | VerifyRequest()
                | ExpandRequest()
                | HelpRequest()
            ):
                self.server.accept()
            case Hello() | Reset() | StartTls():
                pass
            case other:
                assert_never(other)
        self.server_events.append(repr(event))


@pytest.mark.parametrize("mechanism", ["", "PLAIN", "LOGIN"])
def test_every_split_gives_the_same_dialogue(mechanism: str) -> None:
    whole = Dialogue(mechanism, 100_000)
    whole.run()
    assert whole.stored == [CONTENT]
    assert whole.logins == ([("user", "s3cret-pw")] if mechanism else [])
    result = whole.client.result()
    assert result.delivered == ["b@example.org"]
    assert str(result.failed[0].reply) == "550 5.1.1 no@example.org\nis not here"
    for size in itertools.chain(range(1, 20), (100, 511)):
        other = Dialogue(mechanism, size)
        other.run()
        assert (other.client_events, other.server_events) == (whole.client_events, whole.server_events)
        assert (other.stored, other.logins) == (whole.stored, whole.logins)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_scram_never_shows_the_password(size: int) -> None:
    dialogue = Dialogue("SCRAM-SHA-256", size)
    dialogue.run()
    assert dialogue.logins == [("user", "s3cret-pw")]
    assert dialogue.stored == [CONTENT]
    assert dialogue.client.mechanism == "SCRAM-SHA-256"


def ready_client(capabilities: str = "250-PIPELINING\r\n250 SIZE 1000") -> ClientConnection:
    config = sansio.Config("mx.example.org", security="danger-plaintext")
    client = ClientConnection(config, clock=lambda: 0.0)
    client.receive_data(b"220 x\r\n")
    assert isinstance(client.next_event(), ReplyReceived)
    assert client.data_to_send() == b"EHLO [127.0.0.1]\r\n"
    client.receive_data(f"250-x\r\n{capabilities}\r\n".encode())
    assert isinstance(client.next_event(), Ready)
    return client


def test_capabilities() -> None:
    client = ready_client()
    while client.next_event() is not None:
        pass
    assert "pipelining" in client.capabilities
    assert "STARTTLS" not in client.capabilities
    assert client.capabilities.extensions == {"PIPELINING", "SIZE"}
    assert client.capabilities.max_size == 1000


def settle(client: ClientConnection) -> list[sansio.ClientEvent]:
    """All events that are there."""
    events: list[sansio.ClientEvent] = []
    while (event := client.next_event()) is not None:
        events.append(event)
    return events


def test_content_in_pieces() -> None:
    client = ready_client()
    settle(client)
    with pytest.raises(MisuseError):
        client.write(b"x")
    client.submit(sansio.Envelope("", ["b@example.org"]))
    assert client.data_to_send() == b"MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    client.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert isinstance(settle(client)[-1], ContentWanted)
    assert client.write(b".a\n") == b"..a\r\n"
    assert client.write(bytearray(b".")) + client.write(memoryview(b".")) == b".." + b"."
    client.finish()
    assert client.data_to_send() == b"\r\n.\r\n"
    client.receive_data(b"250 taken\r\n")
    (event,) = settle(client)
    assert isinstance(event, Delivered)
    assert event.reply.text == "taken"


def test_the_clock_is_handed_in() -> None:
    now = 100.0
    config = sansio.Config("mx.example.org", security="danger-plaintext", timeout=30)
    client = ClientConnection(config, clock=lambda: now)
    assert client.timeout() == 30.0
    now = 129.0
    client.handle_timeout()
    assert client.timeout() == 1.0
    now = 130.0
    with pytest.raises(TimedOutError) as caught:
        client.handle_timeout()
    assert caught.value.stage == "greeting"
    with pytest.raises(TimedOutError):
        client.next_event()


def test_queries() -> None:
    client = ready_client()
    settle(client)
    client.verify("b@example.org")
    assert client.data_to_send() == b"VRFY b@example.org\r\n"
    with pytest.raises(MisuseError):
        client.noop()
    client.receive_data(b"252-perhaps\r\n252 so\r\n")
    (event,) = settle(client)
    assert isinstance(event, Answer)
    assert event.reply.text == "perhaps\nso"
    with pytest.raises(EnvelopeError):
        client.expand("list\r\nQUIT")
    client.noop()
    assert client.data_to_send() == b"NOOP\r\n"


@pytest.mark.parametrize("said", [b"hello\r\n", b"250\n", b"250-a\r\n251 b\r\n", b"250" + b"x" * 10_000])
def test_a_peer_that_breaks_the_protocol(said: bytes) -> None:
    client = ready_client()
    settle(client)
    client.noop()
    client.data_to_send()
    client.receive_data(said)
    with pytest.raises(PeerError):
        settle(client)
    # A failure is for good.
    with pytest.raises(PeerError):
        client.submit(sansio.Envelope("", ["b@example.org"]))


def test_a_server_answers_each_request_once() -> None:
    server = ServerConnection(sansio.ServerConfig())
    assert isinstance(server.next_event(), ConnectRequest)
    server.accept()
    with pytest.raises(MisuseError):
        server.accept()
    assert server.data_to_send().startswith(b"220 localhost ")
    server.receive_data(b"HELP\r\n")
    assert isinstance(server.next_event(), HelpRequest)
    with pytest.raises(ConfigError):
        server.answer(sansio.Reply(214, "a\r\nb"))
    with pytest.raises(ConfigError):
        server.answer(sansio.Reply(550, "x", enhanced_code="4.1.1"))
    server.answer(sansio.Reply(214, "a\nb"))
    assert server.data_to_send() == b"214-2.0.0 a\r\n214 2.0.0 b\r\n"


def test_wrong_types() -> None:
    client = ClientConnection(sansio.Config("mx.example.org"))
    with pytest.raises(TypeError, match="bytes, bytearray or memoryview"):
        client.receive_data("220 x")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        sansio.Envelope("a@example.org", "b@example.org")


def test_events_are_values() -> None:
    client = ready_client()
    settle(client)
    client.noop()
    client.data_to_send()
    client.receive_data(b"250 2.0.0 ok\r\n")
    (event,) = settle(client)
    assert isinstance(event, Answer)
    assert repr(event) == 'Answer(reply=Reply(code=250, enhanced_code="2.0.0", text="ok"))'
    assert hash(event) == hash(event)
    with pytest.raises(AttributeError):
        event.reply = None  # type: ignore[misc, assignment]


def test_a_turn_in_one_call() -> None:
    client = sansio.ClientConnection(sansio.Config("mx.example.org", security="danger-plaintext"), clock=lambda: 0.0)
    assert client.advance() == (None, b"", 300.0)
    event, data, timeout = client.advance(b"220 mx\r\n")
    assert (event, data, timeout) == (None, b"EHLO [127.0.0.1]\r\n", 300.0)
    event, data, timeout = client.advance(bytearray(b"250-mx\r\n250 PIPELINING\r\n"))
    assert isinstance(event, sansio.Ready)
    assert (data, timeout) == (b"", None)
    client.submit(sansio.Envelope("a@example.org", ["b@example.org", "c@example.org"]), b".x\r\n")
    assert client.advance()[1] == (
        b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\n"
    )
    # Nothing is to be done about these replies but what the machine does.
    assert client.advance(b"250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n")[:2] == (None, b"..x\r\n.\r\n")
    event, _, _ = client.advance(memoryview(b"250 taken\r\n"))
    assert isinstance(event, sansio.Delivered)
    assert [recipient.status for recipient in client.result().recipients] == ["delivered", "refused"]
    with pytest.raises(PeerError):
        client.advance(b"nonsense\r\n")


def test_a_turn_of_a_server_stops_where_something_is_asked() -> None:
    server = sansio.ServerConnection(sansio.ServerConfig("mx.example.org"))
    event, data = server.advance()
    assert isinstance(event, sansio.ConnectRequest)
    server.accept()
    event, data = server.advance(b"NOOP\r\nEHLO c\r\nMAIL FROM:<a@example.org>\r\nNOOP\r\n")
    assert isinstance(event, sansio.Hello)
    # What stands before the event, and nothing that stands behind it.
    assert data.endswith(b"250 2.0.0 Ok\r\n")
    assert data.count(b"\r\n") == 2
    event, data = server.advance()
    assert isinstance(event, sansio.MailRequest)
    assert data.startswith(b"250-mx.example.org")
    server.accept()
    event, data = server.advance()
    assert event is None
    assert data.count(b"\r\n") == 2
