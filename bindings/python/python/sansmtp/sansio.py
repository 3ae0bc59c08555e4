"""SMTP connections without I/O, for any transport.

``ClientConnection`` and ``ServerConnection`` take octets and give events and octets; sockets, TLS and time are
yours. A driver is this loop::

    while True:
        while (event := connection.next_event()) is not None:
            match event:
                case Ready():
                    connection.submit(envelope, content)
                case Delivered(reply):
                    connection.quit()
                ...
        transport.send(connection.data_to_send())
        connection.receive_data(transport.receive())

Every event is a frozen class. :data:`ClientEvent` and :data:`ServerEvent` are the unions of all there are, so that a
type checker tells what a ``match`` forgets.
"""

from __future__ import annotations

from typing import TypeAlias

from sansmtp._core import (
    Answer,
    AuthenticateRequest,
    AuthorizeRequest,
    BearerRequest,
    Capabilities,
    ChunkRefused,
    ClientConnection,
    Closed,
    Config,
    ConnectRequest,
    Content,
    ContentWanted,
    DataRequest,
    Delivered,
    Envelope,
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
    RecipientResult,
    Refused,
    Reply,
    ReplyReceived,
    Reset,
    SenderReply,
    SendResult,
    ServerConfig,
    ServerConnection,
    StartTls,
    Verdict,
    VerifyRequest,
)

#: All that a :class:`ClientConnection` can say.
ClientEvent: TypeAlias = (
    ReplyReceived
    | StartTls
    | Ready
    | Refused
    | SenderReply
    | RecipientReply
    | ContentWanted
    | ChunkRefused
    | Delivered
    | Verdict
    | NotDelivered
    | Answer
    | Closed
)

#: What a :class:`ServerConnection` asks: it waits for ``accept`` or ``answer``.
ServerRequest: TypeAlias = (
    ConnectRequest
    | AuthenticateRequest
    | PasswordRequest
    | BearerRequest
    | AuthorizeRequest
    | MailRequest
    | RecipientRequest
    | DataRequest
    | MessageRequest
    | VerifyRequest
    | ExpandRequest
    | HelpRequest
)

#: All that a :class:`ServerConnection` can say.
ServerEvent: TypeAlias = ServerRequest | Hello | Content | Reset | StartTls

__all__ = [
    "Answer",
    "AuthenticateRequest",
    "AuthorizeRequest",
    "BearerRequest",
    "Capabilities",
    "ChunkRefused",
    "ClientConnection",
    "ClientEvent",
    "Closed",
    "Config",
    "ConnectRequest",
    "Content",
    "ContentWanted",
    "DataRequest",
    "Delivered",
    "Envelope",
    "ExpandRequest",
    "Hello",
    "HelpRequest",
    "MailRequest",
    "MessageRequest",
    "NotDelivered",
    "PasswordRequest",
    "Ready",
    "RecipientReply",
    "RecipientRequest",
    "RecipientResult",
    "Refused",
    "Reply",
    "ReplyReceived",
    "Reset",
    "SendResult",
    "SenderReply",
    "ServerConfig",
    "ServerConnection",
    "ServerEvent",
    "ServerRequest",
    "StartTls",
    "Verdict",
    "VerifyRequest",
]
