"""Pieces of a region, of which only the places are known, get the edges that a network sees."""

from __future__ import annotations

import numpy as np
from skimage.measure import label as label_parts

from backend.imaging.hints import Hints
from backend.regions.borders import FindBorders
from backend.regions.describe import depth_within
from backend.regions.walk import share_by_walks

SIDE = 512  # longest side that the sizes below are meant for
MARGIN = 0.15  # of its depth: as near to its edge a piece is not sure to be itself
WIDEST = 8.0  # pixels at SIDE; ... but no farther from it than this
SLIVER = 3.0  # pixels at SIDE; what is nowhere deeper follows what is beside it


def settle(
    ink: np.ndarray,
    owner: np.ndarray,
    label: np.ndarray,
    colour: np.ndarray,
    paints: Hints,
    find_borders: FindBorders,
) -> None:
    """Share the areas of ``owner`` anew among the pieces that lie in them; changes ``label``.

    ink: (h, w) uint8 cleaned ink. owner: (h, w) int32, the areas that pieces were cut from, 0 =
    elsewhere. label: (h, w) int32 with the pieces, 0 = lines. colour: by region id, 1 + index into
    the colours of ``paints``.
    """
    key = colour[label].astype(np.int32)
    part = label_parts(key, connectivity=1, background=0).astype(np.int32)
    colour_of_part = np.zeros(int(part.max()) + 1, np.int32)
    colour_of_part[part.ravel()] = key.ravel()
    core = _cores(part)
    marks = np.where(core, key, 0)
    area = _contested(owner, marks)
    if not area.any():
        return
    blots = np.where(core, part, 0)
    borders = find_borders(ink, Hints(marks, paints.colours, blots, colour_of_part))
    seeds = np.where(area > 0, blots, 0)
    even = np.ones(label.shape, np.float32)
    of_seed = borders.seed_embeddings(seeds, len(colour_of_part))
    shared = share_by_walks(seeds, colour_of_part, area, even, borders, of_seed)
    # what changes hands goes to the piece of that colour in the same area
    moved = np.flatnonzero((shared > 0) & (shared != key) & (label > 0))
    inside = np.flatnonzero((owner > 0) & (label > 0))
    kinds = int(colour.max()) + 1
    there, first = np.unique(_pairs(owner, key, kinds)[inside], return_index=True)
    place = np.searchsorted(there, _pairs(owner, shared, kinds)[moved])
    label.ravel()[moved] = label.ravel()[inside[first[place]]]


def _cores(part: np.ndarray) -> np.ndarray:
    """(h, w) bool: of each part, (h, w) int32, what is surely its own; of slivers nothing."""
    scale = max(part.shape) / SIDE
    depth = depth_within(part)
    deepest = np.zeros(int(part.max()) + 1, np.float32)
    np.maximum.at(deepest, part.ravel(), depth.ravel())
    margin = np.minimum(MARGIN * deepest, WIDEST * scale)
    return (part > 0) & (depth >= margin[part]) & (deepest >= SLIVER * scale)[part]


def _contested(owner: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """The areas of ``owner`` with ``marks``, (h, w) int32, of several colours; 0 elsewhere."""
    kinds = int(marks.max()) + 1
    held = np.unique(_pairs(owner, marks, kinds)[np.flatnonzero(marks)])
    several = np.bincount(held // kinds, minlength=int(owner.max()) + 1) > 1
    several[0] = False
    return np.where(several[owner], owner, 0).astype(np.int32)


def _pairs(owner: np.ndarray, colour: np.ndarray, kinds: int) -> np.ndarray:
    """(h * w,) int64: one number for each pair of an area and a colour below ``kinds``."""
    return np.asarray(owner.astype(np.int64) * kinds + colour).ravel()
