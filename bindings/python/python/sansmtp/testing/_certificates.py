"""A throw-away certificate authority."""

from __future__ import annotations

import importlib.util
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from sansmtp.exceptions import ConfigError

_NAMES = ("localhost", "127.0.0.1", "::1")


class Authority:
    """A certificate authority that lives as long as this object, with one certificate for this machine's loopback
    names, or for others.

    It is made by ``trustme`` if that is installed (the extra ``sansmtp[pytest]`` brings it), else by the command
    ``openssl``.
    """

    def __init__(self, *names: str) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="sansmtp-ca-")
        here = Path(self._directory.name)
        #: The authority's certificate, for ``SSL_CERT_FILE`` and the like.
        self.ca_file = here / "ca.pem"
        #: The server's certificate and key.
        self.server_file = here / "server.pem"
        names = names or _NAMES
        if importlib.util.find_spec("trustme") is not None:
            self._by_trustme(names)
        elif shutil.which("openssl") is not None:
            self._by_openssl(names)
        else:
            raise ConfigError(
                "nothing is installed that makes certificates",
                actor="program",
                next_step="pip install 'sansmtp[pytest]', or install openssl",
            )

    def server_context(self) -> ssl.SSLContext:
        """What a server does TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_file)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Trusts this authority and nobody else."""
        return ssl.create_default_context(cafile=self.ca_file)

    def close(self) -> None:
        """Deletes the files."""
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _by_trustme(self, names: tuple[str, ...]) -> None:
        import trustme

        authority = trustme.CA()
        certificate = authority.issue_cert(*names)
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate.private_key_and_cert_chain_pem.write_to_path(str(self.server_file))

    def _by_openssl(self, names: tuple[str, ...]) -> None:
        here = Path(self._directory.name)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        kinds = [("IP" if name.replace(".", "").isdigit() or ":" in name else "DNS") + ":" + name for name in names]
        request = here / "request.cnf"
        request.write_text(
            "[server]\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n"
            f"subjectAltName={','.join(kinds)}\n"
        )
        _openssl("req", "-x509", *key, "-subj", "/CN=Throw-away test authority", "-keyout", here / "ca.key",
                 "-out", self.ca_file, "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
        _openssl("req", *key[:5], "-subj", "/CN=" + names[0][:64], "-keyout", here / "server.key",
                 "-out", here / "server.csr")  # fmt: skip
        _openssl("x509", "-req", "-in", here / "server.csr", "-CA", self.ca_file, "-CAkey", here / "ca.key",
                 "-CAcreateserial", "-days", "2", "-extfile", request, "-extensions", "server",
                 "-out", here / "server.crt")  # fmt: skip
        self.server_file.write_text((here / "server.key").read_text() + (here / "server.crt").read_text())


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)  # noqa: S603, S607
