"""A mail that the server for tests took."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cached_property

from sansmtp._core import MailRequest, RecipientRequest


@dataclass(frozen=True)
class ReceivedMail:
    """A mail with its envelope, and what was known of the client."""

    #: Whom failures are reported to; empty for nobody.
    sender: str
    #: Whom it is for: those whom the server took.
    recipients: list[str]
    #: The message, with CR LF line ends.
    content: bytes = field(repr=False)
    #: Whether it came through TLS.
    is_tls: bool
    #: Who had signed in.
    user: str | None
    #: What the client called itself.
    hello: str
    #: The parameters of MAIL.
    mail_request: MailRequest = field(repr=False)
    #: The parameters of each RCPT.
    recipient_requests: list[RecipientRequest] = field(repr=False)

    @cached_property
    def message(self) -> EmailMessage:
        """The message as the standard library reads it."""
        return email.message_from_bytes(self.content, policy=email.policy.default)

    @property
    def subject(self) -> str:
        """The subject."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text, with LF line ends; empty if there is none."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML text, with LF line ends; empty if there is none."""
        return self._body("html")

    @property
    def attachments(self) -> dict[str, bytes]:
        """The attachments by file name."""
        found: dict[str, bytes] = {}
        for part in self.message.iter_attachments():
            payload = part.get_payload(decode=True)
            found[part.get_filename() or ""] = payload if isinstance(payload, bytes) else b""
        return found

    def _body(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
