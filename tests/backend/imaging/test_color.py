"""Lab agrees with scikit-image and comes back."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color as reference

from backend.imaging.color import IBN, ZHANG, lab_to_rgb, luma, rgb_to_lab


@pytest.fixture
def rgb() -> np.ndarray:
    steps = np.linspace(0, 1, 18, dtype=np.float32)
    return np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 18, 3)


def test_lab_agrees_with_scikit_image(rgb: np.ndarray) -> None:
    assert np.abs(rgb_to_lab(rgb) - reference.rgb2lab(rgb)).max() < 1e-3


def test_round_trip_is_below_a_level(rgb: np.ndarray) -> None:
    assert np.abs(lab_to_rgb(rgb_to_lab(rgb)) - rgb).max() < 1 / 255


def test_inverse_agrees_with_scikit_image_inside_srgb(rgb: np.ndarray) -> None:
    lab = reference.rgb2lab(rgb)
    assert np.abs(lab_to_rgb(lab) - reference.lab2rgb(lab)).max() < 1e-3


def test_impossible_colours_are_clipped_and_finite() -> None:
    lab = np.array([[0, 110, -110], [100, -110, 110], [5, 0, 120], [-10, 0, 0]], np.float32)
    result = lab_to_rgb(lab)
    assert np.isfinite(result).all() and result.min() >= 0 and result.max() <= 1


def test_gamut_of_srgb(rgb: np.ndarray) -> None:
    lab = rgb_to_lab(rgb)
    assert lab[..., 1].min() == pytest.approx(-86.2, abs=0.1)
    assert lab[..., 1].max() == pytest.approx(98.2, abs=0.1)
    assert lab[..., 2].min() == pytest.approx(-107.9, abs=0.1)
    assert lab[..., 2].max() == pytest.approx(94.5, abs=0.1)


@pytest.mark.parametrize(("codec", "low", "high"), [(IBN, -1, 1), (ZHANG, -0.5, 0.5)])
def test_codec_ranges_and_round_trip(codec, low: float, high: float, rgb: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    lightness, chroma = codec.encode(rgb)
    assert lightness.shape[-1] == 1 and chroma.shape[-1] == 2
    assert lightness.min() == pytest.approx(low, abs=1e-3)
    assert lightness.max() == pytest.approx(high, abs=1e-3)
    assert np.abs(codec.decode(lightness, chroma) - rgb).max() < 1 / 255


def test_luma_of_white_is_white() -> None:
    assert luma(np.full((2, 2, 3), 255, np.uint8)) == pytest.approx(255)
