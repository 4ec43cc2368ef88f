"""Laying one drawing onto another: where both show nearly the same pose, line falls on line.

What a finished picture shows without any line between, such as a shadow, has a place in a line
drawing only so.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 512  # pixels of the square that drawings are laid on each other in
# how much smaller the drawings are, and the blur of their lines there, in pixels; each starts from
# the last flow
COARSE_TO_FINE = ((2, 4.0), (2, 2.0), (1, 2.0), (1, 1.0))
SMOOTH = 1.5  # blur of a flow, in blurs of its lines
NEAR = 2  # pixels within which a line has found its fellow
AROUND = 12.0  # blur, in pixels, of the place that a line speaks of
FAR = 48.0  # the same where no line is near ...
FAR_WEIGHT = 0.05  # ... so that the middle of a large region is spoken of, too
INK = 96  # of 255


@dataclass(frozen=True)
class Laid:
    """Another drawing on this one.

    places: (SIDE, SIDE, 2) float32, where in the other drawing each pixel lies, x and y. trust:
    (SIDE, SIDE) float32 in [0, 1], the share of the lines nearby, of both, that fall on a line.
    """

    places: np.ndarray
    trust: np.ndarray

    def carry(self, label: np.ndarray) -> np.ndarray:
        """(SIDE, SIDE) int32: what the other drawing's ``label`` (SIDE, SIDE) int32 says here."""
        carried = _sample(label.astype(np.float32), self.places, cv2.INTER_NEAREST)
        return np.asarray(carried, np.int32)

    def carry_colors(self, picture: np.ndarray) -> np.ndarray:
        """(SIDE, SIDE, 3) float32: the values of the other drawing's ``picture`` here."""
        return np.asarray(_sample(picture.astype(np.float32), self.places, cv2.INTER_NEAREST))


def lay(ink: np.ndarray, other: np.ndarray) -> Laid:
    """Lay ``other`` on ``ink``, both (SIDE, SIDE) uint8, 255 = ink, by dense optical flow."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = np.zeros((1, 1, 2), np.float32)
    for smaller, blur in COARSE_TO_FINE:
        size = (SIDE // smaller, SIDE // smaller)
        flow = cv2.resize(flow, size) * (size[0] / len(flow))
        ours, theirs = (
            _blurred(cv2.resize(one, size, interpolation=cv2.INTER_AREA), blur)
            for one in (ink, other)
        )
        found = search.calc(ours, theirs, flow)
        flow = np.asarray(cv2.GaussianBlur(found, (0, 0), SMOOTH * blur), np.float32)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    places = flow + np.dstack((columns, rows))
    return Laid(places, _agreement(ink, np.asarray(_sample(other, places, cv2.INTER_LINEAR))))


def _blurred(ink: np.ndarray, blur: float) -> np.ndarray:
    soft = cv2.GaussianBlur(ink.astype(np.float32), (0, 0), blur)
    return np.rint(soft * (255 / max(1.0, float(soft.max())))).astype(np.uint8)


def _sample(picture: np.ndarray, places: np.ndarray, flags: int) -> np.ndarray:
    return cv2.remap(
        picture, places[..., 0], places[..., 1], flags, borderMode=cv2.BORDER_REPLICATE
    )


def _agreement(ink: np.ndarray, laid: np.ndarray) -> np.ndarray:
    ours, theirs = ink > INK, laid > INK
    reach = np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)
    met = [
        one & (cv2.dilate(two.astype(np.uint8), reach) > 0)
        for one, two in ((ours, theirs), (theirs, ours))
    ]
    found, there = (_spoken(one.astype(np.float32) + two) for one, two in (met, (ours, theirs)))
    return np.asarray(found / np.maximum(there, 1e-4), np.float32)


def _spoken(lines: np.ndarray) -> np.ndarray:
    """How much the lines (SIDE, SIDE) say of each place; in the open the nearest ones decide."""
    small = cv2.resize(lines, (SIDE // 4, SIDE // 4), interpolation=cv2.INTER_AREA)
    far = cv2.resize(cv2.GaussianBlur(small, (0, 0), FAR / 4), (SIDE, SIDE))
    return np.asarray(cv2.GaussianBlur(lines, (0, 0), AROUND) + FAR_WEIGHT * far)
