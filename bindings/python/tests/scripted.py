"""A server that follows a script, so that every octet of a dialogue is known.

A script is a transcript: a line that begins with ``S:`` is said by the server in one piece (``\\n`` in it is a line
end), one with ``C:`` is expected from the client (``C: *`` takes any line), ``C.`` reads mail data up to its final
dot, ``EOF`` expects that the client closes, ``S!`` closes the connection, ``TLS`` does the handshake as the server.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Peer:
    """The scripted server and what it noticed."""

    port: int
    #: Every line that clients said, and mail data as one item.
    said: list[bytes] = field(default_factory=list)
    #: How many connections were made.
    connections: int = 0
    #: What did not go as the script says.
    complaints: list[str] = field(default_factory=list)


@contextmanager
def scripted(*scripts: str, context: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """Serves one connection after the other, each by its script. Complaints fail the test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = Peer(listener.getsockname()[1])
        listener.settimeout(20)
        thread = threading.Thread(target=_serve, args=(listener, scripts, context, peer))
        thread.start()
        try:
            yield peer
        finally:
            listener.close()
            thread.join(20)
        assert not thread.is_alive()
        assert peer.complaints == []


def _serve(listener: socket.socket, scripts: tuple[str, ...], context: ssl.SSLContext | None, peer: Peer) -> None:
    for script in scripts:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # The test ended; it counts connections itself.
        connection.settimeout(20)
        peer.connections += 1
        try:
            _follow(connection, script, context, peer)
        except (OSError, AssertionError) as error:
            peer.complaints.append(repr(error))
        finally:
            connection.close()


def _follow(connection: socket.socket, script: str, context: ssl.SSLContext | None, peer: Peer) -> None:
    reader = connection.makefile("rb")
    for line in filter(str.strip, script.splitlines()):
        step, _, text = line.strip().partition(" ")
        if step == "S:":
            connection.sendall(text.replace("\\n", "\r\n").encode() + b"\r\n")
        elif step == "C:":
            said = reader.readline()
            peer.said.append(said)
            if text != "*" and said != text.encode() + b"\r\n":
                peer.complaints.append(f"expected {text!r}, got {said!r}")
        elif step == "C.":
            data = b""
            while not data.endswith(b"\r\n.\r\n") and data != b".\r\n":
                more = reader.readline()
                if not more:
                    peer.complaints.append("the content has no end")
                    break
                data += more
            peer.said.append(data)
        elif step == "TLS":
            assert context is not None
            reader.close()
            connection = context.wrap_socket(connection, server_side=True)
            reader = connection.makefile("rb")
        elif step == "EOF":
            rest = reader.read()
            if rest:
                peer.complaints.append(f"expected the end, got {rest!r}")
        else:
            assert step == "S!", line
            break
    reader.close()
    connection.close()


#: A session up to the point where mail can be sent.
HELLO = """
S: 220 mx.example.org ESMTP
C: *
S: 250-mx.example.org
S: 250-PIPELINING
S: 250-SIZE 1000000
S: 250-8BITMIME
S: 250-ENHANCEDSTATUSCODES
S: 250 SMTPUTF8
"""

#: One accepted message, pipelined.
ACCEPT = """
C: *
C: *
C: DATA
S: 250 2.1.0 Ok
S: 250 2.1.5 Ok
S: 354 Go ahead
C.
S: 250 2.0.0 Queued as 4711
"""

QUIT = """
C: QUIT
S: 221 2.0.0 Bye
"""
