"""The ground around a figure that is open towards it: which hints have leaked, and which not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from backend.imaging.compiled import compiled
from backend.imaging.hints import Hints
from backend.regions.areas import BACKGROUND, Areas
from backend.regions.segment import Chambers

SHALLOW = 0.5  # hints at less than this share of a chamber's depth may have leaked into it
ENCLOSED = 0.55  # share of directions in which a line stands between a hint and the canvas border
DIRECTIONS = 48
STRETCH = BACKGROUND / 2  # share of the canvas border; in a shorter piece a figure may end
AROUND = 0.6  # share of the canvas border that the ground around a figure has at least


def seed_ground(
    areas: Areas, seeds: np.ndarray, hints: Hints, contact: np.ndarray
) -> tuple[Hints, int]:
    """Let the ground hold its own where a figure is open towards it.

    seeds: (H, W) int32 marks. contact: as `border_contact`, by chamber. The ground is the area with
    most of the canvas border. Where marks reach it from inside a figure, it is seeded far from
    lines (in place): with the colour of the marks outside of figures, or, where nobody has put one,
    with no colour, which is one more than there are. So are other chambers at the canvas border
    whose hints all lie far from their middle. Returns the hints and the ground's chamber, 0 if none
    is hinted.
    """
    if not seeds.any():
        return hints, 0
    chambers = areas.chambers
    inside = cv2.distanceTransform(np.pad(chambers.label > 0, 1).astype(np.uint8), cv2.DIST_L2, 5)
    inside = inside[1:-1, 1:-1]  # unlike the chambers' depth: the canvas border is a wall
    held = _hold_widest(areas, seeds, hints, contact, inside)
    return held or _hold_hinted(areas, seeds, hints, contact, inside)


def _hold_widest(
    areas: Areas, seeds: np.ndarray, hints: Hints, contact: np.ndarray, inside: np.ndarray
) -> tuple[Hints, int] | None:
    """`seed_ground` where marks inside a figure have leaked into the area around it, else None.

    inside: (H, W) distance to lines and border.
    """
    chambers = areas.chambers
    widest = int(np.argmax(contact))
    closed = areas.closed == areas.closed.ravel()[np.argmax(chambers.label == widest)]
    of_ground = closed & (contact > 0)[chambers.label]
    perimeter = 2 * sum(chambers.label.shape)
    if contact[np.unique(chambers.label[of_ground])].sum() < AROUND * perimeter:
        return None
    leaked, outside = _marks(chambers, np.where(closed, seeds, 0))
    tints = np.unique(hints.colour_of_blot[outside])
    if not len(leaked) or len(tints) > 1:
        return None
    tint = int(tints[0]) if len(tints) else len(hints.colours) + 1
    where = _in_the_open(chambers, of_ground, inside, np.isin(seeds, leaked))
    return _with_seed(seeds, hints, where, tint), widest


def _hold_hinted(
    areas: Areas, seeds: np.ndarray, hints: Hints, contact: np.ndarray, inside: np.ndarray
) -> tuple[Hints, int]:
    """`seed_ground` with the chamber at the canvas border whose own hints lie far from lines."""
    chambers = areas.chambers
    at = np.flatnonzero(seeds)
    perimeter = 2 * sum(chambers.label.shape)
    peak = np.zeros(len(contact), np.float32)
    np.maximum.at(peak, chambers.label.ravel(), inside.ravel())
    # what has leaked lies near lines; near the canvas border alone nothing has
    chamber, depth = chambers.label.ravel()[at], chambers.depth.ravel()[at]
    deepest = np.zeros(len(contact), np.float32)
    np.maximum.at(deepest, chamber, depth)
    own = (deepest >= SHALLOW * peak) & (contact > 0) & (deepest > 0)
    if not own.any() or contact[own].max() < BACKGROUND * perimeter:
        return hints, 0
    ground = int(np.argmax(np.where(own, contact, 0)))
    best = at[np.argmax(np.where(chamber == ground, depth, -1))]
    tint = int(hints.colour_of_blot[seeds.ravel()[best]])
    open_to = (contact >= BACKGROUND / 2 * perimeter) & (deepest > 0) & (deepest < SHALLOW * peak)
    # a bust that fills the lower border is not the ground of what is larger and closed to it
    joined = np.unique(chambers.label[areas.closed == areas.closed.ravel()[best]])
    open_to &= np.isin(np.arange(len(contact)), joined) | (contact < contact[ground])
    if not open_to.any():
        return hints, ground
    middle = open_to[chambers.label] & (inside >= SHALLOW * peak[chambers.label])
    return _with_seed(seeds, hints, middle, tint), ground


def _marks(chambers: Chambers, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of marks (H, W) int32 those inside a figure, and those outside."""
    at = np.flatnonzero(marks)
    at = at[np.argsort(chambers.depth.ravel()[at], kind="stable")]
    deepest = dict(zip(marks.ravel()[at].tolist(), at.tolist(), strict=True))
    lined = chambers.label == 0
    is_inside = _enclosed(lined, deepest.values())
    found = np.array(list(deepest), np.int64)
    return found[is_inside], found[~is_inside]


