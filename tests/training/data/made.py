"""Small data sets of generated pictures, and what tests ask of samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from training.data import MangaDataset, PairedLineDataset, PhotoDataset, ShotDataset
from training.data.shot_sources import GeneratedShots
from training.data.shots import ShotRules, split_summaries, summarise
from training.data.sources import GeneratedPictures


def split(frames: Sequence[np.ndarray], rules: ShotRules) -> list[list[int]]:
    """The numbers of the frames (H, W, 3) uint8 of each shot."""
    return split_summaries([summarise(frame, rules.resolution) for frame in frames], rules)


def within(tensor: torch.Tensor, low: float, high: float) -> bool:
    return bool(torch.isfinite(tensor).all() and tensor.min() >= low and tensor.max() <= high)


def pairs(**options: object) -> PairedLineDataset:
    return PairedLineDataset(GeneratedPictures("toon", 4, size=64), 48, **options)  # type: ignore[arg-type]


def shots(**options: object) -> ShotDataset:
    return ShotDataset(GeneratedShots(2, size=48), 32, **options)  # type: ignore[arg-type]


def pages(**options: object) -> MangaDataset:
    return MangaDataset(GeneratedPictures("page", 2, size=64), 64, scales=(2,), **options)  # type: ignore[arg-type]


def photos(**options: object) -> PhotoDataset:
    return PhotoDataset(GeneratedPictures("photo", 3, size=64), 32, **options)  # type: ignore[arg-type]


def same(one: dict[str, object], other: dict[str, object]) -> bool:
    return all(
        torch.equal(value, other[name])  # type: ignore[arg-type]
        for name, value in one.items()
        if isinstance(value, torch.Tensor)
    )
