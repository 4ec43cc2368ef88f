"""Sources of shots: folders of shots, frame folders and videos that are cut, generated ones."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from training.errors import TrainingError

from .cache import ArrayCache
from .files import read_pixels, to_rgb
from .picture import BadPicture, Picture, ShotSource
from .procedural.shot import prepared, shot_frames
from .shots import FrameSummary, ShotRules, split_summaries, summarise
from .sources import GENERATOR, Entry, read_entry

_log = logging.getLogger("nuri.training")
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".ogv")


class FileShots:
    """Shots whose frames are files. Raises TrainingError when there are none."""

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


@lru_cache(maxsize=256)
def _generate(number: int, length: int, frame: int, size: int) -> Picture:
    scene, motion = prepared(number, length)
    picture = shot_frames(scene, motion, [frame], length, size, f"shot {number}")[0]
    picture.freeze()
    return replace(picture, identity=f"shot-{number}-{length}-{frame}-{size}-{GENERATOR}")


class GeneratedShots:
    """``count`` procedural shots of 8 to 40 frames."""

    has_regions = True
    name = "generated shots"

    def __init__(self, count: int, seed: int = 0, size: int = 256, shortest: int = 8) -> None:
        if count < 1:
            raise TrainingError(f"data.count is {count}", "ask for at least one shot")
        self._count, self._seed, self._size = count, seed, size
        self._shortest = max(2, shortest)

    def __len__(self) -> int:
        return self._count

    def label(self, index: int) -> str:
        return f"shot {self._number(index)}"

    def length(self, index: int) -> int:
        rng = np.random.default_rng((self._number(index), 106))
        return int(rng.integers(self._shortest, max(self._shortest + 9, 17)))

    def files(self, index: int) -> list[Path]:
        return []

    def load(self, index: int, frames: Sequence[int]) -> list[Picture]:
        number, length = self._number(index), self.length(index)
        return [_generate(number, length, frame, self._size) for frame in frames]

    def _number(self, index: int) -> int:
        return self._seed * 1_000_003 + index


class FrameStore(Protocol):
    """All frames of a film by number."""

    name: str

    def __len__(self) -> int: ...

    def frame(self, index: int) -> np.ndarray:
        """(H, W, 3) uint8. Raises BadPicture."""
        ...

    def files(self, index: int) -> list[Path]: ...

    def identity(self) -> str:
        """What tells this film's content apart."""
        ...


class FrameFolder:
    """A film as picture files in natural order."""

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name, self._paths = name, list(paths)

    def __len__(self) -> int:
        return len(self._paths)

    def frame(self, index: int) -> np.ndarray:
        return to_rgb(read_pixels(self._paths[index])[0])

    def files(self, index: int) -> list[Path]:
        return [self._paths[index]]

    def identity(self) -> str:
        return _files_identity(self._paths)


class VideoFile:
    """A film as a video file, decoded once to ``size`` squared pixels into the cache.

    Raises TrainingError when the file holds no video that can be decoded.
    """

    def __init__(self, path: Path, size: int, cache: ArrayCache) -> None:
        self.name, self._path, self._size, self._cache = path.stem, path, size, cache
        self._length = len(self._frames())

    def __len__(self) -> int:
        return self._length

    def frame(self, index: int) -> np.ndarray:
        return np.array(self._frames()[index])

    def files(self, index: int) -> list[Path]:
        return [self._path]

    def identity(self) -> str:
        return _files_identity([self._path])

    def _frames(self) -> np.ndarray:
        return self._cache.mapped(("video", self.identity(), self._size), self._decode)

    def _decode(self) -> np.ndarray:
        frames = [
            cv2.resize(frame, (self._size, self._size), interpolation=cv2.INTER_AREA)
            for frame in read_video(self._path)
        ]
        if not frames:
            raise TrainingError(
                f"{self._path} holds no video frame", "convert it with ffmpeg or leave it out"
            )
        return np.stack(frames)


def read_video(path: Path) -> Iterator[np.ndarray]:
    """The frames (H, W, 3) uint8 RGB of a video; a damaged end is left out with a warning.

    Raises TrainingError when the file is no video.
    """
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise TrainingError(f"{path} holds no video", "leave it out of the data")
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
    except av.FFmpegError as error:
        if isinstance(error, av.InvalidDataError):
            _log.warning("%s is damaged; frames after the damage are left out", path)
            return
        raise TrainingError(f"{path} cannot be read: {error.strerror}", "check the file") from error


class FilmShots:
    """The shots into which films are cut (Shi et al. 2023, section 5.1).

    What cutting needs to know of each film is kept in the cache. Raises TrainingError when no shot
    is left.
    """

    has_regions = False

    def __init__(
        self, name: str, films: Sequence[FrameStore], rules: ShotRules, cache: ArrayCache
    ) -> None:
        self.name = name
        self._films = list(films)
        self._shots = [
            (number, frames)
            for number, film in enumerate(self._films)
            for frames in split_summaries(_summaries(film, rules, cache), rules)
        ]
        if not self._shots:
            raise TrainingError(
                f"{name} has no shot of at least {rules.shortest} frames",
                "raise data.shot_threshold or give more frames",
            )

    def __len__(self) -> int:
        return len(self._shots)

    def label(self, index: int) -> str:
        film, frames = self._shots[index]
        return f"{self._films[film].name}/{frames[0]:06d}"

    def length(self, index: int) -> int:
        return len(self._shots[index][1])

    def files(self, index: int) -> list[Path]:
        film, frames = self._shots[index]
        found = {path for frame in frames for path in self._films[film].files(frame)}
        return sorted(found)

    def load(self, index: int, frames: Sequence[int]) -> list[Picture]:
        number, inside = self._shots[index]
        film = self._films[number]
        identity = film.identity()
        return [
            Picture(
                f"{film.name}/{inside[frame]:06d}",
                color=film.frame(inside[frame]),
                identity=f"{identity}-{inside[frame]}",
            )
            for frame in frames
        ]


class ShotPart:
    """Some shots of one or several sources."""

    def __init__(self, sources: Sequence[ShotSource], places: Sequence[tuple[int, int]]) -> None:
        self.name = "+".join(source.name for source in sources)
        self.has_regions = all(source.has_regions for source in sources)
        self._sources, self._places = list(sources), list(places)

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


def _summaries(film: FrameStore, rules: ShotRules, cache: ArrayCache) -> list[FrameSummary]:
    table = cache.get(
        ("shot-summaries", film.identity(), rules.resolution),
        lambda: np.stack([_row(film, frame, rules.resolution) for frame in range(len(film))]),
    )
    return [FrameSummary(row[2:], float(row[0]), float(row[1])) for row in table]


def _row(film: FrameStore, frame: int, resolution: int) -> np.ndarray:
    try:
        summary = summarise(film.frame(frame), resolution)
    except BadPicture as error:
        _log.warning("%s; the frame is left out", error)
        # black and colourless: such frames belong to no shot
        return np.zeros(2 + 768)
    return np.concatenate(([summary.luma, summary.saturation], summary.histogram))


def _files_identity(paths: Sequence[Path]) -> str:
    """By name, size and time of change: reading every byte of a film would take too long."""
    state = hashlib.blake2b(digest_size=16)
    for path in paths:
        known = path.stat()
        state.update(f"{path.name}:{known.st_size}:{known.st_mtime_ns};".encode())
    return state.hexdigest()
