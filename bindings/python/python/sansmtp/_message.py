"""From what people have (a message object, octets, keyword arguments) to an envelope and content."""

from __future__ import annotations

import copy
import io
import mimetypes
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.generator import BytesGenerator
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import EmailPolicy, Policy
from email.utils import getaddresses
from typing import IO, TypeAlias, TypedDict, Unpack, cast

from sansmtp._core import Envelope, compose
from sansmtp._names import Body, Buffer, Late, Notify, Ret
from sansmtp.exceptions import EnvelopeError, MessageError

#: What :meth:`sansmtp.Mailer.send` takes as a finished message.
AnyMessage: TypeAlias = "Message | Buffer | IO[bytes]"

#: One address or several.
Addresses: TypeAlias = "str | Iterable[str]"

#: Name, content type, content and identifier, as the core's message writer wants them.
_AttachmentParts: TypeAlias = tuple[str, str, Buffer, str | None]


@dataclass(frozen=True)
class Attachment:
    """A file that goes along with a message."""

    #: The file name that the reader sees.
    name: str
    #: The content.
    data: Buffer = field(repr=False)
    #: ``type/subtype``; guessed from the name if it is not given.
    content_type: str | None = None
    #: For a part that is shown in the HTML text, which refers to it with ``<img src="cid:left@right">``.
    content_id: str | None = None

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> Attachment:
        """Reads a file."""
        with open(path, "rb") as file:
            return cls(os.path.basename(os.fspath(path)), file.read())

    def parts(self) -> _AttachmentParts:
        """What the core's message writer wants."""
        content_type = self.content_type or mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        if content_type.startswith(("message/", "multipart/")):
            content_type = "application/octet-stream"
        return (self.name, content_type, self.data, self.content_id)


class MessageParts(TypedDict, total=False):
    """The keyword arguments that make a message."""

    #: The author or authors; by default the configuration's user.
    from_: Addresses
    to: Addresses
    cc: Addresses
    #: Blind copies: in the envelope only.
    bcc: Addresses
    reply_to: Addresses
    subject: str
    text: str
    html: str
    #: :class:`Attachment` objects or paths of files.
    attachments: Iterable[Attachment | str | os.PathLike[str]]
    #: Further headers.
    headers: Mapping[str, str]
    #: When the message was written; by default now.
    date: datetime
    in_reply_to: str
    references: str


class EnvelopeOptions(TypedDict, total=False):
    """The keyword arguments that make the envelope."""

    #: Whom failures are reported to; by default the author.
    sender: str
    #: Whom the mail is for; by default everybody in To, Cc and Bcc.
    recipients: Addresses
    #: How much of the message a delivery report returns (DSN).
    ret: Ret
    #: The sender's name for this transaction (DSN).
    envid: str
    #: When to send a delivery report (DSN).
    notify: Sequence[Notify]
    #: Every hop must use TLS with a checked certificate, or give the message back (RFC 8689).
    require_tls: bool
    #: Within how many seconds it must be delivered, and what happens else (RFC 2852).
    deliver_by: tuple[int, Late]
    #: Seconds for which the server keeps it back (RFC 4865).
    hold_for: int
    #: Until when the server keeps it back.
    hold_until: datetime
    #: How urgent it is, from -9 to 9 (RFC 6710).
    priority: int


class SendOptions(MessageParts, EnvelopeOptions, total=False):
    """All keyword arguments of ``send``."""


class BulkOptions(SendOptions, total=False):
    """A message of many as a dictionary."""

    #: The finished message; else it is made from the parts.
    message: AnyMessage


@dataclass
class Prepared:
    """A message that can be submitted."""

    envelope: Envelope
    content: bytes
    #: Makes the same in ASCII, for a server without 8BITMIME.
    in_ascii: Callable[[], Prepared] | None = None