def _enclosed(lined: np.ndarray, places: Iterable[int]) -> np.ndarray:
    """(N,) bool: whether lines stand around each place, an index into all pixels."""
    angle = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    at = np.fromiter(places, np.int64)
    return _lines_met(lined, at, np.sin(angle), np.cos(angle)) >= ENCLOSED * DIRECTIONS


@compiled
def _lines_met(
    lined: np.ndarray, places: np.ndarray, down: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """(N,) in how many directions, unit vectors, a line stands before the canvas ends."""
    height, width = lined.shape
    met = np.zeros(len(places), np.int64)
    for n in range(len(places)):
        y, x = places[n] // width, places[n] % width
        for k in range(len(down)):
            far = 0
            while True:
                far += 1
                yy, xx = int(np.rint(y + down[k] * far)), int(np.rint(x + right[k] * far))
                if yy < 0 or xx < 0 or yy >= height or xx >= width:
                    break
                if lined[yy, xx]:
                    met[n] += 1
                    break
    return met


def _in_the_open(
    chambers: Chambers, of_ground: np.ndarray, inside: np.ndarray, leaked: np.ndarray
) -> np.ndarray:
    """(H, W) bool: the ground along the canvas border, and its middles that are clearly outside.

    inside: (H, W) distance to lines and border. leaked: (H, W) bool, marks inside a figure.
    """
    deep = of_ground & (inside >= SHALLOW * inside[of_ground].max())
    count, middle = cv2.connectedComponents(deep.astype(np.uint8), connectivity=4)
    at = np.flatnonzero(middle)
    at = at[np.argsort(inside.ravel()[at], kind="stable")]
    deepest = np.zeros(count, np.int64)
    deepest[middle.ravel()[at]] = at  # of several the last stays
    lined = chambers.label == 0
    is_open = np.append(False, ~_enclosed(lined, deepest[1:].tolist()))
    is_open[middle[leaked]] = False
    return (is_open[middle] | long_stretches(of_ground)) & ~leaked


def long_stretches(ground: np.ndarray) -> np.ndarray:
    """(H, W) bool: where the canvas border lies in the ground for long enough."""
    frame = np.zeros(ground.shape, np.uint8)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        frame[edge] = ground[edge]
    _, stretch, stats, _ = cv2.connectedComponentsWithStats(frame, connectivity=8)
    is_long = stats[:, cv2.CC_STAT_AREA] >= STRETCH * 2 * sum(ground.shape)
    is_long[0] = False
    return np.asarray(is_long[stretch])


def _with_seed(seeds: np.ndarray, hints: Hints, where: np.ndarray, tint: int) -> Hints:
    """One more mark (in place), and its colour."""
    seeds[where] = len(hints.colour_of_blot)
    return replace(hints, colour_of_blot=np.append(hints.colour_of_blot, tint))
