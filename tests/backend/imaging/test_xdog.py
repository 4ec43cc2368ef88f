"""XDoG's three forms on a chart of grey patches with a line below."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu

from backend.imaging.xdog import MANGA, MANGA_RELEASE, SHARPENED, TEXTBOOK, gaussian, otsu, xdog

LEVELS = (0.0, 0.06, 0.125, 0.25, 0.5)


@pytest.fixture
def chart() -> np.ndarray:
    picture = np.ones((200, 440), np.float32)
    for index, level in enumerate(LEVELS):
        picture[40:120, 20 + 80 * index : 80 + 80 * index] = level
    picture[150:154, 20:420] = 0
    return picture


def patches(drawing: np.ndarray) -> list[float]:
    return [float(drawing[80, 50 + 80 * index]) for index in range(len(LEVELS))]


def test_branch_swapped_keeps_solid_blacks(chart: np.ndarray) -> None:
    drawing = MANGA(chart)
    assert patches(drawing) == [0, 0, 0, 1, 1]
    assert drawing[152, 200] == 0 and drawing[10, 10] == 1


def test_release_values_keep_fewer_blacks(chart: np.ndarray) -> None:
    assert patches(MANGA_RELEASE(chart)) == [0, 0, 1, 1, 1]


def test_textbook_leaves_outlines_only(chart: np.ndarray) -> None:
    drawing = TEXTBOOK(chart)
    assert patches(drawing) == [1] * len(LEVELS)
    assert drawing[40:120, 18:22].min() == 0


def test_sharpened_keeps_the_line_and_black(chart: np.ndarray) -> None:
    drawing = SHARPENED(chart)
    assert drawing[152, 200] == 0 and patches(drawing)[0] == 0 and patches(drawing)[-1] == 1


def test_without_binarizing_tones_remain(chart: np.ndarray) -> None:
    drawing = xdog(chart, binarize=False)
    assert len(np.unique(drawing)) > 20 and drawing.min() == 0 and drawing.max() == 1


@pytest.mark.parametrize("form", ["branch_swapped", "textbook", "sharpened"])
def test_blank_paper_stays_paper(form) -> None:  # type: ignore[no-untyped-def]
    assert (xdog(np.ones((20, 20), np.float32), form) == 1).all()


def test_a_black_page_stays_black_where_blacks_are_kept() -> None:
    assert (MANGA(np.zeros((20, 20), np.float32)) == 0).all()


def test_blur_agrees_with_scipy() -> None:
    noise = np.random.default_rng(0).random((40, 60)).astype(np.float32)
    assert np.abs(gaussian(noise, 2.0) - gaussian_filter(noise, 2.0)).max() < 1e-5


def test_otsu_separates_as_scikit_image_does() -> None:
    rng = np.random.default_rng(1)
    values = np.clip(np.concatenate((rng.normal(0.2, 0.05, 900), rng.normal(0.7, 0.08, 600))), 0, 1)
    ours, theirs = values >= otsu(values), values > threshold_otsu(values)
    assert (ours != theirs).mean() < 0.005


def test_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="use one of branch_swapped"):
        xdog(np.ones((4, 4), np.float32), "swapped")  # type: ignore[arg-type]
