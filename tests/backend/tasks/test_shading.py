"""Soft colours: the gradient of a painted reference has its place, and stays within its paint."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the region matcher needs PyTorch")

from backend.tasks.matcher import colour_from_sources
from backend.tasks.sources import read_source
from tests.backend import figures


def painted(line: np.ndarray, color: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """The face in paint that is darker to the right; paper and lines stay."""
    fade = 1 - 0.35 * np.arange(line.shape[1]) / line.shape[1]
    shaded = np.rint(color * fade[None, :, None]).astype(np.uint8)
    return np.where((parts > 0)[..., None], shaded, color)


def error(picture: np.ndarray, truth: np.ndarray, at: np.ndarray) -> float:
    """Mean absolute difference in values of 255."""
    return float(np.abs(picture[at][:, :3].astype(int) - truth[at]).mean())


@pytest.mark.parametrize("size", [300, 512, 1600])
@pytest.mark.parametrize("with_lines", [False, True])
def test_the_gradient_of_a_reference_comes_along(size: int, with_lines: bool):
    line, color, parts = figures.face(512)
    source = read_source(painted(line, color, parts), line if with_lines else None)
    line, color, parts = figures.face(size)
    truth = painted(line, color, parts)
    inside = (parts > 0) & (line == 255)
    flat, soft = (colour_from_sources(line, [source], soft=soft) for soft in (False, True))
    assert error(soft.flats, truth, inside) < 0.35 * error(flat.flats, truth, inside)
    assert (soft.flats[..., 3] == flat.flats[..., 3]).all()
    assert (soft.regions == flat.regions).all()
    paper = (parts == 0) & (flat.flats[..., 3] > 0)
    assert (soft.flats[paper][:, :3] >= 250).mean() > 0.98


def test_a_flat_reference_gives_flat_colours():
    line, color, _ = figures.face()
    source = read_source(color)
    flat, soft = (colour_from_sources(line, [source], soft=soft) for soft in (False, True))
    assert np.abs(soft.flats.astype(int) - flat.flats).max() <= 3


def test_hints_that_decide_have_no_shading_of_another_paint():
    line, color, parts = figures.face()
    hints = np.zeros((*line.shape, 4), np.uint16)
    green = (1000, 65000, 3000, 65535)
    hints[276:284, 226:234] = green
    source = read_source(painted(line, color, parts))
    flats = colour_from_sources(line, [source], hints=hints, soft=True).flats
    assert flats.dtype == np.uint16
    skin = (parts == 1) & (line == 255)
    assert (flats[skin] == green).all(axis=1).mean() > 0.98
