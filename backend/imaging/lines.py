"""What of a drawing is ink: clean or anti-aliased, grey, coloured, transparent or a noisy scan."""

from __future__ import annotations

import cv2
import numpy as np

NOISE_FLOOR = 0.012  # of full contrast; clean drawings measure far below, scans above
SAMPLE = 1024  # side of the part that tells whether the paper is clean
SCAN_FOOT = 0.2  # of full ink: what a scanner's blur spreads beside a stroke at most
DARKEST_PAPER = 200  # darkness, of 255, from which no tone is paper, however common it is
WHITE_PAPER = 3  # darkness of paper, of 255, that passes for white
STRONG, WEAK = 0.5, 0.3  # shares of the drawing's own ink; weak ink counts where it touches strong


def to_unit(array: np.ndarray) -> np.ndarray:
    """Any integer or float picture as float32 in 0..1."""
    if np.issubdtype(array.dtype, np.integer):
        return array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
    return np.clip(array.astype(np.float32), 0, 1)


def _eight_bit(line: np.ndarray) -> np.ndarray:
    if line.dtype == np.uint8:
        return line
    return np.rint(to_unit(line) * 255).astype(np.uint8)


def is_transparent(line: np.ndarray) -> bool:
    """Whether the drawing is ink on a transparent ground."""
    return line.ndim == 3 and line.shape[2] in (2, 4) and bool((line[..., -1] == 0).any())


def is_alpha_ink(line: np.ndarray) -> bool:
    """Whether alpha tells how much ink there is: on a transparent ground, unless the opaque parts
    are mostly light, shapes painted white under their outlines.

    line: as for `darkness`.
    """
    if not is_transparent(line):
        return False
    pixels = _eight_bit(line)
    opaque = pixels[..., -1] > 127
    if not opaque.any() or np.median(_ink_of_colour(pixels)[opaque]) > 100:
        return True
    thin = cv2.erode(opaque.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=3)
    return not thin.any()  # nothing but strokes: light lines on nothing are still lines


def darkness(line: np.ndarray) -> np.ndarray:
    """(H, W) uint8 amount of ink, 0 = paper, before any cleaning.

    line: (H, W) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA, 8 or 16 bit or
    float 0..1. On a transparent ground alpha is the ink (`is_alpha_ink`), or the drawing counts as
    laid on white. Coloured lines count by their strongest channel against the paper, so
    that yellow is ink too.
    """
    pixels = _eight_bit(line)
    if pixels.ndim == 2:
        return 255 - pixels
    channels = pixels.shape[2]
    if channels in (1, 3):
        return 255 - (pixels[..., 0] if channels == 1 else pixels.min(axis=2))
    if is_alpha_ink(line):
        return pixels[..., -1].copy()
    return cv2.multiply(_ink_of_colour(pixels), pixels[..., -1], scale=1 / 255)


def _ink_of_colour(pixels: np.ndarray) -> np.ndarray:
    """(H, W) uint8 ink of (H, W, 2 or 4) uint8 by colour alone, whatever its alpha."""
    colour = pixels[..., :-1]
    strongest = colour[..., 0] if colour.shape[2] == 1 else np.ascontiguousarray(colour).min(axis=2)
    return np.asarray(255 - strongest)


def clean_ink(dark: np.ndarray) -> np.ndarray:
    """(H, W) uint8 darkness -> (H, W) uint8 ink with paper tone, noise and weak strokes levelled.

    255 is the drawing's own full ink: thin grey pencil lines come out as strong as pen lines.
    """
    unit, noise = _without_paper(dark)
    if noise > NOISE_FLOOR:
        unit = cv2.GaussianBlur(unit, (0, 0), 1.0)
        unit[unit < 3 * noise] = 0
    marks = unit[unit > max(0.1, 4 * noise)]
    full = float(np.percentile(marks, 85)) if marks.size else 1.0
    return _to_eight_bit(unit / max(full, 0.1))


def whiten_paper(line: np.ndarray) -> np.ndarray:
    """An opaque drawing as it multiplies over colour: a scan loses its paper tone and grain.

    line: (H, W) or (H, W, 1..4). Returns it as it is where the paper is white and clean, else
    (H, W) uint8 grey with white beside the strokes.
    """
    dark = darkness(line)
    y, x = (max(0, side // 2 - SAMPLE // 2) for side in dark.shape)
    _, noise = _without_paper(dark[y : y + SAMPLE, x : x + SAMPLE])
    if noise <= NOISE_FLOOR and _paper_tone(dark) <= WHITE_PAPER:
        return line
    unit, _ = _without_paper(dark)
    near = cv2.dilate(ink_mask(clean_ink(dark)).astype(np.uint8), np.ones((5, 5), np.uint8))
    foot = max(3 * noise, SCAN_FOOT)
    unit = np.where(near == 0, 0, (unit - foot) / (1 - foot))
    return 255 - _to_eight_bit(unit)


def _paper_tone(dark: np.ndarray) -> int:
    histogram = cv2.calcHist([np.ascontiguousarray(dark)], [0], None, [256], [0, 256]).ravel()
    return int(np.argmax(np.convolve(histogram[:DARKEST_PAPER], np.ones(3), "same")))


def _without_paper(dark: np.ndarray) -> tuple[np.ndarray, float]:
    """(H, W) float32 ink in 0..1 above the paper's tone, and the noise of the paper."""
    paper = _paper_tone(dark)
    unit = np.clip(dark.astype(np.float32) - paper, 0, None) / max(1, 255 - paper)
    return unit, _noise(unit)


def _to_eight_bit(unit: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(unit, 0, 1) * 255), np.uint8)


def _noise(unit: np.ndarray) -> float:
    """Standard deviation of the paper's grain, from what its local mean leaves over."""
    paper = unit < 0.2
    if min(unit.shape) < 5 or not paper.any():
        return 0.0
    residual = np.abs(unit - cv2.blur(unit, (3, 3)))[paper]
    return float(np.median(residual[:: max(1, residual.size // 200_000)])) * 1.4826


def ink_mask(ink: np.ndarray) -> np.ndarray:
    """(H, W) uint8 ink -> (H, W) bool: strong ink and the weak ink that touches it."""
    weak = (ink >= round(WEAK * 255)).astype(np.uint8)
    count, label = cv2.connectedComponents(weak, connectivity=8)
    kept = np.zeros(count, bool)
    kept[np.unique(label[ink >= round(STRONG * 255)])] = True
    kept[0] = False
    return np.asarray(kept[label])
