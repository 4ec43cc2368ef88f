"""Thin-plate splines interpolate, leave alone what they should, and follow the paper's law."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.data.warp import ThinPlateSpline, move_points, paper_control_points, warp


def test_no_shift_is_the_identity() -> None:
    points = torch.rand(2, 6, 2, generator=torch.Generator().manual_seed(0))
    images = torch.rand(2, 3, 40, 56, generator=torch.Generator().manual_seed(1))
    warped = warp(images, ThinPlateSpline(points, points).sampling(40, 56))
    assert (warped - images).abs().max() < 1 / 255


def test_control_points_are_met_exactly() -> None:
    source, target = paper_control_points(np.random.default_rng(3))
    spline = ThinPlateSpline(source, target)
    assert (spline(target[0]) - source).abs().max() < 1e-9


def test_batch_equals_single_splines() -> None:
    pairs = [paper_control_points(np.random.default_rng(seed)) for seed in range(3)]
    together = ThinPlateSpline(*(torch.cat(points) for points in zip(*pairs, strict=True)))
    for index, pair in enumerate(pairs):
        single = ThinPlateSpline(*pair).sampling(16, 16)
        assert (together.sampling(16, 16)[index] - single[0]).abs().max() < 1e-5


def test_outside_is_black() -> None:
    corners = torch.tensor([[[0.0, 0], [1, 0], [0, 1], [1, 1]]])
    shifted = corners + torch.tensor([0.5, 0.0])
    warped = warp(torch.ones(1, 3, 20, 20), ThinPlateSpline(corners, shifted).sampling(20, 20))
    assert (warped[..., :8] == 0).all() and (warped[..., 13:] > 0.99).all()


def test_paper_law() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        source, target = (points[0].numpy() for points in paper_control_points(rng))
        assert (source[:4] == target[:4]).all()
        assert (source[4:, 0] == source[4:, 1]).all() and (target[4:, 0] == target[4:, 1]).all()
        assert source[4:].min() >= 0.3 and source[4:].max() <= 0.7
        assert np.abs(target[4:] - source[4:]).max() <= 0.25 + 1e-9
        assert np.allclose(np.round(target, 2), target)
        assert abs(target[4, 0] - target[5, 0]) > 1e-6


def test_points_on_one_line_are_refused() -> None:
    line = torch.tensor([[[0.0, 0], [0.5, 0.5], [1, 1]]])
    with pytest.raises(ValueError, match="do not determine"):
        ThinPlateSpline(line, line)


def test_points_travel_forward() -> None:
    knots = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5]], float)
    moved = knots + np.array([[0, 0], [0, 0], [0, 0], [0, 0], [0.1, -0.05]])
    assert np.abs(move_points(knots, knots, moved) - moved).max() < 1e-9
