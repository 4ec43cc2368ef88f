"""The connection file: private, whole, refused when it cannot be trusted, stale when it lies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from protocol import limits
from protocol.connection import ConnectionFile, is_for_elsewhere
from protocol.errors import ErrorCode, NuriError
from protocol.folders import connection_path, lock_path
from protocol.lock import DaemonLock
from protocol.private_files import write_atomic
from protocol.processes import start_token
from protocol.security import CurveKeys, generate_keys

from .boxes import BOX, has_boxes

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and owners of POSIX")


def of_this_process() -> ConnectionFile:
    return ConnectionFile.of_this_process("0.1", "ipc:///x/work", "ipc:///x/control", None, None)


def refused(code: ErrorCode) -> NuriError:
    with pytest.raises(NuriError) as caught:
        ConnectionFile.read()
    assert caught.value.code is code
    assert caught.value.info.action
    return caught.value


def test_what_is_written_is_read(home: Path) -> None:
    server, client = generate_keys(), generate_keys()
    written = ConnectionFile.of_this_process(
        "0.1", "tcp://127.0.0.1:5", "tcp://127.0.0.1:6", server, client
    )
    written.write()
    assert ConnectionFile.read() == written
    assert written.uses_curve
    assert not written.is_stale()


@posix
def test_the_file_is_its_owners_alone_whatever_the_umask(home: Path) -> None:
    old = os.umask(0)
    try:
        of_this_process().write()
    finally:
        os.umask(old)
    assert connection_path().stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.iterdir()] == ["connection.json"]


def test_secrets_stay_out_of_texts(home: Path) -> None:
    keys = generate_keys()
    connection = ConnectionFile.of_this_process("0.1", "tcp://h:1", "tcp://h:2", keys, keys)
    assert keys.secret not in f"{connection!r} {connection} {keys!r} {keys}"


def test_readers_never_see_half_a_file(home: Path) -> None:
    connections = [replace(of_this_process(), version=str(i) * 60) for i in range(8)]
    connections[0].write()
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.is_set():
            for connection in connections:
                connection.write()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for _ in range(300):
            assert ConnectionFile.read() in connections
    finally:
        stop.set()
        writer.join()


def test_no_file_means_no_daemon(home: Path) -> None:
    assert "nuri serve" in refused(ErrorCode.unreachable).info.action


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o660, 0o601])
def test_a_file_open_to_others_is_refused(home: Path, mode: int) -> None:
    of_this_process().write()
    connection_path().chmod(mode)
    assert f"{mode:04o}" in str(refused(ErrorCode.unauthenticated))


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root may give away")
def test_a_file_of_another_user_is_refused(home: Path) -> None:
    of_this_process().write()
    os.chown(connection_path(), 65534, -1)
    assert "another user" in str(refused(ErrorCode.unauthenticated))


@posix
def test_a_link_is_refused(home: Path) -> None:
    of_this_process().write(home / "real.json")
    connection_path().symlink_to(home / "real.json")
    refused(ErrorCode.unauthenticated)


@posix
def test_a_folder_or_pipe_in_its_place_is_refused_without_waiting(home: Path) -> None:
    os.mkfifo(connection_path(), 0o600)
    assert "regular" in str(refused(ErrorCode.unauthenticated))
    connection_path().unlink()
    connection_path().mkdir()
    refused(ErrorCode.unauthenticated)


VALID = {
    "protocol": "1.0",
    "version": "0.1",
    "work": "ipc:///w",
    "control": "ipc:///c",
    "pid": 5,
    "started": "x",
}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 50_000,
        b"{}",
        json.dumps({**VALID, "pid": "5"}).encode(),
        json.dumps({**VALID, "pid": 0}).encode(),
        json.dumps({**VALID, "pid": True}).encode(),
        json.dumps({**VALID, "work": 5}).encode(),
        json.dumps({**VALID, "work": "http://evil"}).encode(),
        json.dumps({**VALID, "work": "tcp://127.0.0.1:1"}).encode(),
        json.dumps({**VALID, "server_public_key": "x" * 40}).encode(),
        json.dumps({key: VALID[key] for key in VALID if key != "control"}).encode(),
        b" " * (limits.CONNECTION_FILE_BYTES + 1),
    ],
)
def test_an_unreadable_file_is_refused_with_its_remedy(home: Path, content: bytes) -> None:
    write_atomic(connection_path(), content)
    error = refused(ErrorCode.malformed)
    assert str(connection_path()) in error.info.message
    assert "nuri serve" in error.info.action


def test_unknown_fields_are_ignored(home: Path) -> None:
    write_atomic(connection_path(), json.dumps({**VALID, "later": [1]}).encode())
    assert ConnectionFile.read().pid == 5


def test_a_dead_pid_makes_a_file_stale(home: Path, child: Any) -> None:
    connection = replace(of_this_process(), pid=child.pid, started=start_token(child.pid))
    assert not connection.is_stale()
    child.kill()
    # Not waited for yet: a zombie is dead too.
    child.stdin.close()
    while start_token(child.pid):
        pass
    assert connection.is_stale()
    child.wait()
    assert connection.is_stale()


def test_a_recycled_pid_makes_a_file_stale(home: Path, child: Any) -> None:
    mine = of_this_process()
    assert replace(mine, pid=child.pid).is_stale()
    assert not mine.is_stale()


def test_a_process_elsewhere_cannot_be_judged(home: Path) -> None:
    elsewhere = replace(of_this_process(), pid=2**22 + 5, host="another-machine")
    assert not elsewhere.is_local
    assert not elsewhere.is_stale()


def test_a_file_for_other_machines_is_neither_local_nor_stale(home: Path) -> None:
    """Also where the machine that it was carried to has the same name."""
    carried = replace(of_this_process(), pid=2**22 + 5, remote=True)
    carried.write()
    read = ConnectionFile.read()
    assert read == carried
    assert not read.is_local
    assert not read.is_stale()
    assert is_for_elsewhere(connection_path())
    replace(carried, remote=False).write()
    assert not is_for_elsewhere(connection_path())
    assert ConnectionFile.read().is_stale()
    write_atomic(connection_path(), json.dumps({**VALID, "remote": "yes"}).encode())
    refused(ErrorCode.malformed)


def test_a_file_that_others_can_read_is_still_known_as_carried_here(home: Path) -> None:
    replace(of_this_process(), remote=True).write()
    connection_path().chmod(0o644)
    assert is_for_elsewhere(connection_path())


@posix
def test_a_held_lock_is_a_sign_of_life(home: Path) -> None:
    """Of a daemon whose number means nothing here, until its file is replaced."""
    dead = replace(of_this_process(), pid=2**22 + 5)
    published = replace(dead, numbering="pid:[1]")
    published.write()
    read = ConnectionFile.read()
    assert read.is_stale()
    with DaemonLock(lock_path()):
        assert not read.is_stale()
        connection_path().unlink()
        assert not read.is_stale()
        replace(published, version="another").write()
        assert read.is_stale()
        # Whoever starts in its place holds the lock before the file is replaced.
        dead.write()
        assert ConnectionFile.read().is_stale()
    assert ConnectionFile.read().is_stale()


@pytest.mark.skipif(not has_boxes(), reason="no process numbers of its own to be had here")
def test_a_daemon_is_alive_also_in_a_box_with_numbers_of_its_own(home: Path) -> None:
    """As in Krita's of Flatpak: same files, same host name, other processes."""
    code = "from protocol.connection import ConnectionFile; print(ConnectionFile.read().is_stale())"

    def seen_in_a_box() -> str:
        done = subprocess.run(
            [*BOX, sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    of_this_process().write()
    with DaemonLock(lock_path()):
        assert seen_in_a_box() == "False"
    assert seen_in_a_box() == "True"


def test_only_the_own_file_is_removed(home: Path) -> None:
    mine = of_this_process()
    other = replace(mine, version="another")
    other.write()
    mine.remove()
    assert ConnectionFile.read() == other
    other.remove()
    refused(ErrorCode.unreachable)
    other.remove()


def test_a_place_that_cannot_be_written_is_named(home: Path) -> None:
    (home / "file").write_bytes(b"")
    with pytest.raises(NuriError, match="file") as caught:
        of_this_process().write(home / "file" / "connection.json")
    assert caught.value.code is ErrorCode.bad_input
    with pytest.raises(NuriError, match="missing"):
        write_atomic(home / "missing" / "x", b"")


def test_tcp_without_keys_cannot_be_published() -> None:
    with pytest.raises(NuriError, match="no CURVE keys"):
        ConnectionFile.of_this_process("0.1", "tcp://127.0.0.1:1", "tcp://127.0.0.1:2", None, None)


def test_keys_are_fresh() -> None:
    keys = [generate_keys() for _ in range(3)]
    assert len({key.public for key in keys} | {key.secret for key in keys}) == 6
    assert all(isinstance(key, CurveKeys) and len(key.secret) == 40 for key in keys)
