"""Where paints meet under a line is read off a coloured frame, and followed in the others."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.lines import darkness, ink_mask
from backend.regions.colored import find_painted_areas
from backend.regions.seams import find_seam, spread_to_seams
from backend.tasks.canvas import read_canvas
from backend.tasks.sources import read_source

RED, BLUE, GREEN = (200, 30, 20), (20, 40, 190), (30, 160, 60)
SIZE = 240


def frame() -> np.ndarray:
    """(SIZE, SIZE, 3) a disc of two halves on green."""
    color = np.full((SIZE, SIZE, 3), GREEN, np.uint8)
    cv2.circle(color, (118, 124), 70, RED, -1)
    right = color[:, 118:].copy()
    right[(right == RED).all(2)] = BLUE
    color[:, 118:] = right
    return color


def line(color: np.ndarray, shift: tuple[int, int] = (0, 0), width: int = 3) -> np.ndarray:
    """(SIZE, SIZE) the outlines of all paints, moved by ``shift`` (x, y) pixels."""
    shape = np.ones((width, width), np.uint8)
    edge = (cv2.dilate(color, shape) != cv2.erode(color, shape)).any(2)
    return np.roll(np.where(edge, 0, 255).astype(np.uint8), shift[::-1], (0, 1))


def seam(color: np.ndarray, drawn: np.ndarray) -> tuple[int, int]:
    ink = ink_mask(darkness(drawn))
    return find_seam(find_painted_areas(color, ink), color, ink)


@pytest.mark.parametrize("shift", [(0, 0), (1, 1), (-1, 0), (0, 2), (2, -1)])
def test_lines_beside_their_colours_are_seen(shift: tuple[int, int]) -> None:
    color = frame()
    drawn = line(color, shift)
    x, y = seam(color, drawn)
    assert abs(x + shift[0]) <= 1 and abs(y + shift[1]) <= 1
    assert (x, y) == (0, 0) if shift == (0, 0) else (x, y) != (0, 0)


@pytest.mark.parametrize("shift", [(1, 1), (0, 2), (2, -1)])
def test_colours_meet_where_they_do_in_the_coloured_frame(shift: tuple[int, int]) -> None:
    """Another frame of the shot, brought back with the seam of the first, is right to the pixel."""
    color = frame()
    drawn = line(color, shift)
    found = read_source(color, drawn).seam
    later, later_drawn = np.roll(color, 31, 1), np.roll(drawn, 31, 1)
    canvas = read_canvas(later_drawn)
    wrong = []
    for how in ((0, 0), found):
        label = canvas.bring_back(canvas.chambers.label, how)
        flats = np.zeros_like(later)
        for name in np.unique(label):
            values, counts = np.unique(later[label == name], axis=0, return_counts=True)
            flats[label == name] = values[counts.argmax()]
        wrong.append(int((flats != later).any(2).sum()))
    assert wrong[1] < 0.35 * wrong[0]


def test_a_frame_that_shows_its_lines_tells_nothing() -> None:
    color = frame()
    drawn = line(color, (1, 1))
    color[drawn == 0] = 0
    assert seam(color, drawn) == (0, 0)
    assert read_source(color, drawn).seam == (0, 0)


def test_a_frame_without_lines_or_of_one_paint_tells_nothing() -> None:
    color = frame()
    assert seam(color, np.full((SIZE, SIZE), 255, np.uint8)) == (0, 0)
    assert seam(np.full_like(color, 90), line(color)) == (0, 0)
    assert read_source(color).seam == (0, 0)


def test_lines_of_another_drawing_are_no_seams() -> None:
    color = frame()
    assert seam(color, np.rot90(line(color, (9, 4))).copy()) == (0, 0)


def test_off_the_lines_nothing_moves() -> None:
    label = np.ones((20, 20), np.int32)
    label[:, 8:11] = 0
    label[:, 11:] = 2
    moved = spread_to_seams(label, (-1, 0))
    assert (moved[label > 0] == label[label > 0]).all()
    assert (moved > 0).all()
    assert (spread_to_seams(label, (0, 0)) == 2).sum() < (moved == 2).sum()
