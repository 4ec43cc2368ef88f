"""What a colouring gives, packed as a job asked for it: pixel buffers or PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.imaging import io, planes
from backend.imaging.composite import composite
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelFormat, Plane

from .drawing_inputs import GivenHints
from .flats import FlatsResult

OUTPUTS = ("flats", "regions", "picture")


def pack_result(
    result: FlatsResult,
    line: np.ndarray,
    hints: GivenHints,
    wanted: Sequence[str],
    encoding: str,
    *,
    lines: bool,
) -> tuple[Plane, ...]:
    """The ``wanted`` of OUTPUTS. ``hints``: for their format. ``lines``: over the picture."""
    packed = {
        "flats": lambda: _pack("flats", result.flats, hints, encoding),
        "regions": lambda: pack_regions(result.regions, encoding),
        "picture": lambda: _pack_picture(line, result.flats, hints, lines, encoding),
    }
    return tuple(packed[name]() for name in wanted)


def _pack(name: str, pixels: np.ndarray, hints: GivenHints, encoding: str) -> Plane:
    if not encoding:
        return planes.to_plane(name, pixels, hints.format)
    rgb = planes.to_rgb(pixels, hints.format)
    if rgb is None or rgb.dtype.kind == "f":
        raise _no_png(hints.format)
    return EncodedImage(name, f"{name}.png", io.encode_png(rgb, hints.icc))


def pack_regions(regions: np.ndarray, encoding: str) -> Plane:
    """Region ids, 0 for none: 16 bit where they fit, else 32 bit, in a PNG then as 0xRRGGBB."""
    small = int(regions.max(initial=0)) < 2**16
    if not encoding:
        pixel_format = PixelFormat.index16 if small else PixelFormat.index32
        return planes.to_plane("regions", regions, pixel_format)
    if small:
        pixels = regions.astype(np.uint16)
    else:
        pixels = np.stack([regions >> 16, regions >> 8, regions], axis=-1).astype(np.uint8)
    return EncodedImage("regions", "regions.png", io.encode_png(pixels))


def _pack_picture(
    line: np.ndarray, flats: np.ndarray, hints: GivenHints, lines: bool, encoding: str
) -> Plane:
    """The flats as RGBA, with the lines over them where wanted."""
    pixels = planes.to_rgb(flats, hints.format)
    if pixels is None or pixels.dtype.kind == "f":
        raise _no_png(hints.format)
    if lines:
        pixels = composite(line, pixels)
    if encoding:
        return EncodedImage("picture", "picture.png", io.encode_png(pixels, hints.icc))
    name = ("rgba" if pixels.shape[2] == 4 else "rgb") + str(8 * pixels.dtype.itemsize)
    return planes.to_plane("picture", pixels, PixelFormat(name))


def _no_png(pixel_format: PixelFormat) -> NuriError:
    return NuriError(
        ErrorCode.unsupported,
        f"hints in the format {pixel_format.value} cannot become a picture",
        "Ask for the output flats without encoding",
    )


def facts_of(result: FlatsResult, hints: GivenHints) -> dict[str, Any]:
    """What there is to say about a result, and about the hints that it was made by."""
    height, width = result.regions.shape
    owner = result.region_palette
    # what is too small for the network is part of its neighbours by now
    there = np.bincount(result.regions.ravel(), minlength=len(owner)) > 0
    there[0] = False
    regions = int(there.sum())
    coloured = np.flatnonzero(there & (owner >= 0))
    by_colour: list[list[int]] = [[] for _ in result.palette]
    for region in coloured.tolist():
        by_colour[owner[region]].append(region)
    palette = [
        {"colour": colour, "regions": ids}
        for colour, ids in zip(result.palette.tolist(), by_colour, strict=True)
    ]
    return {
        "width": width,
        "height": height,
        "palette": palette,
        "regions": regions,
        "coloured": len(coloured),
        "unhinted": regions - len(coloured),
        "gaps": [[int(value) for value in gap] for gap in result.gaps],
        "warnings": [*result.warnings, *([hints.warning] if hints.warning else [])],
    }
