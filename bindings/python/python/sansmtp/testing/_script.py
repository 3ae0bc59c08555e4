"""What the server for tests does instead of taking a mail."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from sansmtp._core import Reply

#: Where a server can fail: when a client connects, at its EHLO, at STARTTLS, when it signs in, at MAIL, RCPT and
#: DATA, in the middle of the content, and when the content is complete.
Step: TypeAlias = Literal["greeting", "hello", "starttls", "auth", "mail", "rcpt", "data", "content", "verdict"]

#: The steps at which a server can not say no.
_SILENT = ("hello", "starttls", "content")


@dataclass
class Rule:
    """One thing that the server does at a step."""

    step: Step
    #: Says this instead of yes.
    reply: Reply | None = None
    #: Waits for so many seconds first.
    delay: float = 0.0
    #: Closes the connection without a word.
    drop: bool = False
    #: At RCPT and MAIL for this address only.
    address: str | None = None
    #: How often; None for always.
    times: int | None = None
    #: How often it happened.
    used: int = 0


class Script:
    """The rules of a server, in the order in which they were given. Any thread may change them."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> Rule:
        """Adds a rule."""
        if rule.step not in get_args(Step):
            raise ValueError(f"there is no step {rule.step!r}; the steps are {', '.join(get_args(Step))}")
        if rule.reply is not None and rule.step in _SILENT:
            raise ValueError(f"a server can not refuse at the step {rule.step!r}; it can drop or delay")
        if rule.reply is not None and rule.reply.is_positive:
            raise ValueError("a refusal has a code of 400 to 599")
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forgets all rules."""
        with self._lock:
            self._rules.clear()

    def at(self, step: Step, address: str | None = None) -> tuple[float, bool, Reply | None]:
        """What to do at a step: how long to wait, whether to drop the connection, what to say."""
        delay, drop, reply = 0.0, False, None
        if not self._rules:
            return delay, drop, reply
        with self._lock:
            for rule in self._rules:
                other = rule.address is not None and rule.address != address
                if rule.step != step or other or (rule.times is not None and rule.used >= rule.times):
                    continue
                rule.used += 1
                delay += rule.delay
                if rule.drop or rule.reply is not None:
                    drop, reply = rule.drop, rule.reply
                    break
        return delay, drop, reply
