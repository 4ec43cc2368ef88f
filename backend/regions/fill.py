"""From hints to regions: which chamber gets which hint's colour."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from backend.imaging.hints import Hints
from backend.regions.areas import BACKGROUND, Areas, border_contact, join_chambers
from backend.regions.borders import Borders
from backend.regions.flood import share_area
from backend.regions.ground import seed_ground
from backend.regions.refine import spread_under_ink
from backend.regions.segment import Chambers
from backend.regions.walk import share_by_walks

SPILL_SHARE = 0.25  # a smaller part of a mark that reaches into another chamber may be a slip
SPILL_DEPTH = 0.35  # ... if it does not go deeper than this share of that chamber's depth
STRICTNESS = (6.0, 1.5)  # how little a hint likes to go further from the lines, or nearer to them
OPENNESS_OUTSIDE = 3.0  # where the ground may leak in, paths are faster in the open: a power ...
OPEN_DEPTH = 0.02  # ... of how much deeper than this, in sides of the drawing, a place is
CROSSING = 0.15  # cost of a pixel on a closed gap, as a path's length in sides of the drawing
CRUMB = 2  # pixels without a hint that are not left white
CRUMB_IN_WALL = 1.5e-4  # ... of the drawing's side squared, within a closed gap
THROUGH_NECK = 4.0  # an unhinted chamber joins through a gap if at most this many times as large
THROUGH_LINK = 1.5  # ... and through a gap that a closure has closed
THROUGH_NECK_AT_BORDER = 1.0  # ... and where it may be the open background
AT_BORDER = BACKGROUND / 4  # share of the canvas border from which a chamber may be that


@dataclass(frozen=True)
class Regions:
    """label: (H, W) int32, 0 = ink, regions from 1. colour: by region, 0 = none, else 1 + index."""

    label: np.ndarray
    colour: np.ndarray


def fill_chambers(
    chambers: Chambers,
    hints: Hints,
    *,
    borders: Borders | None = None,
    everything: bool = False,
) -> Regions:
    """Give every chamber that hints reach a colour.

    hints: at the size of the chambers. borders: as for `find_chambers`, where they were found with
    any. everything: colour also the chambers that no gap joins to a hinted one, from the nearest
    coloured place.
    """
    areas = join_chambers(chambers)
    chambers = areas.chambers
    seeds = _without_spills(chambers, hints)
    seeds[chambers.label == 0] = 0
    contact = border_contact(chambers.label, len(chambers.area))
    hints, ground = seed_ground(areas, seeds, hints, contact)
    pieces, colour, piece_of_hinted = _divide(areas, seeds, hints, borders)
    colour = _adopt(areas, pieces, colour, piece_of_hinted, contact, ground)
    colour[colour > len(hints.colours)] = 0  # ground that nobody hinted
    if everything:
        colour = _colour_rest(pieces, colour)
    pieces[_crumbs(pieces, colour, chambers.walls)] = 0
    return _unite(pieces, colour)


def _without_spills(chambers: Chambers, hints: Hints) -> np.ndarray:
    """(H, W) int32 marks (blots) less the parts that slipped over a line by accident."""
    blots = hints.blots.copy()
    at = np.flatnonzero(blots)
    chamber = chambers.label.ravel()[at]
    blot = blots.ravel()[at].astype(np.int64)
    inside = chamber > 0
    at, chamber, blot = at[inside], chamber[inside], blot[inside]
    if not len(at):
        return blots
    key = blot * (len(chambers.area)) + chamber
    parts, inverse, amount = np.unique(key, return_inverse=True, return_counts=True)
    part_blot, part_chamber = parts // len(chambers.area), parts % len(chambers.area)
    deepest = np.zeros(len(parts), np.float32)
    np.maximum.at(deepest, inverse.ravel(), chambers.depth.ravel()[at])
    whole = np.bincount(part_blot, weights=amount)
    most = np.zeros(len(whole))
    np.maximum.at(most, part_blot, amount)
    home = amount == most[part_blot]
    slip = ~home & (amount < SPILL_SHARE * whole[part_blot])
    slip &= deepest < np.maximum(3, SPILL_DEPTH * chambers.peak[part_chamber])
    blots.ravel()[at[slip[inverse.ravel()]]] = 0
    return blots


def _divide(
    areas: Areas, seeds: np.ndarray, hints: Hints, borders: Borders | None
) -> tuple[np.ndarray, np.ndarray, dict[int, list[int]]]:
    """Cut the chambers that hold several colours: pieces, their colours, pieces by chamber."""
    chambers = areas.chambers
    at = np.flatnonzero(seeds)
    chamber, tint = chambers.label.ravel()[at], hints.colour_of_blot[seeds.ravel()[at]]
    kinds_of_tint = len(hints.colours) + 2  # one stands for ground without a hint
    pairs = np.unique(chamber.astype(np.int64) * kinds_of_tint + tint)
    held = np.column_stack([pairs // kinds_of_tint, pairs % kinds_of_tint]).astype(np.int32)
    pieces = chambers.label.copy()
    colour = np.zeros(len(chambers.area), np.int32)
    count = np.bincount(held[:, 0], minlength=len(colour))
    single = held[count[held[:, 0]] == 1]
    colour[single[:, 0]] = single[:, 1]
    by_chamber = {int(c): [int(c)] for c in held[:, 0]}
    mixed = np.flatnonzero(count > 1)
    if not len(mixed):
        return pieces, colour, by_chamber
    contested = np.where(count > 1, np.arange(len(count)), 0).astype(np.int32)[chambers.label]
    shared = _share(areas, seeds, hints, contested, borders)
    where = np.flatnonzero(shared)
    tint = shared.ravel()[where].astype(np.int64)
    key = contested.ravel()[where].astype(np.int64) * kinds_of_tint + tint
    kinds, inverse = np.unique(key, return_inverse=True)
    pieces.ravel()[where] = len(colour) + inverse.ravel()
    for number, kind in enumerate(kinds):
        by_chamber.setdefault(int(kind // kinds_of_tint), []).append(len(colour) + number)
    colour = np.concatenate([colour, (kinds % kinds_of_tint).astype(np.int32)])
    for c in mixed:
        by_chamber[int(c)].remove(int(c))
    return pieces, colour, by_chamber


def _share(
    areas: Areas, seeds: np.ndarray, hints: Hints, contested: np.ndarray, borders: Borders | None
) -> np.ndarray:
    """(H, W) int32: the colour of each contested pixel; by walks, or without borders by paths."""
    side = max(seeds.shape)
    depth = np.maximum(areas.chambers.depth, 1)
    in_the_open = (np.float32(OPEN_DEPTH * side) / depth) ** np.float32(OPENNESS_OUTSIDE)
    step = np.where(areas.outside, in_the_open, np.float32(1))
    inside = np.where(contested > 0, seeds, 0).astype(np.int32)
    names = int(seeds.max()) + 1
    shared = np.zeros(seeds.shape, np.int32)
    if borders is not None:
        of_seed = borders.seed_embeddings(seeds, names)
        shared = share_by_walks(inside, hints.colour_of_blot, contested, step, borders, of_seed)
    left = np.where(shared == 0, contested, 0).astype(np.int32)
    if left.any():
        step[areas.crossings] = CROSSING * side
        level = np.log(depth).astype(np.float32)
        level_of_seed = np.zeros(names, np.float32)
        at = np.flatnonzero(seeds)
        np.maximum.at(level_of_seed, seeds.ravel()[at], level.ravel()[at])
        owner = share_area(inside, left, step, level, level_of_seed, *STRICTNESS)
        shared[left > 0] = hints.colour_of_blot[owner[left > 0]]
    return shared


def _adopt(
    areas: Areas,
    pieces: np.ndarray,
    colour: np.ndarray,
    by_chamber: dict[int, list[int]],
    contact: np.ndarray,
    ground: int,
) -> np.ndarray:
    """Colour unhinted chambers from those that a gap joins them to, the widest gap first."""
    area = np.bincount(pieces.ravel(), minlength=len(colour)).astype(np.float64)
    joined = _joined(areas, contact, ground)
    perimeter = 2 * sum(pieces.shape)
    result = colour.copy()
    reach = area.copy()
    queue: list[tuple[float, int, int, float]] = []

    def offer(chamber: int, piece: int) -> None:
        for other, width, limit in joined.get(chamber, ()):
            if other not in by_chamber and result[other] == 0:
                heapq.heappush(queue, (-width, other, piece, limit))

    for chamber, own in by_chamber.items():
        offer(chamber, max(own, key=area.__getitem__))
    while queue:
        _, chamber, piece, limit = heapq.heappop(queue)
        if contact[chamber] > AT_BORDER * perimeter and limit < np.inf:
            limit = THROUGH_NECK_AT_BORDER
        if result[chamber] or area[chamber] > limit * reach[piece]:
            continue
        result[chamber] = result[piece]
        reach[chamber] = reach[piece] + area[chamber]
        offer(chamber, chamber)
    return result


def _joined(
    areas: Areas, contact: np.ndarray, ground: int
) -> dict[int, list[tuple[int, float, float]]]:
    """By chamber the others that a gap joins it to: chamber, half width of the gap in pixels, and
    how many times as large as what it joins that chamber may be.

    contact: as `border_contact`, by chamber. ground: its chamber, 0 for none.
    """
    chambers = areas.chambers
    joined: dict[int, list[tuple[int, float, float]]] = {}
    for one, other, width in chambers.necks:
        joined.setdefault(int(one), []).append((int(other), float(width), THROUGH_NECK))
        joined.setdefault(int(other), []).append((int(one), float(width), THROUGH_NECK))
    for one, other in chambers.links:
        joined.setdefault(int(one), []).append((int(other), 0.0, THROUGH_LINK))
        joined.setdefault(int(other), []).append((int(one), 0.0, THROUGH_LINK))
    open_sides = np.flatnonzero(contact >= AT_BORDER * (2 * sum(chambers.label.shape)))
    closed_off = np.zeros(len(chambers.area), np.int32)
    closed_off[chambers.label.ravel()] = areas.closed.ravel()
    open_sides = open_sides[closed_off[open_sides] == closed_off[ground]]
    for other in open_sides if ground else ():  # the background goes on outside the canvas
        width = min(contact[ground], contact[other]) / 2
        joined.setdefault(ground, []).append((int(other), float(width), np.inf))
    return joined


def _colour_rest(pieces: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Colour what is left from the nearest coloured place, by majority of its border."""
    tints = colour[pieces]
    if not tints.any():
        return colour
    rest = np.flatnonzero((pieces > 0) & (tints == 0))
    piece, tint = pieces.ravel()[rest], spread_under_ink(tints).ravel()[rest]
    pairs, votes = np.unique(np.column_stack([piece, tint]), axis=0, return_counts=True)
    result = colour.copy()
    for row in np.argsort(votes):
        result[pairs[row, 0]] = pairs[row, 1]
    return result


