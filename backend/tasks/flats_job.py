"""The task "flats" around `colour_flats`: its inputs found and checked, its outputs packed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.imaging import io, planes
from backend.imaging.layered import names
from backend.imaging.lzf import unpack
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat, Plane

from .flats import FlatsResult, colour_flats, composite
from .request import Outcome, Request

_OUTPUTS = ("flats", "regions", "picture")
_ENCODINGS = ("", "png")
_FILE_FORMATS = {("u", 1): PixelFormat.rgba8, ("u", 2): PixelFormat.rgba16}
# Share of the whole at which reading ends and packing begins.
_READ, _COLOURED = 0.1, 0.9


@dataclass(frozen=True)
class _Hints:
    """``pixels``: (H, W, C), alpha last. ``icc``: the profile of their file, if it had one."""

    pixels: np.ndarray
    format: PixelFormat
    name: str
    icc: bytes = b""


def run_flats(request: Request) -> Outcome:
    """Inputs ``line``, ``hints`` and ``mask`` and the options of SPEC.md to flats.

    ``hints`` may be left out for a .kra or .ora file that has a hint layer.
    """
    wanted = request.texts("outputs", _OUTPUTS, ("flats",))
    encoding = request.text("encode", _ENCODINGS)
    fill_unhinted, lines = request.flag("fill_unhinted", False), request.flag("lines", True)
    line, hints = _read(request)
    mask = _read_mask(request, line)

    def progress(fraction: float, stage: str) -> None:
        request.progress(_READ + (_COLOURED - _READ) * fraction, stage)

    request.step(_READ, "finding regions")
    try:
        result = colour_flats(
            line,
            hints.pixels,
            mask=mask,
            fill_unhinted=fill_unhinted,
            progress=progress,
            cancelled=request.cancelled,
        )
    except NuriError as error:
        raise _with_name(error, request.inputs["line"]) from error
    request.step(_COLOURED, "packing")
    packed = {
        "flats": lambda: _pack("flats", result.flats, hints, encoding),
        "regions": lambda: _pack_regions(result.regions, encoding),
        "picture": lambda: _pack_picture(line, result.flats, hints, lines, encoding),
    }
    outputs = tuple(packed[name]() for name in wanted)
    return Outcome(outputs, _info(result))


def rehearse() -> None:
    """Colour a tiny drawing, so that the machine code of everything on the way is loaded."""
    line = np.full((64, 64), 255, np.uint8)
    line[4:60:53, 4:58] = line[4:58, 4:60:53] = 0
    hints = np.zeros((64, 64, 4), np.uint8)
    hints[20:26, 10:16] = (200, 30, 40, 255)
    hints[30:36, 44:50] = (10, 60, 220, 255)  # two in one region have to share it
    inputs: dict[str, Plane] = {
        "line": EncodedImage("line", "line.png", io.encode_png(line)),
        "hints": EncodedImage("hints", "hints.png", io.encode_png(hints)),
    }
    for fill_unhinted in (False, True):
        options = {"outputs": ["picture"], "encode": "png", "fill_unhinted": fill_unhinted}
        run_flats(Request(inputs, options, lambda fraction, stage: None, lambda: False))
    unpack(b"\0\0", 1)


def _read(request: Request) -> tuple[np.ndarray, _Hints]:
    line_plane, hint_plane = request.inputs.get("line"), request.inputs.get("hints")
    if line_plane is None:
        raise NuriError(ErrorCode.bad_input, "there is no line art", "Choose a line layer or file")
    if hint_plane is None:
        return _read_one_file(request, line_plane)
    line = _read_line(request, line_plane)
    height, width = line.shape[:2]
    hints = _read_hints(hint_plane, request.text("hint_layer"), width, height)
    _check_hints(hints, line_plane, width, height)
    return line, hints


def _read_line(request: Request, plane: Plane) -> np.ndarray:
    if isinstance(plane, PixelBuffer):
        return planes.to_line(planes.to_array(plane), plane.format)
    layer = plane.layer or request.text("line_layer")
    if not layer and io.kind_of(plane.data, plane.file_name) == "layered":
        # Hints come from elsewhere, but strokes of a hint layer in the file are no lines either.
        layered = io.open_layered(plane.data, plane.file_name)
        own_hints = layered.hint_layer()
        return layered.lines(own_hints) if own_hints else layered.merged()
    return io.read_image(plane.data, plane.file_name, layer)


def _read_hints(plane: Plane, layer: str, width: int, height: int) -> _Hints:
    if isinstance(plane, PixelBuffer):
        pixels = planes.on_canvas(plane, width, height)
        return _Hints(pixels, plane.format, f"the hint layer ({plane.name})")
    layer = plane.layer or layer
    if not layer and io.kind_of(plane.data, plane.file_name) == "layered":
        layer = io.open_layered(plane.data, plane.file_name).hint_layer()
    pixels = io.read_image(plane.data, plane.file_name, layer)
    icc = io.colour_profile(plane.data, plane.file_name)
    return _file_hints(pixels, plane.file_name, icc)


def _file_hints(pixels: np.ndarray, name: str, icc: bytes = b"") -> _Hints:
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return _Hints(pixels, _FILE_FORMATS["u", pixels.dtype.itemsize], name, icc)
    return _Hints(pixels, PixelFormat.rgb8, name, icc)


def _read_one_file(request: Request, plane: Plane) -> tuple[np.ndarray, _Hints]:
    """Lines and hints of one .kra or .ora file."""
    if isinstance(plane, PixelBuffer) or io.kind_of(plane.data, plane.file_name) != "layered":
        name = "the line layer" if isinstance(plane, PixelBuffer) else plane.file_name
        raise NuriError(
            ErrorCode.bad_input,
            f"there are no hints for {name}",
            "Add an RGBA picture of its size with strokes of colour: --hints PNG",
        )
    layered = io.open_layered(plane.data, plane.file_name)
    hint_layer = request.text("hint_layer") or layered.hint_layer()
    if not hint_layer:
        raise NuriError(
            ErrorCode.not_found,
            f"{plane.file_name} has no hint layer",
            "Name it 'Hints', or name it with --hint-layer, one of: "
            + ", ".join(map(repr, names(layered.tree)[:20])),
        )
    hints = _file_hints(layered.layer(hint_layer), f"{plane.file_name}, layer {hint_layer!r}")
    line_layer = plane.layer or request.text("line_layer")
    line = layered.layer(line_layer) if line_layer else layered.lines(hint_layer)
    _check_hints(hints, plane, line.shape[1], line.shape[0])
    return line, hints


def _check_hints(hints: _Hints, line: Plane, width: int, height: int) -> None:
    if hints.pixels.shape[:2] != (height, width):
        raise _other_size(hints, line, width, height)
    if not hints.format.has_alpha:
        raise NuriError(
            ErrorCode.bad_input,
            f"{hints.name} has no transparency, so every pixel of it would be a hint",
            "Paint the hints on a transparent layer and save it as RGBA",
        )
    if not hints.pixels[..., -1].any():
        raise NuriError(
            ErrorCode.bad_input,
            f"{hints.name} is empty: there are no hints",
            "Paint a dot or a stroke of colour into each region",
        )


def _with_name(error: NuriError, line: Plane) -> NuriError:
    """What is wrong with the drawing, with the name of its file where it has one."""
    if error.code is not ErrorCode.bad_input or isinstance(line, PixelBuffer):
        return error
    return NuriError(error.code, f"{line.file_name}: {error.info.message}", error.info.action)


def _other_size(hints: _Hints, line: Plane, width: int, height: int) -> NuriError:
    line_name = line.file_name if isinstance(line, EncodedImage) else "the line layer"
    hint_height, hint_width = hints.pixels.shape[:2]
    return NuriError(
        ErrorCode.bad_input,
        f"{hints.name} is {hint_width} x {hint_height} pixels, "
        f"but {line_name} is {width} x {height}",
        f"Save the hints at {width} x {height}, scaled without smoothing",
    )


def _read_mask(request: Request, line: np.ndarray) -> np.ndarray | None:
    plane = request.inputs.get("mask")
    if plane is None:
        return None
    height, width = line.shape[:2]
    if isinstance(plane, PixelBuffer):
        if plane.format is not PixelFormat.gray8:
            raise NuriError(
                ErrorCode.malformed, "the mask must be gray8", "Send the selection as 8-bit grey"
            )
        return planes.on_canvas(plane, width, height)[..., 0]
    mask = io.read_image(plane.data, plane.file_name, plane.layer)
    if mask.ndim != 2 or mask.dtype != np.uint8 or mask.shape != (height, width):
        raise NuriError(
            ErrorCode.bad_input,
            f"{plane.file_name} is no 8-bit grey picture of {width} x {height} pixels",
            "Save the selection as a grey PNG of the drawing's size",
        )
    return mask


def _pack(name: str, pixels: np.ndarray, hints: _Hints, encoding: str) -> Plane:
    if not encoding:
        return planes.to_plane(name, pixels, hints.format)
    rgb = planes.to_rgb(pixels, hints.format)
    if rgb is None or rgb.dtype.kind == "f":
        raise _no_png(hints.format)
    return EncodedImage(name, f"{name}.png", io.encode_png(rgb, hints.icc))


def _pack_regions(regions: np.ndarray, encoding: str) -> Plane:
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
    line: np.ndarray, flats: np.ndarray, hints: _Hints, lines: bool, encoding: str
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


def _info(result: FlatsResult) -> dict[str, Any]:
    height, width = result.regions.shape
    owner = result.region_palette
    regions = int(result.regions.max(initial=0))
    coloured = np.flatnonzero(owner >= 0)
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
        "warnings": list(result.warnings),
    }
