"""serve.py PORT [uvloop]: aiosmtpd, which takes all mail and drops it."""

import asyncio
import sys

from aiosmtpd.smtp import SMTP


class Sink:
    async def handle_DATA(self, server, session, envelope):
        return "250 2.0.0 Ok"


async def serve(port):
    def session():
        return SMTP(Sink(), hostname="sink.example.com", ident="x", data_size_limit=0)

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if "uvloop" in sys.argv:
    import uvloop

    uvloop.run(serve(int(sys.argv[1])))
else:
    asyncio.run(serve(int(sys.argv[1])))
