"""Recolouring: new paints, the same shading, ink and registration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.imaging.color import rgb_to_lab
from training.data import procedural
from training.data.picture import Picture
from training.data.recolor import recolor


def test_paints_change_and_ink_stays() -> None:
    toon = procedural.toon(1, 128)
    fresh = recolor([toon], np.random.default_rng(0), keep_paper=0)[0]
    ink = toon.drawing < 40
    assert np.abs(fresh.paint[ink].astype(int) - toon.paint[ink]).max() <= 24
    clear = (toon.drawing == 255) & (toon.areas > 0)
    changed = np.abs(fresh.paint[clear].astype(int) - toon.paint[clear]).max(1) > 12
    assert changed.mean() > 0.9


def test_a_flat_region_stays_flat() -> None:
    toon = procedural.toon(5, 128, shade=False)
    fresh = recolor([toon], np.random.default_rng(1))[0]
    for number in range(1, int(toon.areas.max()) + 1):
        inside = fresh.paint[(toon.areas == number) & (toon.drawing == 255)].astype(int)
        if len(inside) > 30:
            middle = np.median(inside, 0)
            assert (np.abs(inside - middle).max(1) <= 3).mean() > 0.75


def test_regions_of_one_paint_get_one_paint() -> None:
    color = np.full((40, 60, 3), 255, np.uint8)
    regions = np.ones((40, 60), np.int32)
    for number, left in ((2, 5), (3, 35)):
        color[10:30, left : left + 20] = (200, 40, 40)
        regions[10:30, left : left + 20] = number
    line = np.full((40, 60), 255, np.uint8)
    fresh = recolor([Picture("two", color, line, regions)], np.random.default_rng(2))[0].paint
    assert (fresh[20, 15] == fresh[20, 45]).all() and (fresh[20, 15] != color[20, 15]).any()


def test_shading_keeps_its_order_of_lightness() -> None:
    color = np.zeros((30, 60, 3), np.uint8)
    color[:] = np.linspace(120, 220, 60).astype(np.uint8)[None, :, None] * np.array([1, 0.5, 0.4])
    color[:, 25:] = color[:, 45:46]  # the paint; its shade lies left
    regions = np.ones((30, 60), np.int32)
    picture = Picture("shaded", color, np.full((30, 60), 255, np.uint8), regions)
    fresh = recolor([picture], np.random.default_rng(3))[0].paint
    lightness = rgb_to_lab(fresh[15].astype(np.float32) / 255)[:, 0]
    assert (np.diff(lightness[:25]) > -0.6).all() and lightness[0] < lightness[30] - 3


def test_a_shade_without_a_line_between_follows_its_paint() -> None:
    color = np.zeros((40, 80, 3), np.uint8)
    color[:, :50], color[:, 50:] = (210, 60, 60), (150, 40, 44)
    regions = np.where(np.arange(80) < 50, 1, 2)[None].repeat(40, 0).astype(np.int32)
    paper = np.full((40, 80), 255, np.uint8)
    lined = paper.copy()
    lined[:, 48:52] = 0

    def hues(line: np.ndarray) -> float:
        picture = Picture("shade", color, line, regions)
        apart = 0.0
        for seed in range(8):
            fresh = recolor([picture], np.random.default_rng(seed))[0].paint
            lab = rgb_to_lab(fresh[20, [10, 70]].astype(np.float32) / 255)
            apart += float(np.hypot(*(lab[0, 1:] - lab[1, 1:])))
        return apart / 8

    assert hues(paper) < 15 < hues(lined)


def test_frames_share_one_palette() -> None:
    frames = procedural.shot(7, 96, 3)
    fresh = recolor(frames, np.random.default_rng(4))
    old, new = ([(tuple(map(int, p.paint[2, 2]))) for p in some] for some in (frames, fresh))
    assert len(set(old)) == 1 and len(set(new)) == 1


def test_colours_without_ink_leave_no_trace_of_the_old_paint() -> None:
    toon = procedural.toon(1, 128, shade=False)
    flat = replace(toon, regions=np.where(toon.areas == 0, 1, toon.areas))
    fresh = recolor([flat], np.random.default_rng(5))[0]
    assert fresh.paint.shape == toon.paint.shape


def test_picture_without_regions_comes_back() -> None:
    photo = procedural.photo(0, 32)
    assert recolor([photo], np.random.default_rng(0))[0] is photo
