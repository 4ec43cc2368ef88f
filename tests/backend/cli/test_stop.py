"""`nuri stop` and `nuri status` with daemons that do not answer, or are elsewhere."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from backend.daemon.listening import REMOTE_NAME
from protocol.connection import ConnectionFile
from protocol.processes import start_token
from tests.backend.cli.console import Console, one_line
from tests.backend.ports import on_free_ports

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
_PATIENCE = 60.0


def wait_for(condition) -> None:
    give_up = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < give_up, "it did not come to pass"
        time.sleep(0.02)


class Served:
    """`nuri serve` in a private place."""

    def __init__(self, nuri: Console, *arguments: object) -> None:
        self.file = Path(nuri.environment["NURI_CONNECTION"])
        self.process = nuri.start("serve", *arguments)
        wait_for(lambda: self.file.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()
        self.pid = ConnectionFile.read(self.file).pid

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.communicate(timeout=_PATIENCE)


def test_a_daemon_that_hangs_is_told_with_its_number(nuri):
    with Served(nuri) as served:
        served.process.send_signal(signal.SIGSTOP)
        done = nuri("stop")
        assert (done.code, done.out) == (1, "")
        assert one_line(done.err)
        assert f"(process {served.pid}) does not answer" in done.err
        status = nuri("status")
        assert status.code == 1
        assert f"(process {served.pid}) does not answer" in status.err
    assert nuri("stop").out == "no daemon is running\n"


def test_a_daemon_without_its_sockets_is_told_with_its_number(nuri):
    with Served(nuri) as served:
        Path(ConnectionFile.read(served.file).control.removeprefix("ipc://")).unlink()
        served.process.send_signal(signal.SIGSTOP)  # before it notices, and leaves
        done = nuri("stop")
        assert done.code == 1
        assert f"process {served.pid}" in done.err


def test_a_daemon_that_has_not_published_yet_is_not_called_none(nuri):
    with Served(nuri) as served:
        served.process.send_signal(signal.SIGSTOP)
        served.file.unlink()
        done = nuri("stop")
        assert done.code == 1
        assert one_line(done.err) and "daemon.lock" in done.err


@pytest.mark.parametrize("has_same_name", [False, True])
def test_a_daemon_elsewhere_is_stopped(nuri, tmp_path, has_same_name):
    """With the file that was carried over, whatever the names of the machines are."""
    with on_free_ports(lambda port: Served(nuri, "--listen", f"tcp://127.0.0.1:{port}")) as served:
        carried = ConnectionFile.read(Path(nuri.environment["NURI_STATE"]) / REMOTE_NAME)
        # Numbers of processes of the other machine mean nothing on this one.
        carried = replace(carried, pid=2**22 + 5)
        if not has_same_name:
            carried = replace(carried, host="another-machine")
        here = Console(tmp_path / "here")
        place = Path(here.environment["NURI_CONNECTION"])
        carried.write(place)
        before = place.read_bytes()
        assert here("status").code == 0
        done = here("stop")
        assert (done.code, done.err) == (0, "")
        assert done.out == f"the daemon at {carried.control} is stopping\n"
        assert place.read_bytes() == before
        wait_for(lambda: not start_token(served.pid))
        silent = here("stop")
        assert silent.code == 1
        assert f"at {carried.control} does not answer" in silent.err
        assert place.read_bytes() == before


def test_names_of_documents_steer_no_terminal(daemon):
    from protocol.client import Client

    assert daemon("status").code == 1
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NURI_CONNECTION", "NURI_STATE"):
            patch.setenv(name, daemon.environment[name])
        with Served(daemon), Client.connect(timeout=30) as client:
            name = "\x1b]0;owned\x07\x1b[2Jfake\nno jobs"
            job = client.submit("animation", [], lane="batch", document=name, frames=3)
            wait_for(lambda: client.wait(0.1) is not None and job.state == "queued")
            done = daemon("status")
            assert "job ?]0;owned??[2Jfake no jobs: animation" in done.out
            assert all(line.isprintable() for line in done.out.splitlines())
