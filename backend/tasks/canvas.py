"""A line drawing on its way to regions and back: a working copy, and edges at full size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from backend.imaging.lines import DARKEST_PAPER, WEAK, clean_ink, darkness, ink_mask
from backend.regions.describe import SIDE, Box, crop
from backend.regions.gaps import close_gaps
from backend.regions.match import network_picture
from backend.regions.refine import enlarge
from backend.regions.register import SIDE as LAID_SIDE
from backend.regions.seams import spread_to_seams
from backend.regions.segment import Chambers, find_chambers
from protocol.errors import ErrorCode, NuriError

from .seen import Seen

WORKING_SIZE = 1024  # pixels a side at most; finer regions would cost seconds and see no more
LEAST_INK = 12  # of 255; below this a layer is blank


@dataclass
class Look(Seen):
    """The lines of a canvas in a box, as networks see them.

    picture: of `network_picture`, SIDE a side. ink: (LAID_SIDE, LAID_SIDE) uint8.
    """

    box: Box
    picture: np.ndarray
    ink: np.ndarray


@dataclass(frozen=True)
class Canvas:
    """dark: (H, W) uint8 ink as it came. ink: (h, w) uint8 cleaned, at working resolution.

    scale: working pixels a pixel, at most 1.
    """

    dark: np.ndarray
    ink: np.ndarray
    scale: float

    @property
    def is_smaller(self) -> bool:
        return self.scale < 1

    @cached_property
    def full_ink(self) -> np.ndarray:
        """(H, W) uint8 ink less the paper's own tone."""
        paper = int(np.bincount(self.dark[::4, ::4].ravel())[:DARKEST_PAPER].argmax())
        return np.asarray(cv2.subtract(self.dark, np.full_like(self.dark, paper)))

    @cached_property
    def strokes(self) -> list[np.ndarray]:
        """What closes the gaps of the lines, as far as their loose ends tell."""
        return close_gaps(ink_mask(self.ink))

    @cached_property
    def chambers(self) -> Chambers:
        """The areas that the lines close, at working resolution."""
        return find_chambers(self.ink, strokes=self.strokes)

    def look(self, box: Box) -> Look:
        """The lines in ``box``; other hints seldom change that, so that the last look is kept."""
        kept = self._last_look
        if not kept or kept[0].box != box:
            picture = network_picture(crop(self.ink, box, SIDE, 0, exact=False))
            kept[:] = [Look(box, picture, crop(self.ink, box, LAID_SIDE, 0, exact=False))]
        return kept[0]

    @cached_property
    def _last_look(self) -> list[Look]:
        return []

    def ends_of(self, stroke: np.ndarray) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 at full size of the ends of a stroke, (N, 2) x, y of the working copy."""
        (x0, y0), (x1, y1) = np.rint(stroke[[0, -1]] / self.scale).astype(int).tolist()
        return x0, y0, x1, y1

    def bring_back(self, label: np.ndarray, seam: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Regions (h, w) int32 at working resolution to every pixel (H, W), the lines included.

        seam: of `find_seam`, at working resolution.
        """
        if self.is_smaller:
            label = enlarge(label, self.full_ink, round(WEAK * 255))
        x, y = (round(step / self.scale) for step in seam)
        return spread_to_seams(label, (x, y))


def read_canvas(line: np.ndarray) -> Canvas:
    """line: (H, W) or (H, W, 1..4), grey, RGB or with alpha. Raises NuriError bad_input (blank)."""
    dark = darkness(line)
    if is_blank(dark):
        raise NuriError(
            ErrorCode.bad_input, "the line art is blank", "Choose the layer or file with the lines"
        )
    return Canvas(dark, working_ink(dark), working_size(*dark.shape)[1])


def is_blank(dark: np.ndarray) -> bool:
    """Whether there are no lines in (H, W) uint8 darkness."""
    return int(dark.max()) - int(dark.min()) < LEAST_INK


def working_size(height: int, width: int) -> tuple[tuple[int, int], float]:
    """Width and height of the working copy, and its pixels a pixel, at most 1."""
    scale = min(1.0, WORKING_SIZE / max(height, width))
    return (max(1, round(width * scale)), max(1, round(height * scale))), scale


def working_ink(dark: np.ndarray) -> np.ndarray:
    """(h, w) uint8 cleaned ink at working resolution of (H, W) uint8 darkness."""
    small, scale = working_size(*dark.shape)
    return clean_ink(dark if scale == 1 else cv2.resize(dark, small, interpolation=cv2.INTER_AREA))
