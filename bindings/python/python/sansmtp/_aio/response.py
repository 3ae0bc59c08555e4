"""Replies as users of aiosmtplib know them."""

from __future__ import annotations

from typing import NamedTuple

from sansmtp._aio.errors import (
    SMTPResponseException,
)
from sansmtp._core import Reply


class SMTPResponse(NamedTuple):
    """A reply: its code and its text."""

    code: int
    message: str

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


def wanted(response: SMTPResponse, codes: tuple[int, ...], error: type[SMTPResponseException]) -> SMTPResponse:
    if response.code not in codes:
        raise error(response.code, response.message)
    return response


def as_response(reply: Reply) -> SMTPResponse:
    text = reply.text if reply.enhanced_code is None else f"{reply.enhanced_code} {reply.text}"
    return SMTPResponse(reply.code, text)
