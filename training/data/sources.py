"""Sources of single pictures: files in the papers' layouts, generated ones, joins and parts."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np

from training.errors import TrainingError
from training.names import name_bytes

from .files import read_pixels, to_gray, to_regions, to_rgb
from .picture import BadPicture, Picture, PictureSource
from .procedural import page, photo, toon


@dataclass(frozen=True)
class Entry:
    """The files of one picture; those that a set lacks are None."""

    label: str
    color: Path | None = None
    line: Path | None = None
    regions: Path | None = None
    monochrome: Path | None = None

    @property
    def files(self) -> list[Path]:
        """Those that there are."""
        every = (self.color, self.line, self.regions, self.monochrome)
        return [path for path in every if path is not None]


def read_entry(entry: Entry) -> Picture:
    """Raises BadPicture when a file is damaged or the sizes differ."""
    color = line = regions = monochrome = None
    hashes = []
    if entry.color is not None:
        pixels, content = read_pixels(entry.color)
        color = to_rgb(pixels)
        hashes.append(content)
    if entry.line is not None:
        pixels, content = read_pixels(entry.line)
        line = to_gray(pixels)
        hashes.append(content)
    if entry.monochrome is not None:
        pixels, content = read_pixels(entry.monochrome)
        monochrome = to_gray(pixels)
        hashes.append(content)
    if entry.regions is not None:
        regions = to_regions(read_pixels(entry.regions)[0], entry.regions)
    shapes = {array.shape[:2] for array in (color, line, regions) if array is not None}
    if len(shapes) > 1:
        sizes = " and ".join(f"{width} x {height}" for height, width in sorted(shapes))
        raise BadPicture(f"{entry.files[0]} and the files that belong to it differ: {sizes}")
    if monochrome is not None and color is not None and monochrome.shape != color.shape[:2]:
        raise BadPicture(f"{entry.monochrome} and {entry.color} differ in size")
    identity = hashlib.blake2b("".join(hashes).encode(), digest_size=16).hexdigest()
    return Picture(entry.label, color, line, regions, None, monochrome, identity)


class FilePictures:
    """Pictures of which each has its own files. Raises TrainingError when there are none."""

    def __init__(self, name: str, entries: Sequence[Entry], folder: Path) -> None:
        if not entries:
            raise TrainingError(
                f"{folder} holds no pictures of the kind that is needed",
                "check --data and data.set",
            )
        self.name = name
        self._entries = list(entries)
        self.has_regions = all(entry.regions for entry in entries)

    def __len__(self) -> int:
        return len(self._entries)

    def label(self, index: int) -> str:
        return self._entries[index].label

    def files(self, index: int) -> list[Path]:
        return self._entries[index].files

    def load(self, index: int) -> Picture:
        return read_entry(self._entries[index])


class PairImages:
    """Pictures that hold colour and drawing side by side (Kaggle: 1024 x 512, colour left)."""

    has_regions = False

    def __init__(self, name: str, paths: Sequence[Path], color_left: bool = True) -> None:
        self.name = name
        self._paths = list(paths)
        self._color_left = color_left

    def __len__(self) -> int:
        return len(self._paths)

    def label(self, index: int) -> str:
        return self._paths[index].stem

    def files(self, index: int) -> list[Path]:
        return [self._paths[index]]

    def load(self, index: int) -> Picture:
        path = self._paths[index]
        pixels, content = read_pixels(path)
        both = to_rgb(pixels)
        width = both.shape[1]
        if width % 2 or width < 2:
            raise BadPicture(f"{path} is {width} pixels wide and cannot be halved into a pair")
        left, right = both[:, : width // 2], both[:, width // 2 :]
        color, line = (left, right) if self._color_left else (right, left)
        return Picture(path.stem, np.ascontiguousarray(color), to_gray(line), identity=content)


GENERATOR = 1  # its version: pictures of one number differ between versions
_MAKERS: dict[str, Callable[[int, int], Picture]] = {"toon": toon, "photo": photo, "page": page}


@lru_cache(maxsize=64)
def _generate(kind: str, number: int, size: int) -> Picture:
    made = _MAKERS[kind](number, size)
    made.freeze()
    return replace(made, identity=f"{kind}-{number}-{size}-{GENERATOR}")


class GeneratedPictures:
    """``count`` procedural pictures of a kind: toon, photo or page."""

    def __init__(self, kind: str, count: int, seed: int = 0, size: int = 256) -> None:
        if kind not in _MAKERS:
            raise TrainingError(
                f"there are no generated pictures of the kind {kind!r}",
                f"use one of {', '.join(_MAKERS)}",
            )
        if count < 1:
            raise TrainingError(f"data.count is {count}", "ask for at least one picture")
        self.name = f"generated {kind}"
        self.has_regions = kind != "photo"
        self._kind, self._count, self._seed, self._size = kind, count, seed, size

    def __len__(self) -> int:
        return self._count

    def label(self, index: int) -> str:
        return f"{self._kind} {self._number(index)}"

    def files(self, index: int) -> list[Path]:
        return []

    def load(self, index: int) -> Picture:
        number = self._number(index)
        return _generate(self._kind, number, self._size)

    def _number(self, index: int) -> int:
        return self._seed * 1_000_003 + index


class Joined:
    """Several sources as one."""

    def __init__(self, sources: Sequence[PictureSource]) -> None:
        self.name = "+".join(source.name for source in sources)
        self.has_regions = all(source.has_regions for source in sources)
        self._sources = list(sources)
        self._ends = list(accumulate(len(source) for source in sources))

    def __len__(self) -> int:
        return self._ends[-1]

    def _find(self, index: int) -> tuple[PictureSource, int]:
        number = bisect_right(self._ends, index)
        start = self._ends[number - 1] if number else 0
        return self._sources[number], index - start

    def label(self, index: int) -> str:
        source, inner = self._find(index)
        return source.label(inner)

    def files(self, index: int) -> list[Path]:
        source, inner = self._find(index)
        return source.files(inner)

    def load(self, index: int) -> Picture:
        source, inner = self._find(index)
        return source.load(inner)


class Part:
    """Some pictures of a source, by number."""

    def __init__(self, source: PictureSource, indices: Sequence[int]) -> None:
        self.name, self.has_regions = source.name, source.has_regions
        self._source, self._indices = source, list(indices)

    def __len__(self) -> int:
        return len(self._indices)

    def label(self, index: int) -> str:
        return self._source.label(self._indices[index])

    def files(self, index: int) -> list[Path]:
        return self._source.files(self._indices[index])

    def load(self, index: int) -> Picture:
        return self._source.load(self._indices[index])


class Monochrome:
    """The black-and-white editions of a source alone, as real manga comes: without colours."""

    has_regions = False

    def __init__(self, source: PictureSource) -> None:
        self.name = f"{source.name} (black-and-white)"
        self._source = source

    def __len__(self) -> int:
        return len(self._source)

    def label(self, index: int) -> str:
        return self._source.label(index)

    def files(self, index: int) -> list[Path]:
        return self._source.files(index)

    def load(self, index: int) -> Picture:
        picture = self._source.load(index)
        if picture.monochrome is None:
            raise BadPicture(f"{picture.name} has no black-and-white edition")
        return Picture(
            picture.name, monochrome=picture.monochrome, identity=f"{picture.identity}-bw"
        )


def in_held_out_part(label: str, share: float = 0.1) -> bool:
    """Whether a picture of an unsplit folder belongs to the held-out tenth, by its name alone."""
    digest = hashlib.sha256(name_bytes(label)).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32
