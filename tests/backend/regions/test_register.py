"""Laying one drawing onto another by its lines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.regions.register import SIDE, lay


def figure(shift: tuple[int, int] = (0, 0), *, arms: bool = True) -> np.ndarray:
    """(SIDE, SIDE) uint8 ink of a head, a body and two arms, moved by ``shift``."""
    ink = np.zeros((SIDE, SIDE), np.uint8)
    x, y = SIDE // 2 + shift[0], SIDE // 2 + shift[1]
    cv2.circle(ink, (x, y - 110), 60, 255, 4)
    cv2.rectangle(ink, (x - 70, y - 50), (x + 70, y + 130), 255, 4)
    if arms:
        cv2.line(ink, (x - 70, y - 20), (x - 140, y + 60), 255, 4)
        cv2.line(ink, (x + 70, y - 20), (x + 140, y + 60), 255, 4)
    return ink


@pytest.mark.parametrize("shift", [(0, 0), (7, -5), (-12, 9)])
def test_a_moved_drawing_is_found_where_it_has_gone(shift: tuple[int, int]) -> None:
    laid = lay(figure(), figure(shift))
    at = figure() > 0
    here = np.dstack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    moved = laid.places - here
    assert np.abs(np.median(moved[at], axis=0) - shift).max() < 1
    assert laid.trust[at].mean() > 0.95


def test_what_has_no_fellow_is_not_trusted() -> None:
    laid = lay(figure(), figure(arms=False))
    x, y = SIDE // 2, SIDE // 2
    assert laid.trust[y - 110, x - 60] > 0.95
    assert laid.trust[y + 40, x - 122] < 0.6


def test_labels_are_carried_along() -> None:
    shift = (9, 6)
    label = np.zeros((SIDE, SIDE), np.int32)
    label[:, SIDE // 2 + shift[0] :] = 3
    carried = lay(figure(), figure(shift)).carry(label)
    row = SIDE // 2 - 60
    assert carried[row, SIDE // 2 + 4] == 3
    assert carried[row, SIDE // 2 - 4] == 0
