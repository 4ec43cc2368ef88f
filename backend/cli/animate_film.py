"""`nuri animate --film`: the frames as one film, or as a layer in a copy of a .kra file."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from backend.imaging import disk, io
from backend.imaging.film import FRAMES_PER_SECOND
from protocol.folders import file_identity

from .animate_plan import Plan, ShotFrame
from .parser import UsageError

if TYPE_CHECKING:
    import numpy as np

LAYER = "Colours"


def check_film(options: argparse.Namespace, plan: Plan) -> None:
    """Refuse a film that cannot be written. A .kra file gets colours alone.

    Raises UsageError, NuriError unsupported (a .kra file in another colour space than sRGB).
    """
    from backend.imaging.film_writer import PICTURES, VIDEOS

    path: Path = options.film
    films = {frame.source for frame in plan.frames if frame.film}
    sources = {frame.source for frame in plan.frames}
    others = (*sources, *options.key, *(frame.output for frame in plan.frames))
    is_taken = disk.resolved(path) in map(disk.resolved, others)
    if is_taken or (path.exists() and file_identity(path) in map(file_identity, others)):
        raise UsageError(f"{path} would be written over (choose another name for --film)")
    if _is_among(path, options.frames[0], sources - films):
        raise UsageError(f"{path} would be a frame itself (choose another folder for --film)")
    if path.suffix.lower() == ".kra":
        if {source.suffix.lower() for source in films} != {".kra"}:
            raise UsageError(f"{path} needs a .kra animation to be a copy of (use another kind)")
        if options.fps:
            raise UsageError(f"{path} keeps the times of the .kra animation (leave out --fps)")
        from backend.imaging.kra_writer import check_layer

        film = plan.frames[0].film
        check_layer(plan.frames[0].source, film.layer if film else "")
        if options.lines is None:
            options.lines = False
    elif path.suffix.lower() not in (*VIDEOS, *PICTURES):
        known = " ".join(sorted({*VIDEOS, *PICTURES}))
        raise UsageError(f"{path} is no film that can be written (known: {known} .kra)")


def _is_among(path: Path, folder: Path, files: Collection[Path]) -> bool:
    """Whether a later run would take the film for a frame: of the ``folder`` that was named, or
    beside ``files`` of its kind, which were named one by one."""
    beside = disk.resolved(path).parent
    if beside == disk.resolved(folder):
        return io.looks_readable(path)
    kind = path.suffix.lower()
    return any(kind == one.suffix.lower() and beside == disk.resolved(one.parent) for one in files)


def missing(plan: Plan, stale: Collection[str] = ()) -> list[str]:
    """The names of the frames that a film would lack, and of ``stale`` ones, which do not count."""
    names = (frame.name for frame in plan.frames if not frame.output.is_file())
    left = {*names, *stale}
    return [frame.name for frame in plan.frames if frame.name in left]


def write_film(options: argparse.Namespace, plan: Plan) -> str:
    """Join the frames, which are all there; returns the name of the new layer of a .kra file, else
    "". Raises NuriError."""
    film = plan.frames[0].film
    if film and options.film.suffix.lower() == ".kra":
        from backend.imaging.kra_writer import add_frames

        frames = ((frame.time, _rgba(frame)) for frame in plan.frames)
        return add_frames(plan.frames[0].source, options.film, film.layer, LAYER, frames)
    from backend.imaging import film_writer

    rate = options.fps or FRAMES_PER_SECOND
    seconds = [
        1 / rate if options.fps or not film else film.seconds(frame.index) for frame in plan.frames
    ]
    film_writer.write_film(options.film, map(_eight_bit, plan.frames), seconds)
    return ""


def _eight_bit(frame: ShotFrame) -> np.ndarray:
    from backend.imaging import planes

    return planes.eight_bit_rgb(io.read_image(disk.read_file(frame.output), str(frame.output)))


def _rgba(frame: ShotFrame) -> np.ndarray:
    import numpy as np

    pixels = _eight_bit(frame)
    if pixels.shape[2] == 4:
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
