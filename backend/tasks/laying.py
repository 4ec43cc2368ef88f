"""What a reference shows at the same place, where its lines fall on those of the drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from backend.regions.describe import to_square
from backend.regions.register import INK, lay

from .sources import View

BELIEF = 0.8  # weight of the place against the network where all lines agree
GROUND = 0.5  # of that weight has the ground around a source's figure, for figures move in it
CERTAIN = 16  # ... and all where lines agree fully: trust to this power
LARGE = 0.004  # of the square; smaller regions may have moved as a whole
DIVIDING = 0.85  # trust from which a region may have several paints
MOSTLY = 0.7  # share of a patch on the ground that is trusted so, and the rest with it
HELD = 0.1  # share of its outline that lies on the figure's own lines, or it floats
MISSING = 0.15  # share of its outline that may be a line in the source alone
NEAR = 11  # pixels of the square within which a line is the same
LEAST_DEPTH = 3.0  # pixels of the square; thinner pieces are lines that missed each other
LEAST_PIECE = 12  # pixels of the square
MOST_PIECES = 256
SPECK = 0.02  # share of an area; a paint of less is none of its own
RIM = 24  # of 255: fainter ink does not change a colour that is seen through it
EDGE = 0.6  # blur, in pixels of the square, that rounds the steps of a piece's edge


@dataclass(frozen=True)
class LaidPaints:
    """What the sources show where, in the square of a `View`.

    paint: (S, S) int, in the joint palette. trust: (S, S) float32 in [0, 1]. closed: (S, S) int,
    which area closed by lines of a source it lies in. within: (C, P) bool, the paints of those.
    shown: (S, S, 3) float32 RGB in 0..255, the source itself, NaN at its lines. lined: (S, S) bool,
    where a source has a line. paper: (S, S) float32, the trust where a source shows the ground
    around its figure, in the paint ``ground``, (S, S) int.
    """

    paint: np.ndarray
    trust: np.ndarray
    closed: np.ndarray
    within: np.ndarray
    shown: np.ndarray
    lined: np.ndarray
    paper: np.ndarray
    ground: np.ndarray


@dataclass(frozen=True)
class Piece:
    """A part of the region ``owner`` with another ``paint``.

    mask: (h, w) bool at (top, left) of the square. trust: float in [0, 1].
    """

    owner: int
    paint: int
    top: int
    left: int
    mask: np.ndarray
    trust: float


def lay_views(
    target: View,
    views: Sequence[View],
    places: Sequence[np.ndarray],
    paints: int,
    grounds: Sequence[int],
) -> LaidPaints:
    """The views of sources laid on the target; of several the one with the nearest lines counts.

    views: one of each source (`facing`). places: of its paints in the joint palette, which has
    ``paints``. grounds: the paint around each of their figures, -1 for none.
    """
    shape = target.ink.shape
    paint, closed = np.zeros(shape, int), np.zeros(shape, int)
    trust = np.zeros(shape, np.float32)
    shown = np.full((*shape, 3), np.nan, np.float32)
    paper, ground = np.zeros(shape, np.float32), np.zeros(shape, int)
    lined = np.zeros(shape, bool)
    within = []
    areas = 0
    for view, place, around in zip(views, places, grounds, strict=True):
        assert view.painting is not None and view.shown is not None  # as every source has
        laid = lay(target.ink, view.ink)
        own = laid.carry(view.painting)
        # where a figure ends is told by its own lines alone
        nearer = (laid.trust > trust) & (own >= 0)
        if around >= 0:
            open_here = (laid.trust > paper) & (own < 0)
            paper[open_here], ground[open_here] = laid.trust[open_here], around
        paint[nearer] = place[own[nearer]]
        trust[nearer] = laid.trust[nearer]
        closed[nearer] = laid.carry(view.areas)[nearer] + areas
        shown[nearer] = laid.carry_colors(_off_lines(view.shown, view.ink))[nearer]
        lined |= laid.carry((view.ink >= INK).astype(np.uint8)) > 0
        within.append(_paints_within(view.areas, view.painting, place, paints, around))
        areas += len(within[-1])
    paper[paper <= trust] = 0
    return LaidPaints(paint, trust, closed, np.concatenate(within), shown, lined, paper, ground)


def _off_lines(shown: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """(S, S, 3) float32 of `View.shown`, NaN where lines and their soft rims are, too."""
    rim = cv2.dilate((ink > RIM).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(rim[..., None], np.nan, shown.astype(np.float32))


def _paints_within(
    areas: np.ndarray, painting: np.ndarray, place: np.ndarray, paints: int, ground: int
) -> np.ndarray:
    """(n_areas, P) bool: the paints that more than a speck of each area has, that of the ground,
    -1 for none, among them.
    """
    count = int(areas.max()) + 1
    paint = np.append(place, ground)[painting]  # -1, the ground, is the last
    known = paint >= 0
    pair = areas[known] * paints + paint[known]
    amount = np.bincount(pair, minlength=count * paints).reshape(count, paints)
    return np.asarray(amount > SPECK * np.bincount(areas.ravel(), minlength=count)[:, None])


def believe(score: np.ndarray, view: View, laid: LaidPaints) -> np.ndarray:
    """(N, P) scores of the described regions with what lies on them, as far as lines agree."""
    at = view.areas > 0
    place = np.zeros(int(view.areas.max()) + 1, int)
    place[view.regions.number] = np.arange(1, len(score) + 1)
    is_paper = laid.paper > 0
    kind = np.where(is_paper, laid.ground, laid.paint)[at]
    region = place[view.areas[at]]
    paper = laid.paper[at]
    # white parts of a figure may have been taken for the ground around it
    large = np.append(False, view.regions.share >= LARGE)[region]
    of_ground = paper * np.where(large, GROUND + (1 - GROUND) * paper**CERTAIN, GROUND)
    weight = np.where(is_paper[at], of_ground, laid.trust[at])
    share = np.zeros((len(score) + 1, score.shape[1]))
    np.add.at(share, (region, kind), weight)
    amount = np.maximum(1, np.bincount(region, minlength=len(score) + 1))[:, None]
    share = (share / amount)[1:]
    belief = BELIEF * share.sum(1, keepdims=True)
    return np.asarray((1 - belief) * score + belief * share)


def divide(
    label: np.ndarray,
    colour: np.ndarray,
    sure: np.ndarray,
    view: View,
    laid: LaidPaints,
    whole: np.ndarray,
    dark: np.ndarray,
    ground: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of another paint inside one region, such as a shadow, as regions of their own.

    label: (h, w) int32, changed in place. colour, sure: by region id. whole: (n,) bool by region
    id, may not be divided. dark: (P,) bool, paints that may be lines of a source. ground: (n,)
    bool, around the figure: what is shown there is a part of it that no line ends. Returns colour
    and sure with those of the pieces added.
    """
    shown = ~whole[view.areas] & (laid.trust > 0)
    other = shown & (laid.paint + 1 != colour[view.areas]) & ~dark[laid.paint]
    # what lines close in the source, such as an open eye, is no part of a larger region
    other[other] = laid.within[laid.closed[other], colour[view.areas[other]] - 1]
    outside = ground[view.areas]
    other &= np.where(outside, _open_parts(other & outside, view, laid), laid.trust >= DIVIDING)
    colours, sures = list(colour), list(sure)
    for piece in _pieces(other, view, laid):
        rows, columns, shape = _enlarged(piece, view, label.shape)
        part = label[rows, columns]
        at = shape & (part == piece.owner)
        if at.any():
            part[at] = len(colours)
            colours.append(piece.paint + 1)
            sures.append(piece.trust)
        if len(colours) - len(colour) >= MOST_PIECES:
            break
    return np.array(colours, colour.dtype), np.array(sures, sure.dtype)


