"""Lines and the colours below them as one picture."""

from __future__ import annotations

import cv2
import numpy as np

from .ground import laid_on_white
from .lines import is_alpha_ink, is_transparent, whiten_paper
from .planes import eight_bit


def composite(line: np.ndarray, flats: np.ndarray) -> np.ndarray:
    """The lines over their colours, on white.

    line: (H, W) or (H, W, 1..4), grey, RGB or with alpha. flats: (H, W, 4) RGBA. Both are 8 or 16
    bit. Returns (H, W, 3) in the dtype of the flats; a drawing on a transparent ground gives
    (H, W, 4) and stays transparent where there is neither ink nor colour.
    """
    top = float(np.iinfo(flats.dtype).max)
    if is_alpha_ink(line):
        return _over(line, flats, top)
    painted = flats[..., :3].copy()
    painted[flats[..., 3] == 0] = int(top)
    partly = (flats[..., 3] > 0) & (flats[..., 3] < top)
    if partly.any():
        mixed = flats[partly]
        share = mixed[:, 3:].astype(np.float32) / top
        painted[partly] = np.rint(mixed[:, :3] * share + top * (1 - share))
    paper = _in_dtype(whiten_paper(_opaque(line)), flats.dtype)
    paper = paper if paper.ndim == 3 else paper[..., None]
    paper = paper[..., :3] if paper.shape[2] >= 3 else paper[..., :1]
    if paper.shape[2] == 1:
        paper = cv2.merge([paper[..., 0]] * 3)
    shown = cv2.multiply(painted, np.ascontiguousarray(paper), scale=1 / top)
    return _off_white(shown, line[..., -1], flats[..., 3]) if is_transparent(line) else shown


def _opaque(line: np.ndarray) -> np.ndarray:
    """Lines as they came, but those with alpha laid on white."""
    has_alpha = line.ndim == 3 and line.shape[2] in (2, 4)
    if not has_alpha or (line[..., -1] == np.iinfo(line.dtype).max).all():
        return line
    return laid_on_white(line)


def _off_white(shown: np.ndarray, ink: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """(H, W, 4): a picture (H, W, 3) that was laid on white, with the alphas of its two layers."""
    top = int(np.iinfo(shown.dtype).max)
    clear = cv2.multiply(top - _in_dtype(ink, shown.dtype), top - paint, scale=1 / top)
    result = np.dstack([shown, top - clear])
    result[clear == top] = 0
    partly = (clear > 0) & (clear < top)
    white = clear[partly, None].astype(np.float32)
    colour = (shown[partly] - white) * (top / (top - white))
    result[partly, :3] = np.rint(np.clip(colour, 0, top))
    return result


def _in_dtype(pixels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """uint8 or uint16 in the other of them, white as white."""
    if dtype == np.uint8:
        return eight_bit(pixels)
    return pixels if pixels.dtype == dtype else pixels.astype(dtype) * dtype.type(257)


def _over(line: np.ndarray, flats: np.ndarray, top: float) -> np.ndarray:
    """Source-over of ink with alpha on the flats; only where there is ink is there work."""
    peak = float(np.iinfo(line.dtype).max)
    touched = np.nonzero(line[..., -1])
    drawn = line[touched].astype(np.float32) / peak
    ink, alpha = drawn[:, :-1], drawn[:, -1:]
    colour = flats[touched].astype(np.float32) / top
    below = colour[:, 3:] * (1 - alpha)
    whole = alpha + below
    mixed = (ink * alpha + colour[:, :3] * below) / whole
    result = flats.copy()
    result[touched] = np.rint(np.concatenate([mixed, whole], axis=1) * top)
    return result
