"""Textured pictures whose colours follow from what they show: sky, grass, sea, skin, fruit."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from training.data.picture import Picture

from .shapes import blob, ellipse, limb

Color = tuple[float, float, float]


def photo(seed: int, size: int = 256) -> Picture:
    """A picture, size x size, with the saliency mask of its foreground."""
    rng = np.random.default_rng((seed, 105))
    color = np.zeros((size, size, 3), np.float32)
    saliency = np.zeros((size, size), np.uint8)
    draw = _KINDS[int(rng.integers(len(_KINDS)))]
    draw(color, saliency, rng)
    grain = rng.normal(0, 0.012, (size, size, 1)).astype(np.float32)
    finished = cv2.GaussianBlur(color, (0, 0), size / 700) + grain
    return Picture(
        f"photo {seed}",
        color=np.rint(np.clip(finished, 0, 1) * 255).astype(np.uint8),
        saliency=saliency,
    )


def texture(rng: np.random.Generator, size: int, coarse: int = 3, octaves: int = 6) -> np.ndarray:
    """Fractal noise (size, size) float32 of mean 0 and standard deviation 1."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = min(size, coarse * 2**octave)
        layer = rng.normal(0, 0.62**octave, (cells, cells)).astype(np.float32)
        total += cv2.resize(layer, (size, size), interpolation=cv2.INTER_CUBIC)
    return (total - total.mean()) / max(float(total.std()), 1e-6)


def _gradient(size: int, above: Color, below: Color) -> np.ndarray:
    t = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    upper, lower = np.array(above, np.float32), np.array(below, np.float32)
    return np.broadcast_to(upper * (1 - t) + lower * t, (size, size, 3))


def _lay(
    color: np.ndarray, mask: np.ndarray, paint: np.ndarray | Color, rough: np.ndarray, amount: float
) -> None:
    """Cover a mask with a paint whose brightness follows a texture."""
    textured = np.asarray(paint, np.float32) * (1 + amount * rough[..., None])
    cover = mask.astype(np.float32)[..., None] / 255
    color[:] = color * (1 - cover) + textured * cover


def _mask(size: int, outline: np.ndarray) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    points = np.rint(outline * size * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, shift=4)
    return mask


def _ball(size: int, x: float, y: float, radius: float) -> np.ndarray:
    """Light on a sphere lit from the upper left, (size, size) in about -0.6..0.4."""
    rows, columns = np.mgrid[:size, :size].astype(np.float32) / size
    return 0.4 - np.hypot(columns - x + radius * 0.4, rows - y + radius * 0.4) / (radius * 1.7)


def _salient(saliency: np.ndarray, mask: np.ndarray) -> None:
    saliency[mask > 127] = 255


def _sky(color: np.ndarray, rng: np.random.Generator) -> None:
    size = len(color)
    dusk = rng.random() < 0.25
    above, below = (
        ((0.35, 0.4, 0.68), (0.98, 0.7, 0.5)) if dusk else ((0.28, 0.5, 0.85), (0.75, 0.87, 0.96))
    )
    color[:] = _gradient(size, above, below)
    clouds = np.clip(texture(rng, size) - float(rng.uniform(0, 1)), 0, 1) * 255
    _lay(color, clouds * 0.9, (0.97, 0.96, 0.96), texture(rng, size), 0.03)


def _ground(color: np.ndarray, rng: np.random.Generator, horizon: float, paint: Color) -> None:
    size = len(color)
    xs = np.linspace(-0.1, 1.1, 12)
    ridge = horizon + 0.03 * np.cumsum(rng.normal(0, 0.5, 12))
    outline = np.concatenate((np.stack((xs, ridge), -1), [[1.1, 1.1], [-0.1, 1.1]]))
    _lay(color, _mask(size, outline), paint, texture(rng, size, 6), 0.16)


