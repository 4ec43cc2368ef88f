"""Borders that no line draws: what the network is shown, and what comes of what it says."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the border finder needs PyTorch")
import torch

from backend.imaging.hints import Hints, read_hints
from backend.models.borders import BorderFinder
from backend.regions.borders import Borders
from backend.regions.fill import fill_chambers
from backend.regions.segment import find_chambers
from backend.tasks.borders import SIDE, find_borders, hint_cores


def box(side: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Ink of a box, and hints red on its left and blue on its right, no line between."""
    ink = np.zeros((side, side), np.uint8)
    corner = (side // 8, side // 8)
    cv2.rectangle(ink, corner, (side * 7 // 8, side * 7 // 8), 255, side // 64)
    hints = np.zeros((side, side, 4), np.uint8)
    hints[side // 2 - 4 : side // 2 + 4, side // 4 - 4 : side // 4 + 4] = (200, 30, 40, 255)
    hints[side // 2 - 4 : side // 2 + 4, side // 2 - 4 : side // 2 + 4] = (20, 60, 220, 255)
    return ink, hints


def told(hints: Hints, likely: np.ndarray) -> Borders:
    """Borders of which the network has said only how likely they are."""
    return Borders(likely, np.zeros((*likely.shape, 0), np.float32), hint_cores(hints))


@pytest.fixture
def network() -> BorderFinder:
    torch.manual_seed(0)
    return BorderFinder(width=4).eval()


def test_every_pixel_has_its_share_at_any_size(network):
    for side in (48, 256, 900):
        ink, hints = box(side)
        found = find_borders(network, ink[:, : side // 2], read_hints(hints[:, : side // 2]))
        assert found.likely.shape == (side, side // 2) and found.likely.dtype == np.float32
        assert (found.likely >= 0).all() and (found.likely <= 1).all()
        assert found.embedding.shape == (side, side // 2, 8)


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
    assert (one.likely == other.likely).all() and (one.embedding == other.embedding).all()


def test_of_a_mark_the_network_sees_the_core():
    hints = np.zeros((256, 256, 4), np.uint8)
    cv2.circle(hints, (60, 60), 4, (200, 30, 40, 255), -1)
    cv2.circle(hints, (160, 160), 60, (20, 60, 220, 255), -1)
    hints[10, 10] = (1, 2, 3, 255)
    core = hint_cores(read_hints(hints))
    assert core[60, 60] and 1 < core[50:70, 50:70].sum() < (hints[50:70, 50:70, 3] > 0).sum() / 2
    assert core[160, 160] and core[100:221, 100:221].sum() < 40  # no disc as large as its area
    assert core[10, 10] and not core[hints[..., 3] == 0].any()


def test_no_border_crosses_a_hint(network):
    ink, hints = box()
    given = read_hints(hints)
    assert not find_borders(network, ink, given).likely[given.ids > 0].any()


def test_a_likely_border_parts_the_hints_of_one_closed_area():
    ink, hints = box()
    given = read_hints(hints)
    likely = np.zeros(ink.shape, np.float32)
    likely[:, 170:172] = 0.9  # far from the middle between the hints, which is at 96
    borders = told(given, likely)
    chambers = find_chambers(ink, borders)
    regions = fill_chambers(chambers, given, borders=borders)
    row = regions.colour[regions.label[128]]
    left, right = given.ids[128, 64], given.ids[128, 128]
    assert (row[40:90] == left).all() and (row[110:168] == right).all()
    assert not row[175:215].any()  # no hint has been put beyond the border


def test_hints_share_an_area_by_what_is_like_them():
    ink, hints = box()
    given = read_hints(hints)
    left, right = given.ids[128, 64], given.ids[128, 128]
    embedding = np.zeros((*ink.shape, 8), np.float32)
    even = replace(told(given, np.zeros(ink.shape, np.float32)), embedding=embedding)
    unlike = replace(even, embedding=np.where(np.arange(256)[:, None] >= 80, 2.0, embedding))
    rows = []
    for borders in (even, unlike):
        regions = fill_chambers(find_chambers(ink), given, borders=borders)
        rows.append(regions.colour[regions.label[100]])
        assert (rows[-1][36:70] == left).all() and (rows[-1][100:220] == right).all()
    assert (rows[0][86:92] == left).all() and (rows[1][86:92] == right).all()


def test_a_gap_is_closed_where_a_border_is_likely():
    ink, hints = box()
    ink[105:125, 28:36] = 0  # the box is open on its left
    likely = np.zeros(ink.shape, np.float32)
    likely[103:127, 31:34] = 0.8
    borders = told(read_hints(hints), likely)
    chambers = find_chambers(ink, borders)
    assert len(chambers.strokes) == 1
    (x0, y0), (x1, y1) = sorted(chambers.strokes[0].tolist(), key=lambda point: point[1])
    assert abs(x0 - 32) <= 2 and abs(x1 - 32) <= 2 and y0 <= 107 and y1 >= 122
    only = replace(read_hints(hints), blots=np.where(read_hints(hints).blots == 1, 1, 0))
    regions = fill_chambers(chambers, only, borders=borders)
    assert regions.colour[regions.label[115, 60]] and not regions.colour[regions.label[115, 10]]


def test_a_crumb_within_a_closed_gap_is_not_left_white():
    ink, hints = box()
    likely = np.zeros(ink.shape, np.float32)
    likely[:, 88:97] = 0.9
    likely[126:129, 91:94] = 0.0
    cv2.rectangle(ink, (196, 126), (200, 130), 255, 1)  # as small, but of lines
    given = read_hints(hints)
    borders = told(given, likely)
    regions = fill_chambers(find_chambers(ink, borders), given, borders=borders)
    assert (regions.label[126:129, 91:94] == 0).all()  # it follows what is beside it, as lines do
    between_lines = regions.label[128, 198]
    assert between_lines and not regions.colour[between_lines]
