"""What all data sets share: seeds of samples, bad pictures, naming what was replaced."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from training.errors import TrainingError

from .picture import BadPicture, PictureSource, ShotSource
from .seeds import sample_rng

Sample = dict[str, Any]
Key = int | tuple[int, int]
_log = logging.getLogger("nuri.training")


class SampleDataset(Dataset[Sample], ABC):
    """Samples by index or by (epoch, index); a plain index is that of epoch 0.

    A sample depends on (seed, epoch, index) alone. A picture that cannot be read is named once;
    where it is asked for, another one stands in, drawn anew each time, so that none is seen twice
    as often as the others. `flaw` tells those who must not count a stand-in, `left_out` what was
    found so far. Raises TrainingError as soon as no picture is left; the first is looked for on
    construction.
    """

    def __init__(self, source: PictureSource | ShotSource, seed: int) -> None:
        self.source = source
        self.seed = seed
        self._bad: dict[int, str] = {}

    @property
    def degraded(self) -> list[str]:
        """What stood in for something absent, one line each."""
        return []

    @property
    def pretrained(self) -> dict[str, Path]:
        """The networks of others that samples go through, each with its file."""
        return {}

    @property
    def left_out(self) -> list[str]:
        """Why samples cannot be made, one line each; those that this process has come upon."""
        return list(dict.fromkeys(self._bad.values()))

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def make(self, index: int, rng: np.random.Generator) -> Sample:
        """One sample. Raises BadPicture."""

    @abstractmethod
    def probe(self, index: int) -> None:
        """Read what a sample needs. Raises BadPicture."""

    def __getitem__(self, key: Key) -> Sample:
        epoch, index = key if isinstance(key, tuple) else (0, key)
        count = len(self)
        if not 0 <= index < count:
            raise IndexError(index)
        for candidate in self._candidates(epoch, index):
            if candidate in self._bad:
                continue
            try:
                return self.make(candidate, sample_rng(self.seed, epoch, index))
            except BadPicture as error:
                self._leave_out(candidate, error)
        raise self._none_left()

    def flaw(self, index: int) -> str:
        """Why a sample cannot be made, in one line, "" when it can; what it needs is read."""
        try:
            self.probe(index)
        except BadPicture as error:
            self._leave_out(index, error)
            return str(error)
        return ""

    def check(self, seen: Callable[[int], None] = lambda _: None) -> list[str]:
        """Make every sample once, so that caches are filled; a line for each that cannot be made.

        ``seen`` is told how many were tried. Raises TrainingError when none is left.
        """
        found = []
        for index in range(len(self)):
            try:
                self.make(index, sample_rng(self.seed, 0, index))
            except BadPicture as error:
                self._leave_out(index, error)
                found.append(str(error))
            seen(index + 1)
        if len(found) == len(self):
            raise self._none_left()
        return found

    def require_one(self) -> int:
        """The first sample that can be read. Raises TrainingError when there is none."""
        for index in range(len(self)):
            if not self.flaw(index):
                return index
        raise self._none_left()

    def _candidates(self, epoch: int, index: int) -> Iterator[int]:
        """The sample itself, then stand-ins that follow from (seed, epoch, index)."""
        yield index
        rng = sample_rng(self.seed, epoch, index)
        while len(self._bad) < len(self):
            yield int(rng.integers(len(self)))

    def _leave_out(self, index: int, error: BadPicture) -> None:
        if index not in self._bad:
            self._bad[index] = str(error)
            _log.warning("%s; it is left out, others take its place in training", error)

    def _none_left(self) -> TrainingError:
        return TrainingError(
            f"none of the {len(self)} samples of {self.source.name} can be used",
            "check the files named above, or choose another --data",
        )


class PictureDataset(SampleDataset):
    """A sample for each picture of a source."""

    source: PictureSource

    def __init__(self, source: PictureSource, seed: int) -> None:
        super().__init__(source, seed)
        if not len(source):
            raise TrainingError(f"{source.name} holds no pictures", "choose another --data")

    def __len__(self) -> int:
        return len(self.source)

    def probe(self, index: int) -> None:
        self.source.load(index)


def signed(array: np.ndarray) -> Tensor:
    """(H, W) or (H, W, 3) uint8 -> (C, H, W) float32 in [-1, 1]."""
    return unit(array) * 2 - 1


def unit(array: np.ndarray) -> Tensor:
    """(H, W) or (H, W, 3), uint8 or float in [0, 1] -> (C, H, W) float32 in [0, 1]."""
    if array.ndim == 2:
        array = array[..., None]
    tensor = torch.from_numpy(np.array(array.transpose(2, 0, 1), order="C")).float()
    return tensor / 255 if array.dtype == np.uint8 else tensor


def region_map(regions: np.ndarray) -> Tensor:
    """(H, W) int32."""
    return torch.from_numpy(np.array(regions, np.int32))
