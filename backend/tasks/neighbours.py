"""The frame coloured before helps with those regions of a frame that no key frame matches well."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.regions.describe import closed_areas, crop, figure_box
from backend.regions.palette import paint
from backend.regions.register import SIDE, lay

from .canvas import Canvas
from .layer import LayerResult

AGREED = 0.7  # share of a region, as far as lines agree, in which the frame before has one colour


@dataclass(frozen=True)
class Neighbour:
    """A frame that has been coloured, at working resolution.

    ink: (h, w) uint8. shown: (h, w) int32, 1 + the place in ``palette`` (P, 4) uint8, and 0 where
    its own colour is doubtful or none.
    """

    time: float
    ink: np.ndarray
    shown: np.ndarray
    palette: np.ndarray


def as_neighbour(time: float, canvas: Canvas, result: LayerResult) -> Neighbour:
    """What the frames after it may follow of a frame."""
    told = np.where(result.doubtful, 0, result.region_palette + 1)
    return Neighbour(time, canvas.ink, told[_working(canvas, result)], result.palette)


def follow_neighbour(canvas: Canvas, result: LayerResult, before: Neighbour) -> LayerResult:
    """The doubtful regions take the colour that the frame before surely has at their place.

    They stay as doubtful as they were, so that a mistake is neither hidden nor handed on.
    """
    doubtful = result.doubtful
    label = _working(canvas, result)
    if before.ink.shape != canvas.ink.shape or not doubtful[label].any():
        return result
    box = figure_box(closed_areas(canvas.chambers.label))
    ours, theirs = (crop(ink, box, SIDE, 0, exact=False) for ink in (canvas.ink, before.ink))
    laid = lay(ours, theirs)
    shown = laid.carry(crop(before.shown, box, SIDE, 0, exact=True))
    label = crop(label, box, SIDE, 0, exact=True)
    at = np.flatnonzero(doubtful[label])
    votes = np.zeros((len(doubtful), len(before.palette) + 1))
    np.add.at(votes, (label.ravel()[at], shown.ravel()[at]), laid.trust.ravel()[at])
    area = np.bincount(label.ravel()[at], minlength=len(doubtful))
    best = votes[:, 1:].argmax(1)
    taken = np.flatnonzero(votes[np.arange(len(best)), best + 1] >= AGREED * np.maximum(1, area))
    if not len(taken):
        return result
    colours, one_of = np.unique(before.palette[best[taken]], axis=0, return_inverse=True)
    known = (result.palette[None] == colours[:, None]).all(2)
    is_new = ~known.any(1)
    place = np.where(is_new, len(result.palette) + np.cumsum(is_new) - 1, known.argmax(1))
    region_palette = result.region_palette.copy()
    region_palette[taken] = place[one_of.ravel()]
    palette = np.concatenate([result.palette, colours[is_new]])
    flats = paint(result.regions, region_palette, palette, palette.shape[1])
    return replace(result, flats=flats, palette=palette, region_palette=region_palette)


def _working(canvas: Canvas, result: LayerResult) -> np.ndarray:
    """(h, w) int32: the regions at working resolution."""
    size = canvas.ink.shape[::-1]
    return cv2.resize(result.regions, size, interpolation=cv2.INTER_NEAREST_EXACT)
