"""Areas shared among hints by random walks: at whose hint does a walk from a pixel first arrive?

A shortest path slips through the one weak place of a border and takes what lies behind; walks weigh
all ways at once. Random walker segmentation after Grady, "Random Walks for Image Segmentation"
(PAMI 2006), with priors after Grady, "Multilabel Random Walker Image Segmentation Using Prior
Models" (CVPR 2005), on pixels beside lines, hints and likely borders, and on blocks elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numba
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu
from skimage.measure import label as label_parts

from backend.regions.borders import Borders
from backend.regions.flood import share_area

OVER_BORDER = 5000.0  # how much harder a pixel is to cross where a border is certain
CERTAINTY = 2.0  # ... by how likely it is, to this power
PRIOR = 30.0  # weight of what belongs together, over an area as large as the drawing squared
BLOCKS = (2, 4, 8)  # pixels a side that are one node where nothing happens
FINEST = 512  # nodes a side of the drawing, where there is neither line nor hint
PLAIN = (0.03, 0.1, 0.3, 0.6)  # nothing happens where no border is likelier: the first that serves
MOST_NODES = 250_000
MOST_VALUES = 8_000_000  # nodes of an area times its colours, that are solved for
SWEEPS = 8  # there and back over the pixels, from the values of the nodes

_DX = np.array([-1, 1, 0, 0], np.int32)
_DY = np.array([0, 0, -1, 1], np.int32)


@dataclass(frozen=True)
class _Nodes:
    """Pixels and blocks of pixels, area by area.

    of: (H, W) int32, the node of each pixel, -1 where there is none. first: (n,) its first pixel,
    an index. size: (n,) pixels a side. area: (n,) ascending.
    """

    of: np.ndarray
    first: np.ndarray
    size: np.ndarray
    area: np.ndarray


def share_by_walks(
    seeds: np.ndarray,
    tint_of_seed: np.ndarray,
    area: np.ndarray,
    resistance: np.ndarray,
    borders: Borders,
    embedding_of_seed: np.ndarray,
) -> np.ndarray:
    """(H, W) int32: the colour of every pixel of the areas, 0 elsewhere.

    seeds: (H, W) int32, 0 or a seed id from 1. tint_of_seed: by seed id, colours from 1. area:
    (H, W) int32, walks stay inside one value, 0 is closed. resistance: (H, W) float32, of each
    pixel, borders apart. embedding_of_seed: (seeds + 1, D) float32. An area with so many colours
    that solving for them would take long stays 0.
    """
    if not area.any():
        return np.zeros(area.shape, np.int32)
    certain = borders.likely ** np.float32(CERTAINTY)
    resistance = (resistance + np.float32(OVER_BORDER) * certain).astype(np.float32)
    for plain in PLAIN:
        nodes = _find_nodes(area, _block_sizes(seeds, area, borders.likely, plain))
        if len(nodes.first) <= MOST_NODES:
            break
    graph = _conductance(nodes, resistance)
    seed = seeds.ravel()[nodes.first]
    middle = nodes.first + nodes.size // 2 * (area.shape[1] + 1)
    embedding = borders.embedding.reshape(area.size, -1)[middle]
    prior = PRIOR / max(area.shape) ** 2
    shared = np.zeros(area.size, np.int32)
    value, most = np.zeros(area.size, np.float32), np.zeros(area.size, np.float32)
    for inside, part in _parts(area, nodes):
        held = np.unique(seed[part])
        held = held[held > 0]
        tints, tint = np.unique(tint_of_seed[held], return_inverse=True)
        count = part.stop - part.start
        if count * len(tints) > MOST_VALUES:
            continue
        known = np.full(len(tint_of_seed), -1)
        known[held] = tint
        belongs = _belongs(embedding[part], embedding_of_seed[held], tint)
        size, ways = nodes.size[part], graph[part, part]
        pull = prior * size.astype(np.float64) ** 2
        arrive = _arrivals(ways, known[seed[part]], pull, belongs)
        own = nodes.of.ravel()[inside] - part.start
        best = arrive.argmax(1)
        shared[inside] = tints[best[own]]
        for number, settling, around in _unsettled(ways, best, size):
            beside = around[own]
            value[inside[beside]] = arrive[own[beside], number]
            band = inside[settling[own]]
            _settle(value, band, nodes.of, nodes.area, resistance)
            better = band[value[band] > most[band]]
            shared[better] = tints[number]
            most[better] = value[better]
    return _without_islands(shared.reshape(area.shape), area, seeds)


def _find_nodes(area: np.ndarray, block: np.ndarray) -> _Nodes:
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
    return _Nodes(of, first, size[first], area.ravel()[first])


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


def _conductance(nodes: _Nodes, resistance: np.ndarray) -> sparse.csr_matrix:
    """(n, n) between the nodes of each area."""
    one, other, weight = _edges(nodes.of, nodes.size, nodes.area, resistance)
    rows, columns = np.concatenate([one, other]), np.concatenate([other, one])
    shape = len(nodes.first), len(nodes.first)
    return sparse.csr_matrix((np.tile(weight, 2), (rows, columns)), shape)


def _parts(area: np.ndarray, nodes: _Nodes) -> Iterator[tuple[np.ndarray, slice]]:
    """Of each area: its pixels, indices in their order, and its nodes."""
    pixels = np.flatnonzero(area)
    pixels = pixels[np.argsort(area.ravel()[pixels], kind="stable")]
    names, begin = np.unique(nodes.area, return_index=True)
    ends = [*begin[1:].tolist(), len(nodes.area)]
    split = np.searchsorted(area.ravel()[pixels], names[1:])
    for inside, low, high in zip(np.split(pixels, split), begin.tolist(), ends, strict=True):
        yield inside, slice(low, high)


def _belongs(embedding: np.ndarray, of_seed: np.ndarray, tint: np.ndarray) -> np.ndarray:
    """(n, tints) odds of each node's colour, by the nearest seed of that colour."""
    apart = np.full((len(embedding), int(tint.max()) + 1), np.inf, np.float32)
    for seen, kind in zip(of_seed, tint, strict=True):
        far = np.square(embedding - seen).sum(1)
        np.minimum(apart[:, kind], far, out=apart[:, kind])
    odds = np.exp(apart.min(1, keepdims=True) - apart)
    return np.asarray(odds / odds.sum(1, keepdims=True), np.float64)


