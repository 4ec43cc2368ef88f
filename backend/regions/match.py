"""What the region matcher is shown of a drawing, as arrays."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.color import rgb_to_lab

_DARK = 140.0  # of 255: blacker than this against its surroundings is as good as a line


def network_picture(
    ink: np.ndarray, color: np.ndarray | None = None, known: np.ndarray | None = None
) -> np.ndarray:
    """(5, S, S) float32 in [0, 1]: ink, RGB where it is known, and whether it is.

    ink: (S, S) uint8, 255 = ink. color: (S, S, 3) uint8. known: (S, S) bool, by default all.
    """
    picture = np.zeros((5, *ink.shape), np.float32)
    picture[0] = ink / np.float32(255)
    if color is not None:
        shown = np.ones(ink.shape, np.float32) if known is None else known.astype(np.float32)
        picture[1:4] = color.transpose(2, 0, 1) / np.float32(255) * shown
        picture[4] = shown
    return picture


def hinted_picture(
    ink: np.ndarray, label: np.ndarray, known: np.ndarray, colors: np.ndarray
) -> np.ndarray:
    """`network_picture` of a drawing whose known regions are filled.

    ink: (S, S) uint8. label: (S, S) int32, 0 = none, else 1 + region. known: (N,) bool. colors:
    (N, 3) uint8.
    """
    table = np.zeros((len(known) + 1, 3), np.uint8)
    table[1:][known] = colors[known]
    return network_picture(ink, table[label], np.concatenate([[False], known])[label])


def color_facts(colors: np.ndarray | None, known: np.ndarray, count: int) -> np.ndarray:
    """(count, 4) float32: L, a, b in hundredths, and whether the colour is known.

    colors: (count, 3) uint8 or None. known: (count,) bool.
    """
    facts = np.zeros((count, 4), np.float32)
    if colors is not None and count:
        facts[:, :3] = rgb_to_lab(colors[None].astype(np.float32) / 255)[0] / 100
        facts[:, 3] = 1
        facts[~known] = 0
    return facts


def thin_dark(color: np.ndarray) -> np.ndarray:
    """(S, S) uint8 ink of a finished picture: what is thin and darker than both its sides."""
    bright = color.max(axis=2)
    size = max(3, round(0.03 * max(bright.shape)) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    hat = cv2.morphologyEx(bright, cv2.MORPH_BLACKHAT, kernel)
    return np.clip(hat * np.float32(255 / _DARK), 0, 255).astype(np.uint8)
