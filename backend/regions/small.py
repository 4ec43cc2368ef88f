"""Regions that the working copy is too coarse for: lines at full size close them around hints."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.hints import Hints
from backend.regions.fill import SPILL_SHARE

FEW = 4  # working pixels; of what is smaller the working copy cannot tell


def honour_small(
    label: np.ndarray, colour: np.ndarray, free: np.ndarray, hints: Hints, working: np.ndarray
) -> np.ndarray:
    """Where full-size lines close an area around a hint that has not come through, it gets it.

    That is an area that the working copy does not see, or sees as one region without the hint,
    which then lies there on lines. A hint that has slipped into an area decides nothing there.

    label: (H, W) int32 regions, changed in place. colour: (n + 1,) by region, 1 + index into the
    colours of the hints, 0 = none. free: (H, W) bool, beside the lines. working: (h, w) int32, the
    regions at working resolution. Returns the colours with those of the new regions added.
    """
    ys, xs = np.nonzero(free & (hints.blots > 0))
    blot = hints.blots[ys, xs]
    wrong = colour[label[ys, xs]] != hints.colour_of_blot[blot]
    if not wrong.any():
        return colour
    count, closed = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
    at = closed[ys, xs]
    kept = ~_slipped(blot, at, count)
    at, blot, wrong = at[kept], blot[kept], wrong[kept]
    kinds = np.unique(np.column_stack([at, hints.colour_of_blot[blot]]), axis=0)
    alone = kinds[np.bincount(kinds[:, 0])[kinds[:, 0]] == 1]
    unseen, single = _as_seen(closed, count, working)
    arrived = np.bincount(blot[~wrong], minlength=len(hints.colour_of_blot)) > 0
    suspects = np.unique(at[wrong & (unseen[at] | (single[at] & ~arrived[blot]))])
    added: list[int] = []
    for area, wanted in alone[np.isin(alone[:, 0], suspects)]:
        label[closed == area] = len(colour) + len(added)
        added.append(int(wanted))
    return np.concatenate([colour, np.array(added, np.int32)])


def _slipped(blot: np.ndarray, area: np.ndarray, count: int) -> np.ndarray:
    """(N,) bool: pixels of a mark in an area that it reaches into by accident.

    blot, area: (N,) of each pixel. count: of areas.
    """
    parts, inverse, amount = np.unique(
        blot.astype(np.int64) * count + area, return_inverse=True, return_counts=True
    )
    of_blot = parts // count
    whole, most = np.zeros((2, int(of_blot[-1]) + 1))
    np.add.at(whole, of_blot, amount)
    np.maximum.at(most, of_blot, amount)
    slip = (amount < SPILL_SHARE * whole[of_blot]) & (amount < most[of_blot])
    return np.asarray(slip[inverse.ravel()])


def _as_seen(closed: np.ndarray, count: int, working: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(count,) bool each: of which areas the working copy shows nothing, and which as one region.

    closed: (H, W) int32 areas.
    """
    rows, columns = (
        (2 * np.arange(small) + 1) * side // (2 * small)
        for small, side in zip(working.shape, closed.shape, strict=True)
    )
    area = closed[rows[:, None], columns].ravel()  # at the middle of each working pixel
    region = working.ravel()
    area, region = area[region > 0], region[region > 0]
    least, most = np.full(count, np.iinfo(np.int32).max), np.zeros(count, np.int32)
    np.minimum.at(least, area, region)
    np.maximum.at(most, area, region)
    return np.bincount(area, minlength=count) < FEW, least == most
