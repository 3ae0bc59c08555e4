"""send.py smtplib|aiosmtplib|sansmtp HOST PORT MESSAGES OCTETS new|reuse SESSIONS"""

import asyncio
import sys

name, host = sys.argv[1:3]
port, messages, size = map(int, sys.argv[3:6])
reuse, sessions = sys.argv[6] == "reuse", int(sys.argv[7])
SENDER, RECIPIENT = "alice@example.com", "bob@example.org"
line = b"abcdefghijklmnopqrstuvwxyz" * 3 + b"\r\n"
text = f"From: <{SENDER}>\r\nTo: <{RECIPIENT}>\r\nSubject: bench\r\n\r\n".encode()
text = (text + line * (size // len(line) + 1))[: size - 2] + b"\r\n"


def blocking(smtp):
    for _ in range(1 if reuse else messages):
        with smtp.SMTP(host, port, local_hostname="a.example.com") as server:
            for _ in range(messages if reuse else 1):
                server.sendmail(SENDER, [RECIPIENT], text)


async def asynchronous():
    import aiosmtplib

    async def some(count):
        for _ in range(1 if reuse else count):
            async with aiosmtplib.SMTP(
                hostname=host, port=port, local_hostname="a.example.com", start_tls=False
            ) as server:
                for _ in range(count if reuse else 1):
                    await server.sendmail(SENDER, [RECIPIENT], text)

    shares = (messages // sessions + (n < messages % sessions) for n in range(sessions))
    await asyncio.gather(*map(some, shares))


if name == "aiosmtplib":
    asyncio.run(asynchronous())
elif name == "smtplib":
    import smtplib

    blocking(smtplib)
else:
    import sansmtp.smtplib

    blocking(sansmtp.smtplib)
