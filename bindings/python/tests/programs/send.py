"""Sends a mail with the settings of the environment: ``send.py FROM TO SUBJECT``.

It prints the Message-ID, or the class of the exception and what it says.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys

import sansmtp
from sansmtp import smtplib


def main() -> int:
    """Sends the mail by the way that SANSMTP_WAY names."""
    sender, recipient, subject = sys.argv[1:]
    context = ssl.create_default_context(cafile=os.environ.get("TRUSTED"))
    message = f"From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\n.Hello\r\n".encode()
    config = sansmtp.from_env()
    way = os.environ["SANSMTP_WAY"]
    try:
        if way == "mailer":
            with sansmtp.Mailer(config, ssl_context=context) as mailer:
                mailer.send(message)
        elif way == "async":
            asyncio.run(send_async(config, context, message))
        else:
            with smtplib.SMTP(config.host, config.port) as smtp:
                smtp.starttls(context=context)
                smtp.login(config.user or "", os.environ["SMTP_PASSWORD"])
                smtp.sendmail(sender, recipient, message)
    except (sansmtp.SansmtpError, smtplib.SMTPException, ssl.SSLError) as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    print("sent")
    return 0


async def send_async(config: sansmtp.Config, context: ssl.SSLContext, message: bytes) -> None:
    """Sends it from asyncio."""
    async with sansmtp.AsyncMailer(config, ssl_context=context) as mailer:
        await mailer.send(message)


if __name__ == "__main__":
    sys.exit(main())
