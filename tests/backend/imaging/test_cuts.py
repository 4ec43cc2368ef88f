"""Cuts in films of line art: movement is none, other lines are one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.imaging.cuts import SIDE, find_cuts, likeness, summarise


def drawing(seed: int, shift: int = 0, size: int = 200) -> np.ndarray:
    """(size, size) uint8: some rings and sticks, all moved by ``shift`` pixels."""
    rng = np.random.default_rng(seed)
    pixels = np.full((size, size), 255, np.uint8)
    for _ in range(4):
        x, y, x2, y2 = rng.integers(30, size - 50, 4).tolist()
        cv2.circle(pixels, (x + shift, y), int(rng.integers(8, 30)), 0, 3)
        cv2.line(pixels, (x + shift, y), (x2 + shift, y2), 0, 3)
    return pixels


def film(*shots: tuple[int, int]) -> list[np.ndarray | None]:
    """Summaries of shots (seed, frames), each moving by 4 pixels a frame."""
    return [summarise(drawing(seed, 4 * n)) for seed, count in shots for n in range(count)]


def test_shots_are_found_where_they_begin() -> None:
    assert find_cuts(film((1, 6), (2, 5), (3, 2), (4, 6))) == [6, 11, 13]


def test_movement_is_no_cut() -> None:
    assert find_cuts(film((1, 9))) == []
    assert likeness(*film((1, 1)), summarise(drawing(1, 16))) > 0.8  # type: ignore[arg-type]


def test_where_all_is_in_motion_nothing_is_cut() -> None:
    turning = drawing(1)
    frames = []
    for n in range(8):
        turn = cv2.getRotationMatrix2D((100, 100), 35 * n, 1)
        frames.append(summarise(cv2.warpAffine(turning, turn, (200, 200), borderValue=255)))
    assert find_cuts(frames) == []


def test_a_frame_without_lines_begins_no_shot() -> None:
    blank = summarise(np.full((64, 64), 255, np.uint8))
    assert blank is None
    first, second = film((1, 4)), film((2, 4))
    assert find_cuts([None, *first, blank, *first, blank, *second]) == [11]
    assert find_cuts([]) == find_cuts([blank]) == find_cuts([blank, first[0]]) == []


@pytest.mark.parametrize("width", [200, 80])
def test_ink_on_a_transparent_ground_is_the_same_drawing(width: int) -> None:
    grey = drawing(1)[:, :width]
    ink = np.zeros((*grey.shape, 4), np.uint8)
    ink[..., 3] = 255 - grey
    first, second = summarise(grey), summarise(ink)
    assert first is not None and second is not None
    assert first.shape == (SIDE, SIDE)
    assert likeness(first, second) == pytest.approx(1, abs=1e-4)
