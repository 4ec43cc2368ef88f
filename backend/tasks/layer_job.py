"""The task "layer" around `colour_layer`: hints, references or neither, found, checked, packed."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from backend.imaging import io, planes
from backend.models.registry import BORDERS, CHOOSERS, MATCHER, ids_for
from backend.regions.borders import FindBorders
from backend.weights import store
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelBuffer, PixelFormat, Plane

from .borders import find_borders
from .canvas import Canvas, read_canvas
from .drawing_inputs import GivenHints, find_drawing, read_drawing, read_mask, with_name
from .drawing_outputs import ENCODINGS, OUTPUTS, facts_of, pack_result
from .flats_job import COLOURED, READ, run_flats
from .layer import LayerResult, colour_layer
from .reference import matcher_of
from .request import Outcome, Request
from .sources import Source, read_source

REFERENCE = "reference_"
MOST_REFERENCES = 16
DOUBTFUL = 0.5  # a region that is less sure than this is pointed out
_KEPT = 6
_BACKWARDS = (PixelFormat.bgra8, PixelFormat.bgra16)
_IN_ORDER = (PixelFormat.rgba8, PixelFormat.rgba16, PixelFormat.rgbaf16, PixelFormat.rgbaf32)
_Prepared = TypeVar("_Prepared", Canvas, Source)


class Workbench:
    """What was worked out of pictures, by their content: the newest ``_KEPT`` stay.

    So another hint costs only what depends on hints.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Any] = OrderedDict()

    def get(self, kind: str, pixels: np.ndarray, make: Callable[[], _Prepared]) -> _Prepared:
        """What ``make`` gives for these pixels, made once."""
        digest = hashlib.blake2b(f"{kind} {pixels.shape} {pixels.dtype}".encode(), digest_size=16)
        digest.update(np.ascontiguousarray(pixels).data)
        key = digest.digest()
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        found: _Prepared = self._kept[key]
        return found

    def clear(self) -> None:
        """Let go of everything."""
        self._kept.clear()


WORKBENCH = Workbench()


def run_layer(request: Request) -> Outcome:
    """Inputs ``line``, ``hints``, ``mask`` and ``reference_0`` and on.

    Options ``outputs``, ``encode``, ``lines``, ``line_layer``, ``hint_layer``; ``model``: the
    matcher, a style, or a chooser, which needs neither hints nor references; ``soft``: with the
    shading of the references. Without references and without the matcher's weights hints still give
    flats, with a warning.
    """
    wanted = request.texts("outputs", OUTPUTS, ("flats",))
    encoding, lines = request.text("encode", ENCODINGS), request.flag("lines", True)
    soft = request.flag("soft", False)
    model = matcher_of(request, ids_for("layer"))
    references = _references(request)
    chooses = model in CHOOSERS
    line, hints = find_drawing(request) if references or chooses else read_drawing(request)
    mask = read_mask(request, line)

    def progress(fraction: float, stage: str) -> None:
        request.progress(READ + (COLOURED - READ) * fraction, stage)

    request.step(READ / 2, "reading references")
    sources = [_source(plane) for plane in references]
    pixels, turned = _in_rgb_order(hints, bool(sources) or chooses)
    borders, missing = None, ""
    if hints is not None or sources:
        backwards = hints is not None and hints.format in _BACKWARDS and not turned
        borders, missing = _border_finder(backwards)
    try:
        canvas = WORKBENCH.get("line", line, lambda: read_canvas(line))
        result = colour_layer(
            canvas,
            lambda: store.load(MATCHER if chooses else model),
            hints=pixels,
            sources=sources,
            chooser=(lambda: store.load(model)) if chooses else None,
            borders=borders,
            soft=soft,
            mask=mask,
            progress=progress,
            cancelled=request.cancelled,
        )
    except NuriError as error:
        if error.code is ErrorCode.model_missing and not references and not chooses:
            return _flats_alone(request)
        raise with_name(error, request.inputs["line"]) from error
    if turned:
        back = [2, 1, 0, 3]
        flats, palette = np.ascontiguousarray(result.flats[..., back]), result.palette[:, back]
        result = replace(result, flats=flats, palette=palette)
    request.step(COLOURED, "packing")
    packed_as = hints or GivenHints(result.flats, PixelFormat.rgba8, "no hints")
    outputs = pack_result(result, line, packed_as, wanted, encoding, lines=lines)
    facts = facts_of(result)
    facts["warnings"] += [missing] if missing else []
    return Outcome(outputs, facts | {"doubtful": _doubtful(result, facts["palette"])})


def _border_finder(backwards: bool) -> tuple[FindBorders | None, str]:
    """How borders are found, and what is to be said where the lines alone must tell them."""
    try:
        network = store.load(BORDERS)
    except NuriError as error:
        if error.code is not ErrorCode.model_missing:
            raise
        return None, "the border finder's weights are missing: gaps are closed by the lines alone"
    return (lambda ink, hints: find_borders(network, ink, hints, backwards=backwards)), ""


def _flats_alone(request: Request) -> Outcome:
    options = {key: value for key, value in request.options.items() if key != "model"}
    outcome = run_flats(replace(request, options=options))
    missing = "the region matcher's weights are missing: areas without a hint stay as they are"
    outcome.info["warnings"].append(missing)
    return outcome


def _references(request: Request) -> list[Plane]:
    """The inputs ``reference_0`` and on, in their order. Raises NuriError bad_input."""
    found = {
        int(name.removeprefix(REFERENCE)): plane
        for name, plane in request.inputs.items()
        if name.startswith(REFERENCE) and name.removeprefix(REFERENCE).isdecimal()
    }
    if len(found) > MOST_REFERENCES:
        raise NuriError(
            ErrorCode.bad_input,
            f"there are {len(found)} references",
            f"Use at most {MOST_REFERENCES}",
        )
    return [found[index] for index in sorted(found)]


def _source(plane: Plane) -> Source:
    if isinstance(plane, PixelBuffer):
        name, pixels = f"the reference {plane.name}", planes.to_array(plane)
        rgb = planes.to_rgb(pixels, plane.format)
        if rgb is None or rgb.dtype.kind == "f":
            raise NuriError(
                ErrorCode.unsupported,
                f"{name} has the format {plane.format.value}",
                "Send references as 8-bit RGB",
            )
    else:
        name, rgb = plane.file_name, io.read_image(plane.data, plane.file_name, plane.layer)
    return WORKBENCH.get(
        "reference", rgb, lambda: read_source(planes.eight_bit_rgb(rgb), name=name)
    )


def _in_rgb_order(hints: GivenHints | None, needed: bool) -> tuple[np.ndarray | None, bool]:
    """The hints' pixels in RGB, where that is ``needed``; whether red and blue changed places."""
    if hints is None or not needed or hints.format in _IN_ORDER:
        return (None if hints is None else hints.pixels), False
    if hints.format in _BACKWARDS:
        return np.ascontiguousarray(hints.pixels[..., [2, 1, 0, 3]]), True
    raise NuriError(
        ErrorCode.unsupported,
        f"{hints.name} has the format {hints.format.value}, which has no common colours with "
        "references and networks",
        "Convert the document to RGB, or colour by hints alone",
    )


def _doubtful(result: LayerResult, palette: list[dict[str, Any]]) -> list[int]:
    """Which regions are a guess, the least sure first. palette: colours with their regions."""
    coloured = np.sort(np.array([one for entry in palette for one in entry["regions"]], int))
    doubtful = coloured[result.confidence[coloured] < DOUBTFUL]
    order: list[int] = doubtful[np.argsort(result.confidence[doubtful], kind="stable")].tolist()
    return order
