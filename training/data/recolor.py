"""Region-aware recolouring: a fresh palette for each sample, shading and ink kept.

A model that meets each drawing in other colours each time has to take colour from its hints or
its reference, not from memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from backend.imaging.color import lab_to_rgb, rgb_to_lab

from .picture import Picture

FLAT = 2.5 / 255  # a pixel this near to its paint has no shading
SAME_PAINT = 6.0  # largest Lab distance of regions that count as one paint


def recolor(
    pictures: Sequence[Picture], rng: np.random.Generator, keep_paper: float = 0.6
) -> list[Picture]:
    """The pictures with new colours, one palette for all of them (the frames of a shot).

    Regions of one paint get one new paint, and so does a paint of like hue that adjoins without a
    line between: it is a shade. Within a paint the differences (shading, highlights) are kept,
    scaled to the room that the new lightness leaves; ink stays as it is. ``keep_paper``:
    probability that white paper stays white. A picture without regions comes back as it is.
    """
    painted = [_Painted(picture) for picture in pictures]
    every = np.concatenate([one.old for one in painted])
    if not len(every):
        return list(pictures)
    cluster, centres = _clusters(every)
    fresh = _palette(centres, rng)
    if rng.random() < keep_paper:
        white = (centres[:, 0] > 97) & (np.abs(centres[:, 1:]).max(1) < 4)
        fresh[white] = centres[white]
    result: list[Picture] = []
    start = 0
    for one in painted:
        stop = start + len(one.old)
        result.append(one.repainted(fresh[cluster[start:stop]]))
        start = stop
    return result


class _Painted:
    """A picture taken apart: ``old`` (N, 3) Lab paints, and which paints each pixel has."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.old, numbers = _paints(picture)
        if not len(self.old):
            return
        regions = picture.areas
        lookup = np.zeros(int(regions.max()) + 1, np.intp)
        lookup[numbers] = np.arange(len(numbers))
        owner, neighbour = _owners(regions)
        first, second = lookup[owner], lookup[neighbour]
        paper = np.full(regions.shape, 255) if picture.line is None else picture.line
        line = np.asarray(1 - paper / 255, np.float32)
        # a map without ink belongs to colours without lines
        self._ink = np.zeros_like(line) if regions.all() else line
        main = _shades(self.old, first, second, line)
        kept, index = np.unique(main, return_inverse=True)
        self.old = self.old[kept]
        self._first, self._second = index[first], index[second]

    def repainted(self, new: np.ndarray) -> Picture:
        """The picture with ``new`` (N, 3) Lab paints in place of the old ones."""
        if not len(self.old):
            return self._picture
        old_rgb, new_rgb = lab_to_rgb(self.old), lab_to_rgb(new)
        first, second, ink = self._first, self._second, self._ink
        pixels = self._picture.paint.astype(np.float32) / 255
        result = new_rgb[first]
        edge = (first != second) | (ink > 0.02)
        # most pixels of cel paint have just the paint
        toned = ~edge & (np.abs(pixels - old_rgb[first]).max(-1) > FLAT)
        of = first[toned]
        result[toned] = _shade(rgb_to_lab(pixels[toned]), self.old[of], new[of])
        result[edge] = _mix(pixels[edge], ink[edge], (old_rgb, new_rgb), first[edge], second[edge])
        color = np.rint(np.clip(result, 0, 1) * 255).astype(np.uint8)
        return replace(self._picture, color=color, identity="")


