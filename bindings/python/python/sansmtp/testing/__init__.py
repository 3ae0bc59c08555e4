"""A mail server for tests: it collects mails, fails as it is told, and speaks TLS with a throw-away authority.

With pytest the fixture ``smtp_server`` is there by itself; elsewhere use :class:`SmtpServer` in a ``with`` block::

    with SmtpServer() as server:
        send_welcome_mail(host=server.host, port=server.port)
        (mail,) = server.mails
        assert mail.message["Subject"] == "Welcome"
"""

from sansmtp.testing._certificates import Authority
from sansmtp.testing._mail import ReceivedMail
from sansmtp.testing._profiles import PROFILES, Profile
from sansmtp.testing._script import Rule, Script, Step
from sansmtp.testing._smtp_server import SmtpServer

__all__ = ["PROFILES", "Authority", "Profile", "ReceivedMail", "Rule", "Script", "SmtpServer", "Step"]
