"""One drawing at any size: the same colours in the same places, without seams, as it is shipped."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the region matcher needs PyTorch")

from backend.imaging import planes
from backend.tasks import job
from protocol.pixels import PixelFormat
from tests.backend import figures

SMALL = 64  # pixels a side at which results are compared; the eyes are all ink there
PALETTE = (figures.WHITE, figures.SKIN, figures.HAIR, figures.SHIRT, figures.EYE)
# Row and column as shares of the side: paper, skin, hair, shirt, both eyes.
DOTS = ((0.5, 0.08), (0.55, 0.45), (0.16, 0.45), (0.85, 0.45), (0.42, 0.37), (0.42, 0.53))
REFERENCE = planes.to_plane("reference_0", figures.face(400, shift=0.03)[1], PixelFormat.rgb8)
SIZES = (SMALL, 4096, pytest.param(8192, marks=pytest.mark.slow))


def dots(size: int) -> np.ndarray:
    hints = np.zeros((size, size, 4), np.uint8)
    half = max(1, size // 100)
    for (y, x), color in zip(DOTS, (*PALETTE, figures.EYE), strict=True):
        row, column = round(y * size), round(x * size)
        hints[row - half : row + half, column - half : column + half] = (*color, 255)
    return hints


def coloured(size: int, by: str) -> np.ndarray:
    """The flats (S, S, 4) of the face, by hints or after a reference."""
    line = planes.to_plane("line", figures.face(size)[0], PixelFormat.gray8)
    other = REFERENCE if by == "reference" else None
    other = other or planes.to_plane("hints", dots(size), PixelFormat.rgba8)
    silent = {"progress": lambda fraction, stage: None, "cancelled": lambda: False}
    return planes.to_array(job.run("layer", [line, other], {}, **silent).outputs[0])


def shrunk(flats: np.ndarray) -> np.ndarray:
    """(SMALL, SMALL, 3): every pixel the mean of what it covers; none is white, as paper is."""
    shown = np.where(flats[..., 3:] > 0, flats[..., :3], np.uint8(255))
    return cv2.resize(shown, (SMALL, SMALL), interpolation=cv2.INTER_AREA).astype(int)


@cache
def usual(by: str) -> np.ndarray:
    return shrunk(coloured(512, by))


@pytest.mark.parametrize("by", ["hints", "reference"])
@pytest.mark.parametrize("size", SIZES)
def test_every_size_gives_the_same_colours_in_the_same_places(size: int, by: str):
    flats = coloured(size, by)
    line, _, parts = figures.face(size)
    for part, color in enumerate(PALETTE):
        shown = flats[(parts == part) & (line == 255)]
        right = (shown[:, :3] == color).all(1) | ((shown[:, 3] == 0) & (part == 0))
        assert not len(shown) or right.mean() > 0.9999, part
    small, (line, _, parts) = shrunk(flats), figures.face(SMALL)
    clear = cv2.erode(line, np.ones((3, 3), np.uint8)) == 255
    for part in range(4):
        inside = clear & (parts == part)
        assert inside.sum() > 15
        assert np.array_equal(small[inside], usual(by)[inside]), part
    if size > SMALL:  # there the lines are as wide as here, and colours meet beneath them
        assert np.abs(small - usual(by)).mean() < 1
