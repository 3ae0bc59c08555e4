"""The exceptions of :mod:`sansmtp.aio`, in the shape that users of aiosmtplib know."""

from __future__ import annotations


class SMTPException(Exception):
    """What all exceptions of this module have in common."""

    def __init__(self, message: str, /) -> None:
        super().__init__(message)
        self.message = message


class SMTPServerDisconnected(SMTPException, ConnectionError):
    """The connection was lost, or there was none."""


class SMTPConnectError(SMTPException, ConnectionError):
    """No connection could be made, or TLS failed."""


class SMTPTimeoutError(SMTPException, TimeoutError):
    """The server took too long."""


class SMTPConnectTimeoutError(SMTPTimeoutError, SMTPConnectError):
    """Connecting took too long."""


class SMTPReadTimeoutError(SMTPTimeoutError):
    """A reply took too long."""


class SMTPNotSupported(SMTPException):
    """The server does not offer what is needed."""


class SMTPResponseException(SMTPException):
    """The server said no."""

    def __init__(self, code: int, message: str, /) -> None:
        super().__init__(message)
        self.code = code
        self.args = (code, message)


class SMTPConnectResponseError(SMTPResponseException, SMTPConnectError):
    """The server refused the connection."""


class SMTPHeloError(SMTPResponseException):
    """The server refused EHLO or HELO."""


class SMTPDataError(SMTPResponseException):
    """The server refused the content."""


class SMTPAuthenticationError(SMTPResponseException):
    """The server refused user and password, or the token."""


class SMTPSenderRefused(SMTPResponseException):
    """The server refused the sender."""

    def __init__(self, code: int, message: str, sender: str, /) -> None:
        super().__init__(code, message)
        self.sender = sender
        self.args = (code, message, sender)


class SMTPRecipientRefused(SMTPResponseException):
    """The server refused a recipient."""

    def __init__(self, code: int, message: str, recipient: str, /) -> None:
        super().__init__(code, message)
        self.recipient = recipient
        self.args = (code, message, recipient)


class SMTPRecipientsRefused(SMTPException):
    """The server refused all recipients."""

    def __init__(self, recipients: list[SMTPRecipientRefused], /) -> None:
        super().__init__(f"the server refused all {len(recipients)} recipients")
        self.recipients = recipients
        self.args = (recipients,)


class SMTPUnknownOutcome(SMTPServerDisconnected):
    """The connection was lost while the server's final word was due: the message may have been accepted, and a second
    attempt could deliver it twice. (aiosmtplib does not tell this apart.)"""
