"""Gaps in line art: loose ends of strokes and the strokes that would close them.

All distances are shares of the drawing's longest side, so that one drawing gives the same closures
at every resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from skimage.morphology import skeletonize

REACH = 0.1  # farthest end that a loose end may meet
REACH_INK = 0.055  # farthest line that a loose end may run into
LOOK_BACK = 0.06  # length of stroke that tells where a loose end is heading
NEAR_TIP = 0.02  # ... of which this much tells how wide it is, and is enough where it is short
LEAST_FACING = -0.3  # cosine between an end's heading and the way to the other end
LEAST_SUM = 0.2  # of both ends' cosines, unless they touch
TOUCHING = 0.17  # of the farthest end: ends whose strokes are as near as this
DEAREST = 1.6  # of the farthest end: what a pair may cost
TURN = 1.5  # cost of a pair, in its length, for each cosine that its ends turn away from each other
FAN = range(-50, 51, 10)  # degrees from its heading in which a loose end looks for a line
FAN_COST = (1.5, 2.0)  # a line is dearer than an end as far away, and more so beside the heading
SPUR = 1.0  # a branch shorter than this many half widths is a corner of a thick line
MOST_ENDS = 1500  # a hatched or noisy drawing: closing every scratch would take minutes


@dataclass(frozen=True)
class LooseEnd:
    """The tip of a stroke: place and heading (unit vector out of the stroke), half its width."""

    place: np.ndarray
    heading: np.ndarray
    half_width: float
    length: int


class Closure(NamedTuple):
    """A way to close a gap: from one loose end to the ``other``, or, where that is -1, to ``place``
    (x, y). Ends are indices."""

    cost: float
    end: int
    other: int
    place: np.ndarray | None


def close_gaps(ink: np.ndarray) -> list[np.ndarray]:
    """ink: (H, W) bool. Returns the closing strokes, each (N, 2) float x, y."""
    size = max(ink.shape)
    ends = loose_ends(ink)
    if not ends or len(ends) > MOST_ENDS:
        return []
    closures = _between_ends(ends, REACH * size) + _into_ink(ends, ink, REACH_INK * size)
    closures.sort(key=lambda closure: closure.cost)
    closed = [False] * len(ends)
    strokes = []
    for _, one, other, place in closures:
        if closed[one] or (other >= 0 and closed[other]):
            continue
        start = ends[one]
        if other >= 0:
            if _crosses(ink, start, ends[other]):
                continue
            closed[other] = True
            strokes.append(_bend(start, ends[other]))
        else:
            strokes.append(np.array([start.place, place]))
        closed[one] = True
    return strokes


def draw(strokes: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """(H, W) bool mask of the strokes, two pixels wide so that nothing slips through a diagonal."""
    mask = np.zeros(shape, np.uint8)
    for stroke in strokes:
        cv2.polylines(mask, [np.rint(stroke * 16).astype(np.int32)], False, 1, 2, cv2.LINE_8, 4)
    return mask > 0


def loose_ends(ink: np.ndarray) -> list[LooseEnd]:
    """Ends of the skeleton of (H, W) bool ink, without the spurs at corners of thick lines."""
    height, width = ink.shape
    look_back, near = (max(8, round(share * max(ink.shape))) for share in (LOOK_BACK, NEAR_TIP))
    skeleton = skeletonize(ink)
    around = cv2.filter2D(
        skeleton.astype(np.uint8), -1, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT
    )
    half = cv2.distanceTransform(np.pad(ink, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    found = []
    ys, xs = np.nonzero(skeleton & (around == 2))
    if len(ys) > MOST_ENDS * 4:
        return []
    for y, x in zip(ys.tolist(), xs.tolist(), strict=True):
        if min(y, x, height - 1 - y, width - 1 - x) < 2:
            continue
        path, forked = _walk(skeleton, y, x, look_back)
        if forked and len(path) < SPUR * half[path[-1]] + 1:
            continue
        points = np.array(path, np.float64)[:, ::-1]
        heading = _heading(points, int(np.ceil(1.5 * half[y, x])), near, forked)
        width_there = float(np.median([half[p] for p in path[:near]]))
        found.append(LooseEnd(points[0], heading, width_there, len(path)))
    for y, x in np.argwhere(skeleton & (around == 1)).tolist():  # a dash as short as it is wide
        dot = LooseEnd(np.array([x, y], np.float64), np.zeros(2), float(half[y, x]), 1)
        found += [dot, dot]
    return found


def _heading(points: np.ndarray, skip: int, near: int, forked: bool) -> np.ndarray:
    """Unit vector out of a stroke: (N, 2) x, y of its skeleton from the tip; (0, 0) for a dot.

    skip: pixels at either end where a skeleton bends, towards a corner of the stroke or into a
    fork. near: from 0.6 of this length on the stroke's curve is carried on, not only its direction.
    """
    ahead = np.zeros(2)
    if len(points) > 2 * skip + 10:
        last = len(points) - (skip if forked else 0)
        stroke = points[skip : last if last - skip > 8 else None]
        way = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
        degree = 2 if way[-1] > 0.6 * near else 1
        weight = np.exp(-way / (2 * near))[:, None]
        powers = np.vander(way, degree + 1, increasing=True)
        ahead = -np.linalg.lstsq(powers * weight, stroke * weight, rcond=None)[0][1]
    elif len(points) > 1:
        tip = points[skip] if len(points) > 2 * skip + 2 else points[0]
        ahead = tip - points[min(len(points) - 1, skip + max(3, int(0.6 * near)))]
    length = float(np.hypot(*ahead))
    return ahead / length if length > 0 else np.zeros(2)


def _walk(skeleton: np.ndarray, y: int, x: int, most: int) -> tuple[list[tuple[int, int]], bool]:
    """Follow the skeleton from an end: the pixels passed, and whether a fork stopped the walk."""
    height, width = skeleton.shape
    path = [(y, x)]
    while len(path) < most:
        y, x = path[-1]
        ahead = [
            (yy, xx)
            for yy in range(max(0, y - 1), min(height, y + 2))
            for xx in range(max(0, x - 1), min(width, x + 2))
            if skeleton[yy, xx] and (yy, xx) not in path[-3:]
        ]
        if len(path) > 1:
            last = path[-2]
            ahead = [p for p in ahead if max(abs(p[0] - last[0]), abs(p[1] - last[1])) > 1]
        if not ahead:
            return path, False
        if len(ahead) > 1:
            one, other = ahead[0], ahead[1]
            if len(ahead) > 2 or abs(one[0] - other[0]) + abs(one[1] - other[1]) != 1:
                return path, True
            ahead.sort(key=lambda p: abs(p[0] - y) + abs(p[1] - x))
        path.append(ahead[0])
    return path, False


def _between_ends(ends: list[LooseEnd], reach: float) -> list[Closure]:
    """Pairs of ends that look like one broken stroke, with the cost of closing them."""
    places = np.array([end.place for end in ends])
    headings = np.array([end.heading for end in ends])
    half = np.array([end.half_width for end in ends])
    found = []
    for i in range(len(ends) - 1):
        between = places[i + 1 :] - places[i]
        distance = np.hypot(between[:, 0], between[:, 1])
        towards = between / np.maximum(distance, 1e-6)[:, None]
        out = towards @ headings[i]
        back = -(towards * headings[i + 1 :]).sum(axis=1)
        touching = distance < half[i] + half[i + 1 :] + TOUCHING * reach
        cost = distance * (1 + TURN * (1 - out) + TURN * (1 - back))
        fits = (np.minimum(out, back) > LEAST_FACING) & (touching | (out + back > LEAST_SUM))
        for j in np.flatnonzero((distance < reach) & fits & (cost < DEAREST * reach)):
            found.append(Closure(float(cost[j]), i, i + 1 + int(j), None))
    return found


def _into_ink(ends: list[LooseEnd], ink: np.ndarray, reach: float) -> list[Closure]:
    """For every end the line, or canvas border, that it would soonest run into."""
    height, width = ink.shape
    found = []
    angles = np.deg2rad(FAN)
    farther, aside = FAN_COST
    for i, end in enumerate(ends):
        if end.length < 3:
            continue
        best = None
        steps = np.arange(1.5 * end.half_width + 2, max(reach, 3 * end.half_width + 4))
        for angle in angles:
            c, s = np.cos(angle), np.sin(angle)
            direction = np.array([[c, -s], [s, c]]) @ end.heading
            xs, ys = np.rint(end.place[:, None] + steps * direction[:, None]).astype(int)
            inside = (xs >= 0) & (ys >= 0) & (xs < width) & (ys < height)
            hit = ~inside
            hit[inside] = ink[ys[inside], xs[inside]]
            if not hit.any():
                continue
            at = int(np.argmax(hit))
            cost = farther * steps[at] * (1 + aside * (1 - np.cos(angle)))
            if best is None or cost < best.cost:
                best = Closure(float(cost), i, -1, np.array([xs[at], ys[at]], np.float64))
        if best:
            found.append(best)
    return found


def _crosses(ink: np.ndarray, one: LooseEnd, other: LooseEnd) -> bool:
    """Whether other ink stands between two ends."""
    between = other.place - one.place
    length = float(np.hypot(*between))
    share = np.linspace(0, 1, int(length) + 2)
    open_part = (share * length > one.half_width + 1.5) & (
        (1 - share) * length > other.half_width + 1.5
    )
    xs, ys = np.rint(one.place[:, None] + between[:, None] * share[open_part]).astype(int)
    return int(ink[ys, xs].sum()) > 1


def _bend(one: LooseEnd, other: LooseEnd) -> np.ndarray:
    """Hermite curve that leaves and arrives in the directions of the two strokes."""
    length = float(np.hypot(*(other.place - one.place)))
    t = np.linspace(0, 1, max(4, int(length / 2)))[:, None]
    pull = 0.8 * length
    return np.asarray(
        (2 * t**3 - 3 * t**2 + 1) * one.place
        + (t**3 - 2 * t**2 + t) * pull * one.heading
        + (3 * t**2 - 2 * t**3) * other.place
        - (t**3 - t**2) * pull * other.heading
    )
