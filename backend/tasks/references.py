"""The coloured drawings of a job, read from its inputs into the colours of its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.imaging import icc, io, planes
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelBuffer, Plane

from .request import Request
from .sources import Source, read_source
from .workbench import WORKBENCH

PREFIX = "reference_"
MOST = 16


@dataclass(frozen=True)
class Sources:
    """``found``: in their order, all in the colours of one profile, ``icc``, b"" for sRGB.

    ``warnings``: about the profiles that they came with.
    """

    found: list[Source]
    icc: bytes
    warnings: list[str]


def references_of(request: Request) -> list[Plane]:
    """The inputs ``reference_0`` and on, in their order. Raises NuriError bad_input (too many)."""
    found = {
        int(name.removeprefix(PREFIX)): plane
        for name, plane in request.inputs.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).isdecimal()
    }
    if len(found) > MOST:
        raise NuriError(
            ErrorCode.bad_input,
            f"there are {len(found)} references",
            f"Use at most {MOST}",
        )
    return [found[index] for index in sorted(found)]


def read_sources(references: Sequence[Plane], profile: bytes | None = None) -> Sources:
    """Coloured drawings in the colours of an RGB ``profile``; None: of that of the first of them.

    What is worked out of them stays on the workbench. Raises NuriError: as `io.read_image`,
    unsupported (pixels that are no RGB), bad_input (no colour in it).
    """
    sources, warnings = [], []
    for plane in references:
        name, picture = _read(plane)
        profile = picture.icc if profile is None else profile
        source, lost = _prepare(name, picture, profile)
        sources.append(source)
        warnings += [warning for warning in (picture.warning, lost) if warning]
    return Sources(sources, profile or b"", warnings)


def _read(plane: Plane) -> tuple[str, io.Picture]:
    if not isinstance(plane, PixelBuffer):
        return plane.file_name, io.read_picture(plane.data, plane.file_name, plane.layer)
    name = f"the reference {plane.name}"
    rgb = planes.to_rgb(planes.to_array(plane), plane.format)
    if rgb is None or rgb.dtype.kind == "f":
        raise NuriError(
            ErrorCode.unsupported,
            f"{name} has the format {plane.format.value}",
            "Send references as 8-bit RGB",
        )
    return name, io.Picture(rgb)


def _prepare(name: str, picture: io.Picture, profile: bytes) -> tuple[Source, str]:
    """The picture in the colours of a profile, and what is to be said where that cannot be."""
    try:
        convert, lost = icc.conversion(picture.icc, profile), ""
    except ValueError:
        convert, lost = None, f"the colours of {name} could not be converted to those of the result"

    def make() -> Source:
        pixels = planes.eight_bit_rgb(picture.pixels)
        return read_source(convert(pixels) if convert else pixels, name=name)

    between = picture.icc + profile if convert else b""
    return WORKBENCH.get("reference", picture.pixels, make, between), lost
