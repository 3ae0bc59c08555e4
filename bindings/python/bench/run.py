"""CPU time of one message for each way to send or to receive it, in ratios: ``run.py [--quick]``.

Clients send to Postfix's smtp-sink, servers are sent to by its smtp-source; all on the loopback interface, over one
connection that is kept, both sides on one core. What is counted is the processor time of the measured process alone,
user and system, less that of the same process without a message. Rounds take turns, and the least time counts: the
rest is other load.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SUBJECTS = Path(__file__).with_name("subjects.py")
CLIENTS = [
    ("smtplib", ["sansmtp.smtplib", "sansmtp.Mailer", "sansmtp.Mailer, send_many"]),
    ("aiosmtplib", ["sansmtp.aio.SMTP", "sansmtp.AsyncMailer", "sansmtp.AsyncMailer, send_many"]),
]
SERVERS = [("aiosmtpd", ["sansmtp.Server"])]


def main() -> None:
    """Measures and prints a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="few messages: to see that it works")
    quick = options.parse_args().quick
    if hasattr(os, "sched_setaffinity"):
        # Whether two processes wake each other across cores is chance, and costs more than a message does.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sizes = {"1 KiB": (1024, 200 if quick else 4000), "1 MiB": (1 << 20, 5 if quick else 60)}
    rounds = 1 if quick else 5
    print("| | size | CPU per message | against |\n|---|---|---|---|")
    for kind, rows in ((client, CLIENTS), (server, SERVERS)):
        for label, (size, count) in sizes.items():
            for peer, ours in rows:
                least: dict[str, float] = {}
                for _ in range(rounds):
                    for name in (peer, *ours):
                        used = (kind(name, count, size) - kind(name, 0, size)) / count
                        least[name] = min(used, least.get(name, used))
                print(f"| {peer} | {label} | {least[peer] * 1e6:.0f} us | |")
                for name in ours:
                    print(
                        f"| {name} | {label} | {least[name] * 1e6:.0f} us | {least[name] / least[peer]:.2f} x {peer} |"
                    )


def client(name: str, count: int, size: int) -> float:
    """CPU seconds of a client that sends so many messages."""
    port = free_port()
    sink = subprocess.Popen(
        ["smtp-sink", *(["-u", "nobody"] if os.getuid() == 0 else []), f"127.0.0.1:{port}", "100"],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        before = children()
        subprocess.run([sys.executable, SUBJECTS, name, "127.0.0.1", str(port), str(count), str(size)], check=True)
        return children() - before
    finally:
        sink.terminate()
        sink.wait()


def server(name: str, count: int, size: int) -> float:
    """CPU seconds of a server that takes so many messages."""
    port = free_port()
    before = children()
    served = subprocess.Popen(
        [sys.executable, SUBJECTS, name, "127.0.0.1", str(port), "0", "100"], stdout=subprocess.PIPE
    )
    source = 0.0
    try:
        assert served.stdout is not None
        served.stdout.readline()
        if count:
            begin = children()
            subprocess.run(
                ["smtp-source", "-d", "-s", "1", "-m", str(count), "-l", str(size), "-f", "a@example.com",
                 "-t", "b@example.org", f"127.0.0.1:{port}"],
                check=True,
            )  # fmt: skip
            source = children() - begin
    finally:
        served.send_signal(signal.SIGKILL)
        served.wait()
    return children() - before - source


def children() -> float:
    """CPU seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Waits until somebody listens."""
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")


if __name__ == "__main__":
    main()
