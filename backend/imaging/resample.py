"""Values of a small copy brought back to full size along the edges of the full-size picture."""

from __future__ import annotations

import numpy as np

from .compiled import compiled

_TAPS = 4  # of the cubic B-spline a side: smooth, and nothing of it reaches further


def upsample_along(
    guide: np.ndarray,
    small_guide: np.ndarray,
    small: np.ndarray,
    *,
    height: int,
    top: int = 0,
    softness: float = 3.0,
) -> np.ndarray:
    """Rows of ``small`` at full size, each pixel from the neighbours that are as bright as it.

    Joint bilateral upsampling (Kopf et al. 2007) with a cubic B-spline in space and a rational
    weight 1 / (d^2 + softness^2)^2 of the guide's difference d, which needs no threshold: a pixel
    unlike all its neighbours follows the likest. Every value is a mean of values of ``small``.

    guide: (rows, W) float32, rows ``top``... of a picture of ``height`` rows. small_guide: (h, w)
    float32 in the same units as the guide and ``softness``. small: (h, w, C) float32. Returns
    (rows, W, C) float32.
    """
    rows, width = guide.shape
    result = np.empty((rows, width, small.shape[2]), np.float32)
    across = _taps(np.arange(width), width, small.shape[1])
    down = _taps(np.arange(top, top + rows), height, small.shape[0])
    _gather(guide, small_guide, small, *across, *down, softness * softness, result)
    return result


def upsample_within(
    label: np.ndarray,
    small_label: np.ndarray,
    small: np.ndarray,
    *,
    height: int,
    top: int = 0,
) -> np.ndarray:
    """Rows of ``small`` at full size, each pixel from the neighbours of its own region alone.

    label: (rows, W) int32 regions, rows ``top``... of a picture of ``height`` rows. small_label:
    (h, w) int32 regions of ``small`` (h, w, C) float32, 0 where nothing counts. A pixel that has no
    such neighbour is 0. Returns (rows, W, C) float32.
    """
    rows, width = label.shape
    result = np.empty((rows, width, small.shape[2]), np.float32)
    across = _taps(np.arange(width), width, small.shape[1])
    down = _taps(np.arange(top, top + rows), height, small.shape[0])
    _gather_within(label, small_label, small, *across, *down, result)
    return result


def _taps(at: np.ndarray, size: int, small: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (n, 4) and B-spline weights (n, 4) of the small pixels around full-size ones."""
    place = (at + 0.5) * small / size - 0.5
    first = np.floor(place).astype(np.int64)
    t = place - first
    weights = np.stack(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1
    )
    indices = np.clip(first[:, None] + np.arange(-1, _TAPS - 1), 0, small - 1)
    return indices.astype(np.int32), (weights / 6).astype(np.float32)


@compiled
def _gather(
    guide: np.ndarray,
    small_guide: np.ndarray,
    small: np.ndarray,
    columns: np.ndarray,
    column_weights: np.ndarray,
    lines: np.ndarray,
    line_weights: np.ndarray,
    softness: float,
    result: np.ndarray,
) -> None:
    rows, width = guide.shape
    channels = small.shape[2]
    softness = np.float32(softness)
    sums = np.empty(channels, np.float32)
    for y in range(rows):
        for x in range(width):
            here = guide[y, x]
            total = np.float32(0)
            sums[:] = 0
            for i in range(_TAPS):
                v = lines[y, i]
                for j in range(_TAPS):
                    u = columns[x, j]
                    far = small_guide[v, u] - here
                    far = far * far + softness
                    weight = line_weights[y, i] * column_weights[x, j] / (far * far)
                    total += weight
                    for c in range(channels):
                        sums[c] += weight * small[v, u, c]
            for c in range(channels):
                result[y, x, c] = sums[c] / total


@compiled
def _gather_within(
    label: np.ndarray,
    small_label: np.ndarray,
    small: np.ndarray,
    columns: np.ndarray,
    column_weights: np.ndarray,
    lines: np.ndarray,
    line_weights: np.ndarray,
    result: np.ndarray,
) -> None:
    rows, width = label.shape
    channels = small.shape[2]
    sums = np.empty(channels, np.float32)
    for y in range(rows):
        for x in range(width):
            here = label[y, x]
            total = np.float32(0)
            sums[:] = 0
            for i in range(_TAPS):
                v = lines[y, i]
                for j in range(_TAPS):
                    u = columns[x, j]
                    if small_label[v, u] == here:
                        weight = line_weights[y, i] * column_weights[x, j]
                        total += weight
                        for c in range(channels):
                            sums[c] += weight * small[v, u, c]
            for c in range(channels):
                result[y, x, c] = sums[c] / total if total > 0 else np.float32(0)
