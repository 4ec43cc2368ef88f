"""Kept results on a real disk, a full one included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.daemon.results import KEEP_SECONDS, KeptResults
from tests.backend.disks import full_disk, needs_mounts

FRAMES = [b"header", b"", bytes(range(256)) * 100]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_what_is_stored_comes_back_also_after_a_restart(tmp_path: Path) -> None:
    KeptResults(tmp_path).store("job-1", "flats", "page", FRAMES)
    again = KeptResults(tmp_path)
    assert again.load("job-1") == FRAMES
    (entry,) = again.entries()
    assert (entry.job, entry.task, entry.document) == ("job-1", "flats", "page")
    assert entry.bytes == sum(map(len, FRAMES))


def test_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    KeptResults(tmp_path / "kept").store("job", "flats", "", FRAMES)
    (path,) = (tmp_path / "kept").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0


def test_unknown_job_is_none(tmp_path: Path) -> None:
    assert KeptResults(tmp_path).load("job") is None


def test_results_of_yesterday_are_gone(tmp_path: Path) -> None:
    clock = Clock()
    results = KeptResults(tmp_path, clock=clock)
    results.store("old", "flats", "", FRAMES)
    clock.now += KEEP_SECONDS + 1
    assert results.load("old") is None
    assert results.entries() == []
    results.store("new", "flats", "", FRAMES)
    assert len(list(tmp_path.iterdir())) == 1


def test_results_of_a_clock_that_was_ahead_do_not_stay(tmp_path: Path) -> None:
    clock = Clock()
    clock.now += 10 * KEEP_SECONDS
    results = KeptResults(tmp_path, clock=clock, limit=1000)
    results.store("ahead", "flats", "", [bytes(600)])
    results.store_frame("stream ahead", "animation", "", 0, [b"x"])
    clock.now -= 10 * KEEP_SECONDS
    assert results.load("ahead") is None
    assert results.load_frame("stream ahead", 0) is None
    for name in ("1", "2"):
        results.store(name, "flats", "", [bytes(400)])
    assert {entry.job for entry in results.entries()} == {"1", "2"}
    assert len(list(tmp_path.iterdir())) == 2


def test_results_of_a_clock_that_is_set_back_a_little_stay(tmp_path: Path) -> None:
    clock = Clock()
    results = KeptResults(tmp_path, clock=clock)
    results.store("job", "flats", "", FRAMES)
    clock.now -= 3600
    assert results.load("job") == FRAMES


def test_the_oldest_make_room(tmp_path: Path) -> None:
    clock = Clock()
    results = KeptResults(tmp_path, clock=clock, limit=250)
    for name in ("1", "2", "3"):
        clock.now += 1
        results.store(name, "flats", "", [bytes(100)])
    assert [entry.job for entry in results.entries()] == ["3", "2"]
    assert results.load("1") is None


def test_a_result_over_the_bound_pushes_nothing_out(tmp_path: Path) -> None:
    results = KeptResults(tmp_path, limit=250)
    results.store("1", "flats", "", [bytes(100)])
    with pytest.raises(OSError, match="over the bound"):
        results.store("2", "flats", "", [bytes(300)])
    assert results.load("1") == [bytes(100)]


def test_a_newer_result_of_the_same_name_replaces_the_older(tmp_path: Path) -> None:
    results = KeptResults(tmp_path)
    results.store("1", "flats", "", [b"old"])
    results.store("1", "flats", "", [b"new"])
    assert results.load("1") == [b"new"]
    assert len(results.entries()) == 1


@pytest.mark.parametrize("damage", ["cut", "longer", "no json", "empty", "other name"])
def test_damaged_files_are_removed_at_the_start(tmp_path: Path, damage: str) -> None:
    KeptResults(tmp_path).store("job", "flats", "", FRAMES)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    changed = {
        "cut": data[:-1],
        "longer": data + b"x",
        "no json": b"\xff" + data,
        "empty": b"",
        "other name": data.replace(b'"job": "job"', b'"job": "bob"'),
    }
    path.write_bytes(changed[damage])
    again = KeptResults(tmp_path)
    assert again.load("job") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_cut_while_the_daemon_runs_is_no_result(tmp_path: Path) -> None:
    results = KeptResults(tmp_path)
    results.store("job", "flats", "", FRAMES)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    assert results.load("job") is None


def test_partial_files_of_a_killed_daemon_are_removed(tmp_path: Path) -> None:
    (tmp_path / "0123.partial").write_bytes(b"half")
    KeptResults(tmp_path)
    assert list(tmp_path.iterdir()) == []


@needs_mounts
def test_full_disk_keeps_the_older_result_and_no_half_one(tmp_path: Path) -> None:
    with full_disk(tmp_path / "disk", 64) as disk:
        results = KeptResults(disk)
        results.store("small", "flats", "", [bytes(8000)])
        with pytest.raises(OSError, match="No space"):
            results.store("large", "flats", "", [bytes(100_000)])
        assert results.load("small") == [bytes(8000)]
        assert results.load("large") is None
        assert len(list(disk.iterdir())) == 1


def test_file_size_limit_keeps_no_half_result(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path;"
        "from backend.daemon.results import KeptResults;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "KeptResults(Path(sys.argv[1])).store('job', 'flats', '', [bytes(100_000)])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "File too large" in run.stderr
    assert list(tmp_path.iterdir()) == []
