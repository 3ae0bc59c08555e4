"""What the arguments of :mod:`sansmtp.aio` mean: addresses and options."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterable
from typing import Any, cast

from sansmtp._names import Body, Notify, Ret


def text(value: str | bytes) -> str:
    """The text of a name or secret."""
    return value if isinstance(value, str) else value.decode()


def check_line(line: str) -> None:
    """Raises for what would be more than one line."""
    if "\r" in line or "\n" in line:
        raise ValueError("Command arguments contain prohibited newline characters")


#: What can not stand in an address without quotes.
_UNSAFE = re.compile(r"[\s<>\x00-\x1f\x7f]")
_QUOTED = re.compile(r'^"(?:[^"\\\r\n]|\\[^\r\n])*"')


def bare_address(text: str) -> str:
    """The bare address, without a display name."""
    check_line(text)
    # The standard library's parser repairs what it does not understand; it is asked for display names only.
    mailbox = (email.utils.parseaddr(text)[1] if "<" in text else "") or text.strip()
    if _UNSAFE.search(_QUOTED.sub("", mailbox, count=1)):
        raise ValueError(f"Address {mailbox!r} contains characters not permitted in an SMTP mailbox")
    return mailbox


def with_options(line: str, options: Iterable[str] | None) -> tuple[str, str]:
    """A command with its options, and how it is encoded."""
    chosen = list(options or ())
    utf8 = any(option.lower() == "smtputf8" for option in chosen)
    return " ".join([line, *chosen]), "utf-8" if utf8 else "ascii"


def envelope_options(mail_options: list[str], rcpt_options: list[str]) -> dict[str, Any] | None:
    """The options as an envelope has them; None if there is one that it does not know."""
    options: dict[str, Any] = {}
    for option in mail_options:
        keyword, _, value = option.lower().partition("=")
        if keyword == "size":
            continue  # It is declared anyway.
        if keyword == "body" and value in ("7bit", "8bitmime"):
            options["body"] = cast(Body, value)
        elif keyword == "smtputf8" and not value:
            options["smtputf8"] = True
        elif keyword == "ret" and value in ("full", "hdrs"):
            options["ret"] = cast(Ret, {"full": "full", "hdrs": "headers"}[value])
        else:
            return None
    for option in rcpt_options:
        keyword, _, value = option.lower().partition("=")
        events = [] if value == "never" else value.split(",")
        if keyword != "notify" or not all(event in ("success", "failure", "delay") for event in events):
            return None
        options["notify"] = cast(list[Notify], events)
    return options
