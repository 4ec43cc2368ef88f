"""The task "animation" around `Shot`: key frames read once, then one frame after the other.

Inputs of the job: ``key0``, ``key1``, ... (coloured frames) and ``line0``, ``line1``, ... (their
line art, where there is any), ``exact0``, ... (the key frames in the format that the flats should
have, where that is not 8-bit RGB); of each frame: ``line``. Option ``keys``: the time of each key.
A frame at the time of a key is answered without pictures and with ``painted`` in its facts, unless
the key has mere hints of its colours.
A frame says its own ``time`` in its facts, else it is its index. The facts of a coloured frame name
the key frames that are of no use.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from backend.imaging import icc, io, planes
from backend.imaging.composite import composite
from backend.imaging.refusal import mistake
from backend.models.registry import FOR_SHOTS
from protocol import checks
from protocol.errors import ErrorCode, ErrorInfo, NuriError
from protocol.pixels import EncodedImage, PixelBuffer, PixelFormat, Plane

from .animation import ColouredFrame, Shot, fill_hints, shows_lines
from .animation_keys import find_flaw
from .animation_paints import KeyPaint, Paints, read_paints
from .layer import LayerResult
from .matcher import matcher_of
from .request import ENCODINGS, Outcome, Request, is_number
from .sources import Source, read_source

_OUTPUTS = ("flats", "regions", "confidence", "picture")
_COLOURED = 0.9  # share of a frame at which packing begins
_MOST_DOUBTFUL = 32  # facts of a frame travel in a header, which is small
_MOST_COLOURS = 256  # ... for which a palette is, too
# What no other frame could do better, so that the whole job ends.
_FATAL = (ErrorCode.cancelled, ErrorCode.malformed, ErrorCode.no_memory, ErrorCode.model_missing)
_logger = logging.getLogger("nuri.worker")


def run_animation(request: Request) -> Outcome:
    """One frame of a shot. Outputs: ``flats``, ``regions``, ``confidence`` (gray8, 255 = sure,
    also where nothing is coloured) and ``picture``, as asked for. Option ``lines``: whether they go
    over the picture; by default they do where the key frames show them. Options ``model`` and
    ``soft``: as for the task "layer", with the shading of the key frames.

    A frame that cannot be coloured gives no outputs and says why in its facts. Raises NuriError
    for what is wrong with the key frames or the options, cancelled, no_memory.
    """
    wanted = request.texts("outputs", _OUTPUTS, ("flats",))
    request.text("encode", ENCODINGS)
    shot, paints, flaws, warnings = request.once("shot", lambda: _read_shot(request))
    time = _time_of(request)
    outcome = _frame(request, wanted, time, shot, paints, flaws)
    told, warnings[:] = list(warnings), []  # of the key frames, once for all frames
    said = {"warnings": [*told, *outcome.info.get("warnings", ())]}
    return replace(outcome, info=outcome.info | said) if told else outcome


def _frame(
    request: Request,
    wanted: list[str],
    time: float,
    shot: Shot,
    paints: Paints,
    flaws: dict[str, Any],
) -> Outcome:
    try:
        if shot.is_painted(time):
            # Nothing could be better than what the artist has.
            return Outcome((), {}, {"time": time, "painted": True})
        line = _read_line(request)
        request.step(0.1, "colouring")
        result = shot.colour(
            line,
            time,
            progress=request.part(0, _COLOURED),
            cancelled=request.cancelled,
        )
        request.step(_COLOURED, "packing")
        lines = request.flag("lines", shot.lines)
        outputs = _pack(request, wanted, line, result, paints, lines=lines)
    except NuriError as error:
        if error.code in _FATAL:
            raise
        return _failed(time, error.info)
    except MemoryError:
        raise
    except Exception as error:
        _logger.exception("frame %d made a mistake", request.frame)
        return _failed(time, mistake("This frame could not be coloured", error).info)
    return Outcome(outputs, {"warnings": result.warnings}, _facts(time, result) | flaws)


def _failed(time: float, info: ErrorInfo) -> Outcome:
    return Outcome((), {}, {"time": time, "error": info.as_facts()})


def _time_of(request: Request) -> float:
    time = request.facts.get("time", max(request.frame, 0))
    if not is_number(time):
        raise checks.malformed("the time of a frame must be a finite number")
    return time


def _read_shot(request: Request) -> tuple[Shot, Paints, dict[str, Any], list[str]]:
    """The shot, its paints, what every frame has to say of its key frames, and warnings."""
    times = request.numbers("keys")
    if not times:
        raise NuriError(
            ErrorCode.bad_input,
            "there is no coloured frame",
            "Colour one frame of the animation, better the first and the last",
        )
    model = matcher_of(request, FOR_SHOTS)
    frames, keys, flaws, lines = [], [], [], False
    warnings: list[str] = []
    for number, time in enumerate(times):
        request.step(0.1 * number / len(times), f"reading key frame {number + 1}")
        colour, line = _read_key(request, number, warnings)
        filled = None
        if line is not None and colour.shape[2] == 4:
            filled = fill_hints(colour, line, model=model, cancelled=request.cancelled)
        flaw = "" if line is None or filled is not None else find_flaw(colour, line)
        flaws += [{"key": number, "message": flaw}] if flaw else []
        shown = colour if filled is None else filled.flats
        frames.append(ColouredFrame(time, _source(request, number, shown, line), filled))
        keys.append(KeyPaint(colour, shown, _exact(request, number)))
        lines = lines or line is None or shows_lines(colour, line)
    soft = request.flag("soft", False)
    shot = Shot(frames, lines=lines, model=model, soft=soft)
    return shot, read_paints(keys, soft=soft), {"flaws": flaws} if flaws else {}, warnings


def _source(request: Request, number: int, colour: np.ndarray, line: np.ndarray | None) -> Source:
    return read_source(colour, line, name=_name(request.inputs[f"key{number}"]))


def _exact(request: Request, number: int) -> PixelBuffer | None:
    """A key frame as the artist has it; one that comes in bgra8 is meant to go back so."""
    plane = request.inputs.get(f"exact{number}")
    if plane is None:
        key = request.inputs[f"key{number}"]
        plane = key if isinstance(key, PixelBuffer) and key.format.has_alpha else None
    return plane if isinstance(plane, PixelBuffer) else None


def _read_key(
    request: Request, number: int, warnings: list[str]
) -> tuple[np.ndarray, np.ndarray | None]:
    """A key frame (H, W, 3 or 4) uint8 sRGB(A), and its line art if it came with it.

    warnings: hear of a profile that could not be used.
    """
    plane = request.inputs.get(f"key{number}")
    if plane is None:
        raise checks.malformed(f"the picture key{number} is missing")
    colour = planes.eight_bit_rgb(
        _pixels(plane) if isinstance(plane, PixelBuffer) else _in_srgb(plane, warnings)
    )
    line_plane = request.inputs.get(f"line{number}")
    line = None if line_plane is None else _pixels(line_plane)
    if line is not None and line.shape[:2] != colour.shape[:2]:
        raise NuriError(
            ErrorCode.bad_input,
            f"{_name(plane)} is {_size(colour)}, but its lines are {_size(line)}",
            f"Save the key frame at {_size(line)}",
        )
    return colour, line


def _read_line(request: Request) -> np.ndarray:
    plane = request.inputs.get("line")
    if plane is None:
        raise NuriError(ErrorCode.bad_input, "there is no line art", "Send one for each frame")
    return _pixels(plane)


def _pixels(plane: Plane) -> np.ndarray:
    """(H, W), (H, W, 3) or (H, W, 4), 8 or 16 bit."""
    if isinstance(plane, PixelBuffer):
        return planes.to_line(planes.to_array(plane), plane.format)
    return io.read_image(plane.data, plane.file_name, plane.layer)


def _in_srgb(file: EncodedImage, warnings: list[str]) -> np.ndarray:
    """As `_pixels`; what has another profile is 8 bit and sRGB then."""
    picture = io.read_picture(file.data, file.file_name, file.layer)
    try:
        convert = icc.conversion(picture.icc, b"")
    except ValueError:
        convert = None
        warnings.append(f"the colours of {file.file_name} could not be converted to sRGB")
    warnings += [picture.warning] if picture.warning else []
    return convert(planes.eight_bit_rgb(picture.pixels)) if convert else picture.pixels


def _name(plane: Plane) -> str:
    if isinstance(plane, EncodedImage):
        return plane.file_name
    return f"the coloured frame {plane.name}"


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} pixels"


def _pack(
    request: Request,
    wanted: list[str],
    line: np.ndarray,
    result: LayerResult,
    paints: Paints,
    *,
    lines: bool,
) -> tuple[Plane, ...]:
    encoding = request.text("encode")
    makers: dict[str, Callable[[], tuple[np.ndarray, PixelFormat]]] = {
        "flats": lambda: (paints.flats(result), paints.format),
        "regions": lambda: (result.regions, PixelFormat.index32),
        "confidence": lambda: (_confidence_map(result), PixelFormat.gray8),
        "picture": lambda: _picture(line, paints.rgba(result), lines),
    }
    packed: list[Plane] = []
    for name in wanted:
        pixels, pixel_format = makers[name]()
        if not encoding:
            packed.append(planes.to_plane(name, pixels, pixel_format))
            continue
        if name == "regions":
            pixels = np.minimum(pixels, 65535).astype(np.uint16)
        elif name == "flats":
            pixels = paints.rgba(result)
        packed.append(EncodedImage(name, f"{name}.png", io.encode_png(pixels)))
    return tuple(packed)


def _picture(line: np.ndarray, flats: np.ndarray, lines: bool) -> tuple[np.ndarray, PixelFormat]:
    pixels = composite(line, flats) if lines else flats
    return pixels, PixelFormat.rgba8 if pixels.shape[2] == 4 else PixelFormat.rgb8


def _confidence_map(result: LayerResult) -> np.ndarray:
    by_region = np.rint(np.clip(result.confidence, 0, 1) * 255).astype(np.uint8)
    by_region[result.region_palette < 0] = 255
    return by_region[result.regions]


def _facts(time: float, result: LayerResult) -> dict[str, Any]:
    """What is said of a frame: sizes, counts, its colours, and where it is not sure."""
    area = np.bincount(result.regions.ravel(), minlength=len(result.confidence))
    coloured = result.region_palette >= 0
    coloured[0] = False
    weight = area * coloured
    sure = float((result.confidence * weight).sum() / max(1, weight.sum()))
    used = np.unique(result.region_palette[coloured])
    return {
        "time": time,
        "width": result.regions.shape[1],
        "height": result.regions.shape[0],
        "regions": int((area[1:] > 0).sum()),
        "coloured": int((area[coloured] > 0).sum()),
        "confidence": round(sure, 4),
        "palette": result.palette[used[:_MOST_COLOURS]].tolist(),
        "doubtful": _doubtful(result, area),
    }


def _doubtful(result: LayerResult, area: np.ndarray) -> list[dict[str, Any]]:
    """The largest regions without a good match: box (x, y, width, height), confidence."""
    regions = np.flatnonzero(result.doubtful & (area > 0))
    regions = regions[np.argsort(-area[regions], kind="stable")][:_MOST_DOUBTFUL]
    found = []
    for region in regions.tolist():
        x, y, width, height = cv2.boundingRect((result.regions == region).astype(np.uint8))
        confidence = round(float(result.confidence[region]), 3)
        found.append({"box": [x, y, width, height], "confidence": confidence})
    return found
