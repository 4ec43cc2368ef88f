"""Key frames without colours are told from drawings in black and white."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.tasks.animation_keys import find_flaw, is_bare
from tests.backend import shots

LINE = shots.line(0)
LEFT = (shots.coloured(0)[..., :3] == shots.RED).all(axis=2) & (LINE == 255)


def large(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels, (1440, 960), interpolation=cv2.INTER_CUBIC)


def as_rgb(line: np.ndarray) -> np.ndarray:
    return np.repeat(line[..., None], 3, axis=2)


def filled(colour: tuple[int, int, int]) -> np.ndarray:
    """The left box in one colour."""
    pixels = as_rgb(LINE)
    pixels[LEFT] = colour
    return pixels


def ink() -> np.ndarray:
    """(H, W, 4) the lines on a transparent ground."""
    pixels = np.zeros((*LINE.shape, 4), np.uint8)
    pixels[..., 3] = 255 - LINE
    return pixels


def scan() -> np.ndarray:
    """A drawing on uneven paper."""
    y, x = np.mgrid[:960, :1440] / 960
    grain = np.random.default_rng(0).normal(0, 3, (960, 1440))
    return (large(LINE) * (1 - 0.2 * np.hypot(x - 0.75, y - 0.5)) + grain).clip(0, 255).astype("u1")


def jpeg(pixels: np.ndarray) -> np.ndarray:
    found = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], 1)
    assert found is not None
    return np.asarray(found)


def recoloured(colour: tuple[int, int, int]) -> np.ndarray:
    """Lines of this colour, on white."""
    pixels = as_rgb(LINE)
    pixels[LINE == 0] = colour
    return pixels


@pytest.mark.parametrize(
    ("colour", "line"),
    [
        (as_rgb(LINE), LINE),
        (as_rgb(LINE), LINE.astype(np.uint16) * 257),
        (as_rgb(LINE), ink()),
        (ink(), LINE),
        (ink(), ink()),
        (recoloured((120, 60, 20)), LINE),
        (np.minimum(as_rgb(LINE), (255, 250, 225)).astype(np.uint8), LINE),
        (jpeg(as_rgb(large(LINE))), large(LINE)),
        (cv2.GaussianBlur(as_rgb(large(LINE)), (0, 0), 2), large(LINE)),
        (as_rgb(scan()), scan()),
    ],
)
def test_mere_line_art(colour: np.ndarray, line: np.ndarray) -> None:
    assert is_bare(colour, line)
    assert "colour it" in find_flaw(colour, line)


@pytest.mark.parametrize(
    ("colour", "line"),
    [
        (shots.finished(0), LINE),
        (shots.coloured(0), LINE),
        (shots.coloured(0, ground=0), ink()),
        (filled((120, 120, 120)), LINE),
        (filled((0, 0, 0)), LINE),
        (filled((255, 240, 230)), LINE),
        (np.minimum(as_rgb(LINE), shots.RED).astype(np.uint8), LINE),
        (np.dstack([as_rgb(LINE), np.where(LEFT, 255, 255 - LINE).astype(np.uint8)]), LINE),
    ],
    ids=["finished", "flats", "open", "grey", "black", "pale", "ground", "white"],
)
def test_coloured_if_only_in_black_and_white(colour: np.ndarray, line: np.ndarray) -> None:
    assert find_flaw(colour, line) == ""


def test_a_blank_line_frame_is_told() -> None:
    assert "its line frame is blank" in find_flaw(shots.finished(0), np.full_like(LINE, 255))
