"""Closed smooth outlines and strokes in the unit square, x right, y down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Point = tuple[float, float]


def smooth(points: Sequence[Point] | np.ndarray, closed: bool = True, steps: int = 8) -> np.ndarray:
    """(M, 2) points of the Catmull-Rom curve through the given ones."""
    knots = np.asarray(points, np.float64)
    if closed:
        padded = np.concatenate((knots[-1:], knots, knots[:2]))
    else:
        padded = np.concatenate((knots[:1], knots, knots[-1:]))
    p0, p1, p2, p3 = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    t = (np.arange(steps) / steps)[None, :, None]
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    curve = curve.reshape(-1, 2)
    return curve if closed else np.concatenate((curve, knots[-1:]))


def straight(points: Sequence[Point], steps: int = 6) -> np.ndarray:
    """A closed polygon with points along its sides, so that it can bend."""
    corners = np.asarray(points, np.float64)
    following = np.roll(corners, -1, 0)
    t = (np.arange(steps) / steps)[None, :, None]
    return (corners[:, None] * (1 - t) + following[:, None] * t).reshape(-1, 2)


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> np.ndarray:
    """An ellipse; ``turn`` in radians."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    across, along = rx * np.cos(angle), ry * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack((x + across * cos - along * sin, y + across * sin + along * cos), -1)


def blob(
    rng: np.random.Generator, x: float, y: float, rx: float, ry: float, rough: float = 0.12
) -> np.ndarray:
    """A round shape with a few random bulges."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.ones_like(angle)
    for wave in range(2, 6):
        radius += rough / wave * rng.normal() * np.cos(wave * angle + rng.uniform(0, 6.3))
    radius = np.clip(radius, 0.6, 1.5)
    return np.stack((x + rx * radius * np.cos(angle), y + ry * radius * np.sin(angle)), -1)


def limb(start: Point, middle: Point, end: Point, thick: float, thin: float) -> np.ndarray:
    """An arm, a leg or a tail: a bent tube that tapers from ``thick`` to ``thin`` half widths."""
    spine = smooth([start, middle, end], closed=False, steps=6)
    along = np.gradient(spine, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    normal = np.stack((-along[:, 1], along[:, 0]), -1)
    width = np.linspace(thick, thin, len(spine))[:, None]
    sides = spine + normal * width, (spine - normal * width)[::-1]
    ends = (
        _cap(spine[-1], normal[-1], along[-1], thin),
        _cap(spine[0], -normal[0], -along[0], thick),
    )
    return np.concatenate((sides[0], ends[0], sides[1], ends[1]))


def _cap(centre: np.ndarray, side: np.ndarray, ahead: np.ndarray, radius: float) -> np.ndarray:
    """The half circle that ends a tube."""
    angle = np.linspace(0, np.pi, 9)[1:-1, None]
    return centre + radius * (side * np.cos(angle) + ahead * np.sin(angle))


def mirrored(points: np.ndarray, x: float = 0.5) -> np.ndarray:
    """The same on the other side of a vertical axis."""
    return np.stack((2 * x - points[:, 0], points[:, 1]), -1)
