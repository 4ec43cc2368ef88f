"""Line drawings with their colours and a warped reference (Cao et al. 2023, section IV)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from .base import PictureDataset, Sample, region_map, signed, unit
from .jitter import color_jitter
from .lines import FileLines, LineSource
from .picture import PictureSource
from .recolor import recolor
from .resize import Fit, Interpolation, flip_picture, to_square
from .warp import ThinPlateSpline, paper_control_points, warp


class PairedLineDataset(PictureDataset):
    """Samples of aaldc and of the line extractor.

    ``line`` (1, S, S), ``color`` and ``reference`` (3, S, S), all [-1, 1], 1 = paper; ``triplet``
    (2, S, S): where in ``color`` each reference pixel was taken from, x and y in [-1, 1] with
    align_corners False; ``name``; ``regions`` (S, S) int32 where the whole source has them.
    ``warp`` off: the reference is the picture itself. ``recolor`` needs regions, ``jitter`` (0..1)
    turns hues of pictures without. Raises TrainingError when no picture can be read.
    """

    def __init__(
        self,
        source: PictureSource,
        size: int = 256,
        *,
        seed: int = 0,
        warp: bool = True,
        recolor: bool = False,
        jitter: float = 0.0,
        flip: bool = False,
        lines: LineSource | None = None,
        fit: Fit = "pad",
        interpolation: Interpolation = "bicubic",
    ) -> None:
        super().__init__(source, seed)
        self.size = size
        self.lines = lines or FileLines()
        self._warp, self._recolor, self._jitter, self._flip = warp, recolor, jitter, flip
        self._fit, self._interpolation = fit, interpolation
        # drawn once here, so that what stands in for absent drawings is known from the start
        self.lines(self.source.load(self.require_one()))

    @property
    def degraded(self) -> list[str]:
        return self.lines.degraded

    def probe(self, index: int) -> None:
        _ = self.source.load(index).paint  # raises when there is no colour

    def make(self, index: int, rng: np.random.Generator) -> Sample:
        picture = self.source.load(index)
        picture = replace(picture, line=self.lines(picture))
        picture = to_square(picture, self.size, self._interpolation, self._fit)
        if self._flip and rng.random() < 0.5:
            picture = flip_picture(picture)
        if self._recolor and picture.regions is not None:
            picture = recolor([picture], rng)[0]
        color = picture.paint
        if self._jitter and picture.regions is None:
            color = color_jitter(color, self._jitter, rng)
        sample: Sample = {"line": signed(picture.drawing), "color": signed(color)}
        if self._warp:
            sampling = ThinPlateSpline(*paper_control_points(rng)).sampling(self.size, self.size)
            warped = warp(unit(color)[None], sampling)[0]
            sample |= {"reference": warped * 2 - 1, "triplet": sampling[0].permute(2, 0, 1)}
        else:
            sample |= {"reference": sample["color"], "triplet": _identity(self.size)}
        sample["name"] = picture.name
        if self.source.has_regions and picture.regions is not None:
            sample["regions"] = region_map(picture.regions)
        return sample


def _identity(size: int) -> torch.Tensor:
    centres = (torch.arange(size) * 2 + 1) / size - 1
    return torch.stack(torch.meshgrid(centres, centres, indexing="ij")[::-1])
