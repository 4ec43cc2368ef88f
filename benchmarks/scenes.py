"""A procedural drawing for the measurements: a garden of flowers, stones and fences.

Everything is laid out in units of the picture's side, so that one seed is the same drawing at any
size. Outlines are black, anti-aliased, and broken in places, as drawn by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

_LINE_WIDTH = 0.004
_DOT_RADIUS = 0.007
_SMALLEST_PART = 0.0003
_FRACTION_BITS = 4  # OpenCV draws with sub-pixel places in these units


@dataclass(frozen=True)
class Scene:
    """``line``: (H, W) black on white. ``truth``: (H, W, 3) the colours without lines.

    ``hints``: (H, W, 4), a dot in every place that has a colour. ``off_line``: (H, W) bool, where
    the line covers nothing.
    """

    line: np.ndarray
    truth: np.ndarray
    hints: np.ndarray
    off_line: np.ndarray


def garden(size: int, seed: int = 1, gap: float = 0.01) -> Scene:
    """A square drawing of ``size`` pixels with breaks of ``gap`` of its side in the lines."""
    random = np.random.default_rng(seed)
    owner = np.zeros((size, size), np.int32)
    ink = np.zeros((size, size), np.uint8)
    breaks: list[np.ndarray] = []
    shapes = _shapes(random)
    for number, outline in enumerate(shapes, start=1):
        points = np.round(outline * size * (1 << _FRACTION_BITS)).astype(np.int32)
        cv2.fillPoly(owner, [points], number, shift=_FRACTION_BITS)
        cv2.fillPoly(ink, [points], 0, shift=_FRACTION_BITS)
        width = max(1, round(_LINE_WIDTH * size * random.uniform(0.7, 1.3)))
        cv2.polylines(ink, [points], True, 255, width, cv2.LINE_AA, _FRACTION_BITS)
        breaks.append(outline[random.integers(0, len(outline))])
    for place in breaks:
        centre = tuple(round(float(v) * size) for v in place)
        cv2.circle(ink, centre, max(1, round(gap * size / 2)), 0, -1)
    colours = random.integers(40, 240, (len(shapes) + 1, 3)).astype(np.uint8)
    colours[0] = 255
    truth = colours[owner]
    hints = _dots(owner, ink, truth)
    return Scene(255 - ink, truth, hints, ink == 0)


def _shapes(random: np.random.Generator) -> list[np.ndarray]:
    """Closed outlines from back to front, points in 0..1."""
    shapes = [_rounded_box(x, 0.72, 0.05, 0.22) for x in np.arange(0.06, 1.0, 0.11)]
    for _ in range(7):
        centre = random.uniform([0.1, 0.75], [0.9, 0.95])
        shapes.append(_stone(random, centre, random.uniform(0.04, 0.09)))
    for _ in range(5):
        shapes += _flower(random, random.uniform(0.15, 0.85, 2), random.uniform(0.08, 0.15))
    return shapes


def _rounded_box(x: float, y: float, width: float, height: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    corner = np.abs(np.stack([np.cos(angle), np.sin(angle)], axis=1)) ** 0.4
    sign = np.sign(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return np.array([x, y]) + corner * sign * np.array([width, height]) / 2


def _stone(random: np.random.Generator, centre: np.ndarray, radius: float) -> np.ndarray:
    corners = np.sort(random.uniform(0, 2 * np.pi, 7))
    reach = radius * random.uniform(0.7, 1.1, 7)
    angle = np.linspace(0, 2 * np.pi, 140, endpoint=False)
    around = np.interp(angle, corners, reach, period=2 * np.pi)
    around = np.convolve(np.tile(around, 3), np.ones(15) / 15, "same")[140:280]
    return centre + np.stack([np.cos(angle), 0.8 * np.sin(angle)], axis=1) * around[:, None]


def _flower(random: np.random.Generator, centre: np.ndarray, radius: float) -> list[np.ndarray]:
    """Petals around a heart."""
    count, turn = int(random.integers(5, 9)), random.uniform(0, 2 * np.pi)
    along = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    petal = np.stack([0.55 + 0.45 * np.cos(along), 0.24 * np.sin(along)], axis=1) * radius
    petals = []
    for number in range(count):
        angle = turn + 2 * np.pi * number / count
        rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        petals.append(centre + petal @ rotation)
    heart = np.stack([np.cos(along), np.sin(along)], axis=1) * radius * 0.3
    return [*petals, centre + heart]


def _dots(owner: np.ndarray, ink: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """A dot of the true colour in the middle of every connected part that is large enough."""
    size = owner.shape[0]
    hints = np.zeros((size, size, 4), np.uint8)
    for number, box in enumerate(ndimage.find_objects(owner + 1), start=0):
        if box is None:
            continue
        inside = ((owner[box] == number) & (ink[box] == 0)).astype(np.uint8)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
        for part in range(1, count):
            if stats[part][cv2.CC_STAT_AREA] < _SMALLEST_PART * size * size:
                continue
            x, y, width, height = stats[part][:4]
            crop = np.pad((parts[y : y + height, x : x + width] == part).astype(np.uint8), 1)
            depth = cv2.distanceTransform(crop, cv2.DIST_L2, 5)
            row, column = np.unravel_index(int(depth.argmax()), depth.shape)
            place = int(box[1].start + x + column - 1), int(box[0].start + y + row - 1)
            colour = tuple(int(v) for v in truth[place[1], place[0]])
            radius = max(1, min(round(_DOT_RADIUS * size), int(depth.max())))
            cv2.circle(hints, place, radius, (*colour, 255), -1)
    return hints
