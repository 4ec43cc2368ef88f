"""Pictures laid on white paper, a band of rows at a time, so that little memory is needed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_BAND = 1 << 20  # pixels under way at once


def bands(height: int, width: int) -> Iterator[slice]:
    """The rows of a picture, in bands of about a million pixels."""
    rows = max(1, _BAND // width)
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def laid_on_white(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) RGB of (H, W) grey, (H, W, 2) grey and alpha or (H, W, 3 or 4) RGB(A), in the same
    dtype, uint8 or uint16.
    """
    if picture.ndim == 3 and picture.shape[2] == 3:
        return picture
    if picture.ndim == 2:
        return np.repeat(picture[..., None], 3, axis=2)
    if picture.shape[2] == 2:
        picture = picture[..., [0, 0, 0, 1]]
    top = np.iinfo(picture.dtype).max
    result = np.empty((*picture.shape[:2], 3), picture.dtype)
    for rows in bands(*picture.shape[:2]):
        alpha = picture[rows, :, 3:].astype(np.float32) / top
        result[rows] = np.rint(picture[rows, :, :3] * alpha + top * (1 - alpha))
    return result
