"""Pixels of a colouring: every region in the colour that its palette has for it."""

from __future__ import annotations

import numpy as np


def paint(
    label: np.ndarray, region_palette: np.ndarray, palette: np.ndarray, channels: int
) -> np.ndarray:
    """(H, W) region ids -> (H, W, C) pixels in the palette's dtype, alpha 0 without a colour.

    region_palette: (n + 1,) index into the palette by region id, -1 = none. palette: (P, C).
    """
    table = np.zeros((len(palette) + 1, channels), palette.dtype)
    table[1:] = palette
    rows = np.ascontiguousarray(table[region_palette + 1])
    size = rows.dtype.itemsize * channels
    if size in (1, 2, 4, 8):  # one lookup a pixel instead of one a channel
        return (
            rows.view(f"u{size}").ravel()[label].view(palette.dtype).reshape(*label.shape, channels)
        )
    return rows[label]
