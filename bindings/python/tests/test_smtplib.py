"""What the drop-in does beyond the standard library's own tests, which `cargo xtask python` runs too."""

from __future__ import annotations

import smtplib as standard
import ssl
from typing import Any

import pytest
import sansmtp.smtplib as smtplib
from peers import PASSWORD, USER, AiosmtpdServer
from sansmtp.testing import SmtpServer
from scripted import scripted

MESSAGE = b"Subject: t\r\n\r\n.dot\r\n"


def test_a_mail_with_starttls_and_login(aiosmtpd_tls: AiosmtpdServer, client_tls: ssl.SSLContext) -> None:
    with smtplib.SMTP("localhost", aiosmtpd_tls.port, timeout=20) as smtp:
        smtp.starttls(context=client_tls)
        smtp.login(USER, PASSWORD)
        refused = smtp.sendmail("a@example.org", ["b@example.org", "no@example.org"], MESSAGE)
    assert refused == {"no@example.org": (550, b"5.1.1 No such user here")}
    (mail,) = aiosmtpd_tls.mails
    assert (mail.content, mail.is_tls, mail.user) == (MESSAGE, True, USER)


def test_certificates_are_checked(aiosmtpd_tls: AiosmtpdServer) -> None:
    smtp = smtplib.SMTP("localhost", aiosmtpd_tls.port, timeout=20)
    with pytest.raises(ssl.SSLCertVerificationError):
        smtp.starttls()
    smtp.close()


def test_exceptions_are_those_of_the_standard_library() -> None:
    assert smtplib.SMTPException is standard.SMTPException
    assert set(standard.__all__) <= set(smtplib.__all__)


def test_plain_text_behind_starttls_is_refused() -> None:
    with scripted("S: 220 x\nC: *\nS: 250-x\nS: 250 STARTTLS\nC: *\nS: 220 go\\n250 injected\nEOF") as peer:
        smtp = smtplib.SMTP("localhost", peer.port, "localhost", timeout=20)
        with pytest.raises(smtplib.SMTPException, match="plain text"):
            smtp.starttls()
        assert smtp.sock is None


def test_debugging_shows_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    script = "S: 220 x\nC: *\nS: 250-x\nS: 250 AUTH PLAIN\nC: *\nS: 235 ok\nC: *\nS: 221 bye"
    with scripted(script) as peer, smtplib.SMTP("localhost", peer.port, "localhost", timeout=20) as smtp:
        smtp.set_debuglevel(1)
        smtp.login("user", "s3cret-pw")
    shown = capsys.readouterr().err
    assert "AHVzZXIAczNjcmV0LXB3" not in shown
    assert "235" in shown
    assert peer.said[1] == b"AUTH PLAIN AHVzZXIAczNjcmV0LXB3\r\n"


def test_bare_line_feeds_can_not_smuggle() -> None:
    script = (
        "S: 220 x\nC: *\nS: 250 x\nC: *\nS: 250 ok\nC: *\nS: 250 ok\nC: *\nS: 354 go\nC.\nS: 250 ok\nC: *\nS: 221 bye"
    )
    with scripted(script) as peer, smtplib.SMTP("localhost", peer.port, "localhost", timeout=20) as smtp:
        smtp.sendmail("a@example.org", "b@example.org", b"a\n.\nMAIL FROM:<evil@example.org>\n")
    assert peer.said[-2] == b"a\r\n..\r\nMAIL FROM:<evil@example.org>\r\n.\r\n"


def test_lmtp_reports_each_recipient() -> None:
    script = """
        S: 220 x
        C: lhlo localhost
        S: 250 x
        C: *
        S: 250 ok
        C: *
        S: 250 ok
        C: *
        S: 250 ok
        C: *
        S: 354 go
        C.
        S: 250 taken
        S: 452 4.2.2 mailbox full
        C: *
        S: 221 bye
    """
    with scripted(script) as peer, smtplib.LMTP("localhost", peer.port, "localhost", timeout=20) as lmtp:
        refused = lmtp.sendmail("a@example.org", ["b@example.org", "c@example.org"], MESSAGE)
    assert refused == {"c@example.org": (452, b"4.2.2 mailbox full")}


def test_xoauth2() -> None:
    script = "S: 220 x\nC: *\nS: 250-x\nS: 250 AUTH XOAUTH2\nC: *\nS: 235 ok\nC: *\nS: 221 bye"
    with scripted(script) as peer, smtplib.SMTP("localhost", peer.port, "localhost", timeout=20) as smtp:
        smtp.ehlo()
        smtp.user, smtp.password = "u@example.org", "t0ken"
        smtp.auth("XOAUTH2", smtp.auth_xoauth2)
    assert peer.said[1] == b"AUTH XOAUTH2 dXNlcj11QGV4YW1wbGUub3JnAWF1dGg9QmVhcmVyIHQwa2VuAQE=\r\n"


@pytest.mark.parametrize("content", [5, None, "\u00fc", ["x"]])
def test_what_is_no_message_is_refused_before_the_server_waits_for_it(content: Any, smtp_server: SmtpServer) -> None:
    with smtplib.SMTP(smtp_server.host, smtp_server.port) as smtp:
        smtp.ehlo()
        smtp.mail("a@example.org")
        smtp.rcpt("b@example.org")
        with pytest.raises((TypeError, UnicodeEncodeError)):
            smtp.data(content)
        with pytest.raises((TypeError, UnicodeEncodeError)):
            smtp.sendmail("a@example.org", ["b@example.org"], content)
        smtp.rset()
        large = b"..line\r\n" * 20_000
        # Sent from where it lies, or encoded: the server gets the same.
        for octets in (large, b"line\r\n" * 20_000, bytearray(b"line\n" * 20_000), memoryview(b"no end" * 20_000)):
            smtp.sendmail("a@example.org", ["b@example.org"], octets)
    assert [mail.content for mail in smtp_server.mails] == [
        large,
        b"line\r\n" * 20_000,
        b"line\r\n" * 20_000,
        b"no end" * 20_000 + b"\r\n",
    ]
