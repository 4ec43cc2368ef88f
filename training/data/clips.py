"""Clips of line-art shots with distance fields and references (Shi et al. 2023, section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from backend.imaging.distance import INK, Norm, distance_field
from training.errors import TrainingError

from .base import Sample, SampleDataset, region_map, signed, unit
from .lines import FileLines, LineSource
from .picture import Picture, ShotSource
from .recolor import recolor
from .resize import Fit, flip_picture, to_square

Mode = Literal["window", "frame", "shot"]


class ShotDataset(SampleDataset):
    """Samples of video, frames in time order.

    ``line`` and ``distance`` (T, 1, S, S), ``color`` (T, 3, S, S), all [-1, 1];
    ``reference_line``, ``reference_distance``, ``reference_color`` (K, ...) are the frames
    ``reference_frames`` (K) int64, evenly spaced from first to last (left out with references 0);
    ``target`` () int64 an inner frame; ``name``; ``regions`` (T, S, S) int32 where the whole source
    has them.

    mode "window": every window of ``clip`` frames, ``clip`` apart, the last moved to fit; "frame":
    every inner frame once as the target of a random window; "shot": whole shots (T varies, so
    batches of one). Shots shorter than ``clip`` are left out but in mode "shot". ``flip`` mirrors
    half of the samples. Raises TrainingError when no shot is left.
    """

    source: ShotSource

    def __init__(
        self,
        source: ShotSource,
        size: int = 256,
        clip: int = 8,
        *,
        seed: int = 0,
        mode: Mode = "window",
        references: int = 2,
        lines: LineSource | None = None,
        distance_norm: Norm = "max",
        recolor: bool = False,
        flip: bool = False,
        fit: Fit = "pad",
    ) -> None:
        super().__init__(source, seed)
        if clip < 3 and mode != "shot":
            raise TrainingError(f"data.clip is {clip}", "use at least 3 frames: two ends, a target")
        self.size, self.clip, self.mode = size, clip, mode
        self.lines = lines or FileLines()
        self._references = references
        self._norm, self._fit = distance_norm, fit
        self._recolor, self._flip = recolor, flip
        self._places = list(self._enumerate())
        if not self._places:
            raise TrainingError(
                f"no shot of {source.name} has {clip} frames", "use a smaller data.clip"
            )
        shot, start = self._places[self.require_one()]
        # drawn once here, so that what stands in for absent drawings is known from the start
        self._drawn(self.source.load(shot, self._frames(shot, start or 0)[:1])[0])

    @property
    def degraded(self) -> list[str]:
        return self.lines.degraded

    @property
    def left_out(self) -> list[str]:
        return [*self.source.left_out, *super().left_out]

    def __len__(self) -> int:
        return len(self._places)

    def probe(self, index: int) -> None:
        shot, start = self._places[index]
        self.source.load(shot, self._frames(shot, start or 0))

    def make(self, index: int, rng: np.random.Generator) -> Sample:
        shot, place = self._places[index]
        frames, target = self._choose(shot, place, rng)
        return self.sample_of(self.pictures(shot, frames, rng), target, self.source.label(shot))

    def pictures(self, shot: int, frames: list[int], rng: np.random.Generator) -> list[Picture]:
        """Frames of a shot with their drawings, at S x S, augmented alike. Raises BadPicture."""
        pictures = [self._drawn(picture) for picture in self.source.load(shot, frames)]
        if self._flip and rng.random() < 0.5:
            pictures = [flip_picture(picture) for picture in pictures]
        if self._recolor and all(picture.regions is not None for picture in pictures):
            pictures = recolor(pictures, rng)
        return pictures

    def sample_of(self, pictures: list[Picture], target: int, name: str) -> Sample:
        """The sample that frames in order make, ``target`` being the number of one."""
        line = torch.stack([signed(picture.drawing) for picture in pictures])
        color = torch.stack([signed(picture.paint) for picture in pictures])
        distance = torch.stack([self._distance(picture.drawing) for picture in pictures])
        sample: Sample = {"line": line, "distance": distance, "color": color}
        if self._references:
            chosen = evenly_spaced(len(pictures), self._references)
            sample |= {
                "reference_line": line[chosen],
                "reference_distance": distance[chosen],
                "reference_color": color[chosen],
                "reference_frames": torch.tensor(chosen),
            }
        sample |= {"target": torch.tensor(target), "name": name}
        if self.source.has_regions:
            maps = [picture.regions for picture in pictures if picture.regions is not None]
            sample["regions"] = torch.stack([region_map(regions) for regions in maps])
        return sample

    def _enumerate(self) -> Iterator[tuple[int, int | None]]:
        for shot in range(len(self.source)):
            length = self.source.length(shot)
            if self.mode == "shot":
                if length >= 2:
                    yield shot, None
            elif length >= self.clip:
                if self.mode == "frame":
                    yield from ((shot, frame) for frame in range(1, length - 1))
                else:
                    starts = list(range(0, length - self.clip + 1, self.clip))
                    if starts[-1] + self.clip < length:
                        starts.append(length - self.clip)
                    yield from ((shot, start) for start in starts)

    def _frames(self, shot: int, start: int) -> list[int]:
        length = self.source.length(shot)
        if self.mode == "shot":
            return list(range(length))
        start = min(start, length - self.clip)
        return list(range(start, start + self.clip))

    def _choose(
        self, shot: int, place: int | None, rng: np.random.Generator
    ) -> tuple[list[int], int]:
        """Frames of the clip, and the target among them."""
        length = self.source.length(shot)
        if self.mode != "frame" or place is None:
            frames = self._frames(shot, place or 0)
            inner = range(1, len(frames) - 1) or range(len(frames))
            return frames, int(rng.choice(list(inner)))
        # the target is never the first or last frame of the window: those are references
        low, high = max(0, place - self.clip + 2), min(length - self.clip, place - 1)
        start = int(rng.integers(low, high + 1))
        return list(range(start, start + self.clip)), place - start

    def _drawn(self, picture: Picture) -> Picture:
        # drawn at the size of training, for lines fade when they shrink; an edge of padding is none
        if picture.line is None and self._fit == "stretch":
            picture = to_square(picture, self.size, "area", self._fit)
            return replace(picture, line=self.lines(picture))
        picture = replace(picture, line=self.lines(picture))
        return to_square(picture, self.size, "area", self._fit)

    def _distance(self, line: np.ndarray) -> Tensor:
        field = distance_field(line <= INK * 255, norm=self._norm)
        return unit(field) * 2 - 1


def evenly_spaced(frames: int, count: int) -> list[int]:
    """``count`` frames at equal spacing, first and last among them; one alone is the first."""
    if count == 1:
        return [0]
    return [round(index * (frames - 1) / (count - 1)) for index in range(count)]
