"""Task flats: exact flat colours from hints, to the ends of the regions that the lines close.

The regions are found on a copy of at most ``WORKING_SIZE`` pixels a side and brought back along the
full-size lines, so that one drawing gives the same regions at every resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from backend.imaging.ground import laid_on_white
from backend.imaging.hints import Hints, read_hints
from backend.imaging.lines import WEAK, is_alpha_ink, is_transparent, whiten_paper
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


def composite(line: np.ndarray, flats: np.ndarray) -> np.ndarray:
    """The lines over their colours, on white.

    line: as for ``colour_flats``. flats: (H, W, 4) RGBA, 8 or 16 bit. Returns (H, W, 3) in the
    dtype of the flats; a drawing on a transparent ground gives (H, W, 4) and stays transparent
    where there is neither ink nor colour.
    """
    top = float(np.iinfo(flats.dtype).max)
    if is_alpha_ink(line):
        return _over(line, flats, top)
    painted = flats[..., :3].copy()
    painted[flats[..., 3] == 0] = int(top)
    partly = (flats[..., 3] > 0) & (flats[..., 3] < top)
    if partly.any():
        mixed = flats[partly]
        share = mixed[:, 3:].astype(np.float32) / top
        painted[partly] = np.rint(mixed[:, :3] * share + top * (1 - share))
    paper = _in_dtype(whiten_paper(_opaque(line)), flats.dtype)
    paper = paper if paper.ndim == 3 else paper[..., None]
    paper = paper[..., :3] if paper.shape[2] >= 3 else paper[..., :1]
    if paper.shape[2] == 1:
        paper = cv2.merge([paper[..., 0]] * 3)
    shown = cv2.multiply(painted, np.ascontiguousarray(paper), scale=1 / top)
    return _off_white(shown, line[..., -1], flats[..., 3]) if is_transparent(line) else shown


def _opaque(line: np.ndarray) -> np.ndarray:
    """Lines as they came, but those with alpha laid on white."""
    has_alpha = line.ndim == 3 and line.shape[2] in (2, 4)
    if not has_alpha or (line[..., -1] == np.iinfo(line.dtype).max).all():
        return line
    return laid_on_white(line)


def _off_white(shown: np.ndarray, ink: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """(H, W, 4): a picture (H, W, 3) that was laid on white, with the alphas of its two layers."""
    top = int(np.iinfo(shown.dtype).max)
    clear = cv2.multiply(top - _in_dtype(ink, shown.dtype), top - paint, scale=1 / top)
    result = np.dstack([shown, top - clear])
    result[clear == top] = 0
    partly = (clear > 0) & (clear < top)
    white = clear[partly, None].astype(np.float32)
    colour = (shown[partly] - white) * (top / (top - white))
    result[partly, :3] = np.rint(np.clip(colour, 0, top))
    return result


def _in_dtype(pixels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """uint8 or uint16 in the other of them, white as white."""
    if pixels.dtype == dtype:
        return pixels
    factor = float(np.iinfo(dtype).max) / float(np.iinfo(pixels.dtype).max)
    return np.rint(pixels * factor).astype(dtype)


def _over(line: np.ndarray, flats: np.ndarray, top: float) -> np.ndarray:
    """Source-over of ink with alpha on the flats; only where there is ink is there work."""
    peak = float(np.iinfo(line.dtype).max)
    touched = np.nonzero(line[..., -1])
    drawn = line[touched].astype(np.float32) / peak
    ink, alpha = drawn[:, :-1], drawn[:, -1:]
    colour = flats[touched].astype(np.float32) / top
    below = colour[:, 3:] * (1 - alpha)
    whole = alpha + below
    mixed = (ink * alpha + colour[:, :3] * below) / whole
    result = flats.copy()
    result[touched] = np.rint(np.concatenate([mixed, whole], axis=1) * top)
    return result


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
