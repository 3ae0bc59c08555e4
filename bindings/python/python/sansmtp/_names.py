"""The closed sets of names that the core uses."""

from __future__ import annotations

import sys
from typing import Literal, TypeAlias

if sys.version_info >= (3, 12):
    from collections.abc import Buffer
else:
    Buffer: TypeAlias = bytes | bytearray | memoryview

#: How a connection is protected: TLS from the first octet (usually port 465), STARTTLS before anything else
#: (usually port 587), or not at all.
Security: TypeAlias = Literal["implicit-tls", "starttls", "danger-plaintext"]

#: What a dialogue is at.
Stage: TypeAlias = Literal[
    "greeting",
    "hello",
    "starttls",
    "auth",
    "idle",
    "mail",
    "rcpt",
    "data",
    "content",
    "rset",
    "query",
    "quit",
]

#: What became of a recipient.
Status: TypeAlias = Literal["delivered", "refused", "not-sent", "unknown"]

#: What the content of a message may hold (RFC 6152, RFC 3030).
Body: TypeAlias = Literal["7bit", "8bitmime", "binarymime"]

#: How much of a message a delivery report returns (RFC 3461, section 4.3).
Ret: TypeAlias = Literal["full", "headers"]

#: When to send a delivery report (RFC 3461, section 4.1).
Notify: TypeAlias = Literal["success", "failure", "delay"]

#: What happens to a message that is late: it is returned, or delivered all the same and its sender told (RFC 2852).
Late: TypeAlias = Literal["return", "notify"]

__all__ = ["Body", "Buffer", "Late", "Notify", "Ret", "Security", "Stage", "Status"]
