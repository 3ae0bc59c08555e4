"""The first mail of somebody who has just installed the package, to the server that comes with it."""

import sansmtp
from sansmtp.testing import SmtpServer

with SmtpServer(security="starttls", user="me@example.org", password="secret", require_auth=True) as server:
    with sansmtp.Mailer(server.config, ssl_context=server.authority.client_context()) as mailer:
        result = mailer.send(to="you@example.org", subject="Hello", text="It works.")
    assert result.ok
    assert server.mails[0].subject == "Hello"
    print(f"delivered to {', '.join(result.delivered)}: {result.reply}")
