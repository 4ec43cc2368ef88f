"""Comic pages as XDoG drawing, signed distance field and colour hint (Golyadkin, Makarov 2020)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backend.imaging.color import luma
from backend.imaging.distance import distance_field
from backend.imaging.xdog import MANGA, XDoG

from .base import PictureDataset, Sample, region_map, signed, unit
from .cache import ArrayCache
from .denoise import Denoiser, capped
from .hints import HintLaw, PixelHints, encode_hint
from .jitter import shift_levels
from .picture import Picture, PictureSource
from .recolor import recolor
from .resize import crop_picture, flip_picture, resize, resize_picture

STRIDE = 32
_Made = Callable[[], np.ndarray]


class MangaDataset(PictureDataset):
    """Samples of manga.

    ``gray`` (1, H, W) luma, ``line`` (1, H, W) XDoG and ``distance`` (1, H, W), all [0, 1];
    ``hint`` (4, H, W): colour in [-1, 1] times mask, then mask {0, 1}; ``color`` (3, H, W) [-1, 1],
    absent for black-and-white pages, whose hints are empty; ``name``; ``regions`` where the whole
    source has them.

    Pages come to shortest side S; ``crop`` "random" or "centre" takes S x S, "whole" pads to a
    multiple of 32 with the maximum and tells ``valid`` (2) int64, height and width before. The
    drawing is made at S times one of ``scales``, drawn anew each time: of the original, or without
    ``from_original`` of the page at S (the release); with ``color_shift`` from levels shifted by
    up to that much. Recolouring changes colours and hints, not the drawing.
    ``denoise_sigma`` (of 255) above 0 smooths pages that come from files, before their drawing is
    made and their colour learnt: by `Denoiser`, which sees at most ``denoise_side`` pixels a side.
    ``recolor`` is for pages with hints: without any, the usual colours are all there is to learn.
    ``drawn``: the drawing that came with a picture takes the place of XDoG. ``line_jitter`` above 0
    pales ``line`` x to x r + 1 - r, r uniform from 1 - ``line_jitter`` to 1 (AlacGAN). Raises
    TrainingError when no page can be read, or for weights of a denoiser that cannot.
    """

    def __init__(
        self,
        source: PictureSource,
        size: int = 512,
        *,
        seed: int = 0,
        xdog: XDoG = MANGA,
        scales: tuple[int, ...] = (2, 3, 4),
        from_original: bool = True,
        hints: HintLaw | None = None,
        crop: str = "random",
        flip: bool = True,
        color_shift: float = 20 / 255,
        denoise_sigma: float = 0.0,
        denoise_side: int | None = None,
        recolor: bool = False,
        drawn: bool = False,
        line_jitter: float = 0.0,
        cache: ArrayCache | None = None,
    ) -> None:
        super().__init__(source, seed)
        if crop not in ("random", "centre", "whole"):
            raise ValueError(f"there is no crop {crop!r}; use random, centre or whole")
        self.size = size
        self._xdog, self._scales = xdog, tuple(scales)
        self._from_original = from_original
        self._hints: HintLaw = hints or PixelHints()
        self._crop, self._flip, self._shift = crop, flip, color_shift
        self._sigma, self._side = denoise_sigma, denoise_side
        self._denoiser = Denoiser.found() if denoise_sigma and source.files(0) else None
        self._recolor, self._drawn, self._jitter = recolor, drawn, line_jitter
        self._cache = cache or ArrayCache()
        self.require_one()

    @property
    def degraded(self) -> list[str]:
        return [] if self._denoiser is None else self._denoiser.degraded

    @property
    def pretrained(self) -> dict[str, Path]:
        """The networks of others that pages go through, each with its file."""
        return {} if self._denoiser is None else self._denoiser.files

    def make(self, index: int, rng: np.random.Generator) -> Sample:
        picture = self.source.load(index)
        scale = int(rng.choice(self._scales))
        noisy = self._denoiser is not None and bool(self.source.files(index))
        original = functools.cache(lambda: self._original(picture, noisy))
        drawing = self._drawing(picture, scale, original, noisy)
        page = resize_picture(picture, drawing.shape[0], drawing.shape[1], "area")
        color = self._smoothed(picture, page.shape, original) if noisy else page.color
        page = replace(page, line=drawing, color=color)
        field = distance_field(drawing < 255, signed=True, norm="minmax")
        if self._crop != "whole":
            top, left = self._corner(drawing.shape, rng)
            page = crop_picture(page, top, left, self.size, self.size)
            field = np.ascontiguousarray(field[top : top + self.size, left : left + self.size])
        if self._flip and rng.random() < 0.5:
            page, field = flip_picture(page), np.ascontiguousarray(field[:, ::-1])
        sample = self._sample(page, field, rng)
        if self._jitter:
            share = float(rng.uniform(1 - self._jitter, 1))
            sample["line"] = sample["line"] * share + 1 - share
        return sample

    def _sample(self, page: Picture, field: np.ndarray, rng: np.random.Generator) -> Sample:
        height, width = page.shape
        sample: Sample = {"line": unit(page.drawing), "distance": unit(field)}
        if page.color is not None:
            mask = self._hints(page.color, page.regions, rng)
            if self._recolor and page.regions is not None and mask.any():
                page = recolor([page], rng)[0]
            color = signed(page.paint)
            sample |= {
                "gray": unit(luma(page.paint) / 255),
                "hint": encode_hint(color, mask),
                "color": color,
            }
        else:
            sample |= {"gray": unit(monochrome(page)), "hint": torch.zeros(4, height, width)}
        if self._crop == "whole":
            below, right = -height % STRIDE, -width % STRIDE
            sample = {
                name: functional.pad(tensor, (0, right, 0, below))
                if name == "hint"
                else _padded(tensor)
                for name, tensor in sample.items()
            }
            sample["valid"] = torch.tensor([height, width])
        sample["name"] = page.name
        if self.source.has_regions and page.regions is not None:
            regions = region_map(page.regions)
            if self._crop == "whole":
                regions = functional.pad(regions, (0, right, 0, below))
            sample["regions"] = regions
        return sample

    def _original(self, picture: Picture, noisy: bool) -> np.ndarray:
        """The page's colours, or its black-and-white edition, uint8; without noise if ``noisy``."""
        original = picture.color if picture.color is not None else monochrome(picture)
        if not noisy or self._denoiser is None:
            return original
        if self._side is not None:
            original = capped(original, self._side)
        return self._denoiser(original, self._sigma)

    def _smoothed(
        self, picture: Picture, shape: tuple[int, int], original: _Made
    ) -> np.ndarray | None:
        """The page's colours without their noise at ``shape``, (H, W, 3) uint8; cached."""
        if picture.color is None:
            return None

        def smooth() -> np.ndarray:
            return resize(original(), *shape, "area")

        if not picture.identity:
            return smooth()
        return self._cache.get(("smoothed", picture.identity, shape, *self._denoising), smooth)

    @property
    def _denoising(self) -> tuple[object, ...]:
        """What a page without its noise depends on, for keys of the cache."""
        return () if self._denoiser is None else (self._sigma, self._side, self._denoiser.key)

    def _drawing(self, picture: Picture, scale: int, original: _Made, noisy: bool) -> np.ndarray:
        """The drawing at shortest side S, (H, W) uint8; XDoG's for each page and scale, cached."""
        if self._drawn and picture.line is not None:
            height, width = _shortest_side(picture.shape, self.size)
            return cv2.resize(picture.line, (width, height), interpolation=cv2.INTER_AREA)
        if not picture.identity:
            return self._draw(picture, scale, original())
        made = () if self._from_original else ("enlarged",)
        noise = self._denoising if noisy else (0.0, 1)
        key = ("xdog", picture.identity, self._xdog, self.size, scale, self._shift, *noise, *made)
        return self._cache.get(key, lambda: self._draw(picture, scale, original()))

    def _draw(self, picture: Picture, scale: int, original: np.ndarray) -> np.ndarray:
        if original.ndim == 3:
            # the shift follows from page and scale, so that the cached drawing is the same again
            state = np.frombuffer(picture.identity.encode()[:16].ljust(16, b"."), np.uint32)
            original = shift_levels(original, self._shift, np.random.default_rng((*state, scale)))
        height, width = _shortest_side(original.shape, self.size)
        if not self._from_original:
            original = cv2.resize(original, (width, height), interpolation=cv2.INTER_AREA)
        large = (width * scale, height * scale)
        grows = large[0] > original.shape[1]
        method = cv2.INTER_LANCZOS4 if grows else cv2.INTER_AREA
        enlarged = cv2.resize(original, large, interpolation=method)
        gray = luma(enlarged) / 255 if enlarged.ndim == 3 else enlarged.astype(np.float32) / 255
        drawing = np.rint(self._xdog(gray) * 255).astype(np.uint8)
        return cv2.resize(drawing, (width, height), interpolation=cv2.INTER_AREA)

    def _corner(self, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
        room = shape[0] - self.size, shape[1] - self.size
        if self._crop == "centre":
            return room[0] // 2, room[1] // 2
        return int(rng.integers(room[0] + 1)), int(rng.integers(room[1] + 1))


class MonochromeDataset(PictureDataset):
    """Fine-tuning samples: a black-and-white page and, unrelated, a random colour page.

    As `MangaDataset` gives it for the page (empty hint); ``color`` (3, S, S) [-1, 1] is a part of
    another, coloured page for the critic.
    """

    def __init__(self, pages: MangaDataset, colored: MangaDataset) -> None:
        super().__init__(pages.source, pages.seed)
        self._pages, self._colored = pages, colored

    @property
    def degraded(self) -> list[str]:
        return self._pages.degraded

    @property
    def left_out(self) -> list[str]:
        return [*super().left_out, *self._pages.left_out, *self._colored.left_out]

    def make(self, index: int, rng: np.random.Generator) -> Sample:
        sample = self._pages.make(index, rng)
        other = int(rng.integers(len(self._colored)))
        color = self._colored[(int(rng.integers(2**31)), other)]["color"]
        return {**sample, "color": color}


class ColorPages(PictureDataset):
    """Whole coloured pages at shortest side S: ``color`` (3, H, W) [-1, 1] and ``name``.

    What colourings of other pages are compared with. Raises TrainingError when none can be read.
    """

    def __init__(self, source: PictureSource, size: int, seed: int = 0) -> None:
        super().__init__(source, seed)
        self.size = size
        self.require_one()

    def probe(self, index: int) -> None:
        _ = self.source.load(index).paint  # raises when there is no colour

    def make(self, index: int, rng: np.random.Generator) -> Sample:
        picture = self.source.load(index)
        height, width = _shortest_side(picture.shape, self.size)
        return {
            "color": signed(resize(picture.paint, height, width, "area")),
            "name": picture.name,
        }


def monochrome(picture: Picture) -> np.ndarray:
    """(H, W) uint8: the black-and-white edition, or the drawing of a page without one."""
    return picture.drawing if picture.monochrome is None else picture.monochrome


def _shortest_side(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    """Height and width at which the shorter one is ``size`` (the other rounded up)."""
    height, width = shape[:2]
    if height <= width:
        return size, -(-width * size // height)
    return -(-height * size // width), size


def _padded(tensor: Tensor) -> Tensor:
    """To a multiple of 32, right and below, with each row's or column's maximum."""
    below, right = -tensor.shape[1] % STRIDE, -tensor.shape[2] % STRIDE
    if right:
        column = tensor.amax(2, keepdim=True).expand(-1, -1, right)
        tensor = torch.cat((tensor, column), 2)
    if below:
        row = tensor.amax(1, keepdim=True).expand(-1, below, -1)
        tensor = torch.cat((tensor, row), 1)
    return tensor