def _meadow(color: np.ndarray, saliency: np.ndarray, rng: np.random.Generator) -> None:
    """Sky, grass and a tree."""
    size = len(color)
    _sky(color, rng)
    _ground(color, rng, 0.55, (0.42, 0.55, 0.3))
    _ground(color, rng, 0.72, (0.33, 0.56, 0.18))
    x = float(rng.uniform(0.25, 0.75))
    trunk = _mask(size, limb((x, 0.84), (x + 0.01, 0.6), (x, 0.45), 0.03, 0.015))
    _lay(color, trunk, (0.38, 0.27, 0.18), texture(rng, size, 12), 0.25)
    crown = _mask(size, blob(rng, x, 0.38, 0.2, 0.2, 0.3))
    leaves = (0.8, 0.42, 0.14) if rng.random() < 0.25 else (0.16, 0.42, 0.13)
    _lay(color, crown, leaves, texture(rng, size, 16) + 2 * _ball(size, x, 0.38, 0.2), 0.22)
    _salient(saliency, trunk)
    _salient(saliency, crown)


def _beach(color: np.ndarray, saliency: np.ndarray, rng: np.random.Generator) -> None:
    """Sky, sea, sand and a ball or a boat."""
    size = len(color)
    _sky(color, rng)
    sea = np.zeros((size, size), np.uint8)
    sea[round(size * 0.5) :] = 255
    _lay(color, sea, (0.1, 0.4, 0.55), texture(rng, size, 4), 0.12)
    _ground(color, rng, 0.76, (0.87, 0.76, 0.55))
    x, y, radius = float(rng.uniform(0.2, 0.8)), 0.8, float(rng.uniform(0.07, 0.13))
    ball = _mask(size, ellipse(x, y, radius, radius))
    _lay(color, ball, (0.85, 0.16, 0.14), _ball(size, x, y, radius), 0.9)
    stripe = _mask(size, ellipse(x, y, radius * 0.35, radius))
    _lay(color, stripe, (0.95, 0.93, 0.88), _ball(size, x, y, radius), 0.9)
    _salient(saliency, ball)


def _portrait(color: np.ndarray, saliency: np.ndarray, rng: np.random.Generator) -> None:
    """A face before something blurred."""
    size = len(color)
    color[:] = _gradient(size, (0.3, 0.4, 0.3), (0.45, 0.5, 0.35))
    for _ in range(14):
        x, y, r = rng.random(), rng.random(), rng.uniform(0.04, 0.12)
        light = cv2.GaussianBlur(_mask(size, ellipse(x, y, r, r)), (0, 0), size / 60)
        _lay(color, light * 0.5, tuple(rng.uniform(0.4, 0.9, 3)), texture(rng, size, 3, 2), 0.02)
    skins = ((0.93, 0.74, 0.64), (0.8, 0.58, 0.45), (0.5, 0.33, 0.24), (0.36, 0.23, 0.17))
    hairs = ((0.12, 0.09, 0.08), (0.35, 0.22, 0.12), (0.75, 0.58, 0.32), (0.5, 0.5, 0.5))
    skin, hair = skins[int(rng.integers(4))], hairs[int(rng.integers(4))]
    x = 0.5 + float(rng.uniform(-0.08, 0.08))
    shirt: Color = (rng.uniform(0.1, 0.8), rng.uniform(0.1, 0.8), rng.uniform(0.1, 0.8))
    lit = _ball(size, x, 0.45, 0.3)
    parts: list[tuple[np.ndarray, Color, float]] = [
        (ellipse(x, 0.38, 0.2, 0.25), hair, 0.5),
        (ellipse(x, 1.02, 0.34, 0.3), shirt, 0.4),
        (limb((x, 0.6), (x, 0.66), (x, 0.74), 0.075, 0.09), skin, 0.4),
        (ellipse(x, 0.45, 0.145, 0.2), skin, 0.4),
    ]
    for outline, paint, amount in parts:
        mask = _mask(size, outline)
        _lay(color, mask, paint, lit + 0.08 * texture(rng, size, 12), amount)
        _salient(saliency, mask)
    for side in (-1, 1):
        eye = _mask(size, ellipse(x + side * 0.06, 0.42, 0.022, 0.011))
        _lay(color, eye, (0.16, 0.12, 0.1), lit, 0.1)
    lips = _mask(size, ellipse(x, 0.56, 0.045, 0.013))
    _lay(color, lips, tuple(np.array(skin) * (0.9, 0.62, 0.62)), lit, 0.3)
    brow = _mask(size, ellipse(x, 0.28, 0.15, 0.07))
    _lay(color, brow, hair, texture(rng, size, 16), 0.15)


