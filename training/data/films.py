"""Films as folders of frames or videos, and the shots into which they are cut."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from training.errors import TrainingError
from training.names import name_bytes

from .cache import ArrayCache
from .files import read_pixels, to_rgb
from .picture import BadPicture, Picture
from .shots import FrameSummary, ShotRules, split_summaries, summarise

_log = logging.getLogger("nuri.training")
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".ogv")


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

    Its ``identity`` has the size in it, for what is made of smaller frames differs. Raises
    TrainingError when the file holds no video that can be decoded.
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
        return f"{_files_identity([self._path])}-{self._size}"

    def _frames(self) -> np.ndarray:
        key = ("video", _files_identity([self._path]), self._size)
        return self._cache.mapped(key, self._decode)

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

    With ``rules.threshold`` 0 every film is one shot as it is. What cutting needs to know of each
    film is kept in the cache. ``left_out`` names the frames that cannot be read. Raises
    TrainingError when no shot is left.
    """

    has_regions = False

    def __init__(
        self, name: str, films: Sequence[FrameStore], rules: ShotRules, cache: ArrayCache
    ) -> None:
        self.name = name
        self._films = list(films)
        self.left_out: list[str] = []
        self._shots = [
            (number, frames)
            for number, film in enumerate(self._films)
            for frames in self._shots_of(film, rules, cache)
        ]
        count = sum(map(len, self._films))
        if self.left_out and len(self.left_out) == count:
            raise TrainingError(
                f"none of the {count} frames of {name} can be read",
                f"check {self._films[0].files(0)[0]}, or choose another --data",
            )
        if not self._shots:
            uncut = "raise data.shot_threshold, or set it to 0 where each folder or video is a shot"
            raise TrainingError(
                f"{name} has no shot of at least {rules.shortest} frames",
                uncut if rules.threshold else "use smaller data.clip and eval.clip",
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

    def _shots_of(self, film: FrameStore, rules: ShotRules, cache: ArrayCache) -> list[list[int]]:
        if not rules.threshold:
            return [list(range(len(film)))] if len(film) >= rules.shortest else []
        summaries = _summaries(film, rules, cache)
        self.left_out += [
            f"{path} cannot be read: it belongs to no shot"
            for frame, summary in enumerate(summaries)
            if not summary.histogram.any()
            for path in film.files(frame)
        ]
        return split_summaries(summaries, rules)


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
        facts = f"{path.name}:{known.st_size}:{known.st_mtime_ns};"
        state.update(name_bytes(facts))
    return state.hexdigest()
