"""Fixtures: certificates of a throw-away authority, and servers of another maker."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import AiosmtpdServer


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key, in one file."""
    directory = tmp_path_factory.mktemp("tls")
    path = directory / "localhost.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", directory / "key.pem", "-out", directory / "cert.pem"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    path.write_text((directory / "key.pem").read_text() + (directory / "cert.pem").read_text())
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    """What a server of the tests does TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client_tls(certificate: Path) -> ssl.SSLContext:
    """Trusts the servers of the tests and nobody else."""
    return ssl.create_default_context(cafile=certificate)


@pytest.fixture
def aiosmtpd() -> Iterator[AiosmtpdServer]:
    """aiosmtpd without TLS; it takes everything but mail for addresses that begin with ``no``."""
    with AiosmtpdServer() as server:
        yield server


@pytest.fixture
def aiosmtpd_tls(server_tls: ssl.SSLContext) -> Iterator[AiosmtpdServer]:
    """aiosmtpd that wants STARTTLS and AUTH (user ``user``, password ``s3cret-pw``)."""
    with AiosmtpdServer(tls=server_tls, require_auth=True) as server:
        yield server