def _fruit(color: np.ndarray, saliency: np.ndarray, rng: np.random.Generator) -> None:
    """Fruit on a wooden table."""
    size = len(color)
    color[:] = _gradient(size, (0.78, 0.76, 0.72), (0.68, 0.66, 0.62))
    _ground(color, rng, 0.6, (0.55, 0.36, 0.2))
    kinds: tuple[Color, ...] = (
        (0.86, 0.16, 0.12),
        (0.95, 0.55, 0.1),
        (0.95, 0.83, 0.2),
        (0.5, 0.68, 0.18),
        (0.38, 0.14, 0.32),
    )
    for _ in range(int(rng.integers(2, 6))):
        x, y, r = (
            float(rng.uniform(0.2, 0.8)),
            float(rng.uniform(0.6, 0.8)),
            float(rng.uniform(0.08, 0.14)),
        )
        shadow = cv2.GaussianBlur(
            _mask(size, ellipse(x + r * 0.4, y + r * 0.8, r, r * 0.4)), (0, 0), size / 50
        )
        _lay(color, shadow * 0.5, (0.18, 0.12, 0.08), texture(rng, size, 3, 2), 0.02)
        mask = _mask(size, blob(rng, x, y, r, r, 0.05))
        light = _ball(size, x, y, r) + 0.05 * texture(rng, size, 16)
        _lay(color, mask, kinds[int(rng.integers(5))], light, 0.8)
        _salient(saliency, mask)


def _flower(color: np.ndarray, saliency: np.ndarray, rng: np.random.Generator) -> None:
    """A flower before leaves."""
    size = len(color)
    color[:] = np.array((0.2, 0.36, 0.14), np.float32)
    everywhere = np.full((size, size), 255, np.uint8)
    _lay(color, everywhere, (0.22, 0.42, 0.16), texture(rng, size, 5), 0.3)
    color[:] = cv2.GaussianBlur(color, (0, 0), size / 90)
    paints: tuple[Color, ...] = (
        (0.9, 0.3, 0.5),
        (0.95, 0.9, 0.9),
        (0.9, 0.15, 0.15),
        (0.6, 0.3, 0.75),
    )
    paint, petals = paints[int(rng.integers(4))], int(rng.integers(5, 12))
    x, y, r = (
        float(rng.uniform(0.4, 0.6)),
        float(rng.uniform(0.4, 0.6)),
        float(rng.uniform(0.17, 0.24)),
    )
    stem = _mask(size, limb((x, y), (x + 0.02, 0.8), (x, 1.1), 0.014, 0.014))
    _lay(color, stem, (0.25, 0.5, 0.2), texture(rng, size, 8), 0.15)
    for turn in 2 * np.pi * (np.arange(petals) + rng.random()) / petals:
        outline = ellipse(x + r * np.cos(turn), y + r * np.sin(turn), r * 0.75, r * 0.36, turn)
        mask = _mask(size, outline)
        light = _ball(size, x, y, 2 * r) + 0.06 * texture(rng, size, 10)
        _lay(color, mask, paint, light + float(rng.uniform(-0.2, 0.1)), 0.35)
        _salient(saliency, mask)
    heart = _mask(size, ellipse(x, y, r * 0.4, r * 0.4))
    _lay(color, heart, (0.93, 0.75, 0.15), texture(rng, size, 24), 0.2)
    _salient(saliency, heart)


_KINDS: tuple[Callable[[np.ndarray, np.ndarray, np.random.Generator], None], ...] = (
    _meadow,
    _beach,
    _portrait,
    _fruit,
    _flower,
)
