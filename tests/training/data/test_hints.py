"""Hint laws: densities, places, and what needs regions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.data import procedural
from training.data.hints import (
    CentreHints,
    HalfRegionHints,
    MixedHints,
    NoHints,
    PixelHints,
    StrokeHints,
    encode_hint,
    sparse_mask,
    truncated_threshold,
)
from training.errors import TrainingError


def test_mean_density_of_the_paper() -> None:
    rng = np.random.default_rng(0)
    densities = [1 - truncated_threshold(rng, 0.0005) for _ in range(20_000)]
    assert np.mean(densities) == pytest.approx(0.000399, abs=0.00002)


def test_masks_follow_their_threshold() -> None:
    rng = np.random.default_rng(1)
    share = np.mean([sparse_mask((256, 256), 0.005, rng).mean() for _ in range(400)])
    assert share == pytest.approx(0.005 * np.sqrt(2 / np.pi), rel=0.1)


def test_shares_of_empty_sparse_and_full() -> None:
    law, rng = PixelHints(std=0.2), np.random.default_rng(2)
    blank = np.zeros((8, 8, 3), np.uint8)
    means = np.array([law(blank, None, rng).mean() for _ in range(4000)])
    assert (means == 1).mean() == pytest.approx(0.01, abs=0.006)
    assert (means == 0).mean() == pytest.approx(0.50, abs=0.05)


def test_cells_hold_one_pixel_at_most() -> None:
    law, rng = PixelHints(std=0.3, sparse=1, full=0, cell=4), np.random.default_rng(2)
    mask = sum(law(np.zeros((64, 64, 3), np.uint8), None, rng).astype(int) for _ in range(20))
    cells = (mask > 0).reshape(16, 4, 16, 4).sum((1, 3))
    assert cells.max() == 1 and cells.mean() > 0.5


def test_region_laws_stay_in_regions() -> None:
    toon = procedural.toon(1, 128)
    rng = np.random.default_rng(3)
    centres = CentreHints()(toon.paint, toon.areas, rng)
    strokes = StrokeHints(share=1.0)(toon.paint, toon.areas, rng)
    for mask in (centres, strokes):
        assert mask.any() and (toon.areas[mask] > 0).all()
    counts = np.bincount(toon.areas.ravel())
    big = {number for number in range(1, len(counts)) if counts[number] >= 40}
    assert big <= set(np.unique(toon.areas[centres]).tolist())


def test_half_of_the_regions_are_whole() -> None:
    toon = procedural.toon(2, 96)
    mask = HalfRegionHints()(toon.paint, toon.areas, np.random.default_rng(4))
    for number in range(1, int(toon.areas.max()) + 1):
        inside = mask[toon.areas == number]
        assert inside.all() or not inside.any()
    assert 0.05 < mask.mean() < 0.95 and not mask[toon.areas == 0].any()


def test_region_laws_without_regions_say_so() -> None:
    with pytest.raises(TrainingError, match="needs region maps"):
        CentreHints()(np.zeros((8, 8, 3), np.uint8), None, np.random.default_rng(0))


def test_mixture_without_regions_uses_the_other_laws() -> None:
    rng = np.random.default_rng(5)
    masks = [MixedHints()(np.zeros((16, 16, 3), np.uint8), None, rng) for _ in range(20)]
    assert all(mask.shape == (16, 16) for mask in masks)
    with pytest.raises(TrainingError, match="region maps"):
        MixedHints(((CentreHints(), 1.0),))(np.zeros((8, 8, 3), np.uint8), None, rng)


def test_encoding_hides_colours_without_hint() -> None:
    color = torch.rand(3, 4, 4) * 2 - 1
    mask = np.zeros((4, 4), bool)
    mask[1, 2] = True
    hint = encode_hint(color, mask)
    assert hint.shape == (4, 4, 4) and hint.abs().sum(0).count_nonzero() == 1
    assert torch.equal(hint[:3, 1, 2], color[:, 1, 2]) and hint[3, 1, 2] == 1
    assert not NoHints()(np.zeros((3, 3, 3), np.uint8), None, np.random.default_rng(0)).any()
