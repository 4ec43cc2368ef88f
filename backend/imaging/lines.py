"""What of a drawing is ink: clean or anti-aliased, grey, coloured, transparent or a noisy scan."""

from __future__ import annotations

import cv2
import numpy as np

NOISE_FLOOR = 0.012  # of full contrast; clean drawings measure far below, scans above
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


def darkness(line: np.ndarray) -> np.ndarray:
    """(H, W) uint8 amount of ink, 0 = paper, before any cleaning.

    line: (H, W) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA, 8 or 16 bit or
    float 0..1. On a transparent ground alpha is the ink, unless the opaque parts are mostly light
    (shapes painted white under their outlines); then the drawing counts as laid on white.
    Coloured lines count by their strongest channel against the paper, so that yellow is ink too.
    """
    pixels = _eight_bit(line)
    if pixels.ndim == 2:
        return 255 - pixels
    channels = pixels.shape[2]
    if channels in (1, 3):
        return 255 - (pixels[..., 0] if channels == 1 else pixels.min(axis=2))
    alpha, colour = pixels[..., -1], pixels[..., :-1]
    ink = 255 - (colour[..., 0] if channels == 2 else np.ascontiguousarray(colour).min(axis=2))
    if is_transparent(line):
        opaque = alpha > 127
        if not opaque.any() or np.median(ink[opaque]) > 100:
            return alpha.copy()
        thin = cv2.erode(opaque.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=3)
        if not thin.any():
            return alpha.copy()  # nothing but strokes: light lines on nothing are still lines
    return cv2.multiply(ink, alpha, scale=1 / 255)


def clean_ink(dark: np.ndarray) -> np.ndarray:
    """(H, W) uint8 darkness -> (H, W) uint8 ink with paper tone, noise and weak strokes levelled.

    255 is the drawing's own full ink: thin grey pencil lines come out as strong as pen lines.
    """
    histogram = np.bincount(dark.ravel(), minlength=256)
    paper = int(np.argmax(np.convolve(histogram[:200], np.ones(3), "same")))
    unit = np.clip(dark.astype(np.float32) - paper, 0, None) / max(1, 255 - paper)
    noise = _noise(unit)
    if noise > NOISE_FLOOR:
        unit = cv2.GaussianBlur(unit, (0, 0), 1.0)
        unit[unit < 3 * noise] = 0
    marks = unit[unit > max(0.1, 4 * noise)]
    full = float(np.percentile(marks, 85)) if marks.size else 1.0
    return np.rint(np.clip(unit / max(full, 0.1), 0, 1) * 255).astype(np.uint8)


def _noise(unit: np.ndarray) -> float:
    """Standard deviation of the paper's grain (median of the residual against its neighbourhood)."""
    paper = unit[:, :] < 0.2
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
    return kept[label]
