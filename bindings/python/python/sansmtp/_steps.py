"""What a mailer has to do, a step at a time, so that what both mailers do stands in one place, without the waiting.

Who knows what comes next is a generator: it yields a :class:`Step` and is sent what came of it, or thrown the
:class:`sansmtp.SansmtpError` that it failed with.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Connect:
    """Give the connection, set up if need be, and whether it was there before; raise if that does not work."""


@dataclass(frozen=True)
class NextMessage:
    """Give the next message; None behind the last one."""


@dataclass(frozen=True)
class NextEvent:
    """Give the next event. Where the connection awaits a verdict, ``follow`` is called before its last octets leave,
    so that what it submits goes out with them."""

    follow: Callable[[], None] | None


@dataclass(frozen=True)
class Part:
    """Say goodbye, and close the connection."""


@dataclass(frozen=True)
class Drop:
    """Close the connection without a word."""


Step: TypeAlias = Connect | NextMessage | NextEvent | Part | Drop
#: The steps to a result.
Steps: TypeAlias = Generator[Step, Any, _T]
