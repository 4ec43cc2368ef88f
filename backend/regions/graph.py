"""Areas as graphs: pixels beside lines, hints and likely borders, and blocks of them elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import sparse

from backend.imaging.compiled import compiled

BLOCKS = (2, 4, 8)  # pixels a side that are one node where nothing happens
FINEST = 512  # nodes a side of the drawing, where there is neither line nor hint
PLAIN = (0.03, 0.1, 0.3, 0.6)  # nothing happens where no border is likelier: the first that serves
MOST_NODES = 250_000


@dataclass(frozen=True)
class Nodes:
    """Pixels and blocks of pixels, area by area.

    of: (H, W) int32, the node of each pixel, -1 where there is none. first: (n,) its first pixel,
    an index. size: (n,) pixels a side. area: (n,) ascending.
    """

    of: np.ndarray
    first: np.ndarray
    size: np.ndarray
    area: np.ndarray


def find_nodes(seeds: np.ndarray, area: np.ndarray, likely: np.ndarray) -> Nodes:
    """The nodes of all areas.

    seeds: (H, W) int32, 0 or a seed id from 1. area: (H, W) int32, 0 is closed. likely: (H, W)
    float32 in [0, 1], how likely each pixel is on a border.
    """
    for plain in PLAIN:
        nodes = _nodes(area, _block_sizes(seeds, area, likely, plain))
        if len(nodes.first) <= MOST_NODES:
            break
    return nodes


def conductance(nodes: Nodes, resistance: np.ndarray) -> sparse.csr_matrix:
    """(n, n) float64: how well a walk gets from node to node of an area.

    resistance: (H, W) float32, of each pixel.
    """
    one, other, weight = _edges(nodes.of, nodes.size, nodes.area, resistance)
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    shape = len(nodes.first), len(nodes.first)
    return sparse.csr_matrix((np.tile(weight, 2), (rows, columns)), shape)


def parts(area: np.ndarray, nodes: Nodes) -> Iterator[tuple[np.ndarray, slice]]:
    """Of each area: its pixels, indices in their order, and its nodes."""
    pixels = np.flatnonzero(area)
    pixels = pixels[np.argsort(area.ravel()[pixels], kind="stable")]
    names, begin = np.unique(nodes.area, return_index=True)
    ends = [*begin[1:].tolist(), len(nodes.area)]
    split = np.searchsorted(area.ravel()[pixels], names[1:])
    for inside, low, high in zip(np.split(pixels, split), begin.tolist(), ends, strict=True):
        yield inside, slice(low, high)


def _nodes(area: np.ndarray, block: np.ndarray) -> Nodes:
    width = area.shape[1]
    at = np.flatnonzero(area)
    side = block.ravel()[at].astype(np.int64)
    y, x = at // width, at % width
    corner = (y - y % side) * width + x - x % side
    size = np.zeros(area.size, np.int32)
    size[corner] = side
    first = np.flatnonzero(size)
    first = first[np.argsort(area.ravel()[first], kind="stable")]
    number = np.full(area.size, -1, np.int32)
    number[first] = np.arange(len(first))
    of = np.full(area.shape, -1, np.int32)
    of.ravel()[at] = number[corner]
    return Nodes(of, first, size[first], area.ravel()[first])


def _block_sizes(
    seeds: np.ndarray, area: np.ndarray, likely: np.ndarray, plainest: float
) -> np.ndarray:
    """(H, W) uint8: pixels a side of the block that each pixel is in; 1 where it is alone."""
    height, width = area.shape
    most = BLOCKS[-1]
    margin = ((0, -height % most), (0, -width % most))
    lowest = highest = np.pad(np.where(seeds > 0, 0, area), margin)
    likeliest = np.pad(likely, margin)
    result = np.ones(lowest.shape, np.uint8)
    for size in BLOCKS:
        lowest, highest = _halved(lowest, np.minimum), _halved(highest, np.maximum)
        likeliest = _halved(likeliest, np.maximum)
        plain = (lowest == highest) & (lowest > 0)
        plain &= (likeliest <= plainest) | (size * FINEST <= max(area.shape))
        there = cv2.resize(
            plain.astype(np.uint8), result.shape[::-1], interpolation=cv2.INTER_NEAREST
        )
        result[there > 0] = size
    return result[:height, :width]


def _halved(of: np.ndarray, by: np.ufunc) -> np.ndarray:
    return by(by(of[::2, ::2], of[1::2, ::2]), by(of[::2, 1::2], of[1::2, 1::2]))


@compiled
def _edges(
    of: np.ndarray, size: np.ndarray, area: np.ndarray, resistance: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where pixels of two nodes of one area meet: the nodes, and how well a walk gets across."""
    height, width = of.shape
    room = 4096
    one, other = np.empty(room, np.int32), np.empty(room, np.int32)
    weight = np.empty(room, np.float64)
    count = 0
    for y in range(height):
        for x in range(width):
            i = of[y, x]
            if i < 0:
                continue
            for k in range(2):
                yy, xx = y + k, x + 1 - k
                if yy >= height or xx >= width:
                    continue
                j = of[yy, xx]
                if j < 0 or j == i or area[i] != area[j]:
                    continue
                if count == room:
                    room *= 2
                    one, other = _grown(one, room), _grown(other, room)
                    weight = _grown(weight, room)
                one[count], other[count] = i, j
                across = resistance[y, x] + resistance[yy, xx]
                weight[count] = 4.0 / (across * (size[i] + size[j]))
                count += 1
    return one[:count], other[:count], weight[:count]


@compiled
def _grown(array: np.ndarray, room: int) -> np.ndarray:
    grown = np.empty(room, array.dtype)
    grown[: len(array)] = array
    return grown
