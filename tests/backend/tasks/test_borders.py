"""Borders that no line draws: what the network is shown, and what comes of what it says."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the border finder needs PyTorch")
import torch

from backend.imaging.hints import read_hints
from backend.models.borders import BorderFinder
from backend.regions.fill import fill_chambers
from backend.regions.segment import find_chambers
from backend.tasks.borders import SIDE, find_borders


def box(side: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Ink of a box, and hints red on its left and blue on its right, no line between."""
    ink = np.zeros((side, side), np.uint8)
    corner = (side // 8, side // 8)
    cv2.rectangle(ink, corner, (side * 7 // 8, side * 7 // 8), 255, side // 64)
    hints = np.zeros((side, side, 4), np.uint8)
    hints[side // 2 - 4 : side // 2 + 4, side // 4 - 4 : side // 4 + 4] = (200, 30, 40, 255)
    hints[side // 2 - 4 : side // 2 + 4, side // 2 - 4 : side // 2 + 4] = (20, 60, 220, 255)
    return ink, hints


@pytest.fixture
def network() -> BorderFinder:
    torch.manual_seed(0)
    return BorderFinder(width=4).eval()


def test_every_pixel_has_its_share_at_any_size(network):
    for side in (48, 256, 900):
        ink, hints = box(side)
        found = find_borders(network, ink[:, : side // 2], read_hints(hints[:, : side // 2]))
        assert found.shape == (side, side // 2) and found.dtype == np.float32
        assert (found >= 0).all() and (found <= 1).all()


def test_the_network_sees_one_size_and_every_hint(network):
    seen = []
    network.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    for side in (256, 1024):
        ink, hints = box(side)
        find_borders(network, ink, read_hints(hints))
    small, large = (one[0].numpy() for one in seen)
    assert small.shape == large.shape == (5, SIDE, SIDE)
    assert abs(small[0] - large[0]).mean() < 0.02
    for one in (small, large):
        there = one[1] > 0
        colours = {tuple(np.rint(255 * one[2:, y, x]).astype(int)) for y, x in np.argwhere(there)}
        assert colours == {(200, 30, 40), (20, 60, 220)}
        assert not one[2:, ~there].any()


def test_the_order_of_the_channels_changes_nothing(network):
    ink, hints = box()
    turned = read_hints(np.ascontiguousarray(hints[..., [2, 1, 0, 3]]))
    one = find_borders(network, ink, read_hints(hints))
    other = find_borders(network, ink, turned, backwards=True)
    assert (one == other).all()


def test_a_likely_border_parts_the_hints_of_one_closed_area():
    ink, hints = box()
    given = read_hints(hints)
    borders = np.zeros(ink.shape, np.float32)
    borders[:, 170:172] = 0.9  # far from the middle between the hints, which is at 96
    chambers = find_chambers(ink, borders)
    regions = fill_chambers(chambers, given, borders=borders)
    row = regions.colour[regions.label[128]]
    left, right = given.ids[128, 64], given.ids[128, 128]
    assert (row[40:90] == left).all() and (row[110:168] == right).all()
    assert not row[175:215].any()  # no hint has been put beyond the border


def test_a_gap_is_closed_where_a_border_is_likely():
    ink, hints = box()
    ink[105:125, 28:36] = 0  # the box is open on its left
    borders = np.zeros(ink.shape, np.float32)
    borders[103:127, 31:34] = 0.8
    chambers = find_chambers(ink, borders)
    assert len(chambers.strokes) == 1
    (x0, y0), (x1, y1) = sorted(chambers.strokes[0].tolist(), key=lambda point: point[1])
    assert abs(x0 - 32) <= 2 and abs(x1 - 32) <= 2 and y0 <= 107 and y1 >= 122
    only = replace(read_hints(hints), blots=np.where(read_hints(hints).blots == 1, 1, 0))
    regions = fill_chambers(chambers, only, borders=borders)
    assert regions.colour[regions.label[115, 60]] and not regions.colour[regions.label[115, 10]]
