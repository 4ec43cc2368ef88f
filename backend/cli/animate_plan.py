"""Which frames `nuri animate` colours, from which key frames, and where they go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from backend.imaging import disk, io
from backend.imaging.film import Film, is_film
from protocol import limits
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, Plane

from .request import check_some_layered

if TYPE_CHECKING:
    import numpy as np

_MOST_KEYS = limits.BUFFERS // 2 - 1  # each may bring its lines, and a frame comes beside them


@dataclass(frozen=True)
class ShotFrame:
    """One frame of the shot. ``source``: its file, or the film that holds it as number ``index``.

    ``time``: when it is first seen; frames of a .kra file may be held. ``layer``: of a still file
    that has layers, "" for its merged picture.
    """

    index: int
    name: str
    source: Path
    film: Film | None
    output: Path
    time: int
    layer: str = ""

    def plane(self, name: str) -> Plane:
        """Its picture, under ``name``. Raises NuriError."""
        if self.film is None:
            data = disk.read_file(self.source)
            return EncodedImage(name, str(self.source), data, self.layer)
        return _as_plane(name, self.film.frame(self.index))


@dataclass(frozen=True)
class KeyPicture:
    """A coloured frame: a file, or number ``index`` of the key frames in a .kra file, ``film``."""

    path: Path
    film: Film | None = None
    index: int = 0

    def __str__(self) -> str:
        return str(self.path) if self.film is None else f"key frame {self.film.times[self.index]}"

    def plane(self, name: str) -> Plane:
        """Its picture, under ``name``. Raises NuriError."""
        if self.film is None:
            return EncodedImage(name, str(self.path), self._file[0])
        return _as_plane(name, self.film.frame(self.index))

    @property
    def warning(self) -> str:
        """Of a colour profile that was left out, or "". Raises NuriError."""
        return "" if self.film else self._file[1]

    @cached_property
    def _file(self) -> tuple[bytes | memoryview, str]:
        """The file with the colours of sRGB, and a warning or ""."""
        return io.as_srgb(disk.read_file(self.path), str(self.path))

    def png(self, frame: ShotFrame, *, lines_over: bool = True) -> bytes | memoryview:
        """The result of its own frame: the file as PNG; colours of a layer under their lines.

        In sRGB, as the results of the other frames. Raises NuriError.
        """
        if self.film is not None:
            from backend.imaging.composite import composite

            lines = frame.film.frame(frame.index) if frame.film and lines_over else None
            colours = self.film.frame(self.index)
            return io.encode_png(colours if lines is None else composite(lines, colours))
        data = self._file[0]
        if io.kind_of(data, str(self.path)) == "png":
            return data
        return io.encode_png(io.read_image(data, str(self.path)))


@dataclass(frozen=True)
class Plan:
    """``frames``: all of the shot, in order. ``keys``: (frame, its coloured picture), in order."""

    frames: list[ShotFrame]
    keys: list[tuple[ShotFrame, KeyPicture]]


def make_plan(
    sources: Sequence[Path],
    keys: Sequence[Path],
    output: Path,
    line_layer: str = "",
    key_layer: str = "",
) -> Plan:
    """Find the frames and pair the key frames with them.

    ``sources``: files in the order of their names, or one folder, or one film. ``line_layer``: of
    a .kra film, or of stills that have layers. ``key_layer``: of a .kra film; a file of ``keys``
    takes the place of its picture of that frame. Raises NuriError: not_found, bad_input (no
    frames, two of one name, a key frame without its frame, no key); UsageError (no layers).
    """
    if _is_one_film(sources):
        frames = _film_frames(sources[0], output, line_layer, key_layer)
    else:
        frames = _files(sources, output, line_layer)
    read = [frame.source for frame in frames]
    check_some_layered("--line-layer", line_layer, read, f"which {read[0]} is not")
    paired = _layer_keys(sources[0], frames, key_layer) if key_layer else {}
    paired |= _file_keys(keys, frames)
    return Plan(frames, [paired[index] for index in sorted(paired)])


def key_files(keys: Sequence[Path]) -> list[Path]:
    """The key frames, where a folder stands for those in it. Raises NuriError bad_input."""
    found: list[Path] = []
    for key in keys:
        found += _in_folder(key, "key frames") if key.is_dir() else [key]
    return found


def check_keys(shot: Plan) -> None:
    """Raises NuriError too_large when a shot has more key frames than one job takes."""
    if len(shot.keys) > _MOST_KEYS:
        raise NuriError(
            ErrorCode.too_large,
            f"there are {len(shot.keys)} key frames, more than {_MOST_KEYS}",
            "Leave some out; the first, the last and those with new things on them help most",
        )


def _file_keys(
    keys: Sequence[Path], frames: list[ShotFrame]
) -> dict[int, tuple[ShotFrame, KeyPicture]]:
    """The key frames that are files, by the numbers of their frames."""
    by_name = {frame.name: frame for frame in frames}
    if len(by_name) < len(frames):
        twice = next(f for f in frames if by_name[f.name] is not f)
        raise NuriError(
            ErrorCode.bad_input,
            f"two frames have the name {twice.name}: {twice.source} and "
            f"{by_name[twice.name].source}",
            "Give each frame a name of its own; its ending does not count",
        )
    paired: dict[int, tuple[ShotFrame, KeyPicture]] = {}
    for key in keys:
        if not key.exists():
            raise _missing(key)
        frame = by_name.get(key.stem) or _by_number(frames, key.stem)
        if frame is None:
            raise NuriError(
                ErrorCode.bad_input,
                f"the key frame {key} has no frame of its name",
                f"Name it like its frame, such as {frames[0].name}{key.suffix}",
            )
        if frame.index in paired:
            raise NuriError(
                ErrorCode.bad_input,
                f"{key} and {paired[frame.index][1]} are key frames of the same frame",
                "Leave one of them out",
            )
        paired[frame.index] = frame, KeyPicture(key)
    return paired


def _layer_keys(
    path: Path, frames: list[ShotFrame], layer: str
) -> dict[int, tuple[ShotFrame, KeyPicture]]:
    """The painted key frames of a layer of a .kra file, by the lines that are seen with them."""
    if frames[0].film is None or path.suffix.lower() != ".kra":
        raise NuriError(
            ErrorCode.bad_input,
            f"--key-layer needs a .kra animation, which {path} is not",
            "Name the coloured frames with --key",
        )
    film = Film(path, layer)
    paired: dict[int, tuple[ShotFrame, KeyPicture]] = {}
    for index, time in enumerate(film.times):
        frame = next((f for f in reversed(frames) if f.time <= time), frames[0])
        if frame.index not in paired and film.frame(index)[..., 3].any():
            paired[frame.index] = frame, KeyPicture(path, film, index)
    if not paired:
        raise NuriError(
            ErrorCode.bad_input,
            f"no frame of the layer {layer!r} of {path} is coloured",
            "Colour one or two frames on it, better the first and the last",
        )
    return paired


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """A key for sorting names: numbers in them by value, so that 2 comes before 10."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]


