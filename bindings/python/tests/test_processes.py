"""Processes, threads and interpreters."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
import sansmtp
from sansmtp import sansio
from sansmtp.testing import SmtpServer
from test_mailer import MESSAGE

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def test_parent_and_child_send_at_the_same_time(smtp_server: SmtpServer) -> None:
    with smtp_server.mailer() as mailer:
        mailer.send(MESSAGE)
        child = os.fork()
        if child == 0:
            # The child must neither use nor close the parent's connection.
            code = 1
            try:
                code = 0 if mailer.send(MESSAGE).ok else 2
                mailer.close()
            finally:
                os._exit(code)
        assert mailer.send(MESSAGE).ok
        assert os.waitpid(child, 0)[1] == 0
        assert mailer.send(MESSAGE).ok
    assert len(smtp_server.wait_for(4)) == 4
    assert smtp_server.connections == 2


def test_a_child_that_is_forked_while_another_thread_sends(smtp_server: SmtpServer) -> None:
    sends = threading.Event()

    def connector(host: str, port: int, timeout: float) -> socket.socket:
        sends.set()
        return socket.create_connection((host, port), timeout)

    smtp_server.delay("verdict", 1.0, times=1)
    with sansmtp.Mailer(smtp_server.config, connector=connector) as mailer:
        thread = threading.Thread(target=mailer.send, args=(MESSAGE,))
        thread.start()
        sends.wait(20)
        child = os.fork()
        if child == 0:
            code = 1
            # Where it waited for the other thread, this would end it.
            signal.alarm(20)
            try:
                code = 0 if mailer.send(MESSAGE).ok else 2
                mailer.close()
            finally:
                os._exit(code)
        thread.join(20)
        assert os.waitpid(child, 0)[1] == 0
    assert len(smtp_server.wait_for(2)) == 2


def test_asyncio_in_a_child_after_asyncio_in_the_parent(smtp_server: SmtpServer) -> None:
    async def send() -> None:
        async with smtp_server.async_mailer() as mailer:
            assert (await mailer.send(MESSAGE)).ok

    asyncio.run(send())
    child = os.fork()
    if child == 0:
        code = 1
        try:
            asyncio.run(send())
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert len(smtp_server.wait_for(2)) == 2


def _send_in_child(config: bytes, port: int) -> bool:
    return sansmtp.send(sansmtp.from_url(f"smtp+danger-plaintext://127.0.0.1:{port}"), MESSAGE).ok


def test_a_pool_of_processes(smtp_server: SmtpServer) -> None:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.starmap(_send_in_child, [(b"", smtp_server.port)] * 4) == [True] * 4
    assert len(smtp_server.mails) == 4


def test_a_connection_that_two_threads_use_at_once_is_an_error_at_most() -> None:
    client = sansio.ClientConnection(sansio.Config("mx.example.org", security="danger-plaintext"))
    client.receive_data(b"220 x\r\n")
    problems: list[BaseException] = []

    def use() -> None:
        for _ in range(2000):
            try:
                client.next_event()
                client.data_to_send()
                client.receive_data(b"250 x\r\n")
            except (sansmtp.SansmtpError, RuntimeError) as error:
                problems.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(problem, (sansmtp.PeerError, sansmtp.MisuseError, RuntimeError)) for problem in problems)


def test_a_subinterpreter_works_or_is_refused_in_words() -> None:
    program = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
made = interpreters.create()
interpreters.run_string(made, '''
try:
    import sansmtp
except ImportError as error:
    assert "interpreter" in str(error), error
else:
    assert sansmtp.gmail("a@gmail.com", "x").port == 465
''')
print("fine")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "fine\n"
