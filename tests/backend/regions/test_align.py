from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.regions.align import align, likeness, turn

SIDE = 192


def figure() -> np.ndarray:
    """(SIDE, SIDE) float32: a figure that is neither its own mirror image nor round."""
    ink = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(ink, (80, 60), 30, 255, 2)
    cv2.rectangle(ink, (60, 90), (110, 160), 255, 2)
    cv2.line(ink, (110, 100), (150, 70), 255, 2)
    cv2.circle(ink, (70, 55), 5, 255, 2)
    return ink.astype(np.float32) / 255


def placed(ink: np.ndarray, scale: float, right: float, down: float, mirrored: bool) -> np.ndarray:
    """The figure smaller or larger, somewhere else in its square."""
    shown = np.ascontiguousarray(ink[:, ::-1]) if mirrored else ink
    move = np.float32([[scale, 0, right], [0, scale, down]])
    return cv2.warpAffine(shown, move, (SIDE, SIDE), flags=cv2.INTER_AREA)


@pytest.mark.parametrize(
    ("scale", "right", "down", "mirrored"),
    [(1, 0, 0, False), (0.7, 40, 12, False), (0.7, 30, 5, True), (1.2, -25, -20, True)],
)
def test_a_figure_is_found_wherever_it_stands(scale, right, down, mirrored):
    found = align(placed(figure(), scale, right, down, mirrored), figure())
    assert found.mirrored is mirrored
    assert found.side == pytest.approx(1 / scale, abs=0.02)
    assert found.left * SIDE == pytest.approx(-right / scale, abs=4)
    assert found.top * SIDE == pytest.approx(-down / scale, abs=4)


@pytest.mark.parametrize("angle", [-150, -37, 25, 90, 180])
def test_a_figure_is_found_however_it_is_turned(angle):
    wide = cv2.copyMakeBorder(figure(), *(4 * [SIDE // 4]), cv2.BORDER_CONSTANT)
    middle = (SIDE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), angle, 1)
    found = turn(cv2.warpAffine(figure(), matrix, (SIDE, SIDE)), wide, 1.5)
    assert (found.turn - angle + 180) % 360 - 180 == pytest.approx(0, abs=2)
    assert (found.left, found.top) == pytest.approx((1 / 6, 1 / 6), abs=0.02)
    assert found.side == pytest.approx(1 / 1.5)


def test_a_drawing_is_likest_itself_and_blank_paper_is_like_nothing():
    ink = figure()
    assert likeness(ink, ink) == pytest.approx(2, abs=1e-4)
    assert likeness(ink, placed(ink, 1, 25, 0, False)) < 1
    assert likeness(ink, np.zeros_like(ink)) == 0
    assert align(ink, np.zeros_like(ink)) is not None
