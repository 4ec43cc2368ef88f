"""Photographs as lightness and chroma (ibn_gan, section 6; smsanet, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from backend.imaging.color import ZHANG, rgb_to_lab

from .base import PictureDataset, Sample, region_map, unit
from .cache import ArrayCache
from .picture import BadPicture, Picture, PictureSource
from .recolor import recolor
from .resize import Interpolation, crop_picture, flip_picture, resize_picture, to_square

Saliency = Callable[[Tensor], Tensor]


class Codec(Protocol):
    """Normalised Lab: ((L - l_center) / l_scale, ab / ab_scale)."""

    @property
    def l_center(self) -> float: ...
    @property
    def l_scale(self) -> float: ...
    @property
    def ab_scale(self) -> float: ...


class PhotoDataset(PictureDataset):
    """Samples of ibn_gan and smsanet.

    ``gray`` (1, S, S) and ``ab`` (2, S, S) in the codec's units, ``rgb`` (3, S, S) [0, 1];
    ``saliency`` (1, S, S) {0, 1} of the backend where one is given (rgb (1, 3, S, S) [0, 1] ->
    (1, 1, S, S) [0, 1]; ``saliency_key`` tells backends apart, for the cache of maps of pictures
    that are neither cropped nor recoloured), else of the source where it has it; ``name``;
    ``regions`` where the whole source has them. ``crop``: shorter side to S and a random part, else
    the whole picture stretched to S x S. Pictures whose chroma spans less than ``gray_threshold``
    (sum over a and b of max - min) are left out. Raises TrainingError when none can be used.
    """

    def __init__(
        self,
        source: PictureSource,
        size: int = 256,
        codec: Codec = ZHANG,
        *,
        seed: int = 0,
        interpolation: Interpolation = "bilinear",
        crop: bool = False,
        flip: bool = False,
        gray_threshold: float = 0.0,
        saliency: Saliency | None = None,
        saliency_key: str = "",
        recolor: bool = False,
        cache: ArrayCache | None = None,
    ) -> None:
        super().__init__(source, seed)
        self.size, self.codec = size, codec
        self._interpolation, self._crop, self._flip = interpolation, crop, flip
        self._threshold, self._saliency, self._recolor = gray_threshold, saliency, recolor
        self._cache, self._key = cache, saliency_key
        self.require_one()

    def probe(self, index: int) -> None:
        self._coloured(index)

    def make(self, index: int, rng: np.random.Generator) -> Sample:
        picture = self._at_size(self._coloured(index), rng)
        if self._flip and rng.random() < 0.5:
            picture = flip_picture(picture)
        if self._recolor and picture.regions is not None:
            picture = recolor([picture], rng)[0]
        rgb = unit(picture.paint)
        lab = rgb_to_lab(picture.paint.astype(np.float32) / 255)
        sample: Sample = {
            "gray": unit((lab[..., :1] - self.codec.l_center) / self.codec.l_scale),
            "ab": unit(lab[..., 1:] / self.codec.ab_scale),
            "rgb": rgb,
        }
        mask = self._mask(picture, rgb)
        if mask is not None:
            sample["saliency"] = mask
        sample["name"] = picture.name
        if self.source.has_regions and picture.regions is not None:
            sample["regions"] = region_map(picture.regions)
        return sample

    def _coloured(self, index: int) -> Picture:
        """A picture. The whole of it decides if it is too grey: whether it serves must not vary."""
        picture = self.source.load(index)
        paint = picture.paint
        if self._threshold:
            step = max(1, min(picture.shape) // self.size)
            lab = rgb_to_lab(paint[::step, ::step].astype(np.float32) / 255)
            if float(np.ptp(lab[..., 1]) + np.ptp(lab[..., 2])) < self._threshold:
                raise BadPicture(f"{picture.name} is nearly grey")
        return picture

    def _at_size(self, picture: Picture, rng: np.random.Generator) -> Picture:
        if not self._crop:
            return to_square(picture, self.size, self._interpolation, "stretch")
        height, width = picture.shape
        scale = self.size / min(height, width)
        height = max(self.size, round(height * scale))
        width = max(self.size, round(width * scale))
        picture = resize_picture(picture, height, width, self._interpolation)
        top = int(rng.integers(height - self.size + 1))
        left = int(rng.integers(width - self.size + 1))
        return crop_picture(picture, top, left, self.size, self.size)

    def _mask(self, picture: Picture, rgb: Tensor) -> Tensor | None:
        if self._saliency is None:
            own = picture.saliency
            return None if own is None else (unit(own) >= 0.5).float()
        backend = self._saliency

        def compute() -> np.ndarray:
            with torch.inference_mode():
                return (backend(rgb[None])[0, 0] >= 0.5).to(torch.uint8).cpu().numpy()

        if self._cache is None or not (self._key and picture.identity):
            return torch.from_numpy(compute()).float()[None]
        key = ("saliency", self._key, picture.identity, self.size, self._interpolation)
        return torch.from_numpy(self._cache.get(key, compute)).float()[None]
