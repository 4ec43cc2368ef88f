"""References that show the figure at another place and size, and key frames from which it falls."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.tasks.canvas import read_canvas
from backend.tasks.matcher import colour_from_sources
from backend.tasks.sources import facing, read_source, view_of
from tests.backend import figures

SIDE = 512
HOUSE = (90, 90, 200)


def scene() -> np.ndarray:
    """(SIDE, SIDE, 3): the face at half its size on the right, a house with doors on the left."""
    _, face, _ = figures.face(SIDE)
    page = np.full((SIDE, SIDE, 3), 255, np.uint8)
    page[180:436, 250:506] = cv2.resize(face, (256, 256), interpolation=cv2.INTER_AREA)
    for inset in (0, 40, 80):
        corners = (20 + inset, 120 + inset), (220 - inset, 460 - inset)
        cv2.rectangle(page, *corners, HOUSE, -1)
        cv2.rectangle(page, *corners, (0, 0, 0), 4)
    return page


def test_a_figure_that_stands_elsewhere_is_looked_at_there():
    line, color, _ = figures.face(SIDE)
    canvas = read_canvas(line)
    target, source = view_of(canvas, canvas.chambers.label), read_source(scene())
    seen = facing(target, source)
    assert all(seen is not view for view in source.views)
    assert facing(target, source) is seen  # with what networks have seen of it
    assert seen.box.side < 0.7 * source.views[0].box.side
    flats = colour_from_sources(line, [source]).flats
    assert figures.share_right(flats, color, line) > 0.95


def test_a_figure_at_its_place_is_looked_at_as_it_is():
    line, color, _ = figures.face(SIDE)
    canvas = read_canvas(line)
    target, source = view_of(canvas, canvas.chambers.label), read_source(color)
    assert facing(target, source) is source.views[0]
    lined = read_source(color, line)
    assert facing(target, lined) is lined.views[0]


def turned(picture: np.ndarray, angle: float) -> np.ndarray:
    """The picture turned about its middle, counterclockwise, on paper."""
    middle = (SIDE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), angle, 1)
    white = (255,) * 4
    return cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_NEAREST, borderValue=white)


@pytest.mark.parametrize("angle", [70, -90, 180])
def test_a_figure_that_tumbles_keeps_the_colours_of_its_key_frame(angle, monkeypatch):
    line, color, _ = figures.face(SIDE)
    source, falling = read_source(color, line), turned(line, angle)
    canvas = read_canvas(falling)
    view = facing(view_of(canvas, canvas.chambers.label), source)
    assert view.box.turn == pytest.approx(angle, abs=2)
    flats = colour_from_sources(falling, [source]).flats
    right = figures.share_right(flats, turned(color, angle), falling)
    assert right > 0.95
    monkeypatch.setattr("backend.tasks.completion.facing", lambda _, one: one.views[0])
    upright = colour_from_sources(falling, [read_source(color, line)]).flats
    assert figures.share_right(upright, turned(color, angle), falling) < right
