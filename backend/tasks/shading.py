"""Soft colours: what a reference shows beyond its flat paints, laid on the same paints here.

Where the lines of both agree, a gradient or a highlight of the reference has its place in the
drawing, too. It is added to the exact colour of the region, and never crosses the region's edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.ground import bands
from backend.imaging.hints import full_alpha
from backend.imaging.resample import upsample_within
from backend.regions.describe import Box, to_square

from .flats import FlatsResult
from .laying import LaidPaints
from .sources import View

SURE, FULL = 0.4, 0.8  # trust from which shading comes along, and from which it does so fully
REACH = 24.0  # working pixels over which shading fades where the reference says nothing
RIM = 0.008  # of the longer side: this near to its edge a region may show lines or a neighbour
PAINTED_RIM = 0.016  # ... and this near where a network has painted it, at 128 pixels
MOST = 0.35  # of white; what differs more is no shade of a colour
_NONE = np.float32(0)


@dataclass(frozen=True)
class Shade:
    """value: (h, w, 3) float32 RGB in [-1, 1], to be added at working resolution. region: (h, w)
    int32, the region that it is for, 0 = none."""

    value: np.ndarray
    region: np.ndarray


def shade_of(
    label: np.ndarray, colour: np.ndarray, colors: np.ndarray, view: View, laid: LaidPaints
) -> Shade:
    """What the sources show, less the colours of the regions.

    label: (h, w) int32. colour: (n + 1,) by region id, 1 + index into colors (P, 3) uint8.
    """

    def on_canvas(values: np.ndarray, flags: int = cv2.INTER_LINEAR) -> np.ndarray:
        return _on_canvas(values, view.box, label.shape, flags)

    is_shown = np.isfinite(laid.shown[..., 0])
    trust = on_canvas(np.where(is_shown, laid.trust, 0))
    whole = on_canvas(is_shown) > 1 - 1e-3
    closed = on_canvas(laid.closed, cv2.INTER_NEAREST).astype(int)
    known = (trust >= SURE) & whole & (colour[label] > 0) & _deep(label)
    # what lines part from this paint in the source is no shade of it
    known[known] = laid.within[closed[known], colour[label[known]] - 1]
    shown = on_canvas(np.nan_to_num(laid.shown))
    value = (shown - _flat(label, colour, colors)) / 255
    known &= np.abs(value).max(-1) <= MOST
    value *= np.clip((trust - SURE) / (FULL - SURE), 0, 1)[..., None]
    value[~known] = 0
    return Shade(*_carried_on(value, known, label))


def painted_shade(
    label: np.ndarray,
    colour: np.ndarray,
    colors: np.ndarray,
    box: Box,
    painted: np.ndarray,
    hinted: np.ndarray,
) -> Shade:
    """What a network has painted, less the colours of the regions; lines are none of it.

    label, colour, colors: as for `shade_of`; what has no colour here stays as it is. painted:
    (s, s, 3) float32 RGB in [0, 1] of the box. hinted: (m,) by region id, m at most n + 1; where it
    is not 0 hints have decided, and their colours stay exact.
    """
    colour = colour.copy()
    colour[: len(hinted)][hinted > 0] = 0
    shown = _on_canvas(painted, box, label.shape)
    within = _on_canvas(np.ones(painted.shape[:2]), box, label.shape) > 1 - 1e-3
    known = (colour[label] > 0) & within & _deep(label, PAINTED_RIM)
    value = (shown - _flat(label, colour, colors) / 255).astype(np.float32)
    value[~known] = 0
    return Shade(*_carried_on(value, known, label))


def _on_canvas(
    values: np.ndarray, box: Box, shape: tuple[int, ...], flags: int = cv2.INTER_LINEAR
) -> np.ndarray:
    """Values of a square, (s, s) or (s, s, C), as float32 on the canvas of ``shape``; 0 off it."""
    turned = flags | cv2.WARP_INVERSE_MAP
    matrix = to_square(box, values.shape[0])
    size = (shape[1], shape[0])
    return np.asarray(cv2.warpAffine(values.astype(np.float32), matrix, size, flags=turned))


def _flat(label: np.ndarray, colour: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 in 0..255: the regions in their colours, 0 where they have none."""
    table = np.concatenate([np.zeros((1, 3), np.uint8), colors])
    return table[colour[label]].astype(np.float32)


def _deep(label: np.ndarray, rim: float = RIM) -> np.ndarray:
    """(h, w) bool: inside of a region, away from its edge and from that of the canvas.

    rim: how far, as a share of the longer side.
    """
    reach = max(1, round(rim * max(label.shape)))
    ids = np.pad(label.astype(np.float32), reach)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    alone = (cv2.erode(ids, around) == ids) & (cv2.dilate(ids, around) == ids) & (ids > 0)
    return np.asarray(alone[reach:-reach, reach:-reach])


def _carried_on(
    value: np.ndarray, known: np.ndarray, label: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Shading on to where none is known, from the nearest place of the same region, fading."""
    if not known.any():
        return value, np.zeros_like(label)
    far, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.zeros(int(nearest.max()) + 1, np.intp)
    places[nearest[known]] = np.flatnonzero(known)
    place = places[nearest]
    same = label.ravel()[place] == label
    fade = np.where(same, np.clip(1 - far / REACH, 0, 1), _NONE)
    carried = value.reshape(-1, 3)[place] * fade[..., None]
    return carried.astype(np.float32), np.where(known | same, label, 0).astype(np.int32)


def shaded(done: FlatsResult, shade: Shade) -> np.ndarray:
    """The flats (H, W, 4), RGBA in any dtype, with their shading; alpha stays as it is."""
    label, flats = done.regions, done.flats
    height, width = label.shape
    top = full_alpha(flats.dtype)
    result = flats.copy()
    for rows in bands(height, width):
        extra = upsample_within(
            label[rows], shade.region, shade.value, height=height, top=rows.start
        )
        part = flats[rows, :, :3] + extra * top
        if np.issubdtype(flats.dtype, np.integer):
            part = np.rint(np.clip(part, 0, top))
        result[rows, :, :3] = part
    result[flats[..., 3] == 0] = 0
    return result