def prepare(message: AnyMessage | None, user: str | None, **options: Unpack[SendOptions]) -> Prepared:
    """Makes envelope and content. ``user`` is the author if none is named."""
    unknown = options.keys() - SendOptions.__optional_keys__
    if unknown:
        raise TypeError(f"unknown keyword argument {', '.join(sorted(unknown))}")
    # None stands for what was not given; what can be read only once is read once.
    options = cast(SendOptions, {name: value for name, value in options.items() if value is not None})
    if "recipients" in options:
        options["recipients"] = _list(options["recipients"])
    if message is None:
        return _from_parts(user, options)
    extra = MessageParts.__optional_keys__ & options.keys()
    if extra:
        raise TypeError(f"a finished message takes no {', '.join(sorted(extra))}")
    if isinstance(message, Message):
        return _from_message(message, options)
    if isinstance(message, str):
        raise TypeError("a message is an EmailMessage, bytes or a binary file, not str: encode it")
    if isinstance(message, Buffer):
        return _from_octets(bytes(message), options)
    if not hasattr(message, "read"):
        raise TypeError(f"a message is an EmailMessage, bytes or a binary file, not {type(message).__name__}")
    content = message.read()
    if not isinstance(content, bytes):
        raise TypeError("a message file must be opened in binary mode")
    return _from_octets(content, options)


def _from_parts(user: str | None, options: SendOptions) -> Prepared:
    authors = _list(options.get("from_"))
    if not authors:
        if user is None or "@" not in user:
            raise MessageError(
                "the message names no author",
                next_step="give from_='me@example.org'",
            )
        authors = [user]
    given = options.get("attachments", ())
    if isinstance(given, (str, bytes, os.PathLike, Attachment)):
        raise TypeError("attachments is a list")
    attachments = [(item if isinstance(item, Attachment) else Attachment.from_path(item)).parts() for item in given]
    if not isinstance(options.get("headers", {}), Mapping):
        raise TypeError("headers is a dictionary")
    try:
        return _composed(authors, attachments, options)
    except UnicodeEncodeError as error:
        raise MessageError(
            f"the message holds a character that can not be sent: {error.object[error.start : error.end]!r}",
            next_step="take out lone surrogates",
        ) from error


def _composed(authors: list[str], attachments: list[_AttachmentParts], options: SendOptions) -> Prepared:
    content, _, author, mailboxes = compose(
        from_=authors,
        to=_list(options.get("to")),
        cc=_list(options.get("cc")),
        bcc=_list(options.get("bcc")),
        reply_to=_list(options.get("reply_to")),
        sender=None if len(authors) == 1 else authors[0],
        subject=options.get("subject"),
        text=options.get("text"),
        html=options.get("html"),
        attachments=attachments,
        headers=list(options.get("headers", {}).items()),
        date=_date(options.get("date")),
        entropy=secrets.token_bytes(16),
        in_reply_to=options.get("in_reply_to"),
        references=options.get("references"),
    )
    return _prepared(content, author, mailboxes, options)


def _from_message(message: Message, options: SendOptions) -> Prepared:
    author, mailboxes = addresses_of(message)
    sender = options.get("sender", author)
    recipients = _recipients(options, mailboxes)
    utf8 = not all(address.isascii() for address in (sender, *recipients))
    bare = without_bcc_fields(message)

    def flattened(cte_type: str | None) -> bytes:
        policy: Policy = message.policy.clone(linesep="\r\n")
        if utf8 and isinstance(policy, EmailPolicy):
            policy = policy.clone(utf8=True)
        if cte_type is not None:
            policy = policy.clone(cte_type=cte_type)
        buffer = io.BytesIO()
        BytesGenerator(buffer, mangle_from_=False, policy=policy).flatten(bare)
        return buffer.getvalue()

    def in_ascii() -> Prepared:
        return _prepared(flattened("7bit"), sender, recipients, options, utf8=utf8)

    prepared = _prepared(flattened(None), sender, recipients, options, utf8=utf8)
    prepared.in_ascii = in_ascii
    return prepared


def _from_octets(content: bytes, options: SendOptions) -> Prepared:
    sender, recipients = options.get("sender"), options.get("recipients")
    if sender is not None and recipients is not None:
        return _prepared(content, sender, _list(recipients), options)
    # The parser would take the body apart, too.
    end = _END_OF_HEADERS.search(content)
    head = content if end is None else content[: end.end()]
    author, mailboxes = addresses_of(BytesHeaderParser().parsebytes(head))
    return _prepared(_without_bcc(content), author, mailboxes, options)


