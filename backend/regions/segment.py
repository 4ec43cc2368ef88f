"""Chambers of a drawing: the areas that lines close, or nearly close."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.lines import ink_mask
from backend.regions.basins import find_basins
from backend.regions.borders import Borders
from backend.regions.gaps import REACH, close_gaps, draw

# a narrower place than this share of the smaller chamber's depth is a gap; the foot of an open
# corner has 0.707 of it
NECK = 0.65
WALL = 0.5  # a border that is as likely closes a gap
FIRM = 0.8  # ... that no hint crosses
LIKELY = 0.15  # ... and what carries on a loose end, from here on
SPECK = 4  # pixels; smaller walls close nothing
PLACES = (0.3, 0.5, 0.7)  # shares of a closure's length at which its sides are looked at ...
ASIDE = (3, 4, 5)  # ... pixels from it, past its own width


@dataclass(frozen=True)
class Chambers:
    """The free areas of a drawing at working resolution.

    label: (H, W) int32, 0 on ink and closures, chambers from 1. depth: (H, W) float32 distance to
    the nearest ink in pixels. area, peak: by chamber. necks: (N, 3) chamber, other, half width of
    the gap between them in pixels. links: (N, 2) chambers that only a closed gap parts. strokes:
    the closures of gaps, (N, 2) x, y each. walls: (H, W) bool, all that closes off the ink.
    firm: (H, W) bool, what of them no hint crosses.
    """

    label: np.ndarray
    depth: np.ndarray
    area: np.ndarray
    peak: np.ndarray
    necks: np.ndarray
    links: np.ndarray
    strokes: list[np.ndarray]
    walls: np.ndarray
    firm: np.ndarray


def find_chambers(
    ink: np.ndarray,
    borders: Borders | None = None,
    strokes: list[np.ndarray] | None = None,
) -> Chambers:
    """ink: (H, W) uint8 cleaned ink (see ``imaging.lines.clean_ink``).

    borders: at its size; without them loose ends of lines alone tell which gaps are closed.
    strokes: of `close_gaps`, where they are known.
    """
    solid = ink_mask(ink)
    strokes = close_gaps(solid) if strokes is None else strokes
    strokes, walls, firm = _closures(solid, borders, strokes)
    free = (~solid & ~walls).astype(np.uint8)
    depth = (
        cv2.distanceTransform(free, cv2.DIST_L2, 5)
        if not free.all()
        else np.full(free.shape, float(max(free.shape)), np.float32)
    )
    found = find_basins(depth, NECK)
    necks = _widest(found.first, found.second, found.saddle)
    links = _beside(found.label, strokes if borders is None else [])
    return Chambers(found.label, depth, found.area, found.peak, necks, links, strokes, walls, firm)


def _closures(
    solid: np.ndarray, borders: Borders | None, strokes: list[np.ndarray]
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """``strokes``, ``walls`` and ``firm`` of the `Chambers`, off the ``solid`` ink, (H, W) bool.

    strokes: of `close_gaps`; borders decide over them.
    """
    walls = draw(strokes, solid.shape) & ~solid if strokes else np.zeros_like(solid)
    if borders is None:
        return strokes, walls, np.zeros_like(solid)
    walls = ((borders.likely >= WALL) | (walls & (borders.likely >= LIKELY))) & ~solid
    return _gaps(walls, solid), walls, (borders.likely >= FIRM) & ~solid


def _gaps(walls: np.ndarray, solid: np.ndarray) -> list[np.ndarray]:
    """The walls (H, W) that carry on lines (H, W), as (2, 2) x, y; longer ones carry on none."""
    count, part, stats, _ = cv2.connectedComponentsWithStats(walls.astype(np.uint8), connectivity=8)
    beside = np.bincount(part[cv2.dilate(solid.astype(np.uint8), np.ones((3, 3))) > 0], None, count)
    longest = REACH * max(walls.shape)
    found = []
    for number in range(1, count):
        x, y, width, height, size = stats[number].tolist()
        if not beside[number] or size < SPECK or max(width, height) > longest:
            continue
        ys, xs = np.nonzero(part[y : y + height, x : x + width] == number)
        points = np.column_stack([xs + x, ys + y]).astype(np.float64)
        along = np.linalg.svd(points - points.mean(0), full_matrices=False)[2][0]
        far = points @ along
        found.append(points[[far.argmin(), far.argmax()]])
    return found


def _widest(first: np.ndarray, second: np.ndarray, saddle: np.ndarray) -> np.ndarray:
    """One row a pair of chambers: the widest place where they meet."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    apart = low != high
    low, high, saddle = low[apart], high[apart], saddle[apart]
    if not len(low):
        return np.zeros((0, 3))
    order = np.lexsort((-saddle, high, low))
    low, high, saddle = low[order], high[order], saddle[order]
    new = np.ones(len(low), bool)
    new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return np.column_stack([low[new], high[new], saddle[new]])


def _beside(label: np.ndarray, strokes: list[np.ndarray]) -> np.ndarray:
    """Pairs of chambers that lie on the two sides of a closure."""
    height, width = label.shape
    pairs = set()
    for stroke in strokes:
        along = stroke[-1] - stroke[0]
        length = float(np.hypot(*along))
        if length == 0:
            continue
        side = np.array([-along[1], along[0]]) / length
        for share in PLACES:
            centre = stroke[min(len(stroke) - 1, round(share * (len(stroke) - 1)))]
            if len(stroke) == 2:
                centre = stroke[0] + share * along
            both = []
            for sign in (-1, 1):
                for distance in ASIDE:
                    x, y = np.rint(centre + sign * distance * side).astype(int)
                    if 0 <= x < width and 0 <= y < height and label[y, x]:
                        both.append(int(label[y, x]))
                        break
            if len(both) == 2 and both[0] != both[1]:
                pairs.add((min(both), max(both)))
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)
