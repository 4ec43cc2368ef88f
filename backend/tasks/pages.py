"""Colours of a network's own choice: what it makes of lines, with hints or without any.

The network sees a small copy and says a colour for every pixel. Regions take the median of theirs;
soft colours come back to full size, each pixel from its own region alone.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from backend.imaging.color import rgb_to_lab
from backend.imaging.distance import distance_field
from backend.imaging.ground import bands
from backend.imaging.hints import Hints, full_alpha
from backend.imaging.resample import upsample_within
from backend.regions.fill import Regions

from .canvas import Canvas
from .completion import Completed, eight_bit, open_ground, with_paints
from .flats import FlatsResult, at_size

SIDE = 128  # shortest side of what the network sees, as in its training
LONGEST = 512  # longest side of it
SAME = 8.0  # colours nearer than this in CIELAB are one paint
PAPER = 128  # of 255: ink from which a pixel of the small copy is line
MIDDLE = 0.7  # share of a region's depth from which a pixel is its middle


def guess(network: Any, canvas: Canvas, regions: Regions, given: Hints) -> Completed:
    """Colours for the regions without a hint; the ground around the figure stays paper.

    network: a `MangaColorizer`. given: hints at full size, or none. Whoever looks at the result
    should: nobody has asked for these colours, so no region is sure of its own.
    """
    color = _paint(network, canvas.ink, *_small_hints(canvas, given))
    ground, _ = open_ground(regions.label)
    colour = regions.colour.copy()
    wanted = (colour == 0) & ~ground
    wanted[0] = False
    seen = _medians(color, regions.label, canvas.ink)
    numbers = np.flatnonzero(wanted)
    area = np.bincount(regions.label.ravel(), minlength=len(colour))[numbers]
    known = eight_bit(given.colours)
    place, fresh = _agreed(seen[numbers], area, known)
    colour[numbers] = place + 1
    sure = (regions.colour > 0).astype(np.float32)
    return Completed(with_paints(given, fresh), colour, sure)


def soft_colours(network: Any, canvas: Canvas, done: FlatsResult) -> np.ndarray:
    """Flats as the network would paint them, shaded: (H, W, 4) RGBA in their dtype.

    The middle of each region tells the network its colour. Alpha stays as it is.
    """
    label, flats = done.regions, done.flats
    height, width = label.shape
    size = _size(height, width)
    places = cv2.resize(label.astype(np.float32), size, interpolation=cv2.INTER_NEAREST_EXACT)
    small_label = places.astype(np.int32)
    top = full_alpha(flats.dtype)
    painted = done.region_palette >= 0
    flat = np.zeros((len(painted), 3), np.float32)
    flat[painted] = done.palette[done.region_palette[painted], :3] / top
    mask = _middles(small_label) & painted[small_label]
    color = _paint(network, canvas.ink, flat[small_label], mask)
    ink = cv2.resize(canvas.ink, size, interpolation=cv2.INTER_AREA)
    small_label[ink >= PAPER // 2] = 0
    result = flats.copy()
    for rows in bands(height, width):
        part = upsample_within(label[rows], small_label, color, flat, height=height, top=rows.start)
        part = np.clip(part, 0, 1) * top
        result[rows, :, :3] = np.rint(part) if np.issubdtype(flats.dtype, np.integer) else part
    result[flats[..., 3] == 0] = 0
    return result


def _paint(network: Any, ink: np.ndarray, hint: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 sRGB in 0..1, small. ink: (H, W) uint8. hint: (h, w, 3) in 0..1 and mask
    (h, w) bool, where it counts."""
    import torch

    size = mask.shape[::-1]
    drawing = 255 - cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    field = distance_field(drawing < 255, signed=True, norm="minmax")
    line = torch.from_numpy(drawing.astype(np.float32) / 255)[None, None]
    distance = torch.from_numpy(field)[None, None]
    flag = torch.from_numpy(mask.astype(np.float32))[None, None]
    colors = torch.from_numpy(np.ascontiguousarray(hint.transpose(2, 0, 1)))[None]
    given = torch.cat(((colors * 2 - 1) * flag, flag), 1)
    with torch.inference_mode():
        main = network(line, distance, given).main[0]
    return np.ascontiguousarray((main.permute(1, 2, 0).numpy() + 1) / 2)


def _small_hints(canvas: Canvas, given: Hints) -> tuple[np.ndarray, np.ndarray]:
    """Colours (h, w, 3) float32 in 0..1 and where they count (h, w) bool, for the network."""
    width, height = _size(*canvas.dark.shape)
    ids = np.zeros((height, width), np.int32)
    if not given.empty:
        ids = at_size(given, (height, width)).ids
    table = np.zeros((len(given.colours) + 1, 3), np.float32)
    table[1:] = eight_bit(given.colours) / np.float32(255)
    return table[ids], ids > 0


def _size(height: int, width: int) -> tuple[int, int]:
    """Width and height of what the network sees of a drawing."""
    scale = min(SIDE / min(height, width), LONGEST / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _middles(label: np.ndarray) -> np.ndarray:
    """(h, w) bool: the pixels of each region that lie deepest in it."""
    inner = np.pad(label, 1)
    border = np.zeros(inner.shape, bool)
    for axis in (0, 1):
        for turn in (1, -1):
            border |= inner != np.roll(inner, turn, axis)
    depth = cv2.distanceTransform((~border).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1] + 1
    deepest = np.zeros(int(label.max()) + 1, np.float32)
    np.maximum.at(deepest, label.ravel(), depth.ravel())
    return np.asarray((depth >= MIDDLE * deepest[label]) & (label > 0))


def _medians(color: np.ndarray, label: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """(n + 1, 3) uint8 by region: the median of its pixels off the lines, channel by channel."""
    from scipy import ndimage

    height, width = label.shape
    large = cv2.resize(color, (width, height), interpolation=cv2.INTER_LINEAR)
    free = np.where(ink < PAPER, label, 0)
    missing = np.setdiff1d(np.unique(label), np.unique(free))
    free[np.isin(label, missing)] = label[np.isin(label, missing)]
    numbers = np.arange(1, int(label.max()) + 1)
    result = np.zeros((len(numbers) + 1, 3), np.uint8)
    for channel in range(3):
        values = np.rint(np.clip(large[..., channel], 0, 1) * 255)
        result[1:, channel] = np.nan_to_num(ndimage.median(values, free, numbers))
    return result


def _agreed(
    colors: np.ndarray, area: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Near colours (N, 3) uint8 become one: of the ``known`` (P, 3), else the largest area's.

    Returns indices (N,) into the known colours with the fresh ones (F, 3) after them, and those.
    """
    palette = list(known)
    lab = [rgb_to_lab(color[None, None] / np.float32(255))[0, 0] for color in palette]
    place = np.zeros(len(colors), np.int64)
    own = rgb_to_lab(colors[None] / np.float32(255))[0] if len(colors) else colors
    for index in np.argsort(-area, kind="stable"):
        apart = [float(np.linalg.norm(own[index] - other)) for other in lab]
        nearest = int(np.argmin(apart)) if apart else -1
        if nearest < 0 or apart[nearest] > SAME:
            nearest = len(palette)
            palette.append(colors[index])
            lab.append(own[index])
        place[index] = nearest
    fresh = np.array(palette[len(known) :], np.uint8).reshape(-1, 3)
    return place, fresh
