"""A compiled flood over a pixel grid: areas shared among several hints by the least costly path.

It takes O(n log n) for the pixels of the working copy. The machine code is cached.
"""

from __future__ import annotations

import numpy as np

from backend.imaging.compiled import compiled

_DX = np.array([-1, 0, 1, -1, 1, -1, 0, 1], np.int32)
_DY = np.array([-1, -1, -1, 0, 0, 1, 1, 1], np.int32)
_DIAGONAL = np.float32(1.41421356)


@compiled
def _push(keys: np.ndarray, values: np.ndarray, size: int, key: float, value: int) -> int:
    i = size
    while i > 0:
        up = (i - 1) >> 1
        if keys[up] <= key:
            break
        keys[i], values[i] = keys[up], values[up]
        i = up
    keys[i], values[i] = key, value
    return size + 1


@compiled
def _pop(keys: np.ndarray, values: np.ndarray, size: int) -> int:
    size -= 1
    key, value = keys[size], values[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[i], values[i] = keys[child], values[child]
        i = child
    keys[i], values[i] = key, value
    return size


@compiled
def share_area(
    seeds: np.ndarray,
    area: np.ndarray,
    step: np.ndarray,
    level: np.ndarray,
    level_of_seed: np.ndarray,
    outwards: float,
    inwards: float,
) -> np.ndarray:
    """Divide areas among the seeds inside them, by the least costly path.

    A path costs its length times ``step`` times ``1 + outwards * (level - level of its seed)``, or
    ``1 + inwards * (level of its seed - level)`` below that level: a hint beside a line claims what
    lies beside that line, a hint in the middle claims the middle.

    seeds: (H, W) int32, 0 or a seed id from 1. area: (H, W) int32, paths stay inside one value, 0
    is closed. step, level: (H, W) float32. level_of_seed: float32, by seed id. Returns (H, W)
    int32.
    """
    height, width = seeds.shape
    owner = seeds.copy().ravel()
    areas, steps, levels = area.ravel(), step.ravel(), level.ravel()
    cost = np.full(owner.size, np.float32(np.inf))
    room = 1024
    for i in range(owner.size):
        if areas[i] > 0:
            room += 8
        else:
            owner[i] = 0
    keys, values, size = np.empty(room, np.float32), np.empty(room, np.int32), 0
    for i in range(owner.size):
        if owner[i] > 0:
            cost[i] = 0
            size = _push(keys, values, size, np.float32(0), i)
    while size > 0:
        at, i = keys[0], values[0]
        size = _pop(keys, values, size)
        if at > cost[i]:
            continue
        y, x = i // width, i % width
        seed = owner[i]
        for k in range(8):
            yy, xx = y + _DY[k], x + _DX[k]
            if yy < 0 or xx < 0 or yy >= height or xx >= width:
                continue
            j = yy * width + xx
            if areas[j] != areas[i]:
                continue
            length = _DIAGONAL if _DX[k] != 0 and _DY[k] != 0 else np.float32(1)
            apart = levels[j] - level_of_seed[seed]
            strange = np.float32(1 + (outwards * apart if apart > 0 else -inwards * apart))
            reached = at + length * np.float32(0.5) * (steps[i] + steps[j]) * strange
            if reached < cost[j]:
                cost[j] = reached
                owner[j] = seed
                size = _push(keys, values, size, reached, j)
    return owner.reshape(height, width)
