"""The client that hostile servers are played against: ``hostile_client.py HOST PORT TLS AUTH JSON``.

It is called as the program of the same name of the test harness is, which says what the arguments mean, and names the
class of the error as the first word on standard output.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import sansmtp

_SECURITY: dict[str, Any] = {"none": "danger-plaintext", "starttls": "starttls", "implicit": "implicit-tls"}
_NOT_OFFERED = 77


def main() -> int:
    """Sends one message."""
    host, port, tls, auth, wishes = sys.argv[1:]
    try:
        send(host, int(port), tls, auth, json.loads(wishes))
    except sansmtp.SansmtpError as error:
        print(f"{classify(error)}: {error.message}")
        return 1
    print("none")
    return 0


def send(host: str, port: int, tls: str, auth: str, wishes: dict[str, Any]) -> None:
    """Sends one message, or raises."""
    login = {} if auth == "none" else {"user": wishes["user"], "password": wishes["password"]}
    config = sansmtp.Config(
        host,
        security=_SECURITY[tls],
        port=port,
        ehlo_name=wishes["ehlo"],
        timeout=wishes["timeout"],
        danger_plaintext_auth=auth not in ("none", "plain-require-tls"),
        **login,
    )
    with sansmtp.Mailer(config) as mailer:
        result = mailer.send(wishes["body"].encode(), sender=wishes["mail_from"], recipients=wishes["rcpts"])
    if not result.ok:
        raise Partial(f"{len(result.failed)} were refused")


class Partial(sansmtp.SansmtpError):
    """Some recipients were refused."""


def classify(error: sansmtp.SansmtpError) -> str:
    """The class of an error, in the words of the cases."""
    unmet = {
        "starttls": "tls",
        "tls-for-password": "tls",
        "auth": "auth",
        "mechanism": "auth",
        "smtputf8": "smtputf8",
        "size": "size",
    }
    refusal = "transient" if error.temporary else "rejected"
    if error.outcome_unknown:
        return "unknown-outcome"
    match error:
        case Partial():
            return "partial"
        case sansmtp.TlsError():
            return "tls"
        case sansmtp.UnsupportedError():
            return unmet.get(error.requirement or "", "unmet")
        case sansmtp.TimedOutError():
            return "timeout"
        case sansmtp.ConnectError() | sansmtp.ConnectionLostError():
            return "closed"
        case _ if error.stage == "auth":
            return "auth"
        case sansmtp.RefusedError() | sansmtp.NotDeliveredError():
            return refusal
        case sansmtp.PeerError():
            return "tls" if error.stage == "starttls" else "protocol"
        case ValueError():
            return "invalid-input"
        case _:
            return "other"


if __name__ == "__main__":
    sys.exit(main())
