"""Frames joined to one film: MP4 and other videos by PyAV, GIF, WebP and animated PNG by Pillow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from protocol.errors import ErrorCode, NuriError

from . import disk
from .ground import laid_on_white

if TYPE_CHECKING:
    from av import Packet

VIDEOS = {".mp4": "libx264", ".mov": "libx264", ".mkv": "libx264", ".webm": "libvpx-vp9"}
PICTURES = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}
# Sharp edges stay. Without frames that look ahead ("bf") the last one written is the last shown.
_QUALITY = {"libx264": {"crf": "12", "bf": "0"}, "libvpx-vp9": {"crf": "16", "b:v": "0"}}
_BIT_RATE = 1_000_000  # where an encoder asks for one; "crf" decides
_TICKS = 1000  # of time in a second


def write_film(path: Path, frames: Iterable[np.ndarray], seconds: Sequence[float]) -> None:
    """Write a film whole or not at all.

    frames: (H, W, 3) RGB or (H, W, 4) RGBA uint8, all of one size; videos show what is transparent
    as white, and add a row or column of it where a side is odd. seconds: how long each is shown.
    Raises NuriError: bad_input (frames that differ in size, or that cannot be written), disk_full.
    """
    with disk.replacing(path) as temporary:
        if path.suffix.lower() in VIDEOS:
            _write_video(path, temporary, frames, seconds)
        else:
            _write_pictures(path, temporary, frames, seconds)


def _write_pictures(
    path: Path, temporary: Path, frames: Iterable[np.ndarray], seconds: Sequence[float]
) -> None:
    first, *rest = (Image.fromarray(frame) for frame in _of_one_size(path, frames))
    first.save(
        temporary,
        PICTURES[path.suffix.lower()],
        save_all=True,
        append_images=rest,
        duration=[round(_TICKS * length) for length in seconds],
        loop=0,
        lossless=True,
        disposal=2 if first.mode == "RGBA" and path.suffix.lower() == ".gif" else 0,
    )


def _write_video(
    path: Path, temporary: Path, frames: Iterable[np.ndarray], seconds: Sequence[float]
) -> None:
    import av

    codec = VIDEOS[path.suffix.lower()]
    kind = {".mkv": "matroska"}.get(path.suffix.lower(), path.suffix.lower()[1:])
    starts = [0, *np.rint(np.cumsum(seconds) * _TICKS).astype(int).tolist()]
    lengths = {start: end - start for start, end in pairwise(starts)}
    pictures = (_even(laid_on_white(frame)) for frame in _of_one_size(path, frames))
    first = next(pictures)
    try:
        with av.open(str(temporary), "w", format=kind) as container:
            rate = Fraction(len(seconds) * _TICKS, starts[-1]).limit_denominator(1000)
            stream = container.add_stream(codec, rate=rate, options=_QUALITY[codec])
            stream.height, stream.width = first.shape[:2]
            stream.pix_fmt = "yuv420p"  # what every player shows
            stream.bit_rate = _BIT_RATE if codec == "libvpx-vp9" else 0
            stream.codec_context.time_base = Fraction(1, _TICKS)
            for start, picture in zip(starts, chain([first], pictures), strict=False):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                frame.pts, frame.time_base = start, Fraction(1, _TICKS)
                container.mux(_timed(stream.encode(frame), lengths))
            container.mux(_timed(stream.encode(), lengths))
    except av.FFmpegError as error:
        raise NuriError(
            ErrorCode.bad_input,
            f"{path} cannot be written as a video: {error}",
            "Choose another kind of film, such as .webp, or keep the frames",
        ) from error


def _timed(packets: list[Packet], lengths: dict[int, int]) -> list[Packet]:
    """The packets with how long each is shown: nothing else says it of the last."""
    for packet in packets:
        packet.duration = lengths[packet.pts or 0]
    return packets


def _of_one_size(path: Path, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    size = None
    for frame in frames:
        size = size or frame.shape[:2]
        if frame.shape[:2] != size:
            raise NuriError(
                ErrorCode.bad_input,
                f"{path} cannot be written: its frames are of several sizes",
                "Make the frames one size, or leave the film out",
            )
        yield frame


def _even(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), constant_values=255)
