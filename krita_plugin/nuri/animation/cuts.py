"""The shots of an animation: the backend finds them in small pictures of its lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from protocol import limits
from protocol.client import Client
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelBuffer, PixelFormat

from .. import preview
from ..jobs.request import knows
from ..pixels.colourspace import SRGB8
from ..qt import QImage
from ..steps import Work
from ..timeline import Timeline

SEVERAL_SHOTS = "several_shots"  # the option that cuts the animation into shots
TASK = "cuts"
# What one message holds are the pictures of more frames than a layer can have.
_SIDE = 124
_STRIP = limits.SIDE // _SIDE


def strips(
    timeline: Timeline, line: str, times: Sequence[int], progress: Callable[[float], None]
) -> Work:
    """Small pictures of the frames of a layer on white, one under the other.

    ``line``: its identity. ``progress`` hears 0..1. Returns (gray8 planes, frames in each).
    """
    planes: list[PixelBuffer] = []
    counts: list[int] = []
    for first in range(0, len(times), _STRIP):
        part = times[first : first + _STRIP]
        rows = bytearray()
        for number, time in enumerate(part, first):
            progress(number / len(times))
            pixels = yield from timeline.read(line, time, SRGB8)
            image = yield from preview.on_white(timeline, pixels, SRGB8, _SIDE)
            rows += _grey(image)
        size = image.width(), image.height() * len(part)
        name = f"strip{len(planes)}"
        planes.append(PixelBuffer(name, *size, PixelFormat.gray8, memoryview(rows)))
        counts.append(len(part))
    return planes, counts


def check_known(client: Client) -> None:
    """Raises `NuriError` unsupported: the backend is older than the search for cuts."""
    if not knows(client, TASK):
        raise NuriError(
            ErrorCode.unsupported,
            "This backend cannot cut an animation into shots",
            "update the backend to the version of the plugin, or choose one shot at a time",
        )


def cut(times: Sequence[int], cuts: Sequence[int]) -> list[list[int]]:
    """The times of each shot; ``cuts``: the places in ``times`` where a new one begins."""
    return [list(times[start:stop]) for start, stop in pairwise([0, *cuts, len(times)])]


def _grey(image: QImage) -> bytes:
    """The rows of a picture in grey, without what Qt puts between them."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    raw = bytes(grey.constBits().asarray(grey.sizeInBytes()))
    step, width = grey.bytesPerLine(), grey.width()
    return b"".join(raw[y * step : y * step + width] for y in range(grey.height()))
