"""Edges of pieces, where a network sees them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.hints import Hints
from backend.regions.borders import Borders
from backend.regions.settle import SIDE, settle

BOX, SKIN, SHADE, SLIVER = 1, 2, 3, 4
COLOUR = np.array([0, 1, 2, 3, 1], np.int32)  # by region; the sliver has that of the other box
EDGE = 300  # column from which the network sees the shade
NONE = np.zeros((SIDE, SIDE), np.int32)
INK = np.zeros((SIDE, SIDE), np.uint8)
PAINTS = Hints(NONE, np.zeros((3, 4), np.uint8), NONE, np.zeros(1, np.int32))


@pytest.fixture
def whole() -> np.ndarray:
    """Two boxes of the same size, one above the other, parted by a line."""
    label = np.zeros((SIDE, SIDE), np.int32)
    label[20:250, 20:490] = BOX
    label[260:490, 20:490] = SKIN
    return label


@pytest.fixture
def label(whole: np.ndarray) -> np.ndarray:
    """... the lower one with a shade that ends too far on the left, and a thin sliver."""
    label = whole.copy()
    label[260:490, EDGE - 6 : 490] = SHADE
    label[300:304, 60:120] = SLIVER
    return label


@pytest.fixture
def owner(whole: np.ndarray) -> np.ndarray:
    return np.where(whole == SKIN, SKIN, 0).astype(np.int32)


def told(ink: np.ndarray, hints: Hints) -> Borders:
    """A network that is sure of one column."""
    likely = np.zeros(ink.shape, np.float32)
    likely[:, EDGE - 1 : EDGE + 1] = 1
    return Borders(likely, np.zeros((*ink.shape, 1), np.float32), hints.ids > 0)


def test_an_edge_goes_to_the_border_and_a_sliver_to_what_is_beside_it(whole, owner, label):
    upper = label[:255].copy()
    settle(INK, owner, label, COLOUR, PAINTS, told)
    assert (label[260:490, 20 : EDGE - 1] == SKIN).all()
    assert (label[260:490, EDGE + 1 : 490] == SHADE).all()
    assert (label[:255] == upper).all()
    assert (label[whole == 0] == 0).all()


def test_the_network_is_shown_what_pieces_surely_are(owner, label):
    seen = []

    def asked(ink: np.ndarray, hints: Hints) -> Borders:
        seen.append(hints)
        return told(ink, hints)

    before = label.copy()
    settle(INK, owner, label, COLOUR, PAINTS, asked)
    (hints,) = seen
    assert hints.ids[375, 100] == COLOUR[SKIN]
    assert hints.ids[375, 400] == COLOUR[SHADE]
    assert not hints.ids[before == SLIVER].any()
    assert not hints.ids[375, EDGE - 8 : EDGE - 4].any()  # where the edge is not sure
    assert set(hints.colour_of_blot[hints.blots[hints.ids > 0]]) == {1, 2, 3}


def test_an_area_of_one_colour_and_slivers_stays_as_it_is(whole, owner):
    label = whole.copy()
    label[300:304, 60:120] = SLIVER
    before = label.copy()
    settle(INK, owner, label, COLOUR, PAINTS, told)
    assert (label == before).all()


def test_size_does_not_matter(owner, label):
    big = cv2.resize(label, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    settle(INK, owner, label, COLOUR, PAINTS, told)
    twice = cv2.resize(owner, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)

    def told_twice(ink: np.ndarray, hints: Hints) -> Borders:
        likely = np.zeros(ink.shape, np.float32)
        likely[:, 2 * EDGE - 2 : 2 * EDGE + 2] = 1
        return Borders(likely, np.zeros((*ink.shape, 1), np.float32), hints.ids > 0)

    settle(np.zeros_like(big, np.uint8), twice, big, COLOUR, PAINTS, told_twice)
    assert (big[::2, ::2] != label).mean() < 0.005
