"""Kept outputs of streams on a real disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.daemon.results import KEEP_SECONDS, KeptResults
from tests.backend.disks import full_disk, needs_mounts

from .test_results import Clock


def output(index: int, size: int = 1000) -> list[bytes]:
    """Wire frames that do not shrink when they are compressed."""
    return [b"header", b"", bytes([index]) + os.urandom(size)]


def store(results: KeptResults, job: str, outputs: list[list[bytes]], first: int = 0) -> None:
    for index, frames in enumerate(outputs, first):
        results.store_frame(job, "animation", "page", index, frames)


def loaded(results: KeptResults, job: str) -> list[list[bytes]]:
    frames, index = [], 0
    while (found := results.load_frame(job, index)) is not None:
        frames.append(found)
        index += 1
    return frames


def test_outputs_come_back_also_after_a_restart_and_go_on(tmp_path: Path) -> None:
    outputs = [output(index) for index in range(5)]
    store(KeptResults(tmp_path), "job", outputs[:3])
    again = KeptResults(tmp_path)
    assert loaded(again, "job") == outputs[:3]
    store(again, "job", outputs[3:], 3)
    assert loaded(again, "job") == loaded(KeptResults(tmp_path), "job") == outputs
    (entry,) = again.entries()
    assert (entry.job, entry.task, entry.document) == ("job", "animation", "page")
    assert entry.frames == 5
    assert again.load("job") is None


def test_flat_colours_take_little_room(tmp_path: Path) -> None:
    results = KeptResults(tmp_path)
    store(results, "job", [[bytes(1 << 20)], [b"\1\2\3\xff" * (1 << 18)]])
    (entry,) = results.entries()
    assert entry.bytes < 1 << 15
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size < 1 << 15
    assert path.stat().st_mode & 0o077 == 0


def test_nothing_is_kept_after_a_gap(tmp_path: Path) -> None:
    results = KeptResults(tmp_path)
    outputs = [output(index) for index in range(4)]
    store(results, "job", outputs[:2])
    store(results, "job", outputs[3:], 3)
    store(results, "late", outputs[1:], 1)
    assert loaded(results, "job") == outputs[:2]
    assert [entry.job for entry in results.entries()] == ["job"]


def test_a_result_stands_beside_its_frames(tmp_path: Path) -> None:
    results = KeptResults(tmp_path)
    outputs = [output(0), output(1)]
    store(results, "job", outputs)
    before = results.entries()[0].bytes
    results.store("job", "animation", "page", [b"result"])
    for kept in (results, KeptResults(tmp_path)):
        assert kept.load("job") == [b"result"]
        assert loaded(kept, "job") == outputs
        (entry,) = kept.entries()
        assert (entry.frames, entry.bytes) == (2, before + 6)


def test_a_newer_stream_of_the_same_name_replaces_the_older(tmp_path: Path) -> None:
    results = KeptResults(tmp_path)
    newer = [output(7)]
    store(results, "job", [output(0), output(1)])
    results.store("job", "animation", "page", [b"result"])
    store(results, "job", newer)
    assert loaded(results, "job") == loaded(KeptResults(tmp_path), "job") == newer
    assert results.load("job") is None


def test_frames_go_a_day_after_the_last_of_them(tmp_path: Path) -> None:
    clock = Clock()
    results = KeptResults(tmp_path, clock=clock)
    store(results, "job", [output(0)])
    clock.now += KEEP_SECONDS - 1
    store(results, "job", [output(1)], 1)
    clock.now += KEEP_SECONDS - 1
    assert len(loaded(results, "job")) == 2
    clock.now += 2
    assert loaded(results, "job") == []
    assert results.entries() == []
    results.prune()
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_jobs_make_room_as_a_whole_but_never_the_stream_itself(tmp_path: Path) -> None:
    clock = Clock()
    results = KeptResults(tmp_path, clock=clock, limit=5000)
    store(results, "old", [output(0), output(1)])
    clock.now += 1
    results.store("result", "flats", "", [bytes(500)])
    clock.now += 1
    outputs = [output(index) for index in range(5)]
    store(results, "new", outputs[:3])
    assert [entry.job for entry in results.entries()] == ["new", "result"]
    assert loaded(results, "old") == []
    store(results, "new", outputs[3:4], 3)
    with pytest.raises(OSError, match="over the bound"):
        store(results, "new", outputs[4:], 4)
    assert loaded(results, "new") == outputs[:4]


@pytest.mark.parametrize("length", [1, 500])
def test_an_output_that_a_killed_daemon_wrote_by_half_is_cut_off(
    tmp_path: Path, length: int
) -> None:
    results = KeptResults(tmp_path)
    outputs = [output(index) for index in range(3)]
    store(results, "job", outputs[:2])
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    store(results, "job", outputs[2:], 2)
    path.write_bytes(path.read_bytes()[: len(whole) + length])
    again = KeptResults(tmp_path)
    assert path.read_bytes() == whole
    assert loaded(again, "job") == outputs[:2]
    store(again, "job", outputs[2:], 2)
    assert loaded(again, "job") == outputs


@pytest.mark.parametrize("damage", ["empty", "no json", "other name", "other stream after it"])
def test_damaged_files_are_removed_at_the_start(tmp_path: Path, damage: str) -> None:
    store(KeptResults(tmp_path), "job", [output(0)])
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    changed = {
        "empty": b"",
        "no json": b"\xff" + data,
        "other name": data.replace(b'"job": "job"', b'"job": "bob"'),
        "other stream after it": data + data.replace(b'"job": "job"', b'"job": "bob"'),
    }
    path.write_bytes(changed[damage])
    again = KeptResults(tmp_path)
    if damage == "other stream after it":
        assert path.read_bytes() == data
        assert [entry.job for entry in again.entries()] == ["job"]
    else:
        assert list(tmp_path.iterdir()) == []
        assert again.entries() == []


@pytest.mark.parametrize("damage", ["gone", "cut", "other bytes"])
def test_files_that_change_while_the_daemon_runs_are_no_frames(tmp_path: Path, damage: str) -> None:
    results = KeptResults(tmp_path)
    store(results, "job", [output(0)])
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-9] if damage == "cut" else data[:-9] + bytes(9))
    assert results.load_frame("job", 0) is None


@needs_mounts
def test_full_disk_keeps_the_frames_before(tmp_path: Path) -> None:
    with full_disk(tmp_path / "disk", 64) as disk:
        results = KeptResults(disk)
        outputs = [output(0, 8000), output(1, 100_000), output(2, 10)]
        store(results, "job", outputs[:1])
        with pytest.raises(OSError, match="No space"):
            store(results, "job", outputs[1:2], 1)
        store(results, "job", outputs[2:], 2)
        assert loaded(results, "job") == loaded(KeptResults(disk), "job") == outputs[:1]
