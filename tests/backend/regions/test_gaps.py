"""Lines that nearly close: where they are open colour neither leaks nor stops for good."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.tasks.flats import colour_flats
from tests.backend.regions import scenes
from tests.backend.regions.scenes import BLUE, CENTRES, COLOURS, GREEN, OUTSIDE, RED

SIZES = (512, 1024, 2048)
GAP = 0.02


@pytest.mark.parametrize("gap", [0.01, 0.02, 0.04])
def test_colours_do_not_leak_through_a_gap(gap):
    flats = colour_flats(scenes.house(512, gap=gap), scenes.dots(512)).flats
    for name, colour in COLOURS.items():
        assert scenes.share(flats, name, colour) >= 0.9, name


def test_one_drawing_has_the_same_regions_at_every_size():
    found = {}
    for size in SIZES:
        result = colour_flats(scenes.house(size, gap=GAP), scenes.dots(size))
        for name, colour in COLOURS.items():
            assert scenes.share(result.flats, name, colour) >= 0.9, (size, name)
        assert scenes.at(result.flats, OUTSIDE) == (0, 0, 0, 0)
        small = cv2.resize(result.flats, (512, 512), interpolation=cv2.INTER_NEAREST)
        found[size] = small, len(result.gaps)
    for size in SIZES[1:]:
        assert found[size][1] == found[512][1] == 1
        assert (found[size][0] == found[512][0]).all(axis=-1).mean() > 0.98, size


@pytest.mark.parametrize("size", SIZES)
def test_the_gap_is_reported_where_it_is(size):
    gaps = colour_flats(scenes.house(size, gap=GAP), scenes.dots(size)).gaps
    assert len(gaps) == 1
    (x0, y0, x1, y1) = (value / size for value in gaps[0])
    assert abs(x0 - 0.5) < 0.02 and abs(x1 - 0.5) < 0.02
    low, high = sorted((y0, y1))
    assert 0.27 < low < 0.3 < high < 0.33  # it spans the opening at 0.29 to 0.31


def test_a_gap_in_the_outer_wall_keeps_the_background_empty():
    line = scenes.house(512)
    row, column = scenes.pixel((0.9, 0.7), 512)
    line[row - 5 : row + 5, column - 6 : column + 7] = 255
    result = colour_flats(line, scenes.dots(512))
    assert scenes.share(result.flats, "se", COLOURS["se"]) >= 0.9
    assert scenes.at(result.flats, OUTSIDE) == (0, 0, 0, 0)
    assert any(abs(x - column) < 15 and abs(y - row) < 15 for x, y, _, _ in result.gaps)


def test_a_region_behind_a_gap_takes_its_neighbours_colour():
    line = scenes.house(512, gap=GAP)
    flats = colour_flats(line, scenes.dots(512, "nw")).flats
    assert scenes.share(flats, "nw", RED) >= 0.99
    assert scenes.share(flats, "ne", RED) >= 0.99
    for name in ("sw", "se"):  # no gap joins these
        assert scenes.is_empty(flats, name)


@pytest.mark.parametrize("angle", [10, 45, 80])
def test_a_gap_in_any_direction(angle):
    size = 512
    line = np.full((size, size), 255, np.uint8)
    cv2.circle(line, (256, 256), 180, 0, 4, cv2.LINE_AA)
    way = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    for sign in (-1, 1):  # a chord through the middle, open there
        start, end = 0.5 + sign * 0.014 * way, 0.5 + sign * 0.35 * way
        scenes.ink(line, tuple(start), tuple(end))
    hints = scenes.no_hints(size)
    across = np.array([-way[1], way[0]]) * 0.15
    one, other = tuple(0.5 + across), tuple(0.5 - across)
    scenes.dot(hints, one, GREEN)
    scenes.dot(hints, other, BLUE)
    flats = colour_flats(line, hints).flats
    ys, xs = np.mgrid[:size, :size] / size - 0.5
    side = xs * -way[1] + ys * way[0]
    disk = np.hypot(xs, ys) < 0.34
    for part, colour in ((disk & (side > 0.01), GREEN), (disk & (side < -0.01), BLUE)):
        assert (flats[part] == colour).all(axis=-1).mean() >= 0.9


def test_a_broken_outline_of_many_gaps():
    """A dashed circle with its hint, on a background with another."""
    size = 512
    line = np.full((size, size), 255, np.uint8)
    for start in range(0, 360, 30):
        cv2.ellipse(line, (256, 256), (150, 150), 0, start, start + 26, 0, 4, cv2.LINE_AA)
    hints = scenes.no_hints(size)
    scenes.dot(hints, (0.5, 0.5), RED)
    scenes.dot(hints, OUTSIDE, BLUE)
    flats = colour_flats(line, hints).flats
    ys, xs = np.mgrid[:size, :size]
    radius = np.hypot(ys - 256, xs - 256)
    assert (flats[radius < 140] == RED).all(axis=-1).mean() >= 0.97
    assert (flats[radius > 160] == BLUE).all(axis=-1).mean() >= 0.97


def test_a_whole_line_is_no_gap():
    assert colour_flats(scenes.house(512), scenes.dots(512)).gaps == []


@pytest.mark.parametrize("name", CENTRES)
def test_each_room_alone(name):
    """Only what a gap joins may take part, whichever room has the hint."""
    flats = colour_flats(scenes.house(256, gap=GAP), scenes.dots(256, name)).flats
    upper = {"nw", "ne"}
    for other in CENTRES:
        joined = other == name or {other, name} == upper
        if joined:
            assert scenes.share(flats, other, COLOURS[name]) >= 0.95
        else:
            assert scenes.is_empty(flats, other)


@pytest.mark.parametrize("size", [256, 512, 1024, 2048])
def test_a_closed_drawing_has_as_many_regions_at_every_size(size):
    result = colour_flats(scenes.house(size), scenes.dots(size))
    assert result.regions.max() == 5  # four rooms and the outside
