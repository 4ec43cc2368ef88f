"""Figures that are open towards the ground: what hints inside and outside of them mean."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from backend.regions.ground import long_stretches
from backend.tasks.flats import colour_flats
from tests.backend import figures

RED, BLUE = (200, 30, 40, 255), (20, 60, 220, 255)


def bust(side: int = 400) -> np.ndarray:
    """Lines of a figure whose outline ends in the air, as wide open as it is wide."""
    line = np.full((side, side), 255, np.uint8)
    centre, half = side // 2, side // 6
    cv2.ellipse(line, (centre, side // 2), (half, side // 4), 0, 180, 360, 0, 3)
    for x in (centre - half, centre + half):
        cv2.line(line, (x, side // 2), (x, side * 3 // 4), 0, 3)
    return line


def coloured(line: np.ndarray, dabs: dict[tuple[int, int], tuple[int, ...]]) -> np.ndarray:
    hints = np.zeros((*line.shape, 4), np.uint8)
    for place, colour in dabs.items():
        cv2.circle(hints, place, 5, colour, -1)
    return colour_flats(line, hints).flats


def test_a_hint_inside_an_open_figure_leaves_the_ground_alone():
    flats = coloured(bust(), {(200, 200): RED})
    assert (flats[150:260, 150:250] == RED).all()
    for y, x in ((20, 20), (200, 20), (200, 380), (390, 30), (390, 370)):
        assert not flats[y, x].any()


@pytest.mark.parametrize("place", [(60, 60), (15, 390), (110, 190), (200, 70), (290, 250)])
def test_a_hint_on_the_ground_fills_it(place):
    flats = coloured(bust(), {place: BLUE, (200, 200): RED})
    assert (flats[150:260, 150:250] == RED).all()
    for y, x in ((20, 20), (200, 20), (200, 380), (390, 30), (390, 370)):
        assert tuple(flats[y, x]) == BLUE


@pytest.mark.parametrize("place", [(60, 60), (15, 390), (200, 70)])
def test_the_only_hint_fills_the_ground_it_lies_on(place):
    flats = coloured(bust(), {place: BLUE})
    for y, x in ((20, 20), (200, 20), (200, 380), (390, 30), (390, 370)):
        assert tuple(flats[y, x]) == BLUE


@pytest.mark.parametrize(
    ("paper", "shirt"), [((20, 20), (184, 348)), ((204, 33), (184, 376)), ((390, 200), (184, 376))]
)
def test_a_closed_bust_on_the_lower_border_is_not_the_ground(paper, shirt):
    """Wherever hints lie: by the canvas border, in a corner, on a line."""
    line, _, parts = figures.face(400)
    flats = coloured(line, {paper: BLUE, shirt: RED})
    off = cv2.erode(line, np.ones((5, 5), np.uint8)) == 255
    for part, colour in ((0, BLUE), (3, RED)):
        assert (flats[(parts == part) & off] == colour).all(axis=1).mean() > 0.999


def test_waves_that_run_off_the_canvas_keep_their_own_colours():
    drawing = Path(__file__).parents[3] / "docs" / "examples"
    line, hints = (
        np.asarray(Image.open(drawing / f"boat-{part}.png")) for part in ("line", "hints")
    )
    flats = colour_flats(line, hints).flats
    light = (47, 127, 158, 255)
    for x, y in ((60, 770), (186, 753), (350, 770), (600, 770), (810, 780)):
        assert tuple(flats[y, x]) == light


def test_only_long_stretches_of_the_canvas_border_are_surely_ground():
    free = np.ones((200, 300), bool)
    free[0, 40] = free[0, 80] = free[100, 0] = False  # a figure ends at the border between two
    found = long_stretches(free)
    assert not found[0, 41:80].any() and found[0, 81:].all() and found[0, :40].all()
    assert found[:100, 0].all() and found[101:, 0].all() and found[-1].all()
    assert not found[1:-1, 1:-1].any()
