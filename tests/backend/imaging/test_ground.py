from __future__ import annotations

import numpy as np
import pytest

from backend.imaging.ground import bands, laid_on_white


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_transparent_is_white(dtype):
    top = np.iinfo(dtype).max
    rgba = np.zeros((3, 2, 4), dtype)
    rgba[1] = top
    rgba[1, :, 0] = 10
    rgba[2, :, 3] = top // 5
    white = laid_on_white(rgba)
    assert white.dtype == dtype
    assert (white[0] == top).all()
    assert np.array_equal(white[1], rgba[1, :, :3])
    assert (white[2] == top - top // 5).all()


def test_grey_and_rgb_stay():
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(laid_on_white(grey), np.dstack([grey] * 3))
    rgb = np.dstack([grey, grey + 1, grey + 2])
    assert laid_on_white(rgb) is rgb


@pytest.mark.parametrize("size", [(1, 1), (3000, 1000), (5, 1 << 21)])
def test_bands_cover_every_row_once(size):
    rows = np.zeros(size[0], int)
    for band in bands(*size):
        rows[band] += 1
    assert (rows == 1).all()