def _shades(lab: np.ndarray, first: np.ndarray, second: np.ndarray, line: np.ndarray) -> np.ndarray:
    """For each paint the one that it is a shade of (itself, mostly): the largest of its kind."""
    border = first != second
    bare = cv2.dilate(line, np.ones((3, 3), np.uint8))[border] < 0.25
    met, where, times = np.unique(
        first[border] * len(lab) + second[border], return_inverse=True, return_counts=True
    )
    without_line = np.bincount(where.ravel(), bare, len(met))
    area = np.bincount(first.ravel(), minlength=len(lab))
    main = np.arange(len(lab))
    for pair in met[(without_line >= 4) & (without_line > 0.6 * times)]:
        one, other = divmod(int(pair), len(lab))
        if _alike(lab[one], lab[other]):
            low, high = sorted((main[one], main[other]), key=lambda paint: -area[paint])
            main[main == high] = low
    return main


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two Lab paints could be light and shade of one thing."""
    chroma = float(np.hypot(*one[1:])), float(np.hypot(*other[1:]))
    if abs(one[0] - other[0]) > 45:
        return False
    if min(chroma) < 10:
        return float(np.hypot(*(one[1:] - other[1:]))) < 12
    return float(one[1:] @ other[1:]) > 0.88 * chroma[0] * chroma[1]


def _paints(picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    """Lab paint (N, 3) of each region that occurs, and its numbers (N)."""
    regions, color = picture.regions, picture.color
    if regions is None or color is None or not regions.any():
        return np.zeros((0, 3), np.float32), np.zeros(0, np.intp)
    # the commonest of coarse colours, then the mean of the pixels that have it
    coarse = (color >> 3).astype(np.int64)
    key = (coarse[..., 0] << 10) | (coarse[..., 1] << 5) | coarse[..., 2]
    key |= regions.astype(np.int64) << 15
    ordered = np.sort(key, axis=None)
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    kinds, counts = ordered[starts], np.diff(starts, append=len(ordered))
    order = np.lexsort((counts, kinds >> 15))
    kinds = kinds[order]
    commonest = kinds[np.append(np.flatnonzero(np.diff(kinds >> 15)), len(kinds) - 1)]
    commonest = commonest[commonest >> 15 > 0]
    numbers = commonest >> 15
    wanted = np.full(int(regions.max()) + 1, -1)
    wanted[numbers] = commonest
    member = key == wanted[regions]
    of, pixels = regions[member], color[member]
    amount = np.bincount(of)[numbers]
    mean = np.stack([np.bincount(of, pixels[:, c])[numbers] / amount for c in range(3)], -1)
    return rgb_to_lab(mean / 255), numbers.astype(np.intp)


def _clusters(lab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N) cluster of each Lab colour and the clusters' colours; neighbours within SAME_PAINT."""
    cluster = np.full(len(lab), -1)
    centres: list[np.ndarray] = []
    for index in range(len(lab)):
        if cluster[index] >= 0:
            continue
        near = (cluster < 0) & (np.linalg.norm(lab - lab[index], axis=1) <= SAME_PAINT)
        cluster[near] = len(centres)
        centres.append(lab[index])
    return cluster, np.array(centres, np.float32)


def _palette(centres: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A new Lab colour (N, 3) for each old one: any hue, greys seldom, few very dark."""
    count = len(centres)
    lightness = rng.uniform(28, 96, count)
    chroma = np.where(
        rng.random(count) < 0.15, rng.uniform(0, 8, count), rng.uniform(12, 75, count)
    )
    hue = rng.uniform(0, 2 * np.pi, count)
    lab = np.stack((lightness, chroma * np.cos(hue), chroma * np.sin(hue)), -1)
    return rgb_to_lab(lab_to_rgb(lab))  # what sRGB can show


def _mix(
    pixels: np.ndarray,
    ink: np.ndarray,
    paints: tuple[np.ndarray, np.ndarray],
    first: np.ndarray,
    second: np.ndarray,
) -> np.ndarray:
    """Pixels (N, 3) where two paints or ink mix: the mixture stays, the paints are exchanged."""
    old, new = paints
    between = old[second] - old[first]
    length = np.maximum((between**2).sum(-1), 1e-6)
    share = np.clip(((pixels - old[first]) * between).sum(-1) / length, 0, 1)
    share = np.where(first == second, 0, share)[:, None]
    change = (1 - share) * (new[first] - old[first]) + share * (new[second] - old[second])
    return pixels + (1 - ink[:, None]) * change


def _shade(lab: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """sRGB of pixels (N, 3) whose paint changed from ``old`` to ``new``, all Lab."""
    change = lab - old
    lighter = change[..., 0] > 0
    room = np.where(lighter, 100 - new[..., 0], new[..., 0])
    before = np.maximum(np.where(lighter, 100 - old[..., 0], old[..., 0]), 1)
    scale = np.minimum(1, room / before)
    shaded = new.copy()
    shaded[..., 0] += change[..., 0] * scale
    shaded[..., 1:] += change[..., 1:] * scale[..., None] * 0.5
    # a shadow is less colourful than the paint, a highlight goes to white
    ratio = np.clip(np.where(lighter, (100 - shaded[..., 0]) / np.maximum(room, 1), 1), 0, 1)
    shaded[..., 1:] *= ratio[..., None]
    return lab_to_rgb(shaded)


def _owners(regions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The region of each pixel (of ink: the nearest) and another region that touches it."""
    _, label = cv2.distanceTransformWithLabels(
        (regions == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of = np.zeros(int(label.max()) + 1, np.int32)
    painted = regions > 0
    of[label[painted]] = regions[painted]
    owner = of[label]
    wide = owner.astype(np.float32)  # OpenCV's filters know no int32
    kernel = np.ones((3, 3), np.uint8)
    high = cv2.dilate(wide, kernel).astype(np.int32)
    low = cv2.erode(wide, kernel).astype(np.int32)
    return owner, np.where(high != owner, high, low)
