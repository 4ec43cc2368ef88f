"""Small values brought to full size: sharp where the guide is, smooth where it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.resample import upsample_along, upsample_within


def shrunk(picture: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("side", [1024, 777])
def test_colour_ends_where_the_guide_does(side):
    """A disc of another colour: even the pixels beside its edge have their own side's colour."""
    disc = np.zeros((side, side), np.uint8)
    cv2.circle(disc, (side // 2, side // 2), side // 3, 1, -1)
    guide = np.where(disc, 30, 80).astype(np.float32)
    truth = np.where(disc[..., None], (40, -20), (-10, 60)).astype(np.float32)
    found = upsample_along(guide, shrunk(guide, 128), shrunk(truth, 128), height=side)
    apart = np.abs(truth[0, 0] - truth[side // 2, side // 2])
    assert (np.abs(found - truth).max((0, 1)) < 0.12 * apart).all()


def test_without_edges_it_is_smooth():
    ramp = np.repeat(np.linspace(0, 50, 64, dtype=np.float32)[None], 64, axis=0)
    flat = np.full((64, 64), 50, np.float32)
    full = upsample_along(np.full((512, 512), 50, np.float32), flat, ramp[..., None], height=512)
    steps = np.diff(full[256, 20:-20, 0])
    assert steps.min() >= 0
    assert steps.max() < 2 * steps.mean()


def test_bands_make_the_whole():
    rng = np.random.default_rng(0)
    small_guide, small = rng.uniform(0, 100, (9, 13)), rng.uniform(-50, 50, (9, 13, 2))
    small_guide, small = small_guide.astype(np.float32), small.astype(np.float32)
    guide = rng.uniform(0, 100, (101, 67)).astype(np.float32)
    whole = upsample_along(guide, small_guide, small, height=101)
    parts = [
        upsample_along(guide[top : top + 30], small_guide, small, height=101, top=top)
        for top in range(0, 101, 30)
    ]
    assert np.array_equal(np.concatenate(parts), whole)
    assert whole.min() >= small.min() - 1e-3
    assert whole.max() <= small.max() + 1e-3


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (300, 2)])
def test_any_size(size):
    small = np.full((1, 1, 2), 7, np.float32)
    full = upsample_along(np.zeros(size, np.float32), small[..., 0], small, height=size[0])
    assert full.shape == (*size, 2)
    assert np.allclose(full, 7)


def test_within_regions_nothing_crosses_a_border() -> None:
    small_label = np.repeat(np.array([[1, 1, 2, 2]], np.int32), 4, axis=0)
    small = np.where(small_label == 1, 0.25, 0.75).astype(np.float32)[..., None]
    label = np.ones((32, 32), np.int32)
    label[:, 13:] = 2  # the border is elsewhere at full size
    label[:3, :3] = 3  # too small to be in the small copy
    full = upsample_within(label, small_label, small, height=32)
    wanted = np.array([0, 0.25, 0.75, 0], np.float32)[label]
    assert np.allclose(full[..., 0], wanted)


def test_within_a_region_values_change_smoothly_and_bands_fit() -> None:
    small = np.linspace(0, 1, 8, dtype=np.float32)[None, :, None].repeat(8, 0)
    label = np.ones((64, 64), np.int32)
    whole = upsample_within(label, np.ones((8, 8), np.int32), small, height=64)
    steps = np.diff(whole[10, 8:-8, 0])
    assert (steps > 0).all() and steps.max() < 0.03
    lower = upsample_within(label[40:], np.ones((8, 8), np.int32), small, height=64, top=40)
    assert np.array_equal(lower, whole[40:])
