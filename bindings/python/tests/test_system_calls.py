"""How often a message asks the kernel for something: a count that repeats exactly."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sansmtp.testing import SmtpServer

SUBJECTS = Path(__file__).parent.parent / "bench/subjects.py"
PLAIN = ["PIPELINING", "SIZE", "8BITMIME"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="strace is a program of Linux")


def calls(directory: Path, subject: str, server: SmtpServer, count: int) -> int:
    """All system calls of a process that sends so many messages of 1 KiB."""
    strace = shutil.which("strace")
    assert strace is not None, "strace is not installed; install it with: cargo xtask setup"
    log = directory / f"{count}.txt"
    # The interpreter starts the same way each time; only what a message costs is different.
    command = [strace, "-f", "-c", "-U", "calls,name", "-o", str(log), sys.executable, str(SUBJECTS), subject]
    subprocess.run([*command, server.host, str(server.port), str(count), "1024"], check=True)
    total = re.search(r"^\s*(\d+) total$", log.read_text(), re.MULTILINE)
    assert total is not None, log.read_text()
    return int(total[1])


@pytest.mark.parametrize(
    ("subject", "extensions", "most"),
    [
        ("sansmtp.Mailer", PLAIN, 4),
        ("sansmtp.Mailer, send_many", PLAIN, 2),
        ("sansmtp.Mailer", [*PLAIN, "CHUNKING"], 2),
    ],
)
def test_system_calls_of_a_message(
    tmp_path: Path,
    smtp_server_factory: Callable[..., SmtpServer],
    subject: str,
    extensions: list[str],
    most: int,
) -> None:
    server = smtp_server_factory(extensions=extensions)
    few, many = (calls(tmp_path, subject, server, count) for count in (20, 220))
    assert len(server.mails) == 240
    # What the interpreter does by itself, such as asking for memory, is less than one call for each message.
    assert round((many - few) / 200) <= most
