"""What is kept between jobs is bounded by its bytes; what the newest job needs stays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from backend.imaging import planes
from backend.tasks.workbench import LIMIT, WORKBENCH, Workbench
from protocol.pixels import PixelFormat

KILO = 1000


@dataclass(frozen=True)
class Thing:
    pixels: np.ndarray

    @cached_property
    def later(self) -> list[np.ndarray]:
        return [self.pixels, np.zeros(KILO, np.uint8)]


class Bench:
    """A workbench of 3 KB, and what had to be made."""

    def __init__(self) -> None:
        self.bench, self.made = Workbench(3 * KILO), []

    def job(self, *pictures: int) -> None:
        self.bench.begin()
        for number in pictures:
            pixels = np.full(4, number)
            self.bench.get("line", pixels, lambda number=number: self.make(number))

    def make(self, number: int) -> Thing:
        self.made.append(number)
        return Thing(np.zeros(KILO, np.uint8))


def test_the_newest_are_kept_in_the_bytes_there_are():
    bench = Bench()
    for number in (1, 2, 3, 1, 4):
        bench.job(number)
    assert (bench.made, bench.bench.held) == ([1, 2, 3, 4], 3 * KILO)
    bench.job(1)
    bench.job(2)
    assert bench.made == [1, 2, 3, 4, 2]


def test_what_one_job_uses_stays_however_large():
    bench = Bench()
    for _ in range(2):
        bench.job(1, 2, 3, 4, 5)
    assert (bench.made, bench.bench.held) == ([1, 2, 3, 4, 5], 5 * KILO)
    bench.job(6)
    assert bench.bench.held == 3 * KILO
    bench.job(5, 4)
    assert bench.made == [1, 2, 3, 4, 5, 6]


def test_what_was_worked_out_later_counts_once():
    bench = Workbench(KILO)
    thing = bench.get("line", np.zeros(1), lambda: Thing(np.zeros(KILO, np.uint8)))
    assert bench.held == KILO
    assert len(thing.later) == 2
    assert bench.held == 2 * KILO


def test_what_is_made_depends_on_more_than_pixels():
    bench = Workbench()
    made = [bench.get("reference", np.zeros(1), lambda: [1], also) for also in (b"", b"a", b"a")]
    assert made[0] is not made[1]
    assert made[1] is made[2]
    bench.clear()
    assert bench.held == 0


def test_pages_do_not_gather(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("torch", reason="the task layer needs PyTorch")
    from backend.tasks import job

    monkeypatch.setattr(WORKBENCH, "_limit", 2**20)
    assert LIMIT <= 64 * 2**20
    WORKBENCH.clear()
    held = []
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    for number in range(4):
        line = np.full((700, 700), 255, np.uint8)
        line[100:600:490, 100:600] = line[100:600, 100 + number : 600 : 490] = 0
        hints = np.zeros((700, 700, 4), np.uint8)
        hints[300:310, 300:310] = 255
        inputs = (
            planes.to_plane("line", line, PixelFormat.gray8),
            planes.to_plane("hints", hints, PixelFormat.rgba8),
        )
        job.run("layer", inputs, {}, **silent)
        held.append(WORKBENCH.held)
    assert 2**20 < held[0] < 4e6  # more than the limit, yet what the newest job needs stays
    assert max(held) < 1.1 * held[0]
    WORKBENCH.clear()
