"""Key frames that are of no use: nothing on them is coloured, or their line art is blank."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging import planes
from backend.imaging.ground import laid_on_white
from backend.imaging.lines import WEAK, darkness

from .canvas import is_blank, working_ink, working_size

RIM = 0.02  # of the longest side: width of a line with what JPEG spreads around it
SPECK = 0.003  # of the longest side: what is narrower is no paint
EVEN = 16  # of 255: what differs less is the same
TINT = 40  # of 255: what paper may have of a colour
DARK = 128  # of 255: no paper
STRAY = 0.001  # share of the pixels that may differ by chance


def find_flaw(colour: np.ndarray, line: np.ndarray) -> str:
    """Why a key frame is of no use, with the remedy; "" where it is.

    colour: (H, W, 3 or 4) uint8 RGB(A). line: its line art, (H, W) or (H, W, 1..4), 8 or 16 bit.
    """
    if is_blank(darkness(line)):
        return (
            "its line frame is blank, so that nothing tells where its colours belong "
            "(draw its lines, or choose another key frame)"
        )
    if is_bare(colour, line):
        return (
            "it has no colour beside its lines, so that it has none to give "
            "(colour it, or leave it out)"
        )
    return ""


def is_bare(colour: np.ndarray, line: np.ndarray) -> bool:
    """Whether a picture is mere line art: beside its lines it is even like paper, or it is grey and
    the same as its line art. Greys and blacks that fill areas are colours. Arrays as `find_flaw`.
    """
    size, _ = working_size(*line.shape[:2])
    shown = _at(laid_on_white(colour), size)
    alpha = colour[..., 3] if colour.shape[2] == 4 else np.full(line.shape[:2], 255, np.uint8)
    if (alpha == 255).all() and (np.ptp(shown, axis=2) > TINT).mean() < STRAY:
        drawn = _at(laid_on_white(planes.eight_bit_rgb(line)), size)
        if (np.abs(shown - drawn).max(axis=2) > EVEN).mean() < STRAY:
            return True
    beside = cv2.dilate(working_ink(darkness(line)), _square(RIM, size)) < WEAK * 255
    if not beside.any():
        return False
    pixels = np.dstack([shown, _at(alpha, size)])
    ground = np.median(pixels[beside], axis=0)
    if np.ptp(ground[:3]) > TINT or ground[:3].max() < DARK:
        return False
    apart = beside & (np.abs(pixels - ground).max(axis=2) > EVEN)
    return not cv2.morphologyEx(apart.astype(np.uint8), cv2.MORPH_OPEN, _square(SPECK, size)).any()


def _at(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.int16)


def _square(share: float, size: tuple[int, int]) -> np.ndarray:
    side = 2 * max(1, round(share * max(size) / 2)) + 1
    return np.ones((side, side), np.uint8)