def _arrivals(
    graph: sparse.csr_matrix, known: np.ndarray, pull: np.ndarray, belongs: np.ndarray
) -> np.ndarray:
    """(n, tints): how likely a walk from each node arrives first at each colour.

    known: (n,) the colour of a hint, -1 = none. pull: (n,) weight of ``belongs`` (n, tints).
    """
    free, fixed = np.flatnonzero(known < 0), np.flatnonzero(known >= 0)
    arrive = np.zeros(belongs.shape)
    arrive[fixed, known[fixed]] = 1
    if len(free):
        beside = graph[free]
        total = np.asarray(beside.sum(1)).ravel() + pull[free]
        wanted = beside[:, fixed] @ arrive[fixed] + pull[free, None] * belongs[free]
        laplacian = sparse.diags(total) - beside[:, free]
        solver = splu(
            laplacian.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        arrive[free] = solver.solve(wanted)
    return arrive


def _unsettled(
    graph: sparse.csr_matrix, best: np.ndarray, size: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """For each colour the blocks where another one is near, and these with all beside them.

    best: (n,) the colour of each node so far. Yields the colour and (n,) bool twice.
    """
    links = graph.tocoo()

    def spread(some: np.ndarray) -> np.ndarray:
        wider = some.copy()
        wider[links.row[some[links.col]]] = True
        return wider

    differs = np.zeros(len(best), bool)
    differs[links.row[best[links.row] != best[links.col]]] = True
    band = spread(differs) & (size > 1)
    for number in np.unique(best[differs]).tolist():
        settling = spread(spread(best == number)) & band
        yield number, settling, spread(settling)


def _without_islands(shared: np.ndarray, area: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The same, but what is cut off from all hints of its colour follows what is beside it."""
    part = label_parts(shared, connectivity=2)
    reached = np.zeros(int(part.max()) + 1, bool)
    reached[part[seeds > 0]] = True
    islands = (shared > 0) & ~reached[part]
    if not islands.any():
        return shared
    around = np.where(cv2.dilate(islands.astype(np.uint8), np.ones((3, 3))) > 0, area, 0)
    known = np.where(islands | (around == 0), 0, shared).astype(np.int32)
    even, flat = np.ones(area.shape, np.float32), np.zeros(area.shape, np.float32)
    no_level = np.zeros(int(shared.max()) + 1, np.float32)
    near = share_area(known, around, even, flat, no_level, 0.0, 0.0)
    return np.where(islands & (near > 0), near, shared)


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def _grown(array: np.ndarray, room: int) -> np.ndarray:
    grown = np.empty(room, array.dtype)
    grown[: len(array)] = array
    return grown


@numba.njit(cache=True)
def _settle(
    value: np.ndarray,
    band: np.ndarray,
    of: np.ndarray,
    area: np.ndarray,
    resistance: np.ndarray,
) -> None:
    """Let the pixels of a ``band``, indices, have in ``value`` (H * W,) what walks of them give."""
    height, width = of.shape
    for sweep in range(2 * SWEEPS):
        for n in range(len(band)):
            p = band[n] if sweep % 2 == 0 else band[len(band) - 1 - n]
            y, x = p // width, p % width
            total, weight = 0.0, 0.0
            for k in range(4):
                yy, xx = y + _DY[k], x + _DX[k]
                if yy < 0 or xx < 0 or yy >= height or xx >= width:
                    continue
                j = of[yy, xx]
                if j < 0 or area[j] != area[of[y, x]]:
                    continue
                w = 1.0 / (resistance[y, x] + resistance[yy, xx])
                total += w * value[yy * width + xx]
                weight += w
            if weight > 0:
                value[p] = total / weight