def _prepared(
    content: bytes, sender: str, recipients: list[str], options: SendOptions, *, utf8: bool = False
) -> Prepared:
    body: Body | None = None if content.isascii() else "8bitmime"
    hold_until = options.get("hold_until")
    envelope = Envelope(
        options.get("sender", sender),
        _recipients(options, recipients),
        size=len(content),
        body=body,
        smtputf8=utf8,
        ret=options.get("ret"),
        envid=options.get("envid"),
        notify=options.get("notify"),
        require_tls=options.get("require_tls", False),
        deliver_by=options.get("deliver_by"),
        hold_for=options.get("hold_for"),
        hold_until=None if hold_until is None else int(hold_until.timestamp()),
        priority=options.get("priority"),
    )
    return Prepared(envelope, content)


def addresses_of(message: Message) -> tuple[str, list[str]]:
    """The author and all recipients. Resent fields, if there are any, come before the others (RFC 5322, section
    3.6.6)."""
    resent = len(message.get_all("Resent-Date", []))
    if resent > 1:
        raise EnvelopeError(
            "the message was resent more than once",
            next_step="name sender and recipients yourself",
        )
    prefix = "Resent-" if resent else ""

    def mailboxes(name: str) -> list[str]:
        values = message.get_all(prefix + name, [])
        return [address for _, address in getaddresses([str(value) for value in values]) if address]

    authors = mailboxes("Sender") or mailboxes("From")
    if not authors:
        raise EnvelopeError("the message names no author", next_step="add a From field or give sender=")
    recipients = [address for name in ("To", "Cc", "Bcc") for address in mailboxes(name)]
    # One copy each, in the order of the fields.
    return authors[0], list(dict.fromkeys(recipients))


def octets_of(message: str | Buffer) -> bytes:
    """The octets of a finished message; text must be ASCII."""
    if isinstance(message, str):
        return message.encode("ascii")
    # bytes() would make five octets of the number 5.
    return message if isinstance(message, bytes) else bytes(memoryview(message))


#: A line end in a header that is not the fold of a long line.
_BREAK = re.compile(r"\r?\n(?![ \t])|\r(?!\n)")


def without_bcc_fields(message: Message) -> Message:
    """A copy of the message without its blind copies. Raises for a header whose value would begin a new line: not
    every policy of the standard library sees that."""
    for part in message.walk():
        for name, value in part.raw_items():
            if _BREAK.search(name) or _BREAK.search(str(value)):
                raise MessageError(f"the header {name!r} has a line break", next_step="remove it")
    bare = copy.copy(message)
    del bare["Bcc"]
    del bare["Resent-Bcc"]
    return bare


#: A Bcc field with its folded lines.
_BCC = re.compile(rb"^(?:resent-)?bcc:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)
_END_OF_HEADERS = re.compile(rb"^\r?\n", re.MULTILINE)


def _without_bcc(content: bytes) -> bytes:
    end = _END_OF_HEADERS.search(content)
    at = end.start() if end else len(content)
    headers, count = _BCC.subn(b"", content[:at])
    return headers + content[at:] if count else content


def _recipients(options: SendOptions, otherwise: list[str]) -> list[str]:
    given = options.get("recipients")
    return otherwise if given is None else _list(given)


def _list(addresses: Addresses | None) -> list[str]:
    if addresses is None:
        return []
    return [addresses] if isinstance(addresses, str) else list(addresses)


def _date(date: datetime | None) -> tuple[int, int]:
    """Seconds since 1970 and minutes east of UTC."""
    if date is None:
        now = time.time()
        offset = time.localtime(now).tm_gmtoff
        return int(now), offset // 60
    if not isinstance(date, datetime):
        raise TypeError(f"date is a datetime, not {type(date).__name__}")
    if date.tzinfo is None:
        date = date.astimezone()
    offset_from_utc = date.utcoffset()
    minutes = 0 if offset_from_utc is None else int(offset_from_utc.total_seconds() // 60)
    return int(date.timestamp()), minutes
