"""Areas that are divided where no line is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.matching.border_samples import bent
from training.matching.divided import PATTERNS, divide
from training.matching.scenes import Scene, shapes

from .test_borders import scenes
from .test_samples import folder as folder


def disc(radius: int = 30) -> np.ndarray:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return x**2 + y**2 <= radius**2


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_leaves_some_and_takes_some(pattern):
    inside = disc()
    shares = [pattern(inside, np.random.default_rng(seed))[inside].mean() for seed in range(20)]
    assert all(0 <= share <= 1 for share in shares)
    assert sum(0.02 < share < 0.98 for share in shares) >= 17


def test_only_paints_are_divided():
    rng = np.random.default_rng(3)
    whole = shapes(rng, 256)
    done = divide(whole, rng)
    assert (done.ink == whole.ink).all() and done.ground == whole.ground
    assert (done.color[: len(whole.color)] == whole.color).all()
    added = done.areas >= len(whole.color)
    assert added.any() and 1 <= len(done.color) - len(whole.color) <= 3
    assert (done.areas[~added] == whole.areas[~added]).all()
    assert (whole.areas[added] != whole.ground).all()
    for area in np.unique(done.areas[added]):
        assert len(np.unique(whole.areas[done.areas == area])) == 1


def test_ground_and_small_areas_stay_whole():
    areas = np.ones((128, 128), np.int32)
    areas[:4, :4] = 2
    paints = np.array([[255, 255, 255]] * 2 + [[9, 9, 9]], np.uint8)
    scene = Scene(np.zeros((128, 128), np.uint8), areas, paints, 1)
    done = divide(scene, np.random.default_rng(0))
    assert (done.areas == areas).all() and len(done.color) == 3


def test_places_are_bent_but_stay_about_where_they_were():
    y, x = np.mgrid[:64, :64].astype(np.float32)
    place = np.stack([x, y], -1) * 4
    moved = [bent(np.random.default_rng(seed), place) - place for seed in range(20)]
    assert all(np.abs(shift).max() < 0.8 * 256 for shift in moved)
    assert np.median([np.abs(shift).mean() for shift in moved]) < 0.1 * 256
    curved = [np.abs(np.diff(shift, 2, axis=1)).max() for shift in moved]
    assert np.median(curved) > 1e-3


def test_samples_to_measure_with_are_neither_divided_nor_bent(folder, tmp_path):
    plain = scenes(folder, tmp_path, training=False)[1, 2]
    other = scenes(folder, tmp_path, training=False, divided=1, warped=1)[1, 2]
    assert all(torch.equal(plain[name], other[name]) for name in plain)
    seen = scenes(folder, tmp_path)[1, 2]["drawing"]
    assert not torch.equal(seen, scenes(folder, tmp_path, divided=1, warped=1)[1, 2]["drawing"])
