"""A drop-in for the standard library's :mod:`smtplib`: ``import sansmtp.smtplib as smtplib``.

Every documented class, method, exception and return convention is here, and the exceptions are the standard library's
own classes, so that code that catches them goes on working. What differs:

* mail data is encoded by the core: a bare CR or LF becomes CR LF in octets too, so that no second mail can be smuggled
  in with it; and a large message costs a small part of the time;
* ``starttls`` and ``SMTP_SSL`` check the server's certificate; hand in a context for a server that has none;
* plain text that comes behind the server's agreement on TLS is an error, never a reply within TLS;
* debugging output shows no credentials;
* :class:`LMTP` reads the reply for each recipient, and reports those that were refused;
* ``auth("XOAUTH2", smtp.auth_xoauth2)`` signs in with an OAuth2 access token as ``smtp.password``.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import email.utils
import hmac
import io
import re
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from email.generator import BytesGenerator
from email.message import Message
from email.policy import EmailPolicy, Policy
from smtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, Self, TypeAlias

from sansmtp._core import content_end, encode_content
from sansmtp._message import octets_of, without_bcc_fields
from sansmtp._names import Buffer

__all__ = [
    "LMTP",
    "SMTP",
    "SMTP_SSL",
    "SMTPAuthenticationError",
    "SMTPConnectError",
    "SMTPDataError",
    "SMTPException",
    "SMTPHeloError",
    "SMTPNotSupportedError",
    "SMTPRecipientsRefused",
    "SMTPResponseException",
    "SMTPSenderRefused",
    "SMTPServerDisconnected",
    "quoteaddr",
    "quotedata",
]

SMTP_PORT = 25
SMTP_SSL_PORT = 465
LMTP_PORT = 2003
CRLF = "\r\n"
bCRLF = b"\r\n"  # noqa: N816
#: The longest reply line that is taken, in octets.
_MAXLINE = 8192
#: How many challenges of one exchange are answered.
_MAXCHALLENGE = 5

_Reply: TypeAlias = tuple[int, bytes]
_Refused: TypeAlias = dict[str, _Reply]
_AuthObject: TypeAlias = Callable[..., "str | None"]

#: An address without a display name, a comment or a quoted part.
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]*@[A-Za-z0-9][A-Za-z0-9.-]*")
#: From how many octets on a message is looked at for being sent from where it lies.
_LARGE = 64 * 1024

#: Stands for the default of the ``socket`` module.
_DEFAULT_TIMEOUT: Any = socket._GLOBAL_DEFAULT_TIMEOUT  # type: ignore[attr-defined]


def quoteaddr(addrstring: str) -> str:
    """The address in angle brackets, without a display name."""
    if _PLAIN_ADDRESS.fullmatch(addrstring):
        return f"<{addrstring}>"  # Parsing it would find the same, at ten times the cost.
    mailbox = email.utils.parseaddr(addrstring)[1]
    if mailbox:
        return f"<{mailbox}>"
    bare = addrstring.strip()
    return bare if bare.startswith("<") else f"<{addrstring}>"


def quotedata(data: str) -> str:
    """The text with CR LF as line ends and doubled dots at the beginning of lines."""
    lines = re.split("\r\n|\r|\n", data)
    return CRLF.join("." + line if line.startswith(".") else line for line in lines)


def _addr_only(addrstring: str) -> str:
    return email.utils.parseaddr(addrstring)[1] or addrstring


class SMTP:
    """A connection to a mail server, driven command by command."""

    debuglevel = 0
    sock: Any = None
    file: BinaryIO | None = None
    helo_resp: bytes | None = None
    ehlo_msg = "ehlo"
    ehlo_resp: bytes | None = None
    does_esmtp = False
    default_port = SMTP_PORT
    user: str
    password: str

    #: The mechanisms that :meth:`login` tries, in this order.
    _mechanisms: ClassVar[tuple[str, ...]] = ("CRAM-MD5", "PLAIN", "LOGIN")

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: str | None = None,
        timeout: float | None = _DEFAULT_TIMEOUT,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        self._host = host
        self.timeout = timeout
        self.esmtp_features: dict[str, str] = {}
        self.command_encoding = "ascii"
        self.source_address = source_address
        self._auth_challenge_count = 0
        self._secret = False
        if host:
            code, message = self.connect(host, port)
            if code != 220:
                self.close()
                raise SMTPConnectError(code, message)
        self.local_hostname = _local_hostname() if local_hostname is None else local_hostname

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            code, message = self.docmd("QUIT")
            if code != 221:
                raise SMTPResponseException(code, message)
        except SMTPServerDisconnected:
            pass
        finally:
            self.close()

    def set_debuglevel(self, debuglevel: int) -> None:
        """Prints the dialogue to the standard error stream: 1 does, 2 adds the time, 0 stops it."""
        self.debuglevel = debuglevel

    # The connection.

    def connect(self, host: str = "localhost", port: int = 0, source_address: tuple[str, int] | None = None) -> _Reply:
        """Connects and returns the greeting. The host may carry the port behind a colon."""
        if source_address:
            self.source_address = source_address
        if not port and host.count(":") == 1:
            host, _, digits = host.partition(":")
            try:
                port = int(digits)
            except ValueError:
                raise OSError("nonnumeric port") from None
        port = port or self.default_port
        sys.audit("smtplib.connect", self, host, port)
        self.sock = self._get_socket(host, port, self.timeout)
        self.file = None
        code, message = self.getreply()
        if self.debuglevel > 0:
            self._print_debug("connect:", repr(message))
        return code, message

    def _get_socket(self, host: str, port: int, timeout: float | None) -> Any:
        if timeout is not None and not timeout:
            raise ValueError("Non-blocking socket (timeout=0) is not supported")
        if self.debuglevel > 0:
            self._print_debug("connect: to", (host, port), self.source_address)
        sock = socket.create_connection((host, port), timeout, self.source_address)
        # A stand-in for the socket module need not have the option.
        with contextlib.suppress(OSError, AttributeError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def close(self) -> None:
        """Closes the connection."""
        file, self.file = self.file, None
        sock, self.sock = self.sock, None
        try:
            if file:
                file.close()
        finally:
            if sock:
                sock.close()

    def send(self, s: str | Buffer) -> None:
        """Sends text or octets as they are."""
        if self.debuglevel > 0:
            self._print_debug("send:", "****" if self._secret else repr(s))
        if not self.sock:
            raise SMTPServerDisconnected("please run connect() first")
        octets = s.encode(self.command_encoding) if isinstance(s, str) else s
        sys.audit("smtplib.send", self, octets)
        try:
            self.sock.sendall(octets)
        except OSError:
            self.close()
            raise SMTPServerDisconnected("Server not connected") from None

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Sends a command."""
        line = f"{cmd} {args}" if args else cmd
        if "\r" in line or "\n" in line:
            shown = line.replace("\n", "\\n").replace("\r", "\\r")
            raise ValueError(f"command and arguments contain prohibited newline characters: {shown}")
        self.send(line + CRLF)

    def getreply(self) -> _Reply:
        """Reads a reply: its code, -1 if that is no number, and its text with line feeds between the lines."""
        if self.file is None:
            if not self.sock:
                raise SMTPServerDisconnected("please run connect() first")
            self.file = self.sock.makefile("rb")
        file = self.file
        assert file is not None
        lines: list[bytes] = []
        while True:
            try:
                line = file.readline(_MAXLINE + 1)
            except OSError as error:
                self.close()
                raise SMTPServerDisconnected(f"Connection unexpectedly closed: {error}") from None
            if not line:
                self.close()
                raise SMTPServerDisconnected("Connection unexpectedly closed")
            if self.debuglevel > 0:
                self._print_debug("reply:", repr(line))
            if len(line) > _MAXLINE:
                self.close()
                raise SMTPResponseException(500, "Line too long.")
            lines.append(line[4:].strip(b" \t\r\n"))
            digits = line[:3]
            code = int(digits) if digits.isdigit() else -1
            if code == -1 or line[3:4] != b"-":
                break
        text = b"\n".join(lines)
        if self.debuglevel > 0:
            self._print_debug("reply: retcode", f"({code}); Msg: {text!r}")
        return code, text

    def docmd(self, cmd: str, args: str = "") -> _Reply:
        """Sends a command and returns the reply."""
        self.putcmd(cmd, args)
        return self.getreply()

    # The session.

    def helo(self, name: str = "") -> _Reply:
        """Says HELO."""
        code, message = self.docmd("helo", name or self.local_hostname)
        self.helo_resp = message
        return code, message

    def ehlo(self, name: str = "") -> _Reply:
        """Says EHLO and notes what the server offers."""
        self.esmtp_features = {}
        self.putcmd(self.ehlo_msg, name or self.local_hostname)
        code, message = self.getreply()
        if code == -1 and not message:
            self.close()
            raise SMTPServerDisconnected("Server not connected")
        self.ehlo_resp = message
        if code == 250:
            self.does_esmtp = True
            for line in message.decode("latin-1").split("\n")[1:]:
                self._note_feature(line)
        return code, message

    def _note_feature(self, line: str) -> None:
        found = re.match(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =]+(.*))?$", line.strip())
        if not found:
            return
        keyword, parameters = found[1].lower(), (found[2] or "").strip()
        known = self.esmtp_features.get(keyword)
        # Some servers list AUTH twice, with "=" for clients of old.
        self.esmtp_features[keyword] = f"{known} {parameters}" if known and keyword == "auth" else parameters

    def has_extn(self, opt: str) -> bool:
        """Whether the server offers an extension."""
        return opt.lower() in self.esmtp_features

    def ehlo_or_helo_if_needed(self) -> None:
        """Says EHLO, or HELO to a server that does not know it, unless that was done."""
        if self.helo_resp is not None or self.ehlo_resp is not None:
            return
        if not 200 <= self.ehlo()[0] <= 299:
            code, message = self.helo()
            if not 200 <= code <= 299:
                raise SMTPHeloError(code, message)

    def starttls(
        self,
        keyfile: str | None = None,
        certfile: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> _Reply:
        """Secures the connection with TLS. The server's certificate must be trusted by ``context``."""
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("starttls"):
            raise SMTPNotSupportedError("STARTTLS extension not supported by server.")
        code, message = self.docmd("STARTTLS")
        if code != 220:
            raise SMTPResponseException(code, message)
        self._refuse_early_text()
        if context is None:
            context = ssl.create_default_context()
            if certfile:
                context.load_cert_chain(certfile, keyfile)
        self.sock = context.wrap_socket(self.sock, server_hostname=self._host)
        self.file = None
        self._forget_session()
        return code, message

    def _refuse_early_text(self) -> None:
        """Nothing may come between the agreement on TLS and the handshake (RFC 3207, section 6)."""
        peek = getattr(self.file, "peek", None)
        if peek is None:
            return
        timeout = self.sock.gettimeout()
        self.sock.settimeout(0)
        try:
            early = peek(1)
        except OSError:
            early = b""
        finally:
            self.sock.settimeout(timeout)
        if early:
            self.close()
            raise SMTPException("The server sent plain text after it had agreed on TLS; nothing was sent.")

    def _forget_session(self) -> None:
        self.helo_resp = None
        self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    def quit(self) -> _Reply:
        """Says goodbye and closes the connection."""
        reply = self.docmd("quit")
        self._forget_session()
        self.close()
        return reply

    # Signing in.

    def login(self, user: str, password: str, *, initial_response_ok: bool = True) -> _Reply:
        """Signs in with the first mechanism that works."""
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("auth"):
            raise SMTPNotSupportedError("SMTP AUTH extension not supported by server.")
        offered = self.esmtp_features["auth"].upper().split()
        usable = [mechanism for mechanism in self._mechanisms if mechanism in offered]
        if not usable:
            raise SMTPException("No suitable authentication method found.")
        self.user, self.password = user, password
        refusal: SMTPAuthenticationError | None = None
        for mechanism in usable:
            authobject = getattr(self, "auth_" + mechanism.lower().replace("-", "_"))
            try:
                code, message = self.auth(mechanism, authobject, initial_response_ok=initial_response_ok)
            except SMTPAuthenticationError as error:
                refusal = error
                continue
            if code in (235, 503):
                return code, message
        raise refusal or SMTPException("No suitable authentication method found.")

    def auth(self, mechanism: str, authobject: _AuthObject, *, initial_response_ok: bool = True) -> _Reply:
        """Signs in with one mechanism. ``authobject`` answers a challenge; without one it gives the initial
        response, or None."""
        mechanism = mechanism.upper()
        initial = authobject() if initial_response_ok else None
        self._auth_challenge_count = 0 if initial is None else 1
        self._secret = True
        try:
            if initial is None:
                code, message = self.docmd("AUTH", mechanism)
            else:
                code, message = self.docmd("AUTH", f"{mechanism} {_encoded(initial) or '='}")
            while code == 334:
                self._auth_challenge_count += 1
                answer = authobject(base64.b64decode(message))
                code, message = self.docmd(_encoded(answer or ""))
                if self._auth_challenge_count > _MAXCHALLENGE:
                    raise SMTPException(f"Server AUTH mechanism infinite loop. Last response: {(code, message)!r}")
        finally:
            self._secret = False
        if code in (235, 503):
            return code, message
        raise SMTPAuthenticationError(code, message)

    def auth_cram_md5(self, challenge: bytes | None = None) -> str | None:
        """CRAM-MD5 (RFC 2195)."""
        if challenge is None:
            return None
        return f"{self.user} {hmac.new(self.password.encode('ascii'), challenge, 'md5').hexdigest()}"

    def auth_plain(self, challenge: bytes | None = None) -> str:
        """PLAIN (RFC 4616)."""
        return f"\0{self.user}\0{self.password}"

    def auth_login(self, challenge: bytes | None = None) -> str:
        """LOGIN: the user name, then the password."""
        return self.user if challenge is None or self._auth_challenge_count < 2 else self.password

    def auth_xoauth2(self, challenge: bytes | None = None) -> str:
        """XOAUTH2, as Google and Microsoft define it; the password is the access token."""
        if challenge:
            return ""  # A report of what is wrong; the refusal comes behind it.
        return f"user={self.user}\1auth=Bearer {self.password}\1\1"

    # Commands.

    def noop(self) -> _Reply:
        """Does nothing, and shows that the connection works."""
        return self.docmd("noop")

    def help(self, args: str = "") -> bytes:
        """Asks for help and returns the text."""
        return self.docmd("help", args)[1]

    def rset(self) -> _Reply:
        """Resets the session to the point before MAIL."""
        self.command_encoding = "ascii"
        return self.docmd("rset")

    def _rset(self) -> None:
        with contextlib.suppress(SMTPServerDisconnected):
            self.rset()

    def verify(self, address: str) -> _Reply:
        """Asks whether an address is valid."""
        return self.docmd("vrfy", _addr_only(address))

    vrfy = verify

    def expn(self, address: str) -> _Reply:
        """Asks who is on a list."""
        return self.docmd("expn", _addr_only(address))

    def mail(self, sender: str, options: Sequence[str] = ()) -> _Reply:
        """Opens a transaction."""
        suffix = ""
        if options and self.does_esmtp:
            if any(option.lower() == "smtputf8" for option in options):
                if not self.has_extn("smtputf8"):
                    raise SMTPNotSupportedError("SMTPUTF8 not supported by server")
                self.command_encoding = "utf-8"
            suffix = " " + " ".join(options)
        return self.docmd("mail", f"from:{quoteaddr(sender)}{suffix}")

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> _Reply:
        """Names a recipient."""
        suffix = " " + " ".join(options) if options and self.does_esmtp else ""
        return self.docmd("rcpt", f"to:{quoteaddr(recip)}{suffix}")

    def data(self, msg: str | Buffer) -> _Reply:
        """Sends the content and returns the server's verdict; raises if it does not want it."""
        # What can not be sent must be found out before the server waits for it.
        content = octets_of(msg)
        end = content_end(content) if len(content) >= _LARGE else None
        pieces = [encode_content(content)] if end is None else [content, end]
        code, message = self.docmd("data")
        if code != 354:
            raise SMTPDataError(code, message)
        for piece in pieces:
            self.send(piece)
        return self.getreply()

    # Mail.

    def sendmail(
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: str | Buffer,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> _Refused:
        """Sends a mail. Returns the recipients that were refused, with the replies; raises if all were."""
        self.ehlo_or_helo_if_needed()
        octets = octets_of(msg)
        options = list(mail_options)
        if self.does_esmtp and self.has_extn("size"):
            options.insert(0, f"size={len(octets)}")
        self.command_encoding = "ascii"
        code, message = self.mail(from_addr, options)
        if code != 250:
            self._give_up(code)
            raise SMTPSenderRefused(code, message, from_addr)
        refused: _Refused = {}
        accepted: list[str] = []
        for recipient in [to_addrs] if isinstance(to_addrs, str) else to_addrs:
            code, message = self.rcpt(recipient, rcpt_options)
            if code in (250, 251):
                accepted.append(recipient)
                continue
            refused[recipient] = (code, message)
            if code == 421:
                self.close()
                raise SMTPRecipientsRefused(refused)
        if not accepted:
            self._rset()
            raise SMTPRecipientsRefused(refused)
        code, message = self.data(octets)
        self._take_verdict(code, message, accepted, refused)
        return refused

    def _take_verdict(
        self,
        code: int,
        message: bytes,
        accepted: list[str],
        refused: _Refused,
    ) -> None:
        if code != 250:
            self._give_up(code)
            raise SMTPDataError(code, message)

    def _give_up(self, code: int) -> None:
        """Leaves the transaction, or the connection that the server is closing."""
        if code == 421:
            self.close()
        else:
            self._rset()

    def send_message(
        self,
        msg: Message,
        from_addr: str | None = None,
        to_addrs: str | Sequence[str] | None = None,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> _Refused:
        """Sends a message object; the envelope comes from its header unless it is given."""
        self.ehlo_or_helo_if_needed()
        resent = msg.get_all("Resent-Date")
        if resent is not None and len(resent) > 1:
            raise ValueError("message has more than one 'Resent-' header block")
        prefix = "" if resent is None else "Resent-"
        if from_addr is None:
            author = msg[prefix + "Sender"] if prefix + "Sender" in msg else msg[prefix + "From"]
            from_addr = email.utils.getaddresses([str(author)])[0][1]
        if to_addrs is None:
            fields = [msg[prefix + name] for name in ("To", "Bcc", "Cc")]
            values = [str(field) for field in fields if field is not None]
            to_addrs = [mailbox for _, mailbox in email.utils.getaddresses(values)]
        bare = without_bcc_fields(msg)
        policy: Policy = msg.policy
        addresses = [from_addr, to_addrs] if isinstance(to_addrs, str) else [from_addr, *to_addrs]
        if not all(address.isascii() for address in addresses):
            if not self.has_extn("smtputf8"):
                raise SMTPNotSupportedError(
                    "One or more source or delivery addresses require internationalized email support, but the"
                    " server does not advertise the required SMTPUTF8 capability"
                )
            if isinstance(policy, EmailPolicy):
                policy = policy.clone(utf8=True)
            mail_options = (*mail_options, "SMTPUTF8", "BODY=8BITMIME")
        flat = io.BytesIO()
        BytesGenerator(flat, policy=policy).flatten(bare, linesep=CRLF)
        return self.sendmail(from_addr, to_addrs, flat.getvalue(), mail_options, rcpt_options)

    def _print_debug(self, *args: object) -> None:
        if self.debuglevel > 1:
            print(datetime.datetime.now().time(), *args, file=sys.stderr)
        else:
            print(*args, file=sys.stderr)


class SMTP_SSL(SMTP):  # noqa: N801
    """The same with TLS from the first octet."""

    default_port = SMTP_SSL_PORT

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        local_hostname: str | None = None,
        *,
        timeout: float | None = _DEFAULT_TIMEOUT,
        source_address: tuple[str, int] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.context = ssl.create_default_context() if context is None else context
        super().__init__(host, port, local_hostname, timeout, source_address)

    def _get_socket(self, host: str, port: int, timeout: float | None) -> Any:
        sock = super()._get_socket(host, port, timeout)
        return self.context.wrap_socket(sock, server_hostname=host)


class LMTP(SMTP):
    """Local mail delivery (RFC 2033), over TCP or a Unix socket whose path begins with a slash."""

    ehlo_msg = "lhlo"

    def __init__(
        self,
        host: str = "",
        port: int = LMTP_PORT,
        local_hostname: str | None = None,
        source_address: tuple[str, int] | None = None,
        timeout: float | None = _DEFAULT_TIMEOUT,
    ) -> None:
        super().__init__(host, port, local_hostname, timeout, source_address)

    def connect(self, host: str = "localhost", port: int = 0, source_address: tuple[str, int] | None = None) -> _Reply:
        """Connects and returns the greeting."""
        if not host.startswith("/"):
            return super().connect(host, port, source_address)
        if self.timeout is not None and not self.timeout:
            raise ValueError("Non-blocking socket (timeout=0) is not supported")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.file = None
        try:
            if self.timeout is not _DEFAULT_TIMEOUT:
                self.sock.settimeout(self.timeout)
            self.sock.connect(host)
        except OSError:
            if self.debuglevel > 0:
                self._print_debug("connect fail:", host)
            self.close()
            raise
        code, message = self.getreply()
        if self.debuglevel > 0:
            self._print_debug("connect:", message)
        return code, message

    def _take_verdict(self, code: int, message: bytes, accepted: list[str], refused: _Refused) -> None:
        replies = [(code, message), *(self.getreply() for _ in accepted[1:])]
        failed = {
            recipient: reply for recipient, reply in zip(accepted, replies, strict=True) if not 200 <= reply[0] <= 299
        }
        if len(failed) == len(accepted):
            raise SMTPDataError(*replies[-1])
        refused.update(failed)


def _local_hostname() -> str:
    """What the client calls itself: the full name of the machine, else its address."""
    name = socket.getfqdn()
    if "." in name:
        return name
    try:
        return f"[{socket.gethostbyname(socket.gethostname())}]"
    except OSError:
        return "[127.0.0.1]"


def _encoded(text: str) -> str:
    octets = text.encode("ascii") if text.isascii() else text.encode()
    return base64.b64encode(octets).decode("ascii")
