"""The task "layer" around `colour_layer`: hints, references or neither, found, checked, packed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from backend.models.registry import BORDERS, CHOOSERS, MATCHER, PAINTERS, ids_for
from backend.regions.borders import FindBorders
from backend.weights import store
from protocol.errors import ErrorCode, NuriError
from protocol.pixels import PixelFormat

from .borders import find_borders
from .canvas import Canvas, read_canvas
from .drawing_inputs import GivenHints, find_drawing, read_drawing, read_mask
from .drawing_outputs import OUTPUTS, facts_of, pack_result
from .flats_job import COLOURED, READ, run_flats
from .layer import LayerResult, colour_layer
from .matcher import matcher_of
from .references import read_sources, references_of
from .request import ENCODINGS, Outcome, Request, naming
from .workbench import WORKBENCH

_BACKWARDS = (PixelFormat.bgra8, PixelFormat.bgra16)
_TURNED = [2, 1, 0, 3]  # channels of the one order in the other
_IN_ORDER = (PixelFormat.rgba8, PixelFormat.rgba16, PixelFormat.rgbaf16, PixelFormat.rgbaf32)


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
    chooses = model in CHOOSERS
    references = references_of(request)
    line, hints = find_drawing(request) if references or chooses else read_drawing(request)
    mask = read_mask(request, line)
    WORKBENCH.begin()
    canvas = _canvas(request, line)
    request.step(READ / 2, "reading references")
    # pixels say nothing of a profile, so that without hints they are sRGB
    profile = hints.icc if hints is not None else None if encoding else b""
    sources = read_sources(references, profile)
    pixels, turned = _in_rgb_order(hints, bool(references) or chooses or model in PAINTERS)
    borders, missing = None, ""
    if hints is not None or references:
        borders, missing = _border_finder(hints, turned)
    try:
        with naming(request.inputs["line"]):
            result = colour_layer(
                canvas,
                lambda: store.load(MATCHER if chooses else model),
                hints=pixels,
                sources=sources.found,
                chooser=(lambda: store.load(model)) if chooses else None,
                borders=borders,
                soft=soft,
                mask=mask,
                progress=request.part(READ, COLOURED),
                cancelled=request.cancelled,
            )
    except NuriError as error:
        if error.code is ErrorCode.model_missing and not references and not chooses:
            return _flats_alone(request, error)
        raise
    if turned:
        flats, palette = _red_for_blue(result.flats), result.palette[:, _TURNED]
        result = replace(result, flats=flats, palette=palette)
    request.step(COLOURED, "packing")
    packed_as = hints or GivenHints(result.flats, PixelFormat.rgba8, "no hints", sources.icc)
    outputs = pack_result(result, line, packed_as, wanted, encoding, lines=lines)
    facts = facts_of(result, packed_as)
    facts["warnings"] += [*sources.warnings, *([missing] if missing else [])]
    return Outcome(outputs, facts | {"doubtful": _doubtful(result, facts["palette"])})


def _canvas(request: Request, line: np.ndarray) -> Canvas:
    with naming(request.inputs["line"]):
        return WORKBENCH.get("line", line, lambda: read_canvas(line))


def _border_finder(hints: GivenHints | None, turned: bool) -> tuple[FindBorders | None, str]:
    """How borders are found, and what is to be said where the lines alone must tell them.

    turned: the hints have been brought into RGB order.
    """
    backwards = hints is not None and hints.format in _BACKWARDS and not turned
    try:
        network = store.load(BORDERS, rounded=True)
    except NuriError as error:
        if error.code is not ErrorCode.model_missing:
            raise
        return None, "the border finder's weights are missing: gaps are closed by the lines alone"
    return (lambda ink, hints: find_borders(network, ink, hints, backwards=backwards)), ""


def _flats_alone(request: Request, reason: NuriError) -> Outcome:
    options = {key: value for key, value in request.options.items() if key != "model"}
    outcome = run_flats(replace(request, options=options))
    left = f"{reason.info.message}; areas without a hint stay as they are"
    outcome.info["warnings"].append(left)
    return outcome


def _in_rgb_order(hints: GivenHints | None, needed: bool) -> tuple[np.ndarray | None, bool]:
    """The hints' pixels in RGB, where that is ``needed``; whether red and blue changed places."""
    if hints is None or not needed or hints.format in _IN_ORDER:
        return (None if hints is None else hints.pixels), False
    if hints.format in _BACKWARDS:
        return _red_for_blue(hints.pixels), True
    raise NuriError(
        ErrorCode.unsupported,
        f"{hints.name} has the format {hints.format.value}, which has no common colours with "
        "references and networks",
        f"Convert the document to RGB, or colour by hints alone and with the model {MATCHER!r}",
    )


def _red_for_blue(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[..., _TURNED])


def _doubtful(result: LayerResult, palette: list[dict[str, Any]]) -> list[int]:
    """Which regions are a guess, the least sure first. palette: colours with their regions."""
    coloured = np.sort(np.array([one for entry in palette for one in entry["regions"]], int))
    doubtful = coloured[result.doubtful[coloured]]
    order: list[int] = doubtful[np.argsort(result.confidence[doubtful], kind="stable")].tolist()
    return order
