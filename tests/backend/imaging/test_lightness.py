"""L* of pixels as Lab says it, and colours that keep it."""

from __future__ import annotations

import numpy as np
import pytest

from backend.imaging.color import rgb_to_lab
from backend.imaging.lightness import lightness, with_lightness


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lightness_is_that_of_lab(dtype):
    top = np.iinfo(dtype).max
    rgb = np.random.default_rng(0).integers(0, top + 1, (40, 50, 3)).astype(dtype)
    rgb[0] //= 40
    expected = rgb_to_lab(rgb / np.float32(top))[..., 0]
    assert np.abs(lightness(rgb) - expected).max() < 0.01
    assert np.array_equal(lightness(np.dstack([rgb, rgb[..., 0]])), lightness(rgb))
    grey = rgb[..., 0]
    assert np.abs(lightness(grey) - lightness(np.dstack([grey] * 3))).max() < 0.001


@pytest.mark.parametrize(("dtype", "limit"), [(np.uint8, 0.21), (np.uint16, 0.001)])
def test_lightness_survives_any_chroma(dtype, limit):
    """All greys with chroma to far outside of sRGB; in 8 bit each rounds back to its grey."""
    top = np.iinfo(dtype).max
    grey = np.repeat(np.linspace(0, top, 256).astype(dtype)[:, None], 300, axis=1)
    light = lightness(grey)
    chroma = np.random.default_rng(1).uniform(-110, 110, (256, 300, 2)).astype(np.float32)
    coloured = with_lightness(light, chroma, dtype)
    assert coloured.dtype == dtype
    after = lightness(coloured)
    assert np.abs(after - light).max() < limit
    if dtype is np.uint8:
        nearest = np.abs(after[..., None] - lightness(np.arange(256, dtype=np.uint8)[None])[0])
        assert np.array_equal(nearest.argmin(-1), grey)


def test_colours_of_the_gamut_come_back():
    rgb = np.random.default_rng(2).integers(0, 256, (60, 60, 3), np.uint8)
    lab = rgb_to_lab(rgb / np.float32(255))
    back = with_lightness(lab[..., 0].copy(), lab[..., 1:].copy(), np.uint8)
    assert np.abs(back.astype(int) - rgb).max() <= 1
    deep = rgb.astype(np.uint16) * 257
    back = with_lightness(lab[..., 0].copy(), lab[..., 1:].copy(), np.uint16)
    assert np.abs(back.astype(int) - deep).max() <= 100  # of 65535: less than half a step of 8 bit
