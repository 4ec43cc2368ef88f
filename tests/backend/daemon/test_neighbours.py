"""Daemons beside each other and beside other programs, and what a cleaner of files does to them."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.daemon.results import KEEP_SECONDS
from protocol.connection import ConnectionFile
from protocol.errors import ErrorCode, NuriError
from protocol.messages import Progress
from tests.protocol.boxes import BOX, has_boxes

from .house import AT_ONCE, House, large, small, until

SHORTER = AT_ONCE + "from backend.daemon import lifecycle; lifecycle._CHECK_SECONDS = 0.2;"


@pytest.fixture
def beside(house: House) -> Iterator[Callable[[str], House]]:
    """Gives houses in the same folder, with connection files of their own names."""
    houses = []

    def make(name: str) -> House:
        other = House(house.folder, house.folder / name)
        houses.append(other)
        return other

    yield make
    for other in houses:
        other.close()


def sockets(house: House) -> set[str]:
    return {path.name for path in house.folder.glob("*.sock")}


def test_two_daemons_and_a_stranger_share_a_folder(
    house: House, beside: Callable[[str], House]
) -> None:
    stranger = house.folder / "work.sock"
    with socket.socket(socket.AF_UNIX) as foreign:
        foreign.bind(str(stranger))
        first, second = beside("a.json"), beside("b.json")
        second.state = house.folder / "state-2"
        first.start(prologue=AT_ONCE)
        of_first = sockets(house)
        second.start(prologue=AT_ONCE)
        assert of_first < sockets(house)
        for one in (first, second):
            assert one.file().work.startswith("ipc://")
            one.client().ping()
        second.close()
        assert sockets(house) == of_first
        first.client("again").ping()
        first.kill()
        assert sockets(house) == of_first
        first.start(prologue=AT_ONCE)
        first.client("and again").ping()
        first.close()
        assert sockets(house) == {"work.sock"}
        assert stranger.exists()


def test_a_folder_with_a_long_name_still_has_room_for_sockets(
    house: House, beside: Callable[[str], House]
) -> None:
    one = beside("n" * 200 + ".json")
    one.start(prologue=AT_ONCE)
    assert one.file().work.startswith("ipc://")
    assert all(len(os.fsencode(path)) <= 100 for path in house.folder.glob("*.sock"))
    one.client().ping()


def test_a_daemon_whose_socket_has_vanished_leaves_and_another_can_come(house: House) -> None:
    house.start(prologue=SHORTER)
    Path(house.file().control.removeprefix("ipc://")).unlink()
    assert house.leave() == 0
    assert not house.connection.exists()
    assert "has vanished" in house.log()
    house.start(prologue=AT_ONCE)
    house.client().ping()


def test_a_daemon_whose_socket_has_vanished_ends_its_jobs_first(house: House) -> None:
    house.start(prologue=SHORTER)
    client = house.client()
    job = client.submit("flats", large())
    next(event for event in job.events(60) if isinstance(event, Progress))
    Path(house.file().work.removeprefix("ipc://")).unlink()
    assert job.result(60).outputs
    assert house.leave() == 0


def test_a_stale_file_is_gone_while_the_next_daemon_starts(house: House) -> None:
    """Else the lock of the new one would speak for the old one."""
    house.start(prologue=AT_ONCE)
    old = house.file()
    house.kill()
    assert old.is_stale()
    process = house.launch(
        prologue="from backend.daemon import server;"
        "server._PUBLISH_SECONDS = 3600.0;"
        "server.Server.run = lambda self, idle: (print(flush=True), input());"
    )
    until(lambda: not house.connection.exists(), "its removal")
    process.kill()
    process.communicate()


@pytest.mark.skipif(not has_boxes(), reason="no process numbers of its own to be had here")
def test_a_client_in_a_box_with_process_numbers_of_its_own_is_served(house: House) -> None:
    """As Krita of Flatpak is: it sees the files and the sockets, but not the process."""
    house.start(prologue=AT_ONCE)
    program = (
        "from protocol.client import Client\n"
        "with Client.connect(timeout=30) as client: client.ping(); print(client.ready)"
    )
    done = subprocess.run(
        [*BOX, sys.executable, "-c", program],
        env=house.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_carried_connection_file_is_never_written_over(house: House, mode: int) -> None:
    """Its host may have the name of this machine, and its process none here."""
    carried = ConnectionFile.of_this_process("9", "ipc:///w", "ipc:///c", None, None, remote=True)
    dataclasses.replace(carried, pid=2**22 + 5).write(house.connection)
    house.connection.chmod(mode)
    before = house.connection.read_bytes()
    process = house.launch(prologue=AT_ONCE)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"{house.connection} leads to a Nuri daemon on another machine" in words
    assert house.connection.read_bytes() == before


def test_daemons_with_one_state_folder_keep_each_others_results(
    house: House, beside: Callable[[str], House]
) -> None:
    first, second = beside("a.json"), beside("b.json")
    first.start()
    of_first = first.client()
    of_first.submit("flats", small(), job="one").result(60)
    until(lambda: of_first.status().kept, "the result on disk")
    # What a daemon that writes at this moment would leave half done.
    partial = first.state / "results" / "0123.partial"
    partial.write_bytes(b"half")
    second.start()
    assert partial.exists()
    assert of_first.fetch("one").outputs
    of_second = second.client()
    of_second.submit("flats", small(), job="two").result(60)
    until(lambda: of_second.status().kept, "the result on disk")
    with pytest.raises(NuriError) as caught:
        of_second.fetch("one")
    assert caught.value.code is ErrorCode.not_found
    second.close()
    assert len(list((first.state / "results-2").glob("*.result"))) == 1
    # Nobody needs what the second one left after a day.
    first.close()
    (path,) = (first.state / "results-2").glob("*.result")
    head, frames = path.read_bytes().split(b"\n", 1)
    facts = {**json.loads(head), "finished": time.time() - KEEP_SECONDS - 60}
    path.write_bytes(json.dumps(facts).encode() + b"\n" + frames)
    first.start()
    assert first.client().fetch("one").outputs
    assert not list((first.state / "results-2").glob("*.result"))
