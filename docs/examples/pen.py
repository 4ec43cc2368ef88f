"""A small ink pen: strokes with pressure, drawn over-sized and reduced, for the example drawings.

Paths are written as text, "x,y x,y! x,y" in canvas pixels: a smooth curve through the points,
broken into a corner at every point marked with an exclamation mark.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

OVERSAMPLING = 3
_FIXED_POINT_BITS = 4  # cv2 takes sub-pixel coordinates as integers shifted by this many bits


def points_of(path: str) -> tuple[np.ndarray, list[bool]]:
    """The points of a written path as (N, 2) floats, and which of them are corners."""
    words = path.split()
    corners = [word.endswith("!") for word in words]
    places = [[float(number) for number in word.rstrip("!").split(",")] for word in words]
    return np.array(places), corners


def ellipse(
    x: float, y: float, width: float, height: float, turn: float = 0, *, arc: tuple = (0, 360)
) -> str:
    """A written path around an ellipse (or an arc of it, in degrees), turned by `turn` degrees."""
    whole = abs(arc[1] - arc[0]) >= 360
    angles = np.radians(np.linspace(arc[0], arc[1], 24, endpoint=not whole))
    along, across = np.cos(angles) * width / 2, np.sin(angles) * height / 2
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    xs, ys = x + along * cosine - across * sine, y + along * sine + across * cosine
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(xs, ys, strict=True))


def moved(path: str, x: float = 0, y: float = 0, scale: float = 1, turn: float = 0) -> str:
    """The same path scaled and turned about the origin, then moved by (x, y)."""
    points, corners = points_of(path)
    cosine, sine = np.cos(np.radians(turn)) * scale, np.sin(np.radians(turn)) * scale
    points = points @ np.array([[cosine, sine], [-sine, cosine]]) + (x, y)
    marks = ["!" if corner else "" for corner in corners]
    return " ".join(f"{a:.1f},{b:.1f}{m}" for (a, b), m in zip(points, marks, strict=True))


def mirrored(path: str, axis: float) -> str:
    """The same path seen in an upright mirror that stands at x = axis."""
    points, corners = points_of(path)
    marks = ["!" if corner else "" for corner in corners]
    return " ".join(
        f"{2 * axis - a:.1f},{b:.1f}{m}" for (a, b), m in zip(points, marks, strict=True)
    )


def curve(path: str, closed: bool) -> np.ndarray:
    """Centripetal Catmull-Rom curve through a path, about one sample a pixel: (N, 2)."""
    points, corners = points_of(path)
    if closed:
        points, corners = np.vstack([points, points[:1]]), [*corners, corners[0]]
    last = len(points) - 1
    pieces = []
    for index in range(last):
        start, end = points[index], points[index + 1]
        before = start if corners[index] else _neighbour(points, index - 1, closed)
        after = end if corners[index + 1] else _neighbour(points, index + 2, closed)
        before = start if before is None else before
        after = end if after is None else after
        pieces.append(_segment(before, start, end, after))
    return np.vstack([*pieces, points[-1:]])


def _neighbour(points: np.ndarray, index: int, closed: bool) -> np.ndarray | None:
    if 0 <= index < len(points):
        return points[index]
    if not closed:
        return None
    return points[index - 1] if index < 0 else points[index - len(points) + 1]


def _segment(
    before: np.ndarray, start: np.ndarray, end: np.ndarray, after: np.ndarray
) -> np.ndarray:
    length = float(np.linalg.norm(end - start))
    t = np.linspace(0, 1, max(3, int(length)), endpoint=False)[:, None]

    def tangent(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
        into, out = np.linalg.norm(b - a) ** 0.5, np.linalg.norm(c - b) ** 0.5
        if into == 0 or out == 0:  # an end or a corner: straight along the one neighbour there is
            return (c - a) / max(into, out, 1e-9)
        slope = (b - a) / into - (c - a) / (into + out) + (c - b) / out
        return np.asarray(slope)

    unit = np.linalg.norm(end - start) ** 0.5
    first = tangent(before, start, end) * unit
    second = tangent(start, end, after) * unit
    cubic = 2 * start - 2 * end + first + second
    square = -3 * start + 3 * end - 2 * first - second
    return cubic * t**3 + square * t**2 + first * t + start


class Drawing:
    """One page: ink that covers what lies behind it, and a separate layer of hints."""

    def __init__(self, width: int, height: int, *, weight: float = 4.2, seed: int = 1) -> None:
        size = (height * OVERSAMPLING, width * OVERSAMPLING)
        self.ink = np.zeros(size, np.uint8)
        self.hints = np.zeros((height, width, 4), np.uint8)
        self.weight = weight
        self.random = np.random.default_rng(seed)

    def shape(self, path: str, weight: float = 1, gaps: tuple = (), solid: bool = False) -> None:
        """A closed outline that hides what is behind it; `gaps` are (place, pixels) left open."""
        line = self._by_hand(curve(path, closed=True))
        cv2.fillPoly(self.ink, [_fixed(line)], 255 if solid else 0, cv2.LINE_8, _FIXED_POINT_BITS)
        self._stroke(line, weight, gaps, tapers=False)

    def line(self, path: str, weight: float = 1, gaps: tuple = ()) -> None:
        """An open stroke, thin at both ends like a pen that lands and lifts."""
        self._stroke(self._by_hand(curve(path, closed=False)), weight, gaps, tapers=True)

    def dot(self, x: float, y: float, size: float) -> None:
        """A round ink spot."""
        self.shape(ellipse(x, y, size, size), weight=0.3, solid=True)

    def shine(self, x: float, y: float, size: float) -> None:
        """A round spot taken out of the ink, as the light in an eye."""
        line = curve(ellipse(x, y, size, size), closed=True)
        cv2.fillPoly(self.ink, [_fixed(line)], 0, cv2.LINE_8, _FIXED_POINT_BITS)

    def hint(self, colour: str, *paths: str, width: float = 15) -> None:
        """Brush strokes of one exact colour ("#rrggbb") on the hint layer."""
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        cover = np.zeros(self.ink.shape, np.uint8)
        for path in paths:
            line = curve(path, closed=False) if " " in path else points_of(path)[0]
            for x, y in self._by_hand(line) if len(line) > 1 else line:
                _spot(cover, x, y, width)
        cover = _reduced(cover)
        self.hints[cover > 0, :3] = rgb
        self.hints[..., 3] = np.maximum(self.hints[..., 3], cover)

    def save(self, folder: Path, name: str, *, ink: str = "#1d1a24", clear: bool = False) -> None:
        """Write `name-line.png` (ink on white, or on nothing when `clear`) and `name-hints.png`."""
        cover = _reduced(self.ink)
        rgb = np.array([int(ink[i : i + 2], 16) for i in (1, 3, 5)], float)
        if clear:
            picture = np.zeros((*cover.shape, 4), np.uint8)
            picture[..., :3][cover > 0] = rgb
            picture[..., 3] = cover
            picture = cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA)
        else:
            part = cover[..., None] / 255
            picture = np.rint(255 * (1 - part) + rgb * part).astype(np.uint8)[..., ::-1]
        _write(folder / f"{name}-line.png", picture)
        _write(folder / f"{name}-hints.png", cv2.cvtColor(self.hints, cv2.COLOR_RGBA2BGRA))

    def _by_hand(self, line: np.ndarray) -> np.ndarray:
        """The line as a hand draws it: it wanders by less than its own width."""
        wander = np.stack([self._slow_noise(len(line), 70) for _ in range(2)], axis=1)
        ends = np.minimum(1, np.minimum(np.arange(len(line)), np.arange(len(line))[::-1]) / 20)
        return line + wander * ends[:, None] * 1.1

    def _slow_noise(self, count: int, step: float) -> np.ndarray:
        knots = self.random.normal(size=max(3, int(count / step) + 3))
        return np.interp(np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), knots)

    def _stroke(self, line: np.ndarray, weight: float, gaps: tuple, tapers: bool) -> None:
        count = len(line)
        direction = np.gradient(line, axis=0)
        angle = np.arctan2(direction[:, 1], direction[:, 0])
        # A broad nib held at a slant: strokes going down to the right come out thicker.
        width = self.weight * weight * (1 + 0.28 * np.cos(2 * (angle - np.radians(35))))
        width *= np.clip(1 + 0.13 * self._slow_noise(count, 60), 0.6, 1.5)
        place = np.arange(count)
        if tapers:
            ends = np.minimum(place, place[::-1]) / max(8.0, min(60.0, count * 0.35))
            width *= 0.25 + 0.75 * np.minimum(1, ends) ** 0.7
        for where, pixels in gaps:
            away = np.abs(place - where * count) - pixels / 2
            width *= np.clip(away / 14, 0, 1) ** 0.5
        for (x, y), size in zip(line, width, strict=True):
            if size > 0.25:
                _spot(self.ink, x, y, size)


def _spot(canvas: np.ndarray, x: float, y: float, size: float) -> None:
    scale = OVERSAMPLING * 2**_FIXED_POINT_BITS
    place = (round(x * scale), round(y * scale))
    cv2.circle(canvas, place, round(size / 2 * scale), 255, -1, cv2.LINE_8, _FIXED_POINT_BITS)


def _fixed(line: np.ndarray) -> np.ndarray:
    return np.rint(line * OVERSAMPLING * 2**_FIXED_POINT_BITS).astype(np.int32)


def _reduced(canvas: np.ndarray) -> np.ndarray:
    size = (canvas.shape[1] // OVERSAMPLING, canvas.shape[0] // OVERSAMPLING)
    return cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)


def _write(path: Path, picture: np.ndarray) -> None:
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise OSError(f"{path}: could not be encoded as PNG")
    path.write_bytes(data.tobytes())
