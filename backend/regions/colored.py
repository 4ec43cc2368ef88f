"""Areas of one paint in a finished picture: what a reference or a key frame is made of."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FLAT = 6  # of 255: pixels whose neighbours differ less belong to one area, however soft its shading
SAME_PAINT = 3.0  # largest distance in CIELAB between areas of one paint
LEAST_AREA = 5e-5  # share of the picture; smaller specks are no areas
INK = 90  # of 255: paint darker than this may be ink ...
INK_HALF_WIDTH = 0.012  # ... where it is nowhere thicker than this share of the longest side
MOST_AREAS = 1024


@dataclass(frozen=True)
class PaintedAreas:
    """label: (H, W) int32, 0 = ink and edges, areas from 1. palette: (P, 3) uint8 RGB.

    paint: (n_areas + 1,) int32 index into the palette, -1 for label 0.
    """

    label: np.ndarray
    palette: np.ndarray
    paint: np.ndarray


def find_painted_areas(color: np.ndarray, ink: np.ndarray | None = None) -> PaintedAreas:
    """Areas of (H, W, 3) uint8 RGB.

    ink: (H, W) bool, where the lines are known; without it thin dark areas count as lines. At most
    ``MOST_AREAS`` areas, the largest. A paint is the commonest colour of its largest area, so flat
    colours come back exactly.
    """
    flat = _flat(color)
    if ink is not None:
        flat &= ~ink
    count, label, stats, _ = cv2.connectedComponentsWithStats(flat.astype(np.uint8), connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    area[0] = 0
    kept = area >= max(4, LEAST_AREA * label.size)
    if ink is None:
        kept &= ~_thin_and_dark(color, label, count)
    if kept.sum() > MOST_AREAS:
        kept[np.argsort(-area * kept, kind="stable")[MOST_AREAS:]] = False
    number = np.zeros(count, np.int32)
    number[kept] = np.arange(1, int(kept.sum()) + 1)
    label = number[label]
    colors = _commonest(color, label, int(kept.sum()))
    palette, paint = _paints(colors, area[kept])
    return PaintedAreas(label, palette, np.concatenate([[-1], paint]).astype(np.int32))


def paint_regions(
    color: np.ndarray, label: np.ndarray, areas: PaintedAreas
) -> tuple[PaintedAreas, PaintedAreas]:
    """Known regions, (H, W) int32 from 1, 0 = lines, each in its commonest colour.

    areas: of the same picture, finer than the regions where one has several paints. Returns the
    regions and the areas in one palette.
    """
    count = int(label.max())
    size = np.bincount(label.ravel(), minlength=count + 1)[1:]
    colors = np.zeros((count, 3), np.uint8)
    colors[size > 0] = _commonest(color, label, count)
    fine = np.bincount(areas.label.ravel(), minlength=len(areas.paint))[1:]
    palette, paint = _paints(
        np.concatenate([colors, areas.palette[areas.paint[1:]]]), np.concatenate([size, fine])
    )
    own, other = (
        np.concatenate([[-1], part]).astype(np.int32) for part in (paint[:count], paint[count:])
    )
    return PaintedAreas(label, palette, own), PaintedAreas(areas.label, palette, other)


def _flat(color: np.ndarray) -> np.ndarray:
    """(H, W) bool: no neighbour in 3 x 3 differs by more than ``FLAT`` in any channel."""
    kernel = np.ones((3, 3), np.uint8)
    spread = cv2.dilate(color, kernel) - cv2.erode(color, kernel)
    return spread.max(axis=2) <= FLAT


def _thin_and_dark(color: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    """(count,) bool: areas that look like pieces of a line."""
    depth = cv2.distanceTransform((label > 0).astype(np.uint8), cv2.DIST_L2, 5)
    deepest = np.zeros(count, np.float32)
    np.maximum.at(deepest, label.ravel(), depth.ravel())
    total = np.bincount(label.ravel(), color.max(axis=2).ravel(), count)
    bright = total / np.maximum(1, np.bincount(label.ravel(), minlength=count))
    return (bright < INK) & (deepest < INK_HALF_WIDTH * max(label.shape))


def _commonest(color: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    """(count, 3) uint8: the colour that most pixels of each area have."""
    if not count:
        return np.zeros((0, 3), np.uint8)
    at = np.flatnonzero(label)
    rgb = color.reshape(-1, 3)[at].astype(np.int64)
    key = (label.ravel()[at].astype(np.int64) << 24) | (rgb @ np.array([1 << 16, 1 << 8, 1]))
    keys, votes = np.unique(key, return_counts=True)
    order = np.lexsort((votes, keys >> 24))
    keys = keys[order]
    last = np.flatnonzero(np.append(np.diff(keys >> 24) > 0, True))
    packed = keys[last]
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], 1).astype(np.uint8)


def _paints(colors: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours of areas grouped, the largest first: palette (P, 3) and its index by area."""
    if not len(colors):
        return colors, np.zeros(0, np.int32)
    lab = cv2.cvtColor((colors[None] / np.float32(255)), cv2.COLOR_RGB2LAB)[0]
    paint = np.full(len(colors), -1, np.int32)
    palette: list[np.ndarray] = []
    for first in np.argsort(-area, kind="stable"):
        if paint[first] >= 0:
            continue
        near = (np.linalg.norm(lab - lab[first], axis=1) < SAME_PAINT) & (paint < 0)
        paint[near] = len(palette)
        palette.append(colors[first])
    return np.array(palette, np.uint8).reshape(-1, 3), paint
