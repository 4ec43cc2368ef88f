"""Films as single pictures: animated PNG, GIF and WebP files, .kra animations, and video files.

`is_film` needs neither NumPy nor a decoder, so that thin commands may ask it.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from protocol import limits
from protocol.errors import ErrorCode, NuriError

if TYPE_CHECKING:
    import numpy as np

_VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ogv")
_PNG = b"\x89PNG\r\n\x1a\n"
_WEBP_HEAD = 21  # bytes up to the flags of an extended WebP
_WEBP_ANIMATED = 0x02
FRAMES_PER_SECOND = 12  # where nothing says; drawn animation is mostly "on twos"
READABLE = "animated PNG, GIF or WebP, .kra, or a video"


def is_film(path: Path) -> bool:
    """True for a video or GIF by its name, and for PNG, WebP and .kra that hold an animation."""
    suffix = path.suffix.lower()
    if suffix == ".kra":
        return _has_key_frames(path)
    if suffix in (*_VIDEOS, ".gif", ".apng"):
        return True
    if suffix not in (".png", ".webp"):
        return False
    try:
        with path.open("rb") as file:
            return _is_animated_png(file) if suffix == ".png" else _is_animated_webp(file)
    except OSError:
        return False


def _is_animated_png(file: BinaryIO) -> bool:
    """Whether a chunk before the pixels says so; profiles before it may be long."""
    if file.read(len(_PNG)) != _PNG:
        return False
    while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
        if head[4:] == b"acTL":
            return True
        file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)  # its checksum, too
    return False


def _is_animated_webp(file: BinaryIO) -> bool:
    head = file.read(_WEBP_HEAD)
    is_extended = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X"
    return is_extended and len(head) == _WEBP_HEAD and bool(head[20] & _WEBP_ANIMATED)


def _has_key_frames(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".keyframes.xml") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError):
        return False


class Film:
    """The frames of one file. Use it with ``with``. ``count``: how many there are, at least 1.

    ``times``: of the frames, in frames of the timeline; only a .kra file leaves some out, those
    that are held. ``layer``: of a .kra file, "" for the one that is named like lines or is the
    only animated one besides ``other``; then its path. Raises NuriError: not_found, bad_input (no
    film, damaged, or which layer), too_large.
    """

    def __init__(self, path: Path, layer: str = "", other: str = "") -> None:
        if not path.is_file():
            raise NuriError(
                ErrorCode.not_found, f"{path} does not exist", "Check the name and the folder"
            )
        self._reader: _Video | _Pictures | _KeyFrames
        if path.suffix.lower() == ".kra":
            self._reader = _KeyFrames(path, layer, other)
        elif path.suffix.lower() in _VIDEOS:
            self._reader = _Video(path)
        else:
            self._reader = _Pictures(path)
        self.count = self._reader.count
        self.times = getattr(self._reader, "times", range(self.count))
        self.layer = getattr(self._reader, "layer", "")
        if self.count > limits.FRAMES:
            self.close()
            raise NuriError(
                ErrorCode.too_large,
                f"{path} has {self.count} frames, more than {limits.FRAMES}",
                "Cut it into shots",
            )

    def __enter__(self) -> Film:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()

    def seconds(self, index: int) -> float:
        """How long frame number ``index`` is shown; quickest in ascending order. Raises
        bad_input."""
        return self._reader.seconds(index)

    def frame(self, index: int) -> np.ndarray:
        """Frame number ``index``: (H, W, 3) RGB or (H, W, 4) RGBA, uint8, or uint16 of a .kra file
        with more bits; quickest in ascending order. Raises bad_input."""
        return self._reader.frame(index)


class _KeyFrames:
    """The key frames of one layer of a .kra file."""

    def __init__(self, path: Path, layer: str, other: str) -> None:
        from . import disk, io

        file = io.open_layered(disk.read_file(path), str(path))
        if layer and other and file.is_coloured(layer, other):
            raise NuriError(
                ErrorCode.bad_input,
                f"the lines and the coloured frames of {path} are the same layer, {layer!r}",
                "Name another layer with --line-layer or --key-layer",
            )
        self.layer = layer or file.animated_lines(other)
        self._frames = file.frames(self.layer)
        self._clock = file.clock()
        self.times = self._frames.times
        self.count = len(self.times)
        if not self.times:
            raise NuriError(
                ErrorCode.bad_input,
                f"the layer {layer!r} of {path} has no key frames",
                f"Name an animated one: {', '.join(map(repr, file.animated())) or 'there is none'}",
            )

    def seconds(self, index: int) -> float:
        rate, end = self._clock
        following = self.times[index + 1] if index + 1 < self.count else end
        return max(1, following - self.times[index]) / rate

    def frame(self, index: int) -> np.ndarray:
        return self._frames.at(self.times[index])

    def close(self) -> None:
        """The file was read as a whole."""


class _Pictures:
    """Animated pictures, by Pillow, which puts partial frames together."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._image = self._open()
        try:
            # An animated PNG may begin with a picture for viewers of still ones, which is no frame.
            self._first = int(getattr(self._image, "default_image", False))
            self.count = int(getattr(self._image, "n_frames", 1)) - self._first
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise _damaged(path) from error
        width, height = self._image.size
        if max(width, height) > limits.SIDE or width * height > limits.PIXELS:
            raise NuriError(
                ErrorCode.too_large,
                f"{path} is {width} x {height} pixels",
                f"Use at most {limits.SIDE} pixels a side",
            )

    def seconds(self, index: int) -> float:
        with self._at(index):
            self._image.load()  # of WebP only the loaded frame tells
            return float(self._image.info.get("duration", 0)) / 1000 or 1 / FRAMES_PER_SECOND

    def frame(self, index: int) -> np.ndarray:
        import numpy as np

        with self._at(index):
            has_alpha = self._image.mode in ("RGBA", "LA", "PA") or "transparency" in (
                self._image.info
            )
            return np.asarray(self._image.convert("RGBA" if has_alpha else "RGB"))

    @contextmanager
    def _at(self, index: int) -> Iterator[None]:
        try:
            number = self._first + index
            if number < self._image.tell():
                # Pillow loses its way in some animated PNGs when it goes back by itself.
                self._image.close()
                self._image = self._open()
            self._image.seek(number)
            yield
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise _damaged(self._path, index) from error

    def close(self) -> None:
        self._image.close()

    def _open(self) -> Any:
        from PIL import Image, UnidentifiedImageError

        try:
            return Image.open(self._path)
        except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as error:
            raise _damaged(self._path) from error


