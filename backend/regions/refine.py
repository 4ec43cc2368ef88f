"""From regions at working resolution to every pixel of the drawing, the lines included."""

from __future__ import annotations

import cv2
import numpy as np


def spread_under_ink(label: np.ndarray) -> np.ndarray:
    """Give the pixels without a region (0) the region of the nearest pixel that has one.

    label: (H, W) int32; all 0 stays. Two regions meet on the centre of the line between them, so no
    white fringe shows under anti-aliased ink. What needs no change is returned itself, no copy.
    """
    without = (label == 0).astype(np.uint8)
    if not without.any() or without.all():
        return label
    _, nearest = cv2.distanceTransformWithLabels(
        without, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    region_of = np.zeros(int(nearest.max()) + 1, np.int32)
    known = without == 0
    region_of[nearest[known]] = label[known]
    return region_of[nearest]


def enlarge(label: np.ndarray, ink: np.ndarray, threshold: int) -> np.ndarray:
    """Regions at working resolution -> regions at full size whose edges follow the full-size lines.

    label: (h, w) int32, 0 = ink. ink: (H, W) uint8 full-size ink. threshold: ink from which a
    full-size pixel is line. Returns (H, W) int32, 0 where nothing could be said.
    """
    height, width = ink.shape
    core = label.copy()
    shape = np.ones((3, 3), np.uint8)
    as_float = label.astype(np.float32)
    changes = (cv2.dilate(as_float, shape) != as_float) | (cv2.erode(as_float, shape) != as_float)
    core[changes] = 0  # a working pixel on an edge stands for full-size pixels of both sides
    seeds = cv2.resize(core.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    markers = np.pad(seeds.astype(np.int32), 1)
    # flat paper floods before any step up to ink, so every side of a line fills from its own side
    cv2.watershed(cv2.merge([np.pad(ink, 1, mode="edge")] * 3), markers)
    full = markers[1:-1, 1:-1].copy()
    full[(full < 0) | (ink >= threshold)] = 0
    return full