def _open_parts(shown: np.ndarray, view: View, laid: LaidPaints) -> np.ndarray:
    """(S, S) bool: of what is ``shown``, (S, S) bool, on the ground, parts of the figure that no
    line ends: patches of one paint, mostly sure, for in the middle of a large one no line tells.

    A patch that a line ends in its source alone, such as longer hair, is not in the drawing, nor is
    one that stands by itself, such as lettering.
    """
    found = np.zeros_like(shown)
    beside = np.ones((3, 3), np.uint8)
    drawn = cv2.dilate(view.ink, np.ones((NEAR, NEAR), np.uint8)) >= INK
    missing = laid.lined & ~drawn
    for kind in np.unique(laid.paint[shown]):
        one = shown & (laid.paint == kind)
        count, parts = cv2.connectedComponents(one.astype(np.uint8), connectivity=4)
        sure = np.bincount(parts.ravel(), (laid.trust >= DIVIDING).ravel(), count)
        fits = sure >= MOSTLY * np.bincount(parts.ravel(), None, count)
        around = cv2.dilate(parts.astype(np.float32), beside).astype(int)
        rim = (parts == 0) & (around > 0)
        outline = np.bincount(around[rim], None, count)
        fits &= np.bincount(around[rim], missing[rim], count) <= MISSING * outline
        fits &= np.bincount(around[rim], drawn[rim], count) >= HELD * outline
        found |= one & fits[parts]
    return found


def _pieces(other: np.ndarray, view: View, laid: LaidPaints) -> Iterator[Piece]:
    """The connected parts of (S, S) bool in one paint, by owner; thin and tiny ones left out."""
    for kind in np.unique(laid.paint[other]):
        one = (other & (laid.paint == kind)).astype(np.uint8)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(one, connectivity=4)
        depth = np.zeros(count)
        np.maximum.at(depth, parts, cv2.distanceTransform(one, cv2.DIST_L2, 5))
        kept = (stats[:, cv2.CC_STAT_AREA] >= LEAST_PIECE) & (depth >= LEAST_DEPTH)
        for part in np.flatnonzero(kept[1:]) + 1:
            left, top, width, height = stats[part, : cv2.CC_STAT_AREA]
            box = slice(top, top + height), slice(left, left + width)
            mask, areas = parts[box] == part, view.areas[box]
            for owner in np.unique(areas[mask]):
                own = mask & (areas == owner)
                yield Piece(owner, kind, top, left, own, float(laid.trust[box][own].mean()))


def _enlarged(piece: Piece, view: View, shape: tuple[int, int]) -> tuple[slice, slice, np.ndarray]:
    """A piece on the canvas of ``shape``: rows, columns and a mask of them, with a smooth edge."""
    margin = 2
    square = view.areas.shape[0]
    matrix = to_square(view.box, square)
    size = np.array(piece.mask.shape) + 2 * margin
    start = np.array([piece.top, piece.left]) - margin
    scale, move = matrix[0, 0], matrix[::-1, 2]
    low = np.floor((start - move) / scale).astype(int).clip(0, shape)
    high = (np.ceil((start + size - move) / scale).astype(int) + 1).clip(0, shape)
    soft = cv2.GaussianBlur(np.pad(piece.mask, margin).astype(np.float32), (0, 0), EDGE)
    matrix[:, 2] += matrix[0, 0] * low[::-1] - start[::-1]
    turned = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    wide, tall = (int(n) for n in (high - low)[::-1])
    rows, columns = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    if not wide or not tall:
        return rows, columns, np.zeros((tall, wide), bool)
    return rows, columns, np.asarray(cv2.warpAffine(soft, matrix, (wide, tall), flags=turned) > 0.5)
