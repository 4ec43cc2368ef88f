"""Compiled floods over pixel grids: chambers of a distance map and shares of several hints.

Both run in O(n log n) over the pixels of the working copy and release no Python objects, so they
are compiled with Numba; the machine code is cached beside the package.
"""

from __future__ import annotations

import numpy as np

from backend.imaging.compiled import compiled

_DX = np.array([-1, 0, 1, -1, 1, -1, 0, 1], np.int32)
_DY = np.array([-1, -1, -1, 0, 0, 1, 1, 1], np.int32)
_DIAGONAL = np.float32(1.41421356)


@compiled
def _root(parent: np.ndarray, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def _touches_by_corner(depth: np.ndarray, y: int, x: int, yy: int, xx: int) -> bool:
    """Whether ink that touches by its corners stands between two diagonal neighbours."""
    return y != yy and x != xx and depth[y, xx] == 0 and depth[yy, x] == 0


@compiled
def flood_chambers(
    depth: np.ndarray, order: np.ndarray, neck: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Group free pixels into chambers that only necks join.

    Pixels enter from the deepest to the shallowest. Two chambers that meet become one unless the
    place where they meet is narrower than ``neck`` times the smaller one's greatest depth.

    depth: (H, W) float32, distance to the nearest ink, 0 on ink. order: flat indices of the free
    pixels, deepest first. neck: 0..1. Returns the root pixel of every free pixel (H*W int32, -1 on
    ink) and the meetings as three arrays: chamber, other chamber (root pixels), depth there.
    """
    height, width = depth.shape
    flat = depth.ravel()
    parent = np.full(height * width, -1, np.int32)
    peak = np.zeros(height * width, np.float32)
    first = np.empty(order.size, np.int32)
    second = np.empty(order.size, np.int32)
    saddle = np.empty(order.size, np.float32)
    meetings = 0
    for i in order:
        parent[i] = i
        peak[i] = flat[i]
        y, x = i // width, i % width
        joined, deepest = -1, np.float32(-1)
        for k in range(8):  # up the steepest slope, so that edges across gaps run straight
            yy, xx = y + _DY[k], x + _DX[k]
            if yy < 0 or xx < 0 or yy >= height or xx >= width:
                continue
            j = yy * width + xx
            if parent[j] < 0 or _touches_by_corner(depth, y, x, yy, xx):
                continue
            slope = depth[yy, xx] - flat[i]
            if _DX[k] != 0 and _DY[k] != 0:
                slope /= _DIAGONAL
            if slope > deepest:
                joined, deepest = j, slope
        if joined < 0:
            continue
        joined = _root(parent, joined)
        parent[i] = joined
        for k in range(8):
            yy, xx = y + _DY[k], x + _DX[k]
            if yy < 0 or xx < 0 or yy >= height or xx >= width:
                continue
            j = yy * width + xx
            if parent[j] < 0 or _touches_by_corner(depth, y, x, yy, xx):
                continue
            other = _root(parent, j)
            if other == joined:
                continue
            lower = min(peak[joined], peak[other])
            if flat[i] >= neck * lower or lower - flat[i] <= 1.0:
                if peak[other] > peak[joined]:
                    parent[joined] = other
                    joined = other
                else:
                    parent[other] = joined
            elif meetings < first.size:
                first[meetings], second[meetings] = joined, other
                saddle[meetings] = flat[i]
                meetings += 1
    for i in order:
        parent[i] = _root(parent, i)
    for m in range(meetings):
        first[m], second[m] = parent[first[m]], parent[second[m]]
    return parent, first[:meetings], second[:meetings], saddle[:meetings]


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
