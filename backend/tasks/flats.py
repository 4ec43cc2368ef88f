"""Task flats: exact flat colours from hints, to the ends of the regions that the lines close.

The regions are found on a copy of at most ``WORKING_SIZE`` pixels a side and brought back along the
full-size lines, so that one drawing gives the same regions at every resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from backend.imaging.hints import Hints, read_hints
from backend.imaging.lines import WEAK
from backend.regions.fill import Regions, fill_chambers
from backend.regions.palette import paint
from backend.regions.segment import Chambers
from backend.regions.small import honour_small
from protocol.errors import ErrorCode, NuriError

from .canvas import Canvas, read_canvas
from .request import stepper


@dataclass(frozen=True)
class FlatsResult:
    """Flat colours and the regions they fill.

    flats: (H, W, C), the dtype and channels of the hints, alpha 0 where there is no colour.
    regions: (H, W) int32 ids from 1, 0 = none. palette: (P, C) exact hint colours.
    region_palette: (n_regions + 1,) int32 index into the palette, -1 = none.
    gaps: the closures, (x0, y0, x1, y1) in pixels of the drawing. warnings: one line each.
    """

    flats: np.ndarray
    regions: np.ndarray
    palette: np.ndarray
    region_palette: np.ndarray
    gaps: list[tuple[int, int, int, int]]
    warnings: list[str]


def colour_flats(
    line: np.ndarray,
    hints: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    fill_unhinted: bool = False,
    progress: Callable[[float, str], None] = lambda fraction, stage: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> FlatsResult:
    """Colour every region that a hint reaches.

    line: (H, W) or (H, W, 1..4), grey, RGB or with alpha. hints: (H, W, C) any dtype, alpha last.
    mask: (H, W) uint8 selection; colour stays inside it. fill_unhinted: colour also the regions
    that no gap joins to a hinted one. Raises NuriError: bad_input (blank lines, no hints, sizes
    that differ), cancelled.
    """
    step = stepper(progress, cancelled)
    check_size(line, hints)
    step(0.0, "reading lines")
    canvas = read_canvas(line)
    given = check_hints(hints)
    step(0.15, "finding regions")
    chambers = canvas.chambers
    step(0.45, "placing colours")
    regions = fill_chambers(chambers, at_size(given, canvas.ink.shape), everything=fill_unhinted)
    step(0.6, "following lines")
    return finish(canvas, chambers, regions, given, mask, step)


def finish(
    canvas: Canvas,
    chambers: Chambers,
    regions: Regions,
    given: Hints,
    mask: np.ndarray | None,
    step: Callable[[float, str], None],
    seam: tuple[int, int] = (0, 0),
) -> FlatsResult:
    """Regions at working resolution to flats at full size.

    given: the hints as they came; their colours are the palette. step: progress from 0.6 on.
    seam: where colours meet under lines, as for `Canvas.bring_back`.
    """
    label = canvas.bring_back(regions.label, seam)
    step(0.8, "painting")
    colour = regions.colour
    if canvas.is_smaller:
        free = canvas.full_ink < round(WEAK * 255)
        colour = honour_small(label, colour, free, given, regions.label)
    if mask is not None:
        label = np.where(mask > 127, label, 0).astype(np.int32, copy=False)
    region_palette = colour.astype(np.int32) - 1
    flats = paint(label, region_palette, given.colours, given.colours.shape[1])
    if mask is not None:
        flats = _soften(flats, mask)
    gaps = [canvas.ends_of(stroke) for stroke in chambers.strokes]
    put_down = given.colour_of_blot[given.colour_of_blot > 0] - 1
    unused = len(np.setdiff1d(put_down, region_palette))
    on_lines = f"hint colours without a region, because they lie on lines: {unused}"
    warnings = [on_lines] if unused else []
    return FlatsResult(flats, label, given.colours, region_palette, gaps, warnings)


def check_size(line: np.ndarray, hints: np.ndarray) -> None:
    """Raises NuriError bad_input when hints and lines differ in size."""
    height, width = line.shape[:2]
    if hints.shape[:2] != (height, width):
        raise NuriError(
            ErrorCode.bad_input,
            f"the hints are {hints.shape[1]} x {hints.shape[0]} pixels, "
            f"but the lines are {width} x {height}",
            f"Scale the hints to {width} x {height} without smoothing",
        )


def check_hints(hints: np.ndarray) -> Hints:
    """Hints (H, W, C), alpha last, as marks. Raises NuriError bad_input when there are none."""
    given = read_hints(hints)
    if given.empty:
        raise NuriError(
            ErrorCode.bad_input,
            "there are no hints: the hint layer is empty",
            "Paint a dot or a stroke of colour into each region",
        )
    return given


def at_size(hints: Hints, shape: tuple[int, int]) -> Hints:
    """Hints on a smaller grid; small marks stay above large ones, and none is lost."""
    if hints.ids.shape == shape:
        return hints
    blots = np.zeros(shape, np.int32)
    ys, xs = np.nonzero(hints.blots)
    blot = hints.blots[ys, xs]
    order = np.argsort(-np.bincount(blot)[blot], kind="stable")
    ys, xs, blot = ys[order], xs[order], blot[order]
    height, width = hints.ids.shape
    blots[ys * shape[0] // height, xs * shape[1] // width] = blot
    return replace(hints, ids=hints.colour_of_blot[blots], blots=blots)


def _soften(flats: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A feathered selection feathers the colour."""
    partly = (mask > 127) & (mask < 255) & (flats[..., -1] > 0)
    if partly.any():
        alpha = flats[..., -1]
        alpha[partly] = (alpha[partly] * (mask[partly] / np.float32(255))).astype(alpha.dtype)
    return flats
