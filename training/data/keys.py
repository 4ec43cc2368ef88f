"""Key frames alone: fine-tuning to what an artist has coloured (Shi et al. 2023, section 5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from .base import Sample, unit
from .clips import ShotDataset, evenly_spaced
from .picture import Picture, ShotSource
from .warp import ThinPlateSpline, paper_control_points, warp


class KeyFrameDataset(ShotDataset):
    """Samples of video: each key frame of a shot once as the target, others as its references.

    The key frames of a shot are ``keys`` of its frames at equal spacing, or all of a shorter one.
    A sample is one of `ShotDataset` with ``references`` + 1 frames, 3 at least: references stand
    where `evenly_spaced` puts them, the target in the first place that is left. Where a shot has
    too few keys, the target itself stands in, warped by a thin-plate spline; white comes in from
    outside. There are no ``regions``. ``options`` are those of `ShotDataset`.
    """

    def __init__(
        self, source: ShotSource, size: int, *, keys: int, references: int, **options: Any
    ) -> None:
        self._keys, self._count = max(1, keys), references
        super().__init__(source, size, mode="shot", references=0, **options)

    def probe(self, index: int) -> None:
        shot, _ = self._places[index]
        self.source.load(shot, self._key_frames(shot))

    def make(self, index: int, rng: np.random.Generator) -> Sample:
        shot, key = self._places[index]
        others = [frame for frame in self._key_frames(shot) if frame != key]
        chosen = sorted(rng.permutation(others)[: self._count].tolist())
        target, *found = self.pictures(shot, [key or 0, *chosen], rng)
        found += [_warped(target, rng) for _ in range(self._count - len(found))]
        places = evenly_spaced(max(3, self._count + 1), self._count)
        frames = [target] * max(3, self._count + 1)
        for place, reference in zip(places, found, strict=True):
            frames[place] = reference
        free = next(place for place in range(1, len(frames)) if place not in places)
        sample = self.sample_of(frames, free, f"{self.source.label(shot)} {key}")
        sample.pop("regions", None)  # those of a warped picture are not known
        return sample

    def _enumerate(self) -> Iterator[tuple[int, int | None]]:
        for shot in range(len(self.source)):
            yield from ((shot, key) for key in self._key_frames(shot))

    def _key_frames(self, shot: int) -> list[int]:
        length = self.source.length(shot)
        return evenly_spaced(length, min(self._keys, length))


def _warped(picture: Picture, rng: np.random.Generator) -> Picture:
    """Colours and drawing of a picture bent alike, on white."""
    sampling = ThinPlateSpline(*paper_control_points(rng)).sampling(*picture.shape)
    both = torch.cat((unit(picture.paint), unit(picture.drawing)))
    bent = 1 - warp(1 - both[None], sampling)[0]
    pixels = (bent * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return replace(
        picture,
        color=np.ascontiguousarray(pixels[..., :3]),
        line=np.ascontiguousarray(pixels[..., 3]),
        identity="",
    )
