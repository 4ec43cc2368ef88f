"""Daemons that are not there, do not answer, or die in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from protocol import watch
from protocol.client import Client
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError
from protocol.messages import Failed
from protocol.polled_client import HANDSHAKE_SECONDS
from protocol.processes import start_token

from .conftest import StartDaemon
from .examples import picture
from .polling import code_of, poll_until


def test_no_daemon(home: Path) -> None:
    with pytest.raises(NuriError, match="not running") as caught:
        Client.connect()
    assert caught.value.code is ErrorCode.unreachable
    assert "nuri serve" in caught.value.info.action
    assert code_of(Client.open) is ErrorCode.unreachable


def test_a_file_left_by_a_dead_daemon(start_daemon: StartDaemon) -> None:
    process = start_daemon()
    process.kill()
    process.wait()
    with pytest.raises(NuriError, match="not running any more") as caught:
        Client.connect()
    assert caught.value.code is ErrorCode.unreachable


def test_a_recycled_pid(start_daemon: StartDaemon) -> None:
    process = start_daemon()
    process.kill()
    process.wait()
    replace(ConnectionFile.read(), pid=os.getpid()).write()
    assert code_of(Client.connect) is ErrorCode.unreachable


def test_an_endpoint_where_nobody_listens(start_daemon: StartDaemon, home: Path) -> None:
    start_daemon()
    nobody = f"ipc://{home}/nobody.sock"
    replace(ConnectionFile.read(), control=nobody, work=nobody).write()
    with pytest.raises(NuriError, match="does not answer") as caught:
        Client.connect(timeout=0.5)
    assert caught.value.code is ErrorCode.unreachable
    assert "nuri serve" in caught.value.info.action


def test_an_endpoint_that_cannot_be(start_daemon: StartDaemon) -> None:
    start_daemon()
    replace(ConnectionFile.read(), control=f"ipc:///{'x' * 200}").write()
    assert code_of(Client.connect) is ErrorCode.unreachable


def test_a_daemon_that_says_nothing(start_daemon: StartDaemon) -> None:
    start_daemon("--mute")
    assert code_of(lambda: Client.connect(timeout=0.5)) is ErrorCode.unreachable


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="stops a process with a signal")
def test_a_late_answer_is_awaited_as_long_as_asked(start_daemon: StartDaemon) -> None:
    process = start_daemon()
    process.send_signal(signal.SIGSTOP)
    late = threading.Timer(HANDSHAKE_SECONDS + 1, process.send_signal, (signal.SIGCONT,))
    late.start()
    with Client.connect(timeout=120) as client:
        assert client.ready
    late.join()


def test_an_answer_is_awaited_no_longer_than_asked(start_daemon: StartDaemon) -> None:
    start_daemon("--mute")
    client = Client.open(patience=0.2)
    poll_until(client, lambda: client.lost)
    assert client.lost is not None
    assert client.lost.code is ErrorCode.unreachable
    client.close()


def test_jobs_fail_when_the_daemon_is_killed(start_daemon: StartDaemon) -> None:
    process = start_daemon()
    with Client.connect() as client:
        jobs = [client.submit("hang", [picture()]) for _ in range(3)]
        poll_until(client, lambda: all(job.state == "running" for job in jobs))
        process.kill()
        for job in jobs:
            with pytest.raises(NuriError) as caught:
                job.result(timeout=60)
            assert caught.value.code is ErrorCode.unreachable
            assert caught.value.info.job == job.id
        assert client.lost is not None
        assert not client.ready
        assert code_of(client.status) is ErrorCode.unreachable
        assert code_of(lambda: client.submit("echo", [])) is ErrorCode.unreachable


def test_a_polling_client_hears_of_the_death(start_daemon: StartDaemon) -> None:
    process = start_daemon()
    client = Client.open()
    job = client.submit("hang", [])
    poll_until(client, lambda: job.state == "running")
    process.kill()
    seen = poll_until(client, lambda: client.lost)
    assert [m.job for m in seen if isinstance(m, Failed)] == [job.id]
    assert client.poll() == []
    client.close()


def test_a_stream_ends_when_the_daemon_is_killed(start_daemon: StartDaemon) -> None:
    process = start_daemon()
    with Client.connect() as client:
        job = client.submit("stream", [], frames=1000)
        frames = job.stream([[picture()] for _ in range(1000)])
        assert next(frames).index == 0
        process.kill()
        with pytest.raises(NuriError) as caught:
            list(frames)
        assert caught.value.code is ErrorCode.unreachable


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, what was sent before the end is read."""
    monkeypatch.setattr(watch, "_LAST_WORDS_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
def test_a_result_that_came_before_the_death_counts(start_daemon: StartDaemon) -> None:
    process = start_daemon()
    with Client.connect() as client:
        job = client.submit("echo", [picture()])
        with Client.connect(timeout=60) as other:
            # The daemon answers in order: once it lists the job, the result has left it.
            while job.id not in [entry["job"] for entry in other.status(60).jobs]:
                pass
        process.kill()
        process.wait()
        assert job.state == "submitted"
        assert job.result(timeout=60).outputs == (picture(),)


@pytest.mark.usefixtures("patient")
def test_one_connection_may_end_before_the_other(start_daemon: StartDaemon) -> None:
    start_daemon()
    with Client.connect(timeout=60) as client:
        job = client.submit("last-words", [])
        job.result(60)
        poll_until(client, lambda: client.lost)


@pytest.mark.usefixtures("patient")
@pytest.mark.skipif(sys.platform == "win32", reason="stops a process with a signal")
def test_a_dead_process_may_still_be_heard(
    start_daemon: StartDaemon, child: subprocess.Popen[bytes]
) -> None:
    """Its result may be on the way; here another process sends it when the first is long dead."""
    process = start_daemon()
    told = replace(ConnectionFile.read(), pid=child.pid, started=start_token(child.pid))
    client = Client.open(told)
    poll_until(client, lambda: client.ready)
    process.send_signal(signal.SIGSTOP)
    job = client.submit("echo", [picture()])
    child.kill()
    child.wait()
    give_up = time.monotonic() + 2 * watch._PROCESS_CHECK_SECONDS
    while time.monotonic() < give_up:
        client.wait(0.1)
    assert job.state == "submitted"
    process.send_signal(signal.SIGCONT)
    assert job.result(60).outputs == (picture(),)
    client.close()


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process with a signal")
def test_a_connection_that_breaks_while_the_process_lives(start_daemon: StartDaemon) -> None:
    """No dead pid to see here: the monitor of the socket tells."""
    process = start_daemon()
    connection = replace(ConnectionFile.read(), host="elsewhere")
    client = Client.open(connection)
    job = client.submit("hang", [])
    poll_until(client, lambda: job.state == "running")
    process.send_signal(signal.SIGKILL)
    assert code_of(lambda: job.result(60)) is ErrorCode.unreachable
    assert client.lost is not None
    assert "connection" in str(client.lost)
    client.close()


def test_a_process_that_dies_while_the_connection_stays(start_daemon: StartDaemon) -> None:
    """A socket that something else still holds open: the pid tells."""
    start_daemon()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        told = replace(ConnectionFile.read(), pid=child.pid, started=start_token(child.pid))
        client = Client.open(told)
        job = client.submit("hang", [])
        poll_until(client, lambda: job.state == "running")
        child.kill()
        with pytest.raises(NuriError, match="ended unexpectedly") as caught:
            job.result(60)
    assert caught.value.code is ErrorCode.unreachable
    client.close()


def test_an_orderly_end(start_daemon: StartDaemon) -> None:
    process = start_daemon()
    with Client.connect() as client:
        job = client.submit("hang", [])
        client.shutdown(60)
        assert process.wait(60) == 0
        assert client.lost is not None
        assert client.lost.code is ErrorCode.shutting_down
        assert code_of(job.result) is ErrorCode.shutting_down
    assert code_of(Client.connect) is ErrorCode.unreachable


def test_after_a_death_a_new_daemon_is_found(start_daemon: StartDaemon) -> None:
    first = start_daemon()
    client = Client.connect()
    first.kill()
    poll_until(client, lambda: client.lost)
    client.close()
    start_daemon()
    with Client.connect() as again:
        assert again.submit("echo", []).result(60)