def _is_one_film(sources: Sequence[Path]) -> bool:
    return len(sources) == 1 and not sources[0].is_dir() and is_film(sources[0])


def _film_frames(path: Path, output: Path, layer: str, key_layer: str) -> list[ShotFrame]:
    film = Film(path, layer, key_layer)
    digits = max(4, len(str(film.times[-1])))
    names = [f"{time:0{digits}d}" for time in film.times]
    return [
        ShotFrame(index, name, path, film, output / f"{name}.png", film.times[index])
        for index, name in enumerate(names)
    ]


def _as_plane(name: str, pixels: np.ndarray) -> Plane:
    from backend.imaging import planes
    from protocol.pixels import PixelFormat

    letters = "rgba" if pixels.shape[2] == 4 else "rgb"
    return planes.to_plane(name, pixels, PixelFormat(f"{letters}{8 * pixels.dtype.itemsize}"))


def _files(sources: Sequence[Path], output: Path, layer: str) -> list[ShotFrame]:
    paths = list(sources)
    if len(paths) == 1 and paths[0].is_dir():
        paths = _in_folder(paths[0], "frames")
    for path in paths:
        if not path.exists():
            raise _missing(path)
        if path.is_dir():
            raise NuriError(
                ErrorCode.bad_input,
                f"{path} is a folder among frames",
                "Name one folder alone, or the files",
            )
    layers = [layer if io.is_layered(path) else "" for path in paths]
    return [
        ShotFrame(index, path.stem, path, None, output / f"{path.stem}.png", index, layers[index])
        for index, path in enumerate(paths)
    ]


def _in_folder(folder: Path, what: str) -> list[Path]:
    paths = sorted((p for p in folder.iterdir() if _is_frame(p)), key=natural_order)
    if not paths:
        raise NuriError(
            ErrorCode.bad_input,
            f"{folder} holds no {what}",
            "Put PNG, JPEG, WebP, TIFF, .kra or .ora files there",
        )
    return paths


def _is_frame(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and io.looks_readable(path)


def _missing(path: Path) -> NuriError:
    return NuriError(ErrorCode.not_found, f"{path} does not exist", "Check the name and the folder")


def _by_number(frames: list[ShotFrame], stem: str) -> ShotFrame | None:
    """Frames of a film have numbers for names, which a key frame may write in its own way."""
    if frames[0].film is None:
        return None
    number = re.search(r"(\d+)$", stem)
    time = int(number.group(1)) if number else -1
    return next((frame for frame in frames if frame.time == time), None)
