"""The drawing of a job: lines, hints and selection found among its inputs and checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.imaging import io, planes
from backend.imaging.layered import names
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat, Plane

from .request import Request
from .selection import read_selection

FILE_FORMATS = {("u", 1): PixelFormat.rgba8, ("u", 2): PixelFormat.rgba16}


@dataclass(frozen=True)
class GivenHints:
    """``pixels``: (H, W, C), alpha last. ``icc``: the RGB profile of their values, b"" for sRGB.

    ``warning``: of a profile that was left out, or "".
    """

    pixels: np.ndarray
    format: PixelFormat
    name: str
    icc: bytes = b""
    warning: str = ""


def read_drawing(request: Request) -> tuple[np.ndarray, GivenHints]:
    """Lines and hints of the inputs ``line`` and ``hints``, or of one .kra or .ora file.

    Raises NuriError: bad_input, not_found.
    """
    plane = _line_plane(request)
    found = _with_hints(request, plane)
    if found is None:
        raise _without_hints(plane)
    return found


def find_drawing(request: Request) -> tuple[np.ndarray, GivenHints | None]:
    """As `read_drawing`, with None where there are no hints at all."""
    plane = _line_plane(request)
    return _with_hints(request, plane) or (_read_line(request, plane), None)


def _line_plane(request: Request) -> Plane:
    plane = request.inputs.get("line")
    if plane is None:
        raise NuriError(ErrorCode.bad_input, "there is no line art", "Choose a line layer or file")
    return plane


def _with_hints(request: Request, plane: Plane) -> tuple[np.ndarray, GivenHints] | None:
    hint_plane = request.inputs.get("hints")
    if hint_plane is None:
        return _read_one_file(request, plane)
    line = _read_line(request, plane)
    height, width = line.shape[:2]
    hints = _read_hints(hint_plane, request.text("hint_layer"), width, height)
    _check_hints(hints, plane, width, height)
    return line, hints


def _read_line(request: Request, plane: Plane) -> np.ndarray:
    if isinstance(plane, PixelBuffer):
        return planes.to_line(planes.to_array(plane), plane.format)
    layer = plane.layer or request.text("line_layer")
    if io.kind_of(plane.data, plane.file_name) != "layered":
        return io.read_image(plane.data, plane.file_name, layer)
    # Hints come from elsewhere, but strokes of a hint layer in the file are no lines either.
    layered = io.open_layered(plane.data, plane.file_name)
    own_hints = layered.hint_layer()
    if layer:
        return layered.layer(layer, own_hints)
    return layered.lines(own_hints) if own_hints else layered.merged()


def _read_hints(plane: Plane, layer: str, width: int, height: int) -> GivenHints:
    if isinstance(plane, PixelBuffer):
        pixels = planes.on_canvas(plane, width, height)
        return GivenHints(pixels, plane.format, f"the hint layer ({plane.name})")
    layer = plane.layer or layer
    if not layer and io.kind_of(plane.data, plane.file_name) == "layered":
        layer = io.open_layered(plane.data, plane.file_name).hint_layer()
    return _file_hints(io.read_picture(plane.data, plane.file_name, layer), plane.file_name)


def _file_hints(picture: io.Picture, name: str) -> GivenHints:
    pixels, pixel_format = picture.pixels, PixelFormat.rgb8
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixel_format = FILE_FORMATS["u", pixels.dtype.itemsize]
    return GivenHints(pixels, pixel_format, name, picture.icc, picture.warning)


def _read_one_file(request: Request, plane: Plane) -> tuple[np.ndarray, GivenHints] | None:
    """Lines and hints of one .kra or .ora file; None where it brings no hints."""
    if isinstance(plane, PixelBuffer) or io.kind_of(plane.data, plane.file_name) != "layered":
        return None
    layered = io.open_layered(plane.data, plane.file_name)
    hint_layer = request.text("hint_layer") or layered.hint_layer()
    if not hint_layer:
        return None
    line_layer = plane.layer or request.text("line_layer")
    if line_layer and layered.is_coloured(line_layer, hint_layer):
        raise NuriError(
            ErrorCode.bad_input,
            f"the layer {line_layer!r} of {plane.file_name} is its hint layer, and cannot be its "
            "lines too",
            "Name the layer of the lines with --line-layer, or another with --hint-layer",
        )
    drawn = io.Picture(layered.layer(hint_layer))
    hints = _file_hints(drawn, f"{plane.file_name}, layer {hint_layer!r}")
    line = layered.layer(line_layer, hint_layer) if line_layer else layered.lines(hint_layer)
    _check_hints(hints, plane, line.shape[1], line.shape[0])
    return line, hints


def _without_hints(line: Plane) -> NuriError:
    if isinstance(line, PixelBuffer) or io.kind_of(line.data, line.file_name) != "layered":
        name = "the line layer" if isinstance(line, PixelBuffer) else line.file_name
        return NuriError(
            ErrorCode.bad_input,
            f"there are no hints for {name}",
            "Add an RGBA picture of its size with strokes of colour: --hints PNG",
        )
    layered = io.open_layered(line.data, line.file_name)
    return NuriError(
        ErrorCode.not_found,
        f"{line.file_name} has no hint layer",
        "Name it 'Hints', or name it with --hint-layer, one of: "
        + ", ".join(map(repr, names(layered.tree)[:20])),
    )


def _check_hints(hints: GivenHints, line: Plane, width: int, height: int) -> None:
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


def _other_size(hints: GivenHints, line: Plane, width: int, height: int) -> NuriError:
    line_name = line.file_name if isinstance(line, EncodedImage) else "the line layer"
    hint_height, hint_width = hints.pixels.shape[:2]
    return NuriError(
        ErrorCode.bad_input,
        f"{hints.name} is {hint_width} x {hint_height} pixels, "
        f"but {line_name} is {width} x {height}",
        f"Save the hints at {width} x {height}, scaled without smoothing",
    )


def read_mask(request: Request, line: np.ndarray) -> np.ndarray | None:
    """As `read_selection` for a drawing ``line`` (H, W[, C]), but a grey picture file will do, too.

    Raises NuriError: as there, bad_input (no such picture, or of another size).
    """
    plane = request.inputs.get("mask")
    height, width = line.shape[:2]
    if plane is None or isinstance(plane, PixelBuffer):
        return read_selection(request, height, width)
    mask = io.read_image(plane.data, plane.file_name, plane.layer)
    if mask.ndim != 2 or mask.dtype != np.uint8 or mask.shape != (height, width):
        raise NuriError(
            ErrorCode.bad_input,
            f"{plane.file_name} is no 8-bit grey picture of {width} x {height} pixels",
            "Save the selection as a grey PNG of the drawing's size",
        )
    return mask
