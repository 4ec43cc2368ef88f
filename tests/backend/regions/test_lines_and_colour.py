"""Every kind of line art is coloured alike, beneath its lines too, and composited with them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.composite import composite
from backend.tasks.flats import colour_flats
from tests.backend.regions import scenes
from tests.backend.regions.scenes import COLOURS, GREEN, OUTSIDE, RED

SIZE = 512


def drawn_in(colour: tuple[int, int, int], page: np.ndarray) -> np.ndarray:
    amount = (255 - page[..., None]) / 255
    return np.rint(255 * (1 - amount) + np.array(colour) * amount).astype(np.uint8)


def as_ink(colour: tuple[int, int, int], page: np.ndarray) -> np.ndarray:
    return np.dstack([np.full((*page.shape, 3), colour, np.uint8), 255 - page])


def opaque(rgb: np.ndarray) -> np.ndarray:
    return np.dstack([rgb, np.full(rgb.shape[:2], np.iinfo(rgb.dtype).max, rgb.dtype)])


def scan(page: np.ndarray, grain: float, seed: int = 1) -> np.ndarray:
    """The page as a scanner sees it: soft, on warm paper, with grain."""
    soft = cv2.GaussianBlur(page, (0, 0), 1.2) * 0.85 + 20
    return np.clip(soft + np.random.default_rng(seed).normal(0, grain, page.shape), 0, 255).astype(
        np.uint8
    )


def pressure(size: int, gap: float) -> np.ndarray:
    """The house over-drawn by strokes that grow thin and faint."""
    page = scenes.house(size, gap=gap, width=0.004)
    for step in range(8):
        x = 0.1 + 0.1 * step
        scenes.ink(page, (x, 0.9), (x + 0.1, 0.9), width=0.003 + 0.001 * step)
    return page


CASES = {
    "black on white": lambda page: page,
    "black alpha": lambda page: as_ink((0, 0, 0), page),
    "red alpha": lambda page: as_ink((230, 0, 0), page),
    "white alpha": lambda page: as_ink((255, 255, 255), page),
    "yellow": lambda page: drawn_in((255, 230, 0), page),
    "red": lambda page: drawn_in((230, 0, 0), page),
    "pencil": lambda page: drawn_in((150, 150, 150), page),
    "opaque rgba": lambda page: opaque(drawn_in((0, 0, 0), page)),
    "opaque yellow rgba": lambda page: opaque(drawn_in((255, 230, 0), page)),
    "16 bit": lambda page: page.astype(np.uint16) * 257,
    "16 bit alpha": lambda page: as_ink((0, 0, 0), page).astype(np.uint16) * 257,
    "float": lambda page: page.astype(np.float32) / 255,
    "grey and alpha": lambda page: np.dstack([0 * page, 255 - page]),
    "hard edges": lambda page: np.where(page < 128, 0, 255).astype(np.uint8),
    "scan": lambda page: scan(page, 6),
    "noisy scan": lambda page: scan(page, 14),
    "jpeg": lambda page: cv2.imdecode(
        cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_GRAYSCALE
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_line_closes_the_rooms(case):
    line = CASES[case](scenes.house(SIZE, gap=0.02))
    result = colour_flats(line, scenes.dots(SIZE))
    for name, colour in COLOURS.items():
        assert scenes.share(result.flats, name, colour) >= 0.97, name
    assert scenes.at(result.flats, OUTSIDE) == (0, 0, 0, 0)
    assert result.warnings == []


def test_strokes_of_varying_pressure():
    flats = colour_flats(pressure(SIZE, 0.02), scenes.dots(SIZE)).flats
    for name, colour in COLOURS.items():
        assert scenes.share(flats, name, colour) >= 0.97, name


@pytest.mark.parametrize("size", [256, SIZE, 1536])
@pytest.mark.parametrize("width", [0.008, 0.03])
def test_colour_goes_on_beneath_the_lines(size, width):
    line = scenes.house(size, width=width)
    result = colour_flats(line, scenes.dots(size))
    rows = slice(round(0.15 * size), round(0.45 * size))
    wall = result.flats[rows, round(0.4 * size) : round(0.6 * size)]  # nw, its east wall, ne
    red, green = ((wall == np.array(c, np.uint8)).all(axis=-1) for c in (RED, GREEN))
    assert (red | green).all()
    assert (result.regions[rows, round(0.4 * size) : round(0.6 * size)] > 0).all()
    ends = red.sum(axis=1)  # they meet within the line
    middle, half = 0.1 * size, max(2, width * size / 2 + 1)
    assert abs(ends - middle).max() <= half


@pytest.mark.parametrize("size", [SIZE, 1536])
def test_no_white_fringe(size):
    """Nothing between two coloured rooms is lighter than the lighter of the two."""
    line = scenes.house(size)
    result = colour_flats(line, scenes.dots(size))
    picture = composite(line, result.flats)
    part = picture[round(0.15 * size) : round(0.85 * size), round(0.15 * size) : round(0.85 * size)]
    # seen along each channel, white would be above every colour of the four rooms
    brightest = np.array([max(c[k] for c in COLOURS.values()) for k in range(3)])
    assert (part <= brightest).all()


def on(line: np.ndarray, dtype: type = np.uint8) -> np.ndarray:
    hints = scenes.dots(line.shape[0]).astype(dtype)
    return hints * dtype(np.iinfo(dtype).max // 255)


@pytest.mark.parametrize("bits_of_flats", [np.uint8, np.uint16])
@pytest.mark.parametrize("bits_of_line", [np.uint8, np.uint16])
@pytest.mark.parametrize("form", ["grey", "rgb", "opaque rgba", "alpha"])
def test_lines_over_flats(form, bits_of_line, bits_of_flats):
    page = scenes.house(256)
    line = {
        "grey": page,
        "rgb": np.dstack([page] * 3),
        "opaque rgba": opaque(np.dstack([page] * 3)),
        "alpha": as_ink((0, 0, 0), page),
    }[form].astype(bits_of_line) * bits_of_line(np.iinfo(bits_of_line).max // 255)
    hints = on(line, bits_of_flats)
    flats = colour_flats(line, hints).flats
    picture = composite(line, flats)
    assert picture.dtype == bits_of_flats
    assert picture.shape == (256, 256, 4 if form == "alpha" else 3)
    top = int(np.iinfo(bits_of_flats).max)
    for name, place in scenes.CENTRES.items():
        exact = [value * (top // 255) for value in COLOURS[name][:3]]
        assert list(scenes.at(picture, place))[:3] == exact
    paper = (0, 0, 0, 0) if form == "alpha" else (top, top, top)
    assert scenes.at(picture, OUTSIDE) == paper
    darkest = int(page.argmin())
    pixel = picture.reshape(256 * 256, -1)[darkest]
    assert (pixel[:3] <= top * (int(page.min()) + 2) / 255).all()
    if form == "alpha":
        assert pixel[3] == top


def test_coloured_lines_keep_their_colour_over_nothing():
    line = drawn_in((230, 0, 0), scenes.house(256))
    picture = composite(line, scenes.no_hints(256))
    np.testing.assert_array_equal(picture, line)


def test_half_transparent_flats_show_the_paper():
    line = np.full((2, 2), 255, np.uint8)
    flats = np.full((2, 2, 4), (200, 100, 0, 51), np.uint8)
    assert composite(line, flats)[0, 0].tolist() == [244, 224, 204]


def test_ink_with_alpha_lies_over_flats():
    line = np.zeros((1, 3, 4), np.uint8)
    line[0, 1] = (0, 0, 0, 255)
    line[0, 2] = (0, 0, 0, 51)
    flats = np.full((1, 3, 4), (100, 200, 50, 255), np.uint8)
    expected = [[100, 200, 50, 255], [0, 0, 0, 255], [80, 160, 40, 255]]
    assert composite(line, flats)[0].tolist() == expected
