"""Areas shared among hints by random walks: at whose hint does a walk from a pixel first arrive?

A shortest path slips through the one weak place of a border and takes what lies behind; walks weigh
all ways at once. Random walker segmentation after Grady, "Random Walks for Image Segmentation"
(PAMI 2006), with priors after Grady, "Multilabel Random Walker Image Segmentation Using Prior
Models" (CVPR 2005).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu
from skimage.measure import label as label_parts

from backend.imaging.compiled import compiled
from backend.regions.borders import Borders
from backend.regions.flood import share_area
from backend.regions.graph import conductance, find_nodes, parts

OVER_BORDER = 5000.0  # how much harder a pixel is to cross where a border is certain
CERTAINTY = 2.0  # ... by how likely it is, to this power
PRIOR = 30.0  # weight of what belongs together, over an area as large as the drawing squared
MOST_VALUES = 8_000_000  # nodes of an area times its colours, that are solved for
SWEEPS = 8  # there and back over the pixels, from the values of the nodes

_DX = np.array([-1, 1, 0, 0], np.int32)
_DY = np.array([0, 0, -1, 1], np.int32)


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
    nodes = find_nodes(seeds, area, borders.likely)
    graph = conductance(nodes, resistance)
    seed = seeds.ravel()[nodes.first]
    middle = nodes.first + nodes.size // 2 * (area.shape[1] + 1)
    embedding = borders.embedding.reshape(area.size, -1)[middle]
    prior = PRIOR / max(area.shape) ** 2
    shared = np.zeros(area.size, np.int32)
    value, most = np.zeros(area.size, np.float32), np.zeros(area.size, np.float32)
    for inside, part in parts(area, nodes):
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


@compiled
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
