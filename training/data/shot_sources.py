"""Sources of shots: frames in files, generated ones, joins and parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from training.errors import TrainingError

from .picture import Picture, ShotSource
from .procedural.shot import prepared, shot_frames
from .sources import GENERATOR, Entry, read_entry


class FileShots:
    """Shots whose frames are files. Raises TrainingError when there are none."""

    left_out: Sequence[str] = ()

    def __init__(
        self, name: str, shots: Sequence[tuple[str, Sequence[Entry]]], folder: Path
    ) -> None:
        if not shots:
            raise TrainingError(
                f"{folder} holds no shots that are long enough", "check --data and data.set"
            )
        self.name = name
        self._shots = [(label, list(entries)) for label, entries in shots]
        self.has_regions = all(entry.regions for _, entries in self._shots for entry in entries)

    def __len__(self) -> int:
        return len(self._shots)

    def label(self, index: int) -> str:
        return self._shots[index][0]

    def length(self, index: int) -> int:
        return len(self._shots[index][1])

    def files(self, index: int) -> list[Path]:
        return [path for entry in self._shots[index][1] for path in entry.files]

    def load(self, index: int, frames: Sequence[int]) -> list[Picture]:
        return [read_entry(self._shots[index][1][frame]) for frame in frames]


SHORTEST, LONGEST = 8, 40  # frames of a generated shot


@lru_cache(maxsize=256)
def _generate(number: int, length: int, frame: int, size: int) -> Picture:
    scene, motion = prepared(number, length)
    picture = shot_frames(scene, motion, [frame], length, size, f"shot {number}")[0]
    picture.freeze()
    return replace(picture, identity=f"shot-{number}-{length}-{frame}-{size}-{GENERATOR}")


class GeneratedShots:
    """``count`` procedural shots of 8 to 40 frames, at least ``shortest``."""

    has_regions = True
    name = "generated shots"
    left_out: Sequence[str] = ()

    def __init__(self, count: int, seed: int = 0, size: int = 256, shortest: int = 8) -> None:
        if count < 1:
            raise TrainingError(f"data.count is {count}", "ask for at least one shot")
        self._count, self._seed, self._size = count, seed, size
        self._shortest = max(SHORTEST, shortest)

    def __len__(self) -> int:
        return self._count

    def label(self, index: int) -> str:
        return f"shot {self._number(index)}"

    def length(self, index: int) -> int:
        rng = np.random.default_rng((self._number(index), 106))
        return int(rng.integers(self._shortest, max(self._shortest, LONGEST) + 1))

    def files(self, index: int) -> list[Path]:
        return []

    def load(self, index: int, frames: Sequence[int]) -> list[Picture]:
        number, length = self._number(index), self.length(index)
        return [_generate(number, length, frame, self._size) for frame in frames]

    def _number(self, index: int) -> int:
        return self._seed * 1_000_003 + index


class ShotPart:
    """Some shots of one or several sources."""

    def __init__(self, sources: Sequence[ShotSource], places: Sequence[tuple[int, int]]) -> None:
        self.name = "+".join(source.name for source in sources)
        self.has_regions = all(source.has_regions for source in sources)
        self._sources, self._places = list(sources), list(places)
        self.left_out = [line for source in sources for line in source.left_out]

    @staticmethod
    def joined(sources: Sequence[ShotSource]) -> ShotPart:
        """All shots of several sources."""
        every = [(n, i) for n, source in enumerate(sources) for i in range(len(source))]
        return ShotPart(sources, every)

    def __len__(self) -> int:
        return len(self._places)

    def label(self, index: int) -> str:
        number, inner = self._places[index]
        return self._sources[number].label(inner)

    def length(self, index: int) -> int:
        number, inner = self._places[index]
        return self._sources[number].length(inner)

    def files(self, index: int) -> list[Path]:
        number, inner = self._places[index]
        return self._sources[number].files(inner)

    def load(self, index: int, frames: Sequence[int]) -> list[Picture]:
        number, inner = self._places[index]
        return self._sources[number].load(inner, frames)
