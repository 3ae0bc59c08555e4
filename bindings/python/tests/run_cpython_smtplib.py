"""Runs CPython's own tests of smtplib against the drop-in, as a program of its own: the drop-in takes the place of the
standard library's module before the tests are imported.

Prints how many tests ran and the names of those that failed, one a line; exits with 0 if none did.
"""

from __future__ import annotations

import importlib
import io
import socket
import sys
import unittest
from typing import Any


class _Result(unittest.TextTestResult):
    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        socket.setdefaulttimeout(None)


def main() -> int:
    """Runs them."""
    sys.modules["smtplib"] = importlib.import_module("sansmtp.smtplib")
    tests = unittest.defaultTestLoader.loadTestsFromName("test.test_smtplib")
    output = io.StringIO()
    runner: Any = unittest.TextTestRunner
    result = runner(output, verbosity=0, resultclass=_Result).run(tests)
    print(result.testsRun)
    for test, _ in result.failures + result.errors:
        print(test.id().removeprefix("test.test_smtplib."))
    if not result.wasSuccessful():
        print(output.getvalue(), file=sys.stderr)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
