"""Basins of a distance map: the free areas of a drawing, joined where the place between is wide.

As the watershed of Vincent and Soille, "Watersheds in Digital Spaces" (PAMI 1991), but two basins
become one unless the place where they meet is narrow. What is decided pixel by pixel, deepest
first, is decided only where two slopes meet; all else is done in rows, as memory likes it. Compiled
with Numba; the machine code is cached.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from backend.imaging.compiled import compiled

_STEPS = 16  # of a pixel of depth; what is as deep enters in the order of rows
_DX = np.array([-1, 0, 1, -1, 1, -1, 0, 1], np.int32)
_DY = np.array([-1, -1, -1, 0, 0, 1, 1, 1], np.int32)
_DIAGONAL = np.float32(1.41421356)


class Basins(NamedTuple):
    """label: (H, W) int32 from 1, 0 on ink. area, peak: by label, pixels and greatest depth; 0 for
    label 0. first, second, saddle: where two of them meet, their labels and the depth there.
    """

    label: np.ndarray
    area: np.ndarray
    peak: np.ndarray
    first: np.ndarray
    second: np.ndarray
    saddle: np.ndarray


def find_basins(depth: np.ndarray, neck: float) -> Basins:
    """Group free pixels into basins that only necks join.

    Pixels enter from the deepest to the shallowest. Two basins that meet become one unless the
    place where they meet is narrower than ``neck``, 0 to 1, times the smaller one's peak. depth:
    (H, W) float32, distance to the nearest ink in pixels, 0 on ink.
    """
    framed = np.pad(depth, 1)  # so that every pixel has eight neighbours
    width, flat = framed.shape[1], framed.ravel()
    rank = np.minimum(flat * _STEPS, np.iinfo(np.uint16).max).astype(np.uint16)
    root, rims = _slopes(flat, rank, width)
    order = rims[np.argsort(np.iinfo(np.uint16).max - rank[rims], kind="stable")]
    first, second, saddle = _join(flat, rank, root, order, width, neck)
    label, name, area, peak = _number(flat, root, width)
    return Basins(label, area, peak, name[first], name[second], saddle)


@compiled
def _root(parent: np.ndarray, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def _touches_by_corner(depth: np.ndarray, i: int, right: int, down: int) -> bool:
    """Whether ink that touches by its corners stands between ``i`` and its neighbour."""
    return right != 0 and down != 0 and depth[i + right] == 0 and depth[i + down] == 0


@compiled
def _slopes(depth: np.ndarray, rank: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixel at the top of each one's steepest slope, -1 on ink, and where slopes meet.

    depth, rank: flat, in rows of ``width``, framed by ink. Returns int32 indices of pixels twice.
    """
    beside = _DY * width + _DX
    root = np.full(depth.size, -1, np.int32)
    for i in range(depth.size):
        if rank[i] == 0:
            continue
        top, steepest = i, np.float32(-1)
        for k in range(8):  # so that edges across gaps run straight
            j = i + beside[k]
            entered = rank[j] > rank[i] or (rank[j] == rank[i] and j < i)
            if not entered or _touches_by_corner(depth, i, _DX[k], _DY[k] * width):
                continue
            slope = depth[j] - depth[i]
            if _DX[k] != 0 and _DY[k] != 0:
                slope /= _DIAGONAL
            if slope > steepest:
                top, steepest = j, slope
        root[i] = top
    for i in range(depth.size):
        if root[i] >= 0:
            top = i
            while root[top] != top:
                top = root[top]
            j = i
            while root[j] != top:
                above = root[j]
                root[j] = top
                j = above
    rims, count = np.empty(depth.size, np.int32), 0
    for i in range(depth.size):
        if root[i] < 0:
            continue
        for k in range(8):
            j = i + beside[k]
            if rank[j] >= rank[i] and root[j] != root[i]:
                rims[count] = i
                count += 1
                break
    return root, rims[:count].copy()


@compiled
def _join(
    depth: np.ndarray,
    rank: np.ndarray,
    root: np.ndarray,
    order: np.ndarray,
    width: int,
    neck: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join in ``root`` what no neck parts; the others as roots, twice, and the depth between.

    depth, rank, root: as of `_slopes`. order: pixels where slopes meet, deepest first.
    """
    first = np.empty(8 * order.size, np.int32)
    second = np.empty(8 * order.size, np.int32)
    saddle = np.empty(8 * order.size, np.float32)
    beside, meetings = _DY * width + _DX, 0
    for i in order:
        own = _root(root, i)
        for k in range(8):
            j = i + beside[k]
            entered = rank[j] > rank[i] or (rank[j] == rank[i] and rank[j] > 0 and j < i)
            if not entered or _touches_by_corner(depth, i, _DX[k], _DY[k] * width):
                continue
            other = _root(root, j)
            if other == own:
                continue
            lower = min(depth[own], depth[other])
            if depth[i] >= neck * lower or lower - depth[i] <= 1.0:
                if depth[other] > depth[own]:
                    root[own] = other
                    own = other
                else:
                    root[other] = own
            else:
                first[meetings], second[meetings], saddle[meetings] = own, other, depth[i]
                meetings += 1
    for m in range(meetings):
        first[m], second[m] = _root(root, first[m]), _root(root, second[m])
    return first[:meetings].copy(), second[:meetings].copy(), saddle[:meetings].copy()


@compiled
def _number(
    depth: np.ndarray, root: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels without the frame, the label of each root, and area and peak by label."""
    name, count = np.zeros(depth.size, np.int32), 0
    for i in range(depth.size):
        if root[i] == i:
            count += 1
            name[i] = count
    area, peak = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.float32)
    label = np.zeros((depth.size // width - 2, width - 2), np.int32)
    for y in range(label.shape[0]):
        for x in range(label.shape[1]):
            i = (y + 1) * width + x + 1
            if root[i] < 0:
                continue
            own = name[_root(root, i)]
            label[y, x] = own
            area[own] += 1
            peak[own] = max(peak[own], depth[i])
    return label, name, area, peak
