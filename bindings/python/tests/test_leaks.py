"""Nothing is kept that nobody holds: a million calls do not grow the process."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sansmtp
from sansmtp import sansio

#: Calls across the border, all in all.
CALLS = 1_000_000
#: What an allocator may keep for itself, in octets.
TOLERANCE = 1_000_000

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells how large the process is")


def resident() -> int:
    """The size of the process in octets."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def session() -> None:
    """A whole dialogue, 60 calls or so: two messages, one of them for nobody."""
    client = sansio.ClientConnection(
        sansio.Config("mx.example.org", security="danger-plaintext", user="u", password="p", danger_plaintext_auth=True)
    )
    server = sansio.ServerConnection(
        sansio.ServerConfig("mx.example.org", mechanisms=["PLAIN"], danger_plaintext_auth=True)
    )
    envelope = sansio.Envelope("a@example.org", ["b@example.org", "no@example.org"], size=20)
    sent = 0
    while not (client.is_closed and server.is_closed):
        while (event := server.next_event()) is not None:
            match event:
                case sansio.RecipientRequest(address) if address.startswith("no"):
                    server.answer(sansio.Reply(550, "No", enhanced_code="5.1.1"))
                case sansio.AuthenticateRequest():
                    server.answer_with_password("p")
                case sansio.Hello() | sansio.Content() | sansio.Reset() | sansio.StartTls():
                    pass
                case _:
                    server.accept()
        client.receive_data(server.data_to_send())
        while (told := client.next_event()) is not None:
            match told:
                case sansio.Ready():
                    client.submit(envelope, bytearray(b"Subject: t\r\n\r\n.hello"))
                case sansio.Delivered() if sent == 0:
                    assert client.result().failed[0].reply is not None
                    sent += 1
                    client.submit(sansio.Envelope("", ["no@example.org"]), b"x")
                case sansio.Delivered() | sansio.NotDelivered():
                    repr(client.result())
                    client.quit()
        server.receive_data(client.data_to_send())


def refusals() -> None:
    """Exceptions and what hangs on them."""
    with pytest.raises(sansmtp.AddressError):
        sansio.Envelope("a@example.org", ["x\r\ny"])
    with pytest.raises(TypeError):
        sansio.Envelope("a@example.org", [1])  # type: ignore[list-item]
    with pytest.raises(sansmtp.ConfigError):
        sansmtp.from_url("http://x")
    client = sansio.ClientConnection(sansio.Config("mx.example.org", security="danger-plaintext"))
    client.receive_data(b"nonsense\r\n")
    with pytest.raises(sansmtp.PeerError):
        client.next_event()


@pytest.mark.parametrize(("call", "weight"), [(session, 60), (refusals, 8)])
def test_a_million_calls_leave_nothing_behind(call: Callable[[], None], weight: int) -> None:
    rounds = CALLS // 2 // weight if call is session else 5_000
    for _ in range(rounds // 10):
        call()
    before = resident()
    for _ in range(rounds):
        call()
    assert resident() - before < TOLERANCE
