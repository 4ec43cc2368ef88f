"""Cutting films into shots by colour histograms (Shi et al. 2023, section 5.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from backend.imaging.color import luma

BINS = 768
_ROWS = 256  # of a long shot that are compared with all others at a time


@dataclass(frozen=True)
class ShotRules:
    """When a film is cut and what is left out.

    ``threshold`` and ``still`` are mean squared differences of 768 raw counts at ``resolution``
    squared pixels: neighbours above the first are cut, shots of which any two frames stay below
    the second are dropped. Raw counts grow with moving area, so flat cel paint needs a higher
    threshold than filmed grain; 0 stands for films that are shots already. ``darkest`` (mean luma)
    and ``palest`` (mean HSV saturation) drop single frames; 0 keeps all.
    """

    threshold: float = 200.0
    resolution: int = 256
    still: float = 10.0
    shortest: int = 8
    darkest: float = 0.10
    palest: float = 0.06


@dataclass(frozen=True)
class FrameSummary:
    """What cutting needs to know of a frame."""

    histogram: np.ndarray
    luma: float
    saturation: float


def color_histogram(frame: np.ndarray, resolution: int = 256) -> np.ndarray:
    """(768,) float64 counts of the values of R, G and B of (H, W, 3) uint8 at a common size."""
    small = cv2.resize(frame, (resolution, resolution), interpolation=cv2.INTER_AREA)
    return np.concatenate(
        [np.bincount(small[..., channel].ravel(), minlength=256) for channel in range(3)]
    ).astype(np.float64)


def summarise(frame: np.ndarray, resolution: int = 256) -> FrameSummary:
    """The histogram, mean luma and mean saturation of (H, W, 3) uint8."""
    small = cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA)
    high, low = small.max(-1).astype(np.float32), small.min(-1).astype(np.float32)
    saturation = np.where(high > 0, (high - low) / np.maximum(high, 1), 0)
    return FrameSummary(
        color_histogram(frame, resolution),
        float(luma(small).mean()) / 255,
        float(saturation.mean()),
    )


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Mean squared difference of two histograms."""
    return float(np.square(first - second).mean())


def find_cuts(histograms: np.ndarray, threshold: float) -> list[int]:
    """Frames (ascending) with which a new shot begins, of (N, 768) histograms."""
    changes = np.square(np.diff(histograms, axis=0)).mean(1)
    return [int(frame) + 1 for frame in np.flatnonzero(changes > threshold)]


def largest_difference(histograms: np.ndarray) -> float:
    """The mean squared difference of the two most different of (N, 768) histograms."""
    squares = np.square(histograms).sum(1)
    largest = 0.0
    for start in range(0, len(histograms), _ROWS):
        rows = slice(start, start + _ROWS)
        between = squares[rows, None] + squares - 2 * histograms[rows] @ histograms.T
        largest = max(largest, float(between.max()))
    return largest / histograms.shape[1]


def split_summaries(summaries: Iterable[FrameSummary], rules: ShotRules) -> list[list[int]]:
    """The frames of each shot, by number; dropped frames and shots are not among them."""
    known = list(summaries)
    if not known:
        return []
    histograms = np.stack([summary.histogram for summary in known])
    starts = [0, *find_cuts(histograms, rules.threshold), len(known)]
    shots = []
    for start, stop in pairwise(starts):
        if rules.still and largest_difference(histograms[start:stop]) < rules.still:
            continue
        kept = [
            frame
            for frame in range(start, stop)
            if known[frame].luma >= rules.darkest and known[frame].saturation >= rules.palest
        ]
        if len(kept) >= rules.shortest:
            shots.append(kept)
    return shots
