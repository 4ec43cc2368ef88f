"""Where paints meet under a line: not always in its middle, and a coloured frame shows where.

Lines that come from somewhere else than the colours, a scan or a tracing, may lie beside them by a
pixel. In a narrow area that is a tenth of all its pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from .colored import PaintedAreas
from .refine import spread_under_ink

REACH = 2  # pixels; lines that are further off are no lines of these colours
NEAR = 6  # of 255: a pixel with a paint as near has that paint
PAINTED = 0.3  # share of the pixels under seams that have a paint, or the frame shows its lines
AGREE = 0.8  # share of them that have to be right
GAIN = 0.03  # ... and how many more of them, or the middle is as good


def find_seam(painted: PaintedAreas, color: np.ndarray, ink: np.ndarray) -> tuple[int, int]:
    """How far (x, y) in pixels paints meet from the middle of the lines between them.

    painted: the areas of a coloured frame beside its lines. color: (H, W, 3) uint8, the frame
    itself. ink: (H, W) bool, its lines. (0, 0) where nothing better is sure.
    """
    # areas end at their edges; up to the lines they go on
    label = np.where(ink, 0, spread_under_ink(painted.label)).astype(np.int32)
    paint = painted.paint[spread_under_ink(label)].astype(np.float32)
    around = np.ones((2 * REACH + 3, 2 * REACH + 3), np.uint8)
    ys, xs = np.nonzero(ink & (cv2.dilate(paint, around) != cv2.erode(paint, around)))
    if not len(ys) or paint.min() < 0:
        return 0, 0
    steps = range(-REACH, REACH + 1)
    seams = [(x, y) for x in steps for y in steps]
    framed = np.pad(paint.astype(np.int32), REACH, mode="edge")
    true = color[ys, xs].astype(int)
    apart = np.empty((len(seams), len(ys)), int)
    for number, (x, y) in enumerate(seams):
        moved = painted.palette[framed[ys - y + REACH, xs - x + REACH]]
        apart[number] = np.abs(moved - true).max(axis=1)
    nearest = apart.min(axis=0)
    if (nearest <= NEAR).mean() < PAINTED:
        return 0, 0
    # where edges are soft, the pixels between two paints are as near to one as they can be
    right = dict(zip(seams, (apart <= nearest + NEAR).mean(axis=1), strict=True))
    best = max(seams, key=lambda seam: (right[seam], -abs(seam[0]) - abs(seam[1])))
    return best if right[best] >= max(AGREE, right[0, 0] + GAIN) else (0, 0)


def spread_to_seams(label: np.ndarray, seam: tuple[int, int]) -> np.ndarray:
    """`spread_under_ink` of (H, W) int32 so that two regions meet ``seam`` from the middle."""
    spread = spread_under_ink(label)
    if seam == (0, 0):
        return spread
    x, y = seam
    height, width = label.shape
    rows = np.clip(np.arange(height) - y, 0, height - 1)
    columns = np.clip(np.arange(width) - x, 0, width - 1)
    return np.where(label == 0, spread[rows[:, None], columns], spread)
