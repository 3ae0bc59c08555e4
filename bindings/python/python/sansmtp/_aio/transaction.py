"""Mail transactions for :mod:`sansmtp.aio`."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from email.generator import BytesGenerator
from email.message import EmailMessage, Message
from email.policy import EmailPolicy, Policy
from typing import NoReturn

from sansmtp._aio.connection import DEFAULT
from sansmtp._aio.errors import (
    SMTPDataError,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from sansmtp._aio.response import SMTPResponse, as_response
from sansmtp._aio.session import Session
from sansmtp._aio.words import bare_address, envelope_options
from sansmtp._core import Envelope, SendResult
from sansmtp._message import addresses_of, octets_of, without_bcc_fields
from sansmtp._names import Buffer
from sansmtp.exceptions import (
    EnvelopeError,
    SansmtpError,
    UnsupportedError,
)
from sansmtp.sansio import Delivered, NotDelivered


class Transaction(Session):
    """A session that mail goes out over."""

    async def sendmail(
        self,
        sender: str,
        recipients: str | Sequence[str],
        message: str | Buffer,
        /,
        *,
        mail_options: Iterable[str] | None = None,
        rcpt_options: Iterable[str] | None = None,
        timeout: float | None = DEFAULT,
    ) -> tuple[dict[str, SMTPResponse], str]:
        """Sends a mail. Returns the recipients that were refused, with the replies, and the server's final word;
        raises if nobody gets it."""
        names = [recipients] if isinstance(recipients, str) else list(recipients)
        octets = octets_of(message)
        # A bad address must not leave half an envelope on the server.
        reverse_path, forward_paths = bare_address(sender), [bare_address(name) for name in names]
        options = envelope_options(list(mail_options or ()), list(rcpt_options or ()))
        envelope = Envelope(reverse_path, forward_paths, size=len(octets), **(options or {}))
        if self._mail_lock is None:
            raise SMTPServerDisconnected("Server not connected")
        async with self._mail_lock:
            await self._ehlo_or_helo_if_needed()
            if options is None:
                return await self._sendmail_in_steps(
                    sender, names, octets, list(mail_options or ()), list(rcpt_options or ()), timeout
                )
            return await self._transact(envelope, names, sender, octets, timeout)

    async def send_message(
        self,
        message: EmailMessage | Message,
        /,
        *,
        sender: str | None = None,
        recipients: str | Sequence[str] | None = None,
        mail_options: Iterable[str] | None = None,
        rcpt_options: Iterable[str] | None = None,
        timeout: float | None = DEFAULT,
    ) -> tuple[dict[str, SMTPResponse], str]:
        """Sends a message object; the envelope comes from its header unless it is given."""
        if sender is None or recipients is None:
            try:
                author, mailboxes = addresses_of(message)
            except EnvelopeError as error:
                if sender is None:
                    raise ValueError(error.message) from error
                author, mailboxes = sender, []
            sender = author if sender is None else sender
            recipients = mailboxes if recipients is None else recipients
        names = [recipients] if isinstance(recipients, str) else list(recipients)
        if not names:
            raise ValueError("No recipient headers provided in message")
        await self._ehlo_or_helo_if_needed()
        options = list(mail_options or ())
        lower = [option.lower() for option in options]
        utf8 = not all(name.isascii() for name in (sender, *names))
        if utf8:
            if not self.supports_extension("smtputf8"):
                raise SMTPNotSupported(
                    "An address containing non-ASCII characters was provided, but SMTPUTF8 is not supported by this"
                    " server"
                )
            if "smtputf8" not in lower:
                options.append("SMTPUTF8")
        eight_bit = self.supports_extension("8bitmime")
        if eight_bit and not any(option.startswith("body=") for option in lower):
            options.append("BODY=8BITMIME")
        policy: Policy = message.policy.clone(linesep="\r\n", cte_type="8bit" if eight_bit else "7bit")
        if utf8 and isinstance(policy, EmailPolicy):
            policy = policy.clone(utf8=True)
        flat = io.BytesIO()
        BytesGenerator(flat, mangle_from_=False, policy=policy).flatten(without_bcc_fields(message))
        return await self.sendmail(
            sender, names, flat.getvalue(), mail_options=options, rcpt_options=rcpt_options, timeout=timeout
        )

    async def _transact(
        self, envelope: Envelope, names: list[str], sender: str, octets: bytes, timeout: float | None
    ) -> tuple[dict[str, SMTPResponse], str]:
        # The machine has its time limits from the beginning.
        if self._machine is None or timeout is not DEFAULT:
            self._machine = self._shown(timeout)
        machine = self._machine
        assert self._command_lock is not None
        async with self._command_lock:
            try:
                machine.submit(envelope, octets)
            except UnsupportedError as error:
                raise SMTPNotSupported(error.message) from error
            except SansmtpError as error:
                self._fail(error)
            event = await self._drive(machine, (Delivered, NotDelivered))
        result = machine.result()
        if timeout is not DEFAULT:
            self._machine = None
        refused = {
            name: as_response(recipient.reply)
            for name, recipient in zip(names, result.recipients, strict=True)
            if recipient.status == "refused" and recipient.reply is not None
        }
        if isinstance(event, NotDelivered):
            self._not_delivered(event, result, refused, sender)
        return refused, as_response(event.reply).message

    def _not_delivered(
        self, event: NotDelivered, result: SendResult, refused: dict[str, SMTPResponse], sender: str
    ) -> NoReturn:
        reply = event.reply or next((one.reply for one in result.recipients if one.reply is not None), None)
        code, text = (554, "") if reply is None else as_response(reply)
        if code == 421:
            self.close()
        if event.stage == "mail":
            raise SMTPSenderRefused(code, text, sender)
        if event.stage == "rcpt":
            raise SMTPRecipientsRefused([SMTPRecipientRefused(*answer, name) for name, answer in refused.items()])
        raise SMTPDataError(code, text)

    async def _sendmail_in_steps(
        self,
        sender: str,
        recipients: list[str],
        octets: bytes,
        mail_options: list[str],
        rcpt_options: list[str],
        timeout: float | None,
    ) -> tuple[dict[str, SMTPResponse], str]:
        """One command after the other: for options that the core does not know."""
        utf8 = any(option.lower() == "smtputf8" for option in mail_options)
        if utf8 and not self.supports_extension("smtputf8"):
            raise SMTPNotSupported("SMTPUTF8 is not supported by this server")
        encoding = "utf-8" if utf8 else "ascii"
        if self.supports_extension("size"):
            mail_options.insert(0, f"size={len(octets)}")
        try:
            await self.mail(sender, options=mail_options, encoding=encoding, timeout=timeout)
            failed: list[SMTPRecipientRefused] = []
            for recipient in recipients:
                try:
                    await self.rcpt(recipient, options=rcpt_options, encoding=encoding, timeout=timeout)
                except SMTPRecipientRefused as error:
                    failed.append(error)
            if len(failed) == len(recipients):
                raise SMTPRecipientsRefused(failed)
            response = await self.data(octets, timeout=timeout)
        except (SMTPResponseException, SMTPRecipientsRefused):
            if self.is_connected:
                await self._command("RSET", timeout)
            raise
        return {error.recipient: SMTPResponse(error.code, error.message) for error in failed}, response.message
