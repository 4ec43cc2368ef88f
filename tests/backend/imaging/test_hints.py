from __future__ import annotations

import numpy as np
import pytest

from backend.imaging.hints import read_hints
from tests.backend.regions import scenes
from tests.backend.regions.scenes import BLUE, GREEN, RED

SIZE = 64


def rows(colours: np.ndarray) -> set[tuple]:
    return {tuple(row) for row in colours.tolist()}


def soft_dot(hints: np.ndarray, centre: tuple[int, int], colour: tuple[int, ...]) -> None:
    """A brush dab as painting programs leave it: the rim is faint and its colour a little off."""
    ys, xs = np.mgrid[: hints.shape[0], : hints.shape[1]]
    alpha = np.clip((12 - np.hypot(ys - centre[0], xs - centre[1])) / 5, 0, 1)
    rim = (alpha > 0) & (alpha < 1)
    hints[alpha > 0, :3] = colour[:3]
    shift = np.random.default_rng(3).integers(-3, 4, (int(rim.sum()), 3))
    hints[rim, :3] = np.clip(hints[rim, :3].astype(int) + shift, 0, 255)
    hints[..., 3] = np.maximum(hints[..., 3], np.rint(alpha * 255))


def test_nothing_painted():
    hints = read_hints(scenes.no_hints(SIZE))
    assert hints.empty
    assert not hints.ids.any()


def test_colour_below_full_transparency_is_no_hint():
    picture = scenes.no_hints(SIZE)
    picture[..., :3] = 255
    assert read_hints(picture).empty


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
@pytest.mark.parametrize("channels", [2, 4, 5])
def test_every_bit_of_a_colour_is_kept(dtype, channels):
    random = np.random.default_rng(channels)
    is_float = np.issubdtype(dtype, np.floating)
    colours = random.random((2, channels)) if is_float else random.integers(0, 255, (2, channels))
    colours = colours.astype(dtype)
    colours[:, -1] = 1 if is_float else np.iinfo(dtype).max
    colours[1] = colours[0]
    # the nearest other value, which no rounding may make the same
    colours[1, 0] = np.nextafter(colours[0, 0], dtype(2)) if is_float else colours[0, 0] + 1
    picture = np.zeros((SIZE, SIZE, channels), dtype)
    picture[5:12, 5:12], picture[30:40, 30:40] = colours
    hints = read_hints(picture)
    assert hints.colours.dtype == dtype
    assert {row.tobytes() for row in hints.colours} == {row.tobytes() for row in colours}
    for place, colour in (((8, 8), colours[0]), ((35, 35), colours[1])):
        assert hints.colours[hints.ids[place] - 1].tobytes() == colour.tobytes()


@pytest.mark.parametrize("value", [np.float32(2.5), np.float32(-0.25)])
def test_float_colours_outside_of_0_to_1_are_kept(value):
    picture = np.zeros((SIZE, SIZE, 4), np.float32)
    picture[5:12, 5:12] = (value, 0.5, 0.5, 1)
    assert read_hints(picture).colours.tolist() == [[value, 0.5, 0.5, 1]]


def test_soft_rims_add_no_colours():
    picture = scenes.no_hints(SIZE)
    soft_dot(picture, (16, 16), RED)
    soft_dot(picture, (44, 44), GREEN)
    hints = read_hints(picture)
    assert rows(hints.colours) == {RED, GREEN}
    assert hints.ids[16, 16] and hints.ids[44, 44] and hints.ids[16, 16] != hints.ids[44, 44]


def test_a_faint_mark_counts_with_its_own_colour_made_opaque():
    picture = scenes.no_hints(SIZE)
    picture[10:20, 10:20] = (*BLUE[:3], 60)
    hints = read_hints(picture)
    assert rows(hints.colours) == {BLUE}
    assert hints.ids[15, 15] == 1


def test_a_single_pixel_is_a_hint():
    picture = scenes.no_hints(SIZE)
    picture[10, 10] = RED
    picture[40, 40] = BLUE
    assert rows(read_hints(picture).colours) == {RED, BLUE}


def test_two_colours_that_touch_are_both_kept():
    picture = scenes.no_hints(SIZE)
    picture[10:30, 10:20] = RED
    picture[10:30, 20:30] = BLUE
    hints = read_hints(picture)
    assert rows(hints.colours) == {RED, BLUE}
    assert len(hints.colour_of_blot) == 3


def test_marks_of_one_colour_are_told_apart():
    picture = scenes.dots(SIZE, "nw se")
    picture[picture[..., 3] > 0] = RED
    hints = read_hints(picture)
    assert len(hints.colours) == 1
    assert len(np.unique(hints.blots[hints.blots > 0])) == 2
    assert hints.colour_of_blot.tolist() == [0, 1, 1]


def test_a_thousand_colours():
    picture = scenes.no_hints(SIZE)
    picture[::2, ::2, :2] = np.stack(np.mgrid[:32, :32], axis=-1) * 8
    picture[::2, ::2, 3] = 255
    hints = read_hints(picture)
    assert len(hints.colours) == 1024
    painted = hints.ids > 0
    np.testing.assert_array_equal(hints.colours[hints.ids[painted] - 1], picture[painted])


def test_the_picture_is_left_as_it_was():
    picture = scenes.no_hints(SIZE)
    soft_dot(picture, (16, 16), RED)
    before = picture.copy()
    read_hints(picture)
    np.testing.assert_array_equal(picture, before)
