"""The pytest plugin: the fixtures ``smtp_server`` and ``smtp_server_factory``.

``smtp_server`` is a :class:`sansmtp.testing.SmtpServer`; the marker ``smtp_server`` gives it options::

    @pytest.mark.smtp_server(security="starttls", user="me", password="secret", require_auth=True)
    def test_it(smtp_server): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sansmtp.testing import Authority, SmtpServer


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line(
        "markers", "smtp_server(**options): options of the fixture smtp_server, as sansmtp.testing.SmtpServer has them"
    )


@pytest.fixture(scope="session")
def smtp_authority() -> Iterator[Authority]:
    """The throw-away certificate authority of this test run."""
    # Whoever does not use the fixtures does not load the package.
    from sansmtp.testing import Authority

    with Authority() as authority:
        yield authority


@pytest.fixture
def smtp_server_factory(request: pytest.FixtureRequest) -> Iterator[Callable[..., SmtpServer]]:
    """Starts servers with the options of :class:`sansmtp.testing.SmtpServer`; they end with the test."""
    from sansmtp.testing import SmtpServer

    servers: list[SmtpServer] = []

    def start(**options: Any) -> SmtpServer:
        if options.get("security", "danger-plaintext") != "danger-plaintext" or options.get("profile"):
            options.setdefault("authority", request.getfixturevalue("smtp_authority"))
        server = SmtpServer(**options)
        server.start()
        servers.append(server)
        return server

    try:
        yield start
    finally:
        for server in servers:
            server.close()


@pytest.fixture
def smtp_server(request: pytest.FixtureRequest, smtp_server_factory: Callable[..., SmtpServer]) -> SmtpServer:
    """A mail server for this test. It keeps the mails it takes, and fails as it is told."""
    marker = request.node.get_closest_marker("smtp_server")
    return smtp_server_factory(**(marker.kwargs if marker is not None else {}))
