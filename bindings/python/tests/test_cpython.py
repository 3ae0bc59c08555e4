"""CPython's own tests of smtplib, run against the drop-in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_standard_library_s_tests_pass() -> None:
    runner = Path(__file__).with_name("run_cpython_smtplib.py")
    done = subprocess.run([sys.executable, "-W", "ignore", runner], capture_output=True, text=True, timeout=120)
    count, *failed = done.stdout.split()
    assert failed == [], done.stderr
    assert int(count) >= 80
    assert done.returncode == 0
