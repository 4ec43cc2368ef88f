"""How a daemon comes and goes."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.launch import daemon_is_ready
from protocol.messages import Progress
from tests.backend.disks import needs_mounts, read_only_disk

from .house import AT_ONCE, PATIENCE, UNTIL_MET, House, is_gone, large, small, until


def test_second_daemon_refuses_and_says_so(house: House) -> None:
    house.start(prologue=AT_ONCE)
    before = house.connection.read_bytes()
    second = house.launch()
    _, words = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "Another Nuri daemon runs already" in words
    assert "nuri stop" in words
    assert house.connection.read_bytes() == before
    house.client().ping()


def test_second_auto_started_daemon_leaves_quietly(house: House) -> None:
    house.start(prologue=AT_ONCE)
    second = house.launch("auto=True")
    _, words = second.communicate(timeout=60)
    assert (second.returncode, words) == (0, "")


def test_two_daemons_started_at_once_make_one(house: House) -> None:
    processes = [house.launch("auto=True, idle=1.0", UNTIL_MET) for _ in range(4)]
    until(house.connection.exists, "the connection file")
    served_by = house.client().connection.pid
    (first,) = [process for process in processes if process.pid == served_by]
    for process in processes:
        if process is not first:
            process.communicate(timeout=PATIENCE)
    assert first.poll() is None
    house.let_leave()
    house.close_clients()
    first.communicate(timeout=PATIENCE)
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert house.log().count("leaving") == 1


@pytest.mark.parametrize("started", ["", "an earlier process"])
def test_stale_connection_file_is_replaced(house: House, started: str) -> None:
    """Of a dead process, and of a living one that only has the same number."""
    house.start(prologue=AT_ONCE)
    file = house.file()
    house.kill()
    pid = os.getpid() if started else file.pid
    dataclasses.replace(file, pid=pid, started=started or file.started).write(house.connection)
    assert house.file().is_stale()
    with pytest.raises(NuriError) as caught:
        Client.open(house.file())
    assert caught.value.code is ErrorCode.unreachable
    house.start(prologue=AT_ONCE)
    assert not house.file().is_stale()
    house.client().ping()


@pytest.mark.parametrize("content", [b"{", b"\0" * 100_000])
def test_damaged_connection_file_is_replaced(house: House, content: bytes) -> None:
    house.connection.write_bytes(content)
    house.start(prologue=AT_ONCE)
    house.client().ping()


def test_connection_file_that_others_could_write_is_replaced(house: House) -> None:
    house.connection.write_text("{}")
    house.connection.chmod(0o666)
    house.start(prologue=AT_ONCE)
    assert house.connection.stat().st_mode & 0o777 == 0o600


def test_vanished_connection_file_comes_back(house: House) -> None:
    shorter = "from backend.daemon import lifecycle; lifecycle._CHECK_SECONDS = 0.2;"
    house.start(prologue=AT_ONCE + shorter)
    house.connection.unlink()
    until(house.connection.exists, "the file again")
    house.client().ping()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_while_its_worker_starts(house: House, number: signal.Signals) -> None:
    house.start(prologue=AT_ONCE)
    assert house.process
    house.process.send_signal(number)
    assert house.leave() == 0
    assert not house.connection.exists()


def test_end_leaves_neither_worker_nor_files(house: House) -> None:
    house.start()
    worker = house.worker_pid(house.client())
    assert house.process
    house.process.send_signal(signal.SIGTERM)
    assert house.leave() == 0
    assert is_gone(worker)
    assert not house.connection.exists()
    assert not list(house.folder.glob("*.sock"))


def test_shutdown_fails_open_jobs_and_removes_the_connection_file(house: House) -> None:
    house.start()
    client, other = house.client(), house.client("other")
    running = client.submit("flats", large())
    waiting = client.submit("flats", small(), lane="batch")
    next(event for event in running.events(60) if isinstance(event, Progress))
    other.shutdown()
    for job in (running, waiting):
        with pytest.raises(NuriError) as caught:
            job.result(60)
        assert caught.value.code is ErrorCode.shutting_down
    assert house.leave() == 0
    assert not house.connection.exists()


def test_idle_daemon_leaves_and_only_then(house: House) -> None:
    house.start("auto=True, idle=3.0", UNTIL_MET)
    client = house.client()
    house.let_leave()
    started = client.status().uptime
    until(lambda: client.status().uptime > started + 4.0, "more than the idle time")
    house.close_clients()
    assert house.leave() == 0
    assert "leaving: idle for 3 s" in house.log()
    assert not house.connection.exists()


def test_idle_daemon_notices_clients_that_were_killed(house: House) -> None:
    house.start("auto=True, idle=1.0", UNTIL_MET)
    program = "from protocol.client import Client; c = Client.connect(timeout=30);"
    program += "print(c.ready, flush=True); import time; time.sleep(600)"
    client = subprocess.Popen(
        [sys.executable, "-c", program], env=house.environment, stdout=subprocess.PIPE
    )
    assert client.stdout
    with client.stdout:
        assert client.stdout.readline() == b"True\n"
    house.let_leave()
    client.kill()
    client.wait()
    assert house.leave() == 0


def test_daemon_started_by_hand_stays(house: House) -> None:
    house.start("idle=0.1", AT_ONCE)
    assert house.process
    with pytest.raises(subprocess.TimeoutExpired):
        house.process.wait(1)


def test_unknown_device_is_refused(house: House) -> None:
    process = house.launch("device='abacus'")
    _, words = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "abacus" in words


@needs_mounts
def test_state_folder_that_cannot_be_written_is_named(house: House) -> None:
    with read_only_disk(house.folder / "disk") as disk:
        house.state = disk / "state"
        process = house.launch()
        _, words = process.communicate(timeout=60)
    assert process.returncode == 1
    assert str(house.state) in words
    assert not house.connection.exists()


def test_status_of_a_daemon_that_waits_for_its_worker(house: House) -> None:
    """The connection is published even when the worker never gets ready."""
    prologue = (
        "import sys; from backend.daemon import server, supervision;"
        "server._PUBLISH_SECONDS = 0.5;"
        "supervision.worker_command = lambda: [sys.executable, '-c', 'input(); input()'];"
    )
    house.start(prologue=prologue)
    client = house.client()
    assert client.welcome
    assert (client.welcome.device, client.welcome.tasks) == ("", [])
    assert client.status().worker["state"] == "starting"
    job = client.submit("flats", small())
    until(lambda: client.wait(0.1) is not None and job.state == "queued", "its place in the queue")


def test_daemon_is_ready_only_when_it_serves(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURI_CONNECTION", str(house.connection))
    assert not daemon_is_ready()
    house.start(prologue=AT_ONCE)
    assert daemon_is_ready()
    assert Path(house.file().work.removeprefix("ipc://")).exists()
