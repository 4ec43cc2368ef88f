"""How many line-enclosed regions have the right colour.

Two families. The ink-and-paint measures of the segment matchers (Dai et al., "Learning Inclusion
Matching for Animation Paint Bucket Colorization", 2024): a region is right when its colour is
exactly the true one. The measures of the evaluation script: right within CIEDE2000 < 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

SMALL_SEGMENT = 10
"""Pixels; the thresholded accuracy leaves out segments that are not larger."""
MIN_REGION_SHARE = 0.001
JUST_NOTICEABLE = 5.0
"""CIEDE2000"""
WHITE = 245
NEAR_EXACT = 3
_INK = 160

EXACT_NAMES = (
    "region_accuracy", "region_accuracy_thresh", "pixel_accuracy", "pixel_accuracy_foreground",
    "background_iou",
)  # fmt: skip
NEAR_NAMES = ("regions", "regions_paper", "regions_count", "regions_exact")

Picture = NDArray[np.uint8]
Labels = NDArray[np.integer]


@dataclass(frozen=True)
class Segment:
    """A region: how many pixels, their colours (n, 3), and the medians of both pictures."""

    pixels: int
    predicted: Picture
    predicted_color: NDArray[np.float64]
    true_color: NDArray[np.float64]


def exact_accuracy(
    prediction: Picture, truth: Picture, regions: Labels, *, tolerance: int = 0
) -> dict[str, float]:
    """Shares in 0..1 for one picture (H, W, 3); ``regions`` (H, W), 0 for lines.

    A region's colour is the median of its pixels, channel by channel, rounded; it is right when
    no channel is more than ``tolerance`` off. ``region_accuracy`` counts regions,
    ``region_accuracy_thresh`` those above 10 pixels, ``pixel_accuracy`` pixels off the lines,
    ``pixel_accuracy_foreground`` those of regions that are not white paper in the truth,
    ``background_iou`` is the overlap of the white paper of both. A share of nothing is left out.
    """
    segments = list(_segments(prediction, truth, regions))
    right = np.array(
        [_off(s.predicted_color.round(), s.true_color.round()) <= tolerance for s in segments],
        dtype=bool,
    )
    large = np.array([s.pixels > SMALL_SEGMENT for s in segments], dtype=bool)
    off_lines = regions > 0
    difference = np.abs(prediction.astype(np.int16) - truth).max(axis=2)
    same = difference <= tolerance
    paper, predicted_paper = (
        (picture.min(axis=2) >= WHITE) & off_lines for picture in (truth, prediction)
    )
    shares = {
        "region_accuracy": _mean(right),
        "region_accuracy_thresh": _mean(right[large]),
        "pixel_accuracy": _mean(same[off_lines]),
        "pixel_accuracy_foreground": _mean(same[off_lines & ~paper]),
        "background_iou": _mean((paper & predicted_paper)[paper | predicted_paper]),
    }
    return {name: share for name, share in shares.items() if share is not None}


def near_accuracy(prediction: Picture, truth: Picture, regions: Labels) -> dict[str, float]:
    """Shares in 0..1 for one picture (H, W, 3), over regions of at least 0.1 % of it.

    ``regions`` is the area share of coloured regions whose median is within CIEDE2000 < 5 of the
    true median, ``regions_paper`` the same over regions that are white in truth, ``regions_count``
    the plain share of coloured regions with more than 90 % of the pixels that near, and
    ``regions_exact`` the share of pixels off the lines within 3 of the true RGB. A share of
    nothing is left out.
    """
    right = {"regions": 0, "regions_paper": 0, "regions_count": 0}
    total = dict.fromkeys(right, 0)
    for segment in _segments(prediction, truth, regions, MIN_REGION_SHARE * regions.size):
        near_pixels, near_median = _near(segment)
        kind = "regions_paper" if segment.true_color.min() >= WHITE else "regions"
        right[kind] += segment.pixels * near_median
        total[kind] += segment.pixels
        if kind == "regions":
            right["regions_count"] += near_pixels > 0.9
            total["regions_count"] += 1
    shares = {name: right[name] / total[name] for name in right if total[name]}
    off_lines = regions > 0
    if off_lines.any():
        difference = np.abs(prediction.astype(np.int16) - truth).max(axis=2)
        shares["regions_exact"] = float((difference[off_lines] <= NEAR_EXACT).mean())
    return shares


def closed_regions(line: NDArray[np.uint8], color: Picture) -> NDArray[np.int32]:
    """Region ids for a drawing that has none: areas closed by ink, of nearly one true colour.

    ``line`` (H, W), ``color`` (H, W, 3); 0 where there is ink or where an area of at least 0.1 %
    of the picture has many colours.
    """
    _, regions = cv2.connectedComponents((line >= _INK).astype(np.uint8), connectivity=4)
    lab = rgb2lab(color / 255.0)
    for value, count in enumerate(np.bincount(regions.ravel())):
        if value == 0 or count < MIN_REGION_SHARE * regions.size:
            continue
        inside = regions == value
        distance = np.linalg.norm(lab[inside] - np.median(lab[inside], axis=0), axis=1)
        if (distance < 12).mean() < 0.8:
            regions[inside] = 0
    return regions.astype(np.int32)


def _segments(
    prediction: Picture, truth: Picture, regions: Labels, smallest: float = 1
) -> Iterator[Segment]:
    labels = regions.ravel()
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=labels[order[:1]] - 1))
    predicted, true = prediction.reshape(-1, 3), truth.reshape(-1, 3)
    for pixels in np.split(order, starts[1:]):
        if not pixels.size or labels[pixels[0]] <= 0 or pixels.size < smallest:
            continue
        inside = predicted[pixels]
        yield Segment(
            pixels.size, inside, np.median(inside, axis=0), np.median(true[pixels], axis=0)
        )


def _near(segment: Segment) -> tuple[float, bool]:
    """The share of near pixels, and whether the median is near."""
    colors, where = np.unique(
        np.vstack([segment.predicted_color, segment.predicted]).round().astype(np.uint8),
        axis=0,
        return_inverse=True,
    )
    lab = rgb2lab(colors[None] / 255.0)
    true = rgb2lab(segment.true_color[None, None] / 255.0)
    near = (deltaE_ciede2000(lab, true)[0] < JUST_NOTICEABLE)[where.ravel()]
    return float(near[1:].mean()), bool(near[0])


def _off(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.abs(a - b).max())


def _mean(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if values.size else None
