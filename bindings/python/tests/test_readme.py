"""Every Python block of the README runs, with servers on this machine in the place of those it names."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sansmtp.testing import Authority, SmtpServer

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text()
#: Each with the number of its first line.
BLOCKS = [
    (match[1], f"line{TEXT[: match.start()].count(chr(10)) + 2}")
    for match in re.finditer(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
]
HOSTS = ["smtp.example.org", "smtp.gmail.com", "smtp-mail.outlook.com"]


@pytest.fixture
def servers(
    smtp_server_factory: Callable[..., SmtpServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[dict[int, SmtpServer]]:
    """Servers for the ports that mail is sent to, whatever the host."""
    with Authority(*HOSTS) as authority:
        options: dict[str, Any] = {"user": "me@example.org", "password": "secret", "authority": authority}
        # The mechanisms that never show the password would need the right one.
        options["mechanisms"] = ["PLAIN", "LOGIN", "XOAUTH2"]
        found = {
            25: smtp_server_factory(),
            465: smtp_server_factory(security="implicit-tls", **options),
            587: smtp_server_factory(security="starttls", **options),
        }
        # Whoever signs in is let in: the README names several people.
        for server in found.values():
            monkeypatch.setattr(server._server._calls, "auth", lambda session, user, password: True)
            monkeypatch.setattr(server._server._calls, "bearer", lambda session, user, token: True)
            server.refuse("rcpt", 550, "No such user", enhanced_code="5.1.1", address="nobody@example.org")
        resolve = socket.getaddrinfo

        def here(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            if port in found:
                return resolve("127.0.0.1", found[port].port, socket.AF_INET, socket.SOCK_STREAM)
            return resolve(host, port, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", here)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
        monkeypatch.setenv("SMTP_URL", "smtps://me%40example.org@smtp.example.org")
        monkeypatch.setenv("SMTP_PASSWORD", "secret")
        monkeypatch.chdir(tmp_path)
        yield found


@pytest.mark.parametrize("block", [pytest.param(text, id=line) for text, line in BLOCKS if "def test_" not in text])
def test_a_block_runs(block: str, servers: dict[int, SmtpServer], capsys: pytest.CaptureFixture[str]) -> None:
    # A server that would run on is shown for a moment only, on a port that is free.
    block = block.replace("port=2525", "port=0").replace("server.serve_forever(), 60)", "asyncio.sleep(0), 60)")
    exec(compile(block, str(README), "exec"), {"__name__": "readme"})
    mails = [mail for server in servers.values() for mail in server.mails]
    if re.search(r"\.send\w*\(", block):
        assert mails
    for comment in re.findall(r"^print\(.*\)  # (b'.*')$", block, re.MULTILINE):
        assert comment in capsys.readouterr().out


@pytest.mark.parametrize("block", [pytest.param(text, id=line) for text, line in BLOCKS if "def test_" in text])
def test_a_block_of_tests_passes(block: str, tmp_path: Path) -> None:
    (tmp_path / "test_block.py").write_text(block)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-W", "error", tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 15
