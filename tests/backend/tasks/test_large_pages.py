"""Pages larger than the working copy: hints reach no further there, and small areas are seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging import planes
from backend.tasks import job
from protocol.pixels import PixelBuffer, PixelFormat
from tests.backend.regions import scenes
from tests.backend.regions.scenes import BLUE, CENTRES, OCHRE, OUTSIDE, RED

SIZE = 2000


@pytest.fixture(scope="module")
def house() -> np.ndarray:
    return scenes.house(SIZE)


def coloured(line: np.ndarray, hints: np.ndarray, *more: PixelBuffer, task="flats") -> np.ndarray:
    given = (
        planes.to_plane("line", line, PixelFormat.gray8),
        planes.to_plane("hints", hints, PixelFormat.rgba8),
    )
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    return planes.to_array(job.run(task, (*given, *more), {}, **silent).outputs[0])


def slipping(over: int) -> np.ndarray:
    """A stroke in the room nw that ends ``over`` pixels behind its wall."""
    hints = scenes.no_hints(SIZE)
    hints[580:620, 400 : 1008 + over] = RED
    return hints


@pytest.mark.parametrize("over", [1, 4, 30])
def test_a_stroke_that_slips_over_a_line_does_not_colour_beyond(house, over):
    flats = coloured(house, slipping(over))
    assert scenes.share(flats, "nw", RED) == 1
    assert scenes.is_empty(flats, "ne")


def test_a_slip_does_not_change_what_a_reference_has_coloured(house):
    pytest.importorskip("torch", reason="the region matcher needs PyTorch")
    reference = np.full((SIZE, SIZE, 3), 255, np.uint8)
    for name, colour in scenes.COLOURS.items():
        reference[scenes.room(name, SIZE, inset=0)] = colour[:3]
    reference[house < 128] = 0
    plane = planes.to_plane("reference_0", reference, PixelFormat.rgb8)
    flats = coloured(house, slipping(30), plane, task="layer")
    assert scenes.share(flats, "ne", scenes.GREEN) == 1


def test_a_slip_over_a_closed_gap_does_not_reach_the_ground():
    line = scenes.house(SIZE)
    line[195:206, 600:612] = 255  # a gap in the roof of nw
    hints = scenes.no_hints(SIZE)
    hints[190:900, 590:622] = RED
    flats = coloured(line, hints)
    assert scenes.share(flats, "nw", RED) == 1
    assert scenes.at(flats, OUTSIDE) == (0, 0, 0, 0)


def test_an_area_that_the_working_copy_does_not_see_has_its_hint():
    line = scenes.house(4096)
    row, column = scenes.pixel(CENTRES["ne"], 4096)
    cv2.circle(line, (column, row), 9, 0, 13)
    hints = scenes.dots(4096, "nw se")
    hints[row, column] = BLUE
    flats = coloured(line, hints)
    assert all(tuple(flats[row + y, column]) == BLUE for y in (-1, 0, 1))
    assert not flats[row, column - 40, 3]
    assert scenes.share(flats, "se", OCHRE) == 1


def test_a_stroke_over_a_double_line_does_not_run_along_between():
    line = scenes.house(SIZE)
    cv2.line(line, (1000, 200), (1000, 1800), 255, 2)  # the wall has become two lines
    hints = scenes.no_hints(SIZE)
    hints[580:620, 400:1030] = RED
    flats = coloured(line, hints)
    assert scenes.share(flats, "nw", RED) == 1
    assert not (flats[1200:1600, 995:1005] == RED).all(axis=2).any()


def test_a_speck_of_hint_beside_a_line_counts():
    line, hints = scenes.house(4096), scenes.no_hints(4096)
    wall = int(np.flatnonzero(line[1200, 300:600] < 77)[-1]) + 300
    hints[1200, wall + 1] = RED
    assert scenes.share(coloured(line, hints), "nw", RED) == 1


@pytest.mark.parametrize("dot", [False, True])
def test_a_page_that_is_mostly_black_keeps_its_lines(dot: bool):
    line = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(line, (1000, 1000), 700, 255, -1)
    cv2.line(line, (1000, 200), (1000, 1800), 0, 10)
    hints = np.zeros((SIZE, SIZE, 4), np.uint8)
    cv2.line(hints, (600, 1000), (992, 1000), RED, 20)  # on to the line
    if dot:
        cv2.circle(hints, (1200, 1000), 20, BLUE, -1)
    flats = coloured(line, hints)
    left, right = line == 255, line == 255
    left[:, 1000:], right[:, :1000] = False, False
    assert (flats[left] == RED).all()
    assert (flats[right] == (BLUE if dot else 0)).all()
