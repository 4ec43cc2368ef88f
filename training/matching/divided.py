"""Areas divided where no line is, as artists do it: shadows, stripes, ends, spots and rims."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .samples import waves
from .scenes import Scene

_LEAST = 0.002  # of the picture: what is smaller stays whole
_MOST = 3  # areas of a picture that are divided


def divide(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene with one to three of its areas in two paints, none on the ground; lines as before.

    The other paint is a darker, a lighter or a quite different one.
    """
    size = np.bincount(scene.areas.ravel(), minlength=len(scene.color))
    size[[0, scene.ground]] = 0
    large = np.flatnonzero(size >= _LEAST * scene.areas.size)
    areas, color = scene.areas.copy(), list(scene.color)
    for area in rng.permutation(large)[: int(rng.integers(1, _MOST + 1))]:
        inside = scene.areas == area
        left, top, width, height = cv2.boundingRect(inside.astype(np.uint8))
        place = (slice(top, top + height), slice(left, left + width))
        pattern = PATTERNS[int(rng.choice(len(PATTERNS), p=_ODDS))]
        other = pattern(inside[place], rng)
        color.append(_other_paint(scene.color[area], rng))
        areas[place][other & inside[place]] = len(color) - 1
    return Scene(scene.ink, areas, np.array(color, np.uint8), scene.ground)


def _other_paint(paint: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    draw = rng.random()
    if draw < 0.5:
        return np.asarray(paint * rng.uniform(0.55, 0.92))
    if draw < 0.7:
        return np.asarray(paint + (255 - paint.astype(float)) * rng.uniform(0.15, 0.7))
    return rng.integers(0, 256, 3)


def _depth(inside: np.ndarray) -> np.ndarray:
    return cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]


def _waves(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return waves(rng, 0.5, (4, 4), inside.shape)


def _across(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(h, w) places along a bent axis of any direction, in pixels."""
    ys, xs = np.mgrid[: inside.shape[0], : inside.shape[1]].astype(np.float32)
    x, y = xs - inside.shape[1] / 2, ys - inside.shape[0] / 2
    angle = rng.uniform(0, 2 * np.pi)
    along, aside = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    span = max(inside.shape)
    bent = along + rng.normal(0, 0.5) * aside**2 / span
    return np.asarray(bent + _waves(inside, rng) * span * rng.uniform(0, 0.1))


def _shadow(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the area's own outline, moved aside and turned a little, leaves uncovered."""
    height, width = inside.shape
    move = float(_depth(inside).max()) * rng.uniform(0.2, 1.2)
    angle = rng.uniform(0, 2 * np.pi)
    turn = cv2.getRotationMatrix2D(
        (width / 2, height / 2), float(rng.normal(0, 6)), float(rng.uniform(0.95, 1.1))
    )
    turn[:, 2] += move * np.cos(angle), move * np.sin(angle)
    moved = cv2.warpAffine(inside.astype(np.float32), turn, (width, height))
    blurred = cv2.GaussianBlur(moved, (0, 0), max(0.5, move * rng.uniform(0.1, 0.5)))
    return np.asarray(blurred < 0.5)


def _stripes(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    period = max(6.0, float(_depth(inside).max()) * rng.uniform(0.6, 3.0))
    return np.asarray((_across(inside, rng) / period + rng.random()) % 1 < rng.uniform(0.3, 0.7))


def _end(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One side of a bent line."""
    along = _across(inside, rng)
    return np.asarray(along > np.quantile(along[inside], rng.uniform(0.1, 0.9)))


def _spots(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    deep = _depth(inside)
    ys, xs = np.nonzero(deep > 0.3 * deep.max())
    spots = np.zeros(inside.shape, np.uint8)
    for at in rng.integers(len(ys), size=int(rng.integers(1, 4))):
        radius = max(2.0, float(deep.max()) * rng.uniform(0.2, 0.8))
        axes = (round(radius), max(2, round(radius * rng.uniform(0.4, 1.0))))
        centre = (int(xs[at]), int(ys[at]))
        cv2.ellipse(spots, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    return spots > 0


def _rim(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    deep = _depth(inside)
    return np.asarray(deep < deep.max() * rng.uniform(0.15, 0.5) * (1 + 0.5 * _waves(inside, rng)))


PATTERNS: tuple[Callable[[np.ndarray, np.random.Generator], np.ndarray], ...]
PATTERNS = (_shadow, _stripes, _end, _spots, _rim)
_ODDS = (0.35, 0.2, 0.25, 0.12, 0.08)
