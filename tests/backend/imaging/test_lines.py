from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.lines import clean_ink, darkness, ink_mask, is_transparent
from tests.backend.regions import scenes

SIZE = 256


def grey() -> np.ndarray:
    return scenes.house(SIZE)


CORE = grey() < 60  # the middle of the lines, without their anti-aliased edges


def on_paper(colour: tuple[int, int, int]) -> np.ndarray:
    """(H, W, 3): the house drawn in a colour on white."""
    amount = (255 - grey()[..., None]) / 255
    return np.rint(255 * (1 - amount) + np.array(colour) * amount).astype(np.uint8)


def on_nothing(colour: tuple[int, int, int]) -> np.ndarray:
    """(H, W, 4): the house drawn in a colour on a transparent ground."""
    return np.dstack([np.full((SIZE, SIZE, 3), colour, np.uint8), 255 - grey()])


def found(line: np.ndarray) -> np.ndarray:
    return ink_mask(clean_ink(darkness(line)))


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    return found(grey())


def test_ink_is_where_the_lines_are(expected):
    assert CORE.sum() > 1000
    assert expected[CORE].all()
    assert not expected[grey() == 255].any()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(grey()[..., None], id="one channel"),
        pytest.param(np.dstack([grey()] * 3), id="rgb"),
        pytest.param(np.dstack([grey(), np.full_like(grey(), 255)]), id="opaque grey and alpha"),
        pytest.param(np.dstack([grey()] * 3 + [np.full_like(grey(), 255)]), id="opaque rgba"),
        pytest.param(grey().astype(np.uint16) * 257, id="16 bit"),
        pytest.param(grey().astype(np.float32) / 255, id="float"),
        pytest.param(on_nothing((0, 0, 0)), id="black ink as alpha"),
        pytest.param(on_nothing((255, 255, 255)), id="white ink as alpha"),
        pytest.param(on_nothing((250, 220, 0)).astype(np.uint16) * 257, id="yellow alpha, 16 bit"),
        pytest.param(np.dstack([0 * grey(), 255 - grey()]), id="grey and alpha"),
    ],
)
def test_one_drawing_in_every_form_has_the_same_ink(line, expected):
    np.testing.assert_array_equal(found(line), expected)


@pytest.mark.parametrize("colour", [(255, 235, 0), (230, 0, 0), (120, 120, 120), (190, 190, 190)])
def test_coloured_and_pencil_lines_close_what_black_lines_close(colour, expected):
    ink = found(on_paper(colour))
    assert ink[CORE].all()
    assert (ink != expected).mean() < 0.01


def test_shapes_painted_white_under_their_outlines_are_no_ink():
    line = np.zeros((SIZE, SIZE, 4), np.uint8)
    cv2.circle(line, (128, 128), 80, (255, 255, 255, 255), -1)
    cv2.circle(line, (128, 128), 80, (0, 0, 0, 255), 2)
    assert is_transparent(line)
    dark = darkness(line)
    assert dark[128, 128] == 0
    assert dark[128, 208] == 255


def test_white_under_a_transparent_alpha_is_no_ink():
    line = np.dstack([np.zeros((SIZE, SIZE, 3), np.uint8), 255 - grey()])
    line[line[..., 3] == 0] = (0, 0, 0, 0)  # black below alpha 0, as most programs save it
    assert not darkness(line)[grey() == 255].any()


def test_opaque_alpha_is_not_transparent():
    line = np.full((4, 4, 4), 255, np.uint8)
    assert not is_transparent(line)
    line[0, 0, 3] = 0
    assert is_transparent(line)
    assert not is_transparent(grey())


def test_grain_of_a_scan_is_no_ink():
    grain = np.random.default_rng(2).normal(0, 10, (SIZE, SIZE))
    page = cv2.GaussianBlur(grey(), (0, 0), 1).astype(np.float64) * 0.8 + 35 + grain
    ink = found(np.clip(page, 0, 255).astype(np.uint8))
    near = cv2.erode(grey(), np.ones((7, 7), np.uint8)) < 255
    assert not ink[~near].any()
    assert ink[CORE].mean() > 0.95


def test_grey_paper_is_no_ink():
    page = np.minimum(grey(), 180)
    np.testing.assert_array_equal(found(page) & (grey() == 255), np.zeros((SIZE, SIZE), bool))


def test_weak_ink_counts_only_where_it_touches_strong():
    ink = np.zeros((20, 20), np.uint8)
    ink[5, 2:10] = 255
    ink[5, 10:14] = 100
    ink[15, 2:10] = 100
    mask = ink_mask(ink)
    assert mask[5, 2:14].all()
    assert not mask[15].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 2)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_tiny_and_even_pages(shape, value):
    page = np.full(shape, value, np.uint8)
    ink = clean_ink(darkness(page))
    assert ink.shape == shape and ink.dtype == np.uint8
    assert ink_mask(ink).shape == shape
