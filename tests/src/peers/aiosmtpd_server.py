"""An aiosmtpd server for the tests: stores mails as files and reports on standard output.

Arguments: store directory, certificate, key, then a JSON object with mailboxes, refused, busy, user,
password. Prints `ready PLAIN IMPLICIT SUBMISSION` (ports) and `stored FILE` for each mail. When its
standard input closes, it removes the directory and ends.
"""

import asyncio
import json
import pathlib
import shutil
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

SIZE_LIMIT = 64 * 1024 * 1024


class Store:
    def __init__(self, directory, people):
        self.directory = pathlib.Path(directory)
        self.people = people
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == self.people["busy"]:
            return "450 4.2.1 Mailbox busy, try again"
        if address not in self.people["mailboxes"] and not session.authenticated:
            return "550 5.1.1 No such mailbox"
        if address == self.people["refused"]:
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        name = self.directory / str(self.count)
        name.with_suffix(".eml").write_bytes(envelope.original_content)
        name.with_suffix(".json").write_text(
            json.dumps({"mail_from": envelope.mail_from or "", "rcpt_tos": envelope.rcpt_tos})
        )
        print(f"stored {self.count}", flush=True)
        return "250 2.0.0 OK"


def authenticator(people):
    def check(server, session, envelope, mechanism, data):
        known = isinstance(data, LoginPassword) and (
            data.login == people["user"].encode() and data.password == people["password"].encode()
        )
        return AuthResult(success=known, handled=False)

    return check


async def main(directory, certificate, key, people):
    people = json.loads(people)
    store = Store(directory, people)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()

    def factory(**options):
        return lambda: SMTP(
            store,
            hostname="mx.test",
            enable_SMTPUTF8=True,
            data_size_limit=SIZE_LIMIT,
            authenticator=authenticator(people),
            loop=loop,
            **options,
        )

    async def listen(tls, **options):
        server = await loop.create_server(factory(**options), "127.0.0.1", 0, ssl=tls)
        return server.sockets[0].getsockname()[1]

    ports = [
        await listen(None, tls_context=context, auth_require_tls=False),
        await listen(context, auth_require_tls=False),
        await listen(None, tls_context=context, require_starttls=True, auth_required=True),
    ]
    print("ready", *ports, flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)


try:
    asyncio.run(main(*sys.argv[1:]))
finally:
    shutil.rmtree(sys.argv[1], ignore_errors=True)