class _Video:
    """Video files, by OpenCV; frames are counted, because what files say of it is often wrong, and
    each is shown until the next begins."""

    def __init__(self, path: Path) -> None:
        import cv2

        self._path = path
        self._next = 0
        self._capture = self._open()
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._seconds = 1 / rate if 1 <= rate <= 1000 else 1 / FRAMES_PER_SECOND
        self._starts: list[float] = []  # seconds
        while self._capture.grab():
            self._starts.append(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        self.count = len(self._starts)
        if not self.count:
            self.close()
            raise _damaged(path)
        self._rewind()

    def seconds(self, index: int) -> float:
        is_last = index + 1 == self.count
        length = self._last if is_last else self._starts[index + 1] - self._starts[index]
        return length if length > 0 else self._seconds

    @cached_property
    def _last(self) -> float:
        """How long the last frame is shown, in seconds; 0 where the file does not say."""
        import av

        try:
            with av.open(str(self._path)) as container:
                base = container.streams.video[0].time_base or 0
                packets = container.demux(video=0)
                times = [(one.pts, one.duration or 0) for one in packets if one.pts is not None]
                return float(max(times, default=(0, 0))[1] * base)
        except (av.FFmpegError, IndexError):
            return 0.0

    def frame(self, index: int) -> np.ndarray:
        import cv2

        if index < self._next:
            self._rewind()
        while self._next < index and self._capture.grab():
            self._next += 1
        is_there, picture = self._capture.read()
        self._next += 1
        if not is_there:
            raise _damaged(self._path, index)
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)

    def close(self) -> None:
        self._capture.release()

    def _rewind(self) -> None:
        self._capture.release()
        self._capture = self._open()
        self._next = 0

    def _open(self) -> Any:
        import cv2

        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise _damaged(self._path)
        return capture


def _damaged(path: Path, index: int | None = None) -> NuriError:
    what = "cannot be read as a film" if index is None else f"is damaged at frame {index}"
    return NuriError(ErrorCode.bad_input, f"{path} {what}", f"Save it again as {READABLE}")
