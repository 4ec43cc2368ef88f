"""Where a user would have put colours: laws that sample hint masks.

Every law is called with color (H, W, 3) uint8, regions (H, W) int32 or None and a generator, and
returns the mask (H, W) bool. The colour of a hint is the colour of the picture at its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from scipy.ndimage import find_objects
from torch import Tensor

from backend.regions.describe import depth_within
from training.errors import TrainingError


class HintLaw(Protocol):
    """A law of hint sampling."""

    def __call__(
        self, color: np.ndarray, regions: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray: ...


def truncated_threshold(rng: np.random.Generator, std: float) -> float:
    """xi ~ normal of mean 1 and standard deviation ``std``, truncated to [0, 1]."""
    while True:
        below = abs(float(rng.normal(0, std)))
        if below <= 1:
            return 1 - below


@dataclass(frozen=True)
class PixelHints:
    """Single pixels (Golyadkin and Makarov 2020, section 3.3; AlacGAN).

    With probability ``full`` every pixel, with ``sparse`` those where uniform noise is at least xi,
    xi one truncated normal value a picture; else none. With ``cell`` above 1 the law holds for a
    picture that many times smaller, and each hint is one pixel of its cell (AlacGAN: 4).
    """

    std: float = 0.0005
    sparse: float = 0.49
    full: float = 0.01
    cell: int = 1

    def __call__(
        self, color: np.ndarray, regions: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        kind, shape = rng.random(), color.shape[:2]
        if kind < self.full:
            return np.ones(shape, bool)
        if kind < self.full + self.sparse:
            mask = np.zeros(shape, bool)
            places = mask[self.cell // 2 :: self.cell, self.cell // 2 :: self.cell]
            places[:] = sparse_mask(places.shape, self.std, rng)
            return mask
        return np.zeros(shape, bool)


def sparse_mask(shape: tuple[int, ...], std: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W) bool with the mean density std * sqrt(2 / pi)."""
    return np.asarray(rng.random(shape, np.float32) >= np.float32(truncated_threshold(rng, std)))


@dataclass(frozen=True)
class NoHints:
    """An artist who gives no colours."""

    def __call__(
        self, color: np.ndarray, regions: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        return np.zeros(color.shape[:2], bool)


@dataclass(frozen=True)
class CentreHints:
    """A dot in the middle of each of a ``share`` of the regions of at least ``smallest`` pixels.

    The middle is the pixel farthest from the region's border; ``radius`` in pixels.
    """

    share: float = 1.0
    radius: int = 2
    smallest: int = 16

    def __call__(
        self, color: np.ndarray, regions: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        mask = np.zeros(color.shape[:2], np.uint8)
        numbers = _needed(regions, self)
        depth = depth_within(numbers)
        for number, box in _boxes(numbers, self.smallest):
            if rng.random() >= self.share:
                continue
            inside = np.where(numbers[box] == number, depth[box], 0)
            y, x = np.unravel_index(int(inside.argmax()), inside.shape)
            place = (int(x) + box[1].start, int(y) + box[0].start)
            radius = min(self.radius, max(0, int(inside.max()) - 1))
            cv2.circle(mask, place, radius, 1, -1)
        return mask.astype(bool)


@dataclass(frozen=True)
class StrokeHints:
    """A scribble in each of a ``share`` of the regions: a walk that stays inside."""

    share: float = 0.7
    thickness: int = 3
    smallest: int = 48

    def __call__(
        self, color: np.ndarray, regions: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        mask = np.zeros(color.shape[:2], np.uint8)
        numbers = _needed(regions, self)
        depth = depth_within(numbers)
        for number, box in _boxes(numbers, self.smallest):
            if rng.random() >= self.share:
                continue
            inside = (numbers[box] == number) & (depth[box] > self.thickness / 2)
            places = np.argwhere(inside)[:, ::-1]
            if not len(places):
                continue
            stroke = np.zeros(inside.shape, np.uint8)
            stops = places[rng.integers(len(places), size=int(rng.integers(2, 5)))]
            line = stops.astype(np.int32).reshape(-1, 1, 2)
            cv2.polylines(stroke, [line], False, 1, self.thickness)
            mask[box] |= stroke & (numbers[box] == number)
        return mask.astype(bool)


@dataclass(frozen=True)
class HalfRegionHints:
    """Every pixel of each region that a coin of probability ``share`` falls for."""

    share: float = 0.5

    def __call__(
        self, color: np.ndarray, regions: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        numbers = _needed(regions, self)
        chosen = rng.random(int(numbers.max()) + 1) < self.share
        chosen[0] = False
        return np.asarray(chosen[numbers])


@dataclass(frozen=True)
class MixedHints:
    """One of several laws a picture, by weight. Laws that need regions give way without them."""

    laws: tuple[tuple[HintLaw, float], ...] = (
        (PixelHints(sparse=1.0, full=0.0), 0.3),
        (CentreHints(), 0.2),
        (StrokeHints(), 0.2),
        (HalfRegionHints(), 0.1),
        (NoHints(), 0.2),
    )

    def __call__(
        self, color: np.ndarray, regions: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        usable = [
            (law, weight)
            for law, weight in self.laws
            if regions is not None or isinstance(law, (PixelHints, NoHints))
        ]
        if not usable:
            raise TrainingError("these hints need region maps", "use data with seg/ or pixel hints")
        weights = np.array([weight for _, weight in usable])
        choice = int(rng.choice(len(usable), p=weights / weights.sum()))
        return usable[choice][0](color, regions, rng)


def encode_hint(color: Tensor, mask: np.ndarray) -> Tensor:
    """Colours (3, H, W) in [-1, 1] and mask (H, W) -> (4, H, W): colour times mask, then mask."""
    flag = torch.from_numpy(np.ascontiguousarray(mask)).to(color.dtype)[None]
    return torch.cat((color * flag, flag))


def _needed(regions: np.ndarray | None, law: HintLaw) -> np.ndarray:
    if regions is None:
        raise TrainingError(
            f"{type(law).__name__} needs region maps", "use data with seg/ or pixel hints"
        )
    return regions


def _boxes(regions: np.ndarray, smallest: int) -> list[tuple[int, tuple[slice, slice]]]:
    counts = np.bincount(regions.ravel())
    return [
        (number, box)
        for number, box in enumerate(find_objects(regions), 1)
        if box is not None and counts[number] >= smallest
    ]
