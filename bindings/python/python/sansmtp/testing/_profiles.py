"""How well-known providers answer, as far as a client can tell them apart."""

from __future__ import annotations

from dataclasses import dataclass

from sansmtp._core import Reply


@dataclass(frozen=True)
class Profile:
    """What a server of a provider says."""

    #: The server's name.
    hostname: str
    #: What it greets with.
    greeting: Reply
    #: What EHLO announces, besides STARTTLS and AUTH.
    extensions: tuple[str, ...]
    #: The largest message in octets.
    max_size: int
    #: The SASL mechanisms.
    mechanisms: tuple[str, ...]
    #: The refusal of a wrong password.
    bad_password: Reply
    #: The refusal of a password that this provider takes from nobody: the account's own one.
    own_password: Reply
    #: The refusal of a recipient who does not exist.
    no_such_user: Reply
    #: The refusal of too much mail.
    rate_limited: Reply
    #: What a message is taken with.
    taken: Reply


_GMAIL = Profile(
    hostname="smtp.gmail.com",
    greeting=Reply(220, "smtp.gmail.com ESMTP 4fb4d7f45d1cf-5c1 - gsmtp"),
    extensions=("SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING", "SMTPUTF8"),
    max_size=35_882_577,
    mechanisms=("LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER"),
    bad_password=Reply(
        535,
        "Username and Password not accepted. For more information, go to\n"
        " https://support.google.com/mail/?p=BadCredentials 4fb4d7f45d1cf-5c1 - gsmtp",
        enhanced_code="5.7.8",
    ),
    own_password=Reply(
        534,
        "Application-specific password required. For more information, go to\n"
        " https://support.google.com/mail/?p=InvalidSecondFactor 4fb4d7f45d1cf-5c1 - gsmtp",
        enhanced_code="5.7.9",
    ),
    no_such_user=Reply(
        550,
        "The email account that you tried to reach does not exist. Please try\n"
        "double-checking the recipient's email address for typos or\n"
        "unnecessary spaces. For more information, go to\n"
        " https://support.google.com/mail/?p=NoSuchUser 4fb4d7f45d1cf-5c1 - gsmtp",
        enhanced_code="5.1.1",
    ),
    rate_limited=Reply(
        550,
        "Daily user sending limit exceeded. For more information on Gmail\n"
        "sending limits go to\n"
        " https://support.google.com/a/answer/166852 4fb4d7f45d1cf-5c1 - gsmtp",
        enhanced_code="5.4.5",
    ),
    taken=Reply(250, "OK  1700000000 4fb4d7f45d1cf-5c1 - gsmtp", enhanced_code="2.0.0"),
)

_OFFICE365 = Profile(
    hostname="smtp.office365.com",
    greeting=Reply(220, "FR3P281CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready"),
    extensions=(
        "SIZE",
        "PIPELINING",
        "DSN",
        "ENHANCEDSTATUSCODES",
        "8BITMIME",
        "BINARYMIME",
        "CHUNKING",
        "SMTPUTF8",
    ),
    max_size=157_286_400,
    mechanisms=("LOGIN", "XOAUTH2"),
    bad_password=Reply(
        535, "Authentication unsuccessful [FR3P281CA0001.DEUP281.PROD.OUTLOOK.COM]", enhanced_code="5.7.3"
    ),
    own_password=Reply(
        535,
        "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit"
        " https://aka.ms/smtp_auth_disabled for more information."
        " [FR3P281CA0001.DEUP281.PROD.OUTLOOK.COM]",
        enhanced_code="5.7.139",
    ),
    no_such_user=Reply(
        550, "Recipient not found by SMTP address lookup [DB3.EURPRD.PROD.OUTLOOK.COM]", enhanced_code="5.1.10"
    ),
    rate_limited=Reply(
        432, "Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information.",
        enhanced_code="4.3.2",
    ),
    taken=Reply(250, "OK <1@FR3P281MB0001.DEUP281.PROD.OUTLOOK.COM>", enhanced_code="2.0.0"),
)  # fmt: skip

#: The profiles by name.
PROFILES: dict[str, Profile] = {
    "gmail": _GMAIL,
    "office365": _OFFICE365,
    "outlook": Profile(
        **{
            **_OFFICE365.__dict__,
            "hostname": "smtp-mail.outlook.com",
            "own_password": Reply(
                535, "Authentication unsuccessful, basic authentication is disabled.", enhanced_code="5.7.139"
            ),
        }
    ),
}
