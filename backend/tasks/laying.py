"""What a reference shows at the same place, where its lines fall on those of the drawing."""

from __future__ import annotations

import cv2
import numpy as np

from .sources import View

BELIEF = 0.8  # weight of the place against the network where all lines agree
DIVIDING = 0.85  # trust from which a region may have several paints
LEAST_DEPTH = 2.0  # pixels of the square; thinner pieces are lines that missed each other
LEAST_PIECE = 12  # pixels of the square
MOST_PIECES = 256

LaidPaints = tuple[np.ndarray, np.ndarray]


def believe(score: np.ndarray, view: View, laid: LaidPaints) -> np.ndarray:
    """(N, P) scores of the described regions with what lies on them, as far as lines agree."""
    paint, trust = laid
    at = view.areas > 0
    place = np.zeros(int(view.areas.max()) + 1, int)
    place[view.regions.number] = np.arange(1, len(score) + 1)
    region, kind, weight = place[view.areas[at]], paint[at], trust[at]
    share = np.zeros((len(score) + 1, score.shape[1]))
    np.add.at(share, (region, kind), weight)
    amount = np.maximum(1, np.bincount(region, minlength=len(score) + 1))[:, None]
    share = share / amount
    belief = BELIEF * share.sum(1, keepdims=True)
    mixed = (1 - belief) * np.vstack([np.zeros((1, score.shape[1])), score]) + belief * share
    return np.asarray(mixed[1:])


def divide(
    label: np.ndarray,
    colour: np.ndarray,
    sure: np.ndarray,
    view: View,
    laid: LaidPaints,
    take: np.ndarray,
    ground: np.ndarray,
    dark: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of another paint inside one region, such as a shadow, as regions of their own.

    label: (h, w) int32, changed in place. take: (N,) bool, which described regions the sources have
    coloured. ground: (n,) bool by region id, stays whole. dark: (P,) bool, paints that would be
    drawn as ink. Returns colour and sure with those of the pieces added.
    """
    paint, trust = laid
    open_to = np.zeros(len(colour), bool)
    open_to[view.regions.number[take]] = True
    open_to[: len(ground)] &= ~ground
    inside = open_to[view.areas] & (trust >= DIVIDING)
    other = inside & (paint + 1 != colour[view.areas])
    colours, sures = [colour], [sure]
    added = len(colour)
    for kind in np.setdiff1d(np.unique(paint[other]), np.flatnonzero(dark)):
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(
            (other & (paint == kind)).astype(np.uint8), connectivity=4
        )
        depth = cv2.distanceTransform((pieces > 0).astype(np.uint8), cv2.DIST_L2, 5)
        for piece in range(1, count):
            if added - len(colour) >= MOST_PIECES:
                break
            mask = pieces == piece
            if stats[piece, cv2.CC_STAT_AREA] < LEAST_PIECE or depth[mask].max() < LEAST_DEPTH:
                continue
            for owner in np.unique(view.areas[mask]):
                own = mask & (view.areas == owner)
                at = _enlarged(own, view, label.shape) & (label == owner)
                if not at.any():
                    continue
                label[at] = added
                colours.append(np.array([kind + 1], colour.dtype))
                sures.append(np.array([trust[own].mean()], sure.dtype))
                added += 1
    return np.concatenate(colours), np.concatenate(sures)


def _enlarged(mask: np.ndarray, view: View, shape: tuple[int, int]) -> np.ndarray:
    """(h, w) bool: a mask of the square on the canvas, with a smooth edge."""
    scale = view.box.side / mask.shape[0]
    matrix = np.array(
        [
            [scale, 0, view.box.left + 0.5 * scale - 0.5],
            [0, scale, view.box.top + 0.5 * scale - 0.5],
        ]
    )
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.6)
    return np.asarray(cv2.warpAffine(soft, matrix, shape[::-1], flags=cv2.INTER_LINEAR) > 0.5)