def _crumbs(pieces: np.ndarray, colour: np.ndarray, walls: np.ndarray) -> np.ndarray:
    """(H, W) bool: tiny pieces without a colour that lie in a wall rather than between lines."""
    area = np.bincount(pieces.ravel(), minlength=len(colour))
    most = CRUMB_IN_WALL * max(pieces.shape) ** 2
    small = (colour == 0) & (area <= max(most, CRUMB))
    small[0] = False
    empty = np.flatnonzero(small[pieces])
    piece = pieces.ravel()[empty]
    width = pieces.shape[1]
    beside, walled = np.zeros((2, len(colour)), np.int64)
    closed, wall = np.pad(pieces == 0, 1, mode="edge"), np.pad(walls, 1, mode="edge")
    y, x = empty // width + 1, empty % width + 1
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        at = y + down, x + right
        beside += np.bincount(piece, closed[at], len(colour)).astype(np.int64)
        walled += np.bincount(piece, closed[at] & wall[at], len(colour)).astype(np.int64)
    crumb = small & ((area <= CRUMB) | ((area <= most) & (2 * walled > beside)))
    return np.asarray(crumb[pieces])


def _unite(pieces: np.ndarray, colour: np.ndarray) -> Regions:
    """Number the pieces from 1 without holes."""
    used = np.flatnonzero(np.bincount(pieces.ravel()))
    used = used[used > 0]
    number = np.zeros(len(colour), np.int32)
    number[used] = np.arange(1, len(used) + 1)
    compact = np.zeros(len(used) + 1, np.int32)
    compact[1:] = colour[used]
    return Regions(number[pieces], compact)
