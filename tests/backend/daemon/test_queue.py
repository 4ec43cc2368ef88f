"""Order, bounds and superseding, without any process."""

from __future__ import annotations

import time

import pytest

from backend.daemon.queue import MAX_OPEN_STREAMS, Ending, Job, JobQueue
from backend.daemon.streams import Stream
from protocol.errors import ErrorCode, NuriError


def job(name: str, lane: str = "interactive", document: str = "", session: str = "a") -> Job:
    return Job(name, "flats", session, lane, document, 120.0, True, time.monotonic(), [b"12345"])


def names(jobs: list[Job]) -> list[str]:
    return [entry.id for entry in jobs]


def test_interactive_jobs_run_before_batch_jobs_each_in_order() -> None:
    queue = JobQueue(bound=8)
    for name, lane in (
        ("b1", "batch"),
        ("i1", "interactive"),
        ("b2", "batch"),
        ("i2", "interactive"),
    ):
        queue.add(job(name, lane), ["a"])
    order = []
    while entry := queue.next_runnable():
        order.append(entry.id)
        queue.remove(entry)
    assert order == ["i1", "i2", "b1", "b2"]


def test_position_counts_what_runs_before() -> None:
    queue = JobQueue(bound=8)
    first, batch, second = job("1", "batch"), job("2", "batch"), job("3")
    for entry in (first, batch, second):
        queue.add(entry, ["a"])
    first.computing_since = 1.0
    assert [queue.position(entry) for entry in (second, batch)] == [1, 2]
    assert names(queue.in_running_order()) == ["1", "3", "2"]


def test_newer_request_takes_the_place_of_the_older_for_its_document() -> None:
    queue = JobQueue(bound=8)
    for entry in (job("old", document="d"), job("other", document="e"), job("none")):
        assert queue.add(entry, ["a"]) == []
    assert names(queue.add(job("new", document="d"), ["a"])) == ["old"]


def test_batch_jobs_are_not_superseded() -> None:
    queue = JobQueue(bound=8)
    queue.add(job("old", "batch", document="d"), ["a"])
    assert queue.add(job("new", "batch", document="d"), ["a"]) == []
    assert queue.add(job("now", document="d"), ["a"]) == []


def test_a_living_client_keeps_its_job_though_another_names_the_same_document() -> None:
    queue = JobQueue(bound=8)
    queue.add(job("old", document="d", session="a"), ["a", "b"])
    assert queue.add(job("new", document="d", session="b"), ["a", "b"]) == []
    assert names(queue.add(job("newest", document="d", session="b"), ["b"])) == ["old", "new"]


def test_full_lane_is_busy_and_names_the_reason() -> None:
    queue = JobQueue(bound=2)
    queue.add(job("1", "batch"), ["a"])
    queue.add(job("2", "batch"), ["a"])
    with pytest.raises(NuriError, match="2 jobs wait in the batch lane") as caught:
        queue.add(job("3", "batch"), ["a"])
    assert caught.value.code is ErrorCode.busy
    queue.add(job("4"), ["a"])


def test_a_superseding_job_finds_room_in_a_full_lane() -> None:
    queue = JobQueue(bound=1)
    queue.add(job("old", document="d"), ["a"])
    assert names(queue.add(job("new", document="d"), ["a"])) == ["old"]


def test_id_in_use_is_refused() -> None:
    queue = JobQueue(bound=2)
    queue.add(job("1"), ["a"])
    with pytest.raises(NuriError, match="1 exists already"):
        queue.add(job("1"), ["a"])


def test_open_streams_are_bounded() -> None:
    queue = JobQueue(bound=64)
    for number in range(MAX_OPEN_STREAMS):
        entry = job(str(number), "batch")
        entry.stream = Stream(4, 2, 0.0)
        queue.add(entry, ["a"])
    more = job("more", "batch")
    more.stream = Stream(4, 2, 0.0)
    with pytest.raises(NuriError, match="animations") as caught:
        queue.add(more, ["a"])
    assert caught.value.code is ErrorCode.busy


def test_pictures_held_in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.daemon.queue.MAX_HELD_BYTES", 8)
    queue = JobQueue(bound=64)
    queue.add(job("1"), ["a"])
    with pytest.raises(NuriError, match="pictures") as caught:
        queue.add(job("2"), ["a"])
    assert caught.value.code is ErrorCode.busy


def test_stopping_and_computing_jobs_are_not_handed_out_again() -> None:
    queue = JobQueue(bound=8)
    computing, stopping, free = job("1"), job("2"), job("3")
    for entry in (computing, stopping, free):
        queue.add(entry, ["a"])
    computing.computing_since, stopping.ending = 1.0, Ending.cancelled
    assert queue.next_runnable() is free


def test_ended_jobs_are_remembered() -> None:
    queue = JobQueue(bound=8)
    entry = job("1")
    queue.add(entry, ["a"])
    queue.remove(entry)
    assert queue.has_ended("1")
    assert not queue.has_ended("2")
    assert queue.find("1") is None
